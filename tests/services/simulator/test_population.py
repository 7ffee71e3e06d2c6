"""Everything that should happen to travellers happens, and nobody is taken for somebody else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from schemas.identifiers import Identifier, Scheme
from services.simulator import Truth, simulate
from services.simulator.clock import DAY, instant, midnight, seconds, utc_day
from services.simulator.population import names, rates
from services.simulator.population.people import Numbers, Population
from services.simulator.population.plans import Crossing, Person, Span
from services.simulator.population.students import _cap_gap_end
from services.simulator.population.timeline import Kind, happenings
from services.simulator.rng import Rng
from services.simulator.systems.i94 import rates as i94_rates

pytestmark = pytest.mark.slow

PERSONS = 3_000
BRINGS = ("students", "asylum", "naturalisation", "online", "shown")
END = datetime(2026, 10, 31, 8, tzinfo=UTC)


def span() -> Span:
    end = seconds(END)
    since = end - 730 * DAY
    return Span(utc_day(since) + 1, utc_day(end) - 2, since, end, end + 2 * DAY)


@pytest.fixture(scope="module")
def persons() -> list[Person]:
    return list(Population(3, span()).draw(PERSONS))


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return simulate(tmp_path_factory.mktemp("simulation") / "run", persons=PERSONS, seed=3)


def test_every_kind_of_stay_is_there(truth: Truth) -> None:
    kinds = {*rates.LAST, *rates.LAST_WAIVER, *rates.EARLIER, *rates.EARLIER_WAIVER}
    counted = truth.counts["kinds"]
    assert counted.keys() == kinds
    assert {kind: count for kind, count in counted.items() if count < 10} == {}


def test_outcomes_are_there_in_numbers(truth: Truth) -> None:
    least = {
        "NOT_ADMITTED": 100,
        "DEPARTED_IN_TIME": 2_000,
        "DEPARTED_LATE": 400,
        "CLOSED_UNOBSERVED": 100,
        "ADJUSTED": 50,
        "IN_STATUS": 300,
        "PENDING": 100,
        "OVERSTAY_SUSPECTED": 200,
        "DEPARTURE_UNKNOWN": 80,
    }
    counted = truth.counts["outcomes"]
    assert counted.keys() == least.keys()
    assert {name: count for name, count in counted.items() if count < least[name]} == {}
    assert sum(counted.values()) == truth.counts["stays"]


def test_mistakes_and_their_mending_are_there(truth: Truth) -> None:
    i94, claims3 = truth.counts["systems"]["I94"], truth.counts["systems"]["CLAIMS3"]
    assert i94["corrections"] > 100
    assert i94["deletions"] > 40
    assert i94["extensions"] > 10
    assert claims3["filtered"] > 80
    assert claims3["changed"] > 50
    assert claims3["voided"] > 15


def test_crossings_in_all_ways_and_at_the_edges(persons: list[Person]) -> None:
    arrivals = [stay.arrival for person in persons for stay in person.stays]
    departures = [stay.departure for person in persons for stay in person.stays if stay.departure]
    assert {"A", "S", "L"} == {each.mode for each in arrivals} == {each.mode for each in departures}
    assert sum(each.second is None for each in departures) > 50
    last_days = [
        stay.departure for person in persons for stay in person.stays if stay.departure and stay.kind == "left_last_day"
    ]
    for zone in ("Pacific/Guam", "Pacific/Honolulu", "America/Los_Angeles"):
        there = [each for each in last_days if each.zone == zone]
        assert there
        if zone != "Pacific/Guam":
            assert all(utc_day(each.at) == each.day + 1 for each in there)


def test_elsewhere_the_day_of_the_place_decides(persons: list[Person]) -> None:
    """The last day where the person leaves is in time, whatever the day is at the port of entry by then."""
    dates = Counter[str]()
    for person in persons:
        for stay in person.stays:
            if stay.departure is None:
                continue
            ends = midnight(stay.last_day + 1, stay.arrival.zone)
            if stay.kind == "left_last_day_elsewhere":
                assert stay.departure.day == stay.last_day
                dates["over at the port of entry"] += stay.departure.at >= ends
            if stay.kind == "left_hours_late_elsewhere":
                assert stay.departure.day == stay.last_day + 1
                dates["not yet over there"] += stay.departure.at < ends
    assert dates["over at the port of entry"] > 20
    assert dates["not yet over there"] > 10


def test_passports_are_renewed_and_tie_by_name(persons: list[Person]) -> None:
    renewed = [person for person in persons if len({stay.passport for stay in person.stays}) > 1]
    assert len(renewed) > 50
    for person in renewed:
        assert person.given
        assert not person.birth.endswith("00")


def test_nobody_is_like_anybody_else(persons: list[Person]) -> None:
    described = {
        (frozenset(f"{person.family} {person.given}".replace("-", " ").split()), person.birth, person.citizenship)
        for person in persons
    }
    assert len(described) == PERSONS
    documents = Counter(
        text
        for person in persons
        for text in {
            *(f"{stay.passport.state}{stay.passport.number}" for stay in person.stays),
            *(stay.number for stay in person.stays if stay.number),
            *(each.new_number for stay in person.stays for each in stay.applications if each.new_number),
            *(each.receipt for stay in person.stays for each in stay.applications if each.receipt),
            *filter(None, (person.foil, person.a_number)),
        }
    )
    assert max(documents.values()) == 1


def test_a_name_that_is_both_names_does_not_tell_alone_who_it_is(persons: list[Person]) -> None:
    person = next(each for each in persons if names.plain(each))
    assert not names.plain(replace(person, given=person.family))
    assert not names.plain(replace(person, given=""))
    assert not names.plain(replace(person, birth=person.birth[:6] + "00"))


def test_families_travel_together(persons: list[Person]) -> None:
    """With passports in sequence, numbers of their own, and the same departure."""
    pairs = [
        (one, other)
        for one, other in pairwise(persons)
        if other.stays[0].family_passport == one.stays[0].passport and one.stays[0].family_passport is not None
    ]
    assert len(pairs) > 0.04 * PERSONS
    for one, other in pairs:
        assert (one.citizenship, one.foil == "") == (other.citizenship, other.foil == "")
        assert one.given != other.given or one.birth != other.birth
        for mine, theirs in zip(one.stays, other.stays, strict=True):
            assert 0 <= theirs.arrival.at - mine.arrival.at <= 240
            assert mine.departure == theirs.departure
            assert int(theirs.passport.number[-8:]) == int(mine.passport.number[-8:]) + 1
            assert (mine.number == theirs.number) == (mine.number == "")


def test_names_are_as_frequent_as_in_their_countries(persons: list[Person]) -> None:
    rng = Rng(1)
    for code, name, share in (
        ("KOR", "KIM", 0.215),
        ("VNM", "NGUYEN", 0.315),
        ("CHN", "WANG", 0.075),
        ("D", "MUELLER", 0.009),
    ):
        drawn = Counter(names.BY_CODE[code].families.draw(rng) for _ in range(20_000))
        assert drawn[name] / 20_000 == pytest.approx(share, rel=0.2)
    rare = {names.BY_CODE["D"].families.draw(rng) for _ in range(20_000)} - {*names.BY_CODE["D"].families.frequent}
    assert len(rare) > 5_000  # most have a name that few have
    assert len({person.family for person in persons if person.citizenship == "D"}) > 100
    assert all(person.family == person.family.upper() for person in persons)


def test_what_happened_to_a_person_is_in_order(persons: list[Person]) -> None:
    kinds: Counter[Kind] = Counter()
    for person in (*persons, *Population(3, span(), BRINGS).draw(500)):
        happened = happenings(person, span())
        assert [each.day for each in happened] == sorted(each.day for each in happened)
        kinds.update(each.kind for each in happened)
        for visa in person.visas:
            assert visa.issued < person.stays[0].arrival.day < visa.expires
    assert kinds.keys() == {*Kind}
    assert kinds[Kind.ENTERED] + kinds[Kind.REFUSED] >= PERSONS


def test_trips_follow_one_another(persons: list[Person]) -> None:
    for person in persons:
        for stay, later in pairwise(person.stays):
            assert stay.arrival.at < later.arrival.at
            assert stay.departure is None or stay.arrival.at < stay.departure.at < later.arrival.at


def test_numbers_are_of_their_schemes() -> None:
    numbers = Numbers()
    for _ in range(2_000):
        Identifier.of(Scheme.I94, numbers.i94())
        Identifier.of(Scheme.VISA, numbers.foil())
        Identifier.of(Scheme.RECEIPT, numbers.receipt())
        Identifier.of(Scheme.A_NUMBER, numbers.alien())
        Identifier.of(Scheme.ESTA, numbers.esta())
        Identifier.of(Scheme.CASE, numbers.case(), "EARM")
        Identifier.of(Scheme.CASE, numbers.asylum(), "RAPS")
        Identifier.of(Scheme.SUBJECT, numbers.subject(), "EID")
        Identifier.of(Scheme.VISA_APPLICATION, numbers.visa_application())
        Identifier.of(Scheme.BOOKING, numbers.booking(), "AA")
        passport = numbers.passport("GBR")
        Identifier.of(Scheme.PASSPORT, passport.number, passport.state)


def test_a_smaller_population_begins_alike(persons: list[Person]) -> None:
    assert list(Population(3, span()).draw(20)) == persons[:20]


def test_rates_are_written(truth: Truth, tmp_path: Path) -> None:
    assert truth.counts["rates"]["day_only"] == rates.DAY_ONLY
    assert truth.counts["rates"]["I94"]["reported_late"] == i94_rates.REPORTED_LATE
    assert Truth.read(truth.directory).counts == truth.counts


def test_a_crossing_on_a_day_only_is_the_day_s_beginning(persons: list[Person]) -> None:
    for person in persons:
        for stay in person.stays:
            crossing: Crossing | None = stay.departure
            if crossing is not None and crossing.second is None:
                assert crossing.at == instant(crossing.day, 0, crossing.zone)


def test_students_of_every_kind_are_there(tmp_path: Path) -> None:
    kinds: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for seed in (1, 2):
        counted = simulate(tmp_path / str(seed), persons=PERSONS, seed=seed, systems=("I94", "CLAIMS3", "SEVIS")).counts
        kinds.update(counted["kinds"])
        outcomes.update(counted["outcomes"])
    students = {kind: count for kind, count in kinds.items() if kind.startswith("student")}
    assert students.keys() == {*rates.STUDENT, "student_vacation"}
    assert {kind: count for kind, count in students.items() if count < 3} == {}
    assert min(outcomes[name] for name in ("IN_GRACE", "TERMINATED", "UNDETERMINED")) > 10


def test_programs_lie_around_their_stays() -> None:
    classes: Counter[str] = Counter()
    for person in Population(3, span(), BRINGS).draw(PERSONS):
        for stay in person.stays:
            if not stay.student:
                continue
            classes[stay.admission_class] += 1
            assert (stay.last_day == 0) == stay.duration
            if stay.program is None:
                continue
            assert stay.program.issued < stay.arrival.day
            assert all(step.processed <= span().last and step.mended <= span().last for step in stay.program.steps)
            Identifier.of(Scheme.SEVIS, stay.program.sevis_id)
    assert min(classes.values()) > 20
    assert classes.keys() == rates.STUDENT_CLASS.keys()


def test_a_cap_gap_ends_as_the_law_of_its_day_says() -> None:
    for ends, last in (
        (date(2024, 6, 1), date(2024, 10, 1)),
        (date(2025, 6, 1), date(2026, 4, 1)),
        (date(2025, 11, 1), date(2027, 4, 1)),
    ):
        assert _cap_gap_end(ends.toordinal()) == last.toordinal()
