"""An SFTP server on loopback as owners of systems have one: a folder to be read, one user, a host key of its own.

Where there is a real server its address says how to come to it: `sftp://user@host:22/directory?known_hosts=FILE&key=FILE`;
the files are put there first, each under a temporary name until it is whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from services.simulator.source import SourceUnavailable

USER = "visabus"
Settings = dict[str, Any]
"""Those of a feed: `url`, `user`, `secret`, `options`."""


@asynccontextmanager
async def files_at(place: Path, server: str = "") -> AsyncIterator[Settings]:
    """Serve the files of a folder for as long as the context lasts: from a server, or from a double of one.

    Raises SourceUnavailable.
    """
    if server:
        yield await _put(place, server)
        return
    async with _double(place) as settings:
        yield settings


@asynccontextmanager
async def _double(place: Path) -> AsyncIterator[Settings]:
    import asyncssh

    asyncssh.set_log_level("WARNING")
    secret, host_key = token_urlsafe(32), asyncssh.generate_private_key("ssh-ed25519")

    class Login(asyncssh.SSHServer):
        """Lets one user in, by password."""

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, secret)

    def session(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(place).encode())

    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        server_factory=Login,
        sftp_factory=session,
        allow_pty=False,
        line_editor=False,
    )
    try:
        with TemporaryDirectory(prefix="visabus-sftp-") as directory:
            known_hosts, port = Path(directory, "known_hosts"), acceptor.get_port()
            line = f"[127.0.0.1]:{port} {host_key.export_public_key().decode()}"
            await asyncio.to_thread(known_hosts.write_text, line)
            options = {"known_hosts": str(known_hosts), "unchanged": 0}
            yield {"url": f"sftp://127.0.0.1:{port}/", "user": USER, "secret": secret, "options": options}
    finally:
        acceptor.close()
        await acceptor.wait_closed()


async def _put(place: Path, server: str) -> Settings:
    """Put the files into the directory of a server; return the settings of a feed that reads them there."""
    import asyncssh

    parts = urlsplit(server)
    known_hosts, key = (parse_qs(parts.query).get(name, [""])[0] for name in ("known_hosts", "key"))
    user, secret, path = unquote(parts.username or ""), unquote(parts.password or ""), unquote(parts.path)
    if parts.scheme != "sftp" or not parts.hostname or not user or not known_hosts:
        raise SourceUnavailable("sftp://user@host/directory?known_hosts=FILE&key=FILE expected")
    login: Settings = {"client_keys": [key], "passphrase": secret or None} if key else {"password": secret}
    names = await asyncio.to_thread(lambda: sorted(each.name for each in place.iterdir()))
    try:
        async with (
            asyncssh.connect(
                parts.hostname, parts.port or 22, username=user, known_hosts=known_hosts, config=None, **login
            ) as connection,
            connection.start_sftp_client() as client,
        ):
            if [name for name in await client.listdir(path) if name not in (".", "..")]:
                raise SourceUnavailable("the directory of the server holds files already; give an empty one")
            for name in names:
                await client.put(str(place / name), f"{path.rstrip('/')}/{name}.part")
                await client.rename(f"{path.rstrip('/')}/{name}.part", f"{path.rstrip('/')}/{name}")
    except (asyncssh.Error, OSError) as error:
        raise SourceUnavailable(f"the server cannot be filled: {type(error).__name__}") from None
    options = {"known_hosts": known_hosts, "key": key, "unchanged": 0}
    url = f"sftp://{parts.hostname}:{parts.port or 22}{parts.path}"
    return {"url": url, "user": user, "secret": secret, "options": options}
