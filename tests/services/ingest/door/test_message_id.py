"""Messages that their sender named: signed anew they count once, and a name is not used for something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import toy_door
import toy_source
from toy_door import FEED, PUSH, TOY, Rig, settings
from toy_source import world

from adapters.core import Filtered, Header, Mapped, Note, Origin, Read, Record
from bus.contract import Bus
from services.ingest.door.ledger import Ledger
from services.settings import DoorSettings


class Named(toy_door.Lines):
    """The lines of the toy, behind a first one that names the message: `message M1`."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Header and records."""
        first = stream.readline()
        yield Header("line 0", first, {"messageId": first.decode().rstrip("\n").removeprefix("message ")})
        yield from super().read(stream)


def mapping(read: Record | Note, origin: Origin) -> Mapped | Filtered:
    """The toy's; a header says nothing."""
    return Mapped(()) if isinstance(read, Header) else toy_source.mapping(read, origin)


ONE, OTHER = b"message M1\ngood 1\nrefuse 2", b"message M1\ngood 1\ngood 3"


@asynccontextmanager
async def door(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch, limits: DoorSettings | None = None
) -> AsyncIterator[Rig]:
    feed = replace(FEED, transport=replace(PUSH, message="messageId"), format=Named(), mapping=mapping)
    monkeypatch.setattr(toy_door, "FEED", feed)
    monkeypatch.setattr(toy_door, "TOY", replace(TOY, feeds=(feed,)))
    async with toy_door.opened(tmp_path, bus, limits or settings(rate=1_000, burst=1_000)) as rig:
        yield rig


async def counted(bus: Bus) -> dict[str, Any]:
    return dict((await world(bus)).checkpoints["TOY/push"]["counters"])


async def twice(rig: Rig) -> bool:
    """Whether a message that was signed anew counted once, and got one answer."""
    answers = [await rig.push(ONE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    seen = await world(rig.bus)
    once = (len(seen.events), len(seen.dead_letters), (await counted(rig.bus))["read"]) == (1, 1, 2)
    return once and answers[0].json() == answers[1].json()


@pytest.mark.law(2, "a push that is signed anew under its name counts once and is answered the same")
async def test_a_message_that_is_signed_anew_counts_once(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door(tmp_path, bus, monkeypatch) as rig:
        assert await twice(rig)
        # long after the first signature is too old, and by another door
        rig.now[0] += 100_000
        assert (await rig.push(b"message M2\ngood 7")).status_code == 200
        assert (await rig.push(ONE)).json()["read"] == 2
        before = await counted(bus)
    async with door(tmp_path, bus, monkeypatch) as rig:
        assert (await rig.push(ONE)).status_code == 200
        assert await counted(bus) == before


@pytest.mark.law(2, planted="a door that knows messages by their nonce alone")
async def test_a_message_that_counts_twice_is_seen(tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "find_named", lambda _self, _name: None)
    async with door(tmp_path, bus, monkeypatch) as rig:
        assert not await twice(rig)


async def test_the_same_message_at_the_same_time_counts_once(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door(tmp_path, bus, monkeypatch) as rig:
        answers = await asyncio.gather(*(rig.push(ONE) for _ in range(5)))
        assert len({answer.content for answer in answers}) == 1
        assert (await counted(bus))["read"] == 2


@pytest.mark.law(2, "a message that the bus lost is taken anew under its name")
async def test_a_message_that_the_bus_lost_is_taken_again(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door(tmp_path, bus, monkeypatch) as rig:
        assert (await rig.push(ONE)).status_code == 200
        holding = rig.handler.ledger.holding
        holding.lose(holding.checkpoint.tails)
        assert (await rig.push(ONE)).status_code == 200
        assert (await counted(bus))["read"] == 4
        assert not holding.missing
        assert "their owner has to send them again" in str((await world(bus)).dead_letters)


@pytest.mark.law(2, "a name of a message that comes with another body is refused and told")
async def test_a_name_with_another_body_is_refused(tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    async with door(tmp_path, bus, monkeypatch) as rig:
        assert (await rig.push(ONE)).status_code == 200
        answer = await rig.push(OTHER)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:visabus:problem:message-id")
        condition = rig.handler.ledger.holding.checkpoint.condition
        assert condition.used_again == 1
        assert condition.used_again_why == "the name 'M1' of a message came with another body, which was refused"
        seen = await world(bus)
        assert (len(seen.events), (await counted(bus))["read"]) == (1, 2)


@pytest.mark.parametrize("name", ["", "with a blank", "ä", "x" * 101])
async def test_a_name_that_is_none_counts_as_none(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    body = f"message {name}\ngood 1".encode()
    async with door(tmp_path, bus, monkeypatch) as rig:
        answers = [await rig.push(body) for _ in range(2)]
        assert len({answer.json()["batch"] for answer in answers}) == 2


async def test_names_take_half_of_the_room_and_the_oldest_go_first(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door(tmp_path, bus, monkeypatch, settings(rate=1_000, burst=1_000, answer_bytes=10_000)) as rig:
        batches = []
        for number in range(20):
            answer = await rig.push(b"message M%d\ngood 1" % number)
            assert answer.status_code == 200
            batches.append(answer.json()["batch"])
            rig.now[0] += 1_000
        again = [(await rig.push(b"message M%d\ngood 1" % number)).json()["batch"] for number in (19, 0)]
        assert again[0] == batches[19]
        assert again[1] != batches[0]
        assert rig.handler.ledger._named_bytes <= 6_000
