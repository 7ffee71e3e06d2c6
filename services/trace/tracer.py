"""Follow a record through receipts, dead letters, the bus, the store and the changes that were told.

Who lacks the right to what the law keeps confidential is answered as if no such record were known: also of one that was
only ever refused, where its system may hold such records (`services.redaction`), for its mark cannot be told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from adapters.core import System
from bus.contract import Bus, Delivery
from schemas.ids import handle
from schemas.operations import RecordTrace, Step, StepKind, Trace
from schemas.topics import CHANGES, CONFIDENTIAL_CHANGES, EVENT_TOPICS
from services.dead_letters import DeadLetter, Selection, read, shape
from services.domain.coverage import NOTHING, Coverage
from services.domain.facts import MICRO, Fact, handle_key, key_hash
from services.domain.history import History
from services.domain.pools import merged_facts
from services.domain.resolve import persons, status
from services.receipts import Index, Query
from services.record_events import Ref, events_of, fact_in
from services.redaction import Veil, marked_by_law, may_be_marked
from services.store.contract import CONFIDENTIAL
from services.store.reads import SqlReads
from services.trace.questions import About, ByEvent, ByFile, ByIdentifier, ByRecord
from services.unreadable import UNREADABLE, pass_over

MOST_RECORDS = 50
"""Records of one answer, at most."""
_MOST_STEPS = 200


Events = dict[Ref, list[tuple[Delivery, Fact]]]
"""The events of each record on the bus, in their order there."""


@dataclass(frozen=True, slots=True)
class _View:
    """What the store has of one record: the facts of its pools, and the persons whose record it is."""

    facts: tuple[Fact, ...] = ()
    persons: tuple[History, ...] = ()
    failed: tuple[str, ...] = ()  # where the program failed at its pools


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
        events = await self._on_the_bus(set(shown), confidential=confidential)
        if not confidential:
            shown = [record for record in shown if record not in letters or self._known_open(record, events)]
        views = await self._views(shown, confidential=confidential)
        changes = await self._changes({each.person for view in views.values() for each in view.persons}, confidential)
        coverage = await self.reads.coverage() if self.reads is not None else NOTHING
        traces = [
            RecordTrace(
                system=record[0],
                record=record[1],
                steps=(
                    *self._way(
                        record,
                        letters.get(record, []),
                        events.get(record, []),
                        views[record],
                        now,
                        confidential=confidential,
                    ),
                    *_whose(record, views[record], coverage, changes, now),
                ),
            )
            for record in shown
        ]
        whole = tuple(trace for trace in traces if trace.steps)
        if not whole:
            raise LookupError(
                f"nothing is known of {asked}: no receipt, no dead letter, no event, no record in the store"
            )
        return Trace(asked=asked, records=whole, batches=(), more=max(0, len(records) - MOST_RECORDS))

    def _known_open(self, record: Ref, events: Events) -> bool:
        """Whether a record that was refused is known to be open: by its system, or by what it said besides."""
        return record in events or not may_be_marked(self.systems.get(record[0]))

    async def _records(self, about: ByRecord | ByEvent | ByIdentifier, *, confidential: bool) -> list[Ref]:
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

    async def _existing(self, records: list[Ref], *, confidential: bool) -> list[Ref]:
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
                    fact = fact_in(delivery)
                    if fact is not None:
                        yield fact

    async def _letters(self, records: set[Ref]) -> dict[Ref, list[DeadLetter]]:
        by_record: dict[Ref, list[DeadLetter]] = {}
        for letter in await read(self.bus, Selection()):
            if letter.record is not None and (letter.system, letter.record) in records:
                by_record.setdefault((letter.system, letter.record), []).append(letter)
        return by_record

    async def _on_the_bus(self, records: set[Ref], *, confidential: bool) -> Events:
        events: Events = {}
        async for record, delivery, fact in events_of(self.bus, records):
            if confidential or not fact.handling:
                events.setdefault(record, []).append((delivery, fact))
        return events

    async def _views(self, records: Sequence[Ref], *, confidential: bool) -> dict[Ref, _View]:
        if self.reads is None:
            return dict.fromkeys(records, _View())
        cutoffs = await self.reads.cutoffs(confidential=confidential)
        views = {}
        for record in records:
            keys = [handle_key(handle(*record))]
            facts = merged_facts(await self.reads.pools(keys, confidential=confidential))
            places = await self.reads.quarantined_at(keys) if facts else set()
            failed = sorted(each for each in places if confidential or not each.startswith(CONFIDENTIAL))
            of = () if failed else tuple(each for each in persons(facts, None, cutoffs) if record in each.records)
            views[record] = _View(tuple(facts), of, tuple(failed))
        return views

    def _way(
        self,
        record: Ref,
        letters: Sequence[DeadLetter],
        events: Sequence[tuple[Delivery, Fact]],
        view: _View,
        now: datetime,
        *,
        confidential: bool,
    ) -> list[Step]:
        """The steps of a record from its batch to the store, by time."""
        steps = [*self._receipts(*record, confidential=confidential), *_refusals(letters)]
        stored = {fact.id: fact for fact in view.facts if (fact.system, fact.record) == record}
        for delivery, fact in events:
            steps.append(_published(delivery, fact))
            steps.append(_committed(fact) if fact.id in stored else _missing(fact))
        on_the_bus = {fact.id for _, fact in events}
        steps += [_committed(fact) for id, fact in stored.items() if id not in on_the_bus]
        return sorted(steps, key=lambda step: step.at or now)[:_MOST_STEPS]

    def _receipts(self, system: str, record: str, *, confidential: bool) -> Iterator[Step]:
        counted = confidential or not may_be_marked(self.systems.get(system))
        for receipt in self.receipts.find(Query(system=system, record=record)):
            at = datetime.fromisoformat(receipt["at"])
            where = f"{receipt['feed']}: {receipt['batch']}"
            left_out = sum(receipt["filtered"].values())
            yield Step(
                kind=StepKind.RECEIVED,
                at=at,
                where=where,
                what=f"read with {receipt['read']} records: {receipt['published']} published, "
                f"{receipt['dead_lettered']} refused, {left_out} left out{_decided(receipt)}"
                if counted
                else f"read{_decided(receipt)}",
            )
            rule = self.receipts.rule_of(receipt, record)
            if rule is not None:
                yield Step(kind=StepKind.LEFT_OUT, at=at, where=where, what=f"by the rule {rule}")

    async def _changes(self, of: Collection[str], confidential: bool) -> dict[str, list[Step]]:
        """The changes told of persons, by person. Each topic is read once for all of them."""
        keys = {person.encode(): person for person in of}
        changes: dict[str, list[Step]] = {}
        for topic in (CHANGES, CONFIDENTIAL_CHANGES) if confidential else (CHANGES,):
            if not keys:
                break
            async for delivery in self.bus.read(topic):
                person = keys.get(delivery.key or b"")
                if person is None or delivery.value is None:
                    continue
                try:
                    step = _changed(delivery, orjson.loads(delivery.value))
                except UNREADABLE as error:  # of a writer that is none of ours
                    pass_over(delivery, error)
                    continue
                changes.setdefault(person, []).append(step)
        return changes

    async def _file(self, batch: str, asked: str, *, confidential: bool) -> Trace:
        steps = []
        for receipt in self.receipts.find(Query(batch=batch)):
            if not confidential and marked_by_law(self.systems.get(receipt["system"])):
                continue
            at = datetime.fromisoformat(receipt["at"])
            feed = f"{receipt['system']}.{receipt['feed']}"
            if not confidential and may_be_marked(self.systems.get(receipt["system"])):
                steps.append(Step(kind=StepKind.RECEIVED, at=at, where=feed, what="read"))
                continue
            counts = f"{receipt['read']} records: {receipt['published']} published, {receipt['dead_lettered']} refused"
            rules = ", ".join(f"{count} left out by {rule}" for rule, count in receipt["filtered"].items())
            steps.append(
                Step(
                    kind=StepKind.RECEIVED,
                    at=at,
                    where=feed,
                    what=", ".join(part for part in (counts, rules) if part) + _decided(receipt),
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
            raise LookupError(
                f"nothing is known of {asked}: no receipt and no dead letter names such a file; a record is asked for "
                "by SYSTEM KEY (I94 99000000001), a number by SCHEME/NUMBER (i94/123456789A1)"
            )
        steps.sort(key=lambda step: step.at or datetime.max.replace(tzinfo=UTC))
        return Trace(asked=asked, records=(), batches=tuple(steps[:_MOST_STEPS]), more=max(0, len(steps) - _MOST_STEPS))


def _decided(receipt: dict[str, Any]) -> str:
    """A person's word on a batch that waited for one; receipts of earlier versions have none."""
    word = receipt.get("decided")
    if not word:
        return ""
    done = {"release": "released", "reject": "rejected"}.get(word["word"], word["word"])
    return f"; {done} by {word['by']} at {word['at'][:19]}Z: {word['why']}"


def _refusals(letters: Iterable[DeadLetter]) -> Iterator[Step]:
    for letter in letters:
        where = f"{letter.feed}: {letter.batch}, {letter.place}"
        what = f"{shape(letter.reason)} (dead letter {letter.id[:8]})"
        yield Step(kind=StepKind.REFUSED, at=letter.at, where=where, what=what)
        if letter.replayed is not None:
            what = f"dead letter {letter.id[:8]} was read again and published"
            yield Step(kind=StepKind.REPLAYED, at=letter.replayed, where=where, what=what)


def _whose(
    record: Ref, view: _View, coverage: Coverage, changes: Mapping[str, Sequence[Step]], now: datetime
) -> Iterator[Step]:
    """Whose record it is, that person's status by it, and the changes told of the person."""
    if view.failed:
        what = f"the program failed at {', '.join(view.failed)}; its persons are missing from the view"
        yield Step(kind=StepKind.QUARANTINED, where="store", what=what)
    for history in view.persons:
        others = len(history.records) - 1
        what = f"its record, with {others} others" if others else "its only record"
        yield Step(kind=StepKind.PERSON, where=f"person {history.person}", what=what)
        answer = status(history, int(now.timestamp()), coverage)
        if answer is None:
            yield Step(kind=StepKind.STATUS, where=f"person {history.person}", what="no stay has begun")
        else:
            mine = {fact.uuid for fact in view.facts if (fact.system, fact.record) == record}
            by = ", by this record among others" if mine & set(answer.evidence) else ""
            what = f"{answer.outcome} ({answer.rule}, {answer.citation}) since {_second(answer.since)}{by}"
            yield Step(kind=StepKind.STATUS, where=f"stay {answer.stay.id}", what=what)
        yield from changes.get(history.person, ())


def _changed(delivery: Delivery, body: Mapping[str, Any]) -> Step:
    what = body["outcome"] or ("the person ended" if body["ended"] else "no stay")
    return Step(
        kind=StepKind.CHANGED,
        at=datetime.fromisoformat(body["at"]),
        where=_place(delivery),
        what=f"change {body['sequence']} of the person: {what}",
    )


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
