"""PostgreSQL by asyncpg as users of libpq know it: `sslmode` and its files, in the address.

Beyond this machine `verify-full` holds where nothing is said, with the authorities of the machine where no
`sslrootcert` is named. Differences from libpq (PostgreSQL 17, section 32.19): there the default is `prefer`, which
checks nothing; `sslrootcert` without `sslmode` checks nothing there and all here; files below ~/.postgresql are not
used.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from links.hosts import is_local
from links.query import known, once, refused, whole_number
from links.reasons import Failure, Reason, Unusable
from links.tls import Tls

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslpassword")
OWN = ("sslmode", *_FILES, "passfile")
"""What the settings may say beside the address."""
_PLAIN = frozenset({"host", "port", "prepared_statement_cache_size", "target_session_attrs"})
"""Taken by the driver as they stand."""
_OTHERS = ("ssl", "application_name", "connect_timeout", "command_timeout")


def postgres(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return the address without what was said about TLS and the like, and that as the driver's arguments.

    Raises Unusable, whose text quotes no value.
    """
    said = once(url.query, ("host", "port"))
    known(url.query, (*_PLAIN, *OWN, *_OTHERS), "PostgreSQL")
    arguments: dict[str, Any] = {}
    if (tls := _tls(said, local=all(is_local(host) for host in _hosts(url)))) is not None:
        arguments["ssl"] = tls
    if "passfile" in said:
        arguments["passfile"] = _passfile(said["passfile"])
    if "application_name" in said:
        arguments["server_settings"] = {"application_name": said["application_name"]}
    for name, argument in (("connect_timeout", "timeout"), ("command_timeout", "command_timeout")):
        if name in said:
            arguments[argument] = whole_number(name, said[name])
    return url.set(query={name: value for name, value in url.query.items() if name in _PLAIN}), arguments


def _hosts(url: URL) -> list[str | None]:
    named = url.query.get("host", ())
    several = [named] if isinstance(named, str) else list(named)
    hosts = [host for each in several for host in each.split(",")]
    # an address of version 6 has more than one colon, and a port behind its bracket
    bare = [host if host.count(":") > 1 and not host.startswith("[") else host.rsplit(":", 1)[0] for host in hosts]
    return [*bare] or [url.host]


def _tls(said: dict[str, str], *, local: bool) -> Any:
    """What asyncpg takes as `ssl`; None leaves it to the driver, which asks for TLS and does without."""
    mode = said.get("sslmode", said.get("ssl"))
    if {"ssl", "sslmode"} <= said.keys() and said["ssl"] != said["sslmode"]:
        raise refused("the address says ssl and sslmode, and they differ")
    if mode is not None and mode not in MODES:
        raise refused(f"sslmode is one of {', '.join(MODES)}")
    files = [name for name in _FILES if name in said]
    if mode is None:
        if local and not files:
            return None
        mode = "verify-full"
    if mode in ("disable", "allow", "prefer"):
        if files:
            raise refused(f"sslmode {mode} does not go with {', '.join(files)}: nothing would be checked")
        return mode if mode != "disable" else False
    try:
        tls = Tls(ca=_root(said), cert=said.get("sslcert"), key=said.get("sslkey"), password=said.get("sslpassword"))
    except ValueError as error:
        raise refused(f"{error} (sslcert, sslkey)") from None
    # libpq: with an authority `require` is `verify-ca`
    if mode == "require":
        return tls.context("ca" if tls.ca is not None else "none")
    return tls.context("ca" if mode == "verify-ca" else "full")


def _root(said: dict[str, str]) -> str | None:
    root = said.get("sslrootcert")
    return None if root == "system" else root


def _passfile(name: str) -> str:
    """A file of passwords that can be used: libpq and asyncpg pass over any other, and log in without."""
    try:
        mode = Path(name).stat().st_mode
    except OSError as error:
        raise Unusable(Failure(Reason.SETTINGS, f"passfile {name}: {error.strerror}")) from None
    if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
        raise refused(f"passfile {name} has to be a file that its owner alone may read: chmod 600")
    return name
