"""What is pushed is read in a process of its own: the same is read, and a message that it cannot bear costs no more."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from systems.ident.build import encounter, message

from adapters.core import BadRecord, Read
from adapters.registry import systems
from services.ingest.door.reader import flat
from services.ingest.door.readers import ReaderDown, Readers, TooManyRecords, _unpacked

GOOD = message(encounter(), encounter(id="E0000000018", port="QQQ"))
MEMORY = 1_000_000_000
Made = Callable[..., Readers]


@pytest.fixture
async def made() -> AsyncIterator[Made]:
    every: list[Readers] = []

    def make(system: str = "IDENT", **given: Any) -> Readers:
        limits = {"most": 1_000, "seconds": 20.0, "memory": MEMORY, "count": 1} | given
        every.append(Readers(system, "push", **limits))
        return every[-1]

    yield make
    for readers in every:
        await readers.close()


def here(body: bytes, system: str = "IDENT") -> list[Any]:
    return [flat(read) for read in systems()[system].feed("push").format.read(BytesIO(body))]


def flats(reads: Any) -> list[Any]:
    return [flat(read) for read in reads]


def pid(readers: Readers) -> int:
    (process,) = readers._all
    return int(process.pid)


def refused(reads: Any, body: bytes) -> str:
    (read,) = reads
    assert isinstance(read, BadRecord)
    assert read.raw == body, "nothing of it is lost"
    return read.reason


@pytest.mark.parametrize("system", ["IDENT", "CPMS", "TVS"])
async def test_the_same_is_read_as_in_this_process(made: Made, system: str) -> None:
    cases = Path(__file__).parents[3] / "systems" / system.lower() / "cases"
    bodies = [path.read_bytes() for path in sorted(cases.rglob("*.*")) if path.suffix in (".xml", ".json")][:20]
    readers = made(system)
    for body in [GOOD, b"", b"<a/>", b"{", b"\xff", b"[]", *bodies]:
        read: list[Read] = list(await readers.read(body))
        assert flats(read) == here(body, system)
    assert len(readers._all) == 1, "one process reads them all"


async def test_too_many_records_are_said(made: Made) -> None:
    readers = made(most=2)
    with pytest.raises(TooManyRecords):
        await readers.read(message(*[encounter(id=f"E{number:010}") for number in range(3)]))
    assert flats(await readers.read(GOOD)) == here(GOOD)
    assert len(readers._all) == 1


async def test_a_process_that_is_killed_is_replaced(made: Made) -> None:
    readers = made()
    await readers.start()
    before = pid(readers)
    os.kill(before, signal.SIGKILL)
    assert flats(await readers.read(GOOD)) == here(GOOD)
    assert pid(readers) != before
    before = pid(readers)
    os.kill(before, signal.SIGSTOP)
    reading = asyncio.create_task(readers.read(GOOD))
    await asyncio.sleep(0.2)
    os.kill(before, signal.SIGKILL)  # while it reads
    assert flats(await reading) == here(GOOD)


@pytest.mark.parametrize("limited", [True, False], ids=["limit", "planted"])
async def test_a_message_that_takes_too_long_is_refused_and_the_next_is_read(
    made: Made, limited: bool, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    readers = made(seconds=1.0 if limited else 1_000.0)
    await readers.start()
    os.kill(pid(readers), signal.SIGSTOP)  # as one that is in an endless loop
    stopped = pid(readers)
    if not limited:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await readers.read(GOOD)
        return
    assert refused(await readers.read(GOOD), GOOD) == "not read within 1 s"
    assert "a message was not read" in capsys.readouterr().out + caplog.text
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)
    readers.seconds = 20.0
    assert flats(await readers.read(GOOD)) == here(GOOD)


@pytest.mark.parametrize("limited", [True, False], ids=["limit", "planted"])
async def test_a_message_that_takes_too_much_memory_is_refused(made: Made, limited: bool) -> None:
    body = message(*[encounter(id=f"E{number:010}") for number in range(1_000)])
    readers = made(memory=80_000_000 if limited else MEMORY)  # less than the process has when it starts to read
    reads = await readers.read(body)
    if limited:
        assert "memory" in (why := refused(reads, body)) or "ended the process" in why
    else:
        assert len(reads) > 1_000


async def test_a_process_that_does_not_start_is_said(made: Made) -> None:
    with pytest.raises(ReaderDown, match="does not start"):
        await made("NONE").start()


async def test_secrets_are_not_passed_on(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISABUS_DOOR__KEYS", "CANARY")
    readers = made()
    await readers.start()
    environment = await asyncio.to_thread(Path(f"/proc/{pid(readers)}/environ").read_bytes)
    assert b"CANARY" not in environment


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("true",))


@pytest.mark.parametrize("said", [[Evil()], Evil(), 7, [7], [("bad",) * 4], {"a": 1}])
def test_the_process_is_not_believed(said: Any) -> None:
    with pytest.raises(pickle.UnpicklingError):
        _unpacked(pickle.dumps(said))
    with pytest.raises(pickle.UnpicklingError):
        _unpacked(b"\x80\x05nonsense")
