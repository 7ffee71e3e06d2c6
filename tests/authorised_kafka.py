"""A Kafka with logins and an authoriser, in the clear on loopback: the local one with another page of settings."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field

from secure_kafka import FILES, SecureKafka
from servers import free_port

OWNER = "owner"
SETTINGS = """
listeners=SASL_PLAINTEXT://127.0.0.1:@PORT@,CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
advertised.listeners=SASL_PLAINTEXT://127.0.0.1:@PORT@
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="{owner}" password="{password}" {users};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{owner};User:ANONYMOUS
"""


def password_of(account: str) -> str:
    """An account's password."""
    return f"the password of {account}"


@dataclass
class AuthorisedKafka(SecureKafka):
    """Such a broker with accounts; its owner may do everything, and they what rules let them."""

    accounts: Sequence[str] = field(default=())

    def start(self) -> None:
        """Start it on a free port."""
        files = self.directory / "files"
        files.mkdir(parents=True)
        for name in ("kafka", "pom.xml"):
            shutil.copy(FILES / name, files / name)
        users = " ".join(f'user_{account}="{password_of(account)}"' for account in (OWNER, *self.accounts))
        ours = SETTINGS.format(owner=OWNER, password=password_of(OWNER), users=users)
        named = {line.partition("=")[0] for line in ours.splitlines() if "=" in line}
        kept = (FILES / "server.properties").read_text().splitlines()
        kept = [line for line in kept if line.partition("=")[0] not in named]
        (files / "server.properties").write_text("\n".join(kept) + ours)
        port, controller = free_port(), free_port()
        self._run("start", str(self.directory), str(port), str(controller))
        self.address = f"127.0.0.1:{port}"

    def environment(self, account: str) -> dict[str, str]:
        """The settings by which a process logs in as an account."""
        return {
            "VISABUS_BUS_URL": f"kafka://{self.address}",
            "VISABUS_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "VISABUS_KAFKA__SASL_MECHANISM": "PLAIN",
            "VISABUS_KAFKA__USERNAME": account,
            "VISABUS_KAFKA__PASSWORD": password_of(account),
            "VISABUS_DEADLINES__BUS_CALL": "20",
        }
