"""Receipts on the bus: found by system, batch and record; one for each content of a batch; ended when they are old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.core import BadRecord, Note, Origin
from bus.contract import Bus, Message
from bus.embedded import EmbeddedBus
from services.authority import Rights
from services.authority.guard import Guard
from services.dead_letters import Spool
from services.ingest.clocks import now
from services.ingest.receipts import expired, receipt
from services.ingest.tally import NAMED, Limits, Tally
from services.keyring import Keyring
from services.receipts import MAX_BYTES, Index, Query
from services.wiring import topics

RING = Keyring.of(b"r" * 32)
ORIGIN = Origin("I94", "nightly", "a.dat", 1)


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()


def tally(batch: str = "a.dat", *keys: str, mark: str = "1", system: str = "I94", refused: int = 0) -> Tally:
    """A batch with these records."""
    one = Tally(
        replace(ORIGIN, system=system, batch=batch),
        lambda read, origin: [],
        now,
        Spool(Path()),
        Limits(1.0, 1),
        Guard(Rights(frozenset())),
        mark=mark,
    )
    one.read, one.published, one.dead_lettered = len(keys), len(keys) - refused, refused
    one.keys = dict.fromkeys(keys)
    return one


async def send(bus: Bus, *messages: Message) -> None:
    producer = await bus.producer()
    await producer.send(messages)
    await producer.close()


async def follow(bus: Bus, directory: Path) -> Index:
    index = Index(directory / "receipts.db", RING)
    await index.follow(bus, "here")
    return index


def batches(index: Index, query: Query) -> list[str]:
    return [one["batch"] for one in index.find(query)]


async def test_receipts_are_found_by_system_batch_record_and_refusals(bus: Bus, tmp_path: Path) -> None:
    await send(
        bus,
        receipt(tally("a.dat", "17", "18"), RING),
        receipt(tally("b.dat", "18", "19", refused=1), RING),
        receipt(tally("c.dat", "18", system="SEVIS"), RING),
    )
    index = await follow(bus, tmp_path)
    assert batches(index, Query()) == ["c.dat", "b.dat", "a.dat"], "the newest first"
    assert batches(index, Query(system="I94")) == ["b.dat", "a.dat"]
    assert batches(index, Query(batch="c.dat")) == ["c.dat"]
    assert batches(index, Query(system="I94", record="18")) == ["b.dat", "a.dat"]
    assert batches(index, Query(system="SEVIS", record="18")) == ["c.dat"]
    assert batches(index, Query(refused=True)) == ["b.dat"]
    assert batches(index, Query(since="2999-01-01")) == []
    assert index.count(Query(system="I94")) == 2
    with pytest.raises(ValueError, match="and its system"):
        index.count(Query(record="18"))


async def test_a_batch_read_again_has_one_receipt_and_another_content_its_own(bus: Bus, tmp_path: Path) -> None:
    await send(bus, receipt(tally("a.dat", "17"), RING))
    await follow(bus, tmp_path)
    await send(bus, receipt(tally("a.dat", "17"), RING), receipt(tally("a.dat", "17", "18", mark="2"), RING))
    index = await follow(bus, tmp_path)
    assert [one["read"] for one in index.find(Query(batch="a.dat"))] == [2, 1]
    assert len(batches(index, Query(system="I94", record="17"))) == 2


async def test_an_index_of_another_bus_or_of_one_with_less_begins_anew(bus: Bus, tmp_path: Path) -> None:
    await send(bus, receipt(tally("a.dat", "17"), RING))
    index = await follow(bus, tmp_path)
    other = await EmbeddedBus.open(tmp_path / "other.db")
    await other.declare(topics())
    await index.follow(other, "elsewhere")
    assert batches(index, Query()) == []
    await index.follow(bus, "here")
    assert batches(index, Query()) == ["a.dat"]
    await index.follow(other, "here")  # the same address, restored from before the receipt
    assert batches(index, Query()) == []
    await other.close()


async def test_receipts_older_than_the_settings_keep_are_ended(bus: Bus, tmp_path: Path) -> None:
    await send(bus, receipt(tally("a.dat", "17"), RING), receipt(tally("b.dat", "18"), RING))
    today = datetime.now(UTC)
    assert await expired(bus, 30, today) == []
    ends = await expired(bus, 30, today + timedelta(days=31))
    assert [message.value for message in ends] == [None, None]
    index = await follow(bus, tmp_path)
    await send(bus, ends[0])
    await index.follow(bus, "here")
    assert batches(index, Query()) == ["b.dat"]
    assert batches(index, Query(system="I94", record="17")) == []
    assert len(await expired(bus, 30, today + timedelta(days=31))) == 1


def body(message: Message) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(message.value or b"")
    return parsed


def test_a_receipt_names_no_person() -> None:
    one = tally()
    bad = "FAMILY-NAME 'CANARY' and number N0012345678 born 1987-05-23 are no good"
    one.messages([BadRecord(bad, place="record 2, byte 250", raw=b"CANARY", record="N0012345678")])
    value = receipt(one, RING).value or b""
    for canary in (b"CANARY", b"N0012345678", b"1987"):
        assert canary not in value
    assert body(receipt(one, RING))["refused"] == [
        {"place": "record 2, byte 250", "reason": "FAMILY-NAME ... and number ... born ... are no good"}
    ]


def test_a_receipt_fits_into_a_message_whatever_the_source_says() -> None:
    one = tally("a.dat", *(str(number) for number in range(50_000)))
    long = "x" * 2_000
    one.messages([BadRecord(f"{long} {number % 7}", place=long, raw=b"") for number in range(NAMED + 10)])
    one.messages([Note("trailer", b"", {"text": "\udc80", "bytes": b"\xff", "day": datetime.now(UTC), 3: (1, None)})])
    message = receipt(one, RING)
    assert len(message.value or b"") <= MAX_BYTES
    assert body(message)["cut"] is True
    assert body(message)["dead_lettered"] == NAMED + 10
    assert body(message)["notes"][0]["fields"]["bytes"] == "ff"
