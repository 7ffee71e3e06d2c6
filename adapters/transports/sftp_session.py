"""A session with an SFTP server, by asyncssh: whom to believe, as whom to come, and every failure as SourceDown.

The server's host key has to be known: `known_hosts` is a file in the form of OpenSSH's, and no key that is not in it is
believed. Nothing of the user's own surroundings counts: no `~/.ssh`, no agent, no configuration.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import unquote, urlsplit

from adapters.core import Credentials, SourceDown
from adapters.transports.remote_memory import State
from links.private_file import UnsafeFile, check_private
from links.reasons import failure_of

if TYPE_CHECKING:
    from asyncssh import SFTPAttrs, SFTPClient, SFTPClientFile, SFTPName, SSHClientConnection

AT_ONCE = 8
"""Blocks of a file that are asked for at the same time."""
_BLOCK = 2**18


class SessionOptions(Protocol):
    """`known_hosts` and `key` are paths; `timeout` is in seconds, for one answer of the server."""

    @property
    def known_hosts(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def timeout(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where the directory is, and as whom to come. `secret` is told to the server, or opens the key."""

    host: str
    port: int
    path: str
    user: str = ""
    secret: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str, credentials: Credentials | None = None) -> Address:
        """The address that a URL spells; credentials come before its own. Raises SourceDown for one that is none."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise SourceDown("the address cannot be used: no URL") from None
        if parts.scheme != "sftp" or not parts.hostname or not parts.path:
            raise SourceDown("the address cannot be used: sftp://user@host/directory expected")
        path = unquote(parts.path)
        path = path.removeprefix("/~/") or "." if path.startswith("/~/") else path
        secret = unquote(parts.password) if parts.password is not None else None
        result = cls(parts.hostname, port or 22, path, unquote(parts.username or ""), secret)
        if credentials is not None:
            result = replace(result, user=credentials.user, secret=credentials.secret)
        if not result.user:
            raise SourceDown("the address cannot be used: as which user to come is not known")
        return result

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Gone(Exception):
    """A file that is not there any more, or is no file."""


class Changed(Exception):
    """A file that has other bytes than it had when it was listed."""


class Denied(Exception):
    """A file that the server does not give, in words."""


@dataclass(slots=True)
class Listing:
    """What lies in a directory: the state of each file by its name, and the names of links."""

    files: dict[str, State] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SftpSession:
    """An open session."""

    address: Address
    timeout: float
    connection: SSHClientConnection
    client: SFTPClient

    @classmethod
    async def open(cls, address: Address, options: SessionOptions) -> SftpSession:
        """Come to the server, which has to show a known key. Raises SourceDown."""
        import asyncssh

        asyncssh.set_log_level("WARNING")  # it tells of every connection
        known, keys = _known_hosts(options.known_hosts), await _keys(options.key, address)
        with _as_source_down(address, "cannot be reached"):
            async with asyncio.timeout(options.timeout):
                connection = await asyncssh.connect(
                    address.host,
                    address.port,
                    username=address.user,
                    password=None if keys else address.secret,
                    client_keys=keys or None,
                    known_hosts=known,
                    config=None,
                    agent_path=None,
                    gss_auth=False,
                    gss_kex=False,
                    connect_timeout=options.timeout,
                    login_timeout=options.timeout,
                    keepalive_interval=options.timeout / 2,
                    keepalive_count_max=2,
                )
        try:
            with _as_source_down(address, "gives no SFTP session"):
                async with asyncio.timeout(options.timeout):
                    client = await connection.start_sftp_client(path_errors="surrogateescape")
        except BaseException:
            connection.abort()
            raise
        return cls(address, options.timeout, connection, client)

    async def lives(self) -> bool:
        """Whether it still answers: the connection may stand while the channel of SFTP is dead."""
        import asyncssh

        try:
            with self._as_source_down():
                await self._answer(self.client.stat("."))
        except SourceDown:
            return False
        except asyncssh.SFTPError:
            return True
        return True

    async def close(self) -> None:
        """Let go of the server."""
        self.client.exit()
        self.connection.close()
        try:
            async with asyncio.timeout(min(self.timeout, 5.0)):
                await self.connection.wait_closed()
        except (TimeoutError, OSError):
            self.connection.abort()

    async def listing(self) -> Listing:
        """What lies in the directory, without `.` and `..`. Names that are no UTF-8 have surrogates. Raises SourceDown.

        One listing proves nothing of what it lacks: while files are renamed it may have some twice and some not at all.
        """
        result = Listing()
        with self._as_source_down(f"directory {self.address.path!r}"):
            async with aclosing(cast("AsyncGenerator[SFTPName]", self.client.scandir(self.address.path))) as names:
                while True:
                    async with asyncio.timeout(self.timeout):
                        entry = await anext(names, None)
                    if entry is None:
                        return result
                    await self._put(result, str(entry.filename), entry.attrs)

    async def _put(self, listing: Listing, name: str, attributes: SFTPAttrs) -> None:
        from asyncssh import FILEXFER_TYPE_REGULAR, FILEXFER_TYPE_SYMLINK, FILEXFER_TYPE_UNKNOWN, SFTPNoSuchFile

        if attributes.type == FILEXFER_TYPE_UNKNOWN or attributes.size is None:  # a server may list names alone
            try:
                attributes = await self._answer(self.client.lstat(self._path(name)))
            except SFTPNoSuchFile:
                return
        if attributes.type == FILEXFER_TYPE_REGULAR:
            listing.files[name] = _state(attributes)
        elif attributes.type == FILEXFER_TYPE_SYMLINK:
            listing.links.append(name)

    @asynccontextmanager
    async def opened(self, name: str, state: State) -> AsyncIterator[Blocks]:
        """A file as it was listed, to be read; once that is over the file is compared with what it was.

        Raises Gone, Changed, Denied, SourceDown.
        """
        import asyncssh

        path = self._path(name)
        try:
            with self._as_source_down():
                await self._same(path, state)
                async with asyncio.timeout(self.timeout):
                    file = await self.client.open(path, "rb", encoding=None)
                try:
                    if _state(await self._answer(file.stat())) != state:
                        raise Changed
                    most = min(_BLOCK, self.client.limits.max_read_len or 2**15)
                    yield Blocks(file, state.size, most, self.timeout)
                    if _state(await self._answer(file.stat())) != state:
                        raise Changed
                    await self._same(path, state)
                finally:
                    await self._leave(file)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise Gone from None
        except asyncssh.SFTPPermissionDenied:
            raise Denied("it may not be read: Permission denied") from None
        except asyncssh.SFTPFailure:
            raise Denied("the server cannot read it") from None

    def _path(self, name: str) -> str:
        return f"{self.address.path.rstrip('/')}/{name}"

    async def _same(self, path: str, state: State) -> None:
        """Raises Gone if there is no plain file any more (links are not followed), Changed if it is another."""
        from asyncssh import FILEXFER_TYPE_REGULAR

        attributes = await self._answer(self.client.lstat(path))
        if attributes.type != FILEXFER_TYPE_REGULAR:
            raise Gone
        if _state(attributes) != state:
            raise Changed

    async def _answer(self, call: Any) -> SFTPAttrs:
        async with asyncio.timeout(self.timeout):
            attributes: SFTPAttrs = await call
        return attributes

    async def _leave(self, file: SFTPClientFile) -> None:
        """Close a file as far as the session still lives."""
        import asyncssh

        try:
            async with asyncio.timeout(self.timeout):
                await file.close()
        except (asyncssh.Error, OSError):
            pass

    def _as_source_down(self, what: str = "") -> Any:
        return _as_source_down(self.address, "went away", what)


@dataclass(slots=True)
class Blocks:
    """The bytes of an open file up to the size that it had when it was listed, and never beyond."""

    file: SFTPClientFile
    size: int
    most: int
    timeout: float

    async def at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes, in one request. Raises errors of asyncssh, Changed if the file ends before its size."""
        size = min(size, self.most, self.size - offset)
        if size <= 0:
            return b""
        async with asyncio.timeout(self.timeout):
            data: bytes = await self.file.read(size, offset)
        if not data:
            raise Changed
        return data

    async def all(self) -> AsyncIterator[bytes]:
        """All of them in order, a few blocks at a time."""
        offset = 0
        while offset < self.size:
            places = range(offset, min(self.size, offset + AT_ONCE * self.most), self.most)
            for place, data in zip(
                places, await asyncio.gather(*(self.at(at, self.most) for at in places)), strict=True
            ):
                if len(data) != min(self.most, self.size - place):
                    raise Changed
                yield data
            offset += AT_ONCE * self.most


class BlocksInThread(RawIOBase):
    """The same bytes as a file, for a thread: the loop in which the session lives does the reading."""

    def __init__(self, blocks: Blocks, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._blocks, self._loop, self._offset = blocks, loop, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._offset = max(0, offset + (0, self._offset, self._blocks.size)[whence])
        return self._offset

    def readinto(self, buffer: Any) -> int:
        """Raises what the session raises."""
        reading = asyncio.run_coroutine_threadsafe(self._blocks.at(self._offset, len(buffer)), self._loop)
        data = reading.result(self._blocks.timeout + 5)
        buffer[: len(data)] = data
        self._offset += len(data)
        return len(data)


def _state(attributes: SFTPAttrs) -> State:
    return State(attributes.size or 0, (attributes.mtime or 0) * 10**9 + (attributes.mtime_ns or 0))


def _known_hosts(path: str) -> str:
    """The file of known host keys, which has to be there. Raises SourceDown."""
    if not path:
        raise SourceDown("known_hosts is not set: without the key of the server any other could answer in its place")
    if not Path(path).is_file():
        raise SourceDown("known_hosts: no such file")
    return path


async def _keys(path: str, address: Address) -> list[Any]:
    """The user's key, opened by the secret if it is locked; none where a password is used. Raises SourceDown."""
    import asyncssh

    if not path:
        return []
    try:
        check_private(Path(path))
        return [await asyncio.to_thread(asyncssh.read_private_key, path, address.secret or None)]
    except UnsafeFile as error:
        raise SourceDown(f"the key of user {address.user!r}: {error}") from None
    except OSError as error:
        raise SourceDown(f"the key of user {address.user!r} cannot be read: {error.strerror}") from None
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError):
        reason = "it is none, or the secret is not its passphrase"
        raise SourceDown(f"the key of user {address.user!r} cannot be opened: {reason}") from None


@contextmanager
def _as_source_down(address: Address, otherwise: str, what: str = "") -> Iterator[None]:
    """Whatever the server or the way to it does wrong is SourceDown, without the words of the library.

    With `what` it is the directory that is asked for: that it is not there, or denied, is told.
    """
    import asyncssh

    words: dict[type[BaseException], str] = {
        asyncssh.PermissionDenied: f"does not let user {address.user!r} in: key or password is refused",
        asyncssh.HostKeyNotVerifiable: "shows another host key than known_hosts has for it",
        asyncssh.SFTPNoSuchFile: f"{what} is not there",
        asyncssh.SFTPNoSuchPath: f"{what} is not there",
        asyncssh.SFTPPermissionDenied: f"{what} may not be read: Permission denied",
        asyncssh.SFTPFailure: f"{what} cannot be read",
    }
    ours = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure)
    try:
        yield
    # ValueError: packets that are none, a file whose session went away
    except (asyncssh.Error, OSError, EOFError, ValueError) as error:
        if isinstance(error, ours) and not what:
            raise
        failure = failure_of(error)
        code = failure.reason if failure is not None else None
        said = words.get(type(error), f"{otherwise}: {type(error).__name__}")
        raise SourceDown(f"{address} {said}" if code is None else f"{address}: {code}: {said}", code=code) from None
