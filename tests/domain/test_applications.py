"""What applications do to a period: filed in time and late, pending, approved, denied, withdrawn; for good."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from domain.stories import NEW_YORK, ZONES, Story, number, second

from schemas.events import Action, Request
from schemas.events import Fact as StatusFact
from services.domain import rules

D = date(2025, 1, 10)
END = date(2025, 4, 10)
ONE = timedelta(1)
NO = [Action.DENIED, Action.WITHDRAWN]


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


def after(day: date, zone: str = NEW_YORK) -> int:
    """The first second after a day."""
    return second(zone, day + ONE, "00:00:00")


def visitor(zone: str = NEW_YORK) -> Story:
    """Admitted until END."""
    return Story(zone).admitted(D, until=END)


@pytest.mark.parametrize("zone", ZONES)
def test_pending(zone: str) -> None:
    """Filed on the last day or earlier, what is pending bridges the time after it without an end; a day late, never."""
    begun = ("IN_STATUS", second(zone, D))
    for filed in (END - days(30), END - ONE, END):
        story = visitor(zone).extended(filed)
        assert story.line() == [begun, ("PENDING", after(END, zone))]
        assert story.outcome(END, "23:59:59") == "IN_STATUS"
        assert story.outcome(END + days(5000)) == "PENDING"
        assert story.last().evidence == tuple(sorted(story.ids))
        assert story.stay().authorised_until == END.isoformat()
    for filed in (END + ONE, END + days(30)):
        assert visitor(zone).extended(filed).line() == [begun, ("OVERSTAY_SUSPECTED", after(END, zone))]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("office", ZONES)
def test_the_day_of_filing_is_a_day_at_the_port(zone: str, office: str) -> None:
    """Wherever the day was written down, with or without a field of its own."""
    for filed, outcome in ((END, "PENDING"), (END + ONE, "OVERSTAY_SUSPECTED")):
        assert visitor(zone).applied(filed, zone=office).last().outcome == outcome
        assert visitor(zone).applied(filed - days(400), zone=office, filed_on=filed).last().outcome == outcome


def test_a_decision_goes_where_the_filing_went() -> None:
    """Also where it comes when the person is back on another admission, and the filing names no I-94."""
    for action, words in (
        (Action.APPROVED, ["IN_STATUS", "DEPARTED_IN_TIME"]),
        (Action.DENIED, ["IN_STATUS", "DEPARTED_IN_TIME"]),
    ):
        story = visitor().applied(END - days(9), which=None, filed_on=END - days(9)).left(END - days(5))
        story.admitted(END + days(20), until=END + days(50), which=2)
        story.applied(END + days(25), action, which=None, filed_on=END - days(9), granted_until=END + days(180))
        assert [word for word, _ in story.line(0)] == words
        assert story.line(1) == [
            ("IN_STATUS", second(NEW_YORK, END + days(20))),
            ("OVERSTAY_SUSPECTED", after(END + days(50))),
        ]
        assert story.stay(1).authorised_until == (END + days(50)).isoformat()


def test_a_step_that_names_a_number_speaks_for_all() -> None:
    """A filing that fits the later admission by time belongs to the one whose number the decision names."""
    story = visitor().admitted(D + days(30), until=END + days(9), which=2)
    story.applied(END - days(9), which=None, filed_on=END - days(9))
    story.applied(END + days(1), Action.APPROVED, which=1, filed_on=END - days(9), granted_until=END + days(80))
    assert story.stay(0).authorised_until == (END + days(80)).isoformat()
    assert story.stay(1).authorised_until == (END + days(9)).isoformat()


def test_filed_at_an_instant() -> None:
    """Where the time is known, the last second counts."""
    assert visitor().applied(END, clock="23:59:59").last().outcome == "PENDING"
    assert visitor().applied(END + ONE, clock="00:00:00").last().outcome == "OVERSTAY_SUSPECTED"
    assert visitor("Pacific/Guam").applied(END, clock="10:00:00", zone=NEW_YORK).last().outcome == "OVERSTAY_SUSPECTED"


@pytest.mark.parametrize("filed", [END - days(20), END, END + ONE, END + days(60)], ids=str)
@pytest.mark.parametrize("decided", [END - days(2), END, END + days(90)], ids=str)
def test_approved(filed: date, decided: date) -> None:
    """From the old end on to the new date, also where it was filed late: approval heals the gap."""
    until = END + days(180)
    story = visitor().extended(filed, max(filed, decided), until=until)
    assert story.line() == [
        ("IN_STATUS", second(NEW_YORK, D)),
        ("IN_STATUS", after(END)),
        ("OVERSTAY_SUSPECTED", after(until)),
    ]
    assert story.stay().authorised_until == until.isoformat()
    assert story.outcome(until, "23:59:59") == "IN_STATUS"
    assert story.last().evidence == tuple(sorted(story.ids))
    assert visitor().extended(filed, decided, until=until).left(until, "23:59:59").last().outcome == "DEPARTED_IN_TIME"
    assert visitor().extended(filed, decided, until=until).left(until + ONE, "00:00:00").last().outcome == (
        "DEPARTED_LATE"
    )


@pytest.mark.parametrize("action", NO)
@pytest.mark.parametrize("zone", ZONES)
def test_denied(action: Action, zone: str) -> None:
    """Authorised to the later of the last day and the day of the decision; a late filing does nothing."""
    begun, over = ("IN_STATUS", second(zone, D)), ("OVERSTAY_SUSPECTED", after(END, zone))
    for decided in (END - ONE, END):
        assert visitor(zone).extended(END - days(9), decided, action).line() == [begun, over]
    for decided in (END + ONE, END + days(70)):
        story = visitor(zone).extended(END, decided, action)
        assert story.line() == [begun, ("PENDING", after(END, zone)), ("OVERSTAY_SUSPECTED", after(decided, zone))]
        assert story.outcome(decided, "23:59:59") == "PENDING"
        assert story.left(decided, "23:59:59").last().outcome == "DEPARTED_IN_TIME"
        assert visitor(zone).extended(END, decided, action).left(decided + ONE).last().outcome == "DEPARTED_LATE"
    assert visitor(zone).extended(END + ONE, END + days(70), action).line() == [begun, over]


@pytest.mark.parametrize("form", ["I-539", "I-485"])
def test_the_day_of_a_decision_is_a_day_at_the_port(form: str) -> None:
    """A day stays that day; an instant is seen on the port's calendar."""
    decided = END + days(30)
    for office in ZONES:
        story = visitor("Pacific/Guam").extended(END, decided, Action.DENIED, form=form, zone=office)
        assert story.last().since == after(decided, "Pacific/Guam")
    story = visitor("Pacific/Guam").applied(END, form=form)
    story.applied(decided, Action.DENIED, form=form, clock="12:00:00", zone=NEW_YORK)
    assert story.last().since == after(decided + ONE, "Pacific/Guam")


def test_an_appeal_leaves_the_decision_as_it_is() -> None:
    """Only a new decision counts."""
    story = visitor().extended(END, END + days(10), Action.DENIED).applied(END + days(12), Action.APPEALED)
    assert story.last().since == after(END + days(10))
    story.applied(END + days(40), Action.APPROVED, granted_until=END + days(100))
    assert story.line()[1:] == [("IN_STATUS", after(END)), ("OVERSTAY_SUSPECTED", after(END + days(100)))]


def test_a_decision_taken_back_is_pending_again() -> None:
    """As if it had never been sent."""
    story = visitor().extended(END, END + days(10), Action.DENIED).retracted()
    assert story.line()[1:] == [("PENDING", after(END))]


def test_two_extensions() -> None:
    """The second is in time within what the first granted, and not within what was only pending."""
    first, second_end = END + days(90), END + days(200)
    story = visitor().extended(END - days(5), END + days(20), until=first)
    pending = story.extended(first, receipt=2)
    assert pending.line()[1:] == [("IN_STATUS", after(END)), ("PENDING", after(first))]
    both = visitor().extended(END - days(5), END + days(20), until=first)
    both.extended(first, first + days(30), until=second_end, receipt=2)
    assert both.line()[1:] == [
        ("IN_STATUS", after(END)),
        ("IN_STATUS", after(first)),
        ("OVERSTAY_SUSPECTED", after(second_end)),
    ]
    assert both.stay().authorised_until == second_end.isoformat()
    late = visitor().extended(END - days(5), END + days(20), until=first).extended(first + ONE, receipt=2)
    assert late.last().since == after(first)
    only_pending = visitor().extended(END, END + days(30), Action.DENIED).extended(END + days(9), receipt=2)
    assert only_pending.line()[1:] == [("PENDING", after(END)), ("OVERSTAY_SUSPECTED", after(END + days(30)))]


def test_the_first_denied_the_second_pending() -> None:
    """Both filed in time: pending goes on."""
    story = visitor().extended(END - days(9), END + days(30), Action.DENIED).extended(END - days(1), receipt=2)
    assert [word for word, _ in story.line()] == ["IN_STATUS", "PENDING", "PENDING"]
    assert story.outcome(END + days(500)) == "PENDING"


def test_approval_wipes_out_what_was_pending() -> None:
    """Two denied after the end, one approved: in status throughout."""
    story = visitor().extended(END - days(9), END + days(30), Action.DENIED)
    story.extended(END - days(8), END + days(50), Action.DENIED, receipt=2)
    assert [word for word, _ in story.line()] == ["IN_STATUS", "PENDING", "PENDING", "OVERSTAY_SUSPECTED"]
    story.extended(END - days(7), END + days(60), until=END + days(100), receipt=3)
    assert story.line()[1:] == [("IN_STATUS", after(END)), ("OVERSTAY_SUSPECTED", after(END + days(100)))]


def test_two_pending_are_as_good_as_one() -> None:
    """No piece begins at the end of all days."""
    story = visitor().extended(END - days(9)).extended(END - days(2), receipt=2).extended(END, receipt=3, form="I-485")
    assert story.line()[1:] == [("PENDING", after(END))]


def test_change_of_class() -> None:
    """The new class and its date hold from the old end on."""
    until = END + days(1095)
    story = visitor().extended(
        END, END + days(40), until=until, admission_class="H1B", form="I-129", asks=Request.CHANGE_CLASS
    )
    stay = story.stay()
    assert (stay.admitted_as, stay.admission_class, stay.authorised_until) == ("B2", "H1B", until.isoformat())
    assert story.outcome(until) == "IN_STATUS"


def test_change_to_duration_of_status() -> None:
    """Without an end where a rule says so; else nobody can tell."""
    story = visitor().extended(END, END + days(40), until="D/S", admission_class="A1")
    assert story.line()[1:] == [("IN_STATUS", after(END))]
    assert story.stay().authorised_until == "D/S"
    story = visitor().extended(END, END + days(40), until="D/S", admission_class="F1")
    assert story.line()[1:] == [("UNDETERMINED", after(END))]
    assert (story.stay().authorised_until, story.stay().admission_class) == (None, "F1")
    assert story.left(END + days(300)).last().outcome == "UNDETERMINED"
    assert visitor().extended(END, END + days(40), until="D/S", admission_class="F1").left(END).last().outcome == (
        "DEPARTED_IN_TIME"
    )


def test_approved_without_a_date() -> None:
    """The date asked for, else nobody can tell."""
    story = visitor().applied(END)
    story.applied(END + ONE, Action.APPROVED, requested_until=END + days(50))
    assert story.last().since == after(END + days(50))
    assert visitor().extended(END, END + ONE).line()[1:] == [("UNDETERMINED", after(END))]


def test_a_change_away_from_duration_of_status() -> None:
    """The new date holds from the moment it was given."""
    story = Story().admitted(D, "A1", "D/S").extended(D + days(10), D + days(20), until=END, admission_class="B2")
    assert story.line() == [
        ("IN_STATUS", second(NEW_YORK, D)),
        ("IN_STATUS", second(NEW_YORK, D + days(20), "00:00:00")),
        ("OVERSTAY_SUSPECTED", after(END)),
    ]
    student = Story().admitted(D, "A1", "D/S").extended(D + days(10), D + days(20), until="D/S", admission_class="F1")
    assert student.line()[1:] == [("UNDETERMINED", second(NEW_YORK, D + days(20), "00:00:00"))]
    assert Story().admitted(D, "A1", "D/S").extended(D + days(10)).line() == [("IN_STATUS", second(NEW_YORK, D))]


def test_a_shorter_date() -> None:
    """It holds from the moment it was given, unless it was over by then."""
    sooner = END - days(20)
    story = visitor().extended(D + days(5), D + days(15), until=sooner, admission_class="B1")
    assert story.last().since == after(sooner)
    assert story.stay().authorised_until == sooner.isoformat()
    same = visitor().extended(D + days(5), D + days(15), until=END, admission_class="B1")
    assert (same.stay().admission_class, same.last().since) == ("B1", after(END))
    assert visitor().extended(D + days(5), END - days(5), until=sooner).line() == visitor().line()


@pytest.mark.parametrize("admission_class", ["WT", "WB", "GMT", "K1", "C1"])
@pytest.mark.parametrize("decision", [None, Action.APPROVED, Action.DENIED])
def test_no_extension(admission_class: str, decision: Action | None) -> None:
    """From a waiver, as fiance, in transit: the filing has no effect, whatever came of it."""
    story, plain = (Story().admitted(D, admission_class) for _ in range(2))
    story.extended(D + ONE, decision and D + days(10), decision or Action.FILED, until=END + days(90))
    assert story.line() == plain.line()
    assert story.stay().authorised_until == plain.stay().authorised_until


def test_adjustment_pending() -> None:
    """From the later of the end and the filing; in between nothing is allowed. Also under a waiver."""
    for filed in (D + ONE, END):
        assert visitor().extended(filed, form="I-485").line()[1:] == [("PENDING", after(END))]
    late = END + days(15)
    story = visitor().extended(late, form="I-485")
    assert story.line()[1:] == [
        ("OVERSTAY_SUSPECTED", after(END)),
        ("PENDING", second(NEW_YORK, late, "00:00:00")),
    ]
    assert story.left(late - ONE).last().outcome == "DEPARTED_LATE"
    waiver = Story().admitted(D, "WT").extended(D + days(30), form="I-485")
    assert waiver.line()[1:] == [("PENDING", after(D + days(89)))]


@pytest.mark.parametrize("filed", [D + ONE, END, END + days(15)], ids=str)
@pytest.mark.parametrize("decided", [END - days(3), END + days(200)], ids=str)
def test_adjustment_approved(filed: date, decided: date) -> None:
    """No longer a nonimmigrant from the approval on, whatever happens then."""
    decided = max(filed + ONE, decided)
    granted = second(NEW_YORK, decided, "00:00:00")
    story = visitor().extended(filed, decided, form="I-485")
    assert story.last().outcome == "ADJUSTED"
    assert story.last().since == granted
    words = [word for word, _ in story.line()]
    late = ["OVERSTAY_SUSPECTED"] if filed > END else []
    assert words == ["IN_STATUS", *([*late, "PENDING"] if granted > after(END) else []), "ADJUSTED"]
    story.extended(END, receipt=2, until=END + days(30), decided=decided + ONE)
    assert story.last().since == granted
    assert story.left(decided + days(1000)).last().outcome == "DEPARTED_IN_TIME"
    story.admitted(decided + days(2000), until=decided + days(2010), which=2)
    assert story.outcome(decided + days(500)) == "ADJUSTED"


@pytest.mark.parametrize("action", NO)
def test_adjustment_denied(action: Action) -> None:
    """As an extension denied; one filed late still bridges from its filing to the decision."""
    for decided in (END - ONE, END):
        assert visitor().extended(D + ONE, decided, action, form="I-485").line() == visitor().line()
    decided = END + days(60)
    story = visitor().extended(END, decided, action, form="I-485")
    assert story.line()[1:] == [("PENDING", after(END)), ("OVERSTAY_SUSPECTED", after(decided))]
    late = END + days(15)
    assert visitor().extended(late, decided, action, form="I-485").line()[1:] == [
        ("OVERSTAY_SUSPECTED", after(END)),
        ("PENDING", second(NEW_YORK, late, "00:00:00")),
        ("OVERSTAY_SUSPECTED", after(decided)),
    ]


@pytest.mark.parametrize("first", ["I-485", "I-539"])
def test_adjustment_beside_an_extension(first: str) -> None:
    """Whichever was filed first: in status by the extension, then pending for good."""
    until = END + days(60)
    filed = {"I-485": D + days(5), "I-539": D + days(6)} if first == "I-485" else {"I-485": END, "I-539": D}
    story = visitor().extended(filed["I-485"], form="I-485")
    story.extended(filed["I-539"], END, until=until, receipt=2)
    assert story.line()[1:] == [("IN_STATUS", after(END)), ("PENDING", after(until))]


@pytest.mark.parametrize("fact", [StatusFact.PERMANENT_RESIDENT, StatusFact.NATURALISED, StatusFact.ASYLUM_GRANTED])
@pytest.mark.parametrize("admission_class", ["B2", "F1", "A1"])
def test_no_longer_a_nonimmigrant(fact: StatusFact, admission_class: str) -> None:
    """By a fact of its own, whether or not a period can be told; it is not undone by leaving or coming again."""
    at = END - days(10)
    story = Story().admitted(D, admission_class, END).fact(at, fact)
    assert story.line()[-1] == ("ADJUSTED", second(NEW_YORK, at, "00:00:00"))
    assert story.outcome(END + days(90)) == "ADJUSTED"
    assert story.last().reason == fact.value.replace("_", " ")
    story.left(END + days(90))
    assert story.last().outcome == "DEPARTED_IN_TIME"
    again = (
        Story().admitted(D, admission_class, END).fact(at, fact).admitted(END + days(90), "B2", END + days(99), which=2)
    )
    assert [again.outcome(at + ONE), again.outcome(END + days(95))] == ["ADJUSTED", "CLOSED_UNOBSERVED"]


def test_the_first_of_several_counts() -> None:
    """Resident, then naturalised: no nonimmigrant since the former."""
    story = visitor().extended(D + ONE, D + days(30), form="I-485").fact(D + days(60), StatusFact.NATURALISED)
    assert story.last().since == second(NEW_YORK, D + days(30), "00:00:00")
    assert story.last().reason == "adjustment granted"


def test_adjusted_though_undetermined() -> None:
    """A student's period is unknown, and yet the approval of residence is the end of it."""
    story = Story().admitted(D, "F1", "D/S").extended(D + days(10), D + days(50), form="I-485")
    assert [word for word, _ in story.line()] == ["UNDETERMINED", "ADJUSTED"]


def test_adjusted_on_the_day_of_admission() -> None:
    """A day has no time: the time line begins with the admission all the same."""
    story = visitor().fact(D, StatusFact.PERMANENT_RESIDENT)
    assert story.line() == [("ADJUSTED", second(NEW_YORK, D))]


def test_other_facts_move_nothing() -> None:
    """What no rule knows leaves the time line as it is."""
    for fact in set(StatusFact) - rules.MOVING:
        assert visitor().fact(D + ONE, fact).line() == visitor().line()


def test_the_number_tells_the_stay() -> None:
    """An application that names an I-94 number is about that stay, else about the last one begun."""
    story = visitor().left(END - days(60)).admitted(END - days(30), until=END, which=2)
    story.applied(END - days(5), which=1, receipt=1)
    story.applied(END - days(5), which=7, receipt=2, filed_on=END - days(5))
    assert [word for word, _ in story.line(0)] == ["IN_STATUS", "DEPARTED_IN_TIME"]
    assert [word for word, _ in story.line(1)] == ["IN_STATUS", "PENDING"]
    assert story.last(1).evidence == tuple(sorted([story.ids[2], story.ids[4]]))


def test_an_approval_brings_a_new_number() -> None:
    """From then on it names the stay too."""
    until = END + days(90)
    story = visitor().applied(END - days(9)).applied(END - days(5), Action.APPROVED, granted_until=until, new=2)
    assert story.stay().i94 == (number(1).text, number(2).text)
    story.admitted(until - days(9), until=until + days(9), which=3).applied(until - days(5), receipt=2, which=2)
    assert story.ids[-1] not in {event for piece in story.stay(1).timeline for event in piece.evidence}
    assert story.stay(0).i94 == (number(1).text, number(2).text)
