"""The switch between duration of status and the fixed periods of 91 FR 44976: answers both ways, and its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from domain.stories import ZONES
from domain.students import DURATION, Student
from domain.test_dated_rows import line, of

from services.domain import rules
from services.domain.rules import Rule

ONE = timedelta(1)
FROM = date(2026, 9, 15)
"""The day on which the rule was to take effect."""
PROGRAM = date(2028, 5, 31)
FOUR_YEARS = date(2030, 9, 15)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule in force."""
    monkeypatch.setattr(rules, "FIXED_PERIODS_FROM", FROM)


def student(
    day: date, until: date | str, admission_class: str = "F1", ends: date = PROGRAM, zone: str = ZONES[0]
) -> Student:
    """Somebody with a program."""
    story = Student(zone, admission_class=admission_class)
    return story.came(day, until=until, names=1).created(day - days(60), ends)


def media(day: date, until: date | str, code: str = "GBR") -> Student:
    """A member of the foreign media."""
    story = Student(admission_class="I").came(day, until=until)
    of(story, code)
    return story


def test_it_is_off() -> None:
    """As of 29 November 2026: postponed on 14 September 2026, D. Mass. 1:26-cv-13799; appealed."""
    assert rules.FIXED_PERIODS_FROM is None


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("admission_class", "grace"), [("F1", 60), ("F2", 60), ("J1", 30), ("J2", 30)])
def test_while_it_is_off_programs_decide(admission_class: str, grace: int, zone: str) -> None:
    for day in (FROM - days(30), FROM, FROM + days(30)):
        story = student(day, DURATION, admission_class, zone=zone)
        assert story.days() == [
            ("IN_STATUS", day), ("IN_GRACE", PROGRAM + ONE), ("OVERSTAY_SUSPECTED", PROGRAM + days(grace + 1)),
        ]  # fmt: skip
    assert media(FROM + ONE, DURATION).days() == [("IN_STATUS", FROM + ONE)]


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("admission_class", ["F1", "F2", "J1", "J2"])
def test_while_it_is_on_the_date_decides(admission_class: str, zone: str) -> None:
    """Who comes from its day on has a date on the I-94, with thirty days of grace in it; behind it an overstay."""
    until = PROGRAM + days(30)
    story = student(FROM, until, admission_class, zone=zone)
    assert story.days() == [("IN_STATUS", FROM), ("IN_GRACE", PROGRAM + ONE), ("OVERSTAY_SUSPECTED", until + ONE)]
    assert story.stay().authorised_until == until.isoformat()
    longer = student(FROM, until, admission_class, zone=zone).program(FROM + days(9), PROGRAM + days(400))
    assert longer.days() == [("IN_STATUS", FROM), ("OVERSTAY_SUSPECTED", until + ONE)]
    assert student(FROM, DURATION, admission_class, zone=zone).days() == [("UNDETERMINED", FROM)]
    ended = student(FROM, until, admission_class, zone=zone).terminated(FROM + days(50))
    assert [word for word, _ in ended.days()] == ["IN_STATUS", "TERMINATED", "OVERSTAY_SUSPECTED"]


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize(("admission_class", "grace"), [("F1", 60), ("J1", 30)])
def test_who_was_there_keeps_duration_of_status(admission_class: str, grace: int) -> None:
    """Up to the end of the program as it stood on that day, four years at most, with the days of grace there were."""
    day = FROM - ONE
    kept = [("IN_STATUS", day), ("IN_GRACE", PROGRAM + ONE), ("OVERSTAY_SUSPECTED", PROGRAM + days(grace + 1))]
    assert student(day, DURATION, admission_class).days() == kept
    prolonged = student(day, DURATION, admission_class).program(FROM, PROGRAM + days(300))
    assert [piece for piece in prolonged.days() if piece[1] > FROM] == kept[1:]
    before = student(day - ONE, DURATION, admission_class).program(day, PROGRAM + days(300))
    assert before.days()[-1] == ("OVERSTAY_SUSPECTED", PROGRAM + days(301 + grace))
    long = student(day, DURATION, admission_class, FOUR_YEARS + days(500))
    assert long.days()[1:] == [("IN_GRACE", FOUR_YEARS + ONE), ("OVERSTAY_SUSPECTED", FOUR_YEARS + days(grace + 1))]
    shorter = student(day, DURATION, admission_class).program(FROM + ONE, PROGRAM - days(100), "shortened")
    assert shorter.days()[-1] == ("OVERSTAY_SUSPECTED", PROGRAM - days(99 - grace))


@pytest.mark.usefixtures("on")
def test_training_is_kept_for_four_years() -> None:
    story = student(FROM - ONE, DURATION, ends=FOUR_YEARS - days(100))
    story.works(FOUR_YEARS - days(99), FOUR_YEARS + days(200))
    assert story.days()[-2:] == [("IN_GRACE", FOUR_YEARS + ONE), ("OVERSTAY_SUSPECTED", FOUR_YEARS + days(61))]


@pytest.mark.usefixtures("on")
def test_the_media() -> None:
    """240 days, and 90 on a passport of the People's Republic of China; who was there keeps 240 from that day on."""
    for code, most in (("GBR", 240), ("CHN", 90)):
        for until, last in ((FROM + days(30), 31), (DURATION, most)):
            story = media(FROM, until, code)
            assert line(story)[-1][:2] == ("OVERSTAY_SUSPECTED", FROM + days(last)), (code, until)
    assert media(FROM - ONE, DURATION).days()[-1] == ("OVERSTAY_SUSPECTED", FROM + days(240))
    assert media(FROM - ONE, FROM + days(30)).days()[-1] == ("OVERSTAY_SUSPECTED", FROM + days(31))
    accredited = Student(admission_class="A1").came(FROM - ONE, until=DURATION)
    assert accredited.days() == [("IN_STATUS", FROM - ONE)]


TABLE: tuple[tuple[str, str, str, str], ...] = (
    ("F1 F2", "GBR", "student-fixed", "8 CFR 214.2(f)(5); 91 FR 44976"),
    ("J1 J2", "GBR", "exchange-visitor-fixed", "8 CFR 214.2(j)(1)(ii); 91 FR 44976"),
    ("I I1", "CHN", "media-prc-fixed", "8 CFR 214.2(i); 91 FR 44976"),
    ("I I1", "GBR", "media-fixed", "8 CFR 214.2(i); 91 FR 44976"),
)


def problems() -> Iterator[str]:
    """What the rows say otherwise."""
    until = PROGRAM + days(30)
    for classes, code, rule, citation in TABLE:
        for admission_class in classes.split():
            story = student(FROM, until, admission_class)
            if admission_class[0] == "I":
                of(story, code)
            first = story.stay().timeline[0]
            if (first.rule, first.citation) != (rule, citation):
                yield f"{admission_class} {code}: {first.rule}, {first.citation}"
            asked = student(FROM, FROM + days(20), admission_class).extended(FROM + days(20))
            if admission_class[0] == "I":
                of(asked, code)
            if asked.last().outcome != "PENDING":
                yield f"{admission_class}: no extension"
    for admission_class, reasons in (("F1", ("practical-training", "cap-gap")), ("J1", ("academic-training",))):
        plain = [("IN_STATUS", FROM), ("IN_GRACE", PROGRAM + ONE), ("OVERSTAY_SUSPECTED", until + ONE)]
        if student(FROM, until, admission_class).days() != plain:
            yield f"{admission_class}: {student(FROM, until, admission_class).days()}"
        dated = student(FROM, PROGRAM + days(60), admission_class)
        if dated.days()[1] != ("IN_GRACE", PROGRAM + ONE):
            yield f"{admission_class}: {dated.days()}"
        wide = dated.terminated(FROM + days(20), "administrative").days()[1]  # which says nothing
        if wide != ("IN_GRACE", PROGRAM + days(31)):
            yield f"{admission_class}: {wide}"
        for reason in ("practical-training", "academic-training", "cap-gap"):
            story = student(FROM, until, admission_class).works(PROGRAM + ONE, PROGRAM + days(90), reason)
            if ("IN_GRACE" in dict(story.days())) == (reason in reasons):
                yield f"{admission_class}: {reason} gives {story.days()}"
    for code, most in (("GBR", 240), ("CHN", 90), ("HKG", 240)):
        if line(media(FROM, DURATION, code))[-1][1] != FROM + days(most):
            yield f"media {code}: {line(media(FROM, DURATION, code))}"


def _mutants(row: Rule) -> Iterator[Rule]:
    yield replace(row, id=row.id + "x")
    yield replace(row, citation=row.citation + " ")
    yield replace(row, extendable=False)
    yield from (replace(row, classes=row.classes - {one}) for one in row.classes)
    yield from (replace(row, days=row.days + by) for by in (-1, 1) if row.days)
    yield from (replace(row, grace_days=row.grace_days + by) for by in (-1, 1) if row.grace_days)
    if row.training:
        yield from (
            replace(row, training=row.training ^ {one})
            for one in ("practical-training", "academic-training", "cap-gap")
        )
    if row.citizenship:
        yield replace(row, citizenship=frozenset({"CHN", "HKG"}))


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize("place", range(len(rules.FIXED_PERIODS)))
def test_no_row_of_it_can_change_unnoticed(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(problems()) == []
    rows = rules.FIXED_PERIODS
    for mutant in _mutants(rows[place]):
        monkeypatch.setattr(rules, "FIXED_PERIODS", (*rows[:place], mutant, *rows[place + 1 :]))
        assert next(problems(), None), mutant


@pytest.mark.usefixtures("on")
def test_no_number_of_the_transition_can_change_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def lengths() -> tuple[date, date]:
        long = student(FROM - ONE, DURATION, ends=FOUR_YEARS + days(900))
        return long.days()[1][1], media(FROM - ONE, DURATION).days()[-1][1]

    assert lengths() == (FOUR_YEARS + ONE, FROM + days(240))
    for name in ("TRANSITION_YEARS", "TRANSITION_DAYS"):
        for by in (-1, 1):
            with monkeypatch.context() as patch:
                patch.setattr(rules, name, getattr(rules, name) + by)
                assert lengths() != (FOUR_YEARS + ONE, FROM + days(240))
