"""Anything may lie on any topic: who reads dead letters, positions and receipts passes over what none of ours wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.core import BadRecord, Origin
from bus.contract import Bus, Message
from schemas.topics import DEAD_LETTERS, EXTRACTS, POSITIONS, PUSH_ANSWERS, RECEIPTS
from services.authority.keys import KeyFiles, make
from services.authority.signing_bus import signing
from services.dead_letters import Spool, dead_letter
from services.dead_letters import topic as letters
from services.feeds import Ownership
from services.feeds.checkpoints import Checkpoints
from services.ingest.receipts import expired
from services.overview.waiting import Waiting
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
