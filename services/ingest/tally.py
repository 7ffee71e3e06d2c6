"""Reads to messages: mapped, stamped, encoded once, and counted. Synchronous: the host runs it in a thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import zip_longest
from typing import Any

from adapters.core import BadRecord, Filtered, Header, Lost, Mapping_, Note, Origin, Read, Record
from bus.contract import Message
from schemas.events import AnyEvent, Coverage
from schemas.topics import DEAD_LETTERS
from services.authority.guard import Guard
from services.dead_letters import Spool, dead_letter, shape
from services.feeds import Counters
from services.ingest.clocks import Clock
from services.ingest.work import Encoded, Outcome, Work
from services.tracing import Tracing

NAMED = 1_000
"""The number of refused records that a receipt names; all are counted."""

KEYS = 50_000
"""The number of records by whose keys the receipt of a batch is found."""


class Wholesale(Exception):
    """So much of a batch is refused that the source or its adapter is wrong, not the records."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch counts as refused wholesale."""

    share: float
    least: int


@dataclass(slots=True)
class Tally:
    """One batch as it is read: what was counted, refused and said by the source. Used by one thread at a time."""

    origin: Origin
    mapping: Mapping_
    clock: Clock
    spool: Spool
    limits: Limits
    guard: Guard
    mark: str = ""  # of the batch's content
    skip: int = 0  # reads done by an earlier run: mapped again for the receipt, but neither sent nor counted
    tracing: Tracing | None = None  # None: nothing is traced
    trace: str | None = None  # the sender's trace context, which the events carry along
    rejected: str | None = None  # the rule under which all is left out: a person said that none of it is sent
    decided: dict[str, str] | None = None  # that person's word, for the receipt
    numbered: tuple[str, ...] = ()  # the fields of headers that number what is sent
    named: bool = False  # the sender gave the batch its name
    reads: int = 0
    records: int = 0
    read: int = 0
    published: int = 0
    dead_lettered: int = 0
    events: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)  # optional values that were wrong, by field
    reasons: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    lost_values: list[dict[str, str]] = field(default_factory=list)
    coverage: list[dict[str, str]] = field(default_factory=list)
    # of the records, each once, in order, with the rule by which the last of them was left out
    keys: dict[str, str | None] = field(default_factory=dict)
    withheld: int = 0  # coverage events of a batch with refused records
    context: bytes | None = None  # the last note: what a refused record behind it may need to be read again
    ordinal: int = 0  # of the record behind that note
    numbers: list[tuple[str, Any]] = field(default_factory=list)  # of headers, with the hash of what each is above
    used_again: list[str] = field(default_factory=list)  # names and numbers that had come before with other content
    _work: Work = field(init=False)  # done to each read alone

    @property
    def came_again(self) -> bool:
        """Whether the batch is one that was read before under the same name, and nothing else: it has its receipt."""
        return (
            not self.records
            and [each["kind"] for each in self.notes] == ["resent"]
            and (self.notes[0]["fields"].get("read as") == self.origin.batch)
        )

    @property
    def labels(self) -> list[tuple[str, str]]:
        """Name and numbers that the sender gave to the batch, each with a digest of what came with it."""
        name = [(f"the name {self.origin.batch!r}", self.mark)] if self.named else []
        return name + [(number, content.hexdigest()) for number, content in self.numbers]

    @property
    def part(self) -> Counters:
        """What was counted so far, of this batch."""
        return Counters(
            self.read, self.published, self.dead_lettered, dict(self.filtered), self.events, dict(self.lost)
        )

    def resume(self, reads: int, part: Counters) -> None:
        """Go on behind what an earlier run has read and counted."""
        self.skip = reads
        self.read, self.published, self.dead_lettered = part.read, part.published, part.dead_lettered
        self.events, self.filtered, self.lost = part.events, Counter(part.filtered), Counter(part.lost)

    def __post_init__(self) -> None:
        self._work = Work(self.mapping, self.clock, self.guard)

    def messages(self, reads: Sequence[Read], outcomes: Sequence[Outcome | None] = ()) -> list[Message]:
        """Return the messages of the next reads. Raises Wholesale, SpoolDown; then none of the reads are counted.

        `outcomes`: what became of each read, where another process has looked at it; else it is mapped here.
        """
        result: list[Message] = []
        before = self._snapshot()
        try:
            for read, outcome in zip_longest(reads, outcomes):
                self.reads += 1
                if self.numbered:
                    self._number(read)
                result += self._note(read) if isinstance(read, Note) else self._record(read, outcome)
        except BaseException:
            # the same reads come again (SpoolDown) or never (Wholesale): either way they were not counted
            self._restore(before)
            raise
        return result

    def _number(self, read: Read) -> None:
        """Take down the number of a header, and what comes behind it."""
        if isinstance(read, Header):
            values = [str(read.fields[name]) for name in self.numbered if read.fields.get(name) is not None]
            if len(values) == len(self.numbered):
                number = " ".join(f"{name} {value}" for name, value in zip(self.numbered, values, strict=True))
                self.numbers.append((number, blake2b(digest_size=16)))
        if self.numbers:
            self.numbers[-1][1].update(read.raw)

    def _snapshot(self) -> tuple[Any, ...]:
        numbers = tuple(getattr(self, name) for name in _NUMBERS)
        lengths = (len(self.refused), len(self.notes), len(self.coverage), len(self.lost_values), len(self.keys))
        hashed = [*self.numbers[:-1], *((number, content.copy()) for number, content in self.numbers[-1:])]
        return numbers, self.filtered.copy(), self.lost.copy(), self.reasons.copy(), lengths, hashed

    def _restore(self, before: tuple[Any, ...]) -> None:
        numbers, self.filtered, self.lost, self.reasons, lengths, self.numbers = before
        refused, notes, coverage, lost, keys = lengths
        for name, number in zip(_NUMBERS, numbers, strict=True):
            setattr(self, name, number)
        del self.refused[refused:], self.notes[notes:], self.coverage[coverage:], self.lost_values[lost:]
        self.keys = dict(list(self.keys.items())[:keys])

    def _record(self, read: Record | BadRecord, before: Outcome | None = None) -> list[Message]:
        self.records += 1
        self.ordinal += 1
        outcome = self._mapped(read, before)
        skipped = self.reads <= self.skip
        if isinstance(outcome, BadRecord):
            self._remember(outcome)
            if skipped:
                return []
            self.read += 1
            self.dead_lettered += 1
            self._check()
            return [dead_letter(outcome, self.origin, self.spool, context=self.context, ordinal=self.ordinal)]
        if isinstance(outcome, Filtered):
            if outcome.record is not None:
                self._named(outcome.record, outcome.rule)
            if not skipped:
                self.read += 1
                self.filtered[outcome.rule] += 1
            return []
        self._remember_events(outcome)
        self._lose(read, outcome.lost, counted=not skipped)
        if skipped:
            return []
        self.read += 1
        self.published += 1
        self.events += len(outcome.messages)
        if self.tracing is not None:
            return self.tracing.published(self.origin.system, self.origin.feed, outcome.messages)
        return outcome.messages

    def _note(self, read: Note) -> list[Message]:
        """A note is remembered, and is no record."""
        outcome = self._mapped(read, None)
        if len(self.notes) < NAMED:
            kind = type(read).__name__.lower()
            self.notes.append({"place": read.place, "kind": kind, "fields": dict(read.fields)})
        if isinstance(outcome, BadRecord):
            self._remember(outcome)
            outcome = Encoded([dead_letter(outcome, self.origin, self.spool, counted=False, context=self.context)])
        self.context, self.ordinal = read.raw or None, 0
        if isinstance(outcome, Filtered):
            return []
        self._remember_events(outcome)
        skipped = self.reads <= self.skip
        self._lose(read, outcome.lost, counted=not skipped)
        if skipped:
            return []
        self.events += sum(1 for message in outcome.messages if message.topic != DEAD_LETTERS)
        return outcome.messages

    def _mapped(self, read: Read, before: Outcome | None) -> Outcome:
        outcome = before
        if outcome is None:
            vouched = self._vouched if isinstance(read, Note) else None
            outcome = self._work.outcome(read, self.origin, self.trace, vouched)
        if self.rejected is None:
            return outcome
        if isinstance(outcome, Encoded):
            return Filtered(self.rejected, outcome.records[0] if outcome.records else None)
        return Filtered(self.rejected, outcome.record)

    def _vouched(self, events: Sequence[AnyEvent]) -> Sequence[AnyEvent]:
        """Return the events of a note, without its coverage if a record of the batch was refused.

        A departure among the dead letters is a departure that is not told: no person may become an overstayer by it.
        The owner vouches again with a mended file.
        """
        if not self.dead_lettered:
            return events
        kept = [event for event in events if not isinstance(event, Coverage)]
        self.withheld += len(events) - len(kept)
        return kept

    def _named(self, record: str, rule: str | None = None) -> None:
        if len(self.keys) < KEYS:
            self.keys[record] = rule

    def _remember_events(self, outcome: Encoded) -> None:
        for event in outcome.coverage:
            self._covered(event)
        for record in outcome.records:
            self._named(record)

    def _covered(self, event: Coverage) -> None:
        if len(self.coverage) < NAMED:
            self.coverage.append(
                {"scope": event.scope, "since": event.since.isoformat(), "through": event.through.isoformat()}
            )

    def _lose(self, read: Record | Note | BadRecord, lost: Sequence[Lost], *, counted: bool) -> None:
        for each in lost:
            self.lost[each.name] += counted
            if len(self.lost_values) < NAMED:
                value = {"place": read.place, "field": each.name, "reason": shape(each.reason)}
                self.lost_values.append(value)

    def _remember(self, bad: BadRecord) -> None:
        reason = shape(bad.reason)
        self.reasons[reason if reason in self.reasons or len(self.reasons) < NAMED else "other"] += 1
        if bad.record is not None:
            self._named(bad.record)
        if len(self.refused) < NAMED:
            self.refused.append({"place": bad.place, "reason": bad.reason, "shape": reason})

    def _check(self) -> None:
        """Raise Wholesale if too many records of the batch are refused."""
        if self.read >= self.limits.least and self.dead_lettered > self.limits.share * self.read:
            ((why, _),) = self.reasons.most_common(1)
            raise Wholesale(
                f"{self.dead_lettered} of the first {self.read} records of {self.origin.batch} are refused, "
                f"most often because: {why}"
            )


_NUMBERS = (
    *("reads", "records", "read", "published", "dead_lettered", "events", "withheld"),
    *("context", "ordinal"),
)
