"""Follow a record through receipts, dead letters, the bus, the store and the changes that were told.

Who lacks the right to what the law keeps confidential is answered as if no such record were known: also of one that was
only ever refused, where its system may hold such records (`services.veil`), for its mark cannot be told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import orjson

from adapters.core import System
from bus.contract import Bus, Delivery
from schemas.codec import Undecodable
from schemas.ids import handle
from schemas.operations import RecordTrace, Step, StepKind, Trace
from schemas.topics import CHANGES, CONFIDENTIAL_CHANGES, CONTROL, EVENT_TOPICS
from services.dead_letters import DeadLetter, Selection, read, shape
from services.domain.coverage import Coverage
from services.domain.facts import MICRO, Fact, fact_of, handle_key, key_hash
from services.domain.pools import Pool
from services.domain.resolve import persons, status
from services.receipts import Index, Query
from services.store.contract import CONFIDENTIAL
from services.store.reads import SqlReads
from services.trace.questions import About, ByEvent, ByFile, ByIdentifier, ByRecord
from services.veil import Veil, marked_by_law, may_be_marked

MOST_RECORDS = 50
"""Records of one answer, at most."""
_MOST_STEPS = 200


@dataclass(slots=True)
class _Seen:
    """What one pass over the bus gave of the records asked about."""

    events: dict[tuple[str, str], list[tuple[Delivery, Fact]]] = field(default_factory=dict)
    changes: dict[str, list[Step]] = field(default_factory=dict)  # by person


@dataclass(frozen=True, slots=True)
class Tracer:
    """Answers from one bus, one store (None: there is none yet), the index of its receipts and the systems."""

    bus: Bus
    reads: SqlReads | None
    receipts: Index
    systems: Mapping[str, System]

    async def trace(self, about: About, asked: str, now: datetime, *, confidential: bool = False) -> Trace:
        """Return what became of what is asked about. Raises BusDown, StoreDown, LookupError where there is nothing.

        Without `confidential` as if nothing were known of what the law keeps confidential.
        """
        if isinstance(about, ByFile):
            return await self._file(about.batch, asked, confidential=confidential)
        records = await self._records(about, confidential=confidential)
        shown = records[:MOST_RECORDS]
        letters = await self._letters(set(shown))
        seen = await self._on_the_bus(set(shown), confidential=confidential)
        if not confidential:
            shown = [record for record in shown if record not in letters or self._known_open(record, seen)]
        traces = [
            await self._record(record, letters.get(record, []), seen, now, confidential=confidential)
            for record in shown
        ]
        whole = tuple(trace for trace in traces if trace.steps)
        if not whole:
            raise LookupError(
                f"nothing is known of {asked}: no receipt, no dead letter, no event, no record in the store"
            )
        return Trace(asked=asked, records=whole, batches=(), more=max(0, len(records) - MOST_RECORDS))

    def _known_open(self, record: tuple[str, str], seen: _Seen) -> bool:
        """Whether a record that was refused is known to be open: by its system, or by what it said besides."""
        return record in seen.events or not may_be_marked(self.systems.get(record[0]))

    async def _records(self, about: ByRecord | ByEvent | ByIdentifier, *, confidential: bool) -> list[tuple[str, str]]:
        if isinstance(about, ByRecord):
            return await self._existing([(about.system, about.record)], confidential=confidential)
        if isinstance(about, ByEvent):
            events = [fact async for fact in self._of_event(about.id) if confidential or not fact.handling]
            records = await self._existing([(fact.system, fact.record) for fact in events], confidential=confidential)
            if not records:
                raise LookupError(f"no event on the bus has the id {about.id}")
            return records[:1]
        if self.reads is None:
            raise LookupError("there is no store yet: `visabus correlate` makes it")
        text = about.identifier.text
        pools = await self.reads.pools([key_hash(text)], confidential=confidential)
        facts = [fact for pool in pools for fact in pool.facts.values() if text in fact.identifiers]
        holding = sorted({(fact.system, fact.record) for fact in facts})
        if not (records := await self._existing(holding, confidential=confidential)):
            raise LookupError(f"no record in the store holds {text}")
        return records

    async def _existing(self, records: list[tuple[str, str]], *, confidential: bool) -> list[tuple[str, str]]:
        """Those of the records that exist for the caller."""
        if confidential:
            return records
        hidden = await Veil(self.bus, self.reads, self.systems).hidden(records)
        return [record for record in records if record not in hidden]

    async def _of_event(self, id: UUID) -> AsyncIterator[Fact]:
        wanted = str(id).encode()
        for topic in EVENT_TOPICS:
            async for delivery in self.bus.read(topic):
                if wanted in (value for name, value in delivery.headers if name == "ce_id"):
                    fact = _fact(delivery)
                    if fact is not None:
                        yield fact

    async def _letters(self, records: set[tuple[str, str]]) -> dict[tuple[str, str], list[DeadLetter]]:
        by_record: dict[tuple[str, str], list[DeadLetter]] = {}
        for letter in await read(self.bus, Selection()):
            if letter.record is not None and (letter.system, letter.record) in records:
                by_record.setdefault((letter.system, letter.record), []).append(letter)
        return by_record

    async def _on_the_bus(self, records: set[tuple[str, str]], *, confidential: bool) -> _Seen:
        """Read the topics of events once: their keys tell whose they are, so few are decoded."""
        seen = _Seen()
        keys = {f"{system}/{record}".encode(): (system, record) for system, record in records}
        for topic in EVENT_TOPICS:
            if topic == CONTROL:
                continue
            async for delivery in self.bus.read(topic):
                record = keys.get(delivery.key or b"")
                if record is None or (fact := _fact(delivery)) is None:
                    continue
                if confidential or not fact.handling:
                    seen.events.setdefault(record, []).append((delivery, fact))
        return seen

    async def _record(
        self,
        record: tuple[str, str],
        letters: Sequence[DeadLetter],
        seen: _Seen,
        now: datetime,
        *,
        confidential: bool,
    ) -> RecordTrace:
        system, key = record
        steps = [*self._receipts(system, key), *_refusals(letters)]
        events = seen.events.get(record, [])
        pools = []
        if self.reads is not None:
            pools = await self.reads.pools([handle_key(handle(*record))], confidential=confidential)
        stored = {
            fact.id: fact for pool in pools for fact in pool.facts.values() if (fact.system, fact.record) == record
        }
        for delivery, fact in events:
            steps.append(_published(delivery, fact))
            steps.append(_committed(fact) if fact.id in stored else _missing(fact))
        on_the_bus = {fact.id for _, fact in events}
        steps += [_committed(fact) for id, fact in stored.items() if id not in on_the_bus]
        steps = sorted(steps, key=lambda step: step.at or now)[:_MOST_STEPS]
        if pools and self.reads is not None:
            steps += await self._person(record, pools, await self.reads.coverage(), now, confidential=confidential)
        return RecordTrace(system=system, record=key, steps=tuple(steps))

    def _receipts(self, system: str, record: str) -> Iterator[Step]:
        for receipt in self.receipts.find(Query(system=system, record=record)):
            at = datetime.fromisoformat(receipt["at"])
            where = f"{receipt['feed']}: {receipt['batch']}"
            left_out = sum(receipt["filtered"].values())
            yield Step(
                kind=StepKind.RECEIVED,
                at=at,
                where=where,
                what=f"read with {receipt['read']} records: {receipt['published']} published, "
                f"{receipt['dead_lettered']} refused, {left_out} left out",
            )
            rule = self.receipts.rule_of(receipt, record)
            if rule is not None:
                yield Step(kind=StepKind.LEFT_OUT, at=at, where=where, what=f"by the rule {rule}")

    async def _person(
        self,
        record: tuple[str, str],
        pools: Sequence[Pool],
        coverage: Coverage,
        now: datetime,
        *,
        confidential: bool,
    ) -> list[Step]:
        if self.reads is None:
            return []
        failed = await self.reads.quarantined_at([handle_key(handle(*record))])
        if why := {each for each in failed if confidential or not each.startswith(CONFIDENTIAL)}:
            what = f"the program failed at {', '.join(sorted(why))}; its persons are missing from the view"
            return [Step(kind=StepKind.QUARANTINED, where="store", what=what)]
        steps: list[Step] = []
        facts = [fact for pool in pools for fact in pool.facts.values()]
        for history in persons(facts, None, await self.reads.cutoffs()):
            if record not in history.records:
                continue
            others = len(history.records) - 1
            what = f"its record, with {others} others" if others else "its only record"
            steps.append(Step(kind=StepKind.PERSON, where=f"person {history.person}", what=what))
            answer = status(history, int(now.timestamp()), coverage)
            if answer is None:
                steps.append(Step(kind=StepKind.STATUS, where=f"person {history.person}", what="no stay has begun"))
            else:
                mine = {fact.uuid for fact in facts if (fact.system, fact.record) == record}
                by = ", by this record among others" if mine & set(answer.evidence) else ""
                what = f"{answer.outcome} ({answer.rule}, {answer.citation}) since {_second(answer.since)}{by}"
                steps.append(Step(kind=StepKind.STATUS, where=f"stay {answer.stay.id}", what=what))
            for topic in (CHANGES, CONFIDENTIAL_CHANGES) if confidential else (CHANGES,):
                steps += await self._changes(topic, history.person)
        return steps

    async def _changes(self, topic: str, person: str) -> list[Step]:
        steps = []
        async for delivery in self.bus.read(topic):
            if delivery.key != person.encode() or delivery.value is None:
                continue
            body = orjson.loads(delivery.value)
            what = body["outcome"] or ("the person ended" if body["ended"] else "no stay")
            steps.append(
                Step(
                    kind=StepKind.CHANGED,
                    at=datetime.fromisoformat(body["at"]),
                    where=_place(delivery),
                    what=f"change {body['sequence']} of the person: {what}",
                )
            )
        return steps

    async def _file(self, batch: str, asked: str, *, confidential: bool) -> Trace:
        steps = []
        for receipt in self.receipts.find(Query(batch=batch)):
            if not confidential and marked_by_law(self.systems.get(receipt["system"])):
                continue
            at = datetime.fromisoformat(receipt["at"])
            feed = f"{receipt['system']}.{receipt['feed']}"
            counts = f"{receipt['read']} records: {receipt['published']} published, {receipt['dead_lettered']} refused"
            rules = ", ".join(f"{count} left out by {rule}" for rule, count in receipt["filtered"].items())
            steps.append(
                Step(
                    kind=StepKind.RECEIVED, at=at, where=feed, what=", ".join(part for part in (counts, rules) if part)
                )
            )
            if receipt["coverage_withheld"]:
                what = f"{receipt['coverage_withheld']} statements of completeness withheld: records were refused"
                steps.append(Step(kind=StepKind.LEFT_OUT, at=at, where=feed, what=what))
        letters = await read(self.bus, Selection(batch=batch))
        if not confidential:
            letters = await Veil(self.bus, self.reads, self.systems).existing(letters)
        steps += _refusals(letters)
        if not steps:
            raise LookupError(f"nothing is known of {asked}: no receipt and no dead letter names such a file")
        steps.sort(key=lambda step: step.at or datetime.max.replace(tzinfo=UTC))
        return Trace(asked=asked, records=(), batches=tuple(steps[:_MOST_STEPS]), more=max(0, len(steps) - _MOST_STEPS))


def _refusals(letters: Iterable[DeadLetter]) -> Iterator[Step]:
    for letter in letters:
        where = f"{letter.feed}: {letter.batch}, {letter.place}"
        what = f"{shape(letter.reason)} (dead letter {letter.id[:8]})"
        yield Step(kind=StepKind.REFUSED, at=letter.at, where=where, what=what)
        if letter.replayed is not None:
            what = f"dead letter {letter.id[:8]} was read again and published"
            yield Step(kind=StepKind.REPLAYED, at=letter.replayed, where=where, what=what)


def _fact(delivery: Delivery) -> Fact | None:
    try:
        return fact_of(delivery.value) if delivery.value is not None else None
    except Undecodable:
        return None


def _published(delivery: Delivery, fact: Fact) -> Step:
    operation = "taken back" if fact.retract else "amended" if fact.amends else "told"
    part = f" ({fact.part})" if fact.part else ""
    what = f"{fact.kind}{part} {operation}, revision {fact.number}, event {fact.uuid}"
    return Step(kind=StepKind.PUBLISHED, at=_moment(fact.known), where=_place(delivery), what=what)


def _committed(fact: Fact) -> Step:
    return Step(kind=StepKind.COMMITTED, at=_moment(fact.known), where="store", what=f"event {fact.uuid}")


def _missing(fact: Fact) -> Step:
    what = f"event {fact.uuid} is not in the store: no correlator has read it yet, or it refused it (see dead letters)"
    return Step(kind=StepKind.MISSING, where="store", what=what)


def _place(delivery: Delivery) -> str:
    return f"{delivery.partition.topic}/{delivery.partition.number} at {delivery.position}"


def _moment(micro: int) -> datetime:
    return datetime.fromtimestamp(micro / MICRO, UTC)


def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")
