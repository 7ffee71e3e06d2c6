"""Programs: what SEVIS says of a student or exchange visitor, as the pieces of a stay's time line.

Each SEVIS record gives a line of its own, whatever stays there are: in status while the program and the training
behind it run, grace, and then nothing; or the end that a termination makes. A stay takes from it what lies behind its
beginning. Days are counted in the zone of the port of entry, like those of every other period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from msgspec.structs import replace

from schemas.outcomes import Outcome
from services.domain import rules
from services.domain.facts import Fact, end_of_day
from services.domain.history import Interval

FOREVER = 2**62
ENDLESS = date(9990, 1, 1).toordinal()
"""A day from here on is no day of the calendar but the word for "no end"."""
BEGINNINGLESS = date(10, 1, 1).toordinal()
"""And one before this the word for "ever"."""
ALLOWED = frozenset({Outcome.IN_STATUS.value, Outcome.IN_GRACE.value})
BEST_FIRST = tuple(
    outcome.value
    for outcome in (
        Outcome.IN_STATUS,
        Outcome.IN_GRACE,
        Outcome.UNDETERMINED,
        Outcome.TERMINATED,
        Outcome.OVERSTAY_SUSPECTED,
    )
)
"""Of two records of one stay the one that says more for the holder counts: who begins a second program stays on it."""
TAKEN_UP = frozenset({"completed", "registered", "change-of-level", "change-of-program", "transferred", "reactivated"})
"""Reasons of steps by which somebody is seen to follow a program, rather than to hold a form for one."""
ISSUED = frozenset({"created", None})
UNKNOWN = ("no-rule", "")
OVER = "authorised period over, no departure reported"
REPORTED_LATER = "no SEVIS record reaches back to it"


@dataclass(frozen=True, slots=True)
class Record:
    """What stands under one SEVIS ID."""

    id: str  # text of the identifier
    classes: frozenset[str]
    steps: tuple[Fact, ...]  # of the program, by day; of several on one day the last
    periods: tuple[Fact, ...]  # of employment and cap-gap, by their first day
    handling: frozenset[str]

    @property
    def begun(self) -> int:
        """The day (ordinal) from which it says something."""
        return self.steps[0].day

    @property
    def taken_up(self) -> int:
        """The day on which it was more than issued: a form alone makes nobody a student.

        A record of which nobody told the issue was there before its first step.
        """
        if self.steps[0].body.get("reason") not in ISSUED:
            return self.begun
        return next((step.day for step in self.steps if step.body.get("reason") in TAKEN_UP), ENDLESS)

    def without_ends(self, day: int) -> Record:
        """The record without its terminations up to a day, of which a later grant says that they are undone."""
        steps = tuple(step for step in self.steps if step.body["fact"] != "sevis_terminated" or step.day > day)
        return (
            self if len(steps) == len(self.steps) else Record(self.id, self.classes, steps, self.periods, self.handling)
        )


def records_of(facts: Iterable[Fact]) -> list[Record]:
    """The SEVIS records of a person, by their IDs."""
    by_id: dict[str, list[Fact]] = {}
    for fact in facts:
        name = next((text for text in fact.identifiers if text[:6] == "sevis/"), None)
        if name is not None:
            by_id.setdefault(name, []).append(fact)
    records = (_record(name, sorted(parts, key=_order)) for name, parts in sorted(by_id.items()))
    return [record for record in records if record.steps]


def _record(name: str, parts: Sequence[Fact]) -> Record:
    steps: dict[int, Fact] = {}
    ends: str | None = None
    for fact in parts:
        if fact.part != "program":
            continue
        if fact.body["fact"] == "sevis_active":
            ends = fact.body.get("until", ends)
            if "until" not in fact.body and ends is not None:
                # it was taken up, or is active again: nothing is said of its end, so the one that was said last stands
                steps[fact.day] = replace(fact, body=fact.body | {"until": ends})
                continue
        steps[fact.day] = fact
    return Record(
        name,
        frozenset(fact.body["class_of_admission"] for fact in parts if "class_of_admission" in fact.body),
        tuple(steps.values()),
        tuple(fact for fact in parts if fact.part in ("employment", "cap-gap")),
        frozenset(mark for fact in parts for mark in fact.handling),
    )


def _order(fact: Fact) -> tuple[int, int, int, bytes]:
    return (fact.day, fact.body.get("recorded_at", 0), fact.number, fact.id)


@dataclass(slots=True)  # one is made for every stay, and freezing costs
class Programs:
    """The SEVIS records as far as one stay is concerned; `closes` is the day of the next admission."""

    records: Sequence[Record]
    arrival: Fact
    closes: int | None = None

    def line(self, rule: rules.Rule, since: int, day: int, *, named: bool = True) -> list[Interval]:
        """What the records allow from a second on; empty where there is no record.

        A record that had run out before that contradicts the admission: until it says more, nothing is known.
        """
        meant = self._meant(rule, since, day, named)
        cap = rules.transition_end(date.fromordinal(day))
        if cap is not None and rule.basis is rules.Basis.PROGRAM:
            meant = [_kept(record, cap.toordinal()) for record in meant]
        lines = [line_of(record, rule, self.arrival.zone) for record in meant]
        if not lines:
            return []
        held_piece = _best(lines)
        held = at(held_piece, since)
        if held is None:
            first = self._unknown(since, REPORTED_LATER, ())
        elif held.outcome in ALLOWED:
            first = replace(held, since=since, evidence=self._proof(held.evidence))
        else:
            first = self._unknown(since, "SEVIS record had ended before it", held.evidence)
        later = (replace(piece, evidence=self._proof(piece.evidence)) for piece in held_piece if piece.since > since)
        return [first, *later]

    def handling(self) -> set[str]:
        """The marks of all records."""
        return {mark for record in self.records for mark in record.handling}

    def _meant(self, rule: rules.Rule, since: int, day: int, named: bool) -> list[Record]:
        """The record that the arrival names, else the one that covers it or last began before; and later ones."""
        fitting = [record for record in self.records if record.classes & rule.classes]
        names = {text for text in self.arrival.identifiers if text[:6] == "sevis/"} if named else set()
        if names:
            meant = [record for record in self.records if record.id in names]
        else:
            begun = [record for record in fitting if record.begun <= day]
            meant = [max(begun, key=lambda one: self._nearness(one, rule, since))] if begun else []
        closes = ENDLESS if self.closes is None else self.closes
        later = (record for record in fitting if record.begun > day and record.taken_up < closes)
        return [*meant, *(record for record in later if record not in meant)]

    def _nearness(self, record: Record, rule: rules.Rule, since: int) -> tuple[bool, int, str]:
        held = at(line_of(record, rule, self.arrival.zone), since)
        return (held is not None and held.outcome in ALLOWED, record.begun, record.id)

    def _unknown(self, since: int, reason: str, evidence: tuple[str, ...]) -> Interval:
        return Interval(since, Outcome.UNDETERMINED.value, reason, *UNKNOWN, self._proof(evidence))

    def _proof(self, evidence: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({self.arrival.uuid, *evidence}))


def dated(line: Sequence[Interval], rule: rules.Rule, first: Interval, last: int, zone: str) -> list[Interval]:
    """The line of an admission to a fixed day with the grace inside it: SEVIS says only whether that has begun.

    `first` is the piece that the date alone gives, `line` what the records say from there on, or nothing.
    """
    end, grace = over(last, zone), over(last - rule.grace_days, zone)
    moments = {first.since, *(moment for moment in (grace, end) if first.since < moment < FOREVER)}
    moments |= {piece.since for piece in line}
    held_piece: list[Interval] = []
    for moment in sorted(moments):
        piece = _dated(at(line, moment), rule, first, moment, (grace, end))
        if not held_piece or replace(held_piece[-1], since=moment) != replace(piece, since=moment):
            held_piece.append(replace(piece, since=moment))
    return held_piece


def _dated(
    program_piece: Interval | None, rule: rules.Rule, first: Interval, moment: int, bounds: tuple[int, int]
) -> Interval:
    grace, end = bounds
    if moment >= end:
        return _nothing(moment, first.evidence)
    if program_piece is not None and program_piece.outcome == Outcome.TERMINATED:
        return program_piece
    if program_piece is None or program_piece.outcome == Outcome.IN_STATUS:
        return first
    if moment < grace and program_piece.outcome == Outcome.UNDETERMINED:
        return first  # in status by the date, whatever SEVIS does not know
    proof = tuple(sorted({*first.evidence, *program_piece.evidence}))
    return _piece(moment, Outcome.IN_GRACE, "days of grace", rule, proof)


def line_of(record: Record, rule: rules.Rule, zone: str) -> list[Interval]:
    """All that one record says, from its first day on."""
    line: list[Interval] = []
    for step in record.steps:
        if step.body["fact"] == "sevis_terminated":
            line = _terminated(line, step, rule, zone)
        else:
            line = _spliced(line, over(step.day - 1, zone), _running(record, step, rule, zone))
    return line


def _kept(record: Record, cap: int) -> Record:
    """The record as it keeps duration of status for a person admitted so before that ended: a later step of the program
    cannot prolong it, and nothing prolongs it beyond a day.
    """
    from_day, steps, last = rules.FIXED_PERIODS_FROM, list[Fact](), ENDLESS
    for step in record.steps:
        if step.body["fact"] == "sevis_active":
            prolonged = from_day is not None and step.day >= from_day.toordinal()
            last = min(_last_day(step), cap, last if prolonged else ENDLESS)
            step = _until(step, last)
        steps.append(step)
    periods = tuple(_until(period, min(_last_day(period), cap)) for period in record.periods)
    return Record(record.id, record.classes, tuple(steps), periods, record.handling)


def _until(fact: Fact, last: int) -> Fact:
    return replace(fact, body={**fact.body, "until": date.fromordinal(last).isoformat()})


def _running(record: Record, step: Fact, rule: rules.Rule, zone: str) -> list[Interval]:
    """A program up to its last day, the training that reaches beyond it, grace, and then nothing."""
    last = _last_day(step)
    proof: tuple[str, ...] = (step.uuid,)
    if step.body["fact"] == "sevis_active" and last < record.begun:
        reason = "the program ends before its form was issued"
        return [Interval(over(step.day - 1, zone), Outcome.UNDETERMINED.value, reason, *rules.IMPOSSIBLE, proof)]
    pieces = [_piece(over(step.day - 1, zone), Outcome.IN_STATUS, "program active", rule, proof)]
    for period in record.periods:
        end = _last_day(period)
        near = period.day <= last + rule.grace_days + 1
        if near and end > last and period.body.get("reason") in rule.training:
            proof = (*proof, period.uuid)
            pieces.append(_beyond(over(last, zone), period, rule, proof))
            last = end
    if last >= ENDLESS:
        return pieces
    return [*pieces, *_ending(over(last, zone), last + rule.grace_days, rule, proof, zone)]


def _beyond(since: int, period: Fact, rule: rules.Rule, proof: tuple[str, ...]) -> Interval:
    piece = _piece(since, Outcome.IN_STATUS, period.body["reason"].replace("-", " "), rule, proof)
    return replace(piece, rule=rules.CAP_GAP[0], citation=rules.CAP_GAP[1]) if period.part == "cap-gap" else piece


def _terminated(line: list[Interval], step: Fact, rule: rules.Rule, zone: str) -> list[Interval]:
    """What stands after a termination: it takes effect when its day is over."""
    since, reason = over(step.day, zone), step.body.get("reason")
    proof: tuple[str, ...] = (step.uuid,)
    if reason == "violation":
        ended = Interval(since, Outcome.TERMINATED.value, "terminated for a violation", *rules.VIOLATION, proof)
        return _spliced(line, since, [ended])
    held = at(line, since - 1)
    if held is not None and held.outcome != Outcome.IN_STATUS:
        return line  # nobody's time begins anew because a record that had ended is closed
    if reason == "authorized-withdrawal":
        return _spliced(line, since, _ending(since, step.day + rule.withdrawal_days, rule, proof, zone))
    # neither violation nor grace: what became of the holder, other systems know
    program_piece = Interval(since, Outcome.UNDETERMINED.value, "SEVIS record ended administratively", *UNKNOWN, proof)
    return _spliced(line, since, [program_piece])


def _ending(since: int, last: int, rule: rules.Rule, proof: tuple[str, ...], zone: str) -> list[Interval]:
    """The days of grace up to and including the last one, and the time after them."""
    grace = _piece(since, Outcome.IN_GRACE, "days of grace", rule, proof)
    after = _nothing(over(last, zone), proof)
    return [grace, after] if after.since > since else [after]


def _last_day(fact: Fact) -> int:
    until = fact.body.get("until")
    if until is None or until == "D/S":
        return fact.day if fact.body["fact"] == "sevis_completed" else ENDLESS
    return min(date.fromisoformat(until).toordinal(), ENDLESS)


def _piece(since: int, outcome: Outcome, reason: str, rule: rules.Rule, proof: tuple[str, ...]) -> Interval:
    return Interval(since, outcome.value, reason, rule.id, rule.citation, proof)


def _nothing(since: int, proof: tuple[str, ...]) -> Interval:
    return Interval(since, Outcome.OVERSTAY_SUSPECTED.value, OVER, *rules.OVER, proof, absence=True)


def _spliced(line: Sequence[Interval], since: int, pieces: Iterable[Interval]) -> list[Interval]:
    """The line up to a second, and the pieces from there on; of several that begin at one second the last holds."""
    kept = {piece.since: piece for piece in line if piece.since < since}
    for piece in pieces:
        begins = max(piece.since, since)
        kept[begins] = piece if begins == piece.since else replace(piece, since=begins)
    return list(kept.values())


def _best(lines: Sequence[list[Interval]]) -> list[Interval]:
    """One line of several: at every second the piece that says most for the holder."""
    if len(lines) == 1:
        return lines[0]
    held_piece: list[Interval] = []
    before: Interval | None = None
    for moment in sorted({piece.since for line in lines for piece in line}):
        held = (piece for line in lines if (piece := at(line, moment)) is not None)
        best = min(held, key=lambda piece: BEST_FIRST.index(piece.outcome))
        if best is not before:
            held_piece.append(best if best.since == moment else replace(best, since=moment))
            before = best
    return held_piece


def at(line: Sequence[Interval], second: int) -> Interval | None:
    """The piece that holds at a second; None before the line begins."""
    held_piece = None
    for piece in line:
        if piece.since > second:
            break
        held_piece = piece
    return held_piece


def over(day: int, zone: str) -> int:
    """The second at which a local day (ordinal) is over; FOREVER for a day that stands for no end."""
    if BEGINNINGLESS <= day < ENDLESS:
        return end_of_day(day, zone)
    return FOREVER if day >= ENDLESS else -FOREVER
