"""Documents and cases of the population: for whom they are, in which order their days lie, under which numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from schemas.identifiers import Identifier, Scheme
from schemas.ports import is_post
from services.simulator.clock import DAY, seconds, utc_day
from services.simulator.log import PersonLog, day_only
from services.simulator.population import ports
from services.simulator.population.cases import CHARGED, EXPELLED
from services.simulator.population.people import Population
from services.simulator.population.plans import Crossing, Person, Span
from services.simulator.population.timeline import Kind, happenings
from services.simulator.rng import Rng
from services.simulator.source import MOST_MINUTES, Clock

pytestmark = pytest.mark.slow

PERSONS = 4_000
END = datetime(2026, 10, 31, 8, tzinfo=UTC)
SPAN = Span(
    utc_day(seconds(END) - 730 * DAY) + 1,
    utc_day(seconds(END)) - 2,
    seconds(END) - 730 * DAY,
    seconds(END),
    seconds(END) + 2 * DAY,
)
BRINGS = ("students", "asylum", "naturalisation", "online", "shown")


@pytest.fixture(scope="module")
def persons() -> list[Person]:
    return list(Population(5, SPAN, BRINGS).draw(PERSONS))


def in_order(*days: int) -> bool:
    """Whether the days that there are follow one another."""
    there = [day for day in days if day]
    return there == sorted(there)


def test_numbers_are_unique_and_of_their_schemes(persons: list[Person]) -> None:
    numbers: Counter[str] = Counter()
    for person in persons:
        for scheme, value, issuer in numbers_of(person):
            numbers[Identifier.of(scheme, value, issuer).text] += 1
    assert max(numbers.values()) == 1
    schemes = {text.partition("/")[0] for text in numbers}
    assert schemes == {"a_number", "fin", "subject", "case", "visa_application", "esta", "booking", "receipt"}
    assert all(len(text) == len("esta/CBP/") + 16 and text[9:].isdigit() for text in numbers if text[:5] == "esta/")


def numbers_of(person: Person) -> Iterator[tuple[Scheme, str, str]]:
    """Yield all that the person has of numbers which are not on the border's papers."""
    for scheme, value in ((Scheme.A_NUMBER, person.a_number), (Scheme.FIN, person.fin)):
        if value:
            yield scheme, value, ""
    if person.subject:
        yield Scheme.SUBJECT, person.subject, "EID"
    for removal in filter(None, (person.removal,)):
        yield Scheme.CASE, removal.case, "EARM"
        yield Scheme.CASE, removal.event, "EID"
    for asylum in filter(None, (person.asylum,)):
        yield Scheme.CASE, asylum.case, "RAPS"
    for citizen in filter(None, (person.naturalisation,)):
        yield Scheme.RECEIPT, citizen.receipt, ""
    for visa in person.visas:
        yield Scheme.VISA_APPLICATION, visa.application, ""
    for esta in person.estas:
        yield Scheme.ESTA, esta.number, ""
    for stay in person.stays:
        if stay.booking:
            yield Scheme.BOOKING, stay.booking, "AA"
        for application in stay.applications:
            if application.receipt:
                yield Scheme.RECEIPT, application.receipt, ""


def test_whoever_has_a_case_has_a_number_as_an_alien(persons: list[Person]) -> None:
    for person in persons:
        adjusts = any(each.form == "I-485" for stay in person.stays for each in stay.applications)
        case = person.removal or person.asylum or person.naturalisation
        assert (person.a_number != "") == bool(adjusts or case)
        assert (person.subject != "") == (person.removal is not None)
    assert len({person.fin for person in persons} - {""}) > 0.8 * PERSONS
    young = [person for person in persons if person.birth[:4] > "2011"]
    assert young
    assert not any(person.fin for person in young if person.stays[0].arrival.day < seconds_day("2025-01-01"))


def seconds_day(text: str) -> int:
    return datetime.fromisoformat(text).toordinal()


def test_removals_end_late_stays_or_stay_open(persons: list[Person]) -> None:
    counted: Counter[str] = Counter()
    for person in persons:
        removal, last = person.removal, person.stays[-1]
        executed = [stay.departure for stay in person.stays if stay.departure is not None and stay.departure.removed]
        if removal is None:
            assert not executed
            continue
        assert last.arrival.day < removal.arrested == removal.booked
        assert in_order(removal.arrested, removal.charged, removal.ordered or removal.ended, removal.executed)
        assert in_order(removal.booked, removal.released, removal.executed)
        assert max(removal.ordered, removal.ended, removal.charged, removal.released) <= SPAN.last
        assert not (removal.executed and removal.ended)
        if removal.executed:
            assert last.kind in EXPELLED
            assert [last.departure] == executed
            assert last.departure is not None
            assert last.departure.day == removal.executed
        else:
            assert last.kind in CHARGED
            assert last.departure is None
        for name in ("released", "ordered", "executed", "ended"):
            counted[name] += getattr(removal, name) > 0
        counted["open"] += not (removal.executed or removal.ended)
    assert min(counted.values()) >= 10
    assert len(counted) == 5


def test_asylum_lies_in_a_stay(persons: list[Person]) -> None:
    decisions: Counter[str] = Counter()
    left = 0
    for person in persons:
        asylum, last = person.asylum, person.stays[-1]
        if asylum is None:
            continue
        decisions[asylum.decision] += 1
        left += last.departure is not None
        assert person.removal is None
        assert last.inspection == "A"
        assert in_order(last.arrival.day, asylum.filed, asylum.interviewed, asylum.decided)
        assert (asylum.decided != 0) == (asylum.decision != "")
        assert max(asylum.filed, asylum.interviewed, asylum.decided) <= SPAN.last
        assert last.departure is None or asylum.filed <= last.last_day < last.departure.day
    assert decisions.keys() == {"", "granted", "referred", "denied"}
    assert min(decisions.values()) >= 5
    assert left > 0


def test_who_has_become_a_resident_or_serves_may_become_a_citizen(persons: list[Person]) -> None:
    decisions: Counter[str] = Counter()
    served = oaths = 0
    for person in persons:
        citizen = person.naturalisation
        if citizen is None:
            continue
        approved = [each for each in person.stays[-1].applications if each.decision == "approved"]
        assert approved
        resident = any(each.form == "I-485" for each in approved)
        served += not resident
        oaths += citizen.oath > 0
        decisions[citizen.decision] += 1
        assert in_order(citizen.filed, citizen.interviewed, citizen.decided, citizen.oath)
        assert not citizen.oath or citizen.decision == "granted"
        assert max(citizen.filed, citizen.interviewed, citizen.decided, citizen.oath) <= SPAN.last
    assert decisions.keys() == {"", "granted", "denied"}
    assert min(served, oaths) >= 5


def test_each_passport_of_the_waiver_has_its_authorisation(persons: list[Person]) -> None:
    outcomes: Counter[str] = Counter()
    revoked = 0
    for person in persons:
        waiver = person.stays[0].waiver
        assert (person.estas != ()) == waiver
        for esta in person.estas:
            outcomes[esta.outcome] += 1
            revoked += esta.revoked > 0
            assert (esta.decided == 0) == (esta.outcome == "pending")
            assert not esta.expires or esta.decided < esta.expires <= min(esta.decided + 730, esta.passport.expires)
        for stay in person.stays if waiver else ():
            assert any(
                esta.passport == stay.passport and esta.decided < stay.arrival.day <= esta.expires
                for esta in person.estas
            )
    assert outcomes.keys() == {"approved", "denied", "pending"}
    assert min(*outcomes.values(), revoked) >= 3


def test_visas_are_asked_for_at_a_post(persons: list[Person]) -> None:
    for person in persons:
        for visa in person.visas:
            assert visa.applied < visa.issued
            assert is_post(visa.post)
            assert len(visa.application) == 10


def test_flights_have_a_booking_and_land_crossings_a_port_of_canada(persons: list[Person]) -> None:
    ports_abroad: Counter[str] = Counter()
    for person in persons:
        for stay in person.stays:
            modes = {stay.arrival.mode, stay.departure.mode if stay.departure else ""}
            assert (stay.booking != "") == ("A" in modes)
            assert stay.arrival.foreign_port == ""
            if stay.departure is not None:
                canada = stay.departure.mode == "L" and stay.departure.port in ports.INTO_CANADA
                assert (stay.departure.foreign_port != "") == canada
                ports_abroad[stay.departure.foreign_port] += 1
    assert ports_abroad.keys() == {"", *ports.INTO_CANADA.values()}


def test_some_have_left_unreported_and_can_show_it(persons: list[Person]) -> None:
    left = [stay for person in persons for stay in person.stays if stay.proof]
    assert len(left) >= 10
    for stay in left:
        assert not stay.seen
        assert stay.departure is not None
        assert stay.arrival.at < stay.departure.at
        assert stay.departure.day <= SPAN.last
    early = [stay.departure is not None and stay.departure.day <= stay.last_day for stay in left]
    assert 0 < sum(early) < len(early)


def test_cases_exist_only_where_they_are_brought(persons: list[Person]) -> None:
    plain = list(Population(5, SPAN, ["students"]).draw(PERSONS))
    assert not any(person.asylum or person.naturalisation for person in plain)
    assert not any(each.online for person in plain for stay in person.stays for each in stay.applications)
    assert any(each.online for person in persons for stay in person.stays for each in stay.applications)
    assert [person.stays[0].number for person in plain] == [person.stays[0].number for person in persons]
    assert [person.removal for person in plain] == [person.removal for person in persons]


def test_nothing_of_a_case_is_behind_the_records(persons: list[Person]) -> None:
    kinds: Counter[Kind] = Counter()
    for person in persons:
        for each in happenings(person, SPAN):
            kinds[each.kind] += 1
            assert each.day <= utc_day(SPAN.records_end)
    assert kinds[Kind.ASYLUM_FILED] == sum(person.asylum is not None for person in persons)
    assert kinds[Kind.OATH] == sum(bool(person.naturalisation and person.naturalisation.oath) for person in persons)


def flight(second: int | None = 43_200, day: int = 739_000) -> Crossing:
    return Crossing("JFK", "America/New_York", "A", day, second, 1_700_000_000)


def test_a_clock_of_its_own_differs_by_minutes_on_the_same_day() -> None:
    clock = Clock(Rng(1))
    seen = Counter(clock.of(flight()).at - 1_700_000_000 for _ in range(2_000))
    assert seen[0] > 900
    assert {abs(each) // 60 for each in seen} == {*range(MOST_MINUTES + 1)}
    for _ in range(200):
        seen_at = clock.of(flight(60))
        assert seen_at.day == 739_000
        assert seen_at.second is not None
        assert seen_at.second >= 0
        assert seen_at.at - 1_700_000_000 == seen_at.second - 60
    assert {clock.of(flight(None)).at for _ in range(50)} == {1_700_000_000}


def test_the_strongest_evidence_says_when_a_departure_was(persons: list[Person]) -> None:
    person = next(each for each in persons if each.stays[-1].departure is not None)
    index = len(person.stays) - 1
    log = PersonLog(person, SPAN)
    departure = person.stays[-1].departure
    assert departure is not None
    assert log.believed(index) == departure
    log.departed(index, "APIS", "A", "manifest", Clock(Rng(2)).of(flight()))
    log.departed(index, "I94", "B", "inspected", flight(1))
    log.departed(index, "EARM", "C", "removal", day_only(flight()))
    assert log.believed(index) == flight(1)
    assert [each.system for each in log.departures[index]] == ["APIS", "I94", "EARM"]


def test_a_day_alone_begins_where_its_zone_says() -> None:
    there = day_only(flight(), "Pacific/Honolulu")
    here = day_only(flight())
    assert there.second is here.second is None
    assert there.at - here.at in (5 * 3600, 6 * 3600)
