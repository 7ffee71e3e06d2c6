"""An authority of the tests, and certificates by it: good ones, for other names, expired, keys with a passphrase."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM
PASSPHRASE = "open sesame 9"


@dataclass(frozen=True)
class Authority:
    """Signs certificates for servers on 127.0.0.1 alone, so that `localhost` is another name, and for clients."""

    directory: Path
    name: str = "authority of a test"
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        own = self._signed(self._subject(self.name), self._key.public_key(), ca=True)
        self.ca.write_bytes(own.public_bytes(_PEM))

    @property
    def ca(self) -> Path:
        """The file by which what the authority signs is trusted."""
        return self.directory / "ca.pem"

    def certify(self, name: str, *, passphrase: str | None = None, expired: bool = False) -> tuple[Path, Path]:
        """Files of a certificate for a name, and of its key. They are also in one file, `NAME.pem`, key first."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(self._subject(name), key.public_key(), ca=False, expired=expired)
        hidden: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            hidden = serialization.BestAvailableEncryption(passphrase.encode())
        private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, hidden)
        files = self.directory / f"{name}.crt", self.directory / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(_PEM))
        files[1].write_bytes(private)
        files[1].chmod(0o600)
        (self.directory / f"{name}.pem").write_bytes(private + certificate.public_bytes(_PEM) + self.ca.read_bytes())
        return files

    @staticmethod
    def _subject(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool, expired: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        end = now - timedelta(hours=1) if expired else now + timedelta(days=2)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._subject(self.name)).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=2)).not_valid_after(end)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(names, critical=False).add_extension(authority, critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=ca,
            crl_sign=ca,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        return builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
