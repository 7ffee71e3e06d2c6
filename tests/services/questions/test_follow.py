"""From changes of the view to questions: who is asked about, how many at once, and nothing twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from toy_asked import FEED, book_of
from typer.testing import CliRunner

from bus import log_tables
from bus.contract import Bus, Consumer, Message
from bus.embedded import EmbeddedBus
from schemas.topics import CHANGES
from services import failpoints
from services.cli import app
from services.questions import Priority, follow, process
from services.questions.follow import GROUP, Anew, Follower
from services.wiring import topics

ALIEN, RECEIPT, SEVIS = "a_number/USCIS/A099000117", "receipt/USCIS/EAC9909900117", "sevis/ICE/N0099000117"
SCHEMES = {FEED: ("a_number", "receipt", "sevis")}


@dataclass
class View:
    """The persons of a store."""

    persons: dict[str, tuple[str | None, list[str]]] = field(default_factory=dict)

    async def person(self, person: bytes) -> tuple[str | None, bytes] | None:
        if person.hex() not in self.persons:
            return None
        outcome, identifiers = self.persons[person.hex()]
        return outcome, json.dumps({"identifiers": identifiers}).encode()


@dataclass
class World:
    """A bus, a view, and changes that are told."""

    bus: Bus
    view: View = field(default_factory=View)
    count: int = 0

    async def change(self, person: int, outcome: str | None, *identifiers: str, now: str | None = None) -> str:
        """A change, and the view as it stands now; the change's id."""
        key = f"{person:032x}"
        self.view.persons[key] = (now or outcome, list(identifiers or (ALIEN,)))
        self.count += 1
        body = {"id": f"change {self.count}", "person": key, "outcome": outcome}
        producer = await self.bus.producer()
        await producer.send([Message(CHANGES, key.encode(), json.dumps(body).encode())])
        return str(body["id"])

    async def follower(self, **given: Any) -> tuple[Follower, Consumer]:
        """A follower and its place among the changes."""
        store: Any = SimpleNamespace(reads=self.view)
        follower = Follower(await book_of(self.bus), store, SCHEMES, **given)
        return follower, await follower.join()

    async def asked(self, **given: Any) -> list[tuple[str, Priority]]:
        """What is open once all changes were followed."""
        follower, consumer = await self.follower(**given)
        while await follower.round(consumer):
            pass
        await consumer.close()
        return [(each, entry.asking.priority) for each, entry in follower.book.open(FEED) if entry.asking]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield World(opened)
    await opened.close()


@pytest.mark.parametrize(
    ("outcome", "priority"),
    [
        ("OVERSTAY_SUSPECTED", Priority.DOUBTFUL),
        ("DEPARTURE_UNKNOWN", Priority.DOUBTFUL),
        ("UNDETERMINED", Priority.DOUBTFUL),
        ("TERMINATED", Priority.CHANGED),
        ("PENDING", Priority.CHANGED),
        ("IN_GRACE", Priority.CHANGED),
        ("IN_STATUS", None),
        ("DEPARTED_IN_TIME", None),
        ("ADJUSTED", None),
        (None, None),
    ],
)
async def test_whose_status_is_doubtful_or_has_changed_is_asked_about(
    world: World, outcome: str | None, priority: Priority | None
) -> None:
    await world.change(1, outcome)
    assert await world.asked() == ([] if priority is None else [(ALIEN, priority)])


async def test_one_whose_status_is_another_by_now_is_not_asked_about(world: World) -> None:
    await world.change(1, "OVERSTAY_SUSPECTED", now="DEPARTED_IN_TIME")
    await world.change(2, "PENDING", now="UNDETERMINED")
    assert await world.asked() == [(ALIEN, Priority.DOUBTFUL)]


async def test_a_person_is_asked_about_by_the_best_numbers_and_not_by_all(world: World) -> None:
    more = ["i94/CBP/990990001A1", SEVIS, "sevis/ICE/N0099000118", RECEIPT, ALIEN]
    await world.change(1, "UNDETERMINED", *more)
    await world.change(2, "UNDETERMINED", "passport/NGA/A09900117")
    assert [each for each, _ in await world.asked()] == [ALIEN, RECEIPT]


async def test_no_more_are_open_than_allowed_and_the_rest_waits_on_the_bus(world: World) -> None:
    for number in range(12):
        await world.change(number, "UNDETERMINED", f"a_number/USCIS/A{number:09}")
    assert len(await world.asked(most_open=5)) == 5
    assert len(await world.asked(most_open=5)) == 5
    assert len(await world.asked(most_open=50)) == 12


async def test_a_change_that_comes_again_asks_nothing_anew(world: World) -> None:
    """Killed behind the questions and before the place among the changes was kept."""
    await world.change(1, "UNDETERMINED")

    async def die(point: str) -> None:
        raise KeyboardInterrupt

    follower, consumer = await world.follower()
    with failpoints.armed(die), pytest.raises(KeyboardInterrupt):
        await follower.round(consumer)
    await consumer.close()
    (once,) = (await book_of(world.bus)).open(FEED)
    assert await world.asked() == [(ALIEN, Priority.DOUBTFUL)]
    (again,) = (await book_of(world.bus)).open(FEED)
    assert once[1].asking is not None
    assert once == again


async def test_many_changes_of_one_person_are_one_question(world: World) -> None:
    """No storm: what is open already is not asked again, so its tries and its wait stand."""
    for outcome in ("UNDETERMINED", "DEPARTURE_UNKNOWN", "UNDETERMINED"):
        await world.change(1, outcome)
    await world.asked()
    (first,) = (await book_of(world.bus)).open(FEED)
    for outcome in ("DEPARTURE_UNKNOWN", "UNDETERMINED"):
        await world.change(1, outcome)
    await world.asked()
    assert [first] == list((await book_of(world.bus)).open(FEED))


async def test_a_person_that_went_up_in_another_is_not_asked_about(world: World) -> None:
    await world.change(1, "UNDETERMINED")
    world.view.persons.clear()
    assert await world.asked() == []


def test_the_commands_ask_and_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import services.cli.ask as command

    monkeypatch.setattr(command, "asked_feeds", lambda: SCHEMES)
    where = ["--data", str(tmp_path)]
    runner = CliRunner()
    result = runner.invoke(app, [*where, "ask", "about", "a_number/A099000117", "sevis/N0099000117", "--why", "review"])
    assert (result.exit_code, result.stderr) == (0, "2 questions kept\n")
    result = runner.invoke(app, [*where, "ask", "open"])
    assert result.stdout == "TOY/persons  2 open, 0 of them asked before\n"
    assert "117" not in result.stdout
    for wrong, why in (("i94/990990001A1", "can be asked by i94"), ("a_number/12", "A-number"), ("x/1", "no scheme")):
        result = runner.invoke(app, [*where, "ask", "about", wrong])
        assert result.exit_code == 2
        assert why in result.stderr


@pytest.mark.law(2, "`ask follow --once` ends where changes that it did not read are gone from the bus")
async def test_what_is_gone_is_not_waited_for(world: World, tmp_path: Path) -> None:
    """The group's lag counts what is gone, so it alone does not tell."""
    for number in range(8):
        await world.change(number, "PENDING")
    with closing(sqlite3.connect(tmp_path / "bus.db", isolation_level=None)) as connection:
        (rows,) = zip(*connection.execute("SELECT id FROM partitions WHERE topic = ?", (CHANGES,)), strict=True)
        for row in rows:
            place = row << log_tables.POSITION_BITS
            limit = (row + 1) << log_tables.POSITION_BITS
            connection.execute("DELETE FROM messages WHERE place >= ? AND place < ?", (place, limit))
    follower, consumer = await world.follower()
    try:
        assert await consumer.poll(timeout=0) == []
        assert not await process._is_behind_all(follower, consumer, 0), "another member may hold the partitions"
        assert await process._is_behind_all(follower, consumer, process._IDLE_ROUNDS)
    finally:
        await consumer.close()


def made_anew(file: Path) -> None:
    """Leave of the topic of changes its name, and what groups committed of it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        (rows,) = zip(*connection.execute("SELECT id FROM partitions WHERE topic = ?", (CHANGES,)), strict=True)
        for row in rows:
            place = row << log_tables.POSITION_BITS
            limit = (row + 1) << log_tables.POSITION_BITS
            connection.execute("DELETE FROM messages WHERE place >= ? AND place < ?", (place, limit))
        connection.execute("UPDATE partitions SET next = 0 WHERE topic = ?", (CHANGES,))


def identifier_of(number: int) -> str:
    """The A-number of a person of the topic that was made anew."""
    return f"a_number/USCIS/A0990{number:05}"


async def made_anew_and_grown(world: World, file: Path) -> set[str]:
    """Have other changes in the place of those that were followed, and more of them; the identifiers in them."""
    made_anew(file)
    for number in range(40):
        await world.change(1_000 + number, "PENDING", identifier_of(number))
    return {identifier_of(number) for number in range(40)}


@pytest.mark.law(2, "`ask follow` skips no change of a topic that was made anew and grew past what was read")
@pytest.mark.parametrize("bug", [False, True])
async def test_a_topic_that_was_made_anew_and_grew_is_followed_from_its_beginning(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bug: bool
) -> None:
    """The planted bug: what the group has committed is taken for the place to go on at."""
    for number in range(12):
        await world.change(number, "PENDING", identifier_of(99_000 + number))
    assert len(await world.asked()) == 12
    new = await made_anew_and_grown(world, tmp_path / "bus.db")
    if bug:

        async def join(self: Follower) -> Consumer:
            return await self.book.bus.consumer(GROUP, [CHANGES])

        async def stands(*_: object) -> bool:
            return True

        monkeypatch.setattr(Follower, "join", join)
        monkeypatch.setattr(Follower, "_stands", stands)
    asked = {identifier for identifier, _ in await world.asked()}
    assert (new <= asked) is not bug


async def all_of(follower: Follower, consumer: Consumer) -> None:
    """Follow to the end."""
    while await follower.round(consumer):
        pass


@pytest.mark.law(2, "the same while it runs")
async def test_a_topic_that_is_made_anew_under_its_follower_is_followed_from_its_beginning(
    world: World, tmp_path: Path
) -> None:
    for number in range(12):
        await world.change(number, "PENDING", identifier_of(99_000 + number))
    follower, consumer = await world.follower()
    await all_of(follower, consumer)
    assert not await follower.behind()
    new = await made_anew_and_grown(world, tmp_path / "bus.db")
    assert await follower.behind()
    with pytest.raises(Anew):
        await all_of(follower, consumer)
    await consumer.close()
    consumer = await follower.join()
    await all_of(follower, consumer)
    await consumer.close()
    assert new <= {identifier for identifier, _ in follower.book.open(FEED)}


@pytest.mark.law(2, "the same where it has less than was read")
async def test_a_topic_that_was_made_anew_and_is_short_is_seen_while_nothing_comes(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        await world.change(number, "PENDING", identifier_of(99_000 + number))
    follower, consumer = await world.follower()
    await all_of(follower, consumer)
    made_anew(tmp_path / "bus.db")
    assert not await follower.round(consumer)
    monkeypatch.setattr(follow, "VERIFY_SECONDS", 0.0)
    with pytest.raises(Anew):
        await follower.round(consumer)
    await consumer.close()


async def test_a_message_that_is_no_change_is_passed_over(world: World) -> None:
    producer = await world.bus.producer()
    for body in (b"no JSON", b"[]", b'{"id": "1", "person": 5, "outcome": "PENDING"}', b'{"person": "00"}'):
        await producer.send([Message(CHANGES, b"x", body)])
    await world.change(1, "PENDING", ALIEN)
    assert await world.asked() == [(ALIEN, Priority.CHANGED)]
