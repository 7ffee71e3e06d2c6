"""A Kafka that wants TLS, a login and rights: the local one with another page of settings, certificates made for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from certificates import PASSPHRASE, Authority
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from servers import free_port

FILES = Path(__file__).parents[1] / "deploy" / "kafka"
OWNER, READER = ("owner", "owner's own"), ("visabus", "hunter 22")
READERS = {
    "plain": READER,
    "scram": ("scrammer", "hunter 23"),
}
PORTS = ("sasl", "controller", "mutual", "expired", "clear")
"""What listens: with a login, the controller, with client certificates, with an expired certificate, in clear text."""
SETTINGS = """
listeners=SASL_SSL://127.0.0.1:@PORT@,MUTUAL://127.0.0.1:{ports[mutual]},EXPIRED://127.0.0.1:{ports[expired]},\
CLEAR://127.0.0.1:{ports[clear]},CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
advertised.listeners=CLEAR://127.0.0.1:{ports[clear]},MUTUAL://127.0.0.1:{ports[mutual]},\
EXPIRED://127.0.0.1:{ports[expired]},SASL_SSL://127.0.0.1:@PORT@
listener.security.protocol.map=SASL_SSL:SASL_SSL,MUTUAL:SSL,EXPIRED:SSL,CLEAR:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLEAR
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_{owner[0]}="{owner[1]}" user_{reader[0]}="{reader[1]}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url=file://@DIR@/jwks.json
listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.expected.audience=kafka-of-a-test
ssl.keystore.type=PEM
ssl.keystore.location=@DIR@/certificates/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=@DIR@/certificates/ca.pem
listener.name.mutual.ssl.client.auth=required
listener.name.expired.ssl.keystore.type=PEM
listener.name.expired.ssl.keystore.location=@DIR@/certificates/expired.pem
listener.name.expired.ssl.truststore.type=PEM
listener.name.expired.ssl.truststore.location=@DIR@/certificates/ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{owner[0]};User:ANONYMOUS;User:CN=member;User:service-of-a-test
"""


@dataclass
class SecureKafka:
    """Such a broker, its data in a directory."""

    directory: Path
    address: str = ""

    @property
    def authority(self) -> str:
        """The certificate by which its own is trusted."""
        return str(self.directory / "certificates" / "ca.pem")

    def file(self, name: str) -> str:
        """A certificate or key that was made for it."""
        return str(self.directory / "certificates" / name)

    def at(self, listener: str, host: str = "127.0.0.1") -> str:
        """The address of one of its listeners."""
        return f"{host}:{self._ports()[listener]}"

    @classmethod
    def started(cls, directory: Path) -> SecureKafka:
        """The one that was started there, by any process."""
        broker = cls(directory)
        broker.address = broker.at("sasl")
        return broker

    def start(self) -> None:
        """Start it on free ports."""
        self.directory.mkdir(parents=True, exist_ok=True)
        authority = Authority(self.directory / "certificates")
        authority.certify("server")
        authority.certify("expired", expired=True)
        authority.certify("member", passphrase=PASSPHRASE)
        issuer = ec.generate_private_key(ec.SECP256R1())
        (self.directory / "issuer.key").write_bytes(
            issuer.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        public = ECAlgorithm.to_jwk(issuer.public_key(), as_dict=True)
        (self.directory / "jwks.json").write_text(json.dumps({"keys": [public | {"kid": "one", "alg": "ES256"}]}))
        files = self.directory / "files"
        files.mkdir()
        for name in ("kafka", "pom.xml"):
            shutil.copy(FILES / name, files / name)
        ports = {name: free_port() for name in PORTS}
        (self.directory / "listeners.json").write_text(json.dumps(ports))
        ours = SETTINGS.format(owner=OWNER, reader=READER, ports=ports)
        named = {line.partition("=")[0] for line in ours.splitlines() if "=" in line}
        kept = (FILES / "server.properties").read_text().splitlines()
        kept = [line for line in kept if line.partition("=")[0] not in named]
        (files / "server.properties").write_text("\n".join(kept) + ours)
        self._run("start", str(self.directory), str(ports["sasl"]), str(ports["controller"]))
        self.address = f"127.0.0.1:{ports['sasl']}"
        self._let_in(*READERS["scram"])
        self._let_in(*OWNER)

    def token(self, **claims: object) -> str:
        """A token that its authorisation server would give."""
        now = int(time.time())
        body = {"sub": "service-of-a-test", "aud": "kafka-of-a-test", "iat": now, "exp": now + 600} | claims
        key = (self.directory / "issuer.key").read_bytes()
        return jwt.encode(body, key, algorithm="ES256", headers={"kid": "one"})

    def _let_in(self, user: str, password: str) -> None:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(user, info, password.encode())
        owner = self._owner()  # held until it has answered
        for future in owner.alter_user_scram_credentials([change]).values():
            future.result(30)

    def _ports(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads((self.directory / "listeners.json").read_text())
        return ports

    def stop(self) -> None:
        """Stop it in good order."""
        self._run("stop", str(self.directory))

    def create(self, topic: str) -> None:
        """Make a topic as its owner."""
        owner = self._owner()
        for future in owner.create_topics([NewTopic(topic, 1, 1)]).values():
            future.result(30)

    def let_read(self, topic: str, user: str = READER[0]) -> None:
        """Give the reader the right to read and describe a topic."""
        rights = [
            AclBinding(
                ResourceType.TOPIC,
                topic,
                ResourcePatternType.LITERAL,
                f"User:{user}",
                "*",
                operation,
                AclPermissionType.ALLOW,
            )
            for operation in (AclOperation.READ, AclOperation.DESCRIBE)
        ]
        owner = self._owner()
        for future in owner.create_acls(rights).values():
            future.result(30)

    def configured(self, who: tuple[str, str] = OWNER) -> dict[str, Any]:
        """The settings of a client of librdkafka's."""
        return {
            "bootstrap.servers": self.address,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": who[0],
            "sasl.password": who[1],
            "ssl.ca.location": self.authority,
        }

    def _owner(self) -> AdminClient:
        return AdminClient(self.configured())

    def _run(self, *arguments: str) -> None:
        lib = next(FILES.glob("lib"), None)
        # without leave a broker takes no keys from a file (KIP-1139)
        leave = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://{self.directory}/jwks.json"
        environment = os.environ | {"JDK_JAVA_OPTIONS": leave}
        if "VISABUS_CACHE" not in environment and lib is not None:
            # the script copied elsewhere would look for the jars elsewhere
            (complete,) = lib.glob(".complete-*")
            cache = self.directory / "cache"
            cache.mkdir(exist_ok=True)
            link = cache / f"kafka-{complete.name.removeprefix('.complete-')}"
            if not link.exists():
                link.symlink_to(lib.resolve())
            environment["VISABUS_CACHE"] = str(cache)
        command = ["bash", str(self.directory / "files" / "kafka"), *arguments]
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=120)
