"""The closed list in its order, and each dated row of the rules around its last day, at the port of entry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from domain.stories import NAME, NEW_YORK, PASSPORT, ZONES, Story, second
from domain.students import Student

from schemas.events import Fact as StatusFact
from schemas.events import Inspection, Subject
from schemas.outcomes import ORDER, Outcome
from services.domain import protections, resolve, rules
from services.domain.coverage import coverage_of

D, END = date(2025, 1, 10), date(2025, 4, 10)
ONE = timedelta(1)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


LAST: dict[str, tuple[str, date | None, date]] = {
    # row: a class of it, the date on the I-94, the last authorised day
    "visitor": ("B1", END, END),
    "visa-waiver": ("WT", None, date(2025, 4, 9)),
    "guam-waiver": ("GMT", None, date(2025, 2, 23)),
    "fiance": ("K1", None, date(2025, 4, 9)),
    "transit-crew": ("D1", None, date(2025, 2, 7)),
    "spouse-of-citizen": ("K3", END, END),
    "official-transit": ("C2", END, END),
    "petition-based": ("L1", END, END),
    "worker-family": ("H4", END, END),
    "trainee": ("H3", END, END),
    "support-personnel": ("O2", END, END),
    "performer": ("P1", END, END),
    "cultural-exchange": ("Q1", END, END),
    "religious-worker": ("R1", END, END),
    "transitional-worker": ("CW1", END, END),
    "cnmi-investor": ("E2C", END, END),
    "commuter-student": ("F3", END, END),
    "informant": ("S5", END, END),
    "trafficking-victim": ("T1", END, END),
    "crime-victim": ("U1", END, END),
    "family-of-resident": ("V1", END, END),
    "protected-status": ("TPS", END, END),
    "compact-state": ("MIS", END, END),
    "official": ("G4", END, END),
    "official-household": ("A3", END, END),
    "nato": ("N2", END, END),
    "nato-household": ("N7", END, END),
    "special-immigrant-family": ("N9", END, END),
    "media": ("I", END, END),
    "vocational-student": ("M1", date(2026, 5, 1), date(2026, 5, 1)),
    "parole": ("PAR", END, END),
    "canadian-visitor": ("B2", None, date(2025, 7, 9)),
}
ELSEWHERE = {
    "student", "exchange-visitor", "agricultural-worker-2009", "seasonal-worker-1990", "seasonal-worker",
    "media-prc-2020", "media-prc",
}  # fmt: skip
"""Rows with programs, days of grace or dates of their own: students.py, test_dated_rows.py."""


def admitted(row: str, zone: str) -> Story:
    """Somebody of that row."""
    admission_class, until, _ = LAST[row]
    inspection = Inspection.PAROLED if row == "parole" else Inspection.ADMITTED
    story = Story(zone).admitted(D, admission_class, until, inspection=inspection)
    if row == "canadian-visitor":
        subject = Subject(names=(NAME,), citizenship=("CAN",), identifiers=(PASSPORT,))
        story.events[0] = story.events[0].model_copy(update={"subject": subject})
    return story


def test_every_row_has_its_boundary() -> None:
    """A new row needs a line here."""
    assert {row.id for row in (*rules.RULES, *rules.PAROLE, *rules.CANADIAN)} == LAST.keys() | ELSEWHERE


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("row", LAST)
def test_the_day_before_the_day_and_the_day_after(row: str, zone: str) -> None:
    """In status to the last second of the last day; whoever leaves by then left in time."""
    last = LAST[row][2]
    story = admitted(row, zone)
    assert story.stay().authorised_until == last.isoformat()
    assert story.stay().timeline[0].rule == row
    for day, clock, there, gone in (
        (last - ONE, "12:00:00", "IN_STATUS", "DEPARTED_IN_TIME"),
        (last, "00:00:00", "IN_STATUS", "DEPARTED_IN_TIME"),
        (last, "23:59:59", "IN_STATUS", "DEPARTED_IN_TIME"),
        (last + ONE, "00:00:00", "OVERSTAY_SUSPECTED", "DEPARTED_LATE"),
        (last + ONE, "12:00:00", "OVERSTAY_SUSPECTED", "DEPARTED_LATE"),
    ):
        assert story.outcome(day, clock) == there
        named = admitted(row, zone)
        left = named.left(day, clock)
        assert left.last().outcome == gone, (day, clock)


def visitor() -> Story:
    """Admitted until END."""
    return Story().admitted(D, until=END)


def unknown() -> Story:
    """Admitted in no class."""
    return Story().admitted(D, admission_class=None)


def student() -> Student:
    """Admitted for a program that ends on END."""
    return Student().came(D, names=1).created(D - ONE, END)


LATER = END + days(20)
BOTH: dict[tuple[str, str], Callable[[], Story]] = {
    ("NOT_ADMITTED", "DEPARTED_IN_TIME"): lambda: (
        Story().admitted(D, until=END, inspection=Inspection.REFUSED).left(D + ONE)
    ),
    ("NOT_ADMITTED", "ADJUSTED"): lambda: (
        Story().admitted(D, until=END, inspection=Inspection.WITHDRAWN).fact(D, StatusFact.PERMANENT_RESIDENT)
    ),
    ("DEPARTED_IN_TIME", "CLOSED_UNOBSERVED"): lambda: visitor().left(END).admitted(END + days(9), which=2),
    ("DEPARTED_IN_TIME", "ADJUSTED"): lambda: visitor().fact(D + ONE, StatusFact.ASYLUM_GRANTED).left(END),
    ("DEPARTED_IN_TIME", "PENDING"): lambda: visitor().extended(END).left(END + days(9)),
    ("DEPARTED_LATE", "CLOSED_UNOBSERVED"): lambda: visitor().left(END + ONE).admitted(END + days(9), which=2),
    ("DEPARTED_LATE", "TERMINATED"): lambda: student().terminated(END - days(9)).left(END - days(7)),
    ("CLOSED_UNOBSERVED", "ADJUSTED"): lambda: (
        visitor().fact(D + ONE, StatusFact.PERMANENT_RESIDENT).admitted(END + days(9), which=2)
    ),
    ("CLOSED_UNOBSERVED", "UNDETERMINED"): lambda: unknown().admitted(END + days(9), which=2),
    ("ADJUSTED", "UNDETERMINED"): lambda: unknown().fact(END, StatusFact.NATURALISED),
    ("ADJUSTED", "PENDING"): lambda: visitor().extended(END).fact(END + days(9), StatusFact.PERMANENT_RESIDENT),
    ("UNDETERMINED", "IN_STATUS"): lambda: unknown().fact(END, StatusFact.TPS, until=END + days(90)),
    ("UNDETERMINED", "PENDING"): lambda: unknown().fact(END, StatusFact.ASYLUM_PENDING),
    ("IN_STATUS", "IN_GRACE"): lambda: student().fact(END, StatusFact.TPS, until=END + days(90)),
    ("IN_STATUS", "PENDING"): lambda: Story().admitted(D, until=END + days(90)).fact(D, StatusFact.ASYLUM_PENDING),
    ("IN_GRACE", "PENDING"): lambda: student().extended(END - ONE),
    ("PENDING", "TERMINATED"): lambda: student().terminated(END - days(9)).fact(END, StatusFact.ASYLUM_PENDING),
    ("PENDING", "OVERSTAY_SUSPECTED"): lambda: visitor().fact(END + days(9), StatusFact.ASYLUM_PENDING),
    ("TERMINATED", "OVERSTAY_SUSPECTED"): lambda: student().terminated(D + days(9)),
    ("OVERSTAY_SUSPECTED", "DEPARTURE_UNKNOWN"): visitor,
}
"""Admissions to which two outcomes would apply on LATER: the one listed first is meant."""


@pytest.mark.law(6, "the order of the closed list, pair by pair")
@pytest.mark.parametrize(("first", "second_"), BOTH)
def test_of_two_outcomes_the_first_listed_counts(first: str, second_: str) -> None:
    """The order of precedence, pair by pair."""
    assert ORDER.index(Outcome(first)) < ORDER.index(Outcome(second_))
    assert BOTH[first, second_]().outcome(LATER) == first


def test_the_list_is_closed_and_in_its_order() -> None:
    """As it is published; every neighbour but two ends of one departure is told apart by some pair above."""
    assert [one.value for one in ORDER] == (
        "NOT_ADMITTED DEPARTED_IN_TIME DEPARTED_LATE CLOSED_UNOBSERVED ADJUSTED UNDETERMINED IN_STATUS IN_GRACE"
        " PENDING TERMINATED OVERSTAY_SUSPECTED DEPARTURE_UNKNOWN"
    ).split()
    neighbours = {(one.value, other.value) for one, other in pairwise(ORDER)}
    # nobody leaves in time and late at once
    assert neighbours - BOTH.keys() == {("DEPARTED_IN_TIME", "DEPARTED_LATE")}


def test_without_coverage_nobody_is_suspected() -> None:
    """The last of the list, where departures are not known to be complete."""
    answer = resolve.answer(visitor().stay(), second(NEW_YORK, LATER), coverage_of({}))
    assert answer is not None
    assert answer.outcome == "DEPARTURE_UNKNOWN"


def _suspected(*ways: str) -> bool:
    """Whether the visitor is suspected where departures by these ways are complete."""
    covered = coverage_of({("I94", f"departure:{way}"): ((0, 2**60),) for way in ways})
    answer = resolve.answer(visitor().stay(), second(NEW_YORK, LATER), covered)
    return answer is not None and answer.outcome == "OVERSTAY_SUSPECTED"


@pytest.mark.law(8, planted="a way out that the rules forget")
def test_a_way_out_that_is_forgotten_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted in the rules: one scope less, and somebody is suspected who may have left that way."""
    ways = ("air", "land", "sea")
    assert _suspected(*ways)
    for way in ways:
        others = [one for one in ways if one != way]
        assert not _suspected(*others)
        with monkeypatch.context() as patch:
            patch.setattr(rules, "ABSENCE_SOURCES", tuple(("I94", f"departure:{one}") for one in others))
            assert _suspected(*others)


@pytest.mark.parametrize(
    ("one", "other"), [("IN_STATUS", "PENDING"), ("IN_STATUS", "IN_GRACE"), ("PENDING", "TERMINATED")]
)
def test_another_order_would_be_seen(one: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two places changed, and some pair answers otherwise."""
    rank = protections.RANK
    monkeypatch.setattr(protections, "RANK", rank | {one: rank[other], other: rank[one]})
    assert any(story().outcome(LATER) != first for (first, _), story in BOTH.items())
