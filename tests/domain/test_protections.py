"""Protections, ends of employment and what stands against a departure: each row by a table, and every change of one.

The table tells on which day at the port of entry each outcome begins; noon of the day before has the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from domain.stories import NAME, NEW_YORK, PASSPORT, ZONES, Story, moment, number, second
from domain.students import Student

from schemas.events import Action, Evidence, Inspection, Status, Subject
from schemas.events import Fact as StatusFact
from schemas.identifiers import Identifier, Scheme
from schemas.outcomes import ORDER, Outcome
from services.domain import periods, protections, resolve, rules
from services.domain.facts import Fact
from services.domain.history import Stay
from services.domain.rules import Protection

D, END = date(2025, 1, 10), date(2025, 4, 10)
ONE = timedelta(1)
Line = list[tuple[str, date, str, str]]


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


ADMITTED = ("IN_STATUS", D, "visitor", "8 CFR 214.2(b)(1)-(2)")
HIRED = ("IN_STATUS", D, "petition-based", "8 CFR 214.1(l)")
ACTOR = ("IN_STATUS", D, "performer", "8 CFR 214.2(p)")
WAIVED = ("IN_STATUS", D, "visa-waiver", "INA 217(a)(1), 248(a)(4)")
OVER = ("period-over", "INA 222(g), 237(a)(1)(B)")
ASYLUM = ("asylum-pending", "INA 212(a)(9)(B)(iii)(II), 208")
TPS = ("temporary-protected-status", "INA 244(f)(4)")
DEFERRED = ("deferred-departure", "Presidential memorandum, by country")
ACTION = ("deferred-action", "8 CFR 236.21(c)(3), 274a.12(c)(14)")
LEAVE = ("voluntary-departure", "INA 240B(a); 8 CFR 240.25")
LEAVE_AFTER = ("voluntary-departure-after-proceedings", "INA 240B(b); 8 CFR 240.26")
PAROLE = ("parole-in-place", "INA 212(d)(5)(A); 8 CFR 212.5")
EMERGENCY = ("satisfactory-departure", "8 CFR 217.3(a)")
ENDORSED = ("days-endorsed", "8 CFR 214.1(l)(1), 214.2(h)(13)(i)(A), (o)(10), (p)(12), (w)(16)")
PAROLE_OVER = ("parole-over", "INA 212(d)(5)(A); 8 CFR 212.5(e)")
GUAM_DAYS = ("satisfactory-departure-guam", "8 CFR 212.1(q)(7), (r)(7)")
GUAM = ("IN_STATUS", D, "guam-waiver", "INA 214(a)(1), 248(a)(4); 8 CFR 212.1(q), 214.1(c)(3)(viii)")
GUAM_END = D + timedelta(44)
JOBLESS = ("employment-ended", "8 CFR 214.1(l)(2)")
CANADIAN = ("canadian-visitor", "8 CFR 235.1(h), 212.1(a)")
OUT = ("out-of-status", "INA 237(a)(1)(C)(i); 8 CFR 214.1(l)(2)")
SHOWN = ("own-evidence", "8 CFR 103.2(b)(16)(i)")
WAIVER_END = D + days(89)
PETITION = "H1B H1B1 HSC E1 E2 E3 E3R L1 L1A L1B O1 O1A O1B TC TN TN1 TN2".split()
SEASONAL = "H2A H2B H2R".split()
AT_ONCE = "CW1 CW2 H1C H3 H3A H3B O2 P1 P1A P1B P1S P2 P2S P3 P3S Q1 Q2 Q3 R1".split()
DATE = date(2026, 2, 4)


def visitor(zone: str = NEW_YORK) -> Story:
    """Admitted until END."""
    return Story(zone).admitted(D, until=END)


def hired(admission_class: str = "H1B", until: date = date(2026, 2, 4), zone: str = NEW_YORK) -> Story:
    """Admitted on a petition."""
    return Story(zone).admitted(D, admission_class, until)


def canadian(
    admission_class: str = "B2",
    day: date = D,
    *,
    passport: str = "CAN",
    named: bool = False,
    zone: str = NEW_YORK,
    **more: object,
) -> Story:
    """Let in without a date, and without a number unless said."""
    story = Story(zone).admitted(day, admission_class, **more)
    arrival = story.events[-1]
    ids = (PASSPORT, number(1)) if named else (PASSPORT,)
    subject = Subject(names=(NAME,), birth="1980-02-03", citizenship=(passport,), identifiers=ids)
    story.events[-1] = arrival.model_copy(update={"subject": subject})
    return story


def ended(
    story: Story, day: date, receipt: int | None = None, *, zone: str | None = None, which: int | None = None
) -> Story:
    """The employment is over; it may name the petition that it was under, and the number of the I-94."""
    named = () if receipt is None else (Identifier.of(Scheme.RECEIPT, f"EAC{receipt:010d}"),)
    named += () if which is None else (number(which),)
    at = moment(zone or story.zone, day, None)
    return story._tell(Status, at, (PASSPORT, *named), system="CLAIMS3", fact=StatusFact.EMPLOYMENT_ENDED)


def frivolous(story: Story, receipt: int = 1) -> Story:
    """That application was frivolous."""
    named = (PASSPORT, Identifier.of(Scheme.RECEIPT, f"EAC{receipt:010d}"))
    return story._tell(Status, moment(story.zone, END, None), named, system="CLAIMS3", fact=StatusFact.FRIVOLOUS_FILING)


def denied() -> Story:
    """Asked in time, and refused."""
    return visitor().extended(END, END + days(70), Action.DENIED)


def over(day: date, rule: tuple[str, str] = OVER) -> tuple[str, date, str, str]:
    """Nothing allows to stay from a day on."""
    return ("OVERSTAY_SUSPECTED", day, *rule)


Case = tuple[Callable[[], Story], Line]
CASES: dict[str, Case] = {
    "asylum, in time": (
        lambda: visitor().fact(END - ONE, StatusFact.ASYLUM_PENDING),
        [ADMITTED, ("PENDING", END + ONE, *ASYLUM)],
    ),
    "asylum, and work without permission meanwhile": (
        lambda: visitor().fact(END, StatusFact.ASYLUM_PENDING).fact(END + days(40), StatusFact.UNAUTHORISED_WORK),
        [ADMITTED, over(END + ONE)],
    ),
    "asylum, and work without permission before": (
        lambda: visitor().fact(END - ONE, StatusFact.UNAUTHORISED_WORK).fact(END, StatusFact.ASYLUM_PENDING),
        [ADMITTED, ("PENDING", END + ONE, *ASYLUM)],
    ),
    "asylum, late": (
        lambda: visitor().fact(END + days(30), StatusFact.ASYLUM_PENDING),
        [ADMITTED, over(END + ONE), ("PENDING", END + days(30), *ASYLUM)],
    ),
    "asylum, denied": (
        lambda: visitor().fact(END, StatusFact.ASYLUM_PENDING).fact(END + days(90), StatusFact.ASYLUM_DENIED),
        [ADMITTED, ("PENDING", END + ONE, *ASYLUM), over(END + days(91))],
    ),
    "asylum, denied and asked for again": (
        lambda: (
            visitor()
            .fact(END, StatusFact.ASYLUM_PENDING)
            .fact(END + days(90), StatusFact.ASYLUM_DENIED)
            .fact(END + days(99), StatusFact.ASYLUM_PENDING)
        ),
        [
            ADMITTED,
            ("PENDING", END + ONE, *ASYLUM),
            over(END + days(91)),
            ("PENDING", END + days(99), *ASYLUM),
        ],
    ),
    "TPS": (
        lambda: visitor().fact(END + days(10), StatusFact.TPS, until=END + days(200)),
        [ADMITTED, over(END + ONE), ("IN_STATUS", END + days(10), *TPS), over(END + days(201))],
    ),
    "TPS, withdrawn": (
        lambda: (
            visitor().fact(END, StatusFact.TPS, until=END + days(200)).fact(END + days(50), StatusFact.TPS_WITHDRAWN)
        ),
        [ADMITTED, ("IN_STATUS", END + ONE, *TPS), over(END + days(51))],
    ),
    "TPS without a day": (
        lambda: visitor().fact(END, StatusFact.TPS),
        [ADMITTED, ("IN_STATUS", END + ONE, *TPS)],
    ),
    "deferred departure": (
        lambda: visitor().fact(END + days(7), StatusFact.DEFERRED_DEPARTURE, until=END + days(540)),
        [ADMITTED, over(END + ONE), ("PENDING", END + days(7), *DEFERRED), over(END + days(541))],
    ),
    "deferred action": (
        lambda: visitor().fact(END + days(7), StatusFact.DEFERRED_ACTION, until=END + days(540)),
        [ADMITTED, over(END + ONE), ("PENDING", END + days(7), *ACTION), over(END + days(541))],
    ),
    "parole in place, ended": (
        lambda: (
            visitor().fact(END, StatusFact.PAROLE, until=END + days(365)).fact(END + days(50), StatusFact.PAROLE_ENDED)
        ),
        [ADMITTED, ("IN_STATUS", END + ONE, *PAROLE), over(END + days(51))],
    ),
    "parole, ended": (
        lambda: (
            Story().admitted(D, "B2", END, inspection=Inspection.PAROLED).fact(D + days(9), StatusFact.PAROLE_ENDED)
        ),
        [("IN_STATUS", D, "parole", "INA 212(d)(5)(A); 8 CFR 212.5"), over(D + days(10), PAROLE_OVER)],
    ),
    "voluntary departure": (
        lambda: visitor().fact(END + days(20), StatusFact.VOLUNTARY_DEPARTURE, until=END + days(60)),
        [ADMITTED, over(END + ONE), ("PENDING", END + days(20), *LEAVE), over(END + days(61), LEAVE)],
    ),
    "voluntary departure, too long": (
        lambda: visitor().fact(END + days(20), StatusFact.VOLUNTARY_DEPARTURE, until=END + days(900)),
        [ADMITTED, over(END + ONE), ("PENDING", END + days(20), *LEAVE), over(END + days(141), LEAVE)],
    ),
    "voluntary departure after proceedings, too long": (
        lambda: visitor().fact(
            END + days(20), StatusFact.VOLUNTARY_DEPARTURE, until=END + days(900), reason="after-proceedings"
        ),
        [ADMITTED, over(END + ONE), ("PENDING", END + days(20), *LEAVE_AFTER), over(END + days(81), LEAVE_AFTER)],
    ),
    "parole in place": (
        lambda: visitor().fact(END + days(7), StatusFact.PAROLE, until=END + days(365)),
        [ADMITTED, over(END + ONE), ("IN_STATUS", END + days(7), *PAROLE), over(END + days(366))],
    ),
    "paroled again": (
        lambda: (
            Story()
            .admitted(D, "B2", END, inspection=Inspection.PAROLED)
            .fact(END, StatusFact.PAROLE, until=END + days(365))
        ),
        [
            ("IN_STATUS", D, "parole", "INA 212(d)(5)(A); 8 CFR 212.5"),
            ("IN_STATUS", END + ONE, *PAROLE),
            over(END + days(366), PAROLE_OVER),
        ],
    ),
    "satisfactory departure": (
        lambda: (
            Story().admitted(D, "WT").fact(WAIVER_END, StatusFact.SATISFACTORY_DEPARTURE, until=WAIVER_END + days(20))
        ),
        [WAIVED, ("IN_GRACE", WAIVER_END + ONE, *EMERGENCY), over(WAIVER_END + days(21), EMERGENCY)],
    ),
    "satisfactory departure, too long": (
        lambda: Story().admitted(D, "WB").fact(D + ONE, StatusFact.SATISFACTORY_DEPARTURE, until=END + days(900)),
        [WAIVED, ("IN_GRACE", WAIVER_END + ONE, *EMERGENCY), over(WAIVER_END + days(31), EMERGENCY)],
    ),
    "satisfactory departure on Guam": (
        lambda: Story().admitted(D, "GMT").fact(GUAM_END, StatusFact.SATISFACTORY_DEPARTURE, until=GUAM_END + days(15)),
        [GUAM, ("IN_GRACE", GUAM_END + ONE, *GUAM_DAYS), over(GUAM_END + days(16), GUAM_DAYS)],
    ),
    "satisfactory departure on Guam, too long": (
        lambda: Story().admitted(D, "GMB").fact(D + ONE, StatusFact.SATISFACTORY_DEPARTURE, until=END + days(900)),
        [GUAM, ("IN_GRACE", GUAM_END + ONE, *GUAM_DAYS), over(GUAM_END + days(16), GUAM_DAYS)],
    ),
    "satisfactory departure with a visa": (
        lambda: visitor().fact(END, StatusFact.SATISFACTORY_DEPARTURE, until=END + days(20)),
        [ADMITTED, over(END + ONE)],
    ),
    "days endorsed": (
        lambda: hired(until=END).fact(D, StatusFact.DAYS_ENDORSED, until=END + days(10)),
        [HIRED, ("IN_GRACE", END + ONE, *ENDORSED), over(END + days(11))],
    ),
    "days endorsed, too many": (
        lambda: hired("L1", END).fact(D, StatusFact.DAYS_ENDORSED, until=END + days(30)),
        [HIRED, ("IN_GRACE", END + ONE, *ENDORSED), over(END + days(11))],
    ),
    "days endorsed, and the employment ended near the date": (
        lambda: ended(hired(until=END).fact(D, StatusFact.DAYS_ENDORSED, until=END + days(10)), END - days(5)),
        [
            HIRED,
            ("IN_GRACE", END - days(4), *JOBLESS),
            ("IN_GRACE", END + ONE, *ENDORSED),
            over(END + days(11)),
        ],
    ),
    "days endorsed, and the employment ended long before": (
        lambda: ended(hired(until=END).fact(D, StatusFact.DAYS_ENDORSED, until=END + days(10)), END - days(80)),
        [
            HIRED,
            ("IN_GRACE", END - days(79), *JOBLESS),
            ("TERMINATED", END - days(19), *OUT),
            ("TERMINATED", END + ONE, *ENDORSED),
            over(END + days(11)),
        ],
    ),
    "days endorsed for a visitor": (
        lambda: visitor().fact(D, StatusFact.DAYS_ENDORSED, until=END + days(10)),
        [ADMITTED, over(END + ONE)],
    ),
    "filed in the days endorsed": (
        lambda: hired(until=END).fact(D, StatusFact.DAYS_ENDORSED, until=END + days(10)).extended(END + days(10)),
        [
            HIRED,
            ("IN_GRACE", END + ONE, *ENDORSED),
            ("PENDING", END + days(11), "timely-application", "8 CFR 214.1(c)(4), 248.1(b)"),
        ],
    ),
    "filed behind the days endorsed": (
        lambda: hired(until=END).fact(D, StatusFact.DAYS_ENDORSED, until=END + days(10)).extended(END + days(12)),
        [HIRED, ("IN_GRACE", END + ONE, *ENDORSED), over(END + days(11))],
    ),
    "employment ended": (
        lambda: ended(hired(), END),
        [HIRED, ("IN_GRACE", END + ONE, *JOBLESS), ("TERMINATED", END + days(61), *OUT), over(DATE + ONE)],
    ),
    "employment ended near the date": (
        lambda: ended(hired(until=END), END - days(5)),
        [HIRED, ("IN_GRACE", END - days(4), *JOBLESS), over(END + ONE)],
    ),
    "employment ended on the date": (lambda: ended(hired(until=END), END), [HIRED, over(END + ONE)]),
    "employment ended twice": (
        lambda: ended(ended(hired(), END), END + days(30)),
        [HIRED, ("IN_GRACE", END + ONE, *JOBLESS), ("TERMINATED", END + days(61), *OUT), over(DATE + ONE)],
    ),
    "employment ended before the admission that it names": (
        lambda: ended(hired(), D - days(3), which=1),
        [HIRED, ("IN_GRACE", D + ONE, *JOBLESS), ("TERMINATED", D + days(61), *OUT), over(DATE + ONE)],
    ),
    "employment ended long before the admission that it names": (
        lambda: ended(hired(), D - days(99), which=1),
        [HIRED, ("IN_GRACE", D + ONE, *JOBLESS), ("TERMINATED", D + days(61), *OUT), over(DATE + ONE)],
    ),
    "employment ended, class without days": (
        lambda: ended(hired("P1", END), D + days(9)),
        [ACTOR, ("TERMINATED", D + days(10), *OUT), over(END + ONE)],
    ),
    "employment ended, next petition in time": (
        lambda: ended(hired(), END).extended(END + days(60), form="I-129"),
        [
            HIRED,
            ("IN_GRACE", END + ONE, *JOBLESS),
            ("PENDING", END + days(61), "timely-application", "8 CFR 214.1(c)(4), 248.1(b)"),
        ],
    ),
    "employment ended, next petition late": (
        lambda: ended(hired(), END).extended(END + days(61), form="I-129"),
        [
            HIRED,
            ("IN_GRACE", END + ONE, *JOBLESS),
            ("TERMINATED", END + days(61), *OUT),
            ("PENDING", DATE + ONE, "timely-application", "8 CFR 214.1(c)(4), 248.1(b)"),
        ],
    ),
    "employment ended, another petition filed before": (
        lambda: ended(hired(until=END).extended(END - days(9), form="I-129"), END - days(5)),
        [
            HIRED,
            ("IN_GRACE", END - days(4), *JOBLESS),
            ("PENDING", END + ONE, "timely-application", "8 CFR 214.1(c)(4), 248.1(b)"),
        ],
    ),
    "employment ended, another petition filed before and denied": (
        lambda: ended(hired().extended(END - days(9), END + days(150), Action.DENIED, form="I-129"), END),
        [
            HIRED,
            ("IN_GRACE", END + ONE, *JOBLESS),
            ("PENDING", END + days(61), "denied-application", "INA 212(a)(9)(B)(iv)"),
            ("TERMINATED", END + days(151), *OUT),
            over(DATE + ONE),
        ],
    ),
    "employment ended under the petition pending": (
        lambda: ended(hired().extended(END - days(9), form="I-129"), END, 1),
        [HIRED, ("IN_GRACE", END + ONE, *JOBLESS), ("TERMINATED", END + days(61), *OUT), over(DATE + ONE)],
    ),
    "employment ended, another petition approved": (
        lambda: ended(hired().extended(END - days(9), END + days(5), until=DATE + days(90), form="I-129"), END),
        [
            HIRED,
            ("IN_STATUS", DATE + ONE, "approved-application", "8 CFR 214.1(c), 248"),
            over(DATE + days(91)),
        ],
    ),
    "employment ended under the petition approved": (
        lambda: ended(hired(until=END).extended(D, D + ONE, until=END + days(400), form="I-129"), END + days(9), 1),
        [
            HIRED,
            ("IN_STATUS", END + ONE, "approved-application", "8 CFR 214.1(c), 248"),
            ("IN_GRACE", END + days(10), *JOBLESS),
            ("TERMINATED", END + days(70), *OUT),
            over(END + days(401)),
        ],
    ),
    "denied": (
        denied,
        [
            ADMITTED,
            ("PENDING", END + ONE, "denied-application", "INA 212(a)(9)(B)(iv)"),
            over(END + days(71)),
        ],
    ),
    "denied as frivolous": (lambda: frivolous(denied()), [ADMITTED, over(END + ONE)]),
    "frivolous and pending": (lambda: frivolous(visitor().extended(END)), [ADMITTED, over(END + ONE)]),
    "frivolous and withdrawn": (
        lambda: frivolous(visitor().extended(END, END + days(70), Action.WITHDRAWN)),
        [ADMITTED, over(END + ONE)],
    ),
    "frivolous, for permanent residence": (
        lambda: frivolous(visitor().extended(END, form="I-485")),
        [ADMITTED, over(END + ONE)],
    ),
    "another one frivolous": (
        lambda: frivolous(denied(), 2),
        [
            ADMITTED,
            ("PENDING", END + ONE, "denied-application", "INA 212(a)(9)(B)(iv)"),
            over(END + days(71)),
        ],
    ),
    "denied after work": (
        lambda: denied().fact(END + days(70), StatusFact.UNAUTHORISED_WORK),
        [ADMITTED, over(END + ONE)],
    ),
    "denied before work": (
        lambda: denied().fact(END + days(71), StatusFact.UNAUTHORISED_WORK),
        [
            ADMITTED,
            ("PENDING", END + ONE, "denied-application", "INA 212(a)(9)(B)(iv)"),
            over(END + days(71)),
        ],
    ),
    "approved after work": (
        lambda: visitor().extended(END, END + ONE, until=END + days(9)).fact(END, StatusFact.UNAUTHORISED_WORK),
        [ADMITTED, ("IN_STATUS", END + ONE, "approved-application", "8 CFR 214.1(c), 248"), over(END + days(10))],
    ),
    "Canadian": (canadian, [("IN_STATUS", D, *CANADIAN), over(date(2025, 7, 10))]),
    "Canadian on business": (lambda: canadian("B1"), [("IN_STATUS", D, *CANADIAN), over(date(2025, 7, 10))]),
    "Canadian, end of August": (
        lambda: canadian(day=date(2025, 8, 31)),
        [("IN_STATUS", date(2025, 8, 31), *CANADIAN), over(date(2026, 3, 1))],
    ),
    "Canadian with a number": (lambda: canadian(named=True), [("UNDETERMINED", D, "no-rule", "")]),
    "Canadian in another class": (lambda: canadian("H1B"), [("UNDETERMINED", D, "no-rule", "")]),
    "Canadian, paroled": (
        lambda: canadian(inspection=Inspection.PAROLED),
        [("UNDETERMINED", D, "no-rule", "")],
    ),
    "no Canadian": (lambda: canadian(passport="GBR"), [("UNDETERMINED", D, "no-rule", "")]),
    "a used ticket": (
        lambda: visitor().left(END, evidence=Evidence.SHOWN),
        [ADMITTED, ("UNDETERMINED", END + ONE, *SHOWN)],
    ),
    "a used ticket for later": (
        lambda: visitor().left(END + days(9), "00:00:00", evidence=Evidence.SHOWN),
        [ADMITTED, over(END + ONE), ("UNDETERMINED", END + days(9), *SHOWN)],
    ),
    "a booking": (lambda: visitor().left(END, evidence=Evidence.BOOKING), [ADMITTED, over(END + ONE)]),
    "a used ticket, and seen later": (
        lambda: visitor().left(END, evidence=Evidence.SHOWN).fact(END + days(9), StatusFact.SEEN_INSIDE),
        [ADMITTED, over(END + ONE)],
    ),
    **{
        f"a manifest, and {fact} later": (
            lambda fact=fact: (
                visitor().left(END, "00:00:00", evidence=Evidence.MANIFEST_CLOSED).fact(END + days(9), fact)
            ),
            [ADMITTED, ("IN_STATUS", END, *ADMITTED[2:]), over(END + ONE)],
        )
        for fact in (StatusFact.ARRESTED, StatusFact.DETAINED, StatusFact.RELEASED)
    },
    "a manifest, and seen later": (
        lambda: (
            visitor()
            .left(END, "00:00:00", evidence=Evidence.MANIFEST_CLOSED)
            .fact(END + days(9), StatusFact.SEEN_INSIDE)
        ),
        [ADMITTED, ("IN_STATUS", END, *ADMITTED[2:]), over(END + ONE)],
    ),
}


@cache
def facts_of(name: str) -> tuple[Fact, ...]:
    """The facts of a case."""
    return tuple(CASES[name][0]().facts())


def line_of(stay: Stay) -> Line:
    """A time line by days at the port of entry."""
    return [(one.outcome, periods.local_day(one.since, stay.zone), one.rule, one.citation) for one in stay.timeline]


GONE = "did not leave by the day of voluntary departure: as under an order of removal"
REPORTED: dict[str, tuple[str, ...]] = {
    "asylum-pending": ("asylum application pending",),
    "temporary-protected-status": ("temporary protected status",),
    "deferred-departure": ("enforced departure deferred",),
    "deferred-action": ("action deferred",),
    "voluntary-departure": ("voluntary departure granted", GONE),
    "voluntary-departure-after-proceedings": ("voluntary departure granted", GONE),
    "parole-in-place": ("paroled",),
    "satisfactory-departure": (
        "satisfactory departure granted",
        "did not leave within the days of satisfactory departure",
    ),
    "satisfactory-departure-guam": (
        "satisfactory departure granted",
        "did not leave within the days of satisfactory departure",
    ),
    "days-endorsed": ("days endorsed on the I-94", "out of status; days endorsed on the I-94"),
    "employment-ended": ("employment ended",),
}
"""What is told with each rule."""


def problems() -> Iterator[str]:
    """What is said otherwise than in the table."""
    for name, (_, expected) in CASES.items():
        (history,) = resolve.persons(facts_of(name))
        actual = line_of(history.stays[0])
        if actual != expected:
            yield f"{name}: {actual}, not {expected}"
        for piece in history.stays[0].timeline:
            if piece.reason not in REPORTED.get(piece.rule, (piece.reason,)):
                yield f"{name}: {piece.reason}"
    for admission_class in ("WB", "WT", *GUAM_CLASSES, *ENDORSABLE, *NEITHER):
        yield from _behind(admission_class)


@cache
def _with_days(admission_class: str) -> tuple[Fact, ...]:
    story = (
        Story()
        .admitted(D, admission_class, D + days(40))
        .fact(D, StatusFact.SATISFACTORY_DEPARTURE, until=D + days(99))
    )
    return tuple(story.fact(D, StatusFact.DAYS_ENDORSED, until=D + days(99)).facts())


ENDORSABLE = (
    "H1B E1 E1S E1Y E2 E2S E2Y E3 E3D E3R E3S E3Y H3 H3A H3B H4 L1 L1A L1B L2 L2S L2Y O1 O1A O1B O2 O3 P1 P1A P1B P1S"
    " P2 P2S P3 P3S P4 TB TC TD TN TN1 TN2 CW1 CW2"
).split()
GUAM_CLASSES = "GB GMB GMT GT".split()
NEITHER = ("B2", "H1B1", "R1", "Q1")


def _behind(admission_class: str) -> Iterator[str]:
    (history,) = resolve.persons(_with_days(admission_class))
    actual = [rule for outcome, _, rule, _ in line_of(history.stays[0]) if outcome == "IN_GRACE"]
    expected = [] if admission_class in NEITHER else [ENDORSED[0]]
    if admission_class in ("WB", "WT", *GUAM_CLASSES):
        expected = [GUAM_DAYS[0] if admission_class in GUAM_CLASSES else EMERGENCY[0]]
    if actual != expected:
        yield f"{admission_class}: {actual}, not {expected}"


def test_the_table() -> None:
    """Every row, with its first and last day."""
    assert list(problems()) == []
    reported = {rule for _, line in CASES.values() for _, _, rule, _ in line}
    assert reported >= {row.id for row in rules.PROTECTIONS}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("fact", "last"),
    [
        (StatusFact.TPS, END + days(30)),
        (StatusFact.DEFERRED_DEPARTURE, END + days(30)),
        (StatusFact.VOLUNTARY_DEPARTURE, END + days(30)),
        (StatusFact.PAROLE, END + days(30)),
    ],
)
def test_the_day_before_the_day_and_the_day_after(zone: str, fact: StatusFact, last: date) -> None:
    """At the port of entry, to the second; who leaves on the last day left in time."""
    story = visitor(zone).fact(D + ONE, fact, until=last)
    inside = {"IN_STATUS", "PENDING"}
    assert story.outcome(last - ONE) in inside
    assert story.outcome(last, "23:59:59") in inside
    assert story.outcome(last + ONE, "00:00:00") == "OVERSTAY_SUSPECTED"
    for day, clock, word in ((last, "23:59:59", "DEPARTED_IN_TIME"), (last + ONE, "00:00:00", "DEPARTED_LATE")):
        assert visitor(zone).fact(D + ONE, fact, until=last).left(day, clock).last().outcome == word


def waived(zone: str) -> Story:
    """Admitted under the waiver, and given all the days of satisfactory departure."""
    return Story(zone).admitted(D, "WT").fact(D + ONE, StatusFact.SATISFACTORY_DEPARTURE, until=END + days(900))


def endorsed(zone: str) -> Story:
    """Admitted on a petition with all the days that can be endorsed."""
    return hired(until=END, zone=zone).fact(D, StatusFact.DAYS_ENDORSED, until=END + days(30))


BOUNDARIES: dict[str, tuple[Callable[[str], Story], date, str]] = {
    # what the story is of, in a zone; the last day on which it holds; the outcome up to then
    "under the waiver, before the days behind it": (waived, WAIVER_END, "IN_STATUS"),
    "satisfactory departure": (waived, WAIVER_END + days(30), "IN_GRACE"),
    "the date, before the days endorsed": (endorsed, END, "IN_STATUS"),
    "days endorsed": (endorsed, END + days(10), "IN_GRACE"),
    "employment": (lambda zone: ended(hired(zone=zone), END), END, "IN_STATUS"),
    "days after employment": (lambda zone: ended(hired(zone=zone), END), END + days(60), "IN_GRACE"),
    "asylum denied": (
        lambda zone: visitor(zone).fact(END, StatusFact.ASYLUM_PENDING).fact(END + days(90), StatusFact.ASYLUM_DENIED),
        END + days(90),
        "PENDING",
    ),
    "TPS withdrawn": (
        lambda zone: (
            visitor(zone)
            .fact(END, StatusFact.TPS, until=END + days(200))
            .fact(END + days(50), StatusFact.TPS_WITHDRAWN)
        ),
        END + days(50),
        "IN_STATUS",
    ),
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", BOUNDARIES)
def test_every_last_day_is_one_of_the_port(name: str, zone: str) -> None:
    """The day before, its last second and the next, in each zone; whoever leaves by then left in time."""
    made, last, word = BOUNDARIES[name]
    story = made(zone)
    after = "IN_GRACE" if word == "IN_STATUS" and name != "TPS withdrawn" else "OVERSTAY_SUSPECTED"
    after = "TERMINATED" if name == "days after employment" else after
    assert story.outcome(last - ONE) == story.outcome(last, "00:00:00") == story.outcome(last, "23:59:59") == word
    assert story.outcome(last + ONE, "00:00:00") == story.outcome(last + ONE) == after
    late = "DEPARTED_LATE" if after == "OVERSTAY_SUSPECTED" else "DEPARTED_IN_TIME"
    for day, clock, gone in ((last, "23:59:59", "DEPARTED_IN_TIME"), (last + ONE, "00:00:00", late)):
        assert made(zone).left(day, clock).last().outcome == gone


def test_satisfactory_departure_counts_for_whoever_leaves_within_it() -> None:
    """Within it in time; behind it late."""
    for by, word in ((30, "DEPARTED_IN_TIME"), (31, "DEPARTED_LATE")):
        story = (
            Story().admitted(D, "WT").fact(WAIVER_END, StatusFact.SATISFACTORY_DEPARTURE, until=WAIVER_END + days(30))
        )
        assert story.left(WAIVER_END + days(by)).last().outcome == word


def test_protection_has_no_word_where_more_is_known() -> None:
    """The closed list decides: in status before pending, pending before terminated; undetermined before all of them."""
    student = Student().came(D, names=1).created(D - ONE, END).terminated(END - days(30))
    assert [word for word, _ in student.days()] == ["IN_STATUS", "TERMINATED"]
    student.fact(END - days(10), StatusFact.ASYLUM_PENDING)
    assert student.days()[1:] == [("TERMINATED", END - days(29)), ("PENDING", END - days(10))]
    unknown = Story().admitted(D, admission_class=None).fact(D, StatusFact.TPS, until=END)
    assert [word for word, _ in unknown.line()] == ["UNDETERMINED"]
    pending = visitor().fact(D, StatusFact.ASYLUM_PENDING).fact(END + days(9), StatusFact.TPS, until=END + days(20))
    assert [word for word, _ in pending.line()] == ["IN_STATUS", "PENDING", "IN_STATUS", "PENDING"]
    granted = visitor().fact(D, StatusFact.ASYLUM_PENDING).fact(END + days(30), StatusFact.ASYLUM_GRANTED)
    assert [word for word, _ in granted.line()] == ["IN_STATUS", "PENDING", "ADJUSTED"]


@pytest.mark.law(4, "protections, and a manifest that was contradicted")
def test_every_piece_names_the_facts_that_make_it() -> None:
    """The protection with its arrival, and its end where another fact ended it."""
    story = visitor().fact(END, StatusFact.TPS, until=END + days(200)).fact(END + days(50), StatusFact.TPS_WITHDRAWN)
    assert story.stay().timeline[1].evidence == tuple(sorted(story.ids))
    reported = visitor().left(END, evidence=Evidence.MANIFEST).fact(END + days(9), StatusFact.SEEN_INSIDE)
    assert reported.last().evidence == tuple(sorted(reported.ids))
    assert reported.last().reason.endswith("; met in the country after a carrier told of a departure")
    assert reported.stay().departed is None
    assert reported.history().unmatched_departures == ()


@pytest.mark.parametrize("evidence", [one for one in Evidence if one.value in rules.ACCEPTED])
def test_a_manifest_alone_loses_to_an_officer(evidence: Evidence) -> None:
    """Nothing stronger does, and not on the day of the departure itself."""
    seen = visitor().left(END, evidence=evidence).fact(END + days(9), StatusFact.SEEN_INSIDE)
    assert (seen.last().outcome == "OVERSTAY_SUSPECTED") == (evidence.value in ("manifest", "manifest_closed"))
    same = visitor().left(END, evidence=evidence).fact(END + ONE, StatusFact.SEEN_INSIDE)
    assert same.last().outcome == "DEPARTED_IN_TIME"


def test_a_manifest_that_an_officer_contradicts_takes_no_other_with_it() -> None:
    """What is told of a departure after the meeting stands, however weak."""
    story = (
        visitor().left(END - days(20), evidence=Evidence.MANIFEST_CLOSED).fact(END - days(10), StatusFact.SEEN_INSIDE)
    )
    story.left(END - days(2), evidence=Evidence.MANIFEST)
    assert story.last().outcome == "DEPARTED_IN_TIME"
    assert story.stay().departed == second(NEW_YORK, END - days(2))
    assert story.last().reason == "left (manifest), against reports of another day"
    assert story.history().unmatched_departures == (story.ids[1],)
    weaker = visitor().left(END - days(20), evidence=Evidence.MANIFEST).left(END - days(2))
    assert weaker.last().reason == "left (inspected), against weaker reports of another day"


def test_own_evidence_does_not_stand_against_a_departure() -> None:
    """Who was seen leaving left then."""
    story = visitor().left(END - days(5), evidence=Evidence.SHOWN).left(END + days(5))
    assert story.last().outcome == "DEPARTED_LATE"
    alone = visitor().left(END, evidence=Evidence.SHOWN)
    assert alone.last().reason == "the period is over; the person shows to have left, and nobody reported it"
    assert alone.last().evidence == tuple(sorted(alone.ids))
    assert alone.stay().departed is None


def _mutants(row: Protection) -> Iterator[Protection]:
    yield replace(row, id=row.id + "x")
    yield replace(row, citation=row.citation + " ")
    yield replace(row, fact=row.fact + "x")
    yield replace(row, reason="another")
    yield replace(row, wording=row.wording + "x")
    yield from (replace(row, outcome=one) for one in ORDER if one is not row.outcome)
    yield from (replace(row, days=row.days + by) for by in (-1, 1) if row.days)
    yield from (replace(row, classes=row.classes - {one}) for one in row.classes if len(row.classes) > 1)
    yield replace(row, classes=row.classes | {"B2"} if row.classes else frozenset({"ZZ"}))
    if row.days:  # else the fact's own day is the limit, wherever it begins
        yield replace(row, behind=not row.behind)
    if row.ended_by:
        yield replace(row, ended_by="")
    if row.unless:
        yield replace(row, unless="")
    if row.open:
        yield replace(row, open=False)
    if row.failed:
        yield replace(row, failed="")
        yield replace(row, failed=row.failed + "x")
    yield replace(row, since=D + ONE)
    yield replace(row, through=D - ONE)


@pytest.mark.law(4, "any change of a protection")
@pytest.mark.law(4, planted="a changed row, day, class or citation of the rules")
@pytest.mark.parametrize("row", range(len(rules.PROTECTIONS)))
def test_no_row_can_change_unnoticed(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever changes in a row, the table disagrees."""
    rows = rules.PROTECTIONS
    for mutant in _mutants(rows[row]):
        monkeypatch.setattr(rules, "PROTECTIONS", (*rows[:row], mutant, *rows[row + 1 :]))
        assert next(problems(), None), mutant


def canadians(**changes: Any) -> tuple[str, object]:
    """Their row with changes."""
    return "CANADIAN", (replace(rules.CANADIAN[0], **changes),)


OTHERS: dict[str, tuple[str, object]] = {
    "six months are five": canadians(months=5),
    "six months are seven": canadians(months=7),
    "Canadians for pleasure only": canadians(classes=frozenset({"B2"})),
    "Canadians on business only": canadians(classes=frozenset({"B1"})),
    "Canadians at work": canadians(classes=rules.CANADIAN[0].classes | {"H1B"}),
    "Canadians by another row": canadians(id="visitor"),
    "Canadians by another citation": canadians(citation=""),
    "Canadians from the next day on": canadians(since=D + ONE),
    "Canadians up to the day before": canadians(through=D - ONE),
    "employment by another rule": ("EMPLOYMENT", ("x", JOBLESS[1])),
    "employment by another citation": ("EMPLOYMENT", (JOBLESS[0], "x")),
    "own evidence by another rule": ("OWN_EVIDENCE", ("x", SHOWN[1])),
    "own evidence by another citation": ("OWN_EVIDENCE", (SHOWN[0], "x")),
    "no end of employment": ("EMPLOYMENT_ENDED", "x"),
    "days after the employment from tomorrow on": ("EMPLOYMENT_DAYS_SINCE", END + ONE),
    "work harms nothing": ("UNAUTHORISED_WORK", "x"),
    "frivolity harms nothing": ("FRIVOLOUS_FILING", "x"),
    "nobody is ever seen": ("PRESENCE", frozenset()),
    "bookings rebut": ("REBUTTING", frozenset({"shown", "booking"})),
    "tickets rebut nothing": ("REBUTTING", frozenset()),
    "manifests always hold": ("MANIFESTS", frozenset()),
}


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_rule_can_change_unnoticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for what is no row of the table."""
    monkeypatch.setattr(rules, *OTHERS[name])
    assert next(problems(), None), name


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("admission_class", PETITION)
def test_the_days_after_employment(admission_class: str, by: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty in each class of the row; one more or less shows."""
    expected = [("IN_GRACE", END + ONE), ("TERMINATED", END + days(61)), ("OVERSTAY_SUSPECTED", DATE + ONE)]

    def actual() -> list[tuple[str, date]]:
        return [(word, day) for word, day, _, _ in line_of(ended(hired(admission_class), END).stay())[1:]]

    assert actual() == expected
    row = next(rule for rule in rules.RULES[::-1] if admission_class in rule.classes)
    changed = tuple(replace(rule, employment_days=60 + by) if rule is row else rule for rule in rules.RULES)
    monkeypatch.setattr(rules, "RULES", changed)
    assert actual() != expected


def test_employment_that_ended_across_the_date_line() -> None:
    """Told in New York's days of one who came to Guam that day, which was the next there: nothing begins before it."""
    story = Story("Pacific/Guam").admitted(D, "H1B", END + days(300), "08:00:00")
    stay = ended(story, D - ONE, zone=NEW_YORK).stay()
    assert stay.timeline[0].since == stay.since == second("Pacific/Guam", D, "08:00:00")
    assert [piece.since for piece in stay.timeline[1:]] == [
        second("Pacific/Guam", D + ONE, "00:00:00"),
        second("Pacific/Guam", D + days(61), "00:00:00"),
        second("Pacific/Guam", END + days(301), "00:00:00"),
    ]


@pytest.mark.parametrize("admission_class", AT_ONCE)
def test_classes_that_are_left_no_days_after_the_employment(admission_class: str) -> None:
    """Out of status at once, and no overstay up to the date: 8 CFR 214.1(l)(2) does not name them."""
    line = line_of(ended(hired(admission_class), END).stay())[1:]
    assert [(word, day) for word, day, _, _ in line] == [("TERMINATED", END + ONE), ("OVERSTAY_SUSPECTED", DATE + ONE)]
    for day, outcome in ((DATE, "DEPARTED_IN_TIME"), (DATE + ONE, "DEPARTED_LATE")):
        assert ended(hired(admission_class), END).left(day).last().outcome == outcome


def test_the_employment_that_ends_is_the_one_granted_last() -> None:
    """An extension that was granted before gives no shelter; one that was filed before and granted later does."""
    granted = hired(until=END).extended(D, D + ONE, until=END + days(400), form="I-129")
    assert ended(granted, D + days(60)).outcome(D + days(70)) == "IN_GRACE"
    later = hired().extended(D, D + days(65), until=DATE + days(90), form="I-129")
    assert ended(later, D + days(60)).outcome(D + days(70)) == "IN_STATUS"
    petitioned = ended(hired(), END).extended(END + days(9), END + days(20), until=DATE + days(90), form="I-129")
    assert petitioned.outcome(END + days(19)) == "IN_GRACE"
    assert petitioned.outcome(END + days(21)) == "IN_STATUS"


def test_no_other_class_hangs_on_employment() -> None:
    """Its end moves nothing there."""
    for admission_class in sorted(
        {one for rule in rules.RULES for one in rule.classes} - {*PETITION, *SEASONAL, *AT_ONCE}
    ):
        plain = Story().admitted(D, admission_class, END)
        assert ended(Story().admitted(D, admission_class, END), D + days(9)).line() == plain.line(), admission_class


def test_a_new_row_moves_later_admissions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day of admission decides about protections too."""
    row = next(one for one in rules.PROTECTIONS if one.id == "satisfactory-departure")
    others = tuple(one for one in rules.PROTECTIONS if one is not row)
    change = date(2025, 6, 1)

    def last(day: date) -> date:
        end = day + days(89)
        story = Story().admitted(day, "WT").fact(end, StatusFact.SATISFACTORY_DEPARTURE, until=end + days(99))
        return periods.local_day(story.stay().timeline[-1].since, NEW_YORK)

    before = last(change - ONE)
    rows = (replace(row, through=change - ONE), replace(row, since=change, days=10))
    monkeypatch.setattr(rules, "PROTECTIONS", (*others, *rows))
    assert last(change - ONE) == before == change - ONE + days(89 + 31)
    assert last(change) == change + days(89 + 11)


@pytest.mark.parametrize("zone", ZONES)
def test_a_new_row_moves_later_canadians_only(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for who is let in without a number: the day at the port decides, and between two rows none holds."""
    change = date(2025, 6, 1)
    (row,) = rules.CANADIAN
    rows = (replace(row, through=change - ONE), replace(row, id="canadian-2025", since=change + ONE, months=3))
    monkeypatch.setattr(rules, "CANADIAN", rows)
    for by, rule, last in (
        (-1, "canadian-visitor", "2025-11-30"),
        (0, "no-rule", None),
        (1, "canadian-2025", "2025-09-01"),
    ):
        for clock in ("00:00:00", "23:59:59"):
            stay = canadian(day=change + days(by), zone=zone, clock=clock).stay()
            assert (stay.timeline[0].rule, stay.authorised_until) == (rule, last)


def test_laying_over_keeps_the_order_of_the_list() -> None:
    """At every second the outcome of the two that comes first."""
    for below in ORDER:
        for above in ORDER:
            row = replace(rules.PROTECTIONS[0], outcome=above)
            base = visitor().stay().timeline[0]
            line = [base, *[replace_piece(base, base.since + 100, below)]]
            actual = protections.laid_over(line, protections.Window(row, base.since + 150, base.since + 200, ()))
            word = min(above, below, key=ORDER.index)
            assert _at(actual, base.since + 175) == word
            assert _at(actual, base.since + 125) == below == _at(actual, base.since + 200)


def replace_piece(base: object, since: int, outcome: Outcome) -> object:
    """A piece like another."""
    from msgspec.structs import replace as of

    return of(base, since=since, outcome=outcome.value)  # type: ignore[type-var]


def _at(line: list[object], at: int) -> str:
    return [piece.outcome for piece in line if piece.since <= at][-1]  # type: ignore[attr-defined]


def test_seconds_not_days() -> None:
    """A protection of one day holds for that day."""
    story = visitor().fact(END + days(5), StatusFact.TPS, until=END + days(5))
    assert story.line()[2] == ("IN_STATUS", second(NEW_YORK, END + days(5), "00:00:00"))
    assert story.line()[3] == ("OVERSTAY_SUSPECTED", second(NEW_YORK, END + days(6), "00:00:00"))
