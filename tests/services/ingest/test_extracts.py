"""Full extracts through the host: what they held is on the bus, so a crash or another machine costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from toy_source import world

from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.delimited import DelimitedFormat
from adapters.mapper import Mapper, Person, Says
from adapters.transports.file_drop import FileDrop
from adapters.transports.snapshot import Snapshot, number_of
from bus.contract import Bus
from schemas.codec import decode
from schemas.events import Status
from schemas.moments import Moment
from schemas.topics import EXTRACTS
from services import failpoints
from services.dead_letters import Selection, Spool, read
from services.ingest import Outcome, Source, recorded, run
from services.ingest.dry_run import dry_run
from services.ingest.replay import assess
from services.settings import load

FORMAT = DelimitedFormat(
    header=("SEQUENCE",), detail=("KEY", "VALUE"), trailer=("COUNT",), controls=(Control("COUNT"),)
)
PERSON = Person(family="KEY")


def says(row: Fields) -> Iterator[Says]:
    fields = {"occurred_at": Moment.whole_day(date(2025, 3, 1), "UTC"), "subject": PERSON.of(row), "fact": "file_moved"}
    if row.text("VALUE") == "bad":
        raise ValueError("VALUE is bad")
    yield Says(Status, fields | {"reason": row.text("VALUE")})


MAPPING = Mapper(key=lambda row: str(row["KEY"]), version=number_of, says=says)
STAGE = Snapshot(
    FileDrop(pattern="*.dat", unchanged=0, patience=0),
    key=lambda row: str(row["KEY"]),
    keep=("KEY",),
    sequence=lambda header, name: int(header["SEQUENCE"]),
)
FEED = Feed("files", STAGE, MAPPING, FORMAT)
SYSTEM = System("TOY", "Toy", "nobody", 28, ("status",), (), 1, (FEED,))


class Crash(BaseException):
    """Stands for a death of the process."""


def drop(folder: Path, number: int, rows: dict[str, str]) -> None:
    lines = [f"H|{number}", *(f"D|{key}|{value}" for key, value in rows.items()), f"T|{len(rows)}"]
    (folder / f"e{number}.dat").write_text("\n".join(lines) + "\n")


async def once(folder: Path, data: Path, bus: Bus, action: failpoints.Action = failpoints.ignore) -> list[Outcome]:
    """One run on a machine whose data lie there."""
    quick: dict[str, Any] = {"fence_seconds": 0.05, "poll_seconds": 0.02, "retry_cap_seconds": 0.01, "chunk_records": 2}
    given = load(environment={}, data_dir=data, ingest=quick)
    with failpoints.armed(action):
        return await run(given, [Source(SYSTEM, FEED, str(folder))], once=True, bus=bus, clock=recorded)


async def said(bus: Bus) -> set[tuple[str, int, str | None]]:
    """Record, revision and reason (None: taken back) of the events on the bus."""
    events = (await world(bus)).events
    return {
        (event.record, event.revision.number, None if event.operation == "retract" else event.reason)
        for event in events
        if isinstance(event, Status)
    }


@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
async def test_a_crash_at_each_step_on_ever_other_machines(bus: Bus, tmp_path: Path, point: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    drop(folder, 1, {"A": "1", "B": "1", "C": "1"})
    drop(folder, 2, {"A": "2", "B": "1", "D": "2"})
    drop(folder, 3, {"B": "1", "C": "3", "D": "2"})
    nth = 0
    while True:
        nth += 1
        hits = 0

        async def crash(at: str, nth: int = nth) -> None:
            nonlocal hits
            hits += at == point
            if hits == nth:
                raise Crash

        outcomes = await once(folder, tmp_path / f"machine{nth % 3}", bus, crash)
        if outcomes[0].error is None:
            break
    assert nth > 1
    first = {("A", 1, "1"), ("B", 1, "1"), ("C", 1, "1")}
    second = {("A", 2, "2"), ("D", 2, "2"), ("C", 2, None)}
    assert await said(bus) == first | second | {("A", 3, None), ("C", 3, "3")}
    counters = outcomes[0].counters
    assert (counters.read, counters.published, counters.events) == (8, 8, 8)
    values = {delivery.key for delivery in [each async for each in bus.read(EXTRACTS)] if delivery.value is not None}
    assert values
    drop(folder, 4, {"B": "1", "C": "3"})
    await once(folder, tmp_path / "one more", bus)
    assert ("D", 4, None) in await said(bus)


async def test_a_refused_row_is_told_once_and_replayed_with_its_number(bus: Bus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    drop(folder, 1, {"A": "1", "B": "bad"})
    await once(folder, tmp_path / "data", bus)
    drop(folder, 2, {"A": "2", "B": "bad"})
    outcomes = await once(folder, tmp_path / "data", bus)
    assert (outcomes[0].counters.read, outcomes[0].counters.dead_lettered) == (3, 1)
    (letter,) = await read(bus, Selection(), whole=True)
    result = assess({"TOY": SYSTEM}, letter, Spool(tmp_path / "spool"), recorded, b"D|B|mended\n")
    assert (result.outcome, result.events) == ("publish", 1)
    (message,) = result.messages
    event = decode(message.value or b"")
    assert (event.record, event.revision.number) == ("B", 1)


async def test_a_dry_run_compares_with_what_the_bus_has_and_leaves_it(bus: Bus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    source = Source(SYSTEM, FEED, str(folder))
    plain = load(environment={})
    drop(folder, 1, {"A": "1", "B": "1"})
    (first,) = await dry_run([source], plain, bus, recorded, tmp_path / "scratch")
    assert (first.error, first.counters.events) == (None, 2)
    await once(folder, tmp_path / "machine", bus)
    drop(folder, 2, {"A": "1", "B": "2"})
    drop(folder, 3, {"A": "1", "B": "2"})
    before = [delivery async for delivery in bus.read(EXTRACTS)]
    (second,) = await dry_run([source], plain, bus, recorded, tmp_path / "scratch")
    assert (second.error, second.counters.events, second.resumed) == (None, 1, True)
    assert [delivery async for delivery in bus.read(EXTRACTS)] == before
    assert {revision for _, revision, _ in await said(bus)} == {1}
