"""A part of an embedded bus, read by itself: what the bus reads there, and nothing of what came since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bus.contract import BusDown, Delivery, Message, Topic, UnknownTopic
from bus.embedded import EmbeddedBus
from bus.embedded_span import EmbeddedSpans

TOPIC = "t"
COUNT = 2_500


async def filled(path: Path) -> tuple[EmbeddedBus, list[Delivery]]:
    """A bus of two partitions, and what it reads."""
    bus = await EmbeddedBus.open(path)
    await bus.declare([Topic(TOPIC, 2)])
    producer = await bus.producer()
    await producer.send([message(at) for at in range(COUNT)])
    await producer.close()
    return bus, [one async for one in bus.read(TOPIC)]


def message(at: int) -> Message:
    """One of them; some have no value, some no headers."""
    return Message(TOPIC, b"%d" % at, None if at % 9 == 0 else b"v%d" % at, (("n", b"%d" % at),) if at % 2 else ())


def parted(read: Sequence[Delivery], part: int) -> list[Delivery]:
    return [one for one in read if one.partition.number == part]


async def test_spans_are_what_the_bus_reads(tmp_path: Path) -> None:
    bus, read = await filled(tmp_path / "bus.db")
    spans = EmbeddedSpans(tmp_path / "bus.db")
    for part in (0, 1):
        mine = parted(read, part)
        assert len(mine) > 1_000  # more than one fetch
        assert list(spans.read(TOPIC, part, 0, len(mine))) == mine
        assert list(spans.read(TOPIC, part, 7, 19)) == mine[7:19]
        assert list(spans.read(TOPIC, part, 5, 5)) == []
        assert list(spans.read(TOPIC, part, len(mine) - 1, len(mine) + 9)) == mine[-1:]
    await bus.close()


async def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    bus, _ = await filled(tmp_path / "bus.db")
    await bus.close()
    with pytest.raises(UnknownTopic):
        list(EmbeddedSpans(tmp_path / "bus.db").read("another", 0, 0, 1))
    with pytest.raises(UnknownTopic):
        list(EmbeddedSpans(tmp_path / "bus.db").read(TOPIC, 2, 0, 1))
    with pytest.raises(BusDown, match="gone"):
        list(EmbeddedSpans(tmp_path / "none.db").read(TOPIC, 0, 0, 1))
    (tmp_path / "torn.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(BusDown):
        list(EmbeddedSpans(tmp_path / "torn.db").read(TOPIC, 0, 0, 1))
