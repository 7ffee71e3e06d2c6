"""A bus that has less than a checkpoint counts on: seen at each start and while a host runs, told, and read again."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from killing import wait_until
from toy_source import expected, once, settings, toy, world

from bus import log_tables
from bus.contract import Bus, BusDown, BusError, Message, Partition, Placed, Span, UnknownTopic
from bus.embedded import EmbeddedBus
from bus.open import open_bus
from bus.tails import missing
from schemas.topics import EVENT_TOPICS
from services.dead_letters import SpoolDown
from services.feeds import Ownership, ownership, parse
from services.feeds.ownership import Holding
from services.ingest import feed_run, host, recorded, retrying, run
from services.outages import Outage
from services.wiring import topics

LINES = "\n".join(f"good {number}" for number in range(30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "in"
    directory.mkdir()
    (directory / "a.txt").write_text(LINES)
    (directory / "b.txt").write_text("good 31\nbad x\nthrough 9")
    return directory


def cut(file: Path, *, front: bool = False, all_of_it: bool = False) -> None:
    """Take messages off event topics, as retention or an unclean election does, or as if they were made anew."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for row, topic, end in connection.execute("SELECT id, topic, next FROM partitions").fetchall():
            if topic not in EVENT_TOPICS or not end:
                continue
            first, middle, limit = (
                (row << log_tables.POSITION_BITS) + at for at in (0, end // 2, 1 << log_tables.POSITION_BITS)
            )
            begin, until = (first, middle + 1) if front else (first if all_of_it else middle, limit)
            connection.execute("DELETE FROM messages WHERE place >= ? AND place < ?", (begin, until))
            if not front:
                connection.execute("UPDATE partitions SET next = ? WHERE id = ?", (begin - first, row))
        connection.execute("COMMIT")


async def grown(bus: Bus) -> None:
    """Others send so much that positions alone show nothing."""
    kept = [one for topic in EVENT_TOPICS async for one in bus.read(topic)]
    producer = await bus.producer()
    for _ in range(20):
        await producer.send([Message(one.partition.topic, one.key, one.value, one.headers) for one in kept])


HOW = ["made anew", "end lost", "end lost, and others grew", "front lost", "restored"]


async def healed(folder: Path, file: Path, how: str) -> tuple[bool, bool]:
    """Whether all events are on the bus again once it had less and ingest ran, and whether that was told."""
    bus = await EmbeddedBus.open(file)
    await bus.declare(topics())
    backup = file.with_suffix(".backup")
    if how == "restored":
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
    await once(folder, bus)
    before = set((await world(bus)).ids())
    await bus.close()
    if how == "restored":
        for each in file.parent.glob(f"{file.name}-*"):
            each.unlink()
        shutil.move(backup, file)
    else:
        cut(file, front=how == "front lost", all_of_it=how == "made anew")
    bus = await EmbeddedBus.open(file)
    if how.endswith("grew"):
        await grown(bus)
    assert not before <= set((await world(bus)).ids())
    (folder / "c.txt").write_text("good 40")
    (outcome,) = await once(folder, bus)
    assert outcome.error is None
    seen = await world(bus)
    whole = expected(folder)["ids"] <= set(seen.ids())
    named = any("the bus lost messages" in letter["reason"] for letter in seen.dead_letters)
    if whole:
        assert seen.checkpoints["TOY/lines"]["counters"] == expected(folder)["counters"], "as of a first reading"
        await once(folder, bus)
        assert (await world(bus)).ids() == seen.ids(), "and not again at the next start"
    await bus.close()
    return whole, named


@pytest.mark.law(
    2, "a bus that has less than the checkpoints of ingest count on is seen, and its sources are read again"
)
@pytest.mark.parametrize("how", HOW)
async def test_what_the_bus_lost_is_read_again_from_the_source(folder: Path, tmp_path: Path, how: str) -> None:
    # a bus restored whole has the checkpoints of then, too: it is as if ingest had not run since
    assert await healed(folder, tmp_path / "bus.db", how) == (True, how != "restored")


@pytest.mark.law(2, planted="ingest that trusts its checkpoints on a bus that has less")
@pytest.mark.parametrize("how", HOW[:-1])
async def test_ingest_that_trusts_its_checkpoints_is_seen(
    folder: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trusting(_self: Ownership, _holdings: list[Holding]) -> None:
        return

    monkeypatch.setattr(Ownership, "_verify", trusting)
    monkeypatch.setattr(Holding, "sent", lambda _self, _placed: None)
    assert await healed(folder, tmp_path / "bus.db", how) == (False, False)


async def test_a_checkpoint_of_an_earlier_version_counts_on_nothing(folder: Path, tmp_path: Path) -> None:
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    await once(folder, bus)
    body = (await world(bus)).checkpoints["TOY/lines"]
    await bus.close()
    assert parse(orjson.dumps(body)).tails
    for name in ("tails", "begins"):
        del body[name]
    assert parse(orjson.dumps(body)).tails == {}


# --- what was sent while nothing was looked at -----------------------------------------------------------------------


def event(number: int, key: bytes = b"k") -> Message:
    """A message of an event topic; all of a key go to one partition."""
    return Message(EVENT_TOPICS[0], key, b"event %d" % number)


async def unseen(file: Path, how: str) -> bool:
    """Whether a feed does not see that the bus lost what it had sent, though it sent more before anything was compared.

    `more`: itself at once; `another`: another feed of the process first; `stranger`: another process first.
    """
    bus = await EmbeddedBus.open(file)
    try:
        await bus.declare(topics())
        producer = await bus.producer()
        held = Ownership(bus, producer)
        await held.claim(["A/a", "B/b"])
        await held.confirm()
        ours, other = held.holdings["A/a"], held.holdings["B/b"]
        some, many = [event(number) for number in range(3)], [event(number) for number in range(10, 20)]
        for each in (other, ours):
            await held.send(each, lambda: producer.send(some))
        cut(file, all_of_it=True)
        if how == "another":
            await held.send(other, lambda: producer.send(many))
            other.anew()
        if how == "stranger":
            await producer.send(many)
        await held.send(ours, lambda: producer.send(many))
        await held.verify()
        return not ours.missing
    finally:
        await bus.close()


@pytest.fixture
def all_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "SILENT_SECONDS", 0.0)


@pytest.mark.law(2, "what the bus lost is seen by a feed that went on sending before anything was compared")
@pytest.mark.usefixtures("all_is_looked_at")
@pytest.mark.parametrize("how", ["more", "another", "stranger"])
async def test_a_feed_that_goes_on_sees_what_was_lost(tmp_path: Path, how: str) -> None:
    assert not await unseen(tmp_path / "bus.db", how)


@pytest.mark.law(2, planted="only the last position of a send compared; nothing kept of what was sent before a silence")
@pytest.mark.parametrize("how", ["more", "another", "stranger"])
async def test_what_the_last_position_does_not_show_is_caught(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def by_the_last(self: Ownership, holding: Holding, send: Callable[[], Awaitable[Placed]]) -> None:
        placed = await send()
        holding.sent({part: Span(span.last.position, span.last) for part, span in placed.items()})

    monkeypatch.setattr(ownership, "SILENT_SECONDS", 3600.0)
    monkeypatch.setattr(Ownership, "send", by_the_last)
    assert await unseen(tmp_path / "bus.db", how)


async def seen_at_a_start(file: Path) -> dict[str, bool]:
    """Which feeds see that the bus lost what they had sent, of which one has sent again and stands behind it."""
    bus = await EmbeddedBus.open(file)
    await bus.declare(topics())
    producer = await bus.producer()
    first = Ownership(bus, producer)
    await first.claim(["A/a", "B/b"])
    for number, key in enumerate(("A/a", "B/b")):
        await first.send(first.holdings[key], partial(producer.send, [event(number)]))
        await first.save(first.holdings[key], first.holdings[key].checkpoint)
    cut(file, all_of_it=True)
    anew = first.holdings["B/b"].anew()
    first.holdings["B/b"].checkpoint = anew
    await first.send(first.holdings["B/b"], lambda: producer.send([event(number) for number in range(10, 15)]))
    await first.save(first.holdings["B/b"], first.holdings["B/b"].checkpoint)
    second = Ownership(bus, producer)
    await second.claim(["A/a", "B/b"])
    await second.confirm()
    await bus.close()
    return {key: bool(holding.missing) for key, holding in second.holdings.items()}


@pytest.mark.law(2, "each feed's own last message is looked for, whatever stands behind it")
async def test_a_feed_that_says_nothing_sees_what_was_lost(tmp_path: Path) -> None:
    assert await seen_at_a_start(tmp_path / "bus.db") == {"A/a": True, "B/b": False}


@pytest.mark.law(2, planted="the last message of all feeds vouches for those before it")
async def test_a_message_of_another_feed_vouches_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def last_of_all(self: Ownership, holdings: list[Holding]) -> None:
        last: dict[Partition, tuple[int, bytes]] = {}
        for part, tail in (one for holding in holdings for one in holding.checkpoint.tails.items()):
            last[part] = max(last.get(part, tail), tail)
        gone = frozenset(await missing(self._bus, last))
        for holding in holdings:
            holding.missing |= gone & holding.checkpoint.tails.keys()

    monkeypatch.setattr(Ownership, "_verify", last_of_all)
    assert await seen_at_a_start(tmp_path / "bus.db") == {"A/a": False, "B/b": False}


async def seen_by_the_next(file: Path) -> bool:
    """Whether a process sees what the one before it saw, and ended before it could read again."""
    bus = await EmbeddedBus.open(file)
    try:
        await bus.declare(topics())
        producer = await bus.producer()
        for holder in range(2):
            held = Ownership(bus, producer)
            await held.claim(["A/a"])
            await held.confirm()
            ours = held.holdings["A/a"]
            if holder == 0:
                await held.send(ours, lambda: producer.send([event(number) for number in range(6)]))
                await held.save(ours, ours.checkpoint)
                cut(file, front=True)
                await held.verify()
                assert ours.missing
                await held.release(ours)
        return bool(ours.missing)
    finally:
        await bus.close()


@pytest.mark.law(2, "what was found missing is found by the next process, where the one before ended meanwhile")
async def test_a_loss_outlasts_the_process_that_found_it(tmp_path: Path) -> None:
    assert await seen_by_the_next(tmp_path / "bus.db")


@pytest.mark.law(2, planted="what is missing is known to the process alone that found it")
async def test_a_loss_that_ends_with_its_process_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgotten(self: Holding, partitions: Iterable[Partition]) -> None:
        self.missing |= frozenset(partitions)

    monkeypatch.setattr(Holding, "lose", forgotten)
    assert not await seen_by_the_next(tmp_path / "bus.db")


# --- topics that are made anew -------------------------------------------------------------------------------------


async def outlasts(folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a feed goes on under a host that found no topics on its bus, once they are declared."""
    bus = await EmbeddedBus.open(file)
    await bus.declare(topics())
    held_up = asyncio.Event()

    def noted(_self: Outage, error: BaseException | None, _attempt: int) -> None:
        if isinstance(error, UnknownTopic):
            held_up.set()

    monkeypatch.setattr(Outage, "met", noted)
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded))
    try:
        await whole_again(bus, folder)
        for each in file.parent.glob(f"{file.name}*"):
            each.unlink()
        anew = await EmbeddedBus.open(file)
        (folder / "c.txt").write_text("good 40")
        waiting = asyncio.create_task(held_up.wait())
        await asyncio.wait((task, waiting), timeout=60, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await anew.declare(topics())
        if held_up.is_set():
            await whole_again(anew, folder)
        await anew.close()
        stop.set()
        return [outcome.error for outcome in await task] == [None]
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


@pytest.mark.law(2, "feeds outlast topics that are deleted and made anew under their host, and read again")
async def test_feeds_outlast_topics_that_are_made_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "VERIFY_SECONDS", 0.2)
    assert await outlasts(folder, tmp_path / "bus.db", monkeypatch)


@pytest.mark.law(2, planted="a feed that takes topics that are not there yet for a bug of its own, and ends")
async def test_a_feed_that_ends_for_want_of_topics_is_caught(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "_PASSING", (BusDown, SpoolDown))
    monkeypatch.setattr(feed_run, "BusError", BusDown)
    assert not await outlasts(folder, tmp_path / "bus.db", monkeypatch)


# --- on Kafka ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def admin(own_kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=own_kafka)
    await client.start()
    yield client
    await client.close()


async def made_anew(bus: Bus, admin: AIOKafkaAdminClient) -> None:
    """The event topics are deleted and made anew."""
    await admin.delete_topics(list(EVENT_TOPICS))
    for _ in range(100):
        try:
            return await bus.declare(topics())
        except BusError:  # the deletion is still under way
            await asyncio.sleep(0.2)
    raise TimeoutError


async def first_deleted(bus: Bus, admin: AIOKafkaAdminClient) -> None:
    """All records are deleted."""
    ends = {TopicPartition(*part): RecordsToDelete(end) for part, end in (await bus.ends(EVENT_TOPICS)).items() if end}
    await admin.delete_records(ends)


@pytest.mark.law(2, "the same on Kafka, at a start and under a host that runs")
@pytest.mark.parametrize("running", [False, True], ids=["at a start", "under a host"])
@pytest.mark.parametrize("how", [made_anew, first_deleted])
async def test_topics_of_kafka_that_have_less(
    folder: Path,
    own_kafka: str,
    admin: AIOKafkaAdminClient,
    how: object,
    *,
    running: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "VERIFY_SECONDS", 0.5)
    bus = await open_bus(f"kafka://{own_kafka}")
    stop = asyncio.Event()
    try:
        await bus.declare(topics())
        await once(folder, bus)
        quick = settings(folder, fence_seconds=0.2, poll_seconds=0.1)
        task = asyncio.create_task(run(quick, [toy(folder)], stop=stop, bus=bus, clock=recorded)) if running else None
        if task is not None:
            (folder / "c.txt").write_text("good 40")
            await whole_again(bus, folder)
        await how(bus, admin)  # type: ignore[operator]  # one of the two above
        if task is None:
            await once(folder, bus)
        await whole_again(bus, folder)
        assert any("the bus lost messages" in letter["reason"] for letter in (await world(bus)).dead_letters)
        stop.set()
        if task is not None:
            assert [outcome.error for outcome in await task] == [None]
    finally:
        stop.set()
        await bus.close()


async def whole_again(bus: Bus, folder: Path) -> None:
    """Return once all events are on the bus."""

    async def whole() -> bool:
        return expected(folder)["ids"] <= set((await world(bus)).ids())

    await wait_until(whole, every=0.3, seconds=40)
