"""Visits: which departure, application and fact belong to which application for admission."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from services.domain import rules
from services.domain.facts import Fact
from services.domain.occurrences import DAYS_APART, Reports, beside, gathered, numbers_of, same_crossing


@dataclass(slots=True)
class Visit:
    """An arrival and what is attached to it, while a person's time line is being built."""

    arrival: Fact
    numbers: set[str]  # the admission numbers under which it is known
    departures: list[Fact] = field(default_factory=list)
    applications: list[Fact] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    shown: tuple[Fact, ...] = ()  # departures that the person alone can show
    departed: Fact | None = None  # the report of the departure that is believed
    crossing: tuple[str, ...] = ()  # the event ids of all reports of that departure
    witnesses: tuple[str, ...] = ()  # the event ids of encounters at the arrival
    disbelieved: tuple[Fact, ...] = ()  # reports that stronger evidence contradicts
    closed_by: Fact | None = None
    goes_on: Visit | None = None  # the visit before it, on whose I-94 it is


@dataclass(slots=True)
class Told:
    """A person's facts, by what they are about."""

    visits: list[Visit]
    unmatched: list[str]  # event ids of departures that match no visit
    sevis: list[Fact]  # the person's, not one visit's
    reports: Reports  # of what several reports tell of


def visits_of(facts: Sequence[Fact]) -> Told:
    """The visits in order of time, with their departures settled."""
    occurred, reports = gathered(facts)
    ordered = sorted(occurred, key=when) if len(occurred) > 1 else occurred
    told = Told([Visit(fact, numbers_of(fact)) for fact in ordered if fact.kind == "arrival"], [], [], reports)
    counted = [visit for visit in told.visits if admitted(visit.arrival)]
    met: list[Fact] = []  # at a crossing, by those who admit nobody
    end = 0  # so many of them began by the present fact: of one second, arrivals come first
    for fact in ordered:
        kind = fact.kind
        if kind == "arrival":
            end += end < len(counted) and counted[end].arrival is fact
        elif kind == "departure":
            evidence = fact.body["evidence"]
            accepted = evidence in rules.ACCEPTED
            left = _visit_left(counted, end, fact) if accepted or evidence in rules.REBUTTING else None
            if left is None:
                if accepted:
                    told.unmatched.append(fact.uuid)
            elif accepted:
                left.departures.append(fact)
            else:
                left.shown = (*left.shown, fact)
        elif kind == "status":
            word = fact.body["fact"]
            if word == "encounter" and "mode" in fact.body:
                met.append(fact)
            if word[:6] == "sevis_":
                told.sevis.append(fact)
            elif word in rules.MOVING or fact.handling:
                meant = _visit_meant(counted, end, fact)
                if meant is not None:
                    meant.facts.append(fact)
        elif kind == "extension":
            meant = _visit_meant(counted, end, fact)
            if meant is not None:
                meant.applications.append(fact)
                meant.numbers |= numbers_of(fact)
    for visit in counted:
        if visit.departures:
            told.unmatched += _depart(visit)
    if met and told.visits:
        witnesses = beside([visit.arrival for visit in told.visits], met)
        for visit in told.visits:
            visit.witnesses = witnesses.get(visit.arrival.uuid, ())
    for visit, later in pairwise(counted):
        visit.closed_by = later.arrival
        if "admitted_until" not in later.arrival.body and _same_admission(visit, later):
            later.goes_on = visit
    return told


def _same_admission(visit: Visit, later: Visit) -> bool:
    """Whether somebody came back after a short trip under the number of the admission before."""
    back, left = later.arrival, visit.departed
    return bool(numbers_of(back) & visit.numbers) and (left is None or back.day - left.day <= rules.REVALIDATION_DAYS)


def as_one(visit: Visit) -> Visit:
    """A visit and those whose I-94 it is on, as one admission."""
    before = visit.goes_on
    if before is None:
        return visit
    first = as_one(before)
    return Visit(
        first.arrival,
        first.numbers | visit.numbers,
        applications=[*first.applications, *visit.applications],
        facts=[*first.facts, *visit.facts],
        shown=visit.shown,
        departed=visit.departed,
        disbelieved=visit.disbelieved,
        closed_by=visit.closed_by,
    )


def when(fact: Fact) -> tuple[int, str, bytes]:
    return (fact.start, fact.kind, fact.id)


def admitted(arrival: Fact) -> bool:
    return arrival.body.get("inspection", "admitted") in ("admitted", "paroled")


def _begun(visits: Sequence[Visit], end: int, fact: Fact) -> Sequence[Visit]:
    """The last two visits that had begun when something happened; `end` is how many began by its first second.

    A day without a time may be that of arrival.
    """
    found = visits[max(0, end - 2) : end]
    if fact.whole_day:
        for place in range(end, len(visits)):
            visit = visits[place]
            if visit.arrival.start > fact.start + DAYS_APART:
                break
            if visit.arrival.day <= fact.day:
                found = [*found[-1:], visit]
    return found


def _visit_left(visits: Sequence[Visit], end: int, departure: Fact) -> Visit | None:
    """The visit that a departure ends: the last admission before it.

    Who leaves and is back on one day leaves two visits to choose from where the time is not known: the one whose
    number the departure names, else the later one.
    """
    begun = _begun(visits, end, departure)
    if not begun:
        return None
    if len(begun) > 1 and departure.whole_day and begun[-1].arrival.day == departure.day:
        named = numbers_of(departure)
        return next((visit for visit in reversed(begun) if named & visit.numbers), begun[-1])
    return begun[-1]


def _visit_meant(visits: Sequence[Visit], end: int, fact: Fact) -> Visit | None:
    """The visit that an application or fact is about: the one whose number it names, else the last before it."""
    named = numbers_of(fact)
    if named:
        for visit in visits:
            if named & visit.numbers:
                return visit
    begun = _begun(visits, end, fact)
    return begun[-1] if begun else None


def _strongest(departures: Iterable[Fact]) -> Fact:
    return min(departures, key=lambda fact: (rules.EVIDENCE_ORDER.index(fact.body["evidence"]), -fact.start, fact.id))


def _depart(visit: Visit) -> list[str]:
    """Settles which departure ended the visit; the event ids of those that are no report of that crossing."""
    accepted = visit.departures[0] if len(visit.departures) == 1 else _strongest(visit.departures)
    if visit.facts and _seen_later(visit, accepted):
        visit.disbelieved = tuple(visit.departures)
        return []
    visit.departed = accepted
    if len(visit.departures) == 1:
        visit.crossing = (accepted.uuid,)
        return []
    visit.crossing = tuple(fact.uuid for fact in visit.departures if same_crossing(fact, accepted))
    visit.disbelieved = tuple(fact for fact in visit.departures if not same_crossing(fact, accepted))
    return [fact.uuid for fact in visit.disbelieved]


def _seen_later(visit: Visit, departure: Fact) -> bool:
    """Whether a manifest is all there is and an officer met the person inside the country after it."""
    return departure.body["evidence"] in rules.MANIFESTS and bool(presence(visit, departure))


def presence(visit: Visit, departure: Fact) -> list[str]:
    """The event ids of encounters inside the country more than a day after a departure."""
    return [
        fact.uuid
        for fact in visit.facts
        if fact.body["fact"] in rules.PRESENCE and fact.start > departure.start + rules.ONE_CROSSING
    ]
