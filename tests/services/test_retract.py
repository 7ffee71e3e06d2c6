"""`visabus retract`: one bad batch withdrawn whole, shown first, done once, in its owner's name alone."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import toy_source
from toy_source import once, toy, world
from typer.testing import CliRunner

from adapters.core import Mapped, Origin, Record
from bus.contract import Bus
from bus.embedded import EmbeddedBus
from bus.events import message_of
from schemas.codec import Undecodable, decode
from schemas.events import AnyEvent, Operation, Revision, stamped
from schemas.ids import event_id
from schemas.topics import EVENT_TOPICS
from services import retraction
from services.authority import Admission
from services.authority.keys import KeyFiles, make
from services.authority.signatures import Verifier
from services.authority.signing_bus import signing
from services.cli import app, retract
from services.domain.coverage import active
from services.retraction import Withdrawal, retraction_of, withdraw, withdrawal
from services.wiring import topics

NOW = datetime.now(UTC)


@pytest.fixture
async def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": toy(tmp_path).system})
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()


def event(record: str, batch: str, number: int = 1, part: str = "") -> AnyEvent:
    """A version of a record of the toy's."""
    read = Record("line 1", f"{record} {batch} {number}".encode(), {"word": "good", "key": record})
    mapped = toy_source.mapping(read, Origin("TOY", "lines", batch, 1))
    assert isinstance(mapped, Mapped)
    (one,) = mapped.events
    revision = Revision(number=number, digest=one.revision.digest)
    id = event_id("TOY", record, part, number, revision.digest, 1)
    return stamped(one.model_copy(update={"revision": revision, "id": id, "part": part}), NOW - timedelta(hours=1))


async def send(bus: Bus, *events: AnyEvent) -> None:
    await (await bus.producer()).send([message_of(each) for each in events])


async def find(bus: Bus, batch: str, system: str | None = None) -> Withdrawal:
    return await withdrawal(bus, batch, system, Admission(lambda: datetime.now(UTC)))


async def standing(bus: Bus) -> set[str]:
    """The records that stand by the rules of the domain."""
    judging = Admission(lambda: datetime.now(UTC)).at()
    facts = [judging.fact(one) for topic in EVENT_TOPICS async for one in bus.read(topic)]
    records, _ = active(facts)
    return {parts[0].record for parts in records.values()}


async def test_of_each_record_the_last_version_decides(bus: Bus) -> None:
    await send(
        bus,
        *(event("1", "bad.txt"), event("1", "bad.txt", part="b")),
        *(event("2", "old.txt"), event("2", "bad.txt", 2)),  # told of before
        *(event("3", "bad.txt"), event("3", "new.txt", 2)),  # mended since
        event("4", "other.txt"),
    )
    which = await find(bus, "bad.txt")
    assert (which.records, len(which.events), which.earlier, which.superseded) == (2, 3, 1, 1)
    await withdraw(await bus.producer(), which.events, NOW)
    assert await standing(bus) == {"3", "4"}
    again = await find(bus, "bad.txt")
    assert (again.records, again.retracted, again.superseded) == (0, 2, 1)
    await send(bus, event("1", "mended.txt", 2))  # a later number of the owner's stands above
    assert await standing(bus) == {"1", "3", "4"}


async def test_what_is_interrupted_is_gone_on_with(bus: Bus) -> None:
    await send(bus, *(event(str(number), "bad.txt") for number in range(1, 5)))
    which = await find(bus, "bad.txt")
    await withdraw(await bus.producer(), which.events[:2], NOW)
    rest = await find(bus, "bad.txt")
    assert (rest.records, rest.retracted) == (2, 2)


async def test_a_repeat_of_the_bad_file_does_not_bring_it_back(bus: Bus) -> None:
    await send(bus, event("1", "bad.txt"))
    await withdraw(await bus.producer(), (await find(bus, "bad.txt")).events, NOW)
    await send(bus, event("1", "bad.txt"))
    assert await standing(bus) == set()


async def test_a_retraction_at_the_same_revision_is_seen(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: it does not stand above what it retracts."""
    monkeypatch.setattr(retraction, "_HIGHEST", "0" * 16)
    with pytest.raises(AssertionError):
        await test_of_each_record_the_last_version_decides(bus)


async def test_what_no_correlator_takes_is_no_version(bus: Bus) -> None:
    good = event("1", "good.txt")
    forged = event("1", "bad.txt", 7).model_copy(update={"id": good.id})  # of another version
    await send(bus, good, forged)
    which = await find(bus, "bad.txt")
    assert (which.records, which.superseded) == (0, 1)


def test_a_retraction_is_of_the_same_part_and_above() -> None:
    one = event("1", "bad.txt", 7, "b")
    back = retraction_of(one, NOW)
    assert (back.operation, back.part, back.record, back.batch) == (Operation.RETRACT, "b", "1", "bad.txt")
    assert (back.revision.number, back.revision.digest) > (one.revision.number, one.revision.digest)
    assert back.revision.number == 7
    assert back.id == event_id("TOY", "1", "b", 7, "f" * 16, 1)


WHOLE = ("--confidential", "--why", "how much")


def command(data: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    done = CliRunner().invoke(app, ["--data", str(data), "retract", *arguments], env={"COLUMNS": "300", **environment})
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
async def data(tmp_path: Path, bus: EmbeddedBus) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\ngood 2")
    (folder / "b.txt").write_text("good 11\ntwo 12\nthrough 9")
    await once(folder, bus)
    return tmp_path


def operations(data: Path) -> list[str]:
    async def read() -> list[str]:
        opened = await EmbeddedBus.open(data / "bus.db")
        try:
            return [each.kind for each in (await world(opened)).events if each.operation is Operation.RETRACT]
        finally:
            await opened.close()

    return asyncio.run(read())


def test_the_command_says_first_and_does_it_with_yes(data: Path) -> None:
    said = command(data, "--batch", "b.txt", *WHOLE)
    assert "TOY: would be retracted: 2 records, 4 events (1 coverage, 3 status)" in said
    assert "dry run, nothing was sent" in said
    assert operations(data) == []
    assert "--yes needs --why" in command(data, "--batch", "b.txt", "--yes", code=2)
    assert "retracted: 2 records" in command(data, "--batch", "b.txt", "--yes", *WHOLE)
    assert sorted(operations(data)) == ["coverage", "status", "status", "status"]
    body = json.loads(command(data, "--batch", "b.txt", "--json", "--yes", *WHOLE).splitlines()[-1])
    assert (body["records"], body["left_alone_retracted"]) == (0, 3)
    assert len(operations(data)) == 4


class Said(NamedTuple):
    """What the command says of a batch with a marked record in it, and of one without."""

    marked: str
    open: str


async def _said(tmp_path: Path, *options: str) -> Said:
    results = []
    for name, records in (("marked", ("1", "2")), ("open", ("1",))):
        bus = await EmbeddedBus.open(tmp_path / name / "bus.db")
        await bus.declare(topics())
        await send(bus, *(event(record, "a.txt") for record in records))
        await bus.close()
        results.append(await asyncio.to_thread(command, tmp_path / name, "--batch", "a.txt", *options))
    return Said(*results)


@pytest.mark.law(6, "what withdrawing a batch comes to does not tell of hidden records in it")
@pytest.mark.parametrize("options", [(), ("--json",), ("--yes", "--why", "test data")])
async def test_counts_need_the_right(bus: Bus, tmp_path: Path, options: tuple[str, ...]) -> None:
    said = await _said(tmp_path, *options)
    assert said.marked == said.open
    assert "--confidential" in said.open
    assert "needs --why" in command(tmp_path / "open", "--batch", "a.txt", "--confidential", code=2)
    whole = await _said(tmp_path / "whole", *WHOLE)
    assert whole.marked != whole.open


@pytest.mark.law(6, planted="counts of a batch that are told to everybody")
async def test_counts_without_the_right_are_seen(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retract, "_is_covered", lambda _system: False)
    said = await _said(tmp_path)
    assert said.marked != said.open


def test_a_system_that_the_law_marks_has_no_batch_without_the_right(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.redaction.marked_by_law", lambda _system: True)
    assert "no event on the bus is of a batch b.txt" in command(data, "--batch", "b.txt", code=2)
    assert "2 records" in command(data, "--batch", "b.txt", *WHOLE)


def test_a_batch_that_is_not_there_is_told(data: Path) -> None:
    assert "no event on the bus is of a batch c.txt" in command(data, "--batch", "c.txt", code=2)
    assert "no event on the bus" in command(data, "--batch", "b.txt", "--system", "BUS", code=2)


def test_where_events_are_signed_the_key_of_the_system_is_needed(data: Path, tmp_path: Path) -> None:
    make(tmp_path / "keys", "OTHER")
    output = command(data, "--batch", "b.txt", code=1, VISABUS_SIGNING__KEYS=str(tmp_path / "keys"))
    assert "has no key of TOY" in output


async def _signed(data: Path) -> list[AnyEvent]:
    """The events that are believed where keys are set."""
    keys = KeyFiles(data / "keys")
    opened = await EmbeddedBus.open(data / "bus.db")
    judging = Admission(lambda: datetime.now(UTC), verifier=Verifier(keys)).at()
    believed = []
    for topic in EVENT_TOPICS:
        async for one in opened.read(topic):
            with suppress(Undecodable):
                judging.fact(one)
                believed.append(decode(one.value or b""))
    await opened.close()
    return believed


async def test_the_retraction_is_signed_by_the_records_own_system(bus: EmbeddedBus, tmp_path: Path) -> None:
    make(tmp_path / "keys", "TOY")
    own = signing(bus, KeyFiles(tmp_path / "keys"))
    await (await own.producer()).send([message_of(event("1", "bad.txt"))])
    await send(bus, event("1", "later.txt", 9))  # unsigned: no version of the record
    words = ("--batch", "bad.txt", "--yes", *WHOLE)
    output = await asyncio.to_thread(command, tmp_path, *words, VISABUS_SIGNING__KEYS=str(tmp_path / "keys"))
    assert "retracted: 1 records" in output
    assert [each.operation for each in await _signed(tmp_path)] == [Operation.ASSERT, Operation.RETRACT]
