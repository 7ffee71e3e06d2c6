"""What follows a topic of the bus, when the bus is put back and others grow in the place of what was read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from adapters.core import BadRecord, Origin
from bus import following
from bus.contract import Bus, Message
from bus.embedded import EmbeddedBus
from schemas.topics import EXTRACTS, RECEIPTS
from services.dead_letters import Spool, dead_letter
from services.feeds import Checkpoint, Checkpoints, Orders, Values, Word
from services.feeds.orders import Order
from services.keyring import Keyring
from services.overview.waiting import Waiting
from services.questions import Book, Priority
from services.questions.topic import Asking
from services.receipts import Index, Query
from services.wiring import topics

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Site:
    """One follower: what is sent to its topic, and what it knows after a look at a bus."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def message(self, number: int) -> Message:
        raise NotImplementedError

    async def known_by(self, bus: Bus) -> set[str]:
        raise NotImplementedError


class OfCheckpoints(Site):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.seen = Checkpoints()

    def message(self, number: int) -> Message:
        return Checkpoint(position=number).message(f"TOY/{number}")

    async def known_by(self, bus: Bus) -> set[str]:
        await self.seen.read(bus)
        return set(self.seen.held)


class OfOrders(Site):
    """Orders that the bus lost hold on: they are never fewer."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.seen = Orders()

    def message(self, number: int) -> Message:
        return Order(str(number), Word.PAUSE, "ops", "test", AT + timedelta(seconds=number)).message(f"TOY/{number}")

    async def known_by(self, bus: Bus) -> set[str]:
        await self.seen.follow(bus)
        return set(self.seen.paused) - {"TOY/2", "TOY/3"}


class OfDeadLetters(Site):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.seen = Waiting()

    def message(self, number: int) -> Message:
        bad = BadRecord("none", place=f"line {number}", raw=b"x")
        return dead_letter(bad, Origin("TOY", "lines", f"{number}", 1), Spool(self.directory / "spool"))

    async def known_by(self, bus: Bus) -> set[str]:
        await self.seen.follow(bus)
        return set(self.seen._waiting)


class OfExtracts(Site):
    """Their content, too, which is fetched from where it stands."""

    def message(self, number: int) -> Message:
        return Message(EXTRACTS, f"TOY/{number}".encode(), f"value of TOY/{number}".encode())

    async def known_by(self, bus: Bus) -> set[str]:
        if not hasattr(self, "seen"):
            self.seen = Values(bus, await bus.producer())
        self.seen.bus = bus
        values = {name: await self.seen.value(name) for name in [*self.seen.places]}  # before it looks at what is new
        assert all(value in (None, f"value of {name}".encode()) for name, value in values.items())
        await self.seen.follow()
        return set(self.seen.places)


class OfQuestions(Site):
    def message(self, number: int) -> Message:
        return Asking("TOY/asked", f"A{number:09}", f"{number}", Priority.BY_HAND, AT, "test").message()

    async def known_by(self, bus: Bus) -> set[str]:
        if not hasattr(self, "seen"):
            self.seen = Book(bus, await bus.producer())
        self.seen.bus = bus
        await self.seen.follow()
        return {identifier for identifier, _ in self.seen.open("TOY/asked")}


class OfReceipts(Site):
    """The index is a file: each look is by a process of its own."""

    def message(self, number: int) -> Message:
        body = {"at": AT.isoformat(), "system": "TOY", "feed": "lines", "batch": f"{number}", "records": ""}
        return Message(RECEIPTS, f"TOY/lines/{number}".encode(), orjson.dumps(body))

    async def known_by(self, bus: Bus) -> set[str]:
        index = Index(self.directory / "receipts.db", Keyring.of(b"r" * 32))
        await index.follow(bus, "here")
        return {one["batch"] for one in index.find(Query())}


SITES = [OfCheckpoints, OfOrders, OfDeadLetters, OfExtracts, OfQuestions, OfReceipts]


@pytest.fixture
async def busses(tmp_path: Path) -> AsyncIterator[tuple[Bus, Bus]]:
    """A bus, and what stands in its place after a backup was put back."""
    opened = [await EmbeddedBus.open(tmp_path / f"{name}.db") for name in ("before", "after")]
    for each in opened:
        await each.declare(topics())
    yield opened[0], opened[1]
    for each in opened:
        await each.close()


async def sent(bus: Bus, site: Site, *numbers: int) -> None:
    await (await bus.producer()).send([site.message(number) for number in numbers])


async def known(busses: tuple[Bus, Bus], kind: type[Site], directory: Path) -> tuple[set[str], set[str]]:
    """What a follower knows of a bus that was put back and then grew; what one knows that has only seen that."""
    before, after = busses
    (directory / "one").mkdir()
    (directory / "other").mkdir()
    site = kind(directory / "one")
    await sent(before, site, 0, 1, 2, 3)
    assert len(await site.known_by(before)) in (2, 4)
    await sent(after, site, 0, 1, 4, 5, 6)
    seen = await site.known_by(after)
    assert await site.known_by(after) == seen, "looking again tells nothing new"
    return seen, await kind(directory / "other").known_by(after)


@pytest.mark.law(2, "whoever follows a topic notices that it was put back, though it has more messages than before")
@pytest.mark.parametrize("kind", SITES)
async def test_a_topic_that_was_put_back_is_read_anew(
    busses: tuple[Bus, Bus], kind: type[Site], tmp_path: Path
) -> None:
    seen, wanted = await known(busses, kind, tmp_path)
    assert len(wanted) == 5
    assert seen == wanted


@pytest.mark.law(2, planted="a follower of a topic that goes by positions alone")
@pytest.mark.parametrize("kind", SITES)
async def test_a_planted_bug_is_caught(
    busses: tuple[Bus, Bus], kind: type[Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "tail_of", lambda _one: b"")
    seen, wanted = await known(busses, kind, tmp_path)
    assert seen != wanted


@pytest.mark.parametrize("kind", SITES)
async def test_a_topic_that_has_less_is_read_anew(busses: tuple[Bus, Bus], kind: type[Site], tmp_path: Path) -> None:
    before, after = busses
    site = kind(tmp_path)
    await sent(before, site, 0, 1, 2, 3)
    await site.known_by(before)
    await sent(after, site, 0, 4)
    seen = await site.known_by(after)
    await sent(after, site, 5)
    assert len(await site.known_by(after) - seen) == 1, "and followed on"
