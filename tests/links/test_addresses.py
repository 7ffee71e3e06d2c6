"""What addresses of databases may say: understood as users of their own clients expect, or refused with words."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from certificates import PASSPHRASE, Authority
from sqlalchemy.engine import make_url

from links.hosts import is_local
from links.mariadb import mariadb
from links.postgres import postgres
from links.reasons import Reason, Unusable
from links.sqlite import sqlite
from links.tls import Tls


def tls_of(address: str) -> Any:
    url = make_url(address)
    _, arguments = mariadb(url) if url.get_backend_name() in ("mariadb", "mysql") else postgres(url)
    return arguments.get("ssl")


@pytest.mark.parametrize("address", ["postgresql://u@db.example/d", "postgresql://u@192.0.2.1/d", "mariadb://u@db/d"])
def test_beyond_this_machine_the_server_is_verified(address: str) -> None:
    context = tls_of(address)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_one_host_of_several_that_is_another_machine_is_enough() -> None:
    address = "postgresql://u@/d?host=127.0.0.1:5432&host=db.example:5432"
    assert tls_of(address).check_hostname


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", ""])
def test_this_machine_is_left_to_the_driver(host: str) -> None:
    assert tls_of(f"postgresql://u@{host}/d") is None
    assert tls_of(f"mariadb://u@{host or 'localhost'}/d") is None


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.9.9.9", True),
        ("::1", True),
        ("/run/postgresql", True),
        ("localhost.", True),
        (None, True),
        ("127.0.0.1.example", False),
        ("localhost.example", False),
        ("10.0.0.1", False),
    ],
)
def test_what_is_this_machine(host: str | None, local: bool) -> None:
    assert is_local(host) is local


def test_modes_as_libpq_has_them(tmp_path: Path) -> None:
    root = Authority(tmp_path).ca
    at = "postgresql://u@db.example/d?sslmode="
    assert tls_of(f"{at}disable") is False
    assert tls_of(f"{at}prefer") == "prefer"
    assert tls_of(f"{at}require").verify_mode is ssl.CERT_NONE
    assert tls_of(f"{at}require&sslrootcert={root}").verify_mode is ssl.CERT_REQUIRED
    assert not tls_of(f"{at}verify-ca&sslrootcert={root}").check_hostname
    assert tls_of(f"{at}verify-full&sslrootcert=system").check_hostname


REFUSED = {
    "postgresql://u@db/d?sslmode=verify_full": "sslmode is one of",
    "postgresql://u@db/d?ssl_mode=disable": "no option of an address of PostgreSQL: ssl_mode",
    "postgresql://u@db/d?sslmode=disable&sslrootcert=/x": "does not go with sslrootcert",
    "postgresql://u@db/d?sslmode=prefer&sslcert=/x": "does not go with sslcert",
    "postgresql://u@db/d?sslcert=/x": "go together",
    "postgresql://u@db/d?sslmode=disable&ssl=require": "they differ",
    "postgresql://u@db/d?sslmode=disable&sslmode=require": "says sslmode twice",
    "postgresql://u@db/d?passfile=/nowhere": "passfile /nowhere: No such file",
    "postgresql://u@db/d?connect_timeout=soon": "connect_timeout is a whole number",
    "mariadb://u@db/d?sslmode=disable": "no option of an address of MariaDB: sslmode",
    "mariadb://u@db/d?ssl_mode=PREFERRED": "would do without TLS",
    "mariadb://u@db/d?ssl_mode=NONE": "ssl_mode is one of",
    "mariadb://u@db/d?ssl_mode=DISABLED&ssl_ca=/x": "does not go with ssl_ca",
    "mariadb://u@db/d?ssl_mode=REQUIRED&ssl_check_hostname=true": "contradict",
    "mariadb://u@db/d?ssl_mode=DISABLED&ssl_mode=REQUIRED": "says ssl_mode twice",
}


@pytest.mark.parametrize("address", REFUSED)
def test_what_does_not_hold_together_is_refused(address: str) -> None:
    with pytest.raises(Unusable, match=REFUSED[address]) as error:
        tls_of(address)
    assert error.value.failure.reason is Reason.SETTINGS


def test_what_an_address_says_twice_is_refused() -> None:
    with pytest.raises(Unusable, match="says mode twice"):
        sqlite(make_url("sqlite+aiosqlite:////x.db?mode=ro&mode=rw"))
    with pytest.raises(Unusable, match="no option of an address of SQLite: sslmode"):
        sqlite(make_url("sqlite+aiosqlite:////x.db?sslmode=verify-full"))


def test_a_file_of_passwords_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    file.write_text("*:*:*:*:hunter2\n")
    file.chmod(0o640)
    with pytest.raises(Unusable, match="its owner alone may read"):
        postgres(make_url(f"postgresql://u@db/d?passfile={file}"))
    file.chmod(0o600)
    assert postgres(make_url(f"postgresql://u@db/d?passfile={file}"))[1]["passfile"] == str(file)


def test_the_address_keeps_nothing_of_what_was_said_about_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.certify("member", passphrase=PASSPHRASE)
    query = f"sslrootcert={authority.ca}&sslcert={cert}&sslkey={key}&sslpassword={PASSPHRASE.replace(' ', '%20')}"
    bare, arguments = postgres(make_url(f"postgresql://u@db/d?{query}"))
    assert str(bare) == "postgresql://u@db/d"
    assert arguments["ssl"].check_hostname


def test_the_oldest_tls_is_1_2(tmp_path: Path) -> None:
    for tls in (Tls(), Tls(ca=str(Authority(tmp_path).ca))):
        assert tls.context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_keys_that_cannot_be_used_say_why_and_no_secret(tmp_path: Path) -> None:
    """Without a passphrase OpenSSL would ask the terminal for one."""
    authority, other = Authority(tmp_path / "a"), Authority(tmp_path / "b")
    cert, key = (str(file) for file in authority.certify("member", passphrase=PASSPHRASE))
    another = str(other.certify("member")[1])
    torn = tmp_path / "torn.key"
    torn.write_text("nothing")
    torn.chmod(0o600)
    cases = {
        "the passphrase of the client's key is missing": Tls(cert=cert, key=key),
        "the passphrase of the client's key is wrong": Tls(cert=cert, key=key, password="hunter2"),
        "the client's key is not that of its certificate": Tls(cert=cert, key=another),
        "the client's certificate or key is no PEM": Tls(cert=cert, key=str(torn)),
        "the client's key, .*: No such file": Tls(cert=cert, key=str(tmp_path / "none")),
        "the certificates of the trusted authorities, .*: no PEM": Tls(ca=__file__),
    }
    for words, tls in cases.items():
        with pytest.raises(Unusable, match=f"tls-files: {words}") as error:
            tls.context()
        assert "hunter2" not in str(error.value) + repr(tls)
    Tls(cert=cert, key=key, password=PASSPHRASE).context()
