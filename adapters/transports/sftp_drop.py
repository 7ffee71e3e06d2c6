"""A directory on an SFTP server that files are dropped into: each file once, as `FileDrop` does it on a local one.

A file is fetched before anything of it is said: never beyond the size it was listed with, and its copy counts only if
size and time of change are the same before and behind, by name and by handle. So a file that grows, shrinks or is
replaced meanwhile gives nothing until it lies still. Links are not followed. What is done is known by name, size, time
and content (`remote_memory`), from one listing, however many files there are.

SFTP tells whole seconds only. So a file is fetched no sooner than `resolution` seconds after its time of change was
listed: whatever is written into it later shows.

Address: `sftp://user@host:22/directory`; `/~/directory` is below the user's own. `known_hosts` and `key` are paths;
`secret` of the feed's settings is the password, or the key's passphrase where there is a key.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, ClassVar, cast

from adapters.core import Batch, Completeness, Credentials, Format, Json, Read, SourceDown
from adapters.transports.drop_files import (
    A_LINK,
    SMALL,
    Reader,
    batch_of,
    check_options,
    end_of,
    is_temporary,
    misses,
    read_file,
    read_stream,
    small_reader,
    spelled,
    tells_its_end,
    too_large,
    why_not_yet,
)
from adapters.transports.drop_memory import Done
from adapters.transports.needed_format import needed
from adapters.transports.remote_memory import RemoteMemory, State
from adapters.transports.sftp_session import Address, Blocks, BlocksInThread, Changed, Denied, Gone, SftpSession
from adapters.transports.slices import at_once, by_few
from links.tasks import cancel

log = logging.getLogger(__name__)
_HEAD = 4096
"""Bytes of a file that is too large which are fetched, to be shown."""
_AT_ONCE = 16
"""Small files that are fetched at the same time: each takes seven answers of the server, one behind the other."""
FORGOTTEN = "too many of the files that are done have changed or gone away: those that are left are read again"


@dataclass(frozen=True, slots=True)
class SftpDrop:
    """The transport. `unchanged`, `patience`, `window`, `limit`: as of `FileDrop`; `timeout`: for one answer."""

    pattern: str = "*"
    unwrap: str | None = None  # "gzip"; "zip": an archive's members one after another, a bare file as it is
    unchanged: float = 30.0
    patience: float = 900.0
    window: int = 100
    limit: int = 4 * 2**30  # bytes, and bytes unwrapped
    known_hosts: str = ""  # a file of the server's host keys; needed
    key: str = ""  # a file of the user's private key; the password is used where there is none
    timeout: float = 30.0
    resolution: float = 1.1
    clock: Callable[[], float] = time.time
    names_files: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_options(self.unwrap, self.window)

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> SftpFolder:
        """The directory at an `sftp:` URL. Raises ValueError if there is no format, SourceDown for the address."""
        return SftpFolder(Address.of(url, credentials), needed(format, "files"), self)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """A file as it would be dropped. Raises OSError, ValueError if there is no format."""
        yield from read_file(source, needed(format, "files"), self.unwrap, self.limit)


@dataclass(slots=True)
class SftpFolder:
    """A directory on a server. It is connected from the first listing until it is closed."""

    address: Address
    format: Format
    options: SftpDrop
    left: list[str] = field(default_factory=list)
    _session: SftpSession | None = None
    _streams: list[BinaryIO] = field(default_factory=list)  # copies of large files
    _real: dict[str, str] = field(default_factory=dict)  # names as the server has them, by how they are spelled here

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each file beyond the position. Raises SourceDown."""
        self.left, self._streams = [], [stream for stream in self._streams if not stream.closed]
        memory = RemoteMemory.of(position, self.options.window)
        session = await self._connected()
        listed = time.monotonic()
        files = await self._files(session)
        names, known = memory.to_examine(files)
        if not known:
            log.warning("too many files that are done have changed or gone away")
            self.left.append(FORGOTTEN)
        if memory.crowded:
            again = await session.listing()
            memory.forget_gone({spelled(name): state for name, state in again.files.items()})
        newest = max((state.changed for state in files.values()), default=0)
        fresh = [self._age(files[name]) < 5 or files[name].changed > newest - 2 * 10**9 for name in names]
        due = [listed + self.options.resolution if each else 0.0 for each in fresh]
        examined = self._examine_all(session, dict(zip(names, due, strict=True)), files, memory.done)
        async with aclosing(examined):
            async for name, copy, why in examined:
                if why:
                    self.left.append(f"{name}: {why}")
                if copy is None:
                    continue
                twin = memory.same(copy.done.digest)
                memory.add(copy.done)
                batch = batch_of(memory, copy.done, twin, copy.reader)
                if batch is None:
                    await copy.close()
                else:
                    yield replace(batch, done=copy.close)

    async def _examine_all(
        self, session: SftpSession, due: Mapping[str, float], files: Mapping[str, State], known: Mapping[str, Done]
    ) -> AsyncGenerator[tuple[str, _Copy | None, str], None]:
        """Each name in its order as `_examine` sees it, some small files at the same time. Raises SourceDown.

        `due`: when each may be fetched, by the monotonic clock.
        """
        names, before = list(due), dict(known)
        while names:
            some = _some(names, files)
            del names[: len(some)]
            tasks = [
                asyncio.create_task(self._examine(session, name, files[name], before.get(name), due[name]))
                for name in some
            ]
            try:
                for name, task in zip(some, tasks, strict=True):
                    yield name, *await task
            finally:
                await cancel(*tasks)

    def deferred(self) -> list[str]:
        """Files that may still be on their way, and those that no feed takes."""
        return self.left

    async def close(self) -> None:
        """Let go of the server, and throw away what was fetched."""
        for stream in self._streams:
            stream.close()
        self._streams.clear()
        await self._leave()

    async def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _connected(self) -> SftpSession:
        """A session that answers: the one there is, or a new one. Raises SourceDown."""
        if self._session is not None and not await self._session.lives():
            await self._leave()
        if self._session is None:
            self._session = await SftpSession.open(self.address, self.options)
        return self._session

    async def _files(self, session: SftpSession) -> dict[str, State]:
        """The files that are this feed's, by name; the others are told. Raises SourceDown."""
        listing = await session.listing()
        files: dict[str, State] = {}
        self._real, others = {}, []
        for real, state in listing.files.items():
            if is_temporary(real):
                continue
            name = spelled(real)
            if not fnmatchcase(name, self.options.pattern):
                others.append(name)
                continue
            if name != real:
                self._real[name] = real
            files[name] = state
        self.left += [misses(name, self.options.pattern) for name in sorted(others)]
        self.left += [f"{spelled(name)}: {A_LINK}" for name in sorted(listing.links)]
        return files

    def _age(self, state: State) -> float:
        return abs(self.options.clock() - state.changed / 10**9)  # the server's clock may be ahead

    async def _examine(
        self, session: SftpSession, name: str, state: State, before: Done | None, due: float
    ) -> tuple[_Copy | None, str]:
        """A copy of the file if it is to be read: whole, lying still, not known; or why not yet. Raises SourceDown."""
        if before is not None and (before.size, before.changed) == state:
            return None, ""
        if self._age(state) < self.options.unchanged and not tells_its_end(self.format, self.options.unwrap):
            return None, why_not_yet(self.options, self._age(state), lambda: None)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        try:
            return await self._fetched(session, name, state)
        except Gone:
            log.info("a file went away before it was read")
            return None, ""
        except Changed:
            return None, "it changed while it was fetched; it is fetched again"
        except Denied as error:
            return None, str(error)
        except SourceDown:
            await self._leave()
            raise

    async def _fetched(self, session: SftpSession, name: str, state: State) -> tuple[_Copy | None, str]:
        """A copy of the file as it was listed, or why it is not to be taken yet. Raises what the session raises."""
        copy: _Copy | None = None
        try:
            async with session.opened(self._real.get(name, name), state) as blocks:
                if state.size > self.options.limit:
                    copy = await self._refused(name, state, blocks)
                elif why := await self._why_not_yet(state, blocks):
                    return None, why
                else:
                    copy = await self._copied(name, state, blocks)
        except BaseException:
            if copy is not None:
                await copy.close()
            raise
        return copy, ""

    async def _why_not_yet(self, state: State, blocks: Blocks) -> str:
        """Why a file is not to be taken yet, from its age and what its end says. Raises errors of the session."""
        age = self._age(state)
        if age >= max(self.options.unchanged, self.options.patience):
            return ""
        end: Completeness | None = None
        if tells_its_end(self.format, self.options.unwrap):
            stream = BufferedReader(BlocksInThread(blocks, asyncio.get_running_loop()), 2**15)
            end = await asyncio.to_thread(end_of, cast(BinaryIO, stream), self.format, self.options.unwrap)
        return why_not_yet(self.options, age, lambda: end)

    async def _copied(self, name: str, state: State, blocks: Blocks) -> _Copy:
        """A copy: in memory if the file is small, else in a file without a name, which nothing can leave behind."""
        digest = blake2b(digest_size=8)
        if state.size <= SMALL:
            content = b"".join([data async for data in blocks.all()])
            digest.update(content)
            reader = small_reader(content, self.format, self.options.unwrap, self.options.limit)
            return _Copy(Done(name, *state, digest.hexdigest()), reader)
        stream = cast(BinaryIO, TemporaryFile(prefix="visabus-sftp-"))  # noqa: SIM115 - it lives as long as the batch
        self._streams.append(stream)
        try:
            async for data in blocks.all():
                digest.update(data)
                await asyncio.to_thread(_write, stream, data)
        except BaseException:
            stream.close()
            raise
        reads = partial(read_stream, stream, self.format, self.options.unwrap, self.options.limit)
        return _Copy(Done(name, *state, digest.hexdigest()), lambda: by_few(reads()), stream)

    async def _refused(self, name: str, state: State, blocks: Blocks) -> _Copy:
        """What stands for a file that is too large: it is not fetched, so what it is known by is what was listed."""
        head = await blocks.at(0, _HEAD)
        digest = blake2b(f"{name}\0{state}".encode(), digest_size=8).hexdigest()
        refusal = too_large(state.size, self.options.limit, head)
        return _Copy(Done(name, *state, digest), lambda: at_once(iter((refusal,))))


@dataclass(frozen=True, slots=True)
class _Copy:
    """A fetched file."""

    done: Done
    reader: Reader
    stream: BinaryIO | None = field(default=None, repr=False)

    async def close(self) -> None:
        """Throw it away."""
        if self.stream is not None:
            self.stream.close()


def _some(names: Sequence[str], files: Mapping[str, State]) -> Sequence[str]:
    """The first of these names, with those behind it as long as all are small, and small together."""
    size = 0
    for number, name in enumerate(names[:_AT_ONCE]):
        size += files[name].size
        if number and size > SMALL:
            return names[:number]
    return names[:_AT_ONCE]


def _write(stream: BinaryIO, data: bytes) -> None:
    """Raises SourceDown."""
    try:
        stream.write(data)
        stream.flush()
    except OSError as error:
        raise SourceDown(f"a copy cannot be written: {error.strerror}") from error
