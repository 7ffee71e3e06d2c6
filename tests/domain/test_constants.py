"""Rules that are no rows, each against literals: whichever of them is changed, by however little, an answer changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, permutations
from types import ModuleType

import pytest
from domain import test_protections, test_rules
from domain.stories import EVER, NEW_YORK, Story, second
from domain.students import Student

from schemas.events import Action, Mode, Request
from schemas.events import Fact as StatusFact
from services.domain import programs, remaining, rules
from services.domain.accounting import Report
from services.domain.coverage import coverage_of

D, END = date(2025, 1, 10), date(2025, 4, 10)
ONE = timedelta(1)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


WORKING = (
    "A3 CW1 E1 E2 E3 G5 H1B H1B1 H2A H2B H3 HSC I I1 J1 L1 L1A L1B O1 O1A O1B O2 P1 P1A P1B P2 P3 R1 TC TN TN1 TN2"
).split()
IDLE = "A1 A2 B1 B2 F1 F2 G1 G2 G3 G4 H4 J2 L2 M1 M2 NATO1 NATO7 Q1 R2 TD".split()


def work() -> Iterator[str]:
    """Permission to work goes on for 240 days behind the date, in these classes.

    Whoever is admitted for duration of status has a date once an extension has named one.
    """
    last = END + days(240)
    for admission_class in (*WORKING, *IDLE):
        story = Student(admission_class=admission_class).came(D, until=END, names=1).created(D - ONE, END + days(400))
        story.extended(D, D + ONE, until=END, receipt=2).extended(END, receipt=3)
        stay = story.stay()
        actual = [
            remaining.work_until(stay, second(NEW_YORK, day, clock))
            for day, clock in ((END, "23:59:59"), (END + ONE, "00:00:00"), (last, "23:59:59"), (last + ONE, "00:00:00"))
        ]
        if actual != ([None, last, last, None] if admission_class in WORKING else [None] * 4):
            yield f"{admission_class}: {actual}"


def back() -> Iterator[str]:
    """Back on the same I-94 within 30 days, by the rule that says so."""
    for away, expected in (
        (29, ("automatic-revalidation", "22 CFR 41.112(d); 8 CFR 214.1(b)")),
        (30, ("automatic-revalidation", "22 CFR 41.112(d); 8 CFR 214.1(b)")),
        (31, ("no-rule", "")),
    ):
        first = Story().admitted(D, until=END).left(D + ONE).admitted(D + ONE + days(away), None).stay(1).timeline[0]
        if (first.rule, first.citation) != expected:
            yield f"{away} days away: {first.rule}, {first.citation}"


def _arrivals(seconds: int, which: int | None, **more: object) -> int:
    """How many arrivals there are where a second system tells of one so much later."""
    story = Story().admitted(D, until=END, system="I94", mode=Mode.AIR, carrier="AA")
    at = datetime.fromtimestamp(second(NEW_YORK, D) + seconds, UTC)
    story.zone = "UTC"
    fields = {"carrier": "AA", "mode": Mode.AIR} | more
    story.admitted(at.date(), None, clock=f"{at:%H:%M:%S}", system="TECS", which=which, **fields)
    return len(story.history().stays)


def one_arrival() -> Iterator[str]:
    """Half a day between two systems; a whole one under one number; an hour at one airport by two flights."""
    for limit, which, more in ((43_200, None, {}), (86_400, 1, {}), (3_600, None, {"carrier": "BA"})):
        for by in (-1, 0, 1):
            if _arrivals(limit + by, which, **more) != (2 if by > 0 else 1):
                yield f"{limit + by} seconds apart: {_arrivals(limit + by, which, **more)} arrivals"


def one_step() -> Iterator[str]:
    """The copy of a decision up to 30 days behind it is no news, the next day it is."""
    for lag, expected in ((29, "OVERSTAY_SUSPECTED"), (30, "OVERSTAY_SUSPECTED"), (31, "IN_STATUS")):
        more = {"granted_until": END + days(900)}
        story = Story().admitted(D, until=END).applied(END - ONE).applied(END, Action.APPROVED, **more)
        story.applied(END + days(20), Action.DENIED)
        story.applied(END + days(lag), Action.APPROVED, system="PCQS", **more)
        if story.outcome(END + days(400)) != expected:
            yield f"{lag} days behind: {story.outcome(END + days(400))}"


def waivers() -> Iterator[str]:
    """Who came without a visa under the program, in the yearly account; Guam has a program of its own."""
    report = Report(2025, second(NEW_YORK, END), coverage_of(EVER))
    for admission_class in ("WB", "WT", "B1", "B2", "GMT", "GMB", "H1B"):
        report.add(Story().admitted(D, admission_class, END).history())
    actual = {key.admission_class for key in report.cells if key.waiver}
    if actual != {"WB", "WT"}:
        yield f"waivers: {actual}"


FOLLOWED = {"completed", "registered", "change-of-level", "change-of-program", "transferred", "reactivated"}
HELD = {"created", "extended", "shortened", "deferred"}


def taken_up() -> Iterator[str]:
    """A second record carries a stay on once its program is followed; to hold its form is not enough."""
    for reason in sorted(FOLLOWED | HELD):
        story = Student().came(D, names=1).created(D - ONE, END).created(D + ONE, END + days(400), 2)
        story.program(D + days(9), END + days(400), reason, 2)
        if story.outcome(END + days(100)) != ("IN_STATUS" if reason in FOLLOWED else "OVERSTAY_SUSPECTED"):
            yield f"{reason}: {story.outcome(END + days(100))}"


def _program(story: Student, outcome: str, which: int) -> None:
    """What a record has to say for an outcome to hold on END."""
    last = {"IN_STATUS": END, "IN_GRACE": END - ONE, "OVERSTAY_SUSPECTED": END - days(61)}.get(outcome, END)
    story.program(D + days(2), last, "registered", which)
    if outcome == "UNDETERMINED":
        story.terminated(END - ONE, "administrative", which)
    elif outcome == "TERMINATED":
        story.terminated(END - ONE, "violation", which)


def best_first() -> Iterator[str]:
    """Of two records of one stay the one counts that says more for the holder."""
    order = "IN_STATUS IN_GRACE UNDETERMINED TERMINATED OVERSTAY_SUSPECTED".split()
    for better, worse in combinations(order, 2):
        for stated in permutations((better, worse)):
            story = Student().came(D, names=1).created(D - ONE, END).created(D + ONE, END, 2)
            for which, outcome in enumerate(stated, start=1):
                _program(story, outcome, which)
            if story.outcome(END) != better:
                yield f"{stated}: {story.outcome(END)}"


def allowed() -> Iterator[str]:
    """A program, and the days of grace behind it, allow to come; what is over contradicts the admission."""
    for by, expected in ((0, "IN_STATUS"), (1, "IN_GRACE"), (60, "IN_GRACE"), (61, "UNDETERMINED")):
        first = Student().came(END + days(by), names=1).created(D, END).stay().timeline[0].outcome
        if first != expected:
            yield f"{by} days behind the program: {first}"
    ended = Student().came(END, names=1).created(D, END).terminated(END - ONE).stay().timeline[0].outcome
    if ended != "UNDETERMINED":
        yield f"terminated before: {ended}"


def cap_gap_class() -> Iterator[str]:
    """Only who asks for H-1B is carried over."""
    for admission_class in ("H1B", "O1"):
        story = Student().came(D, names=1).created(D - ONE, END)
        story.extended(END - ONE, form="I-129", asks=Request.CHANGE_CLASS, requested_class=admission_class)
        if ("cap-gap" in {piece.rule for piece in story.stay().timeline}) != (admission_class == "H1B"):
            yield f"{admission_class}: {story.days()}"
    for admission_class in ("F1", "F2"):
        story = Student(admission_class=admission_class).came(D, names=1).created(D - ONE, END)
        story.extended(END - ONE, form="I-129", asks=Request.CHANGE_CLASS, requested_class="H1B")
        if ("cap-gap" in {piece.rule for piece in story.stay().timeline}) != (admission_class == "F1"):
            yield f"{admission_class} with a petition of its own: {story.days()}"


def reinstated() -> Iterator[str]:
    """The service gives their status back to students and their dependents, to nobody else."""
    for admission_class in ("F1", "F2", "J1"):
        story = Student(admission_class=admission_class).came(D, names=1).created(D - ONE, END).terminated(D + days(9))
        story.extended(D + days(10), D + days(20), until="D/S", admission_class=admission_class)
        if story.outcome(D + days(30)) != ("TERMINATED" if admission_class == "J1" else "IN_STATUS"):
            yield f"{admission_class}: {story.outcome(D + days(30))}"


def maintaining() -> Iterator[str]:
    """A change of status asked for in temporary protected status is in time, an extension is not."""
    for fact in (StatusFact.TPS, StatusFact.DEFERRED_DEPARTURE):
        for asks in (Request.CHANGE_CLASS, Request.EXTEND):
            story = Story().admitted(D, until=END).fact(END, fact, until=END + timedelta(40))
            late = story.applied(END + timedelta(9), asks=asks, form="I-539", filed_on_paper=False)
            waits = late.last().outcome == "PENDING"
            if waits != (fact is StatusFact.TPS and asks is Request.CHANGE_CLASS):
                yield f"{fact}, {asks}: {late.last().outcome}"


def withdrawn() -> Iterator[str]:
    """An admission in protected status ends where the status is withdrawn, and by no other fact."""
    for fact in (StatusFact.TPS_WITHDRAWN, StatusFact.ASYLUM_DENIED):
        story = Story().admitted(D, "TPS", END).fact(D + ONE, fact)
        last = D + ONE if fact is StatusFact.TPS_WITHDRAWN else END
        if story.stay().authorised_until != last.isoformat():
            yield f"{fact}: {story.stay().authorised_until}"


def moving() -> Iterator[str]:
    """Every fact on which a time line may rest is heard."""
    yield from test_protections.problems()
    for fact in (StatusFact.PERMANENT_RESIDENT, StatusFact.NATURALISED, StatusFact.ASYLUM_GRANTED):
        if Story().admitted(D, until=END).fact(END, fact).last().outcome != "ADJUSTED":
            yield f"{fact} moves nothing"


def places() -> Iterator[str]:
    """Whose word on an arrival or a filing comes first."""
    derived = ("ADIS", "CIS", "FALCON", "LEADTRAC", "PCQS")
    arrival = {"I94": 0, "TECS": 1, "IDENT": 2, "BCI": 3, "SEVIS": 4, "APIS": 5, "ATS": 5, **dict.fromkeys(derived, 6)}
    extension = {"CLAIMS3": 0, "ELIS": 0, "I94": 1, "TECS": 1, **dict.fromkeys(derived, 2)}
    for kind, expected in (("arrival", arrival), ("extension", extension)):
        actual = {system: rules.authority(kind, system) for system in expected}
        first = min(actual.values())
        if {system: place - first for system, place in actual.items()} != expected:
            yield f"{kind}: {actual}"


def unlawful() -> Iterator[str]:
    """A departure of the day of an admission is that of the stay before up to 180 days behind its date."""
    for late in (180, 181):
        again = END + days(late)
        story = Story().admitted(D, until=END).admitted(again, until=again + days(90), which=2).left(again, None)
        outcomes = [story.last(stay).outcome for stay in (0, 1)]
        before, after = ["DEPARTED_LATE", "OVERSTAY_SUSPECTED"], ["CLOSED_UNOBSERVED", "DEPARTED_IN_TIME"]
        if outcomes != (before if late == 180 else after):
            yield f"{late} days late: {outcomes}"


Probe = Callable[[], Iterator[str]]
MUTATED: dict[str, tuple[ModuleType, Probe]] = {
    "WORK_GOES_ON": (rules, work),
    "WORK_DAYS": (rules, work),
    "REVALIDATED": (rules, back),
    "REVALIDATION_DAYS": (rules, back),
    "UNLAWFUL_DAYS": (rules, unlawful),
    "ONE_ARRIVAL": (rules, one_arrival),
    "ONE_CROSSING": (rules, one_arrival),
    "ONE_INSPECTION": (rules, one_arrival),
    "ONE_STEP": (rules, one_step),
    "WAIVERS": (rules, waivers),
    "CAP_GAP_CLASS": (rules, cap_gap_class),
    "CAP_GAP_FROM": (rules, cap_gap_class),
    "REINSTATED_CLASSES": (rules, reinstated),
    "MAINTAINING": (rules, maintaining),
    "TPS_WITHDRAWN": (rules, withdrawn),
    "MOVING": (rules, moving),
    "_PLACES": (rules, places),
    "TAKEN_UP": (programs, taken_up),
    "BEST_FIRST": (programs, best_first),
    "ALLOWED": (programs, allowed),
}
MORE: dict[str, set[str]] = {
    "WORK_GOES_ON": set(IDLE),
    "WAIVERS": {"B1", "B2", "GMT", "GMB", "H1B"},
    "REINSTATED_CLASSES": {"J1"},
    "TAKEN_UP": HELD,
    "ALLOWED": {"TERMINATED", "OVERSTAY_SUSPECTED"},
}
"""What each set could hold besides."""
UNFELT = {"MOVING": {"asylum_pending", "asylum_granted", "asylum_denied", "tps", "tps_withdrawn"}}
"""What it may lose without an answer changing: these facts are heard for the mark that protects them."""
ROWS = {"RULES", "PAROLE", "PROTECTIONS", "ENDORSABLE"}
"""Rows, whose every field is changed in tests of their own, and a part of one."""
BY_ITSELF = {
    "AUTHORITY",  # and what it is made of, by its places
    "DERIVED",
    "ABSENCE_SOURCES",  # test_outcomes
    "CAP_GAP_UNTIL",  # test_cap_gap
    "LEAVES_NONIMMIGRANT",  # test_rules
    "EVIDENCE_ORDER",
    "ACCEPTED",
    "FIXED_PERIODS_FROM",  # test_fixed_periods
    "FIXED_PERIODS",
    "TRANSITION_YEARS",
    "TRANSITION_DAYS",
    "H2_CHANGE",  # test_dated_rows, as parts of rows
    "EXTEND_OR_CHANGE",
    "KEEPS_ADJUSTMENT",  # test_travel
    "VICTIMS",
    "KEPT_ABROAD",
    "TPS_CLASS",
    "ONLINE_SYSTEMS",  # test_filings
    "LAND_RETURN",  # test_presence
    "IMPLIED_STEPS",
    "IMPLIED_REASONS",
    "IMPLIED_FACTS",
    "PAROLE_ENDED",
    "FINGERPRINTS",
}
NO_RULE = {"LOOKED_AT", "READ_AGAIN", "ONE_DAY"}
"""When sources were looked at, and a length."""


def _mutants(name: str, value: object) -> Iterator[object]:
    """A constant changed by as little as can be."""
    match value:
        case int():
            yield from (value - 1, value + 1)
        case str():
            yield value + "x"
        case frozenset():
            yield from (value - {one} for one in sorted(value - UNFELT.get(name, set())))
            yield from (value | {one} for one in sorted(MORE.get(name, ())))
        case dict():  # less a system that is named
            yield from ({key: value[key] for key in value if key != less} for less in value if less[1])
        case (str() as rule, str() as citation):
            yield from ((rule + "x", citation), (rule, citation + " "))
        case tuple():  # an order
            for place in range(len(value) - 1):
                yield (*value[:place], value[place + 1], value[place], *value[place + 2 :])


@pytest.mark.parametrize("probe", dict.fromkeys(probe for _, probe in MUTATED.values()))
def test_the_literals(probe: Probe) -> None:
    """The rules say what is written here."""
    assert list(probe()) == []


@pytest.mark.law(4, "the rules that are no rows: each number, set and order")
@pytest.mark.law(4, planted="a number, a class or a place in an order that is no row")
@pytest.mark.parametrize("name", MUTATED)
def test_no_constant_can_change_unnoticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever changes in one of them, something else is answered."""
    module, probe = MUTATED[name]
    mutants = list(_mutants(name, getattr(module, name)))
    assert mutants
    for mutant in mutants:
        monkeypatch.setattr(module, name, mutant)
        assert next(probe(), None), mutant


def test_no_rule_is_left_out() -> None:
    """Every constant among the rules is changed by a test, here or in one that the sets above name."""
    there = {name for name in vars(rules) if name.isupper() and name[0] != "_"}
    others = {name for name, _ in test_protections.OTHERS.values()}
    assert there == (there & MUTATED.keys()) | set(test_rules.PAIRS) | others | ROWS | BY_ITSELF | NO_RULE
