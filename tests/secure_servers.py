"""PostgreSQL, MariaDB and RabbitMQ that want TLS, with certificates made for them, a login and rights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import rabbitmq_local
from certificates import PASSPHRASE, Authority
from servers import as_owner, as_root, start_mariadb, start_postgres

PASSWORD = "hunter 24"
_RULES = """
local all all trust
hostssl all member 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Secure:
    """A server in a directory: `at` is host and port, without TLS `clear`."""

    directory: Path

    @property
    def port(self) -> str:
        """Where it speaks TLS."""
        return (self.directory / "secure-port").read_text()

    def file(self, name: str) -> str:
        """A certificate or key that was made for it: ca.pem, member.crt, member.key."""
        return str(self.directory / "certificates" / name)

    @property
    def query(self) -> str:
        """What an address of PostgreSQL says so that the server is believed."""
        return f"sslmode=verify-full&sslrootcert={self.file('ca.pem')}"

    @property
    def authority(self) -> str:
        """What an address of MariaDB says so that the server is believed."""
        return f"ssl_ca={self.file('ca.pem')}"


def _certified(directory: Path, *, expired: bool = False) -> Path:
    authority = Authority(directory / "certificates")
    authority.certify("server", expired=expired)
    authority.certify("member", passphrase=PASSPHRASE)
    return authority.directory


def start_secure_postgres(directory: Path, *, expired: bool = False) -> str:
    """Return its port. Users: `visabus` owns it, `reader` may connect only, `member` comes by certificate."""
    url = start_postgres(directory, _RULES, _certified(directory, expired=expired))
    statements = (
        f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
        f"CREATE ROLE member LOGIN PASSWORD '{PASSWORD}'",
        f"ALTER ROLE visabus PASSWORD '{PASSWORD}'",
        "CREATE DATABASE visabus OWNER visabus",
        "CREATE TABLE secret (id integer PRIMARY KEY, x bigint)",
    )
    as_owner(directory, *statements)
    return _noted(directory, url.rpartition(":")[2].partition("/")[0])


def start_expired_postgres(directory: Path) -> str:
    """Return the port of one whose certificate has expired."""
    return start_secure_postgres(directory, expired=True)


def start_secure_mariadb(directory: Path) -> str:
    """Return its port. Users: `visabus` may all, `reader` may connect, `member` needs a certificate of its own."""
    files = _certified(directory)
    names = (("ca", "ca.pem"), ("cert", "server.crt"), ("key", "server.key"))
    url = start_mariadb(directory, *(f"--ssl-{option}={files / name}" for option, name in names))
    as_root(
        directory,
        f"ALTER USER visabus@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;"
        f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;"
        f"CREATE USER member@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE X509;"
        "CREATE DATABASE source; CREATE TABLE source.item (id integer PRIMARY KEY, changed bigint);"
        "GRANT SELECT ON source.item TO member@'127.0.0.1';"
        "CREATE DATABASE other; CREATE TABLE other.item (id integer); GRANT SELECT ON other.* TO reader@'127.0.0.1'",
    )
    return _noted(directory, url.rpartition(":")[2].partition("/")[0])


def start_secure_rabbitmq(directory: Path) -> str:
    """Return the port with TLS; the file `clear` has the other. Users: `visabus`, and `reader` without rights."""
    address = rabbitmq_local.start(directory, _certified(directory))
    (directory / "clear").write_text(address.rpartition(":")[2])
    for user, rights in (("visabus", ".*"), ("reader", "^$")):
        rabbitmq_local.control(directory, "add_user", user, PASSWORD)
        rabbitmq_local.control(directory, "set_permissions", "-p", "/", user, rights, rights, rights)
    return _noted(directory, (directory / "tls").read_text())


def _noted(directory: Path, port: str) -> str:
    (directory / "secure-port").write_text(port)
    return port
