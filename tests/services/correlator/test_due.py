"""`correlate --once` ends once all is told that became due, by the clock or by what it took in itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from populations import World, make, passport

from bus.contract import Message
from schemas.codec import encode
from schemas.events import AnyEvent, Arrival, Coverage, Mode
from schemas.moments import Moment
from schemas.topics import CHANGES, key_of, topic_of
from schemas.view import StatusChange
from services import wiring
from services.correlator import process
from services.correlator.correlator import Correlator
from services.settings import Settings

ADMITTED = datetime(2026, 1, 10, 15, tzinfo=UTC)
UNTIL = date(2026, 3, 1)
OVER = datetime(2026, 3, 2, 5, tzinfo=UTC)  # midnight in New York
PERSONS = 20
WORLD = World(11)


def arrivals() -> list[AnyEvent]:
    """Some who may stay until the same day."""
    persons = [WORLD.person() for _ in range(PERSONS)]
    return [
        make(
            Arrival,
            WORLD,
            record=WORLD.number("T"),
            known=ADMITTED,
            occurred_at=Moment.instant(ADMITTED, "America/New_York"),
            subject=WORLD.subject(person, passport(person)),
            class_of_admission="B2",
            admitted_until=UNTIL,
            mode=Mode.AIR,
        )
        for person in persons
    ]


def coverage() -> list[AnyEvent]:
    """All departures are told of up to when the stays are over."""
    through = {"since": ADMITTED - timedelta(days=30), "through": OVER}
    return [
        make(Coverage, WORLD, record=WORLD.number("C"), known=ADMITTED, scope=f"departure:{mode}", **through)
        for mode in ("air", "land", "sea")
    ]


async def published(settings: Settings, events: list[AnyEvent]) -> None:
    """Send events, each to its topic."""
    bus = await wiring.open_bus(settings)
    await bus.declare(wiring.topics())
    producer = await bus.producer()
    await producer.send([Message(topic_of(each), key_of(each), encode(each)) for each in events])
    await producer.close()
    await bus.close()


async def correlated(settings: Settings, now: datetime) -> list[str]:
    """Run once at a moment; return the outcomes that are told, of all runs."""
    await process.run(settings, once=True, stop=asyncio.Event(), clock=lambda: now)
    bus = await wiring.open_bus(settings)
    changes = [StatusChange.model_validate_json(each.value or b"") async for each in bus.read(CHANGES)]
    await bus.close()
    return sorted(str(each.outcome) for each in changes)


async def delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is told by the end of runs whose last is slow to tell what is due: one person a round, begun late."""
    settings = Settings(data_dir=tmp_path / "data")
    await published(settings, arrivals())
    await correlated(settings, ADMITTED)
    await correlated(settings, OVER)
    await published(settings, coverage())
    asked = asyncio.Event()
    caught_up, fire = process.caught_up, Correlator.fire

    async def seen(*arguments: object, **named: object) -> bool:
        answer: bool = await caught_up(*arguments, **named)  # type: ignore[arg-type] - passed on as it came
        if answer:
            asked.set()
        return answer

    async def late(self: Correlator, _limit: int) -> int:
        await asked.wait()  # until who ends the run has found everything resolved and told
        return await fire(self, 1)

    monkeypatch.setattr(process, "caught_up", seen)
    monkeypatch.setattr(Correlator, "fire", late)
    return await correlated(settings, OVER)


WANTED = ["DEPARTURE_UNKNOWN"] * PERSONS + ["IN_STATUS"] * PERSONS + ["OVERSTAY_SUSPECTED"] * PERSONS


@pytest.mark.law(5, "a run that ends by itself tells what became due by it")
async def test_what_became_due_by_a_run_is_told_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await delivered(tmp_path, monkeypatch) == WANTED


@pytest.mark.law(5, planted="a run that ends where all is resolved, though answers are due")
async def test_a_run_that_ends_without_asking_what_is_due_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: Correlator) -> bool:
        return False

    monkeypatch.setattr(Correlator, "due", never)
    assert await delivered(tmp_path, monkeypatch) != WANTED
