"""Occurrences: which reports of crossings, filings and decisions tell of one, and what they say together.

Whoever names another record as its origin repeats it. Else two reports can be of one occurrence only if two systems
made them: one system's records under two keys are two occurrences. Ties are taken up surest first (origin, admission
number, one inspection, nearness; then the nearer in time; then start and id), and each joins the two groups that it
touches unless these contradict each other. So an occurrence is what a chain of ties joins without contradiction: a
function of the set of facts, whatever order they came in.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import combinations
from typing import Any

from msgspec.structs import replace

from services.domain import rules
from services.domain.facts import Fact, end_of_day

DAY = 86_400
DAYS_APART = 3 * DAY
"""Seconds: what happened on one day, in whatever zones, does not lie further apart."""
PLACE = frozenset({"port", "mode", "carrier", "conveyance"})
SAME = ("inspection", "class_of_admission", "asks", "requested_class", "granted_class")
"""Whoever says otherwise in one of these has nothing to add but where it was."""


class Tie(IntEnum):
    """Why two reports are of one crossing, surest first."""

    ORIGIN = 0
    NUMBER = 1  # one admission number, a day apart at most
    INSPECTION = 2  # one airport within the hour, whatever flight each names: it may have two numbers
    NEAR = 3


Group = list[Fact]
Reports = dict[str, tuple[str, ...]]
"""The event id that stands for an occurrence -> the ids of all its reports, the most authoritative first."""


def gathered(facts: Sequence[Fact]) -> tuple[Sequence[Fact], Reports]:
    """A person's facts with each occurrence told by several reports as one fact, and which reports those are."""
    if _reported_once(facts):
        return facts, {}
    occurred: list[Fact] = []
    reports: Reports = {}
    for group in (*_crossings(facts), *_steps(facts), *([fact] for fact in facts if fact.kind == "status")):
        occurred.append(as_one(group))
        if len(group) > 1:
            reports[occurred[-1].uuid] = tuple(fact.uuid for fact in sorted(group, key=_rank))
    return occurred, reports


def _reported_once(facts: Iterable[Fact]) -> bool:
    """Whether no two facts can be of one occurrence, as far as that can be seen at once. Nearly always so."""
    system = ""
    receipts: dict[str, str] = {}
    for fact in facts:
        if fact.origin is not None:
            return False
        kind = fact.kind
        if kind == "arrival":
            if system and fact.system != system:
                return False
            system = fact.system
        elif kind == "extension" and receipts.setdefault(fact.body["receipt"], fact.system) != fact.system:
            return False
    return True


def as_one(reports: Sequence[Fact]) -> Fact:
    """What reports of one occurrence say together: the most authoritative, and what it leaves out from the next."""
    if len(reports) == 1:
        return reports[0]
    lead, *others = sorted(reports, key=_rank)
    body = dict(lead.body)
    named: set[str] = set() if lead.claim is None else set(lead.numbers)
    marks: set[str] = set(lead.handling)
    for other in others:
        agrees = _agree(body, other.body)
        for name, value in other.body.items():
            if name not in body and (agrees or name in PLACE):
                body[name] = value
        if other.claim is not None:
            named.update(other.claim.identifiers, other.numbers)
        marks.update(other.handling)
    if lead.claim is not None:
        named.difference_update(lead.claim.identifiers)
    merged = replace(lead, body=body, numbers=tuple(sorted(named)), handling=tuple(sorted(marks)))
    timed = next((fact for fact in others if not fact.whole_day and fact.day == lead.day), None)
    if lead.whole_day and timed is not None and lead.kind != "extension":
        merged = replace(merged, start=timed.start, whole_day=False, zone=timed.zone)
    return merged


def _agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether neither says otherwise than the other in what both tell of `SAME`."""
    return all(one[name] == other[name] for name in SAME if name in one and name in other)


def _rank(fact: Fact) -> tuple[int, int, int, int, bytes]:
    """The most authoritative first. Departures have their own order: what each is evidence of.

    A copy of a departure is never believed before what it repeats, whatever evidence it gives.
    """
    if fact.kind == "departure":
        return (int(_origin(fact) is not None), *believed(fact))
    return (0, rules.authority(fact.kind, fact.system), 0, fact.start, fact.id)


def believed(departure: Fact) -> tuple[int, int, int, bytes]:
    """The order in which reports of departures are believed: evidence, who saw it before who repeats it, the later."""
    place = rules.EVIDENCE_ORDER.index(departure.body["evidence"])
    return (place, departure.system in rules.DERIVED, -departure.start, departure.id)


def same_crossing(one: Fact, other: Fact) -> bool:
    """Whether two reports that name one stay are of one crossing: near in time, or in days without one."""
    if one.whole_day or other.whole_day:
        return abs(one.day - other.day) <= 1
    return abs(one.start - other.start) <= rules.ONE_CROSSING


def _crossings(facts: Sequence[Fact]) -> Iterator[Group]:
    """Arrivals, and departures as far as their origin is told: visits gather those by the stay that they end."""
    arrivals = [fact for fact in facts if fact.kind == "arrival"]
    departures = [fact for fact in facts if fact.kind == "departure"]
    between = sorted(
        fact.start for fact in departures if not fact.whole_day and fact.body["evidence"] in rules.ACCEPTED
    )
    yield from _joined(arrivals, sorted([*_repeats(arrivals), *_near(arrivals)], key=_order), between)
    yield from _joined(departures, sorted(_repeats(departures), key=_order), between)


def _steps(facts: Sequence[Fact]) -> Iterator[Group]:
    """Filings and decisions: what two systems tell of one receipt within the days that one may lag behind."""
    by_step: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if fact.kind == "extension":
            by_step.setdefault((fact.body["receipt"], fact.body["action"]), []).append(fact)
    for reported in by_step.values():
        ties = [
            (Tie.NEAR, one, other)
            for one, other in combinations(reported, 2)
            if one.system != other.system and abs(one.day - other.day) <= rules.ONE_STEP
        ]
        yield from _joined(reported, sorted([*_repeats(reported), *ties], key=_order), ())


Tied = tuple[Tie, Fact, Fact]


def _order(tied: Tied) -> tuple[int, int, int, bytes, int, bytes]:
    tie, one, other = tied
    if (one.start, one.id) > (other.start, other.id):
        one, other = other, one
    return (tie, _between(one, other), one.start, one.id, other.start, other.id)


def _between(one: Fact, other: Fact) -> int:
    """Seconds between two reports. Where one has no time, a report with one is nearer."""
    if one.whole_day or other.whole_day:
        return DAY * (1 + abs(one.day - other.day))
    return abs(one.start - other.start)


def _repeats(facts: Sequence[Fact]) -> Iterator[Tied]:
    """Ties by origin: to the record that is named, the nearest part of it, or to others that name it too."""
    by_record: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        by_record.setdefault((fact.system, fact.record), []).append(fact)
    first: dict[tuple[str, str], Fact] = {}
    for fact in sorted(facts, key=lambda fact: (fact.start, fact.id)):
        origin = _origin(fact)
        if origin is None:
            continue
        named = [(Tie.ORIGIN, fact, other) for other in by_record.get(origin, ())]
        if named:
            yield min(named, key=_order)
        else:
            yield (Tie.ORIGIN, first.setdefault(origin, fact), fact)


def _origin(fact: Fact) -> tuple[str, str] | None:
    """The record that a fact repeats, if that is another one than its own."""
    return None if fact.origin == (fact.system, fact.record) else fact.origin


def _near(arrivals: Sequence[Fact]) -> Iterator[Tied]:
    """Ties of arrivals by number, time, place and carrier. A copy has none beside its original."""
    records = {(fact.system, fact.record) for fact in arrivals}
    ordered = sorted((fact for fact in arrivals if _origin(fact) not in records), key=lambda fact: fact.start)
    for place, one in enumerate(ordered):
        for later in range(place + 1, len(ordered)):
            other = ordered[later]
            if other.start - one.start > DAYS_APART:
                break
            tie = _tie(one, other)
            if tie is not None:
                yield (tie, one, other)


def _tie(one: Fact, other: Fact) -> Tie | None:
    if one.system == other.system:
        return None
    if numbers_of(one) & numbers_of(other):
        return Tie.NUMBER if same_crossing(one, other) else None
    if not _at_once(one, other):
        return None
    timed = not (one.whole_day or other.whole_day)
    by_air = one.body.get("mode") == other.body.get("mode") == "air"
    if timed and by_air and "port" in one.body and one.body["port"] == other.body.get("port"):
        return Tie.INSPECTION if abs(one.start - other.start) <= rules.ONE_INSPECTION else Tie.NEAR
    return Tie.NEAR


def _at_once(one: Fact, other: Fact) -> bool:
    """Whether they may be of one time. A day may have been written down in either's zone, across a date line too."""
    if not (one.whole_day or other.whole_day):
        return abs(one.start - other.start) <= rules.ONE_ARRIVAL
    return one.day == other.day or (one.start < over(other) and other.start < over(one))


def over(fact: Fact) -> int:
    """The first second behind what a report tells of."""
    return end_of_day(fact.day, fact.zone) if fact.whole_day else fact.start + 1


def _joined(facts: Iterable[Fact], ties: Iterable[Tied], departures: Sequence[int]) -> list[Group]:
    """The groups that the ties make in their order."""
    groups = {fact.id: [fact] for fact in facts}
    for tie, one, other in ties:
        mine, theirs = groups[one.id], groups[other.id]
        if mine is theirs or (tie is not Tie.ORIGIN and _apart(mine, theirs, tie, departures)):
            continue
        mine += theirs
        for fact in theirs:
            groups[fact.id] = mine
    return list({id(group): group for group in groups.values()}.values())


def _apart(one: Group, other: Group, tie: Tie, departures: Sequence[int]) -> bool:
    """Whether two groups contradict each other, as far as the tie between them does not outweigh it."""
    if _sources(one) & _sources(other):
        return True
    if one[0].kind != "arrival":
        return False
    if _contradict(_numbers(one), _numbers(other)):
        return True
    one, other = _voices(one), _voices(other)
    if _left_between(one, other, departures):
        return True
    if tie <= Tie.NUMBER:
        return False
    names = ("port",) if tie <= Tie.INSPECTION else ("port", "carrier", "conveyance")
    return any(_contradict(_values(one, name), _values(other, name)) for name in names)


def _sources(group: Group) -> set[str]:
    """The systems whose records a group holds, or repeats. A copy that names its original is that one's.

    So two copies in one system keep two originals of one crossing no more apart than these are.
    """
    return {fact.system if (origin := _origin(fact)) is None else origin[0] for fact in group}


def _voices(group: Group) -> Group:
    """Those who say when and where it was: copies only where there is nobody else."""
    return [fact for fact in group if _origin(fact) is None] or group


def _contradict(one: set[str], other: set[str]) -> bool:
    return bool(one) and bool(other) and one.isdisjoint(other)


def _values(group: Group, name: str) -> set[str]:
    return {fact.body[name] for fact in group if name in fact.body}


def _numbers(group: Group) -> set[str]:
    return set().union(*map(numbers_of, group))


def _left_between(one: Group, other: Group, departures: Sequence[int]) -> bool:
    """Whether somebody left between them, or they lie further apart than one crossing can."""
    starts = [fact.start for fact in (*one, *other) if not fact.whole_day]
    if len(starts) < 2:
        return False
    first, last = min(starts), max(starts)
    return last - first > rules.ONE_CROSSING or bisect_right(departures, first) < bisect_left(departures, last)


def beside(arrivals: Sequence[Fact], encounters: Iterable[Fact]) -> Reports:
    """The event id of an arrival -> those of the encounters at that crossing, which admit nobody: each at the nearest.

    `arrivals` in order of time, as `encounters` are. Where both say at which port, it is the same.
    """
    witnesses: dict[str, tuple[str, ...]] = {}
    starts = [fact.start for fact in arrivals]
    for fact in encounters:
        port = fact.body.get("port")
        first, last = bisect_left(starts, fact.start - DAYS_APART), bisect_right(starts, fact.start + DAYS_APART)
        near = [
            (_between(arrival, fact), number)
            for number, arrival in enumerate(arrivals[first:last], first)
            if _at_once(arrival, fact) and (port is None or arrival.body.get("port", port) == port)
        ]
        if near:
            event = arrivals[min(near)[1]].uuid
            witnesses[event] = (*witnesses.get(event, ()), fact.uuid)
    return witnesses


def numbers_of(fact: Fact) -> set[str]:
    """The admission numbers that a fact names."""
    return {text for text in fact.identifiers if text[:4] == "i94/"}
