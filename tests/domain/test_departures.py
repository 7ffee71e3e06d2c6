"""What ends a stay: departures by the strength of their evidence, later admissions, and when an absence counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from domain.stories import EVER, NEW_YORK, ZONES, Story, second
from msgspec.structs import replace
from populations import make

from schemas import codec
from schemas.events import Coverage, Evidence, Inspection, Operation, Revision
from schemas.events import Fact as StatusFact
from services.domain import resolve, rules, visits
from services.domain.coverage import Coverage as Complete
from services.domain.coverage import Source, Stretch, complete, coverage_of
from services.domain.facts import Fact, fact_of

D = date(2025, 1, 10)
END = date(2025, 4, 10)
ONE = timedelta(1)
START = datetime(2025, 1, 1, tzinfo=UTC)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


def visitor(zone: str = NEW_YORK) -> Story:
    """Admitted until END."""
    return Story(zone).admitted(D, until=END)


def over(zone: str = NEW_YORK) -> int:
    """The first second after END."""
    return second(zone, END + ONE, "00:00:00")


def test_a_departure_retracted() -> None:
    """As if it had never been sent; the one before stands again."""
    plain = visitor().line()
    assert visitor().left(END).retracted().line() == plain
    story = visitor().left(D + days(9)).left(END + days(9), evidence=Evidence.BIOMETRIC).retracted()
    assert story.last().outcome == "DEPARTED_IN_TIME"
    assert story.stay().departed == second(NEW_YORK, D + days(9))


def test_bookings_close_nothing() -> None:
    """An intention is no departure, and none to look for."""
    story = visitor().left(END, evidence=Evidence.BOOKING)
    assert story.line() == visitor().line()
    assert story.stay().departed is None
    assert story.history().unmatched_departures == ()


CLOSING = [one for one in Evidence if one not in (Evidence.BOOKING, Evidence.SHOWN)]


@pytest.mark.parametrize("evidence", CLOSING)
def test_any_other_evidence_closes(evidence: Evidence) -> None:
    """Alone, each of them is believed, and named."""
    story = visitor().left(END, evidence=evidence)
    assert story.last().outcome == "DEPARTED_IN_TIME"
    assert story.last().reason == f"left ({evidence.value.replace('_', ' ')})"
    assert story.stay().departed == second(NEW_YORK, END)


@pytest.mark.parametrize(("strong", "weak"), list(pairwise(CLOSING)))
def test_the_strongest_evidence_counts(strong: Evidence, weak: Evidence) -> None:
    """Whichever says the person left later; the other crossing is one without an arrival."""
    for first, later in ((strong, weak), (weak, strong)):
        story = visitor().left(END - days(9), evidence=first).left(END + days(9), evidence=later)
        believed, other = (1, 2) if first is strong else (2, 1)
        assert story.last().evidence == tuple(sorted((story.ids[0], story.ids[believed])))
        assert story.last().outcome == ("DEPARTED_IN_TIME" if first is strong else "DEPARTED_LATE")
        assert story.history().unmatched_departures == (story.ids[other],)
        assert story.last().reason.endswith(", against weaker reports of another day")


def test_of_two_equally_strong_the_later_counts() -> None:
    """The earlier crossing is listed as one without an arrival."""
    story = visitor().left(END - days(9)).left(END - days(2))
    assert story.stay().departed == second(NEW_YORK, END - days(2))
    assert story.history().unmatched_departures == (story.ids[1],)


def test_two_reports_of_one_crossing() -> None:
    """A manifest and the officer's record, a day apart by their zones, are one departure."""
    story = visitor().left(END, evidence=Evidence.MANIFEST).left(END + ONE, zone="Pacific/Guam", clock="09:00:00")
    assert story.history().unmatched_departures == ()
    assert story.stay().departed == second("Pacific/Guam", END + ONE, "09:00:00")


def test_a_departure_without_an_arrival() -> None:
    """It is listed, and it is no admission."""
    story = Story().left(D)
    assert story.history().stays == ()
    assert story.history().unmatched_departures == (story.ids[0],)
    story.admitted(D + ONE, until=END)
    assert story.history().unmatched_departures == (story.ids[0],)
    assert story.last().outcome == "OVERSTAY_SUSPECTED"
    later = D + days(900)
    for by_class in ("WT", "K1"):  # the class says how long, where the record does not
        waived = Story().admitted(D, by_class).admitted(later, until=later + days(90), which=2).left(later, None)
        assert [waived.last(stay).outcome for stay in (0, 1)] == ["CLOSED_UNOBSERVED", "DEPARTED_IN_TIME"], by_class
    refused = Story().admitted(D, inspection=Inspection.REFUSED).left(D + ONE)
    assert refused.history().unmatched_departures == ()
    assert refused.stay().departed == second(NEW_YORK, D + ONE)


@pytest.mark.parametrize("zone", ZONES)
def test_a_departure_on_the_day_of_admission(zone: str) -> None:
    """Known to the day only, it ends the stay no earlier than it began, and the time line still runs forward."""
    story = visitor(zone).left(D, None)
    assert story.line() == [("DEPARTED_IN_TIME", second(zone, D))]
    same = visitor(zone).left(D, "12:00:00")
    assert same.line() == [("DEPARTED_IN_TIME", second(zone, D))]
    before = visitor(zone).left(D, "11:59:59")
    assert before.history().unmatched_departures == (before.ids[1],)
    student = Story(zone).admitted(D, "F1", "D/S").left(D, None)
    assert student.line() == [("UNDETERMINED", second(zone, D))]


def test_leaving_and_coming_back_on_one_day() -> None:
    """The number says which stay a departure without a time ends; without one it is the one before, if it was open."""
    back = END - days(10)
    for which, outcomes in (
        (1, ["DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED"]),
        (2, ["CLOSED_UNOBSERVED", "DEPARTED_IN_TIME"]),
        (None, ["DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED"]),
        (9, ["DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED"]),
    ):
        story = visitor().admitted(back, until=END, which=2).left(back, None, which=which)
        assert [story.last(stay).outcome for stay in (0, 1)] == outcomes, which
    thrice = visitor().admitted(back - ONE, until=END, which=2).admitted(back, until=END, which=3)
    thrice.left(back, None, which=1)
    assert [thrice.last(stay).outcome for stay in (0, 1)] == ["CLOSED_UNOBSERVED", "DEPARTED_IN_TIME"]
    closed = visitor().left(back - days(9)).admitted(back, until=END, which=2).left(back, None)
    assert [closed.last(stay).outcome for stay in (0, 1)] == ["DEPARTED_IN_TIME"] * 2
    late = visitor().admitted(END + days(900), until=END + days(990), which=2).left(END + days(900), None)
    assert [late.last(stay).outcome for stay in (0, 1)] == ["CLOSED_UNOBSERVED", "DEPARTED_IN_TIME"]
    late.fact(END + days(800), StatusFact.SEEN_INSIDE)
    assert [late.last(stay).outcome for stay in (0, 1)] == ["DEPARTED_LATE", "OVERSTAY_SUSPECTED"]
    refused = Story().admitted(D, inspection=Inspection.REFUSED, which=None)
    refused.admitted(back, until=END, which=2).left(back, None)
    assert [refused.last(stay).outcome for stay in (0, 1)] == ["NOT_ADMITTED", "DEPARTED_IN_TIME"]
    timed = visitor().admitted(back, until=END, which=2).left(back, "11:00:00")
    assert [timed.last(stay).outcome for stay in (0, 1)] == ["DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED"]


def test_a_stay_that_lasts_whatever_its_date_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """One departure, which may be of the later stay, would accuse of two overstays."""
    later = END + days(900)
    story = visitor().admitted(later, until=later + days(90), which=2).left(later, None)
    monkeypatch.setattr(visits, "_may_have_lasted", lambda visit, departure: True)
    assert [story.last(stay).outcome for stay in (0, 1)] == ["DEPARTED_LATE", "OVERSTAY_SUSPECTED"]


def test_a_later_admission() -> None:
    """Closed unobserved, never an overstay by that alone: before the end and after it, and only from then on."""
    for back in (END - days(20), END + days(20)):
        story = visitor().admitted(back, until=back + days(90), which=2)
        assert story.last(0).outcome == "CLOSED_UNOBSERVED"
        assert story.last(0).since == second(NEW_YORK, back)
        assert set(story.ids) == set(story.last(0).evidence)
        assert story.outcome(back, "11:59:59") == ("IN_STATUS" if back < END else "OVERSTAY_SUSPECTED")
        assert story.outcome(back, which=1) == "IN_STATUS"
    undetermined = Story().admitted(D, "F1", "D/S").admitted(END, until=END + days(9), which=2)
    assert undetermined.last(0).outcome == "CLOSED_UNOBSERVED"
    retracted = visitor().admitted(END, until=END + days(9), which=2).retracted()
    assert retracted.line() == visitor().line()


def test_two_admissions_in_one_second() -> None:
    """The time lines still run forward, and every admission has its outcome."""
    story = visitor().admitted(D, until=END, which=2)
    lines = [story.line(0), story.line(1)]
    assert lines[0] == [("CLOSED_UNOBSERVED", second(NEW_YORK, D))]
    assert lines[1] == visitor().line()


def test_an_own_departure_outranks_the_later_admission() -> None:
    """Seen to leave: in time or late by that."""
    story = (
        visitor().left(END + ONE, evidence=Evidence.MANIFEST).admitted(END + days(30), until=END + days(60), which=2)
    )
    assert story.last(0).outcome == "DEPARTED_LATE"


@pytest.mark.law(8, "and not a second further")
@pytest.mark.parametrize(
    ("by", "outcome"), [(-1, "DEPARTURE_UNKNOWN"), (0, "OVERSTAY_SUSPECTED"), (1, "OVERSTAY_SUSPECTED")]
)
@pytest.mark.parametrize("source", rules.ABSENCE_SOURCES)
def test_absence_counts_where_departures_are_complete(by: int, outcome: str, source: Source) -> None:
    """By every way out, past the end; the exact second is enough, one less is not."""
    given = visitor().answer(END + days(50), coverage=EVER | {source: ((0, over() + by),)})
    assert given.outcome == outcome
    assert ("not known" in given.reason) == (by < 0)
    assert (given.since, given.rule) == (over(), "period-over")


@pytest.mark.law(8, "air, land and sea, all of them")
@pytest.mark.parametrize("source", rules.ABSENCE_SOURCES)
def test_absence_never_counts_where_a_way_out_is_not_covered(source: Source) -> None:
    """One of the three missing: nobody is an overstayer."""
    partly = {name: reach for name, reach in EVER.items() if name != source}
    assert coverage_of(partly).absence_known is None
    for coverage in (partly, {}, partly | {("I94", "arrival:air"): ((0, 2**60),)}):
        assert visitor().answer(END + days(50), coverage=coverage).outcome == "DEPARTURE_UNKNOWN"


def _hides_nothing(build: Callable[[dict[Source, tuple[Stretch, ...]]], Complete]) -> None:
    """One system's live feed of a scope, beside the silent one of the system that the rules name."""
    for system, scope in rules.ABSENCE_SOURCES:
        coverage = build(EVER | {(system, scope): ((0, over() - 1),), ("ELSE", scope): ((0, 2**60),)})
        assert coverage.systems(scope) == ("ELSE", system)
        assert coverage.reach()["ELSE", scope] > coverage.reach()[system, scope] == coverage.absence_known
        given = resolve.answer(visitor().stay(), second(NEW_YORK, END + days(50)), coverage)
        assert given is not None
        assert given.outcome == "DEPARTURE_UNKNOWN"


@pytest.mark.law(8, "every source that the rules name, whatever other systems vouch for")
def test_a_live_feed_hides_no_silent_one() -> None:
    """A system that the rules do not name vouches for nobody else, however far it reaches."""
    _hides_nothing(coverage_of)


@pytest.mark.law(8, planted="coverage by scope alone: a live feed hides a silent one")
def test_coverage_by_scope_alone_is_caught() -> None:
    """Planted: whoever vouches for a scope vouches for all its systems."""

    def by_scope(stretches: dict[Source, tuple[Stretch, ...]]) -> Complete:
        together: dict[str, list[Stretch]] = {}
        for (_, scope), pieces in stretches.items():
            together.setdefault(scope, []).extend(pieces)
        everyone = coverage_of({source: together[source[1]] for source in stretches})
        return replace(everyone, scopes=coverage_of(stretches).scopes)

    with pytest.raises(AssertionError):
        _hides_nothing(by_scope)


@pytest.mark.law(8, "a feed that began late, a gap inside the stay")
@pytest.mark.parametrize("source", rules.ABSENCE_SOURCES)
def test_absence_counts_only_where_departures_are_complete_since_the_admission(source: Source) -> None:
    """A feed that began a second late, or a gap of a second inside the stay, leaves the departure not known."""
    begun = visitor().stay(0).since
    for stretches, outcome in (
        (((begun, over()),), "OVERSTAY_SUSPECTED"),
        (((begun + 1, over()),), "DEPARTURE_UNKNOWN"),
        (((0, begun + 5), (begun + 6, over())), "DEPARTURE_UNKNOWN"),
        (((0, begun - 9), (begun - 5, over())), "OVERSTAY_SUSPECTED"),
    ):
        assert visitor().answer(END + days(50), coverage=EVER | {source: stretches}).outcome == outcome


def test_coverage_matters_to_absences_only() -> None:
    """What rests on events does not depend on it."""
    for story in (visitor().left(END + ONE), visitor().admitted(END + ONE, until=END + days(9), which=2)):
        assert story.answer(END + days(50), coverage={}) == story.answer(END + days(50))
    assert visitor().answer(END, coverage={}).outcome == "IN_STATUS"


def cover(which: int, since: float, through: float, scope: str = "departure:air", known: int = 0) -> Fact:
    """Coverage from and through so many days after START."""
    story = Story()
    event = make(
        Coverage,
        story.world,
        record=f"C{which}",
        known=START + days(known),
        scope=scope,
        since=START + timedelta(since),
        through=START + timedelta(through),
    )
    return fact_of(codec.encode(event))


def reach(*facts: Fact, known_at: int | None = None) -> dict[str, list[tuple[float, float]]]:
    """The stretches, in days after START, in which each scope is complete."""

    def day(at: int) -> float:
        return (at - START.timestamp()) / 86_400

    scopes = complete(facts, known_at).scopes
    return {name: [(day(a), day(b)) for a, b in systems["I94"]] for name, systems in scopes.items()}


@pytest.mark.law(8, "a gap parts two stretches")
def test_coverage_reaches_as_far_as_there_is_no_gap() -> None:
    """Stretches that touch or overlap join; what lies beyond a gap stands apart until it is filled."""
    first, second_, beyond = cover(1, 0, 2), cover(2, 2, 3), cover(3, 4, 9)
    assert reach(second_, first) == {"departure:air": [(0, 3)]}
    assert reach(beyond, second_, first) == {"departure:air": [(0, 3), (4, 9)]}
    assert reach(beyond, first, cover(4, 1, 4), second_) == {"departure:air": [(0, 9)]}
    assert reach(first, cover(5, 0, 7, "departure:sea")) == {"departure:air": [(0, 2)], "departure:sea": [(0, 7)]}
    assert reach() == {}
    inside = cover(6, 0.5, 1)
    assert reach(first, inside, second_) == {"departure:air": [(0, 3)]}
    hair = timedelta(microseconds=1) / timedelta(1)
    assert reach(first, cover(7, 2 + hair, 5)) == {"departure:air": [(0, 2), (2 + 1 / 86_400, 5)]}


def test_coverage_as_known_then_and_taken_back() -> None:
    """A later stretch was not known earlier; one taken back no longer counts."""
    first, later = cover(1, 0, 2), cover(2, 2, 9, known=5)
    then = int((START + days(4)).timestamp() * 1_000_000)
    assert reach(first, later, known_at=then) == {"departure:air": [(0, 2)]}
    assert reach(first, later) == {"departure:air": [(0, 9)]}
    event = make(
        Coverage,
        Story().world,
        record="C2",
        known=START + days(6),
        scope="departure:air",
        since=START,
        through=START,
        number=2,
    )
    taken = event.model_copy(
        update={"operation": Operation.RETRACT, "revision": Revision(number=2, digest=event.revision.digest)}
    )
    assert reach(first, later, fact_of(codec.encode(taken))) == {"departure:air": [(0, 2)]}


REPORTS = (
    (Evidence.MANIFEST_CLOSED, "18:00:00"),
    (Evidence.INSPECTED, "18:20:00"),
    (Evidence.BIOMETRIC, "17:50:00"),
)
"""One flight out, as three systems tell of it."""


def reported(*reports: tuple[Evidence, str], taken_back: Evidence | None = None) -> Story:
    """A visitor who leaves on END, as these report."""
    story = visitor()
    for evidence, clock in reports:
        story.left(END, clock, evidence)
        if evidence is taken_back:
            story.retracted()
    return story


@pytest.mark.law(1, "reports of one crossing, in either order")
def test_one_departure_told_by_three_systems() -> None:
    """One crossing: at the time of the strongest report, with all of them as its evidence."""
    for reports in (REPORTS, REPORTS[::-1]):
        story = reported(*reports)
        assert story.last().evidence == tuple(sorted(story.ids))
        assert story.last().reason == "left (biometric)"
        assert story.stay().departed == second(NEW_YORK, END, "17:50:00")
        assert story.history().unmatched_departures == ()
    booked = reported(*REPORTS).left(END, "18:00:00", Evidence.BOOKING)
    assert booked.ids[-1] not in booked.last().evidence


@pytest.mark.law(4, "all reports of a crossing are its evidence, and less one it still stands")
@pytest.mark.parametrize(
    ("taken_back", "clock"),
    [(Evidence.MANIFEST_CLOSED, "17:50:00"), (Evidence.INSPECTED, "17:50:00"), (Evidence.BIOMETRIC, "18:20:00")],
)
def test_a_departure_stands_while_one_report_carries_it(taken_back: Evidence, clock: str) -> None:
    """Without the report that was taken back; without any it never was."""
    story = reported(*REPORTS, taken_back=taken_back)
    assert story.stay().departed == second(NEW_YORK, END, clock)
    gone = next(event for event in story.events if event.operation is Operation.RETRACT)
    assert len(story.last().evidence) == 3
    assert str(gone.id) not in story.last().evidence
    assert reported(REPORTS[0], taken_back=REPORTS[0][0]).line() == visitor().line()


def test_the_strongest_report_decides_what_was_in_time() -> None:
    """Gone through the gate before midnight, in the air after it."""
    story = visitor().left(END + ONE, "00:20:00", Evidence.INSPECTED).left(END, "23:50:00", Evidence.BIOMETRIC)
    assert story.last().outcome == "DEPARTED_IN_TIME"
    story = visitor().left(END, "23:50:00", Evidence.MANIFEST_CLOSED).left(END + ONE, "00:20:00", Evidence.INSPECTED)
    assert story.last().outcome == "DEPARTED_LATE"


@pytest.mark.parametrize(("clock", "same"), [("12:00:00", True), ("12:00:01", False), (None, True)])
def test_how_near_reports_of_one_crossing_are(clock: str | None, same: bool) -> None:
    """A day to the second, or a day of the calendar where a report has no time."""
    for first, later in ((Evidence.INSPECTED, Evidence.MANIFEST), (Evidence.MANIFEST, Evidence.INSPECTED)):
        story = visitor().left(END, "12:00:00", first).left(END + ONE, clock, later)
        assert (story.history().unmatched_departures == ()) == same
        assert len(story.last().evidence) == (3 if same else 2)
    apart = visitor().left(END, None).left(END + days(2), "00:00:00", Evidence.MANIFEST)
    assert apart.history().unmatched_departures == (apart.ids[2],)


def test_a_manifest_loses_against_stronger_later_evidence() -> None:
    """It said that somebody left who was seen to leave, or to be removed, much later."""
    for evidence in (Evidence.BIOMETRIC, Evidence.INSPECTED, Evidence.REMOVAL, Evidence.FOREIGN_ENTRY):
        for manifest in (Evidence.MANIFEST, Evidence.MANIFEST_CLOSED):
            story = visitor().left(END, evidence=manifest).left(END + days(40), evidence=evidence)
            assert story.last().outcome == "DEPARTED_LATE"
            assert story.history().unmatched_departures == (story.ids[1],)


def test_two_crossings_on_one_day_stay_two() -> None:
    """Out, back and out again within hours, each told twice."""
    story = visitor()
    for evidence, minutes in ((Evidence.INSPECTED, "10"), (Evidence.MANIFEST_CLOSED, "00")):
        story.left(END, f"08:{minutes}:00", evidence).left(END, f"20:{minutes}:00", evidence)
    story.admitted(END, until=END + days(30), which=2)
    first, later = story.stay(0), story.stay(1)
    assert first.departed == second(NEW_YORK, END, "08:10:00")
    assert later.departed == second(NEW_YORK, END, "20:10:00")
    assert [len(stay.timeline[-1].evidence) for stay in (first, later)] == [3, 3]
    assert story.history().unmatched_departures == ()


def test_a_day_across_the_date_line() -> None:
    """Who came to Guam in the morning of the 4th can leave Honolulu on the 3rd, as it is written there."""
    day = date(2025, 3, 4)
    for clock in (None, "20:00:00"):
        story = Story("Pacific/Guam").admitted(day, until=END, clock="08:00:00")
        story.left(day - ONE, clock, zone="Pacific/Honolulu")
        assert story.last().outcome == "DEPARTED_IN_TIME"
        assert story.history().unmatched_departures == ()
    before = (
        Story("Pacific/Guam")
        .admitted(day, until=END, clock="08:00:00")
        .left(day - ONE - ONE, None, zone="Pacific/Honolulu")
    )
    assert before.history().unmatched_departures == (before.ids[1],)
