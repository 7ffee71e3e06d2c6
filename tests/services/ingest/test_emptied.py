"""A captured table that is emptied at once: every record of it is taken back, whatever stands around the TRUNCATE."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from systems.eid.build import row

from adapters.core import Emptied, Feed
from adapters.messages import Message, line_of
from adapters.registry import systems
from adapters.systems.eid.adapter import FORMAT
from adapters.transports.file_drop import FileDrop
from bus.contract import Bus, BusDown
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from services import failpoints
from services.domain.facts import Fact, fact_of
from services.domain.records import active
from services.ingest import Outcome, Source, recorded, run, truncation
from services.ingest.dry_run import dry_run
from services.ingest.retrying import Patience
from services.ingest.truncation import Emptying, Standing
from services.settings import Settings, load

EID = systems()["EID"]
FEED = Feed("files", FileDrop(pattern="*.jsonl", unchanged=0, patience=0), EID.feeds[0].mapping, FORMAT)
SYSTEM = replace(EID, feeds=(FEED,))
FIRST, SECOND, THIRD = (f"EID_SUBJECT 77000000{number}" for number in (1, 2, 3))
EVENT = "EID_EVENT 270000001"


class Crash(BaseException):
    """Stands for a death of the process."""


def subject(number: int, position: int, op: str = "c", **changes: Any) -> bytes:
    return row("EID_SUBJECT", op, position, EID_SUBJECT_ID=f"77{number:07}", **changes)


def event(number: int, position: int) -> bytes:
    return row("EID_EVENT", "c", position, EID_EVENT_ID=f"27{number:07}")


def truncate(position: int, table: str = "eid_subject") -> bytes:
    """What Debezium sends: without a key, and without any row."""
    source = {"connector": "postgresql", "table": table, "lsn": position, "ts_us": 1_772_375_400_000_000}
    return line_of(Message(json.dumps({"before": None, "after": None, "source": source, "op": "t"}).encode(), None))


def drop(folder: Path, name: str, *messages: bytes) -> None:
    part = folder / f".{name}"
    part.write_bytes(b"\n".join(message.strip() for message in messages) + b"\n")
    part.rename(folder / f"{name}.jsonl")


def settings(folder: Path) -> Settings:
    quick: dict[str, Any] = {"fence_seconds": 0.05, "poll_seconds": 0.02, "retry_cap_seconds": 0.01, "chunk_records": 2}
    return load(environment={}, data_dir=folder / "data", ingest=quick)


async def once(folder: Path, bus: Bus, action: failpoints.Action = failpoints.ignore) -> Outcome:
    with failpoints.armed(action):
        (outcome,) = await run(
            settings(folder), [Source(SYSTEM, FEED, str(folder))], once=True, bus=bus, clock=recorded
        )
    return outcome


async def facts(bus: Bus) -> list[Fact]:
    return [fact_of(each.value) for topic in EVENT_TOPICS async for each in bus.read(topic) if each.value is not None]


async def standing(bus: Bus) -> set[str]:
    """The records that say something."""
    return {parts[0].record for parts in active(await facts(bus))[0].values()}


@pytest.mark.law(2, "a table that is emptied at once: each of its records is taken back, and no other")
async def test_each_record_of_the_table_is_taken_back(bus: Bus, tmp_path: Path) -> None:
    drop(tmp_path, "1", subject(1, 1000), event(1, 1100))
    assert (await once(tmp_path, bus)).error is None
    assert await standing(bus) == {FIRST, EVENT}
    # rows that are put right before it, and behind it: the first are on the bus only once this file is being read
    drop(tmp_path, "2", subject(2, 1200), subject(1, 1250, "u"), truncate(2000), subject(3, 2100), subject(2, 2200))
    outcome = await once(tmp_path, bus)
    assert outcome.error is None
    assert await standing(bus) == {EVENT, THIRD, SECOND}
    assert outcome.counters.dead_lettered == 0
    assert outcome.counters.events == len(await facts(bus)) == 8  # six rows, two retractions
    (taken,) = [fact for fact in await facts(bus) if fact.retract and fact.record == FIRST]
    assert taken.version[0] == 2000


@pytest.mark.law(2, "a table that is emptied twice, or read again: nothing more is taken back")
async def test_to_read_it_again_takes_nothing_more_back(bus: Bus, tmp_path: Path) -> None:
    drop(tmp_path, "1", subject(1, 1000), truncate(2000), subject(1, 2100))
    await once(tmp_path, bus)
    before = await facts(bus)
    drop(tmp_path, "2", truncate(2000), truncate(2000, "EID_DETAINER"))
    await once(tmp_path, bus)
    assert await facts(bus) == before
    assert await standing(bus) == {FIRST}


@pytest.mark.law(2, "a death while a table is taken back: each record is, once")
async def test_a_process_that_dies_meanwhile(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truncation, "_TOGETHER", 2)
    drop(tmp_path, "1", *(subject(number, 1000 + number) for number in range(1, 6)), truncate(2000), event(1, 2100))
    deaths = 0
    for nth in range(1, 40):
        hits = 0

        async def crash(name: str, nth: int = nth) -> None:
            nonlocal hits
            hits += name in ("ingest.sent", "ingest.saved")
            if hits == nth:
                raise Crash

        if (await once(tmp_path, bus, crash)).error is None:
            break
        deaths += 1
    assert deaths > 4
    assert await standing(bus) == {EVENT}
    ids = Counter(fact.id for fact in await facts(bus) if fact.retract)
    assert len(ids) == 5


async def test_a_bus_that_goes_away_meanwhile_is_no_fault_of_the_batch(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(self: Emptying, system: str, note: Emptied) -> Standing:
        raise BusDown("not there")

    drop(tmp_path, "1", subject(1, 1000), truncate(2000))
    with monkeypatch.context() as patch:
        patch.setattr(Emptying, "standing", away)
        patch.setattr("services.ingest.host.Patience", lambda _: Patience(0.0))
        outcome = await once(tmp_path, bus)
    assert "adapter error" not in str(outcome.error)
    assert [each async for each in bus.read(DEAD_LETTERS)] == []
    assert (await once(tmp_path, bus)).error is None
    assert await standing(bus) == set()


async def test_a_dry_run_says_what_would_be_taken_back(bus: Bus, tmp_path: Path) -> None:
    drop(tmp_path, "1", subject(1, 1000), subject(2, 1001))
    await once(tmp_path, bus)
    drop(tmp_path, "2", truncate(2000))
    sources = [Source(SYSTEM, FEED, str(tmp_path))]
    (forecast,) = await dry_run(sources, settings(tmp_path), bus, recorded, tmp_path / "scratch")
    assert (forecast.error, forecast.counters.events) == (None, 2)
    assert await standing(bus) == {FIRST, SECOND}


@pytest.mark.law(2, planted="what stood in a table is looked up before all that came before it is on the bus")
async def test_rows_that_are_on_their_way_count(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, make, find = asyncio.Event(), Emptying.of, Emptying.standing

    async def finding(self: Emptying, system: str, note: Emptied) -> Standing:
        result = await find(self, system, note)
        asked.set()
        return result

    async def late(name: str) -> None:
        if name == "ingest.decoded":
            await asked.wait()

    monkeypatch.setattr(Emptying, "of", lambda bus, settings, waits=True: make(bus, settings, waits=False))
    monkeypatch.setattr(Emptying, "standing", finding)
    drop(tmp_path, "1", subject(1, 1000), truncate(2000))
    await once(tmp_path, bus, late)
    assert await standing(bus) == {FIRST}
