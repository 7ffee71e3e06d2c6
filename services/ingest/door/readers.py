"""Reads what is pushed in processes of their own: a body that a parser cannot bear costs one process, and not the door.

A few processes for each feed are started with the door and used again: starting one takes about a second, passing a
body of 1,000 records and what was read of it some tens of milliseconds.
"""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Protocol

import structlog

from adapters.core import BadRecord, Closing, Header, Note, Outside, Read, Record, Unreadable
from services.ingest.door.reader import NO_MEMORY, READS, READY, SIZE

STARTING = 60.0
"""Seconds in which a process has to be there."""
LARGEST = 256_000_000
"""Bytes of what was read of a body: of a process that sends more nothing is believed."""
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VISABUS_SYSTEM_PACKAGES")
"""The environment of the process; secrets are in the rest."""


class TooManyRecords(Exception):
    """The body holds more records than one message may."""


class ReaderDown(Exception):
    """No process to read with can be had."""


class Reader(Protocol):
    """Reads a body."""

    async def read(self, body: bytes) -> Sequence[Read]:
        """Everything in it. Raises TooManyRecords, ReaderDown."""


class _Ended(Exception):
    """The process ended while it read."""


@dataclass(slots=True)
class Readers:
    """Processes that read for one feed."""

    system: str
    feed: str
    most: int  # records of a body
    seconds: float
    memory: int
    count: int = 2
    _idle: asyncio.Queue[asyncio.subprocess.Process | None] = field(init=False)
    _all: set[asyncio.subprocess.Process] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._idle = asyncio.LifoQueue()
        for _ in range(self.count):
            self._idle.put_nowait(None)  # a place; its process is started when it is needed

    async def read(self, body: bytes) -> Sequence[Read]:
        """Everything in a body; what cannot be read in time or memory is one refused record, told why.

        Raises TooManyRecords, ReaderDown.
        """
        try:
            return await self._once(body)
        except _Ended:
            pass  # perhaps by somebody's hand, so once more
        try:
            return await self._once(body)
        except _Ended:
            return [self._refused("reading it ended the process that reads", body)]

    async def _once(self, body: bytes) -> Sequence[Read]:
        process = await self._idle.get()
        sound = False
        try:
            if process is None or process.returncode is not None:
                process = await self._start()
            async with asyncio.timeout(self.seconds):
                kind, data = await _asked(process, body)
            sound = kind != NO_MEMORY
            if kind == NO_MEMORY:
                return [self._refused(f"reading it takes more than {self.memory} bytes of memory", body)]
            if kind != READS:
                raise TooManyRecords
            return await asyncio.to_thread(_unpacked, data)
        except TimeoutError:
            return [self._refused(f"not read within {self.seconds:g} s", body)]
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            sound = False
            raise _Ended from error
        finally:
            if process is not None and not sound:
                await self._end(process)
            self._idle.put_nowait(process if sound else None)

    def _refused(self, reason: str, body: bytes) -> BadRecord:
        log = structlog.get_logger("door")
        log.error("a message was not read", system=self.system, why=reason, bytes=len(body))
        return BadRecord(reason, place="byte 0", raw=body)

    async def _start(self) -> asyncio.subprocess.Process:
        limits = (str(self.most), str(self.memory), str(ceil(self.seconds) + 1))
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.ingest.door.reader", self.system, self.feed, *limits),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # a trace of the stack may hold what was sent
                env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # a signal for the door is none for it
            )
        except OSError as error:
            raise ReaderDown(f"the process that reads does not start: {error.strerror}") from None
        self._all.add(process)
        try:
            async with asyncio.timeout(STARTING):
                kind, _ = await _received(process)
        except (OSError, EOFError, TimeoutError):
            await self._end(process)
            raise ReaderDown("the process that reads does not start") from None
        if kind != READY:
            await self._end(process)
            raise ReaderDown("the process that reads does not start")
        return process

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        self._all.discard(process)
        with suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()

    async def start(self) -> None:
        """Start one, so that the door does not open where none can be had. Raises ReaderDown."""
        await self._idle.get()
        self._idle.put_nowait(await self._start())

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(self._end(process) for process in list(self._all)))


@asynccontextmanager
async def readers(system: str, feed: str, **limits: Any) -> AsyncIterator[Readers]:
    """Processes that read for a feed, for as long as the context lasts. Raises ReaderDown."""
    result = Readers(system, feed, **limits)
    try:
        await result.start()
        yield result
    finally:
        await result.close()


async def _asked(process: asyncio.subprocess.Process, body: bytes) -> tuple[int, bytes]:
    if process.stdin is None:
        raise EOFError
    process.stdin.write(SIZE.pack(READS, len(body)))
    process.stdin.write(body)
    await process.stdin.drain()
    return await _received(process)


async def _received(process: asyncio.subprocess.Process) -> tuple[int, bytes]:
    if process.stdout is None:
        raise EOFError
    kind, size = SIZE.unpack(await process.stdout.readexactly(SIZE.size))
    if size > LARGEST:
        raise EOFError
    return kind, await process.stdout.readexactly(size)


_CLASSES = {(each.__module__, each.__qualname__): each for each in (Record, Outside, Note, Header, Closing, Unreadable)}
_CLASSES |= {
    (module, name): getattr(__import__(module), name)
    for module, name in (
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "time"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("decimal", "Decimal"),
    )
}


class _Unpickler(pickle.Unpickler):
    """Makes what records consist of and nothing else: the process that reads is not believed."""

    def find_class(self, module: str, name: str) -> Any:
        """The class of that name, if it is one of these. Raises UnpicklingError."""
        try:
            return _CLASSES[module, name]
        except KeyError:
            raise pickle.UnpicklingError("a class that no record has") from None


def _unpacked(data: bytes) -> list[Read]:
    """Raises UnpicklingError."""
    try:
        reads = _Unpickler(io.BytesIO(data)).load()
    except Exception as error:
        raise pickle.UnpicklingError(type(error).__name__) from None
    if not isinstance(reads, list):
        raise pickle.UnpicklingError("no list")
    return [_whole(read) for read in reads]


def _whole(read: Any) -> Read:
    if isinstance(read, tuple) and len(read) == 5:
        _, reason, place, raw, record = read
        return BadRecord(reason, place=place, raw=raw, record=record)
    if isinstance(read, Record | Note):
        return read
    raise pickle.UnpicklingError("no record")
