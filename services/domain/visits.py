"""Visits: which departure, application and fact belong to which application for admission."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from msgspec.structs import replace

from services.domain import rules
from services.domain.facts import Fact, end_of_day
from services.domain.occurrences import DAYS_APART, Reports, believed, beside, gathered, numbers_of, over, same_crossing


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
    impossible: tuple[Fact, ...] = ()  # departures dated after their own record
    implying: list[Fact] = field(default_factory=list)  # what only a person in the country does
    closed_by: Fact | None = None
    goes_on: Visit | None = None  # the visit before it, on whose I-94 it is
    whole: Visit | None = None  # it and those before it on that I-94, as one admission


@dataclass(slots=True)
class Journey:
    """A person's facts, by what they are about."""

    visits: list[Visit]
    unmatched: list[str]  # event ids of departures that match no visit
    sevis: list[Fact]  # the person's, not one visit's
    reports: Reports  # of what several reports tell of


def visits_of(facts: Sequence[Fact]) -> Journey:
    """The visits in order of time, with their departures settled."""
    occurred, reports = gathered(facts)
    ordered = sorted(occurred, key=when) if len(occurred) > 1 else occurred
    visits = [Visit(fact, numbers_of(fact)) for fact in ordered if fact.kind == "arrival"]
    journey = Journey(visits, [], [], reports)
    encounters = _attached(journey, ordered)
    for visit, later in pairwise(visits):
        visit.closed_by = later.arrival  # whoever applies for admission is outside, admitted or not
    _departed(journey)
    if encounters and visits:
        witnesses = beside([visit.arrival for visit in visits], encounters)
        for visit in visits:
            visit.witnesses = witnesses.get(visit.arrival.uuid, ())
    _chained([visit for visit in visits if admitted(visit.arrival)])
    return journey


def _attached(journey: Journey, ordered: Sequence[Fact]) -> list[Fact]:
    """Every fact at its visit. Returns the encounters at crossings, by those who admit nobody."""
    encounters: list[Fact] = []
    undecided: list[tuple[Sequence[Visit], Fact]] = []
    visits = journey.visits
    counted = [visit for visit in visits if admitted(visit.arrival)]
    steps = _Steps(counted)
    begun = begun_counted = 0  # how many began by the present fact: of one second, arrivals come first
    for fact in ordered:
        kind = fact.kind
        if kind == "arrival":
            begun += 1
            begun_counted += begun_counted < len(counted) and counted[begun_counted].arrival is fact
        elif kind == "departure":
            _attach_departure(journey, begun, fact, undecided)
        elif kind == "status":
            if fact.body["fact"] == rules.FINGERPRINTS and "mode" in fact.body:
                encounters.append(fact)
            _attach_status(journey, counted, begun_counted, fact)
        elif kind == "extension":
            steps.take(fact, begun_counted)
    steps.attach()
    for (before, after), departure in undecided:  # in order, once all that could contradict another one is attached
        _left(before if _is_open(before, departure) and _may_have_lasted(before, departure) else after, departure)
    return encounters


def _attach_departure(
    journey: Journey, begun: int, departure: Fact, undecided: list[tuple[Sequence[Visit], Fact]]
) -> None:
    """A departure at the last visit before it, whether that was an admission or a refused application for one.

    One of the day of an admission, where the time of one of the two is not known, is added to `undecided` with the
    visits before and behind it, unless it names the number of one.
    """
    evidence = departure.body["evidence"]
    accepted = evidence in rules.ACCEPTED
    if not accepted and evidence not in rules.REBUTTING:
        return
    candidates = _begun(journey.visits, begun, departure)
    if not candidates:
        if accepted:
            journey.unmatched.append(departure.uuid)
    elif len(candidates) == 1 or not _of_one_day(candidates[-1].arrival, departure):
        _left(candidates[-1], departure)
    elif named := _visit_named(candidates, len(candidates), departure):
        _left(named, departure)
    elif accepted and admitted(candidates[-1].arrival):
        undecided.append((candidates, departure))
    else:
        _left(candidates[-1], departure)  # a person whose application is refused leaves again


def _left(left: Visit, departure: Fact) -> None:
    """A departure at the visit that it ends."""
    accepted = departure.body["evidence"] in rules.ACCEPTED
    if departure.body.get("after_its_record"):
        left.impossible = (*left.impossible, departure)
    elif accepted:
        left.departures.append(departure)
    else:
        left.shown = (*left.shown, departure)


def _attach_status(journey: Journey, counted: Sequence[Visit], begun: int, fact: Fact) -> None:
    """A fact about a person at the admission that it means, and what SEVIS says at the person."""
    word = fact.body["fact"]
    implying = _implies_presence(fact)
    if word[:6] == "sevis_":
        journey.sevis.append(fact)
    elif word in rules.MOVING or (fact.handling and not implying):
        meant = _visit_meant(counted, begun, fact)
        if meant is not None:
            meant.facts.append(fact)
    if implying and (meant := _visit_meant(counted, begun, fact)) is not None:
        meant.implying.append(fact)


def _implies_presence(fact: Fact) -> bool:
    """Whether a status tells of what only a person in the country does: registering, or giving fingerprints there."""
    body = fact.body
    if body["fact"] == rules.FINGERPRINTS:
        return "mode" not in body and body.get("reason") != "merge" and "port" in body
    registered = body["fact"] == "sevis_active" and body.get("reason") in rules.IMPLIED_REASONS
    return registered or body["fact"] in rules.IMPLIED_FACTS


def _departed(journey: Journey) -> None:
    """Settles the departure of each visit."""
    for visit in journey.visits:
        if visit.departures:
            journey.unmatched += _depart(visit)


def _chained(counted: Sequence[Visit]) -> None:
    """Joins the visits that go on with an admission before."""
    for visit, later in pairwise(counted):
        if "admitted_until" not in later.arrival.body and _same_admission(visit, later):
            later.goes_on = visit
    _carried(counted)
    for visit in counted:  # in order, so that a commuter's thousandth trip joins one visit, not a thousand
        if visit.goes_on is not None:
            visit.whole = _joined(visit.goes_on.whole or visit.goes_on, visit)


def _carried(counted: Sequence[Visit]) -> None:
    """What goes on through a trip abroad, at each later visit that does not abandon it.

    Applications for adjustment by 8 CFR 245.2(a)(4)(ii): one that was granted when the person was back had not been
    abandoned. Protections by `rules.KEPT_ABROAD`.
    """
    steps: list[Fact] = []
    kept: list[Fact] = []
    for visit, later in pairwise(counted):
        kept += [fact for fact in visit.facts if _kept_abroad(visit, fact) and fact not in kept]
        if later.goes_on is not visit:
            cls = later.arrival.body.get("class_of_admission")
            kept = kept if paroled_in(later.arrival) or cls == rules.TPS_CLASS else []
            later.facts = [*kept, *later.facts] if kept else later.facts
        steps += [step for step in visit.applications if step.body["asks"] == "adjust" and step not in steps]
        if not steps or later.goes_on is visit:
            continue
        if not _keeps_adjustment(visit, later.arrival):
            back = later.arrival.start
            granted = {s.body["receipt"] for s in steps if s.body["action"] == "approved" and s.start >= back}
            steps = [step for step in steps if step.body["receipt"] in granted]
        later.applications = [*steps, *later.applications]


def _keeps_adjustment(visit: Visit, back: Fact) -> bool:
    """Whether a person came back on parole, or in a class of the family in which the person had been before."""
    cls = back.body.get("class_of_admission")
    if paroled_in(back):
        return True
    before = {visit.arrival.body.get("class_of_admission")}
    before |= {step.body["granted_class"] for step in visit.applications if "granted_class" in step.body}
    return any(cls in family and not family.isdisjoint(before) for family in rules.KEEPS_ADJUSTMENT)


def paroled_in(arrival: Fact) -> bool:
    """Whether it was a parole, which is no admission, by the inspection or by the class."""
    cls = arrival.body.get("class_of_admission")
    return arrival.body.get("inspection") == "paroled" or any(cls in row.classes for row in rules.PAROLE)


def _kept_abroad(visit: Visit, fact: Fact) -> bool:
    """Whether a fact protects beyond a trip, or ends what does; not what was lost before it."""
    word = fact.body["fact"]
    rows = [row for row in rules.PROTECTIONS if row.fact in rules.KEPT_ABROAD]
    if any(row.ended_by == word for row in rows):
        return True
    lost = {row.unless for row in rows if row.fact == word and row.unless}
    return word in rules.KEPT_ABROAD and not any(
        one.body["fact"] in lost and one.start >= fact.start for one in visit.facts
    )


class _Steps:
    """Applications, all steps of each at one visit: a decision may come when the person is back on another one."""

    def __init__(self, visits: Sequence[Visit]) -> None:
        self._visits = visits
        self._steps: list[Fact] = []
        self._meant: dict[str, Visit] = {}  # by receipt: the one begun by the first step, until a step names a number
        self._named: set[str] = set()  # receipts of which one did

    def take(self, fact: Fact, end: int) -> None:
        """The next step in time."""
        self._steps.append(fact)
        receipt = fact.body["receipt"]
        if receipt not in self._named and (named := _visit_named(self._visits, end, fact)):
            self._meant[receipt] = named
            self._named.add(receipt)
        elif receipt not in self._meant and (begun := _begun(self._visits, end, fact)):
            self._meant[receipt] = begun[-1]
        if receipt in self._meant:
            self._meant[receipt].numbers |= numbers_of(fact)

    def attach(self) -> None:
        """All steps to their visits."""
        for fact in self._steps:
            if (meant := self._meant.get(fact.body["receipt"])) is not None:
                meant.applications.append(fact)


def _same_admission(visit: Visit, later: Visit) -> bool:
    """Whether somebody came back after a short trip under the number of the admission before."""
    back, left = later.arrival, visit.departed
    return bool(numbers_of(back) & visit.numbers) and (left is None or back.day - left.day <= rules.REVALIDATION_DAYS)


def _joined(first: Visit, visit: Visit) -> Visit:
    """An admission and a visit that goes on with it, as one. Its days are those of the last port of entry."""
    arrival, zone_name = first.arrival, visit.arrival.zone
    return Visit(
        arrival if arrival.zone == zone_name else replace(arrival, zone=zone_name),
        first.numbers if visit.numbers <= first.numbers else first.numbers | visit.numbers,
        applications=[*first.applications, *visit.applications] if visit.applications else first.applications,
        facts=[*first.facts, *visit.facts] if visit.facts else first.facts,
        shown=visit.shown,
        impossible=visit.impossible,
        implying=visit.implying,
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

    A day without a time may be that of arrival, which may be the day after where they lie across the date line.
    """
    begun = visits[max(0, end - 2) : end]
    if fact.whole_day:
        for place in range(end, len(visits)):
            visit = visits[place]
            if visit.arrival.start > fact.start + DAYS_APART:
                break
            if visit.arrival.day <= fact.day or visit.arrival.start < over(fact):
                begun = [*begun[-1:], visit]
    return begun


def _of_one_day(arrival: Fact, departure: Fact) -> bool:
    """Whether a departure may have been before an arrival of its day, the time of one of the two not being known.

    By the calendar; across the date line where most of the day of the departure lies before the arrival.
    """
    if departure.whole_day:
        return arrival.day >= departure.day or arrival.start - departure.start >= 12 * 3600
    return arrival.whole_day and departure.start < over(arrival)


def _is_open(visit: Visit, departure: Fact) -> bool:
    """Whether nothing else ended a visit than the crossing of which a departure tells, so that it ended the visit.

    A person who is admitted comes from outside (INA 235(a)(1)), so that a visit before is over by some departure.
    """
    return all(same_crossing(other, departure) or _contradicted(visit, other) for other in visit.departures)


def _may_have_lasted(visit: Visit, departure: Fact) -> bool:
    """Whether a person may have been in a visit up to the day of a departure and been admitted anew on that day.

    Not one whose period had been over for more than 180 days, with nothing that tells of the visit behind its arrival:
    a person who leaves so late is inadmissible for years (INA 212(a)(9)(B)(i)), and a departure that may be another
    visit's proves no overstay. After a refused application a person is gone within a day.
    """
    arrival = visit.arrival
    if not admitted(arrival):
        return departure.day <= arrival.day + 1
    last = _last_day(arrival)
    if last is None or visit.applications or visit.facts or visit.implying:
        return True
    return departure.day <= last + rules.UNLAWFUL_DAYS


def _last_day(arrival: Fact) -> int | None:
    """The last day of an admission by its own record, at the latest; None where it has none that can be told."""
    stated = arrival.body.get("admitted_until")
    if stated is not None:
        return date.fromisoformat(stated).toordinal() if stated[:1].isdigit() else None
    day, admission_class = date.fromordinal(arrival.day), arrival.body.get("class_of_admission", "")
    citizenship = arrival.claim.citizenship if arrival.claim is not None else ()
    row = rules.rule_for(admission_class, day, citizenship)
    if row is not None and row.basis is rules.Basis.COUNTED:
        return arrival.day + row.days - 1
    row = rules.canadian_for(admission_class, day) if "CAN" in citizenship and not numbers_of(arrival) else None
    return None if row is None else arrival.day + 31 * row.months


def _visit_meant(visits: Sequence[Visit], end: int, fact: Fact) -> Visit | None:
    """The visit that an application or fact is about: the one whose number it names, else the last before it."""
    named = _visit_named(visits, end, fact)
    if named is not None:
        return named
    begun = _begun(visits, end, fact)
    return begun[-1] if begun else None


def _visit_named(visits: Sequence[Visit], end: int, fact: Fact) -> Visit | None:
    """The visit whose number a fact names; of several under one number the last of the `end` that had begun by then."""
    named = numbers_of(fact)
    if not named:
        return None
    places = (*range(end - 1, -1, -1), *range(end, len(visits)))
    return next((visits[place] for place in places if named & visits[place].numbers), None)


def _strongest(departures: Iterable[Fact]) -> Fact:
    return min(departures, key=believed)


def rank(departure: Fact) -> int:
    """How strong the evidence is: the lesser, the stronger."""
    return rules.EVIDENCE_ORDER.index(departure.body["evidence"])


def _depart(visit: Visit) -> list[str]:
    """Settles which departure ended the visit; the event ids of those that are no report of that crossing."""
    believed = visit.departures
    if visit.facts or visit.applications or visit.implying:
        believed = [fact for fact in believed if not _contradicted(visit, fact)]
    if not believed:
        visit.disbelieved = tuple(visit.departures)
        return []
    others: list[Fact] = []
    if len(believed) > 1 and _returns_unrecorded(visit.arrival):
        first = min(believed, key=lambda fact: (fact.start, fact.id))
        others = [fact for fact in believed if not same_crossing(fact, first)]
        believed = [fact for fact in believed if fact not in others]
    accepted = believed[0] if len(believed) == 1 else _strongest(believed)
    visit.departed = accepted
    if len(visit.departures) == 1:
        visit.crossing = (accepted.uuid,)
        return []
    crossing = {fact.id for fact in believed if same_crossing(fact, accepted)}
    visit.crossing = tuple(fact.uuid for fact in visit.departures if fact.id in crossing)
    apart = {fact.id for fact in others}
    visit.disbelieved = tuple(fact for fact in visit.departures if fact.id not in crossing | apart)
    return [fact.uuid for fact in visit.departures if fact.id not in crossing]


def _returns_unrecorded(arrival: Fact) -> bool:
    """Whether the person may come back by land without a record, so that a later departure is of another stay."""
    return arrival.claim is not None and not rules.LAND_RETURN.isdisjoint(arrival.claim.citizenship)


def _contradicted(visit: Visit, departure: Fact) -> bool:
    """Whether a manifest is all there is, and the person was in the country after it."""
    if departure.body["evidence"] not in rules.MANIFESTS:
        return False
    return bool(presence(visit, departure) or implied(visit, departure))


def presence(visit: Visit, departure: Fact) -> list[str]:
    """The event ids of encounters inside the country more than a day after a departure."""
    return [
        fact.uuid
        for fact in visit.facts
        if fact.body["fact"] in rules.PRESENCE and fact.start > departure.start + rules.ONE_CROSSING
    ]


def implied(visit: Visit, departure: Fact) -> list[str]:
    """The event ids of what only a person in the country causes, more than a day after a departure and before the next
    application for admission.
    """
    after = departure.start + rules.ONE_CROSSING
    before = visit.closed_by.start if visit.closed_by is not None else None
    steps = ((step.uuid, _stepped(step)) for step in visit.applications if step.body["action"] in rules.IMPLIED_STEPS)
    facts = ((fact.uuid, fact.start) for fact in visit.implying)
    return [event for event, at in (*steps, *facts) if at > after and (before is None or at < before)]


def _stepped(step: Fact) -> int:
    """The second of a step; of a filing by the day of receipt where that is told."""
    filed_on = step.body.get("filed_on") if step.body["action"] == "filed" else None
    return step.start if filed_on is None else end_of_day(date.fromisoformat(filed_on).toordinal() - 1, step.zone)
