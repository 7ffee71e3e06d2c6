"""When a filing is in time: business days for paper, days of grace, what the inspecting agency decides by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from domain.stories import PASSPORT, ZONES, Story, moment, number, second
from domain.students import DURATION, Student

from schemas.events import Action, Extension, Inspection, Request, Status
from schemas.events import Fact as StatusFact
from schemas.identifiers import Identifier, Scheme
from services.domain import holidays, rules

D = date(2025, 1, 10)
ONE = timedelta(1)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


def filed(last: date, day: date, zone: str = ZONES[0], **more: Any) -> str:
    """What holds behind the date of a visitor who files on a day."""
    return Story(zone).admitted(last - days(90), until=last).applied(day, **more).last().outcome


# the last day, and the first day on which paper is late
WEEKENDS: tuple[tuple[date, date, str], ...] = (
    (date(2026, 7, 9), date(2026, 7, 10), "a Thursday"),
    (date(2026, 7, 10), date(2026, 7, 11), "a Friday"),
    (date(2026, 7, 11), date(2026, 7, 14), "a Saturday"),
    (date(2026, 7, 12), date(2026, 7, 14), "a Sunday"),
    (date(2026, 7, 3), date(2026, 7, 7), "the Friday on which the fourth of July, a Saturday, is observed"),
    (date(2026, 7, 2), date(2026, 7, 3), "the day before it"),
    (date(2027, 7, 5), date(2027, 7, 7), "the Monday on which the fourth of July, a Sunday, is observed"),
    (date(2021, 12, 31), date(2022, 1, 4), "New Year's Day observed in the year before"),
    (date(2026, 1, 1), date(2026, 1, 3), "New Year's Day"),
    (date(2026, 1, 19), date(2026, 1, 21), "Martin Luther King, Jr."),
    (date(2026, 2, 16), date(2026, 2, 18), "Washington"),
    (date(2026, 5, 25), date(2026, 5, 27), "Memorial Day"),
    (date(2026, 6, 19), date(2026, 6, 23), "Juneteenth, a Friday"),
    (date(2020, 6, 19), date(2020, 6, 20), "Juneteenth, before it was a holiday"),
    (date(2026, 9, 7), date(2026, 9, 9), "Labor Day"),
    (date(2026, 9, 5), date(2026, 9, 9), "the Saturday before Labor Day"),
    (date(2026, 10, 12), date(2026, 10, 14), "Columbus Day"),
    (date(2026, 11, 11), date(2026, 11, 13), "Veterans Day"),
    (date(2026, 11, 26), date(2026, 11, 28), "Thanksgiving"),
    (date(2026, 12, 25), date(2026, 12, 29), "Christmas, a Friday"),
    (date(1985, 1, 21), date(1985, 1, 22), "Martin Luther King, Jr., before the holiday"),
)


def problems() -> Iterator[str]:
    """What is said of paper otherwise."""
    for last, late, what in WEEKENDS:
        if filed(last, late - ONE) != "PENDING" or filed(last, late) != "OVERSTAY_SUSPECTED":
            yield what


def test_paper_is_in_time_on_the_next_business_day() -> None:
    assert list(problems()) == []


@pytest.mark.parametrize("place", range(len(holidays.HOLIDAYS)))
def test_no_holiday_can_change_unnoticed(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = holidays.HOLIDAYS
    row = rows[place]
    mutants = [replace(row, month=row.month % 11 + 1), replace(row, since=date(2100, 1, 1))]
    if row.nth:
        mutants += [replace(row, nth=row.nth + 1 if row.nth > 0 else 1), replace(row, weekday=(row.weekday + 1) % 5)]
    else:
        mutants += [replace(row, day=row.day % 27 + 2)]
    if row.since != date.min:
        mutants += [replace(row, since=date.min)]
    for mutant in mutants:
        monkeypatch.setattr(holidays, "HOLIDAYS", (*rows[:place], mutant, *rows[place + 1 :]))
        holidays.holidays_of.cache_clear()
        assert next(problems(), None), mutant
    monkeypatch.undo()
    holidays.holidays_of.cache_clear()


@pytest.mark.parametrize("zone", ZONES)
def test_business_days_are_days_of_the_port(zone: str) -> None:
    """Sunday is the last day, in every zone; the Monday behind it is in time to its last second."""
    last = date(2026, 7, 12)
    for clock, day, outcome in (
        ("23:59:59", last + ONE, "PENDING"),
        ("00:00:00", last + 2 * ONE, "OVERSTAY_SUSPECTED"),
        (None, last + ONE, "PENDING"),
    ):
        assert filed(last, day, zone, clock=clock) == outcome
    story = Story(zone).admitted(D, until=last).applied(last + ONE)
    assert [word for word, _ in story.line()] == ["IN_STATUS", "PENDING"]
    stays = Story(zone).admitted(D, until=last)
    assert stays.outcome(last + ONE, "00:00:00") == "OVERSTAY_SUSPECTED"  # the stay itself is no longer by it
    assert stays.left(last + ONE, "08:00:00").last().outcome == "DEPARTED_LATE"


def test_what_is_filed_online_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the record says; else by the system that holds the case."""
    last = date(2026, 7, 12)
    assert filed(last, last + ONE, system="ELIS") == "OVERSTAY_SUSPECTED"
    assert filed(last, last + ONE, system="ELIS", filed_on_paper=True) == "PENDING"
    assert filed(last, last + ONE, filed_on_paper=False) == "OVERSTAY_SUSPECTED"
    assert filed(last, last, system="ELIS") == "PENDING"
    monkeypatch.setattr(rules, "ONLINE_SYSTEMS", frozenset[str]())
    assert filed(last, last + ONE, system="ELIS") == "PENDING"


def test_the_sixtieth_day_of_grace_may_be_a_sunday() -> None:
    """31 May and sixty days are 30 July 2026, a Thursday; 2 June gives Saturday, 1 August."""
    for end, late in ((date(2026, 5, 31), date(2026, 7, 31)), (date(2026, 6, 2), date(2026, 8, 4))):
        for day, outcome in ((late - ONE, "PENDING"), (late, "OVERSTAY_SUSPECTED")):
            story = Student().came(D, names=1).created(D - ONE, end).applied(day, asks=Request.CHANGE_CLASS)
            assert story.last().outcome == outcome, day


def test_the_sixtieth_day_after_an_employment_may_be_one_too() -> None:
    """Tuesday, 17 March, and sixty days are Saturday, 16 May 2026."""
    for day, outcome in ((date(2026, 5, 18), "PENDING"), (date(2026, 5, 19), "TERMINATED")):
        story = Story().admitted(D, "H1B", date(2027, 7, 1)).fact(date(2026, 3, 17), StatusFact.EMPLOYMENT_ENDED)
        assert story.applied(day, asks=Request.CHANGE_CLASS).outcome(date(2026, 8, 1)) == outcome


def inspected(story: Story, day: date, **more: Any) -> Story:
    """What the inspecting agency decides by itself, as the I-94 tells it."""
    asks = Request.CHANGE_CLASS if "granted_class" in more else Request.EXTEND
    return story.applied(day, Action.APPROVED, 7, form="I-94", system="I94", asks=asks, **more)


@pytest.mark.parametrize("admission_class", "WT WB GMT K1 C1 C3 D1 B2 A3 S5 H1B TN PAR DT".split())
def test_a_correction_by_inspection_stands_for_any_class(admission_class: str) -> None:
    """A new date, from the day of the decision on; also in classes in which nobody may ask for one."""
    until, new = D + days(20), D + days(200)
    story = inspected(Story().admitted(D, admission_class, until), D + days(9), granted_until=new)
    assert [word for word, _ in story.line()] == ["IN_STATUS", "IN_STATUS", "OVERSTAY_SUSPECTED"]
    assert story.outcome(new, "23:59:59") == "IN_STATUS"
    assert story.outcome(new + ONE, "00:00:00") == "OVERSTAY_SUSPECTED"
    assert story.stay().authorised_until == new.isoformat()
    shorter = inspected(Story().admitted(D, admission_class, until), D + days(5), granted_until=D + days(9))
    assert shorter.outcome(D + days(10)) == "OVERSTAY_SUSPECTED"


def test_a_deferred_inspection_is_decided() -> None:
    """Paroled to a day, then admitted: what follows is an admission with its own rules."""
    story = Story().admitted(D, "DT", D + days(29), inspection=Inspection.PAROLED)
    inspected(story, D + days(10), granted_class="H1B", granted_until=D + days(400))
    assert (story.stay().admission_class, story.stay().authorised_until) == ("H1B", (D + days(400)).isoformat())
    assert story.stay().timeline[1].rule == "corrected-by-inspection"
    assert story.last().rule == "period-over"
    story.fact(D + days(50), StatusFact.EMPLOYMENT_ENDED)
    assert story.outcome(D + days(60)) == "IN_GRACE"
    late = Story().admitted(D, "DT", D + days(29), inspection=Inspection.PAROLED)
    inspected(late, D + days(40), granted_class="B2", granted_until=D + days(200))
    assert [word for word, _ in late.line()] == ["IN_STATUS", "IN_STATUS", "OVERSTAY_SUSPECTED"]


def test_an_inspection_leaves_the_petition_what_it_was() -> None:
    """A date mended by inspection is no petition of its own: the employment, or petition, that is named still ends."""
    day, until = date(2025, 9, 1), date(2027, 7, 10)

    def employed() -> Story:
        return inspected(Story().admitted(D, "H1B", date(2027, 7, 1)), D + days(30), granted_until=until)

    named = (PASSPORT, Identifier.of(Scheme.RECEIPT, "EAC0000000001"))
    at = moment(ZONES[0], day, None)
    ended = employed()._tell(Status, at, named, system="CLAIMS3", fact=StatusFact.EMPLOYMENT_ENDED)
    assert [word for word, _ in ended.line()][2:] == ["IN_GRACE", "TERMINATED", "OVERSTAY_SUSPECTED"]
    story = Story().admitted(D, "H1B", D + days(100)).extended(D + days(50), D + days(60), form="I-129", until=until)
    inspected(story, D + days(70), granted_until=until - ONE).applied(day, Action.WITHDRAWN, form="I-129")
    assert story.outcome(day + days(60)) == "IN_GRACE"
    assert story.outcome(day + days(61)) == "TERMINATED"


def test_a_petition_that_is_revoked_is_known_by_its_receipt() -> None:
    """Also where its subject does not name it: another employer's petition that was granted since goes on."""
    story = Story().admitted(D, "H1B", date(2026, 6, 30))
    for receipt, filed in ((1, date(2025, 6, 2)), (2, date(2025, 9, 2))):
        story.extended(filed, filed + days(30), receipt=receipt, form="I-129", until=date(2028, 6, 30))
    day = date(2025, 12, 1)
    fields = {"receipt": "EAC0000000001", "form": "I-129", "asks": Request.EXTEND, "action": Action.WITHDRAWN}
    story._tell(Extension, moment(ZONES[0], day, None), (PASSPORT, number(1)), system="CLAIMS3", **fields)
    assert story.outcome(day + days(90)) == "IN_STATUS"


@pytest.mark.parametrize("admission_class", ["B2", "WT", "L1", "H1B"])
def test_a_petition_granted_before_the_admission_gives_no_other_class(admission_class: str) -> None:
    """Granted for who is abroad, it is withdrawn when the person is here: as what was admitted, to the date written."""
    day, until = D + days(60), D + days(90)
    fields = {"form": "I-129", "asks": Request.CHANGE_CLASS, "requested_class": "H1B", "which": None}
    granted = {"granted_class": "H1B", "granted_until": D + days(700)}
    story = Story().applied(D - days(60), **fields).applied(D - days(30), Action.APPROVED, **fields, **granted)
    line = story.admitted(D, admission_class, until).line()
    story.applied(day, Action.WITHDRAWN, **fields)
    if admission_class != "H1B":
        assert story.line() == line
    else:
        assert story.outcome(day + ONE) == "IN_GRACE"
        assert story.outcome(until) == "IN_GRACE"
    assert story.outcome(until + ONE) == "OVERSTAY_SUSPECTED"


@pytest.mark.parametrize("name", ["I-129", "I-539"])
def test_what_was_granted_before_the_admission_changes_nothing(name: str) -> None:
    """An appeal, say, comes when the person is here: the admission alone says class and date."""
    fields = {"form": name, "asks": Request.CHANGE_CLASS, "which": None}
    granted = {"granted_class": "H1B", "granted_until": D + days(700)}
    story = Story().applied(D - days(60), **fields).applied(D - days(30), Action.APPROVED, **fields, **granted)
    line = story.admitted(D, "B2", D + days(90)).line()
    assert story.applied(D + days(60), Action.APPEALED, **fields).line() == line


def test_a_petition_revoked_before_the_admission_ends_nothing() -> None:
    """Who is let in behind it was let in on something else: 8 CFR 214.1(l)(2) speaks of what the class is based on."""
    for revoked, outcome in ((D - days(9), "IN_STATUS"), (D + days(9), "TERMINATED")):
        fields = {"form": "I-129", "which": None}
        story = Story().applied(D - days(60), **fields)
        story.applied(D - days(30), Action.APPROVED, **fields, granted_class="H1B", granted_until=D + days(700))
        story.admitted(D, "H1B", D + days(700)).applied(revoked, Action.WITHDRAWN, **fields)
        story.applied(D + days(30), Action.APPEALED, **fields)
        assert story.outcome(D + days(300)) == outcome


def test_a_second_word_of_a_revocation_moves_no_day() -> None:
    """Revoked, and withdrawn behind that: over from the first on; approved again behind it: not over."""
    until, day = D + days(900), D + days(200)
    story = Story().admitted(D, "H1B", D + days(90)).extended(D + days(50), D + days(60), form="I-129", until=until)
    story.applied(day, Action.DENIED, form="I-129").applied(day + days(40), Action.WITHDRAWN, form="I-129")
    assert story.outcome(day + ONE) == story.outcome(day + days(60)) == "IN_GRACE"
    assert story.outcome(day + days(61)) == "TERMINATED"
    story.applied(day + days(90), Action.APPROVED, form="I-129", granted_until=until)
    assert story.outcome(day + days(100)) == "IN_STATUS"


def test_a_petition_that_gave_nothing_takes_nothing() -> None:
    """Granted to a day that is over at the decision, and withdrawn: the admission stands."""
    story = Story().admitted(D, "H1B", D + days(900))
    more = {"form": "I-129", "valid_from": D + days(50)}
    story.extended(D + days(50), D + days(300), until=D + days(250), **more)
    assert story.applied(D + days(330), Action.WITHDRAWN, **more).outcome(D + days(800)) == "IN_STATUS"


@pytest.mark.parametrize(
    ("before", "after", "fact", "ends"),
    [
        ("TPS", "DA", StatusFact.TPS_WITHDRAWN, 0),
        ("TPS", "B2", StatusFact.TPS_WITHDRAWN, 0),
        ("DA", "B2", StatusFact.PAROLE_ENDED, 0),
        ("DA", "TPS", StatusFact.PAROLE_ENDED, 0),
        ("DA", "TPS", StatusFact.TPS_WITHDRAWN, 1),
        ("B2", "TPS", StatusFact.TPS_WITHDRAWN, 1),
        ("TPS", "DA", StatusFact.PAROLE_ENDED, 1),
        ("B2", "DA", StatusFact.PAROLE_ENDED, 1),
    ],
)
def test_a_class_that_was_mended_ends_as_itself(before: str, after: str, fact: StatusFact, ends: int) -> None:
    """By what ends the class that the person has now, up to the date on the I-94; not by what ends the former one."""
    until, over = D + days(300), D + days(100)
    for terms in ({}, {"granted_until": until}):
        story = Story().admitted(D, before, until)
        inspected(story, D + days(30), granted_class=after, **terms).fact(over, fact)
        assert story.stay().authorised_until == (over if ends else until).isoformat()


def test_the_designation_ends_a_class_that_was_mended_to_it() -> None:
    """By its notice, and no other class by it."""
    day, noticed = date(2025, 1, 10), date(2025, 8, 4)

    def mended(before: str, after: str) -> str | None:
        story = Story().admitted(day, before, date(2026, 6, 30))
        inspected(story, day + days(9), granted_class=after)
        for place, event in enumerate(story.events):
            subject = event.subject.model_copy(update={"citizenship": ("CMR",)})
            story.events[place] = event.model_copy(update={"subject": subject})
        return story.stay().authorised_until

    assert mended("B2", "TPS") == mended("TPS", "TPS") == noticed.isoformat()
    assert mended("TPS", "DA") == mended("TPS", "B2") == "2026-06-30"


def test_the_class_alone_was_mended() -> None:
    """To the date on the I-94, also where nothing was known without a class; a number of days is of its class alone."""
    until = D + days(150)
    cases = ((None, until, "B2", until), ("WB", None, "B2", None), ("B2", None, "WB", D + days(89)))
    for before, stated, after, last in cases:
        story = inspected(Story().admitted(D, before, stated), D + days(30), granted_class=after)
        assert story.stay().authorised_until == (None if last is None else last.isoformat())
        assert story.outcome(D + days(80)) == ("UNDETERMINED" if last is None else "IN_STATUS")
    parole = Story().admitted(D, "DA", until).fact(D + days(40), StatusFact.PAROLE_ENDED)
    assert inspected(parole, D + days(60), granted_class="PAR").outcome(D + days(90)) == "OVERSTAY_SUSPECTED"


def test_which_adjustment_extends_the_status_of_a_victim() -> None:
    """One that was filed in that status, also as it was extended by another; not one of before the class was given."""
    until = D + days(400)
    story = Story().admitted(D, "U1", until).applied(D + days(300), form="I-485")
    story.applied(until + days(90), Action.DENIED, form="I-485")
    for filed, outcome in ((until + days(90), "IN_STATUS"), (until + days(91), "PENDING")):
        again = Story(events=[*story.events], world=story.world).applied(filed, receipt=2, form="I-485")
        assert again.outcome(until + days(50)) == "IN_STATUS"
        assert again.outcome(until + days(99)) == outcome
    for filed, outcome in ((D + days(9), "PENDING"), (D + days(40), "IN_STATUS")):
        given = Story().admitted(D, "B2", D + days(90)).applied(filed, receipt=2, form="I-485")
        given.extended(
            D + days(5), D + days(40), until=until, admission_class="U1", asks=Request.CHANGE_CLASS, form="I-918"
        )
        assert given.outcome(until + ONE) == outcome


def test_a_new_parole_closes_no_gap() -> None:
    """Given in time it goes on; given late it begins on its day, or on the one that it names."""

    def paroled() -> Story:
        return Story().admitted(D, "PAR", D + days(29), inspection=Inspection.PAROLED)

    story = inspected(paroled(), D + days(10), granted_until=D + days(400))
    assert [word for word, _ in story.line()] == ["IN_STATUS", "IN_STATUS", "OVERSTAY_SUSPECTED"]
    assert [piece.rule for piece in story.stay().timeline] == ["parole", "parole-extended", "parole-over"]
    late = inspected(paroled(), D + days(60), granted_until=D + days(400))
    assert late.outcome(D + days(45)) == "OVERSTAY_SUSPECTED"
    assert late.outcome(D + days(61)) == "IN_STATUS"
    named = inspected(paroled(), D + days(10), granted_until=D + days(400), valid_from=D + days(30))
    assert named.outcome(D + days(29), "23:59:59") == named.outcome(D + days(30), "00:00:00") == "IN_STATUS"


def test_papers_that_came_late_give_duration_of_status() -> None:
    """F-1 admitted to a date for want of papers (Form I-515A): not known behind it, until it is changed to D/S."""
    until, end = D + days(29), D + days(500)

    def student() -> Student:
        return Student().came(D, until=until, names=1).created(D - ONE, end)

    assert student().days() == [("IN_STATUS", D), ("UNDETERMINED", until + ONE), ("OVERSTAY_SUSPECTED", end + days(61))]
    mended = inspected(student(), D + days(20), granted_until=DURATION)
    assert mended.outcome(until + ONE) == "IN_STATUS"
    assert mended.last().since > student().last().since - 1
    assert mended.stay().authorised_until == DURATION
    approved = student().applied(D + days(40), Action.APPROVED, asks=Request.EXTEND, granted_until=DURATION)
    assert approved.outcome(D + days(41)) == "IN_STATUS"
    bare = Student().came(D, until=until)
    assert bare.days() == [("IN_STATUS", D), ("UNDETERMINED", until + ONE)]
    gone = Student().came(D, until=until, names=1).created(D - ONE, D + days(10))
    assert gone.days()[-2:] == [("UNDETERMINED", until + ONE), ("OVERSTAY_SUSPECTED", D + days(71))]
    ended = student().terminated(D + days(9))
    assert ended.days() == [("IN_STATUS", D), ("TERMINATED", D + days(10)), ("OVERSTAY_SUSPECTED", until + ONE)]
    left = student().left(until)
    assert left.last().outcome == "DEPARTED_IN_TIME"
    assert student().left(until + ONE).last().outcome == "UNDETERMINED"


def test_what_was_not_known_is_known_once_a_date_is_granted() -> None:
    """A class that nobody knows, or a student of whom SEVIS says nothing: from the day that the approval names."""
    for story in (Story().admitted(D, "QQ", D + days(90)), Student().came(D), Story().admitted(D, None)):
        story.extended(D + days(5), D + days(50), admission_class="H4", until=D + days(900), valid_from=D + days(60))
        assert [word for word, _ in story.line()] == ["UNDETERMINED", "IN_STATUS", "OVERSTAY_SUSPECTED"]
        assert story.outcome(D + days(59), "23:59:59") == "UNDETERMINED"
        assert story.outcome(D + days(60), "00:00:00") == "IN_STATUS"


def test_the_fiscal_year_of_a_cap_gap_is_the_one_asked_for() -> None:
    """By the first day asked for where the petition says it; else by the filing, six months before it at most."""
    assert rules.cap_gap_until(date(2026, 4, 5), date(2026, 6, 1)) == date(2027, 4, 1)
    assert rules.cap_gap_until(date(2026, 11, 5), date(2027, 1, 1)) == date(2027, 4, 1)
    assert rules.cap_gap_until(date(2026, 11, 5), date(2027, 1, 1), date(2026, 12, 1)) == date(2027, 4, 1)
    assert rules.cap_gap_until(date(2026, 4, 5), date(2026, 6, 1), date(2026, 10, 1)) == date(2027, 4, 1)
    assert rules.cap_gap_until(date(2024, 4, 5), date(2024, 6, 1)) == date(2024, 10, 1)


def test_what_waits_bridges_the_time_behind_a_new_date_too() -> None:
    """An extension filed in time, then a correction by inspection: behind the corrected date it still waits."""
    last, new = D + days(90), D + days(150)
    story = inspected(Story().admitted(D, "H1B", last).applied(last - ONE), last, granted_until=new)
    assert [word for word, _ in story.line()] == ["IN_STATUS", "IN_STATUS", "PENDING"]
    assert story.outcome(new + ONE, "00:00:00") == "PENDING"
    denied = Story().admitted(D, "H1B", last).extended(last - ONE, new + days(9), Action.DENIED)
    assert inspected(denied, last, granted_until=new).line()[-2:] == [
        ("PENDING", second(ZONES[0], new + ONE, "00:00:00")),
        ("OVERSTAY_SUSPECTED", second(ZONES[0], new + days(10), "00:00:00")),
    ]


def test_a_cap_gap_may_be_asked_for_on_the_business_day_behind_the_grace() -> None:
    """The program ends on 21 May 2025, the grace on Sunday, 20 July; the petition comes on Monday, or on Tuesday."""
    for day, outcome in ((date(2025, 7, 21), "IN_STATUS"), (date(2025, 7, 22), "OVERSTAY_SUSPECTED")):
        story = Student().came(D, names=1).created(D - ONE, date(2025, 5, 21))
        story.applied(day, form="I-129", asks=Request.CHANGE_CLASS, requested_class="H1B")
        assert story.outcome(date(2026, 1, 10)) == outcome, day


def test_a_record_without_its_issue_was_there_before() -> None:
    """The first step that is known prolongs the program: so there was one, from the admission on."""
    story = Student().came(D).created(D + days(100), D + days(200))
    assert story.outcome(D + days(150)) == "UNDETERMINED"  # a form alone makes nobody a student
    story.events[-1] = story.events[-1].model_copy(update={"reason": "extended"})
    assert story.days()[-2:] == [("IN_GRACE", D + days(201)), ("OVERSTAY_SUSPECTED", D + days(261))]
