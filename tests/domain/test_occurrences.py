"""Reports of one crossing, filing or decision are one occurrence, and reports of two stay two."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from domain.stories import EVER, NEW_YORK, ZONES, Story, second
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import again

from schemas.events import Action, AnyEvent, Arrival, Evidence, Inspection, Mode, Operation, RecordRef
from schemas.moments import zone
from services.domain import occurrences, resolve, rules
from services.domain.accounting import Report
from services.domain.coverage import coverage_of
from services.domain.facts import Fact
from services.domain.history import History, Stay, canonical
from services.domain.pools import Pool

D = date(2025, 3, 3)
END = date(2025, 6, 30)
GUAM, HONOLULU = "Pacific/Guam", "Pacific/Honolulu"
ONE = timedelta(1)
SYSTEMS = ("I94", "TECS", "IDENT", "ADIS")


def came(story: Story, system: str, clock: str | None = "12:00:00", day: date = D, **more: Any) -> Story:
    """One system's report of an arrival: the I-94 has number, class and date, the others what is said."""
    own = {"until": END} if system == "I94" else {"admission_class": None, "which": None}
    return story.admitted(day, clock=clock, system=system, **own | more)


def reported(*reports: tuple[str, str | None], **more: Any) -> Story:
    """An arrival on D as these systems report it."""
    story = Story()
    for system, clock in reports:
        came(story, system, clock, **more)
    return story


def count(story: Story) -> int:
    """How many arrivals there were."""
    return len(story.history().stays)


def origin(event: AnyEvent) -> RecordRef:
    """A word that a record repeats an event's."""
    return RecordRef(system=event.system, record=event.record)


def test_one_arrival_told_by_four_systems() -> None:
    """One stay, at the time and with the terms of the I-94, with all four as its evidence."""
    reports = [("ADIS", None), ("TECS", "11:58:00"), ("IDENT", "12:04:00"), ("I94", "12:00:00")]
    for order in (reports, reports[::-1]):
        story = reported(*order)
        stay = story.stay()
        by_system = {event.system: str(event.id) for event in story.events}
        assert count(story) == 1
        assert stay.since == second(NEW_YORK, D)
        assert (stay.admission_class, stay.authorised_until) == ("B2", END.isoformat())
        assert stay.reports == tuple(by_system[system] for system in SYSTEMS)
        assert all(piece.evidence == tuple(sorted(story.ids)) for piece in stay.timeline)
        assert story.history().unmatched_departures == ()


def test_the_evidence_stands_wherever_the_arrival_does() -> None:
    """With a departure, and where it closes a stay before it."""
    story = came(
        reported(("I94", "12:00:00"), ("TECS", "12:03:00")).left(END), "I94", day=END + ONE, until=END + 9 * ONE
    )
    assert story.last().evidence == tuple(sorted(story.ids[:3]))
    unseen = came(came(reported(("I94", "12:00:00")), "I94", day=END), "TECS", day=END)
    assert unseen.last().outcome == "CLOSED_UNOBSERVED"
    assert unseen.last().evidence == tuple(sorted(unseen.ids))


def test_one_report_alone_is_exported_as_ever() -> None:
    """No word of reports where there is one."""
    assert b'"reports"' not in canonical(reported(("I94", "12:00:00")).left(END).history())
    assert b'"reports"' in canonical(reported(("I94", "12:00:00"), ("TECS", "12:00:00")).history())


@pytest.mark.law(4, "and so with an arrival")
@pytest.mark.parametrize("gone", range(3))
def test_a_retraction_takes_its_own_evidence(gone: int) -> None:
    """The arrival stands while another report carries it, by what is then the most authoritative one."""
    story = Story()
    for place, system in enumerate(("I94", "TECS", "ADIS")):
        came(story, system, admission_class="B2", until=END)
        if place == gone:
            story.retracted()
    stay = story.stay()
    assert count(story) == 1
    assert (stay.admission_class, stay.authorised_until) == ("B2", END.isoformat())
    left = [str(event.id) for event in story.events if event.record != story.events[gone].record]
    assert stay.timeline[0].evidence == tuple(sorted(left))
    assert stay.reports == tuple(left)


def test_what_the_first_leaves_out_comes_from_the_next() -> None:
    """Class and date of one that agrees; of one that does not, only where it was."""
    story = Story().admitted(D, None, which=None, port=None)
    came(story, "TECS", admission_class="B1", until=END, port="LAX", mode=Mode.AIR)
    came(story, "ADIS", admission_class="F1", until="D/S", port="LAX")
    stay = story.stay()
    assert (stay.admitted_as, stay.authorised_until, stay.port, stay.mode) == ("B1", END.isoformat(), "LAX", "air")
    dated = Story().admitted(D, "B2", port=None)
    came(dated, "ADIS", admission_class="F1", until="D/S", port="LAX")
    assert (dated.stay().authorised_until, dated.stay().port) == (None, "LAX")
    refused = Story().admitted(D, None, inspection=Inspection.REFUSED)
    came(refused, "TECS", admission_class="B2", until=END)
    assert [(stay.admitted_as, stay.timeline[0].outcome) for stay in refused.history().stays] == [
        (None, "NOT_ADMITTED")
    ]


def test_a_day_gets_its_time_from_the_next() -> None:
    """If that is of the same day."""
    assert reported(("I94", None), ("TECS", "15:00:00")).stay().since == second(NEW_YORK, D, "15:00:00")
    story = came(reported(("I94", None)), "TECS", "00:10:00", D + ONE, which=1)
    assert (count(story), story.stay().since) == (1, second(NEW_YORK, D, "00:00:00"))


def test_numbers_of_all_reports_are_the_stays() -> None:
    """An application that names the number which only one of them knows is about that stay."""
    story = Story().admitted(D, until=END, which=None)
    came(story, "TECS", which=7)
    story.extended(D + ONE, which=7)
    assert story.stay().i94 == ("i94/CBP/00000000007",)
    assert story.last().outcome == "PENDING"


@pytest.mark.parametrize(
    ("clock", "arrivals"), [("00:00:00", 1), ("23:59:59", 1), ("11:59:59", 1), ("12:00:00", 1), (None, 1)]
)
def test_times_of_one_day(clock: str | None, arrivals: int) -> None:
    """Half a day to either side, or the day where one has no time."""
    assert count(reported(("I94", "12:00:00"), ("TECS", clock))) == arrivals


def test_how_near_two_systems_are() -> None:
    """Half a day to the second; under one number a whole one."""
    for which, limit in ((None, 12 * 3600), (1, 24 * 3600)):
        for past in (0, 1):
            at = datetime.fromtimestamp(second(NEW_YORK, D) + limit + past, UTC)
            story = reported(("I94", "12:00:00"))
            story.zone = "UTC"
            came(story, "TECS", f"{at:%H:%M:%S}", at.date(), which=which)
            assert count(story) == 1 + past


@pytest.mark.parametrize(
    ("zone", "day", "arrivals"),
    [
        ("UTC", D, 1),  # the local day, written down without its zone
        ("UTC", D + ONE, 1),  # 20:00 in New York is the next day already
        (GUAM, D + ONE, 1),  # and beyond the date line as well
        (HONOLULU, D, 1),
        (HONOLULU, D - 2 * ONE, 2),
        ("UTC", D + 2 * ONE, 2),
        (NEW_YORK, D + ONE, 2),  # of one zone the days are equal
    ],
)
def test_days_and_date_lines(zone: str, day: date, arrivals: int) -> None:
    """A day may have been written down in another zone."""
    story = reported(("I94", "20:00:00"))
    story.zone = zone
    assert count(came(story, "ADIS", None, day)) == arrivals
    whole = reported(("I94", None))
    whole.zone = zone
    assert count(came(whole, "ADIS", None, day)) == arrivals


def test_place_and_carrier_keep_apart_where_both_say_one() -> None:
    """But nobody is inspected twice at an airport within the hour: a flight may be sold under two numbers."""
    assert count(reported(("I94", "12:00:00"), port="JFK")) == 1
    for fields, arrivals in (
        ({"port": "EWR"}, 2),
        ({"port": None}, 1),
        ({"carrier": "BA", "mode": Mode.AIR}, 2),
        ({"carrier": "AA", "conveyance": "AA0101", "mode": Mode.AIR}, 2),
        ({"carrier": "AA", "conveyance": "AA0100"}, 1),
    ):
        for clock in ("14:00:00", None):
            first = {"carrier": "AA", "conveyance": "AA0100", "mode": Mode.AIR}
            story = came(came(Story(), "I94", **first), "TECS", clock, **fields)
            assert count(story) == arrivals, (fields, clock)
    for minutes, port, mode, arrivals in (
        ("00", "JFK", Mode.AIR, 1),
        ("01", "JFK", Mode.AIR, 2),
        ("00", "JFK", Mode.LAND, 2),
        ("00", "EWR", Mode.AIR, 2),
    ):
        story = came(Story(), "I94", carrier="AA", conveyance="AA0100", mode=mode)
        came(story, "TECS", f"13:{minutes}:00", carrier="BA", conveyance="BA1511", mode=mode, port=port)
        assert count(story) == arrivals, (minutes, port, mode)


def test_numbers_join_and_keep_apart() -> None:
    """One number joins whatever port and flight are told; two never do."""
    story = came(came(Story(), "I94", port="JFK"), "TECS", "20:00:00", port="EWR", carrier="BA", which=1)
    assert count(story) == 1
    assert count(came(reported(("I94", "12:00:00")), "TECS", which=2)) == 2
    # what has no number goes with the nearer of the two
    both = came(came(reported(("I94", "12:00:00")), "TECS", "18:00:00", which=2), "IDENT", "17:00:00")
    assert [len(stay.reports) for stay in both.history().stays] == [0, 2]


def test_one_system_under_two_records_tells_of_two() -> None:
    """Even at one time; with a second system's report of one of them."""
    assert count(reported(("TECS", "12:00:00"), ("TECS", "12:00:00"))) == 2
    assert count(reported(("TECS", "12:00:00"), ("TECS", "12:20:00"), ("IDENT", "12:19:00"))) == 2
    story = reported(("TECS", "12:00:00"), ("TECS", "12:01:00")).retracted()
    assert count(story) == 1


def test_a_copy_goes_with_its_origin() -> None:
    """Whenever and wherever it says that it was, and whoever made it."""
    story = reported(("I94", "12:00:00"), ("I94", "20:00:00"))
    for copied in (0, 0, 1):
        came(story, "ADIS", day=D + 9 * ONE, port="LAX", which=3, origin=origin(story.events[copied]))
    assert [len(stay.reports) for stay in story.history().stays] == [3, 2]
    chain = reported(("TECS", "12:00:00"))
    came(chain, "ADIS", day=D + 9 * ONE, origin=origin(chain.events[0]))
    came(chain, "TECS", day=D + 10 * ONE, origin=origin(chain.events[1]))
    assert count(chain) == 1
    itself = reported(("I94", "12:00:00"))
    itself.events[0] = itself.events[0].model_copy(update={"origin": origin(itself.events[0])})
    assert count(came(itself, "TECS")) == 1


def test_copies_of_what_is_not_connected() -> None:
    """Two that name one record are one; two of two records of one system are two, however near."""
    for same, arrivals in ((True, 1), (False, 2)):
        story = Story()
        for place, system in enumerate(("ADIS", "FALCON")):
            record = RecordRef(system="TECS", record="T1" if same else f"T{place}")
            came(story, system, day=D + 3 * place * ONE if same else D, origin=record)
        assert count(story) == arrivals
    story = came(reported(("I94", "12:00:00")), "ADIS", "12:10:00", origin=RecordRef(system="TECS", record="T1"))
    assert count(story) == 1


def test_a_copied_departure_goes_with_its_origin() -> None:
    """Told days later as if it were another one; less the first, the copy carries it."""
    story = reported(("I94", "12:00:00")).left(END)
    story.left(END + 5 * ONE, evidence=Evidence.BIOMETRIC, system="TECS", origin=origin(story.events[-1]))
    assert story.last().evidence == tuple(sorted(story.ids))
    assert story.history().unmatched_departures == ()
    apart = reported(("I94", "12:00:00")).left(END).left(END + 5 * ONE, evidence=Evidence.BIOMETRIC, system="TECS")
    assert len(apart.history().unmatched_departures) == 1


def test_two_copies_in_one_system_are_as_one_as_their_originals() -> None:
    """A copy that repeats each of two reports of one crossing is no second crossing."""
    story = reported(("I94", "12:00:00"), ("TECS", "12:09:00"))
    for original in story.events[:2]:
        came(story, "ADIS", "12:00:00", origin=origin(original))
    (stay,) = story.history().stays
    assert len(stay.reports) == 4
    two = reported(("I94", "08:00:00"), ("TECS", "17:00:00")).left(D, "12:00:00")
    for original in two.events[:2]:
        came(two, "ADIS", "12:00:00", origin=origin(original))
    assert [len(stay.reports) for stay in two.history().stays] == [2, 2]


def test_a_copied_departure_is_when_its_original_says() -> None:
    """Whatever evidence and time the copy gives; without an origin a copy counts behind those of equal evidence."""
    story = reported(("I94", "12:00:00")).left(END, "12:00:00", Evidence.MANIFEST)
    story.left(END, "14:00:00", Evidence.BIOMETRIC, system="ADIS", origin=origin(story.events[-1]))
    assert story.last().since == second(NEW_YORK, END, "12:00:00")
    assert len(story.last().evidence) == 3
    story = reported(("I94", "12:00:00")).left(END, "12:00:00", Evidence.MANIFEST)
    story.left(END, "14:00:00", Evidence.MANIFEST, system="ADIS")
    assert story.last().since == second(NEW_YORK, END, "12:00:00")
    story.left(END, "11:50:00", Evidence.INSPECTED, system="ADIS")
    assert story.last().since == second(NEW_YORK, END, "11:50:00")


def test_who_left_in_between_came_twice() -> None:
    """Each system tells of one of the two only."""
    story = came(reported(("I94", "08:00:00")), "TECS", "17:00:00")
    assert count(story) == 1
    story.left(D, "12:00:00")
    assert [stay.since for stay in story.history().stays] == [second(NEW_YORK, D, f"{at}:00:00") for at in ("08", "17")]
    assert count(came(reported(("I94", "08:00:00")), "TECS", "17:00:00", which=1).left(D, "12:00:00")) == 2
    assert count(came(reported(("I94", "08:00:00")), "TECS", "17:00:00").left(D, "12:00:00", Evidence.BOOKING)) == 1


def test_a_trip_of_one_day_stays_two_stays() -> None:
    """Out and back on one I-94 within hours, all of it told by two systems."""
    story = reported(("I94", "08:00:00"), ("TECS", "08:05:00"))
    story.left(D, "12:00:00").left(D, "12:02:00", Evidence.MANIFEST_CLOSED, system="TECS")
    for system, clock in (("TECS", "15:05:00"), ("I94", "15:00:00")):
        came(story, system, clock, until=None)
    first, later = story.history().stays
    assert [len(stay.reports) for stay in (first, later)] == [2, 2]
    assert len(first.timeline[-1].evidence) == 4
    assert story.line(0)[-1] == ("DEPARTED_IN_TIME", second(NEW_YORK, D))
    over = second(NEW_YORK, END + ONE, "00:00:00")
    assert story.line(1) == [("IN_STATUS", second(NEW_YORK, D, "15:00:00")), ("OVERSTAY_SUSPECTED", over)]


STEPS = [("CLAIMS3", 0), ("PCQS", 6)]


@pytest.mark.parametrize("steps", [STEPS, STEPS[::-1]])
def test_a_filing_and_its_decision_count_once(steps: list[tuple[str, int]]) -> None:
    """At the days of the system whose case it is, with both as evidence."""
    plain = Story().admitted(D, until=END).applied(END - ONE).applied(END + 20 * ONE, Action.DENIED)
    story = Story().admitted(D, until=END)
    for day, action in ((END - ONE, Action.FILED), (END + 20 * ONE, Action.DENIED)):
        for system, lag in steps:
            story.applied(day + lag * ONE, action, system=system)
    assert story.line() == plain.line()
    assert [len(piece.evidence) for piece in story.stay().timeline] == [1, 5, 5]


def test_what_was_granted_may_be_told_by_the_copy_alone() -> None:
    """As long as it does not contradict the case."""
    granted = END + 90 * ONE
    for admission_class, until in (("B2", granted), ("F1", END)):
        story = Story().admitted(D, until=END).applied(END - ONE)
        story.applied(END + ONE, Action.APPROVED, granted_class="B2")
        story.applied(
            END + 4 * ONE, Action.APPROVED, system="PCQS", granted_class=admission_class, granted_until=granted
        )
        assert story.stay().authorised_until == (until.isoformat() if admission_class == "B2" else None)


def test_a_lagging_copy_does_not_overturn_a_later_decision() -> None:
    """Approved, then denied after all; the copy of the approval is dated behind that. A month later it is news."""
    for lag, outcome in ((29, "OVERSTAY_SUSPECTED"), (30, "OVERSTAY_SUSPECTED"), (31, "IN_STATUS")):
        story = Story().admitted(D, until=END).applied(END - ONE)
        more = {"granted_until": END + 900 * ONE}
        story.applied(END, Action.APPROVED, **more).applied(END + 20 * ONE, Action.DENIED)
        story.applied(END + lag * ONE, Action.APPROVED, system="PCQS", **more)
        assert story.outcome(END + 400 * ONE) == outcome


def test_one_system_may_decide_twice() -> None:
    """Approved, denied, approved again: the copy of each goes with its own."""
    story = Story().admitted(D, until=END).applied(END - ONE)
    days = {0: Action.APPROVED, 10: Action.DENIED, 22: Action.APPROVED}
    for system, lag in STEPS[::-1]:
        for day, action in days.items():
            more = {"granted_until": END + (500 + day) * ONE} if action is Action.APPROVED else {}
            story.applied(END + (day + lag // 2) * ONE, action, system=system, **more)
    assert story.stay().authorised_until == (END + 522 * ONE).isoformat()
    other = Story().admitted(D, until=END).applied(END, receipt=1).applied(END, receipt=2, system="ELIS")
    assert len(other.last().evidence) == 2


def test_whose_word_counts() -> None:
    """The I-94, whoever inspected, fingerprints, whoever else; what is derived comes last."""
    order = ["I94", "TECS", "IDENT", "BCI", "SEVIS", "APIS", "ADIS"]
    assert [rules.authority("arrival", system) for system in order] == [0, 1, 2, 3, 4, 5, 6]
    assert rules.authority("arrival", "ADIS") == rules.authority("arrival", "PCQS")
    assert (
        rules.authority("extension", "ELIS")
        == rules.authority("extension", "CLAIMS3")
        < rules.authority("extension", "I94")
    )
    assert all(row.why for row in rules.AUTHORITY)


# --- laws over random crossings ---------------------------------------------------------------------------------------


def crossings(seed: int, *, all_reported: bool) -> tuple[list[AnyEvent], dict[str, int]]:
    """Events about somebody who comes and goes, and which crossing each arrival record tells of.

    `all_reported`: every system tells of every arrival, and no system of a departure. Else some tell of each arrival,
    and some of every departure in between.
    """
    rng = Random(seed)
    story = Story(rng.choice(ZONES))
    at = datetime(2025, 3, 3, rng.randrange(24), tzinfo=UTC)
    gaps = [timedelta(hours=rng.choice((3, 5, 9, 20, 30, 100, 400))) for _ in range(rng.randint(0, 4))]
    truth: dict[str, int] = {}
    everyone = ("I94", *rng.sample(("TECS", "IDENT", "ADIS"), rng.randint(1, 3)))
    for which, gap in enumerate([*gaps, timedelta(days=90)]):
        quiet = gap > timedelta(days=3) and (which == 0 or gaps[which - 1] > timedelta(days=3))
        quiet = quiet and 0 < at.astimezone(zone(story.zone)).hour < 23  # at midnight a day would be two
        port, before = rng.choice(("JFK", "EWR")), len(story.events)
        for system in everyone if all_reported else rng.sample(everyone, rng.randint(1, len(everyone))):
            when = (at + timedelta(minutes=rng.randint(-20, 20))).astimezone(zone(story.zone))
            here: dict[str, object] = {"port": rng.choice((port, None)), "carrier": rng.choice(("AA", None))}
            if system == "ADIS" and len(story.events) > before and rng.random() < 0.5:
                here = {"origin": origin(story.events[-1])}
                when += timedelta(days=rng.randint(0, 9))
            whole = quiet and "origin" not in here and rng.random() < 0.3
            came(
                story,
                system,
                None if whole else f"{when:%H:%M:%S}",
                when.date(),
                admission_class="B2",
                which=None,
                **here,
            )
            truth[story.events[-1].record] = which
        if not all_reported and which < len(gaps):
            away = (at + gap / 2).astimezone(zone(story.zone))
            evidence = rng.choice((Evidence.INSPECTED, Evidence.MANIFEST_CLOSED))
            story.left(away.date(), f"{away:%H:%M:%S}", evidence)
        at += gap
    return story.events, truth


def stays(facts: list[Fact]) -> tuple[Stay, ...]:
    """The stays of the one person."""
    (history,) = resolve.persons(Pool(facts).facts.values())
    return history.stays


def order_free(seed: int) -> None:
    """Any order gives the same bytes."""
    for all_reported in (True, False):
        facts = Story(events=crossings(seed, all_reported=all_reported)[0]).facts()
        for shuffle in range(4):
            mixed = Random(shuffle).sample(facts, len(facts))
            assert canonical(stays(mixed)) == canonical(stays(facts))


def as_many_as_there_were(seed: int) -> None:
    """Each crossing is one stay, and all of its reports and nobody else's are its evidence."""
    for all_reported in (True, False):
        events, truth = crossings(seed, all_reported=all_reported)
        actual = stays(Story(events=events).facts())
        assert len(actual) == len(set(truth.values())), (seed, all_reported)
        records = {str(event.id): event.record for event in events}
        for stay in actual:
            reported = {truth[records[one]] for one in stay.reports}
            assert len(reported) <= 1, (seed, all_reported)


def less_one_report(seed: int) -> None:
    """Taken back, a report takes its occurrence along only if nobody else tells of it."""
    events, truth = crossings(seed, all_reported=False)
    gone = Random(seed).choice([event for event in events if event.record in truth])
    taken = again(gone, number=2, operation=Operation.RETRACT)
    left = {which for record, which in truth.items() if record != gone.record}
    actual = stays(Story(events=[*events, taken]).facts()) if left else ()
    if any(event.origin == origin(gone) for event in events if isinstance(event, Arrival)):
        return  # a copy that says another day stands for itself once its original is gone
    assert len(actual) == len(left)
    assert str(gone.id) not in {one for stay in actual for piece in stay.timeline for one in piece.evidence}


def account(seed: int) -> tuple[Report, History]:
    """The yearly account of a made-up person's crossings, and the person."""
    facts = Story(events=crossings(seed, all_reported=False)[0]).facts()
    report = Report(2025, 2**40, coverage_of(EVER))
    (history,) = resolve.persons(facts)
    report.add(history)
    report.count(facts)
    return report, history


def accounted(seed: int) -> None:
    """The arrivals counted apart are as many as the occurrences."""
    report, history = account(seed)
    report.close()
    assert report.total.admissions == len(history.stays)


LAWS: tuple[Callable[[int], None], ...] = (order_free, as_many_as_there_were, less_one_report, accounted)


@pytest.mark.law(
    1,
    "random crossings reported by up to four systems, in any order: as many stays as there were crossings, "
    "with one report less too",
)
@pytest.mark.parametrize("worlds", [60, pytest.param(250, marks=pytest.mark.slow)])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law: Callable[[int], None], worlds: int) -> None:
    """In every world."""

    @settings(max_examples=worlds, deadline=None, derandomize=True, database=None)
    @given(st.integers(0, 2**20))
    def holds(seed: int) -> None:
        law(seed)

    holds()


def test_the_worlds_are_worth_it() -> None:
    """Arrivals told more than once, copies by origin, two on one day, and days without a time."""
    worlds = [crossings(seed, all_reported=False) for seed in range(200)]
    arrivals = [[event for event in events if isinstance(event, Arrival)] for events, _ in worlds]
    assert sum(len(set(truth.values())) < len(truth) for _, truth in worlds) >= 150
    assert sum(any(one.origin for one in reported) for reported in arrivals) >= 40
    assert sum(any(one.occurred_at.day for one in reported) for reported in arrivals) >= 20
    assert (
        sum(
            len({truth[one.record] for one in reported}) > 1
            for reported, (_, truth) in zip(arrivals, worlds, strict=True)
        )
        >= 100
    )


BUGS: dict[str, tuple[str, object]] = {
    "every report a crossing": ("_reported_once", lambda facts: True),
    "one system may tell twice of one": ("_sources", lambda group: set()),
    "who left in between came once": ("_left_between", lambda one, other, departures: False),
    "origin ignored": ("_repeats", lambda facts: ()),
    "only origins count": ("_near", lambda arrivals: ()),
    "the farthest first": ("_order", lambda tied, plain=occurrences._order: (tied[0], -plain(tied)[1])),
    "who came first speaks": ("_rank", lambda fact: 0),
}


@pytest.mark.law(
    1,
    planted="every report a crossing; one system twice in one; a departure in between, the origin or nearness "
    "ignored; the farthest report first; whoever came first speaks",
)
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some law notices."""
    monkeypatch.setattr(occurrences, *BUGS[bug])
    assert any(_broken(law, seed) for seed in range(150) for law in LAWS), bug


def _broken(law: Callable[[int], None], seed: int) -> bool:
    try:
        law(seed)
    except AssertionError:
        return True
    return False


@pytest.mark.law(6, planted="an account in which every report is an admission")
def test_a_lost_report_does_not_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the account counts every report as an admission."""
    monkeypatch.setattr(Report, "_occurrences", lambda self, arrivals: arrivals)
    assert any(_unbalanced(seed) for seed in range(50))


def _unbalanced(seed: int) -> bool:
    return any(account(seed)[0].problems())
