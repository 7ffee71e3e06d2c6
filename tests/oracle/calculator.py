"""The outcome of each admission, day by day, from the law's text.

Every local day of a stay has a label; what holds at `as_of` is the label of that day, and a departure is in time if the
label of its own day, where it happened, is one of authorised stay. A label is a set where the law leaves more than one
reading open: any of them is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from oracle import law
from oracle.days import DAY, add_months, closed, day_of, instant, local_day, midnight, start_of
from oracle.reading import Event, Key, i94_of, implausible, key_of, receipts_of, standing

STATUS, GRACE, PENDING, TERMINATED, OVER, UNKNOWN = "STATUS", "GRACE", "PENDING", "TERMINATED", "OVER", "UNKNOWN"
MET = {"seen_inside", "arrested", "detained", "released"}
"""Facts that an officer knows who met the person in the country."""
HERE = {
    *("biometrics_taken", "detainer_lodged"),  # an appointment in the country: 8 CFR 103.16; held there: 287.7(a)
    *("asylum_pending", "satisfactory_departure", "voluntary_departure"),  # INA 208(a)(1), 240B; 8 CFR 217.3(a)
}
"""Facts of persons who are in the country."""
AUTHORISED = {STATUS, GRACE, PENDING}
INSIDE = {
    STATUS: "IN_STATUS",
    GRACE: "IN_GRACE",
    PENDING: "PENDING",
    TERMINATED: "TERMINATED",
    UNKNOWN: "UNDETERMINED",
}
Labels = frozenset[str]
FOREVER = date(9000, 1, 1)
AGENCY = "America/New_York"


@dataclass(frozen=True)
class Answer:
    """What may be said of one admission: the first is the oracle's reading, all are within the law's text."""

    outcomes: tuple[str, ...]
    reason: str

    @property
    def outcome(self) -> str:
        """The oracle's own reading."""
        return self.outcomes[0]


@dataclass(frozen=True)
class Grant:
    """A class and a date that somebody with the right to do so wrote down, from a day on."""

    start: date
    admission_class: str | None
    until: date | str | None
    paroled: bool = False
    receipt: str | None = None
    heals: bool = False  # the days between the end before and its start are held to be in status
    acted: date | None = None  # the day of the decision, where it begins before that

    @property
    def last_action(self) -> date:
        """The day on which it was granted or began, whichever is later."""
        return self.start if self.acted is None else max(self.start, self.acted)


@dataclass
class Application:
    """An application to stay longer, in another class, or for good."""

    receipt: str
    filed: date
    asks: str
    form: str
    paper: bool
    asked_class: str | None
    decided: date | None = None
    result: str | None = None
    approval: Event | None = None
    frivolous: bool = False
    filing_reported: bool = True
    revoked: date | None = None  # the day on which what was granted, and had begun, was withdrawn or revoked


@dataclass
class Stay:
    """One application for admission, and all that happened up to the next."""

    arrival: Event
    begins: datetime
    ends: datetime | None  # when the next application for admission was made
    events: list[Event]
    programs: list[Event]
    after: Event | None = None  # the next application for admission
    decided_later: list[Event] = field(default_factory=list)  # what was filed in it and decided behind its end
    grants: list[Grant] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    revalidated: Stay | None = None  # the stay that went on after a short trip
    untold_trip: bool = False
    lost: list[date] = field(default_factory=list)  # days on which a petition granted before the admission was revoked

    @property
    def zone(self) -> str:
        """The zone of its port of entry."""
        return str(self.arrival["occurred_at"].get("zone", "UTC"))

    @property
    def first_day(self) -> date:
        """The local day of the arrival."""
        return day_of(self.arrival["occurred_at"])

    def citizen_of(self, state: str) -> bool:
        """Whether the arrival names that citizenship."""
        return state in self.arrival["subject"].get("citizenship", [])

    def facts(self, *names: str) -> list[Event]:
        """Status events of those facts, by day."""
        results = [e for e in self.events if e["kind"] == "status" and e["fact"] in names]
        return sorted(results, key=lambda e: day_of(e["occurred_at"]))


def outcome(events: Iterable[Event], as_of: datetime, known_at: datetime | None = None) -> dict[Key, Answer]:
    """The outcome of every application for admission of one person that had been made by `as_of`."""
    known = [_same_class(event) for event in standing(events, known_at)]
    answers: dict[Key, Answer] = {}
    first = min((e for e in known if e["kind"] == "arrival"), key=lambda e: start_of(e["occurred_at"]), default=None)
    for stay in stays_of(known):
        if stay.begins > as_of:
            continue
        answers[key_of(stay.arrival)] = _answer(stay, as_of, known)
        early = [e for e in known if e.get("receipt") in _filed_before(known, stay.arrival)]
        if early and stay.arrival is first:  # filed in a stay that nobody tells of, or before he came
            other = _stay(stay.arrival, stay.after, stay.events, known, abandoned=set())
            more = _answer(other, as_of, known).outcomes
            mine = answers[key_of(stay.arrival)]
            answers[key_of(stay.arrival)] = replace(mine, outcomes=tuple(dict.fromkeys((*mine.outcomes, *more))))
        same_day = [e for e in known if _of_one_day(e, stay.arrival) or (stay.after and _of_one_day(e, stay.after))]
        same_day = [e for e in same_day if not any(_ended_before(known, e, a) for a in _arrivals(known))]
        rest = [e for e in stay.events if e not in same_day]
        for mine_too in ([*rest, *same_day], rest) if same_day else ():  # before or behind an arrival of its day
            more = _answer(_stay(stay.arrival, stay.after, mine_too, known), as_of, known).outcomes
            mine = answers[key_of(stay.arrival)]
            answers[key_of(stay.arrival)] = replace(mine, outcomes=tuple(dict.fromkeys((*mine.outcomes, *more))))
        touching = [_on_arrival(e, stay) for e in known if _touches(e, stay)]
        if touching:  # before or behind the admission: no section says by whose calendar
            other = _stay(stay.arrival, stay.after, [*stay.events, *touching], known)
            more = _answer(other, as_of, known).outcomes
            mine = answers[key_of(stay.arrival)]
            answers[key_of(stay.arrival)] = replace(mine, outcomes=tuple(dict.fromkeys((*mine.outcomes, *more))))
        if stay.decided_later:  # decided when he had come again: whether that reaches back, no section says
            other = _stay(stay.arrival, stay.after, [*stay.events, *stay.decided_later], known)
            more = _answer(other, as_of, known).outcomes
            mine = answers[key_of(stay.arrival)]
            answers[key_of(stay.arrival)] = replace(mine, outcomes=tuple(dict.fromkeys((*mine.outcomes, *more))))
    for stay in stays_of(known):
        if stay.revalidated is not None and stay.revalidated.begins <= as_of:  # one stay, or two of one period
            mine, goes_on = answers[key_of(stay.arrival)], answers[key_of(stay.revalidated.arrival)]
            answers[key_of(stay.arrival)] = replace(mine, outcomes=(*mine.outcomes, *goes_on.outcomes))
    return answers


def _same_class(event: Event) -> Event:
    """The event with one code for classes that say the same of a stay; what was written stands beside it."""
    written = {
        name: event[name]
        for name in ("class_of_admission", "granted_class", "requested_class")
        if event.get(name) in law.SAME_CLASS
    }
    if not written:
        return event
    return {**event, **{name: law.SAME_CLASS[code] for name, code in written.items()}, "written": written}


def stays_of(known: list[Event]) -> list[Stay]:
    """The person's applications for admission in order, each with the events up to the next."""
    arrivals = _arrivals(known)
    ended = [(e, a) for e in known if e["kind"] == "departure" for a in arrivals if _ended_before(known, e, a)]
    stays: list[Stay] = []
    for number, arrival in enumerate(arrivals):
        after = arrivals[number + 1] if number + 1 < len(arrivals) else None
        mine = [e for e in known if e["kind"] in ("departure", "extension", "status") and _within(e, arrival, after)]
        mine = [e for e in mine if all(e is not one for one, _ in ended)]
        mine += [e for e, admission in ended if admission is after]
        mine += [e for e in (*_carried(known, arrival), *_kept(known, arrival)) if e not in mine]
        stay = _stay(arrival, after, mine, known)
        receipts = {a.receipt for a in stay.applications}
        stay.decided_later = [
            e for e in known if e["kind"] == "extension" and e["receipt"] in receipts and e not in mine
        ]
        if stays:
            _revalidate(stays[-1], stay)
        stays.append(stay)
    return stays


def _stay(
    arrival: Event, after: Event | None, mine: list[Event], known: list[Event], abandoned: set[str] | None = None
) -> Stay:
    """The stay that an arrival begins, with its events."""
    ends = start_of(after["occurred_at"]) if after else None
    programs = [e for e in known if e["kind"] == "status" and e["fact"].startswith("sevis_")]
    stay = Stay(arrival, start_of(arrival["occurred_at"]), ends, mine, programs, after)
    _read_applications(stay, _filed_before(known, arrival) if abandoned is None else abandoned)
    stay.lost = _lost(stay, known)
    return stay


def _lost(stay: Stay, known: list[Event]) -> list[date]:
    """The days on which a petition for the class of the admission, granted before it, was revoked: 214.2(h)(11)."""
    cls, results = stay.arrival.get("class_of_admission"), []
    for event in stay.events:
        if event["kind"] != "extension" or event["form"] != "I-129" or event["action"] not in ("denied", "withdrawn"):
            continue
        steps = [e for e in known if e["kind"] == "extension" and e["receipt"] == event["receipt"]]
        granted = [e for e in steps if e["action"] == "approved" and day_of(e["occurred_at"]) < stay.first_day]
        if granted and granted[-1].get("granted_class") == cls:
            results.append(day_of(event["occurred_at"]))
    return results


def _within(event: Event, arrival: Event, after: Event | None) -> bool:
    """Whether an event belongs to the time from one application for admission to the next.

    What is known to the day only, on the day of a later arrival, came before it: who arrives has left before.
    """
    at, first = start_of(event["occurred_at"]), start_of(arrival["occurred_at"])
    if event["occurred_at"]["precision"] == "day":
        day = day_of(event["occurred_at"])
        begins = day >= day_of(arrival["occurred_at"])
        over = after is not None and day > day_of(after["occurred_at"])
        return begins and not over
    return at >= first and (after is None or at < start_of(after["occurred_at"]))


def _arrivals(known: list[Event]) -> list[Event]:
    return sorted((e for e in known if e["kind"] == "arrival"), key=lambda e: start_of(e["occurred_at"]))


def _of_one_day(event: Event, arrival: Event) -> bool:
    """Whether it is a departure on the day of an arrival, and nobody tells the time of one of the two."""
    left, came = event.get("occurred_at"), arrival["occurred_at"]
    if event["kind"] != "departure" or left is None or "day" not in (left["precision"], came["precision"]):
        return False
    hours = timedelta(hours=24)
    before, after = (left, came) if left["precision"] == "day" else (came, left)
    shared = start_of(before) <= start_of(after) < start_of(before) + hours  # across the date line, too
    return day_of(left) == day_of(came) or shared


def _ended_before(known: list[Event], event: Event, arrival: Event) -> bool:
    """Whether a departure of the day of an admission ended the stay before: who is admitted comes from outside
    (INA 235(a)(1)), and nothing else tells of a departure from that stay.
    """
    if not _of_one_day(event, arrival) or day_of(event["occurred_at"]) != day_of(arrival["occurred_at"]):
        return False
    if arrival["inspection"] not in ("admitted", "paroled") or event["evidence"] not in _COUNTED:
        return False
    earlier = [a for a in _arrivals(known) if start_of(a["occurred_at"]) < start_of(arrival["occurred_at"])]
    if not earlier or i94_of(event) or day_of(earlier[-1]["occurred_at"]) >= day_of(event["occurred_at"]):
        return False
    until = _until(earlier[-1].get("admitted_until"))
    if until is None:
        counted = law.WITHOUT_DATE.get(str(earlier[-1].get("class_of_admission")), 186)  # six months of a visitor
        until = day_of(earlier[-1]["occurred_at"]) + timedelta(days=counted)
    if isinstance(until, date) and day_of(event["occurred_at"]) - until > timedelta(days=law.UNLAWFUL_DAYS):
        return False  # who leaves so late is inadmissible (INA 212(a)(9)(B)(i)): it proves no overstay
    refused = earlier[-1]["inspection"] not in ("admitted", "paroled")
    if refused and day_of(event["occurred_at"]) - day_of(earlier[-1]["occurred_at"]) > timedelta(days=1):
        return False
    others = (e for e in known if e["kind"] == "departure" and e is not event and e["evidence"] in _COUNTED)
    since, through = day_of(earlier[-1]["occurred_at"]), day_of(event["occurred_at"])
    return not any(since <= day_of(e["occurred_at"]) < through for e in others)


_COUNTED = law.STRONG | {"manifest", "manifest_closed"}


def _touches(event: Event, stay: Stay) -> bool:
    """Whether a day, written where it was the day before, still ran at the moment of the arrival."""
    moment = event.get("occurred_at")
    if event["kind"] not in ("extension", "status") or moment is None or moment["precision"] != "day":
        return False
    ends = midnight(day_of(moment) + DAY, moment.get("zone", "UTC"))
    return day_of(moment) < stay.first_day and ends > stay.begins and event not in stay.events


def _on_arrival(event: Event, stay: Stay) -> Event:
    """The event as one of the day of the arrival."""
    return {**event, "occurred_at": {**event["occurred_at"], "day": stay.first_day.isoformat()}}


def _revalidate(before: Stay, stay: Stay) -> None:
    """22 CFR 41.112(d), 8 CFR 214.1(b): back within 30 days from Canada or Mexico on the I-94 that still runs.

    Who is readmitted on the same I-94 with no date of its own has what remained of the period.
    """
    if stay.arrival["inspection"] != "admitted" or before.arrival["inspection"] != "admitted":
        return
    if stay.arrival.get("admitted_until") is not None or not (i94_of(before.arrival) & i94_of(stay.arrival)):
        return
    left = [day_of(e["occurred_at"]) for e in before.events if e["kind"] == "departure"]
    grant = _in_force(before.grants, stay.first_day)
    if grant.until is None and grant.admission_class in law.WITHOUT_DATE:  # the balance: 8 CFR 217.3(b)
        balance = before.first_day + timedelta(days=law.WITHOUT_DATE[str(grant.admission_class)] - 1)
        grant = replace(grant, until=balance)
    if left and stay.first_day - max(left) > timedelta(days=law.REVALIDATION_DAYS):
        return
    stay.untold_trip = not left  # nobody says how long it was
    if isinstance(grant.until, date) and stay.first_day > grant.until:
        return
    before.revalidated = stay
    filed = [e for e in (*before.events, *before.decided_later) if e["kind"] == "extension"]
    if filed:  # of one stay: what was filed in it goes on
        stay.events += [e for e in filed if e not in stay.events]
        stay.applications = []
        _read_applications(stay, set())
        stay.decided_later = [e for e in stay.decided_later if e not in stay.events]
    own = next(n for n, g in enumerate(stay.grants) if g.receipt is None and g.start == stay.first_day)
    stay.grants[own] = replace(stay.grants[own], until=grant.until, admission_class=grant.admission_class)


# --- applications and grants -----------------------------------------------------------------------------------------


def _filed_before(known: list[Event], arrival: Event) -> set[str]:
    """Receipts of what was filed before an arrival: who leaves abandons it, it is nothing to a later stay."""
    return {
        e["receipt"]
        for e in known
        if e["kind"] == "extension"
        and e["form"] != "I-94"
        and (_date(e.get("filed_on")) or day_of(e["occurred_at"])) < day_of(arrival["occurred_at"])
    } - {e["receipt"] for e in _carried(known, arrival)}


def _carried(known: list[Event], arrival: Event) -> list[Event]:
    """Steps of adjustments that were not abandoned: 8 CFR 245.2(a)(4)(ii).

    The traveller came back on parole, or in the classes that need none; or it was granted when he was back.
    """
    back = start_of(arrival["occurred_at"])
    trips = [
        e
        for e in known
        if e["kind"] == "arrival" and e["inspection"] in ("admitted", "paroled") and start_of(e["occurred_at"]) <= back
    ]
    trips.sort(key=lambda e: start_of(e["occurred_at"]))
    results: list[Event] = []
    steps = [e for e in known if e["kind"] == "extension" and e["asks"] == "adjust"]
    for receipt in sorted({e["receipt"] for e in steps}):
        mine = [e for e in steps if e["receipt"] == receipt]
        filed = min(start_of(e["occurred_at"]) for e in mine)
        granted = any(e["action"] == "approved" and start_of(e["occurred_at"]) >= back for e in mine)
        behind = [place for place, e in enumerate(trips) if place and start_of(e["occurred_at"]) > filed]
        if arrival not in trips or not behind:
            continue
        if granted or all(_keeps(known, trips[place - 1], trips[place]) for place in behind):
            results += mine
    return results


def _kept(known: list[Event], arrival: Event) -> list[Event]:
    """Protections of a traveller who comes back with leave to travel: 8 CFR 208.8, 212.5(f), 244.15; INA 244(f)(3)."""
    trips = [e for e in known if e["kind"] == "arrival" and e["inspection"] in ("admitted", "paroled")]
    trips.sort(key=lambda e: start_of(e["occurred_at"]))
    if arrival not in trips:
        return []
    results = []
    for fact in known:
        if fact["kind"] != "status" or fact["fact"] not in law.KEPT_ABROAD:
            continue
        at = start_of(fact["occurred_at"])
        worked = [start_of(e["occurred_at"]) for e in known if e.get("fact") == "unauthorised_work"]
        if fact["fact"] == "asylum_pending" and any(at <= day < start_of(arrival["occurred_at"]) for day in worked):
            continue  # INA 212(a)(9)(B)(iii)(II): lost before the trip
        back = [e for e in trips[1:] if at < start_of(e["occurred_at"]) <= start_of(arrival["occurred_at"])]
        if back and all(e["inspection"] == "paroled" or e.get("class_of_admission") == "TPS" for e in back):
            results.append(fact)
    return results


def _keeps(known: list[Event], before: Event, arrival: Event) -> bool:
    if arrival["inspection"] == "paroled":
        return True
    classes = {before.get("class_of_admission")} | {
        e.get("granted_class")
        for e in known
        if e["kind"] == "extension" and start_of(e["occurred_at"]) < start_of(arrival["occurred_at"])
    }
    return any(arrival.get("class_of_admission") in one and classes & one for one in law.KEEPS_ADJUSTMENT)


def _read_applications(stay: Stay, abandoned: set[str]) -> None:
    arrival = stay.arrival
    stay.grants = [
        Grant(
            stay.first_day,
            arrival.get("class_of_admission"),
            _until(arrival.get("admitted_until")),
            paroled=arrival["inspection"] == "paroled",
        )
    ]
    frivolous = {r for e in stay.facts("frivolous_filing") for r in receipts_of(e)}
    by_receipt: dict[str, list[Event]] = {}
    mended: list[Event] = []
    for event in stay.events:
        if event["kind"] != "extension":
            continue
        if event["form"] == "I-94":  # the inspecting agency's own correction, for any class: 8 CFR 235.2, 212.5
            mended += [event] if event["action"] == "approved" else []
            continue
        if event["receipt"] not in abandoned:
            by_receipt.setdefault(event["receipt"], []).append(event)
    for receipt, steps in by_receipt.items():
        steps.sort(key=lambda e: (day_of(e["occurred_at"]), e.get("recorded_at") or ""))
        filings = [e for e in steps if e["action"] == "filed"]
        dates = [_date(e.get("filed_on")) for e in steps]
        filed = next((d for d in dates if d), None) or (day_of(filings[0]["occurred_at"]) if filings else None)
        decisions = [e for e in steps if e["action"] in ("approved", "denied", "withdrawn")]
        if filed is None:
            filed = day_of(steps[0]["occurred_at"])
        application = Application(
            receipt,
            filed,
            steps[0]["asks"],
            steps[0]["form"],
            paper=_paper(steps),
            asked_class=next((e["requested_class"] for e in steps if e.get("requested_class")), None),
            frivolous=receipt in frivolous,
            filing_reported=bool(filings) or any(dates),
        )
        granted = [e for e in decisions if e["action"] == "approved"]
        if granted and decisions[-1]["action"] != "approved" and steps[0]["form"] == "I-129":
            # withdrawn or revoked: 8 CFR 214.2(h)(11), (l)(9), (o)(8), (p)(10). One that had not begun gave nothing
            ended = day_of(decisions[-1]["occurred_at"])
            begun = max(_date(granted[-1].get("valid_from")) or date.min, day_of(granted[-1]["occurred_at"]))
            if begun <= ended:
                application.revoked, decisions = ended, granted
        if decisions:
            last = decisions[-1]
            application.decided = day_of(last["occurred_at"])
            application.result = last["action"]
            application.approval = last if last["action"] == "approved" else None
        stay.applications.append(application)
    stay.applications.sort(key=lambda a: (a.filed, a.receipt))
    _unbegun(stay, mended)
    _read_grants(stay, mended)


def _unbegun(stay: Stay, mended: list[Event]) -> None:
    """What was extended begins where the stay would end (8 CFR 214.1(c)(4)), where the approval names no first day and
    the work had not ended by then: taken back before that, it gave nothing (8 CFR 214.2(h)(11)).
    """
    read, admission = list(stay.applications), list(stay.grants)
    for application in sorted(read, key=lambda a: (a.decided or date.max, a.receipt)):
        approval, ended = application.approval, application.revoked
        if approval is None or ended is None or application.asks != "extend" or approval.get("valid_from"):
            continue
        decided = day_of(approval["occurred_at"])
        stay.applications = [a for a in read if a is not application and (a.decided or date.max) <= decided]
        _read_grants(stay, [e for e in mended if day_of(e["occurred_at"]) <= decided])
        last = _in_force(stay.grants, max(decided, *(g.start for g in stay.grants))).until
        stay.applications, stay.grants = read, list(admission)
        granted = _until(approval.get("granted_until"))
        over = any(day_of(e["occurred_at"]) <= decided for e in stay.facts("employment_ended"))
        if isinstance(last, date) and isinstance(granted, date) and ended <= last < granted and not over:
            application.result, application.decided = "withdrawn", ended
            application.approval = application.revoked = None


def _read_grants(stay: Stay, mended: list[Event]) -> None:
    """What was granted and mended, in the order in which it begins: a class mended alone has the date before it."""
    granted = [a for a in stay.applications if a.approval and a.asks != "adjust" and a.decided]
    order: list[tuple[date, Event | Application]] = [
        (_date(e.get("valid_from")) or day_of(e["occurred_at"]), e) for e in mended
    ]
    order += [(_date((a.approval or {}).get("valid_from")) or a.decided or date.max, a) for a in granted]
    for start, each in sorted(order, key=lambda one: one[0]):
        if isinstance(each, Application):
            approval = each.approval or {}
            cls = approval.get("granted_class") or _in_force(stay.grants, start).admission_class
            # 8 CFR 214.1(c)(4), 248.1(b): granted from the day on which the stay before expired
            until = _until(approval.get("granted_until"))
            stay.grants.append(Grant(start, cls, until, receipt=each.receipt, heals=True, acted=each.decided))
        else:
            _mend(stay, each, start)
        stay.grants.sort(key=lambda g: g.start)


def _mend(stay: Stay, event: Event, start: date) -> None:
    before, until = _in_force(stay.grants, start), _until(event.get("granted_until"))
    if isinstance(before.until, date) and isinstance(until, date) and until < before.until:
        start = max(start, day_of(event["occurred_at"]))  # an earlier date takes back no day: 8 CFR 1.4, INA 222(g)
    stay.grants.append(
        Grant(
            start,
            event.get("granted_class") or before.admission_class,
            until or before.until,
            paroled=before.paroled and not event.get("granted_class"),
            # new parole undoes no end of it; nor does what says its own first day
            heals=not event.get("valid_from") and (not before.paroled or bool(event.get("granted_class"))),
        )
    )


def _paper(steps: list[Event]) -> bool:
    """As the record says; else CLAIMS 3 holds what was filed on paper."""
    said = [bool(e["filed_on_paper"]) for e in steps if e.get("filed_on_paper") is not None]
    return said[0] if said else bool(steps[0]["system"] == "CLAIMS3")


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _until(text: str | None) -> date | str | None:
    return text if text in (None, "D/S") else date.fromisoformat(text)


def _in_force(grants: list[Grant], day: date) -> Grant:
    """The grant that says class and date on a day: of those begun, that of the last action.

    The agency's practice, its letter of August 2004 on what was granted for a later day; 8 CFR 214.1(c), 248.1.
    """
    results = [g for g in grants if g.start <= day]
    # one that was over when it was granted covers what was waited for, and cuts nothing that was granted beyond it
    lasting = [g for g in results if not (g.acted and isinstance(g.until, date) and g.until < g.acted)]
    longest = max((g.until for g in lasting if isinstance(g.until, date)), default=None)
    if longest is not None and any(
        g not in lasting and isinstance(g.until, date) and g.until < longest for g in results
    ):
        results = lasting
    return max(results, key=lambda g: (g.last_action, g.acted or g.start, g.receipt or "")) if results else grants[0]


def _timely(stay: Stay, application: Application) -> bool | None:
    """Filed before the authorised stay was over (8 CFR 214.1(c)(4), 248.1(b)); None where sources leave it open.

    Nothing filed at the same time or later helps, and another application that is pending is no status.
    """
    earlier = [a for a in stay.applications if (a.filed, a.receipt) < (application.filed, application.receipt)]
    if application.asks == "change_class" and (protected := _protected_on(stay, application.filed)) is not False:
        return protected
    receipts = {a.receipt for a in earlier}
    grants = [g for g in stay.grants if g.receipt is None or g.receipt in receipts]
    value = _authorised_to_file(stay, grants, earlier, application, application.filed)
    if value is not False or not application.paper or application.filed < law.PAPER_SINCE:
        return value
    day = application.filed - DAY
    while closed(
        day
    ):  # 8 CFR 1.2 "day"; USCIS Policy Manual vol. 1 part B ch. 6: up to the end of the next business day
        value = _authorised_to_file(stay, grants, earlier, application, day)
        if value is not False:
            return value
        day -= DAY
    return False


def _authorised_to_file(
    stay: Stay, grants: list[Grant], earlier: list[Application], application: Application, day: date
) -> bool | None:
    labels = _status_label(stay, grants, earlier, day)
    grant = _in_force(grants, day)
    if labels == {STATUS}:
        return True
    if labels <= {STATUS, GRACE}:
        if grant.admission_class in law.STUDENTS | law.SIXTY_DAYS | law.SIXTY_DAYS_H2 and not _past_date(grant, day):
            # F: agency policy of 27 August 2024; employment: 8 CFR 214.1(l)(2)
            return None if _withdrawn_program(stay, grant, day) else True
        if grant.admission_class in law.ENDORSED_AND_OPEN and _past_date(grant, day):
            return True  # "in any authorized period described in" 8 CFR 214.1(l): (l)(3)
        return None  # J's 30 days, the endorsed days of other classes: sources disagree
    if GRACE in labels and grant.admission_class in law.THIRTY_DAYS and application.asks == "extend":
        return None  # "to seek an extension": 8 CFR 214.2(h)(5)(viii)(B), (h)(6)(vii)(A), where those days are
    if TERMINATED in labels and isinstance(grant.until, date) and day <= grant.until:
        return None  # before the date on the I-94, though out of status
    if UNKNOWN in labels or (grant.admission_class == "TPS" and STATUS in labels) or labels == {STATUS, OVER}:
        return None
    return False


def _past_date(grant: Grant, day: date) -> bool:
    return isinstance(grant.until, date) and day > grant.until


def _withdrawn_program(stay: Stay, grant: Grant, day: date) -> bool:
    last = _last_program(stay, grant.admission_class, day)
    return last is not None and last["fact"] == "sevis_terminated"


# --- labels of days --------------------------------------------------------------------------------------------------


def label(stay: Stay, day: date) -> Labels:
    """What a local day of the stay is."""
    base = _status_label(stay, stay.grants, stay.applications, day)
    if base == {STATUS}:
        return base
    pending = _pending(stay, day)
    if not pending:
        return base
    strong = PENDING in pending and "maybe" not in pending
    if base == {GRACE} and strong and _gap_ran_out(stay, day):
        return frozenset({PENDING})  # he may stay while it is pending: USCIS, 28 September 2018
    if "extended" in pending:
        return frozenset({STATUS})
    if GRACE in base or STATUS in base:
        return base | {PENDING}  # both hold; the closed list names the grace first
    if UNKNOWN in base:
        return frozenset({UNKNOWN, PENDING}) | (frozenset() if strong else base)
    return (
        frozenset({PENDING})
        | (frozenset({STATUS}) if "status" in pending else frozenset())
        | (frozenset() if strong else base)
    )


def _status_label(stay: Stay, grants: list[Grant], applications: list[Application], day: date) -> Labels:
    grant = _in_force(grants, day)
    base = _class_label(stay, grant, applications, day)
    mended = [g for g in grants if g.start > day and g.receipt is None]
    since = [g for g in grants if g.start == day and g.receipt is None]
    if (
        since
        and base == {OVER}
        and _status_label(stay, [g for g in grants if g not in since], applications, day) == {STATUS}
    ):
        return base | {STATUS}  # the day of the correction itself, of which the I-94 said more that morning
    if base == {STATUS} and any(isinstance(g.until, date) and g.until < day for g in mended):
        return base | {OVER}  # whether a date mended to an earlier one reaches back, no section says
    if base == {STATUS}:
        return base
    if any(g.start > day and g.heals for g in grants):
        following = min((g for g in grants if g.start > day and g.heals), key=lambda g: g.start)
        if following.receipt is not None and isinstance(following.until, date) and following.until < day:
            return base  # granted to a day that was over before it was granted
        if base & {GRACE, UNKNOWN}:
            return base | {STATUS}
        if base == {TERMINATED} and _granted_before_the_end(stay, grant, following):
            return base  # granted before the work ended: nobody excused the days behind that
        if base in ({TERMINATED}, {OVER}) and _regained(stay, grant, following, applications, day):
            return base | {STATUS}  # whether it reaches back behind a status that was given back, no section says
        if following.receipt is None and isinstance(following.until, date) and following.until < day:
            return base | {STATUS}  # mended later to a date before this day
        if following.receipt is None or _heals(stay, following, day):
            if isinstance(following.until, date) and _employment_ended(stay, following, following.until):
                return _dated_label(stay, following, following.until, day)
            return frozenset({STATUS})
    return base


def _granted_before_the_end(stay: Stay, grant: Grant, following: Grant) -> bool:
    if following.acted is None or not isinstance(grant.until, date):
        return False
    ended = _employment_ended(stay, grant, grant.until)
    return ended is not None and following.acted <= ended


def _regained(stay: Stay, grant: Grant, following: Grant, applications: list[Application], day: date) -> bool:
    """Whether SEVIS gave status back before the grant, or the grant is one of the same duration of status."""
    if grant.admission_class in law.VOCATIONAL and following.receipt is not None:
        return following.admission_class == grant.admission_class  # reinstated: 8 CFR 214.2(m)(16)
    if following.until == "D/S" and following.admission_class == grant.admission_class:
        return True  # reinstated: 8 CFR 214.2(f)(16)
    if grant.until != "D/S":
        return False
    between = (e for e in stay.programs if day < day_of(e["occurred_at"]) <= following.start)
    return any(_class_label(stay, grant, applications, day_of(e["occurred_at"])) == {STATUS} for e in between)


def _heals(stay: Stay, grant: Grant, day: date) -> bool:
    """An approval reaches back to the end of the status before (8 CFR 214.1(c)(4), 248.1(b))."""
    return grant.receipt is not None and grant.start > day >= stay.first_day


def _class_label(stay: Stay, grant: Grant, applications: list[Application], day: date) -> Labels:
    cls, until = grant.admission_class, grant.until
    if isinstance(until, date) and until < stay.first_day:
        return frozenset({UNKNOWN})  # no period ends before it began
    if grant.paroled:  # parole is no admission; INA 212(d)(5), 8 CFR 212.5(e)
        return _parole_label(stay, grant, day)
    if cls is None or (cls not in law.KNOWN and grant.receipt is None):
        return frozenset({UNKNOWN})
    if cls in law.STUDENTS | law.EXCHANGE:
        program = _program_label(stay, cls, applications, day)
        if until == "D/S":
            return program
        if until is None:
            return frozenset({UNKNOWN})
        return _program_with_date(stay, cls, until, program, day)
    if cls in law.VOCATIONAL:
        return _vocational_label(stay, grant, applications, day)
    if until == "D/S":
        prc = cls == "I" and stay.citizen_of("CHN")  # 8 CFR 214.2(i)(2)
        return frozenset({STATUS if cls in law.UNLIMITED and not prc else UNKNOWN})
    if until is None:
        return _unwritten_label(stay, cls, day)
    assert isinstance(until, date)
    return _dated_label(stay, grant, until, day)


def _parole_label(stay: Stay, grant: Grant, day: date) -> Labels:
    first = grant.until if isinstance(grant.until, date) else grant.start - DAY
    given = [(grant.start, first)]
    given += [
        (day_of(fact["occurred_at"]), date.fromisoformat(fact["until"]))
        for fact in stay.facts("parole")
        if fact.get("until") and day_of(fact["occurred_at"]) <= day
    ]
    if len(given) == 1 and not isinstance(
        grant.until, date
    ):  # a parole whose date nobody tells: known to be over once it was ended
        undated = _paroled(stay, grant.start, FOREVER, day)
        return undated - {STATUS} | ({UNKNOWN} if STATUS in undated else frozenset())
    each = [_paroled(stay, start, until, day, named=number == 0) for number, (start, until) in enumerate(given)]
    if not isinstance(grant.until, date):  # up to when it was before that, nobody tells
        each.append(_paroled(stay, grant.start, FOREVER, day) - {STATUS} | {UNKNOWN})
    return frozenset({STATUS}) if {STATUS} in each else frozenset().union(*each)


def _paroled(stay: Stay, start: date, until: date, day: date, *, named: bool = True, program: bool = False) -> Labels:
    """What one grant of parole says of a day: 8 CFR 212.5(e)(1)(ii), (2)(i).

    Over with its own last day, or with the day on which the alien is told in writing. `named`: whether it is known to
    be one of the program that the class names.
    """
    notified = [ended for fact in stay.facts("parole_ended") if (ended := day_of(fact["occurred_at"])) >= start]
    if day > until or (notified and day > min(notified)):
        return frozenset({OVER})
    if notified and day == min(notified):
        return frozenset({STATUS, OVER})
    program = program or stay.arrival.get("written", {}).get("class_of_admission") in law.PAROLE_PROGRAM
    opens, closes = law.PAROLE_PROGRAM_ENDED
    if program and start <= opens < day:
        return frozenset({OVER}) if day >= closes and named else frozenset({STATUS, OVER})
    return frozenset({STATUS})


def _unwritten_label(stay: Stay, cls: str, day: date) -> Labels:
    """Where no date was written down, the law gives a few classes one."""
    first = stay.first_day
    if cls in law.WITHOUT_DATE:
        sure, late = first + timedelta(days=law.WITHOUT_DATE[cls] - 1), first + timedelta(days=law.WITHOUT_DATE[cls])
    elif cls in ("B1", "B2") and stay.citizen_of("CAN") and not i94_of(stay.arrival):
        late = add_months(first, 6)  # 8 CFR 235.1(h)(1)(i), 212.1(a), 214.2(b)(2)
        sure = late - DAY
    else:
        return frozenset({UNKNOWN})
    if day <= sure:
        return frozenset({STATUS})
    if day == late:
        return frozenset({STATUS, OVER})  # whether the day of arrival counts, no section says
    return _satisfactory(stay, cls, late, day)


def _satisfactory(stay: Stay, cls: str, last: date, day: date) -> Labels:
    """8 CFR 217.3(a), 212.1(q): no overstay only for who leaves within the days granted."""
    limit = law.SATISFACTORY_DEPARTURE.get(cls)
    for fact in stay.facts("satisfactory_departure"):
        granted = day_of(fact["occurred_at"])
        given = _date(fact.get("until"))
        if limit and given and granted <= day and day <= min(given, last + timedelta(days=limit)):
            return frozenset({GRACE})
    return frozenset({OVER})


def _dated_label(stay: Stay, grant: Grant, until: date, day: date) -> Labels:
    cls = grant.admission_class
    if cls == "TPS" and day <= until:  # it ends with the designation, or by withdrawal: INA 244(b)(3)(B), (c)(3)
        taken = [each for e in stay.facts("tps_withdrawn") if (each := day_of(e["occurred_at"])) >= grant.start]
        last = min(taken, default=FOREVER)
        opens, closes = _designation_over(stay)
        if day > last or (day >= closes and grant.start < opens):
            return frozenset({OVER})
        return frozenset({STATUS, OVER}) if day == last or day >= opens else frozenset({STATUS})
    if day <= until:
        ended = _employment_ended(stay, grant, until)
        if ended is None or day <= ended:
            return frozenset({STATUS})
        sixty = (cls in law.SIXTY_DAYS and ended >= law.SIXTY_SINCE) or (
            cls in law.SIXTY_DAYS_H2 and ended >= law.H2_SINCE
        )
        if sixty and day <= ended + timedelta(days=60):
            return frozenset({GRACE})
        return frozenset({TERMINATED})
    if cls in law.SATISFACTORY_DEPARTURE:
        return _satisfactory(stay, str(cls), until, day)
    ended = _employment_ended(stay, grant, until)
    for fact in stay.facts("days_endorsed"):
        given = _date(fact.get("until"))
        limit = 30 if cls in law.THIRTY_DAYS and grant.start >= law.H2_SINCE else 10
        if cls in law.TEN_DAYS | law.THIRTY_DAYS and given and day <= min(given, until + timedelta(days=limit)):
            # the days are of the admission, so no overstay (INA 222(g)); who was out of status before has no grace
            kept = ended is None or _dated_label(stay, grant, until, until) <= {STATUS, GRACE}
            return frozenset({GRACE} if kept else {TERMINATED, GRACE})
    if cls in law.THIRTY_DAYS and grant.start >= law.H2_SINCE and day <= until + timedelta(days=30):
        return frozenset({GRACE, OVER})  # 30 days behind the petition's end, which the I-94's date may contain already
    # "will be admitted for an additional period": the law of the day of admission says which
    if cls == "H2A" and law.H2A_SINCE <= grant.start < law.H2_SINCE and day <= until + timedelta(days=30):
        return frozenset({GRACE, OVER})  # the same, since 2009 for H-2A
    if cls == "H2B" and grant.start < law.H2_SINCE and day <= until + timedelta(days=10):
        return frozenset({GRACE, OVER})  # 8 CFR 214.2(h)(13)(i)(A) as it was
    return frozenset({OVER})


def _employment_ended(stay: Stay, grant: Grant, until: date) -> date | None:
    if grant.admission_class not in law.WORKERS:
        return None
    petition = _petition(stay, grant)
    mended = grant.start if grant.receipt is None else date.min  # by who knew what had been revoked before
    revoked = [a.revoked for a in stay.applications if a.revoked and a.receipt == petition and a.revoked >= mended]
    ended = _last_employment(stay, grant, petition, until)
    lost = stay.lost if petition is None else []
    days = [day for day in (ended, *revoked, *lost) if day is not None and day <= until]
    return min(days, default=None)


def _petition(stay: Stay, grant: Grant) -> str | None:
    """What the class was granted by; an inspection that mends the I-94 leaves that what it was."""
    earlier = [g for g in stay.grants if g.receipt is not None and g.last_action <= grant.start]
    return grant.receipt or max(((g.last_action, g.receipt or "") for g in earlier), default=(None, None))[1]


def _last_employment(stay: Stay, grant: Grant, petition: str | None, until: date) -> date | None:
    for fact in stay.facts("employment_ended"):
        ended = day_of(fact["occurred_at"])
        named = receipts_of(fact)
        if named and petition is not None and petition not in named:
            continue
        early = bool(named) and grant.receipt in named  # the petition's own, over before its first day
        if (_begins(stay, grant) <= ended or early) and ended <= until:
            return ended
    return None


def _begins(stay: Stay, grant: Grant) -> date:
    """The first day of what was granted: no later than the day behind the date before it, if it was granted by then."""
    if grant.receipt is None or grant.acted is None:
        return grant.start
    before = _in_force([g for g in stay.grants if g is not grant], grant.start - DAY)
    if not isinstance(before.until, date) or before.start > grant.start:
        return grant.start
    return min(grant.start, max(before.until + DAY, grant.acted))


# --- students --------------------------------------------------------------------------------------------------------


def _order(event: Event) -> tuple[date, str, int]:
    return day_of(event["occurred_at"]), event.get("recorded_at") or "", event["revision"]["number"]


def _programs(stay: Stay, cls: str | None, day: date) -> list[Event]:
    return [
        e
        for e in stay.programs
        if e["part"] == "program"
        and e.get("class_of_admission") in (None, cls)
        and day_of(e["occurred_at"]) <= day
        and not (e["fact"] == "sevis_terminated" and _reinstated(stay, cls, e, day))
    ]


def _reinstated(stay: Stay, cls: str | None, termination: Event, day: date) -> bool:
    """Whether the same class was granted anew for duration of status behind a termination: 8 CFR 214.2(f)(16)."""
    return any(day_of(termination["occurred_at"]) < acted for acted in _given_again(stay, cls, day))


def _given_again(stay: Stay, cls: str | None, day: date) -> list[date]:
    """The days up to one on which the class was granted to who may have held it: 8 CFR 214.2(f)(16), (m)(16)."""
    if cls not in law.STUDENTS | law.VOCATIONAL:
        return []
    given = [g for g in stay.grants if g.receipt is not None and g.admission_class == cls and g.acted]
    lasting = [g for g in given if (g.until == "D/S") == (cls in law.STUDENTS)]
    return [g.acted for g in lasting if g.acted is not None and g.acted <= day]


def _last_program(stay: Stay, cls: str | None, day: date) -> Event | None:
    return max(_programs(stay, cls, day), key=_order, default=None)


def _program_label(stay: Stay, cls: str, applications: list[Application], day: date) -> Labels:
    """Duration of status: 8 CFR 214.2(f)(5), (j)(1)(ii)."""
    last = _last_program(stay, cls, day)
    if last is None:
        return frozenset({UNKNOWN})
    if last["fact"] == "sevis_terminated" and not any(
        e["fact"] != "sevis_terminated" for e in _programs(stay, cls, day)
    ):
        return _ended_program(cls, last, day) | {UNKNOWN}  # the end of something that nobody tells the beginning of
    ended = day_of(last["occurred_at"])
    if last["fact"] == "sevis_terminated":
        if day <= ended:
            return frozenset({STATUS})
        before = _program_label(stay, cls, applications, ended - DAY)
        if before == {OVER}:
            return before
        return _ended_program(cls, last, day)
    program_end = _date(last.get("until"))
    if program_end is None:
        return frozenset({UNKNOWN})
    if program_end < min(day_of(e["occurred_at"]) for e in _programs(stay, cls, day)):
        return frozenset({UNKNOWN})  # no program ends before its form was issued
    grace = timedelta(days=law.GRACE_OF_PROGRAMS[cls])
    end, gaps = program_end, []
    for start, through in sorted(_periods(stay, cls, applications)):
        if through > end and start <= end + grace + DAY:
            if start > end + DAY:
                gaps.append((end, start))
            end = through
    if any(before < day < start for before, start in gaps):
        return frozenset({STATUS, GRACE})
    if day <= end:
        return frozenset({STATUS})
    if any(acted > end and day_of(last["occurred_at"]) < acted for acted in _given_again(stay, cls, day)):
        return frozenset({UNKNOWN, STATUS} | ({GRACE} if day <= end + grace else set()))  # on a program nobody tells of
    return frozenset({GRACE if day <= end + grace else OVER})


def _ended_program(cls: str, last: Event, day: date) -> Labels:
    ended = day_of(last["occurred_at"])
    if day <= ended:
        return frozenset({STATUS})
    if last.get("reason") == "violation":
        return frozenset({TERMINATED})  # no days of grace: 8 CFR 214.2(f)(5)(iv)
    if last.get("reason") == "authorized-withdrawal":
        if day <= ended + timedelta(days=law.WITHDRAWAL.get(cls, 0)):
            return frozenset({GRACE})
        return frozenset({OVER}) if cls in law.WITHDRAWAL else frozenset({OVER, TERMINATED})
    return frozenset({UNKNOWN})  # administrative: neither violation nor grace


def _periods(stay: Stay, cls: str, applications: list[Application]) -> list[tuple[date, date]]:
    """Practical or academic training and the cap-gap: 8 CFR 214.2(f)(10), (f)(5)(vi); 22 CFR 62.23(f)."""
    reason = {"F1": "practical-training", "J1": "academic-training"}.get(cls)
    results = []
    for event in stay.programs:
        through = _date(event.get("until"))
        if through is None or event.get("class_of_admission") not in (None, cls) or event["fact"] != "sevis_active":
            continue
        if (event["part"] == "employment" and event.get("reason") == reason) or (
            event["part"] == "cap-gap" and cls in law.STUDENTS  # (f)(5)(vi)(D): the dependents of such a student, too
        ):
            if event["part"] == "cap-gap":  # ended at once by a denial or a withdrawal: 8 CFR 214.2(f)(5)(vi)
                over = [
                    a.decided
                    for a in applications
                    if cls == "F1" and a.asked_class == "H1B" and a.result in ("denied", "withdrawn")
                ]  # a dependent's follows the student's petition, not one of her own
                through = min([through, *(day for day in over if day is not None)])
            results.append((day_of(event["occurred_at"]), through))
    if cls == "F1":
        for application in applications:
            through = _cap_gap(stay, application)
            reaches = _in_time_for_cap_gap(stay, application, applications)
            if through is not None and reaches is not None:
                results.append((reaches, through))
    return results


def _gap_ran_out(stay: Stay, day: date) -> bool:
    """Whether a petition is pending behind the day with which its cap-gap ended."""
    for application in stay.applications:
        through, reaches = _cap_gap(stay, application), _in_time_for_cap_gap(stay, application, stay.applications)
        if through is not None and reaches is not None and through < day <= (application.decided or FOREVER):
            return application.decided is None or application.decided > through
    return False


def _cap_gap(stay: Stay, application: Application) -> date | None:
    """Up to 1 April of the fiscal year asked for, or the decision (8 CFR 214.2(f)(5)(vi)); to 1 October where status
    ended before 17 January 2025.
    """
    if application.asks != "change_class" or application.asked_class != "H1B" or application.frivolous:
        return None
    # no petition is filed more than six months before its start: 8 CFR 214.2(h)(2)(i)(I)
    through = date(application.filed.year + (application.filed.month >= 4), 4, 1)
    ends = [_date(e.get("until")) for e in stay.programs if e["fact"] == "sevis_active" and e["part"] != "cap-gap"]
    if max((end for end in ends if end), default=law.CAP_GAP_TO_APRIL) < law.CAP_GAP_TO_APRIL:
        through = date(through.year - 1, 10, 1)
    if application.result in ("denied", "withdrawn") and application.decided is not None:
        through = min(through, application.decided)
    return through


def _in_time_for_cap_gap(stay: Stay, application: Application, applications: list[Application]) -> date | None:
    """The authorised day as of which the petition counts as received: its own, or a closed one right before it."""
    others = [a for a in applications if (a.filed, a.receipt) < (application.filed, application.receipt)]
    days = [application.filed]
    if application.paper:
        day = application.filed - DAY
        while closed(day):
            days.append(day)
            day -= DAY
    return next((day for day in days if _program_label(stay, "F1", others, day) <= {STATUS, GRACE}), None)


def _program_with_date(stay: Stay, cls: str, until: date | str, program: Labels, day: date) -> Labels:
    """Admitted to a date for want of papers (Form I-515A): 8 CFR 214.3(l); D/S only once they came."""
    assert isinstance(until, date)
    if day <= until:
        if program <= {STATUS, UNKNOWN}:
            return frozenset({STATUS})
        return program if program == {TERMINATED} else program | {STATUS}
    if program & {STATUS, GRACE}:
        again = [e for e in _programs(stay, cls, day) if e.get("reason") == "reactivated"]
        reinstated = any(day_of(e["occurred_at"]) > until for e in again)
        return program | {UNKNOWN} if reinstated else frozenset({UNKNOWN})
    if program == {UNKNOWN}:
        return frozenset({OVER, UNKNOWN})  # whether the papers came, nobody tells
    return program | {OVER, UNKNOWN}


def _vocational_label(stay: Stay, grant: Grant, applications: list[Application], day: date) -> Labels:
    """M is admitted to a date, and the date holds: 8 CFR 214.2(m)(5), (m)(10)."""
    cls = str(grant.admission_class)
    if not isinstance(grant.until, date):
        return frozenset({UNKNOWN})
    if day > grant.until:
        return frozenset({OVER})
    last = _last_program(stay, cls, day)
    if last is None:
        return frozenset({STATUS, UNKNOWN})
    untold = not any(e["fact"] != "sevis_terminated" for e in _programs(stay, cls, day))
    if last["fact"] == "sevis_terminated":
        if day <= day_of(last["occurred_at"]):
            return frozenset({STATUS})
        if last.get("reason") == "violation":
            return frozenset({TERMINATED, STATUS} if untold else {TERMINATED})
        return frozenset({TERMINATED, UNKNOWN, GRACE})
    end = _date(last.get("until"))
    if end is None:
        return frozenset({UNKNOWN})
    if day <= end:
        return frozenset({STATUS})
    trained = any(
        e["part"] == "employment" and day_of(e["occurred_at"]) <= end + timedelta(days=31) for e in stay.programs
    )
    if trained:
        return frozenset({GRACE, STATUS})
    return frozenset({GRACE}) if day <= end + timedelta(days=30) else frozenset({GRACE, STATUS, TERMINATED})


# --- what protects without being a status ----------------------------------------------------------------------------


def _worked(stay: Stay, through: date) -> bool:
    return any(day_of(e["occurred_at"]) <= through for e in stay.facts("unauthorised_work"))


def _pending(stay: Stay, day: date) -> set[str]:
    """PENDING where an authorised stay rests on something undecided; with "maybe" where sources leave it open."""
    sure, maybe = False, False
    marks: set[str] = set()
    for application in stay.applications:
        if application.frivolous:  # INA 212(a)(9)(B)(iv): nonfrivolous
            continue
        decided = application.decided or FOREVER
        weekend = _received_after_weekend(application, day)
        if not (application.filed <= day or weekend) or day > decided:
            continue
        if not application.filing_reported:
            maybe = True  # decided, and nobody tells when it was filed
            continue
        if application.asks == "adjust":  # INA 245; agency guidance: from a proper filing, whatever the status
            sure |= application.filed <= day
            held = _in_force(stay.grants, application.filed)
            if held.admission_class in law.VICTIMS and isinstance(held.until, date) and application.filed <= held.until:
                marks.add("extended")  # INA 214(o)(7)(C), (p)(6): their status is extended for that long
            continue
        grant = _in_force(stay.grants, application.filed)
        if grant.paroled or grant.admission_class in law.NO_EXTENSION_NO_CHANGE:
            continue  # 8 CFR 214.1(c)(3), 248.2; INA 248(a)
        if application.asks == "change_class" and grant.admission_class in law.NO_CHANGE:
            continue
        timely = _timely(stay, application)
        if timely is False:
            continue
        if any(application.receipt in receipts_of(fact) for fact in stay.facts("employment_ended")):
            maybe = True  # undecided, but the employment that it asks for is over
            continue
        eve = _in_force(stay.grants, application.filed - DAY)
        if eve.paroled or eve.admission_class in law.NO_EXTENSION_NO_CHANGE:
            maybe = True  # filed on the day on which he came to a class that may file
            continue
        if any(
            g.receipt not in (None, application.receipt)
            and g.admission_class != grant.admission_class
            and application.filed < g.start <= day
            for g in stay.grants
        ):
            maybe = True  # another class was granted since, behind what this one asked for
            continue
        worked = _worked(stay, min(decided, FOREVER))  # INA 212(a)(9)(B)(iv)(III): before or during pendency
        if worked and _worked(stay, day):
            continue
        if timely is None or worked or weekend:
            maybe = True
        else:
            sure = True
    for kind in ("asylum_pending",):  # INA 212(a)(9)(B)(iii)(II)
        for fact in stay.facts(kind):
            over = [day_of(e["occurred_at"]) for e in stay.facts("asylum_denied")]
            begins = day_of(fact["occurred_at"])
            end = min((d for d in over if d >= begins), default=FOREVER)
            if begins <= day <= end:
                if day == end or any(day_of(e["occurred_at"]) >= begins for e in stay.facts("unauthorised_work")):
                    maybe = True
                else:
                    sure = True
    for fact in stay.facts("tps"):  # INA 244(a)(1), (f)(4)
        withdrawn = [day_of(e["occurred_at"]) for e in stay.facts("tps_withdrawn")]
        begins, given = day_of(fact["occurred_at"]), _date(fact.get("until"))
        end = min((d for d in withdrawn if d >= begins), default=FOREVER)
        if given and begins <= day <= given and day <= end:
            marks.add("status")
            opens, closes = _designation_over(stay)
            if day >= closes:
                continue
            sure, maybe = (sure, True) if day == end or day >= opens else (True, maybe)
    for fact in stay.facts("deferred_departure", "deferred_action"):  # presidential memorandum; 8 CFR 236.21(c)(3)
        given = _date(fact.get("until"))
        if given and day_of(fact["occurred_at"]) <= day <= given:
            sure = True
    for fact in stay.facts("voluntary_departure"):  # INA 240B; 8 CFR 240.25, 240.26
        given, granted = _date(fact.get("until")), day_of(fact["occurred_at"])
        limit = granted + timedelta(days=law.VOLUNTARY_DEPARTURE.get(fact.get("reason"), 120))
        if given and granted <= day <= min(given, limit):
            sure = True
    if not _in_force(stay.grants, day).paroled:
        for fact in stay.facts("parole"):  # INA 212(d)(5): in place
            given = _date(fact.get("until"))
            if given and day_of(fact["occurred_at"]) <= day <= given:
                here = _paroled(stay, day_of(fact["occurred_at"]), given, day, program=fact.get("reason") == "CHNV")
                if STATUS in here:
                    sure, maybe = (sure, True) if OVER in here else (True, maybe)
                    marks.add("status")
    if sure:
        return {PENDING} | marks
    return {PENDING, "maybe"} | marks if maybe else set()


def _protected_on(stay: Stay, day: date) -> bool | None:
    """INA 244(f)(4): for 248 in lawful status while temporary protected status is granted; None where a court's order
    leaves that open."""
    for fact in stay.facts("tps"):
        begins, given = day_of(fact["occurred_at"]), _date(fact.get("until"))
        withdrawn = [each for e in stay.facts("tps_withdrawn") if (each := day_of(e["occurred_at"])) >= begins]
        opens, closes = _designation_over(stay)
        if given and begins <= day <= given and day < closes and day <= min(withdrawn, default=day):
            return None if day >= opens or day in withdrawn else True
    return False


def _designation_over(stay: Stay) -> tuple[date, date]:
    """From when the designation of the person's state may be, and is, over by notice (INA 244(b)(3)(B))."""
    results = [
        law.TPS_ENDED[state] for state in stay.arrival["subject"].get("citizenship", []) if state in law.TPS_ENDED
    ]
    return results[0] if results else (date.max, date.max)


def _received_after_weekend(application: Application, day: date) -> bool:
    """Whether the day is one of those closed days behind which a paper filing was received in time."""
    if not application.paper or application.asks == "adjust" or day >= application.filed:
        return False
    before = application.filed - DAY
    while closed(before):
        if before == day:
            return True
        before -= DAY
    return False


# --- departures ------------------------------------------------------------------------------------------------------


def _answer(stay: Stay, as_of: datetime, known: list[Event]) -> Answer:
    if stay.arrival["inspection"] in ("refused", "withdrawn"):
        return Answer(("NOT_ADMITTED",), stay.arrival["inspection"])
    departures, doubts = _departures(stay, as_of)
    maybe_inside = doubts == ["?"]
    doubts = [] if maybe_inside else doubts
    left: list[str] = []
    for event in departures:
        left += [o for o in _departed(stay, event) if o not in left]
    if left:
        last = max(start_of(e["occurred_at"]) for e in departures)
        if _became_resident(stay, last + timedelta(hours=26)):
            sure = _became_resident(stay, last - timedelta(hours=26))  # else on a day that other zones do not share
            left = ["ADJUSTED", "DEPARTED_IN_TIME", *([] if sure else left)]  # nobody's late departure
        if maybe_inside:
            left += [o for o in _inside(stay, local_day(as_of, stay.zone), as_of, known) if o not in left]
        return Answer((*doubts, *left), f"left {[day_of(e['occurred_at']).isoformat() for e in departures]}")
    if stay.ends is not None and as_of >= stay.ends:
        return Answer(("CLOSED_UNOBSERVED", *doubts), "asked for admission again")
    today = local_day(as_of, stay.zone)
    if _became_resident(stay, as_of):
        return Answer(("ADJUSTED", *doubts), "no longer a nonimmigrant")
    inside = _inside(stay, today, as_of, known)
    if doubts:
        return Answer(tuple(doubts), "a carrier's word against what only somebody present can cause")
    if set(inside) & {"OVERSTAY_SUSPECTED", "DEPARTURE_UNKNOWN"}:
        if any(e["kind"] == "departure" and implausible(e) for e in stay.events):
            return Answer(("UNDETERMINED", "DEPARTURE_UNKNOWN"), "a departure dated after its own record")
        if any(
            e["kind"] == "departure" and e["evidence"] == "shown" and start_of(e["occurred_at"]) <= as_of
            for e in stay.events
        ):
            return Answer(("UNDETERMINED",), "the person shows to have left, and no source has it")
    return Answer(inside, f"on {today.isoformat()}")


def _became_resident(stay: Stay, by: datetime) -> bool:
    """INA 245, 208, 316: no longer a nonimmigrant."""
    granted = stay.facts("permanent_resident", "naturalised", "asylum_granted")
    granted += [a.approval for a in stay.applications if a.asks == "adjust" and a.approval is not None]
    return any(start_of(e["occurred_at"]) <= by for e in granted)


def _departed(stay: Stay, event: Event) -> list[str]:
    day = day_of(event["occurred_at"])
    results = []
    for what in sorted(label(stay, max(day, stay.first_day)) | ({UNKNOWN} if stay.untold_trip else set())):
        if what in AUTHORISED:
            results.append("DEPARTED_IN_TIME")
        elif what == UNKNOWN:
            results.append("UNDETERMINED")
        elif what == TERMINATED:
            until = _in_force(stay.grants, day).until
            results.append("DEPARTED_IN_TIME" if isinstance(until, date) and day <= until else "DEPARTED_LATE")
        else:
            results.append("DEPARTED_LATE")
    return list(dict.fromkeys(results))


def _departures(stay: Stay, as_of: datetime) -> tuple[list[Event], list[str]]:
    """The accepted departure (several where any may be meant), and outcomes that a contradiction calls for instead."""
    every = [e for e in stay.events if e["kind"] == "departure" and not implausible(e)]
    happened = [e for e in every if start_of(e["occurred_at"]) <= as_of]
    strong = [e for e in every if e["evidence"] in law.STRONG]
    weak = [e for e in happened if e["evidence"].startswith("manifest")]
    visitor = stay.citizen_of("CAN") and stay.arrival.get("class_of_admission") in ("B1", "B2")
    doubted: list[Event] = []
    if strong:
        first = min(start_of(e["occurred_at"]) for e in strong)
        for event in weak:
            at = start_of(event["occurred_at"])
            if at > first - timedelta(days=2):
                if stay.citizen_of("CAN") and at < first - DAY:
                    doubted.append(event)  # the same crossing told a day and more apart, or two
                continue  # the same crossing, or after he had gone
            if visitor:
                return [event], []  # back by land without a record: 8 CFR 235.1(h)(1)(i)
            if stay.citizen_of("CAN"):
                doubted.append(event)  # in another class he may have come back so, too
        now = [e for e in strong if e in happened]
        if now:
            # of two of one strength either may be meant: the first ended the stay and the return left no record, or
            # the first was a trip on the I-94 (22 CFR 41.112(d)), which leaves none either
            if visitor:  # the first crossing ended it; its reports lie within a day of each other
                first = min(start_of(e["occurred_at"]) for e in now)
                now = [e for e in now if start_of(e["occurred_at"]) <= first + DAY]
            results = sorted(_strongest(now), key=lambda e: start_of(e["occurred_at"]))
            later = any(start_of(e["occurred_at"]) > as_of for e in strong)
            return results[:1] + results[1:][-1:] + doubted, (["?"] if later else [])
        if doubted:
            return doubted, ["?"]
        return [], []  # a manifest that stronger, later evidence of presence contradicts loses
    if not weak:
        return [], []
    accepted = _strongest(weak)
    at = max(start_of(e["occurred_at"]) for e in accepted)
    here = [e for e in stay.events if stay.ends is None or start_of(e["occurred_at"]) < stay.ends]
    signs = [e for e in here if _shows_presence(e) and day_of(e["occurred_at"]) > local_day(at, stay.zone) + DAY]
    later_weak = [
        e
        for e in every
        if e["evidence"].startswith("manifest") and start_of(e["occurred_at"]) > max(as_of, at + timedelta(days=2))
    ]
    if not signs and any(
        e["kind"] == "extension" and e["asks"] == "adjust" for e in here if start_of(e["occurred_at"]) > at
    ):
        return accepted, ["UNDETERMINED"]  # who adjusts has to be present (INA 245(a)); whether who files is, is open
    if not signs and not later_weak:
        return accepted, []
    if not signs:
        return accepted, ["?"]
    if any(e.get("fact") in MET for e in signs):
        return [], []  # an officer's word is stronger than a carrier's
    return [], ["UNDETERMINED"]


def _strongest(events: list[Event]) -> list[Event]:
    best = min(law.STRENGTH.index(e["evidence"]) for e in events)
    return [e for e in events if law.STRENGTH.index(e["evidence"]) == best]


def _shows_presence(event: Event) -> bool:
    """What only somebody in the country can cause: an approval, biometrics taken inside, a registration."""
    if event["kind"] == "extension":  # more time is asked for, and given, in the country: 8 CFR 214.1(c), 248.1(a)
        return bool(event["action"] == "approved" or (event["action"] == "filed" and event["asks"] != "adjust"))
    if event["kind"] != "status":
        return False
    if event["fact"] in MET or event["fact"] in HERE:
        return True
    if event["fact"] == "encounter":
        return bool(event.get("reason") == "enrolment" and event.get("port"))
    return bool(event["fact"] == "sevis_active" and event.get("reason") == "registered")


# --- absence ---------------------------------------------------------------------------------------------------------


def _inside(stay: Stay, today: date, as_of: datetime, known: list[Event]) -> tuple[str, ...]:
    labels = label(stay, today)
    for event in stay.events:  # leaves on a day that is over at the port of entry, and not where he leaves
        if event["kind"] == "departure" and as_of < start_of(event["occurred_at"]) < as_of + timedelta(hours=26):
            labels |= label(stay, max(day_of(event["occurred_at"]), stay.first_day))
    there = local_day(as_of, AGENCY)
    if there != today and any(e["kind"] != "departure" and day_of(e["occurred_at"]) == there for e in stay.events):
        labels |= label(stay, there)  # something happened on the agency's day, which the port of entry does not share
    if stay.untold_trip:
        labels |= {UNKNOWN}
    results = [INSIDE[what] for what in (STATUS, GRACE, PENDING, TERMINATED, UNKNOWN) if what in labels]
    if OVER in labels:
        for surely in (False, True):  # the end may be that of days whose authorisation the law leaves open
            last = today
            while last >= stay.first_day and (label(stay, last) == {OVER} if surely else OVER in label(stay, last)):
                last -= DAY
            results += [o for o in _absent(stay, last, known) if o not in results]
    return tuple(results)


def _absent(stay: Stay, last: date, known: list[Event]) -> list[str]:
    """Whether nobody having reported a departure means that nobody left: only where all ways out are known complete."""
    end = midnight(last + DAY, stay.zone)
    through = min(_complete_through(mode, stay.begins, known) for mode in ("air", "sea", "land"))
    if through < end:
        return ["DEPARTURE_UNKNOWN"]
    if through < end + timedelta(hours=26):
        # it is still the last day somewhere in the country: a departure then and there is in time and may be untold
        return ["OVERSTAY_SUSPECTED", "DEPARTURE_UNKNOWN"]
    return ["OVERSTAY_SUSPECTED"]


def _complete_through(mode: str, since: datetime, known: list[Event]) -> datetime:
    spans = sorted(
        (instant(e["since"]), instant(e["through"]))
        for e in known
        if e["kind"] == "coverage" and e["scope"] in (f"departure:{mode}", "departure")
    )
    through = since
    covered = False
    for start, end in spans:
        if start <= through and end >= through:
            through, covered = end, True
    return through if covered else datetime.min.replace(tzinfo=since.tzinfo)
