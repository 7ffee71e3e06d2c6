"""Anything may lie on any topic: who reads dead letters, positions and receipts passes over what none of ours wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.core import BadRecord, Origin
from bus.contract import Bus, Message
from schemas.topics import COMPACTED, DEAD_LETTERS, EXTRACTS, FEED_ORDERS, POSITIONS, PUSH_ANSWERS, QUESTIONS, RECEIPTS
from services.authority import signing_bus
from services.authority.keys import KeyFiles, make
from services.authority.signatures import Signer
from services.authority.signing_bus import signing
from services.dead_letters import Spool, dead_letter
from services.dead_letters import topic as letters
from services.feeds import Ownership
from services.feeds.checkpoints import Checkpoint, Checkpoints
from services.ingest.receipts import expired
from services.metrics.instruments import FORGED
from services.overview.waiting import Waiting
from services.questions.open_questions import Book
from services.questions.topic import Priority, question_of
from services.receipts.index import Index, Query
from services.settings import load
from services.wiring import open_bus, topics

NONSENSE = (b"{", b"[]", b"1", b'"x"', b"{}", b"null", b'{"id": 1, "at": 2}', b"\xff")


async def filled(directory: Path) -> Bus:
    """A bus with nonsense on all topics of ours, and one dead letter behind it."""
    bus = await open_bus(load(environment={"VISABUS_DATA_DIR": str(directory)}))
    await bus.declare(topics())
    producer = await bus.producer()
    for topic in (DEAD_LETTERS, POSITIONS, EXTRACTS, PUSH_ANSWERS, RECEIPTS):
        await producer.send([Message(topic, b"\xff%d" % number, value) for number, value in enumerate(NONSENSE)])
    bad = BadRecord("no record", place="line 1", raw=b"?")
    await producer.send([dead_letter(bad, Origin("I94", "nightly", "f", 1), Spool(directory / "spool"))])
    return bus


async def test_nonsense_stops_no_reader(tmp_path: Path) -> None:
    bus = await filled(tmp_path)
    assert [each.reason for each in await letters.read(bus, letters.Selection())] == ["no record"]
    waiting = Waiting()
    await waiting.follow(bus)
    assert [each.waiting for each in waiting.by_reason()] == [1]
    checkpoints = Checkpoints()
    await checkpoints.read(bus)
    assert checkpoints.held == {}
    assert await expired(bus, 1, datetime(2100, 1, 1, tzinfo=UTC)) == []
    index = Index(tmp_path / "receipts.db")
    await index.follow(bus, "bus")
    assert [*index.find(Query())] == []
    await bus.close()


async def test_a_fence_that_cannot_be_compared_stops_no_reader(tmp_path: Path) -> None:
    bus = await open_bus(load(environment={"VISABUS_DATA_DIR": str(tmp_path)}))
    await bus.declare(topics())
    true = Checkpoint(owner="a", epoch=1).message("I94/nightly")
    odd = replace(true, value=(true.value or b"").replace(b'"epoch":1', b'"epoch":"x"'))
    assert odd != true
    checkpoints = Checkpoints()
    for message in (true, odd):
        await (await bus.producer()).send([message])
        await checkpoints.read(bus)
    assert checkpoints.held["I94/nightly"].epoch == 1
    await bus.close()


@pytest.mark.law(9, "an ingest goes on by positions that its own system's ingest has signed, and by no other")
async def test_a_position_of_another_is_passed_over(tmp_path: Path) -> None:
    for system in ("I94", "BCI"):
        make(tmp_path / "own" / system, system)
    plain = await open_bus(load(environment={"VISABUS_DATA_DIR": str(tmp_path)}))
    await plain.declare(topics())
    i94, bci = (signing(plain, KeyFiles(tmp_path / "own" / system)) for system in ("I94", "BCI"))
    mine = Ownership(i94, await i94.producer())
    await mine.claim(["I94/nightly"])
    await mine.confirm()
    holding = mine.holdings["I94/nightly"]
    forged = replace(holding.checkpoint, position="behind what was never read", epoch=99, owner="another")
    for bus in (bci, plain):  # without the key of I94
        await (await bus.producer()).send([forged.message("I94/nightly")])
    await mine.watch()
    assert not holding.lost
    seen, unchecked = Checkpoints(), Checkpoints()
    await seen.read(i94)
    await unchecked.read(plain)
    # on a compacted topic the forged message may have taken the place of the true one: then the source is read again
    assert all(each.owner == mine.owner for each in seen.held.values())
    assert unchecked.held["I94/nightly"].position == forged.position
    await plain.close()


KEYS = {
    DEAD_LETTERS: b"I94/nightly",
    EXTRACTS: b"I94/nightly/1-aa",
    FEED_ORDERS: b"I94/nightly",
    POSITIONS: b"I94/nightly",
    PUSH_ANSWERS: b"I94/nightly/request",
    QUESTIONS: b"state I94/nightly i94/1",
    RECEIPTS: b"I94/nightly/file/mark",
}
FORGERIES = ("unsigned", "signed by another", "moved here from another topic", "taken away", "taken away by another")


def forged(how: str, topic: str, i94: Signer, bci: Signer) -> Message:
    """A message in the name of I94, of whoever lacks its key."""
    message = Message(topic, KEYS[topic], None if how.startswith("taken away") else b'{"forged": true}')
    if how == "moved here from another topic":
        return replace(i94.signed(Message("visabus.elsewhere", KEYS[topic], b"{}"), "I94"), topic=topic)
    return bci.signed(message, "BCI") if how.endswith("another") else message


@pytest.mark.law(9, "what ingest goes on by and gives account of is read as its own system wrote it: 35 forgeries")
@pytest.mark.parametrize("topic", KEYS)
async def test_what_another_writes_in_its_name_is_not_read(tmp_path: Path, topic: str) -> None:
    for system in ("I94", "BCI"):
        make(tmp_path / "own" / system, system)
    plain = await open_bus(load(environment={"VISABUS_DATA_DIR": str(tmp_path)}))
    await plain.declare(topics())
    i94 = signing(plain, KeyFiles(tmp_path / "own" / "I94"))
    mine, others = await i94.producer(), await plain.producer()
    signers = [Signer(KeyFiles(tmp_path / "own" / system)) for system in ("I94", "BCI")]
    for how in FORGERIES:
        await mine.send([Message(topic, KEYS[topic], b"true")])
        before = FORGED.labels(topic)._value.get()
        await others.send([forged(how, topic, *signers)])
        for _ in range(2):  # and told once
            values = {one.value async for one in i94.read(topic) if one.key is not None}
            # the last message under a key stays on a compacted topic: a forged one is not believed there either
            assert values == (set() if topic in COMPACTED else {b"true"}), how
        assert FORGED.labels(topic)._value.get() == before + 1, how
    await mine.send([Message(topic, KEYS[topic], b"true")])
    assert {one.value async for one in i94.read(topic) if one.key is not None} == {b"true"}
    await plain.close()


@pytest.mark.law(9, planted="a topic of what ingest gives account of whose messages are not checked")
async def test_a_topic_that_is_not_checked_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_bus, "OWNED", signing_bus.OWNED - {RECEIPTS})
    with pytest.raises(AssertionError):
        await test_what_another_writes_in_its_name_is_not_read(tmp_path, RECEIPTS)


@pytest.mark.law(9, "questions are those of the command that asks, where its key is known")
async def test_a_question_of_another_is_not_asked(tmp_path: Path) -> None:
    for system in ("I94", "VISABUS"):
        make(tmp_path / "keys", system)
    make(tmp_path / "own", "BCI")
    plain = await open_bus(load(environment={"VISABUS_DATA_DIR": str(tmp_path)}))
    await plain.declare(topics())
    all_keys, bci = (signing(plain, KeyFiles(tmp_path / name)) for name in ("keys", "own"))
    at = datetime(2026, 11, 30, tzinfo=UTC)
    await (await all_keys.producer()).send([question_of("I94/nightly", "i94/1", Priority.CHANGED, at).message()])
    await (await bci.producer()).send([question_of("I94/nightly", "i94/2", Priority.BY_HAND, at).message()])
    book = Book(all_keys, await all_keys.producer())
    await book.follow()
    assert [identifier for identifier, _ in book.open("I94/nightly")] == ["i94/1"]
    await plain.close()
