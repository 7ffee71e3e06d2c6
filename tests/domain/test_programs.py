"""Students and exchange visitors: what SEVIS says of a program, and what that makes of a stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from domain.stories import NEW_YORK, ZONES, second
from domain.students import DURATION, Student
from msgspec import structs

from schemas.events import Action
from schemas.events import Fact as StatusFact
from services.domain import resolve, rules
from services.domain.facts import MICRO
from services.domain.history import Stay, canonical
from services.domain.pools import Pool

D = date(2025, 1, 10)
END = date(2025, 5, 15)
ONE = timedelta(1)
PLAIN = [("IN_STATUS", D), ("IN_GRACE", END + ONE), ("OVERSTAY_SUSPECTED", END + timedelta(61))]


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


def student(zone: str = NEW_YORK, admission_class: str = "F1") -> Student:
    """Admitted on D in a program through END."""
    return Student(zone, admission_class=admission_class).created(D - days(60), END).came(D)


def vocational(until: date | None = None) -> Student:
    """An M-1 with that date on the I-94, or thirty days more than the program."""
    return Student(admission_class="M1").created(D - days(60), END).came(D, until=until or END + days(30))


@pytest.mark.law(5, "a program's end and its days of grace, with no event")
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("admission_class", "grace"), [("F1", 60), ("F2", 60), ("J1", 30), ("J2", 30)])
def test_status_then_grace_then_nothing(zone: str, admission_class: str, grace: int) -> None:
    """The last day of the program and of the grace, the day before and the day after, at the port of entry."""
    story = student(zone, admission_class)
    for day, before, after in (
        (END, "IN_STATUS", "IN_GRACE"),
        (END + days(grace), "IN_GRACE", "OVERSTAY_SUSPECTED"),
    ):
        assert story.outcome(day - ONE) == story.outcome(day, "23:59:59") == before
        assert story.outcome(day + ONE, "00:00:00") == story.outcome(day + ONE) == after
        assert resolve.next_change(story.history(), second(zone, day)) == second(zone, day + ONE, "00:00:00")
    assert story.stay().authorised_until == DURATION
    for by, clock, outcome in ((grace, "23:59:59", "DEPARTED_IN_TIME"), (grace + 1, "00:00:00", "DEPARTED_LATE")):
        assert student(zone, admission_class).left(END + days(by), clock).last().outcome == outcome
    assert student(zone, admission_class).left(END - ONE).last().outcome == "DEPARTED_IN_TIME"


@pytest.mark.law(4, "students: each piece rests on the SEVIS events that make it")
def test_each_piece_has_its_events() -> None:
    """The arrival, the record that makes the program and what reaches beyond it."""
    story = student().works(END + ONE, END + days(100)).left(END + days(120))
    created, arrival, training, left = story.ids
    line = story.stay().timeline
    assert [set(piece.evidence) for piece in line] == [
        {created, arrival},
        {created, arrival, training},
        {created, arrival, training},
        {created, arrival, training, left},
    ]
    assert {piece.rule for piece in line[:-1]} == {"student"}
    assert [piece.reason for piece in line[:-1]] == ["program active", "practical training", "days of grace"]


@pytest.mark.parametrize("admission_class", ["F1", "F2", "J1", "J2"])
def test_without_a_record_nothing_is_known(admission_class: str) -> None:
    """Nor by another class's record, by a form never taken up, or by what says only who it is."""
    alone = Student(admission_class=admission_class).came(D)
    assert alone.days() == [("UNDETERMINED", D)]
    assert alone.stay().authorised_until is None
    assert alone.left(END).last().outcome == "UNDETERMINED"
    other = Student(admission_class=admission_class).created(D - days(60), END, class_of_admission="M1").came(D)
    assert other.days() == [("UNDETERMINED", D)]
    assert Student(admission_class=admission_class).created(D + ONE, END).came(D).days() == [("UNDETERMINED", D)]
    who = Student(admission_class=admission_class).came(D).fact(D, StatusFact.ENCOUNTER)
    assert who.days() == [("UNDETERMINED", D)]
    training = Student(admission_class=admission_class).came(D, names=1).works(D, END)
    assert training.days() == [("UNDETERMINED", D)]


def test_the_last_word_on_the_program_counts() -> None:
    """Extended, shortened, put off: from its day on; of several on one day the last processed, then the last sent."""
    assert student().program(END - ONE, END + days(90)).days() == [
        ("IN_STATUS", D), ("IN_STATUS", END - ONE), ("IN_GRACE", END + days(91)),
        ("OVERSTAY_SUSPECTED", END + days(151)),
    ]  # fmt: skip
    assert student().program(D + days(5), D + days(20), "shortened").days()[-1][1] == D + days(81)
    assert student().program(D - ONE, END + days(9), "deferred").days()[1][1] == END + days(10)
    twice = student().program(D + days(5), END + days(30)).program(D + days(5), END + days(10))
    facts = twice.facts()
    for moments in ((1, 2), (2, 1)):
        dated = [
            structs.replace(fact, body=fact.body | {"recorded_at": moment})
            for fact, moment in zip(facts[2:], moments, strict=True)
        ]
        (history,) = resolve.persons([*facts[:2], *dated])
        last = END + days(31) if moments == (2, 1) else END + days(11)
        assert history.stays[0].timeline[2].since == second(NEW_YORK, last, "00:00:00")
    numbered = [structs.replace(fact, number=9 - place) for place, fact in enumerate(facts)]
    (history,) = resolve.persons(numbered)
    assert history.stays[0].timeline[2].since == second(NEW_YORK, END + days(31), "00:00:00")


def test_a_correction_and_a_deletion() -> None:
    """What was taken back was never said."""
    assert student().terminated(D + days(9)).retracted().days() == PLAIN
    assert student().program(D + days(9), END + days(90)).retracted().days() == PLAIN


def test_completed() -> None:
    """Grace begins on the day after, also where the program was to run on; who leaves within it is in time."""
    story = student().completed(END - days(20))
    assert story.days() == [
        ("IN_STATUS", D), ("IN_STATUS", END - days(20)), ("IN_GRACE", END - days(19)),
        ("OVERSTAY_SUSPECTED", END + days(41)),
    ]  # fmt: skip
    assert story.left(END + days(40), "23:59:59").last().outcome == "DEPARTED_IN_TIME"
    assert student().completed(END - days(20)).left(END + days(41)).last().outcome == "DEPARTED_LATE"


@pytest.mark.parametrize("zone", ZONES)
def test_terminated_for_a_violation(zone: str) -> None:
    """From the day after on, without grace, for good; a departure is late, and no coverage is asked for."""
    day = D + days(50)
    story = student(zone).terminated(day)
    assert story.outcome(day, "23:59:59") == "IN_STATUS"
    assert story.outcome(day + ONE, "00:00:00") == "TERMINATED"
    assert story.answer(day + days(3000), coverage={}).outcome == "TERMINATED"
    last = story.last()
    assert (last.rule, last.citation, last.absence) == ("program-terminated", "8 CFR 214.2(f), (j), (m)", False)
    assert set(last.evidence) == set(story.ids[1:]) - {story.ids[0]}
    assert student(zone).terminated(day).left(day, "23:59:59").last().outcome == "DEPARTED_IN_TIME"
    assert student(zone).terminated(day).left(day + ONE, "00:00:00").last().outcome == "DEPARTED_LATE"
    assert student(zone).terminated(END + days(9)).outcome(END + days(10)) == "TERMINATED"
    assert student(zone).terminated(END + days(90)).outcome(END + days(91)) == "TERMINATED"


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_after_a_withdrawal_are_the_ports(zone: str) -> None:
    """The day of the withdrawal and the fifteenth behind it, to the last second."""
    day = D + days(50)
    story = student(zone).terminated(day, "authorized-withdrawal")
    for last, before, after in ((day, "IN_STATUS", "IN_GRACE"), (day + days(15), "IN_GRACE", "OVERSTAY_SUSPECTED")):
        assert story.outcome(last - ONE) == story.outcome(last, "23:59:59") == before
        assert story.outcome(last + ONE, "00:00:00") == story.outcome(last + ONE) == after
    for by, clock, outcome in ((15, "23:59:59", "DEPARTED_IN_TIME"), (16, "00:00:00", "DEPARTED_LATE")):
        left = student(zone).terminated(day, "authorized-withdrawal").left(day + days(by), clock)
        assert left.last().outcome == outcome


def test_an_authorised_withdrawal() -> None:
    """Fifteen days for students; none where the time was over before."""
    day = D + days(50)
    story = student().terminated(day, "authorized-withdrawal")
    assert story.days() == [("IN_STATUS", D), ("IN_GRACE", day + ONE), ("OVERSTAY_SUSPECTED", day + days(16))]
    for by, outcome in ((15, "DEPARTED_IN_TIME"), (16, "DEPARTED_LATE")):
        left = student().terminated(day, "authorized-withdrawal").left(day + days(by))
        assert left.last().outcome == outcome
    last = student().terminated(END, "authorized-withdrawal")
    assert last.days()[1:] == [("IN_GRACE", END + ONE), ("OVERSTAY_SUSPECTED", END + days(16))]
    for by in (2, 80):
        assert student().terminated(END + days(by), "authorized-withdrawal").days() == PLAIN
    exchange = student(admission_class="J1").terminated(day, "authorized-withdrawal")
    assert exchange.days() == [("IN_STATUS", D), ("OVERSTAY_SUSPECTED", day + ONE)]


@pytest.mark.parametrize("reason", ["administrative", None])
def test_an_administrative_termination_says_nothing(reason: str | None) -> None:
    """While in status: no answer from then on. It gives no time, takes no grace, and undoes no violation."""
    day = D + days(50)
    story = student().terminated(day, reason)
    assert story.days() == [("IN_STATUS", D), ("UNDETERMINED", day + ONE)]
    assert story.left(day + days(200)).last().outcome == "UNDETERMINED"
    assert student().terminated(END + days(5), reason).days() == PLAIN
    assert student().terminated(END + days(99), reason).days() == PLAIN
    ended = student().terminated(day).terminated(day + days(5), reason)
    assert ended.days() == [("IN_STATUS", D), ("TERMINATED", day + ONE)]
    assert vocational().terminated(day, reason).days() == vocational().days()


def test_reactivated() -> None:
    """From its day on; what was before stays as it was."""
    day = D + days(50)
    for end, word in (("violation", "TERMINATED"), ("administrative", "UNDETERMINED")):
        story = student().terminated(day, end).program(day + days(20), END, "reactivated")
        assert story.days() == [("IN_STATUS", D), (word, day + ONE), ("IN_STATUS", day + days(20)), *PLAIN[1:]]
    assert story.left(END).last().outcome == "DEPARTED_IN_TIME"
    again = student().completed(END - days(30)).program(END - days(20), END, "reactivated")
    assert again.days()[-2:] == PLAIN[1:]
    ends = student().terminated(day).program(day + days(20), END, "reactivated").terminated(day + days(30))
    assert ends.days()[-1] == ("TERMINATED", day + days(31))
    same = student().terminated(day).program(day, END, "reactivated").facts()
    ordered = [structs.replace(fact, body=fact.body | {"recorded_at": place}) for place, fact in enumerate(same)]
    (history,) = resolve.persons(ordered)
    assert "TERMINATED" not in [piece.outcome for piece in history.stays[0].timeline]
    left = student().terminated(day).program(day + days(20), END, "reactivated").left(day + days(10))
    assert left.last().outcome == "DEPARTED_LATE"


def test_a_step_that_tells_no_end_keeps_the_one_before() -> None:
    """Registrations and reactivations of the public SEVIS documents have no days."""
    day = D + days(50)
    registered = student().program(day, END, "registered").days()
    assert student().program(day, None, "registered").days() == registered
    story = student().terminated(day).program(day + days(20), None, "reactivated")
    assert story.days() == student().terminated(day).program(day + days(20), END, "reactivated").days()
    shorter = student().program(day, END - days(30), "shortened").program(day + days(1), None, "registered")
    assert (
        shorter.days()
        == student()
        .program(day, END - days(30), "shortened")
        .program(day + days(1), END - days(30), "registered")
        .days()
    )


def test_practical_training() -> None:
    """It carries status beyond the program, one after another; grace comes behind the last."""
    first, second_ = (END + ONE, END + days(100)), (END + days(90), END + days(300))
    story = student().works(*second_).works(*first)
    assert story.days() == [
        ("IN_STATUS", D), ("IN_STATUS", END + ONE), ("IN_STATUS", END + days(101)), ("IN_GRACE", END + days(301)),
        ("OVERSTAY_SUSPECTED", END + days(361)),
    ]  # fmt: skip
    assert student().works(END - days(90), END - ONE).days() == PLAIN
    assert student().works(END - days(90), END).days() == PLAIN
    across = student().works(END - days(90), END + days(30))
    assert across.days()[-2:] == [("IN_GRACE", END + days(31)), ("OVERSTAY_SUSPECTED", END + days(91))]
    # begun within the days of grace or right behind them, and too late for them
    assert student().works(END + days(61), END + days(90)).days()[-2][1] == END + days(91)
    assert student().works(END + days(62), END + days(90)).days() == PLAIN
    # a completion ends none, a termination all
    done = student().works(*first).completed(END)
    assert done.days()[-2:] == [("IN_GRACE", END + days(101)), ("OVERSTAY_SUSPECTED", END + days(161))]
    over = student().works(*first).terminated(END + days(50))
    assert over.days()[-1] == ("TERMINATED", END + days(51))
    withdrawn = student().works(*first).terminated(END + days(50), "authorized-withdrawal")
    assert withdrawn.days()[-2:] == [("IN_GRACE", END + days(51)), ("OVERSTAY_SUSPECTED", END + days(66))]
    revived = student().terminated(END - days(9)).works(*first)
    assert revived.days()[-1] == ("TERMINATED", END - days(8))


@pytest.mark.parametrize("reason", ["curricular-training", "off-campus-employment", "academic-training"])
def test_work_inside_the_program_adds_nothing(reason: str) -> None:
    """The first two lie inside it; academic training is for exchange visitors."""
    assert student().works(END, END + days(90), reason).days() == PLAIN
    exchange = student(admission_class="J1").works(END, END + days(90), reason)
    carried = reason == "academic-training"
    assert exchange.days()[-2:] == [
        ("IN_GRACE", END + days(91 if carried else 1)),
        ("OVERSTAY_SUSPECTED", END + days(121 if carried else 31)),
    ]


def test_cap_gap() -> None:
    """Status carried over to its last day, with its own rule; then grace, or the petition's class."""
    april = date(2026, 4, 1)
    story = student().completed(END).works(END, april, "cap-gap")
    assert story.days()[-2:] == [("IN_GRACE", april + ONE), ("OVERSTAY_SUSPECTED", april + days(61))]
    piece = next(one for one in story.stay().timeline if one.rule == "cap-gap")
    assert (piece.outcome, piece.citation) == ("IN_STATUS", "8 CFR 214.2(f)(5)(vi)")
    story.extended(END - days(30), END + days(60), form="I-129", admission_class="H1B", until=april + days(900))
    october = date(2025, 10, 1)
    story.terminated(october, "administrative")
    assert story.outcome(october + days(300)) == "IN_STATUS"
    assert story.last().since == second(NEW_YORK, april + days(901), "00:00:00")
    denied = student().works(END, END + days(20), "cap-gap")
    assert denied.days()[-2:] == [("IN_GRACE", END + days(21)), ("OVERSTAY_SUSPECTED", END + days(81))]


def test_a_change_of_level() -> None:
    """Under one SEVIS ID or under a second: the stay goes on."""
    longer = END + days(700)
    for story in (
        student().program(END - days(9), longer, "change-of-level"),
        student().completed(END).created(END - days(20), longer, 2).program(END + days(80), longer, "registered", 2),
    ):
        assert {word for word, _ in story.days()[:-2]} == {"IN_STATUS"}
        assert story.days()[-2:] == [("IN_GRACE", longer + ONE), ("OVERSTAY_SUSPECTED", longer + days(61))]
    # a form is issued, but nobody took the second program up
    only = student().created(END - days(20), longer, 2)
    assert only.days() == PLAIN
    ended = student().created(END - days(20), longer, 2).program(END - days(9), longer, "registered", 2)
    assert ended.terminated(END - days(5)).outcome(END) == "IN_STATUS"
    late = student().created(END + days(80), longer, 2).program(END + days(90), longer, "registered", 2)
    assert [word for word, _ in late.days()][1:4] == ["IN_GRACE", "OVERSTAY_SUSPECTED", "IN_STATUS"]


def test_which_record_a_stay_has() -> None:
    """The one that the arrival names; else the one that covers the admission; else the last one begun."""

    def two() -> Student:
        return Student().created(D - days(400), END).created(D - days(60), END + days(300), 2)

    assert two().came(D, names=1).days() == PLAIN
    assert two().came(D, names=2).days()[1] == ("IN_GRACE", END + days(301))
    assert two().came(D).days()[1] == ("IN_GRACE", END + days(301))
    covering = (
        Student().created(D - days(400), END).created(D - days(60), D - days(5), 2).terminated(D - days(9), which=2)
    )
    assert covering.came(D).days() == PLAIN
    assert Student().created(D, END).came(D).days() == PLAIN
    assert two().came(D, names=3).days() == [("UNDETERMINED", D)]
    exchange = Student().created(D - days(400), END).created(D - days(60), END + days(300), 2, class_of_admission="J1")
    assert exchange.came(D).days() == PLAIN


def test_a_record_that_had_ended_contradicts_the_admission() -> None:
    """Nothing is known until it says more."""
    for story in (
        Student().created(D - days(400), D - days(100)),
        Student().created(D - days(400), END).terminated(D - days(100)),
    ):
        assert story.came(D).days() == [("UNDETERMINED", D)]
        assert story.program(D + days(9), END, "reactivated").days() == [
            ("UNDETERMINED", D), ("IN_STATUS", D + days(9)), *PLAIN[1:],
        ]  # fmt: skip
    in_grace = Student().created(D - days(400), D - days(10)).came(D)
    assert in_grace.days() == [("IN_GRACE", D), ("OVERSTAY_SUSPECTED", D + days(51))]
    on_the_day = Student().created(D - days(400), END).terminated(D).came(D)
    assert on_the_day.days() == [("IN_STATUS", D), ("TERMINATED", D + ONE)]
    reached_later = Student().came(D).created(D + days(5), END).program(D + days(9), END, "registered")
    assert reached_later.days()[:2] == [("UNDETERMINED", D), ("IN_STATUS", D + days(5))]


def test_two_stays_in_one_program() -> None:
    """Each has the program; what came before the second admission counts for it."""
    story = student().program(D + days(5), END + days(90)).left(D + days(30)).came(D + days(50), which=2)
    assert [word for word, _ in story.days(0)][-1] == "DEPARTED_IN_TIME"
    assert story.days(1) == [
        ("IN_STATUS", D + days(50)), ("IN_GRACE", END + days(91)), ("OVERSTAY_SUSPECTED", END + days(151)),
    ]  # fmt: skip
    unseen = student().came(D + days(50), which=2)
    assert [word for word, _ in unseen.days(0)] == ["IN_STATUS", "CLOSED_UNOBSERVED"]
    # what begins with the second stay is nothing to the first
    later = student().came(END + days(200), which=2).created(END + days(150), END + days(500), 2)
    later.program(END + days(210), END + days(500), "registered", 2)
    assert "IN_STATUS" not in [word for word, _ in later.days(0)][1:4:2]
    assert later.outcome(END + days(205), which=1) == "IN_STATUS"


def test_a_fixed_date_with_the_grace_inside() -> None:
    """M: in status until the program is over, then grace up to the date, over after it."""
    last = END + days(30)
    assert vocational().days() == [("IN_STATUS", D), ("IN_GRACE", END + ONE), ("OVERSTAY_SUSPECTED", last + ONE)]
    assert vocational().stay().authorised_until == last.isoformat()
    for by, outcome in ((0, "DEPARTED_IN_TIME"), (1, "DEPARTED_LATE")):
        assert vocational().left(last + days(by)).last().outcome == outcome
    early = vocational().program(D + days(9), END - days(50), "shortened")
    assert early.days() == [
        ("IN_STATUS", D), ("IN_GRACE", END - days(49)), ("OVERSTAY_SUSPECTED", last + ONE),
    ]  # fmt: skip
    longer = vocational().program(D + days(9), END + days(20))
    assert longer.days() == [("IN_STATUS", D), ("IN_GRACE", END + days(21)), ("OVERSTAY_SUSPECTED", last + ONE)]
    beyond = vocational().program(D + days(9), END + days(90))
    assert beyond.days() == [("IN_STATUS", D), ("OVERSTAY_SUSPECTED", last + ONE)]
    without = Student(admission_class="M1").came(D, until=last)
    assert without.days() == [("IN_STATUS", D), ("OVERSTAY_SUSPECTED", last + ONE)]
    assert Student(admission_class="M1").created(D, END).came(D).days() == [("UNDETERMINED", D)]
    ended = vocational().terminated(D + days(50))
    assert ended.days() == [("IN_STATUS", D), ("TERMINATED", D + days(51)), ("OVERSTAY_SUSPECTED", last + ONE)]
    for by, outcome in ((0, "DEPARTED_IN_TIME"), (1, "DEPARTED_LATE")):
        assert vocational().terminated(D + days(50)).left(last + days(by)).last().outcome == outcome
    assert ended.program(D + days(60), END, "reactivated").days()[2:] == [
        ("IN_STATUS", D + days(60)), *vocational().days()[1:],
    ]  # fmt: skip


def test_a_fixed_date_made_longer() -> None:
    """By an approved I-539: the program runs on under the new date, whose last days are grace once it is over."""
    last, new = END + days(30), END + days(130)
    story = vocational().program(END - days(9), END + days(100)).extended(END, END + days(60), until=new)
    assert story.days() == [
        ("IN_STATUS", D), ("IN_STATUS", last + ONE), ("IN_GRACE", END + days(101)), ("OVERSTAY_SUSPECTED", new + ONE),
    ]  # fmt: skip
    assert story.stay().authorised_until == new.isoformat()
    assert story.stay().timeline[1].rule == "approved-application"
    assert set(story.ids[-2:]) <= set(story.stay().timeline[2].evidence)
    pending = vocational().extended(last)
    assert pending.days()[-1] == ("PENDING", last + ONE)
    assert vocational().extended(last + days(3)).last().outcome == "OVERSTAY_SUSPECTED"
    ended = vocational().terminated(END - days(9)).extended(END)
    assert ended.days()[1:] == [("TERMINATED", END - days(8)), ("PENDING", last + ONE)]


@pytest.mark.parametrize("decided", [D + days(60), END + days(40), END + days(100)])
def test_a_change_of_status(decided: date) -> None:
    """To H-1B by an approved I-129: in status by the new class, healed where it was approved late."""
    until = date(2027, 9, 30)
    story = student().extended(END - days(40), decided, form="I-129", admission_class="H1B", until=until)
    assert story.outcome(until) == "IN_STATUS"
    assert story.days()[-1] == ("OVERSTAY_SUSPECTED", until + ONE)
    assert (story.stay().admission_class, story.stay().authorised_until) == ("H1B", until.isoformat())
    assert story.outcome(END + days(90)) == "IN_STATUS"
    assert story.stay().timeline[1].since == second(NEW_YORK, min(decided, END + ONE), "00:00:00")
    # what SEVIS says of the program afterwards is of no account
    assert story.terminated(END + days(200)).days()[-1] == ("OVERSTAY_SUSPECTED", until + ONE)
    longer = story.extended(until, until + ONE, receipt=2, admission_class="H1B", until=until + days(365))
    assert longer.days()[-2:] == [("IN_STATUS", until + ONE), ("OVERSTAY_SUSPECTED", until + days(366))]


def test_a_change_of_status_holds_from_the_day_it_names() -> None:
    """Also where the program would have run on for years."""
    from_ = END - days(20)
    story = student().extended(
        D + days(9), D + days(30), form="I-129", admission_class="H1B", until=END + days(900), valid_from=from_
    )
    assert story.days() == [("IN_STATUS", D), ("IN_STATUS", from_), ("OVERSTAY_SUSPECTED", END + days(901))]
    assert story.stay().timeline[1].rule == "approved-application"
    shorter = student().extended(D + days(9), D + days(30), admission_class="B2", until=D + days(60))
    assert shorter.days()[-1] == ("OVERSTAY_SUSPECTED", D + days(61))


def test_a_timely_application_bridges_what_comes_after_grace() -> None:
    """Filed on the last day of the program or before; a termination is bridged as well."""
    filed = student().extended(END)
    assert [word for word, _ in filed.days()] == ["IN_STATUS", "IN_GRACE", "PENDING"]
    assert filed.days()[-1][1] == END + days(61)
    assert student().extended(END + ONE).days() == PLAIN
    denied = student().extended(END, END + days(100), Action.DENIED)
    assert denied.days()[-1] == ("OVERSTAY_SUSPECTED", END + days(101))
    assert set(denied.last().evidence) == set(denied.ids)
    day = D + days(50)
    ended = student().extended(day - days(9), day + days(90), Action.DENIED).terminated(day)
    assert ended.days()[1:] == [("PENDING", day + ONE), ("TERMINATED", day + days(91))]
    assert student().terminated(day).extended(day + ONE).days()[-1][0] == "TERMINATED"
    resident = student().extended(END + days(9), form="I-485")
    assert [word for word, _ in resident.days()] == ["IN_STATUS", "IN_GRACE", "PENDING"]
    late = student().extended(END + days(90), form="I-485")
    assert [word for word, _ in late.days()] == ["IN_STATUS", "IN_GRACE", "OVERSTAY_SUSPECTED", "PENDING"]
    granted = student().fact(END + days(5), StatusFact.PERMANENT_RESIDENT)
    assert granted.last().outcome == "ADJUSTED"


def test_a_change_to_a_student() -> None:
    """From B-2 to F-1: as SEVIS has the program from then on."""
    until, decided = D + days(90), D + days(80)
    story = Student(admission_class="B2").came(D, until=until)
    story.admission_class = "F1"
    story.created(D + days(30), END + days(100)).extended(D + days(40), decided, until=DURATION, admission_class="F1")
    assert story.days() == [
        ("IN_STATUS", D), ("IN_STATUS", decided), ("IN_GRACE", END + days(101)),
        ("OVERSTAY_SUSPECTED", END + days(161)),
    ]  # fmt: skip
    assert (story.stay().admission_class, story.stay().authorised_until) == ("F1", DURATION)
    assert set(story.ids) == set(story.stay().timeline[1].evidence)
    assert story.terminated(END).last().outcome == "TERMINATED"
    reinstated = (
        student().terminated(D + days(50)).extended(D + days(60), D + days(90), until=DURATION, admission_class="F1")
    )
    assert reinstated.days()[-3:] == [("IN_STATUS", D + days(90)), *PLAIN[1:]]  # whether SEVIS says so yet or not
    assert reinstated.program(D + days(90), END, "reactivated").days()[-3:] == [
        ("IN_STATUS", D + days(90)), *PLAIN[1:],
    ]  # fmt: skip


def test_marks_of_a_record_are_the_stays() -> None:
    """Where SEVIS speaks in it."""
    story = student().terminated(END, "violation", handling=("protected",))
    assert story.stay().handling == ("protected",)
    visitor = Student(admission_class="B2").came(D, until=END)
    visitor.admission_class = "F1"
    assert visitor.created(D, END, handling=("protected",)).stay().handling == ()


def test_days_that_are_no_days() -> None:
    """A year of four nines stands for no end; nothing breaks on it, or on the year one."""
    never, ever = date(9999, 12, 31), date(1, 1, 1)
    assert student().program(D + ONE, never).days()[-1] == ("IN_STATUS", D + ONE)
    assert student().works(END, never).days()[-1] == ("IN_STATUS", END + ONE)
    assert student().program(D + ONE, ever).days()[-1] == ("UNDETERMINED", D + ONE)
    assert Student(admission_class="B2").came(D, until=never).days() == [("IN_STATUS", D)]
    assert vocational(never).days() == [("IN_STATUS", D), ("IN_GRACE", END + ONE)]
    assert (
        Student(admission_class="B2").came(D, until=END).applied(END + ONE, filed_on=ever).last().outcome == "PENDING"
    )
    assert student().extended(D, END, until=never, admission_class="H1B", valid_from=ever).last().outcome == "IN_STATUS"


@pytest.mark.law(5, "a change of law, for students")
def test_a_shorter_grace_moves_later_admissions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proposal would cut the sixty days of F-1 to thirty: a row that ends and one that begins."""
    change = D + days(30)
    (row,) = (rule for rule in rules.RULES if rule.id == "student")
    old = replace(row, through=change - ONE)
    new = replace(row, id="student-2025", grace_days=30, since=change)

    def stays() -> list[Stay]:
        return [Student().created(D - days(90), END).came(change + days(by)).stay() for by in (-1, 0, 1)]

    before = stays()
    monkeypatch.setattr(rules, "RULES", (*(rule for rule in rules.RULES if rule is not row), old, new))
    after = stays()
    assert after[0] == before[0]
    # reinstated after the change: still the stay that began before it
    story = Student().created(D - days(90), END).came(change - ONE)
    kept = story.extended(change, change + days(9), until=DURATION, admission_class="F1").stay()
    assert [(one.since, one.rule) for one in kept.timeline] == [(one.since, one.rule) for one in before[0].timeline]
    assert [stay.timeline[0].rule for stay in after[1:]] == ["student-2025"] * 2
    assert [stay.timeline[-1].since for stay in after[1:]] == [second(NEW_YORK, END + days(31), "00:00:00")] * 2


def random_student(rng: Random) -> Student:
    """Two stays, two records, and anything that may happen to them, in any order."""
    admission_class = rng.choice(("F1", "J1", "M1", "F2"))
    story = Student(rng.choice(ZONES), admission_class=admission_class).created(D - days(60), END)

    def day() -> date:
        return D + days(rng.randrange(-80, 300))

    def period() -> tuple[date, date]:
        first = day()
        return first, first + days(rng.randrange(200))

    happens: tuple[Callable[[], object], ...] = (
        lambda: story.program(*period(), rng.choice(("extended", "shortened", "reactivated")), rng.choice((1, 2))),
        lambda: story.works(*period(), rng.choice(("practical-training", "academic-training", "cap-gap"))),
        lambda: story.completed(day(), rng.choice((1, 2))),
        lambda: story.terminated(day(), rng.choice(("violation", "authorized-withdrawal", "administrative"))),
        lambda: story.retracted(),
        lambda: story.left(day()),
        lambda: story.extended(
            day(), day(), rng.choice((Action.APPROVED, Action.DENIED)), until=day(), admission_class="H1B"
        ),
        lambda: story.extended(day(), form=rng.choice(("I-539", "I-485")), receipt=2),
    )
    story.came(D, until=END + days(30), names=rng.choice((0, 1)))
    story.created(*period(), 2)
    if rng.random() < 0.3:
        story.came(day(), until=END + days(200), which=2)
    for _ in range(rng.randrange(8)):
        rng.choice(happens)()
    return story


@pytest.mark.law(1, "400 random students: any order and copies, and what was known then")
@pytest.mark.parametrize("seed", range(0, 400, 50))
def test_the_laws_hold_for_students(seed: int) -> None:
    """Any order gives the same bytes, time lines run forward from their stay, and what was known then is a prefix."""
    for each in range(seed, seed + 50):
        rng = Random(each)
        facts = random_student(rng).facts()
        view = [canonical(one) for one in resolve.persons(facts)]
        mixed = [*facts, *rng.sample(facts, len(facts) // 2)]
        rng.shuffle(mixed)
        assert [canonical(one) for one in resolve.persons(Pool(mixed).facts.values())] == view
        moment = rng.choice(facts).known + rng.choice((-MICRO, 0))
        then = resolve.persons(facts, moment)
        assert then == resolve.persons([fact for fact in facts if fact.known <= moment])
        uuids = {fact.uuid for fact in facts}
        for stay in (stay for one in resolve.persons(facts) for stay in one.stays):
            begins = [piece.since for piece in stay.timeline]
            assert begins[0] == stay.since
            assert begins == sorted(set(begins))
            for piece in stay.timeline:
                assert piece.evidence == tuple(sorted(set(piece.evidence)))
                assert set(piece.evidence) <= uuids
                assert piece.citation or piece.outcome == "UNDETERMINED"
                assert piece.absence == (piece.outcome == "OVERSTAY_SUSPECTED")
