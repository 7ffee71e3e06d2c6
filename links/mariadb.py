"""MariaDB and MySQL by aiomysql, with the options for TLS that their own clients have.

Beyond this machine `VERIFY_IDENTITY` holds where nothing is said. aiomysql 0.3 goes on in clear text where a server
says that it has no TLS, though it was given a context: that is checked before anything is told to the server.
"""

from __future__ import annotations

from typing import Any

import aiomysql
from pymysql.constants import CLIENT
from sqlalchemy.engine import URL

from links.hosts import is_local
from links.query import known, once, refused, whole_number
from links.reasons import Failure, Reason, Unusable
from links.tls import Tls, Verify

MODES: dict[str, Verify | None] = {
    "DISABLED": None,
    "REQUIRED": "none",
    "VERIFY_CA": "ca",
    "VERIFY_IDENTITY": "full",
}
_FILES = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password")
_OTHERS = ("ssl_mode", "ssl_check_hostname", "connect_timeout")
_PLAIN = frozenset({"charset", "unix_socket"})


def mariadb(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return the address without what was said about TLS and the like, and that as the driver's arguments.

    Raises Unusable, whose text quotes no value.
    """
    said = once(url.query)
    known(url.query, (*_PLAIN, *_FILES, *_OTHERS), "MariaDB")
    arguments: dict[str, Any] = {"async_creator_fn": _connect}
    local = is_local(url.host) or "unix_socket" in said
    if (verify := _verify(said, local=local)) is not None:
        try:
            tls = Tls(
                ca=said.get("ssl_ca"),
                cert=said.get("ssl_cert"),
                key=said.get("ssl_key"),
                password=said.get("ssl_key_password"),
            )
        except ValueError as error:
            raise refused(f"{error} (ssl_cert, ssl_key)") from None
        arguments["ssl"] = tls.context(verify)
    if "connect_timeout" in said:
        arguments["connect_timeout"] = whole_number("connect_timeout", said["connect_timeout"])
    return url.set(query={name: value for name, value in url.query.items() if name in _PLAIN}), arguments


def _verify(said: dict[str, str], *, local: bool) -> Verify | None:
    """What is asked of the server's certificate; None for no TLS."""
    files = [name for name in _FILES if name in said]
    named = said.get("ssl_mode")
    mode = named.upper().replace("-", "_") if named is not None else None
    if mode is None:
        if local and not files and "ssl_check_hostname" not in said:
            return None
        mode = "VERIFY_IDENTITY"
    if mode == "PREFERRED":
        raise refused("ssl_mode PREFERRED would do without TLS in silence: REQUIRED, VERIFY_IDENTITY or DISABLED")
    if mode not in MODES:
        raise refused(f"ssl_mode is one of {', '.join(MODES)}")
    verify = MODES[mode]
    if (check := said.get("ssl_check_hostname")) is not None:
        if check.lower() not in ("true", "false"):
            raise refused("ssl_check_hostname is true or false")
        if named is not None and (check.lower() == "true") != (verify == "full"):
            raise refused("ssl_mode and ssl_check_hostname contradict each other")
        verify = "full" if check.lower() == "true" else "ca"
    if verify is None and files:
        raise refused(f"ssl_mode DISABLED does not go with {', '.join(files)}")
    return verify


class _Connection(aiomysql.Connection):  # type: ignore[misc]  # the library has no types
    """One that does not go on in clear text where TLS was asked for."""

    async def _request_authentication(self) -> None:
        if self._ssl_context is not None and not self.server_capabilities & CLIENT.SSL:
            raise Unusable(Failure(Reason.TLS_NONE))
        await super()._request_authentication()

    def close(self) -> None:
        """Let go of the socket at once. The library leaves TLS open until the server says goodbye, and waits for it
        nowhere."""
        writer = self._writer
        super().close()
        if writer is not None:
            writer.transport.abort()


async def _connect(**arguments: Any) -> _Connection:
    connection = _Connection(**arguments)
    try:
        await connection._connect()
    except BaseException:
        connection.close()
        raise
    return connection
