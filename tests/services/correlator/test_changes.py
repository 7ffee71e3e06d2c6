"""What is told: changes by events, by time, by coverage, by merges and splits; each once, numbered without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from jsonschema import Draft7Validator
from populations import World, again, bytes_of, make, passport

from bus.contract import Delivery, Partition
from bus.embedded import EmbeddedBus
from schemas.cloudevents import TRACEPARENT
from schemas.documents import asyncapi, view_schema
from schemas.events import AnyEvent, Arrival, Coverage, Departure, Evidence, Mode, Operation
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment
from schemas.topics import ARRIVALS, CHANGES, CHANGES_LATEST, DEAD_LETTERS
from schemas.view import StatusChange
from services.correlator.correlator import Correlator
from services.dead_letters import Spool
from services.domain.history import history_of
from services.store import Store, open_store
from services.store.contract import OtherConfiguration
from services.store.writer import Fenced
from services.wiring import topics

ADMITTED = datetime(2026, 1, 10, 15, tzinfo=UTC)
UNTIL = date(2026, 3, 1)
OVER = datetime(2026, 3, 2, 5, tzinfo=UTC)  # midnight in New York


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, stores: dict[str, str]) -> AsyncIterator[Store]:
    opened = await open_store(stores[request.param])
    yield opened
    await opened.close()


@pytest.fixture
def stores(tmp_path: Path, postgres: str) -> dict[str, str]:
    return {"sqlite": f"sqlite:///{tmp_path}/store.db", "postgresql": postgres}


class Subscriber:
    """A correlator with a clock in hand and a bus to tell on."""

    def __init__(self, store: Store, bus: EmbeddedBus, tmp_path: Path) -> None:
        self.now = ADMITTED
        self.world = World(7)
        self.person = self.world.person()
        self.bus = bus
        self.store = store
        self.spool = Spool(tmp_path / "spool")
        self.position = 0

    async def correlator(self) -> Correlator:
        """One more of them."""
        one = Correlator(
            self.store.writer, await self.bus.producer(), self.spool, clock=lambda: self.now, stop=asyncio.Event()
        )
        await one.check()
        return one

    async def take(self, one: Correlator, *events: AnyEvent) -> None:
        """Deliver events, resolve and tell."""
        await self.send(one, bytes_of(list(events)))
        await self.rest(one)

    async def send(self, one: Correlator, raws: list[bytes]) -> None:
        """Deliver bytes on a partition that the correlator holds."""
        part = Partition(ARRIVALS, 0)
        if part not in one._positions:
            await one.assigned([part])
        deliveries = [Delivery(part, self.position + n, None, raw, ()) for n, raw in enumerate(raws)]
        self.position += len(raws)
        await one.take(deliveries)

    async def rest(self, one: Correlator) -> None:
        """Everything that waits, then whatever is due."""
        while (await one.resolve()).rows:
            continue
        while await one.fire():
            continue
        while await one.deliver():
            continue

    async def reported(self) -> list[StatusChange]:
        """All changes so far."""
        return [
            StatusChange.model_validate_json(delivery.value or b"")
            async for delivery in self.bus.read(CHANGES)
            if delivery.value
        ]

    def arrival(self, **more: object) -> Arrival:
        fields = {
            "occurred_at": Moment.instant(ADMITTED, "America/New_York"),
            "subject": self.world.subject(self.person, passport(self.person)),
            "class_of_admission": "B2",
            "admitted_until": UNTIL,
            "mode": Mode.AIR,
        } | more
        return make(Arrival, self.world, record=self.world.number("T"), known=self.now, **fields)

    def coverage(self, through: datetime) -> list[Coverage]:
        return [
            make(
                Coverage,
                self.world,
                record=self.world.number("C"),
                known=self.now,
                scope=f"departure:{mode}",
                since=ADMITTED - timedelta(days=30),
                through=through,
            )
            for mode in ("air", "land", "sea")
        ]


@pytest.fixture
async def subscriber(store: Store, tmp_path: Path) -> AsyncIterator[Subscriber]:
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    yield Subscriber(store, bus, tmp_path)
    await bus.close()


@pytest.mark.law(5, "a deadline, then coverage, each published once")
async def test_time_and_coverage_change_an_answer_without_an_event(subscriber: Subscriber) -> None:
    one = await subscriber.correlator()
    await subscriber.take(one, subscriber.arrival())
    subscriber.now = OVER - timedelta(seconds=1)
    await subscriber.rest(one)
    assert [change.outcome for change in await subscriber.reported()] == ["IN_STATUS"]
    subscriber.now = OVER
    await subscriber.rest(one)
    assert [change.outcome for change in await subscriber.reported()] == ["IN_STATUS", "DEPARTURE_UNKNOWN"]
    await subscriber.take(one, *subscriber.coverage(OVER - timedelta(seconds=1)))
    await subscriber.rest(one)
    assert len(await subscriber.reported()) == 2
    one._coverage_at = -1e9  # coverage may be a second old
    await subscriber.take(one, *subscriber.coverage(OVER))
    await subscriber.rest(one)
    message = await subscriber.reported()
    assert [change.outcome for change in message] == ["IN_STATUS", "DEPARTURE_UNKNOWN", "OVERSTAY_SUSPECTED"]
    assert [change.sequence for change in message] == [1, 2, 3]
    assert message[-1].replaced is not None
    assert message[-1].replaced.outcome == "DEPARTURE_UNKNOWN"


@pytest.mark.law(5, "two correlators, a hundred days late")
async def test_a_deadline_is_told_once_by_several_correlators_and_after_downtime(subscriber: Subscriber) -> None:
    one, two = await subscriber.correlator(), await subscriber.correlator()
    await subscriber.take(one, subscriber.arrival())
    before = [history async for history in subscriber.store.reads.histories()]
    subscriber.now = OVER + timedelta(days=100)  # nobody was there when it passed
    await asyncio.gather(one.fire(), two.fire())
    await asyncio.gather(subscriber.rest(one), subscriber.rest(two))
    assert [change.outcome for change in await subscriber.reported()] == ["IN_STATUS", "DEPARTURE_UNKNOWN"]
    assert [history async for history in subscriber.store.reads.histories()] == before


async def test_a_merge_names_who_is_gone_and_a_split_goes_on_counting(subscriber: Subscriber) -> None:
    one = await subscriber.correlator()
    first = subscriber.arrival(subject=subscriber.world.subject(subscriber.person, passport(subscriber.person)))
    other = Identifier.of(Scheme.VISA, "A1234567")
    # a name alone joins nobody
    bare = subscriber.world.subject(subscriber.person, other).model_copy(update={"birth": None, "citizenship": ()})
    second = subscriber.arrival(subject=bare)
    await subscriber.take(one, first, second)
    assert [change.sequence for change in await subscriber.reported()] == [1, 1]
    tie = make(
        Departure,
        subscriber.world,
        record=subscriber.world.number("T"),
        known=ADMITTED + timedelta(days=1),
        occurred_at=Moment.instant(ADMITTED - timedelta(days=400)),
        subject=subscriber.world.subject(subscriber.person, passport(subscriber.person), other),
        evidence=Evidence.BOOKING,
    )
    await subscriber.take(one, tie)
    message = await subscriber.reported()
    persons = {history_of(line).person async for line in subscriber.store.reads.histories()}
    assert len(persons) == 1
    (survivor,) = persons
    (gone,) = {change.person for change in message} - persons
    assert list(next(change for change in message if change.formerly).formerly) == [gone]
    assert next(change for change in message if change.ended).person == gone
    await subscriber.take(
        one, again(tie, number=2, published_at=ADMITTED + timedelta(days=2), operation=Operation.RETRACT)
    )
    message = await subscriber.reported()
    assert len({history_of(line).person async for line in subscriber.store.reads.histories()}) == 2
    for person in (survivor, gone):
        numbers = [change.sequence for change in message if change.person == person]
        assert numbers == list(range(1, len(numbers) + 1))
    assert not [change for change in message if change.person == gone][-1].ended


async def test_a_change_is_a_cloud_event_as_the_document_has_it(subscriber: Subscriber) -> None:
    """With the CloudEvents SDK as the oracle."""
    one = await subscriber.correlator()
    await subscriber.take(one, subscriber.arrival())
    described = asyncapi()["components"]["messages"]["status-change"]["headers"]
    for topic in (CHANGES, CHANGES_LATEST):
        async for delivery in subscriber.bus.read(topic):
            assert delivery.value is not None
            change = StatusChange.model_validate_json(delivery.value)
            headers = dict(delivery.headers)
            read = from_binary(KafkaMessage(headers=headers, key=None, value=delivery.value), JSONFormat())
            assert (read.get_id(), read.get_time()) == (str(change.id), change.at)
            assert (read.get_type(), read.get_source()) == ("visabus.status-change", "urn:visabus:correlator")
            assert read.get_dataschema() == view_schema("status-change")["$id"]
            assert not any(change.person.encode() in content for content in headers.values())
            Draft7Validator(described).validate({name: content.decode() for name, content in headers.items()})
            assert headers.keys() == set(described["required"])
            assert described["properties"].keys() - headers.keys() == {TRACEPARENT}  # where the event had one


async def test_the_compacted_twin_holds_the_last_word(subscriber: Subscriber) -> None:
    one = await subscriber.correlator()
    await subscriber.take(one, subscriber.arrival())
    subscriber.now = OVER
    await subscriber.rest(one)
    last = {}
    async for delivery in subscriber.bus.read(CHANGES_LATEST):
        last[delivery.key] = StatusChange.model_validate_json(delivery.value or b"").outcome
    assert list(last.values()) == ["DEPARTURE_UNKNOWN"]


async def test_what_is_no_event_is_kept_and_the_rest_goes_on(subscriber: Subscriber) -> None:
    one = await subscriber.correlator()
    good = bytes_of([subscriber.arrival()])[0]
    await subscriber.send(one, [b"not json", good, b'{"kind": "arrival"}', good[:-1]])
    await subscriber.rest(one)
    dead_letters = [delivery async for delivery in subscriber.bus.read(DEAD_LETTERS)]
    assert len(dead_letters) == 3
    assert len([line async for line in subscriber.store.reads.histories()]) == 1


async def test_a_correlator_that_was_thought_dead_writes_nothing(subscriber: Subscriber) -> None:
    one, two = await subscriber.correlator(), await subscriber.correlator()
    await subscriber.take(one, subscriber.arrival())
    part = Partition(ARRIVALS, 0)
    assert await two.assigned([part]) == {part: subscriber.position}
    with pytest.raises(Fenced):
        await subscriber.send(one, bytes_of([subscriber.arrival()]))
    assert await subscriber.store.reads.backlog() == 0


async def test_what_was_taken_already_is_passed_over(subscriber: Subscriber) -> None:
    one = await subscriber.correlator()
    raws = bytes_of([subscriber.arrival()])
    await subscriber.send(one, raws)
    subscriber.position = 0
    await subscriber.send(one, raws)
    assert await subscriber.store.reads.positions() == {(ARRIVALS, 0): 1}


async def test_another_configuration_is_refused(subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    await subscriber.correlator()
    monkeypatch.setattr("services.correlator.correlator.fingerprint", lambda: "0" * 16)
    with pytest.raises(OtherConfiguration, match="rebuild"):
        await subscriber.correlator()
