"""Events that came past the doors and are none: each is kept once with its reason, and the others go through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from correlation import export, reference
from populations import START, World, bytes_of, make, passport, world_of

from bus.contract import Message
from schemas.codec import Undecodable, decode
from schemas.events import Fact, Status
from schemas.ids import event_id
from schemas.moments import Moment
from schemas.topics import DEAD_LETTERS, key_of, topic_of
from services.correlator import process
from services.domain import facts
from services.settings import load
from services.store import open_store
from services.store.contract import Incomplete
from services.wiring import open_bus, topics

Body = dict[str, Any]
Spoil = Callable[[Body], object]

POISON: dict[str, tuple[str, Spoil]] = {
    "no action": ("extension", lambda body: body.pop("action")),
    "another action": ("extension", lambda body: body.update(action="lost")),
    "nothing asked": ("extension", lambda body: body.pop("asks")),
    "a day that never was": ("extension", lambda body: body.update(filed_on="2026-02-30")),
    "no evidence": ("departure", lambda body: body.pop("evidence")),
    "another evidence": ("departure", lambda body: body.update(evidence="rumour")),
    "no fact": ("status", lambda body: body.pop("fact")),
    "another fact": ("status", lambda body: body.update(fact="rumour")),
    "until nowhere": ("arrival", lambda body: body.update(admitted_until="2026-13-01")),
    "another inspection": ("arrival", lambda body: body.update(inspection="waved through")),
    "another mode": ("arrival", lambda body: body.update(mode="space")),
    "another mark": ("arrival", lambda body: body.update(handling=["secret"])),
    "a revision beyond all numbers": ("arrival", lambda body: body["revision"].update(number=2**63)),
    "a scheme that nobody knows": ("arrival", lambda body: body["subject"]["identifiers"][0].update(scheme="tattoo")),
    "a number in another spelling": ("arrival", lambda body: body["subject"]["identifiers"][0].update(value="a 1")),
    "a birthday that never was": ("arrival", lambda body: body["subject"].update(birth="1981-02-29")),
    "another sex": ("arrival", lambda body: body["subject"].update(sex="Q")),
    "nobody": ("arrival", lambda body: body["subject"].update(names=[], identifiers=[])),
    "no scope": ("coverage", lambda body: body.pop("scope")),
    "coverage backwards": ("coverage", lambda body: body.update(since="2031-01-01T00:00:00Z")),
    "no word": ("decision", lambda body: body.pop("same")),
    "a record and itself": ("decision", lambda body: body.update(other=body["one"])),
}


def poisoned(world: list[Any]) -> list[Message]:
    """One message each, by an event of the world."""
    by_kind = {event.kind: event for event in world if event.kind != "arrival" or event.subject.identifiers}
    messages = []
    for number, (kind, spoil) in enumerate(POISON.values()):
        event = by_kind[kind]
        body = orjson.loads(bytes_of([event])[0])
        record, revision = f"poison {number}", event.revision
        own = event_id(event.system, record, event.part, revision.number, revision.digest, event.mapping_version)
        body |= {"id": str(own), "record": record}
        spoil(body)
        messages.append(Message(topic_of(event), f"{event.system}/{record}".encode(), orjson.dumps(body)))
    return messages


@pytest.fixture
def world() -> list[Any]:
    """Events of every kind."""
    events, _ = world_of(604, persons=8)
    met = World(601)
    someone = met.person()
    events.append(
        make(
            Status,
            met,
            system="TECS",
            record="S1",
            known=START,
            occurred_at=Moment.instant(START),
            subject=met.subject(someone, passport(someone)),
            fact=Fact.ENCOUNTER,
        )
    )
    return events


def test_no_model_takes_the_poison(world: list[Any]) -> None:
    for message in poisoned(world):
        for read in (decode, facts.fact_of):
            with pytest.raises(Undecodable):
                read(message.value or b"")


async def reported_by(directory: Path, world: list[Any]) -> tuple[list[bytes], list[str]]:
    """The view of a world among poison, and what the dead letters hold of it."""
    settings = load(environment={"VISABUS_DATA_DIR": str(directory)})
    bus = await open_bus(settings)
    await bus.declare(topics())
    producer = await bus.producer()
    good = [Message(topic_of(event), key_of(event), bytes_of([event])[0]) for event in world]
    bad = poisoned(world)
    await producer.send([*good[:50], *bad, *good[50:]])
    async with asyncio.timeout(60):
        await process.run(settings, once=True, stop=asyncio.Event())
    letters = [orjson.loads(delivery.value or b"") async for delivery in bus.read(DEAD_LETTERS)]
    await bus.close()
    store = await open_store(settings.store_url)
    view = await export(store)
    await store.close()
    assert {(letter["system"], letter["feed"]) for letter in letters} == {("BUS", "correlator")}
    return view, [letter["reason"] for letter in letters]


@pytest.mark.law(
    2, "events that came past the doors and are none: each in the dead letters once, and the view as without them"
)
async def test_poison_is_kept_and_the_others_go_through(tmp_path: Path, world: list[Any]) -> None:
    view, reasons = await reported_by(tmp_path, world)
    assert view == reference(bytes_of(world))
    assert len(reasons) == len(POISON)
    assert all(reasons)


@pytest.mark.law(2, planted="a reader that takes events which no model takes")
async def test_a_reader_that_takes_what_no_model_takes_stops_everything(
    tmp_path: Path, world: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the quick reader does not look whether what a kind needs is there."""
    monkeypatch.setattr(facts, "_check", lambda kind, body: None)
    with pytest.raises(Incomplete):
        await reported_by(tmp_path, world)
