"""Reads to messages: mapped, stamped, encoded once, and counted. Synchronous: the host runs it in a thread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.core import BadRecord, Filtered, Lost, Mapping_, Note, Origin, Read, Record
from bus.contract import Message
from bus.events import message_of
from schemas.events import AnyEvent, Coverage, stamped
from schemas.topics import DEAD_LETTERS
from services.dead_letters import Spool, dead_letter
from services.feeds import NONE, Counters
from services.ingest.clocks import Clock

NAMED = 1_000
"""So many refused records are named in a receipt; all are counted."""


_VALUE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"| \(hex [^)]*\)|\b\d[\d-]{3,}""")


def shape(reason: str) -> str:
    """A reason without the values in it: logs get no part of a record, and records that fail alike look alike."""
    return _VALUE.sub(lambda value: "" if value[0].startswith(" ") else "...", reason)


class Wholesale(Exception):
    """So much of a batch is refused that the source or its adapter is wrong, not the records."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch counts as refused wholesale."""

    share: float
    least: int


@dataclass(slots=True)
class Tally:
    """One batch as it is read: what was counted, refused and told of itself. Used by one thread at a time."""

    origin: Origin
    mapping: Mapping_
    clock: Clock
    spool: Spool
    limits: Limits
    skip: int = 0  # reads done by an earlier run: mapped again for the receipt, but neither sent nor counted
    reads: int = 0
    records: int = 0
    part: Counters = NONE
    reasons: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    coverage: list[dict[str, str]] = field(default_factory=list)
    lost: list[dict[str, str]] = field(default_factory=list)  # optional values that were wrong
    context: bytes | None = None  # the last note: what a refused record behind it may need to be read again
    ordinal: int = 0  # of the record behind that note
    withheld: int = 0  # coverage events of a batch with refused records
    trace: str | None = None  # the sender's trace context, which the events carry along

    def messages(self, reads: Sequence[Read]) -> list[Message]:
        """The messages of the next reads. Raises Wholesale, SpoolDown."""
        result: list[Message] = []
        context, ordinal = self.context, self.ordinal
        before = (
            self.reads,
            self.records,
            self.part,
            self.reasons.copy(),
            len(self.refused),
            len(self.notes),
            len(self.coverage),
            len(self.lost),
        )
        try:
            for read in reads:
                self.reads += 1
                result += self._note(read) if isinstance(read, Note) else self._record(read)
        except BaseException:
            # the same reads come again (SpoolDown) or never (Wholesale): either way they were not counted
            self.reads, self.records, self.part, self.reasons, refused, notes, coverage, lost = before
            self.context, self.ordinal = context, ordinal
            del self.refused[refused:], self.notes[notes:], self.coverage[coverage:], self.lost[lost:]
            raise
        return result

    def _record(self, read: Record | BadRecord) -> list[Message]:
        self.records += 1
        self.ordinal += 1
        done = self.reads <= self.skip
        outcome = self._mapped(read)
        if isinstance(outcome, BadRecord):
            self._remember(outcome)
            if done:
                return []
            self._count(Counters(read=1, dead_lettered=1))
            return [dead_letter(outcome, self.origin, self.spool, context=self.context, ordinal=self.ordinal)]
        if done:
            return []
        if isinstance(outcome, Filtered):
            self._count(Counters(read=1, filtered={outcome.rule: 1}))
            return []
        messages, lost = outcome
        self._remember_lost(read, lost)
        self._count(Counters(read=1, published=1, events=len(messages), lost=Counter(each.name for each in lost)))
        return messages

    def _note(self, read: Note) -> list[Message]:
        """A note is told and remembered, and no record."""
        outcome = self._mapped(read)
        if len(self.notes) < NAMED:
            told = {"place": read.place, "kind": type(read).__name__.lower(), "fields": dict(read.fields)}
            self.notes.append(told)
        if isinstance(outcome, BadRecord):
            self._remember(outcome)
            outcome = [dead_letter(outcome, self.origin, self.spool, counted=False, context=self.context)], ()
        self.context, self.ordinal = read.raw or None, 0
        if self.reads <= self.skip or isinstance(outcome, Filtered):
            return []
        messages, lost = outcome
        self._remember_lost(read, lost)
        self._count(Counters(events=sum(1 for message in messages if message.topic != DEAD_LETTERS)))
        return messages

    def _mapped(self, read: Read) -> tuple[list[Message], Sequence[Lost]] | Filtered | BadRecord:
        if isinstance(read, BadRecord):
            return read
        try:
            outcome = self.mapping(read, self.origin)
            if isinstance(outcome, Filtered):
                return outcome
            events = self._vouched(outcome.events) if isinstance(read, Note) else outcome.events
            if not events and isinstance(read, Record):
                return self._bug(read, "neither an event nor a rule that leaves the record out")
            return self._encoded(events), outcome.lost
        except BadRecord as bad:
            return bad
        except Exception as error:
            # Whatever a mapping raises is a bug of the adapter, and a bug must cost no record: it is kept and told.
            return self._bug(read, type(error).__name__)

    def _vouched(self, events: Sequence[AnyEvent]) -> Sequence[AnyEvent]:
        """The events of a note, without its coverage if a record of the batch was refused.

        A departure among the dead letters is a departure not told: nobody may become an overstayer by it. The owner
        vouches again with a mended file.
        """
        if not self.part.dead_lettered:
            return events
        kept = [event for event in events if not isinstance(event, Coverage)]
        self.withheld += len(events) - len(kept)
        return kept

    @staticmethod
    def _bug(read: Record | Note, what: str) -> BadRecord:
        return BadRecord(f"adapter error: {what}", place=read.place, raw=read.raw)

    def _encoded(self, events: Sequence[AnyEvent]) -> list[Message]:
        result = []
        for event in events:
            if event.system != self.origin.system:
                raise ValueError("an event of another system")
            result.append(message_of(stamped(event, self.clock(event)), self.trace))
        for event in events:
            self._covered(event)
        return result

    def _covered(self, event: AnyEvent) -> None:
        if isinstance(event, Coverage) and len(self.coverage) < NAMED:
            self.coverage.append(
                {"scope": event.scope, "since": event.since.isoformat(), "through": event.through.isoformat()}
            )

    def _remember_lost(self, read: Record | Note | BadRecord, lost: Sequence[Lost]) -> None:
        for each in lost[: max(0, NAMED - len(self.lost))]:
            self.lost.append({"place": read.place, "name": each.name, "reason": each.reason})

    def _remember(self, bad: BadRecord) -> None:
        known = bad.reason in self.reasons or len(self.reasons) < NAMED
        self.reasons[bad.reason if known else "other"] += 1
        if len(self.refused) < NAMED:
            self.refused.append({"place": bad.place, "record": bad.record, "reason": bad.reason})

    def _count(self, one: Counters) -> None:
        self.part = self.part.plus(one)
        refused, read = self.part.dead_lettered, self.part.read
        if read >= self.limits.least and refused > self.limits.share * read:
            shapes: Counter[str] = Counter()
            for reason, times in self.reasons.items():
                shapes[shape(reason)] += times
            ((why, _),) = shapes.most_common(1)
            raise Wholesale(
                f"{refused} of the first {read} records of {self.origin.batch} are refused, most often because: {why}"
            )
