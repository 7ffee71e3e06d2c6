"""A Kafka that wants TLS, a login and rights: the local one with another page of settings, certificates made for it."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from servers import free_port

FILES = Path(__file__).parents[1] / "deploy" / "kafka"
OWNER, READER = ("owner", "owner's own"), ("visabus", "hunter 22")
SETTINGS = """
listeners=SASL_SSL://127.0.0.1:@PORT@,CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
advertised.listeners=SASL_SSL://127.0.0.1:@PORT@
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="{owner[0]}" password="{owner[1]}" user_{owner[0]}="{owner[1]}" user_{reader[0]}="{reader[1]}";
ssl.keystore.type=PEM
ssl.keystore.location=@DIR@/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=@DIR@/ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{owner[0]};User:ANONYMOUS
"""


@dataclass
class SecureKafka:
    """Such a broker, its data in a directory."""

    directory: Path
    address: str = ""

    @property
    def authority(self) -> str:
        """The certificate by which its own is trusted."""
        return str(self.directory / "ca.pem")

    def start(self) -> None:
        """Start it on a free port."""
        self.directory.mkdir(parents=True, exist_ok=True)
        _certify(self.directory)
        files = self.directory / "files"
        files.mkdir()
        for name in ("kafka", "pom.xml"):
            shutil.copy(FILES / name, files / name)
        ours = SETTINGS.format(owner=OWNER, reader=READER)
        named = {line.partition("=")[0] for line in ours.splitlines() if "=" in line}
        kept = (FILES / "server.properties").read_text().splitlines()
        kept = [line for line in kept if line.partition("=")[0] not in named]
        (files / "server.properties").write_text("\n".join(kept) + ours)
        port, controller = free_port(), free_port()
        self._run("start", str(self.directory), str(port), str(controller))
        self.address = f"127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop it in good order."""
        self._run("stop", str(self.directory))

    def create(self, topic: str) -> None:
        """Make a topic as its owner."""
        owner = self._owner()
        for future in owner.create_topics([NewTopic(topic, 1, 1)]).values():
            future.result(30)

    def let_read(self, topic: str) -> None:
        """Give the reader the right to read and describe a topic."""
        rights = [
            AclBinding(
                ResourceType.TOPIC,
                topic,
                ResourcePatternType.LITERAL,
                f"User:{READER[0]}",
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
        environment = dict(os.environ)
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


def _certify(directory: Path) -> None:
    """An authority, and a certificate of the broker's by it."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    ca = _certificate(issuer, issuer, authority.public_key(), authority, ca=True)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker of a test")])
    own = _certificate(subject, issuer, key.public_key(), authority, ca=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "server.pem").write_bytes(private + own.public_bytes(pem) + ca.public_bytes(pem))
    (directory / "ca.pem").write_bytes(ca.public_bytes(pem))


def _certificate(subject: x509.Name, issuer: x509.Name, key: Any, signer: Any, *, ca: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())
