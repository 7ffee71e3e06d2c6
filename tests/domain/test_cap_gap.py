"""A student whose employer asked for H-1B in time: status carried over to the day of the law, or to the denial."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from domain.stories import ZONES
from domain.students import Student

from schemas.events import Action, Request
from services.domain import rules

D, END = date(2024, 8, 20), date(2025, 5, 15)
ONE = timedelta(1)
APRIL = date(2026, 4, 1)
OCTOBER = date(2025, 10, 1)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


def student(end: date = END, admission_class: str = "F1", zone: str = "America/New_York") -> Student:
    """In a program that ends on a day."""
    return Student(zone, admission_class=admission_class).came(D - days(365), names=1).created(D - days(400), end)


def asked(
    story: Student,
    filed: date = date(2025, 4, 5),
    decided: date | None = None,
    action: Action = Action.DENIED,
    admission_class: str = "H1B",
    asks: Request = Request.CHANGE_CLASS,
    starts: date | None = None,
) -> list[tuple[str, date]]:
    """The time line from the end of the program on."""
    more = {} if starts is None else {"valid_from": starts}
    story.extended(filed, decided, action, form="I-129", asks=asks, requested_class=admission_class, **more)
    return story.days()[1:]


@pytest.mark.parametrize("zone", ZONES)
def test_pending(zone: str) -> None:
    """In status up to 1 April, then what is pending bridges: USCIS, 28 September 2018."""
    assert asked(student(zone=zone)) == [("IN_STATUS", END + ONE), ("PENDING", APRIL + ONE)]


@pytest.mark.parametrize("zone", ZONES)
def test_denied_behind_it(zone: str) -> None:
    """Pending up to the end of the day of the denial; what is left of sixty days behind 1 April is not taken."""
    left = [("IN_STATUS", END + ONE), ("PENDING", APRIL + ONE)]
    decided = APRIL + days(30)
    over = [("IN_GRACE", decided + ONE), ("OVERSTAY_SUSPECTED", APRIL + days(61))]
    assert asked(student(zone=zone), decided=decided) == [*left, *over]
    decided = APRIL + days(80)
    assert asked(student(zone=zone), decided=decided) == [*left, ("OVERSTAY_SUSPECTED", decided + ONE)]
    reported = student(zone=zone).works(END, APRIL, "cap-gap")
    assert asked(reported, decided=decided) == [*left, ("OVERSTAY_SUSPECTED", decided + ONE)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("end", "last"), [(date(2025, 1, 16), date(2025, 10, 1)), (END, APRIL)], ids=["October", "April"]
)
def test_its_last_day_is_the_ports(end: date, last: date, zone: str) -> None:
    """To the last second of it, and what is pending behind it; a denial, too, at the end of its day."""
    story = student(end, zone=zone)
    asked(story, filed=end, starts=OCTOBER)
    assert story.outcome(end + ONE, "00:00:00") == "IN_STATUS"
    assert story.outcome(last - ONE) == story.outcome(last, "23:59:59") == "IN_STATUS"
    assert story.outcome(last + ONE, "00:00:00") == story.outcome(last + days(90), "23:59:59") == "PENDING"
    denied, decided = student(end, zone=zone), last - days(9)
    asked(denied, filed=end, decided=decided, starts=OCTOBER)
    assert denied.outcome(decided, "23:59:59") == "IN_STATUS"
    assert denied.outcome(decided + ONE, "00:00:00") == denied.outcome(decided + days(60), "23:59:59") == "IN_GRACE"
    assert denied.outcome(decided + days(61), "00:00:00") == "OVERSTAY_SUSPECTED"


def test_the_piece_says_by_what() -> None:
    """Rule, citation, and the petition among its evidence."""
    story = student()
    asked(story)
    piece = story.stay().timeline[1]
    assert (piece.rule, piece.citation) == rules.CAP_GAP == ("cap-gap", "8 CFR 214.2(f)(5)(vi)")
    assert set(story.ids) == set(piece.evidence)


@pytest.mark.parametrize(
    ("end", "last"),
    [
        (date(2025, 1, 16), date(2025, 10, 1)),
        (date(2025, 1, 17), date(2026, 4, 1)),
        (date(2025, 1, 18), date(2026, 4, 1)),
    ],
)
def test_the_day_of_the_new_rule(end: date, last: date) -> None:
    """Up to 1 October for a status that ended before 17 January 2025, to 1 April from then on."""
    assert asked(student(end), filed=end, starts=OCTOBER)[:2] == [("IN_STATUS", end + ONE), ("PENDING", last + ONE)]


@pytest.mark.parametrize("action", [Action.DENIED, Action.WITHDRAWN])
def test_a_denial_ends_it(action: Action) -> None:
    """Sixty days of grace from there, as after a program; one that comes before the program ends changes nothing."""
    decided = date(2025, 9, 9)
    assert asked(student(), decided=decided, action=action) == [
        ("IN_STATUS", END + ONE),
        ("IN_GRACE", decided + ONE),
        ("OVERSTAY_SUSPECTED", decided + days(61)),
    ]
    plain = student().days()[1:]
    for early in (END - ONE, END):
        assert asked(student(), decided=early, action=action) == plain
    assert asked(student(), decided=END + ONE, action=action)[:2] == [
        ("IN_STATUS", END + ONE),
        ("IN_GRACE", END + days(2)),
    ]


@pytest.mark.parametrize(
    ("filed", "last"),
    [
        (date(2025, 10, 2), date(2026, 4, 1)),
        (date(2026, 1, 5), date(2026, 4, 1)),
        (date(2026, 3, 31), date(2026, 4, 1)),
        (date(2026, 4, 1), date(2027, 4, 1)),
    ],
)
def test_the_fiscal_year_where_none_is_named(filed: date, last: date) -> None:
    """No petition is filed more than six months before its first day: 8 CFR 214.2(h)(2)(i)(I)."""
    line = asked(student(date(2026, 3, 31)), filed=filed)
    assert line[:2] == [("IN_STATUS", date(2026, 4, 1)), ("PENDING", last + ONE)]


def test_filed_in_grace_and_late() -> None:
    """The last day of grace is in time, the next is not."""
    assert asked(student(), filed=END + days(60))[0] == ("IN_STATUS", END + ONE)
    assert asked(student(), filed=END + days(61)) == student().days()[1:]


def test_what_is_no_cap_gap() -> None:
    """Another class asked for, another form of asking, exchange visitors, a violation."""
    waiting = [("IN_GRACE", END + ONE), ("PENDING", END + days(61))]
    assert asked(student(), admission_class="O1") == waiting
    assert asked(student(), asks=Request.EXTEND) == waiting
    assert asked(student(admission_class="J1")) == [("IN_GRACE", END + ONE), ("PENDING", END + days(31))]
    ended = student().terminated(END - days(60))
    assert [word for word, _ in asked(ended)] == ["TERMINATED"]


def test_where_sevis_tells_of_it_too() -> None:
    """Pending, SEVIS's day stands if it is the later; denied, the denial ends it also where SEVIS has not heard."""
    reported = student().works(END, APRIL, "cap-gap")
    assert asked(reported)[:2] == [("IN_STATUS", END + ONE), ("PENDING", APRIL + ONE)]
    reported = student().works(END, APRIL, "cap-gap")
    assert asked(reported, decided=date(2025, 9, 9))[:2] == [("IN_STATUS", END + ONE), ("IN_GRACE", date(2025, 9, 10))]


@pytest.mark.parametrize(
    "rows",
    [
        ((date.min, 10),),
        ((date.min, 4),),
        ((date.min, 10), (date(2025, 1, 16), 4)),
        ((date.min, 10), (date(2025, 1, 18), 4)),
        ((date.min, 10), (date(2025, 1, 17), 5)),
    ],
)
def test_another_law_would_be_seen(rows: tuple[tuple[date, int], ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of the dated rows changes an answer."""
    ends = [date(2025, 1, by) for by in (16, 17, 18)]
    before = [asked(student(end), filed=end, starts=OCTOBER) for end in ends]
    monkeypatch.setattr(rules, "CAP_GAP_UNTIL", rows)
    assert [asked(student(end), filed=end, starts=OCTOBER) for end in ends] != before


@pytest.mark.parametrize("zone", ZONES)
def test_the_gap_of_a_petition_that_was_denied_is_none_of_a_later_one(zone: str) -> None:
    """Filed a year late, it bridges nothing: the sixty days behind the denial were the last."""
    denied = date(2025, 8, 1)
    story = student(zone=zone).works(END, APRIL, "cap-gap")
    story.extended(
        date(2025, 4, 5), denied, Action.DENIED, form="I-129", asks=Request.CHANGE_CLASS, requested_class="H1B"
    )
    alone = story.days()
    story.extended(date(2026, 7, 1), form="I-129", asks=Request.CHANGE_CLASS, requested_class="H1B", receipt=2)
    assert story.days() == alone
    assert alone[-1][0] == "OVERSTAY_SUSPECTED"


@pytest.mark.parametrize("first", [None, APRIL + days(20), APRIL + days(80)])
@pytest.mark.parametrize("second", [None, APRIL + days(10), APRIL + days(30), APRIL + days(90)])
def test_of_two_petitions_that_outlast_the_gap_the_longer_counts(first: date | None, second: date | None) -> None:
    """Two employers ask: the student may stay up to the last decision, then for what is left of sixty days."""
    story = student()
    fields = {"form": "I-129", "asks": Request.CHANGE_CLASS, "requested_class": "H1B"}
    story.extended(date(2025, 4, 5), first, Action.DENIED, **fields)
    story.extended(date(2025, 4, 6), second, Action.WITHDRAWN, receipt=2, **fields)
    line = story.days()[1:]
    assert line[:2] == [("IN_STATUS", END + ONE), ("PENDING", APRIL + ONE)]
    if first is None or second is None:
        assert line[2:] == []
    elif max(first, second) > APRIL + days(60):
        assert line[2:] == [("OVERSTAY_SUSPECTED", max(first, second) + ONE)]
    else:
        assert line[2:] == [("IN_GRACE", max(first, second) + ONE), ("OVERSTAY_SUSPECTED", APRIL + days(61))]
