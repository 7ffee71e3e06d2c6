"""The synthetic population: persons drawn one after another from one seed, each with the trips of some years.

Trips are laid out backwards from the last one, whose kind may have to lie close to the end of the records.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.simulator.clock import DAY, changes, end_of
from services.simulator.population import names, ports, rates
from services.simulator.population.cases import Cases
from services.simulator.population.documents import Documents
from services.simulator.population.names import Origin, plain
from services.simulator.population.numbers import Numbers
from services.simulator.population.plans import Application, Crossing, Passport, Person, Span, Stay
from services.simulator.population.students import Students
from services.simulator.rng import Choice, Rng
from services.simulator.truth.verdict import WAIVER_DAYS

SIX_MONTHS = 182
FIRST_BIRTH, LAST_BIRTH = date(1935, 1, 1).toordinal(), date(2012, 12, 31).toordinal()
LONGEST_GAP, SHORTEST_GAP = 240, 25


@dataclass(frozen=True, slots=True)
class Frame:
    """What is fixed of a stay before its days are: who, where, which class, how long."""

    admission_class: str
    port: str
    zone: str
    mode: str
    length: int  # last day minus day of arrival


Shape = tuple[int, int | None, tuple[Application, ...]]
"""Day of arrival, day of departure (None: still here) and the applications; the crossing itself is drawn after."""


class Population:
    """Draws persons. Equal seeds draw equal persons, whatever their number.

    `brings` are the parts that exist only where a system that tells of them is written.
    """

    def __init__(self, seed: int, span: Span, brings: Collection[str] = ()) -> None:
        self._rng = Rng(seed)
        self._span = span
        self._numbers = Numbers()
        self._students = Students(seed, span, self._numbers) if "students" in brings else None
        self._documents = Documents(seed, span, self._numbers)
        self._cases = Cases(seed, span, self._numbers, brings)
        self._families = Rng(f"families {seed}")
        self._taken: set[int] = set()
        self._trips = Choice(dict(enumerate(rates.TRIPS, start=1)))
        self._origins = {
            waiver: Choice({origin: origin.weight for origin in origins})
            for waiver, origins in ((True, names.WAIVER), (False, names.VISA))
        }
        self._last = {True: Choice(rates.LAST_WAIVER), False: Choice(rates.LAST)}
        self._earlier = {True: Choice(rates.EARLIER_WAIVER), False: Choice(rates.EARLIER)}

    def draw(self, persons: int) -> Iterator[Person]:
        """Yield that many persons. A member of a family who travels along comes directly behind the other one."""
        companion: Person | None = None
        for number in range(1, persons + 1):
            if companion is not None:
                person, companion = companion, None
            else:
                person = self._person(number)
                person, companion = self._with_family(person)
            yield self._documents.add(self._cases.add(person))

    def _person(self, number: int) -> Person:
        if self._students is not None and self._rng.chance(rates.STUDENTS):
            return self._student(number, self._students)
        waiver = not self._rng.chance(rates.VISITORS)
        origin = self._origins[waiver].draw(self._rng.random)
        sex = "F" if self._rng.chance(0.5) else "M"
        family, given, birth = self._named(origin, sex)
        if self._rng.chance(rates.SEX_X):
            sex = "X"
        whole = given not in ("", family) and not birth.endswith("00")
        # a visa is in both passports; without one only a rare name tells a renewed passport from a namesake's
        stays = self._journeys(
            waiver, origin.code, renews=whole and (not waiver or family not in origin.families.frequent)
        )
        adjusts = any(each.form == "I-485" for stay in stays for each in stay.applications)
        foil = "" if waiver else self._numbers.foil()
        alien = self._numbers.alien() if adjusts else ""
        return Person(number, family, given, birth, sex, origin.code, foil, alien, stays)

    def _student(self, number: int, students: Students) -> Person:
        origin = self._origins[self._rng.chance(0.3)].draw(self._rng.random)
        sex = "F" if self._rng.chance(0.5) else "M"
        family, given, birth = self._named(origin, sex)
        stays = students.stays(self._numbers.passport(origin.code))
        return Person(number, family, given, birth, sex, origin.code, self._numbers.foil(), "", stays)

    def _named(self, origin: Origin, sex: str) -> tuple[str, str, str]:
        """Return a name and date of birth that no other person of this citizenship has, in any order of the names."""
        while True:
            family = origin.families.draw(self._rng)
            if origin.code in names.TWO_FAMILY_NAMES or (origin.code == "BRA" and self._rng.chance(0.5)):
                family = f"{family} {origin.families.draw(self._rng)}"
            given = _given(origin, sex, self._rng)
            birth = date.fromordinal(self._rng.between(FIRST_BIRTH, LAST_BIRTH)).strftime("%Y%m%d")
            if self._rng.chance(rates.LONG_NAME):
                family = f"{family} {names.LONG}"
            elif self._rng.chance(rates.SINGLE_NAME):
                given = ""
            elif self._rng.chance(rates.PARTIAL_BIRTH):
                birth = birth[:6] + "00" if self._rng.chance(0.6) else birth[:4] + "0000"
            if self._new(family, given, birth, origin.code):
                return family, given, birth

    def _new(self, family: str, given: str, birth: str, citizenship: str) -> bool:
        """Take a name with a date of birth; return whether it was free.

        Two persons of one name must differ by the date of birth also where one of them has names cut or twice.
        """
        key = hash_of(f"{family} {given}", birth, citizenship)
        free = key not in self._taken
        self._taken.add(key)
        return free

    def _with_family(self, person: Person) -> tuple[Person, Person | None]:
        """Return the person, and now and then a member of the family who is on all trips, too."""
        rng = self._families
        alone = any(stay.applications or stay.student for stay in person.stays) or not plain(person)
        if not rng.chance(rates.FAMILY) or alone or person.birth > "1995":
            return person, None
        origin = names.BY_CODE[person.citizenship]
        sex = "M" if person.sex == "F" else "F"
        while True:
            apart = rng.between(-2_000, 2_000) if rng.chance(0.6) else rng.between(8_000, 12_000)
            birth = (date(*_parts(person.birth)) + timedelta(days=apart)).strftime("%Y%m%d")
            family = person.family if rng.chance(0.75) else origin.families.draw(rng)
            given = _given(origin, sex, rng)
            if self._new(family, given, birth, person.citizenship):
                break
        passports = {stay.passport: self._numbers.following(stay.passport) for stay in person.stays}
        mine = tuple(replace(stay, family_passport=passports[stay.passport]) for stay in person.stays)
        theirs = tuple(self._beside(stay, passports[stay.passport]) for stay in person.stays)
        foil = self._numbers.foil() if person.foil else ""
        other = Person(person.number + 1, family, given, birth, sex, person.citizenship, foil, "", theirs)
        return replace(person, stays=mine), other

    def _beside(self, stay: Stay, passport: Passport) -> Stay:
        """Return the stay of a member of the family: inspected minutes later, gone at the same time."""
        later = 60 * self._families.between(1, 4)
        arrival = stay.arrival
        if arrival.second is not None and arrival.second + later < DAY and not changes(arrival.day, arrival.zone):
            arrival = replace(arrival, second=arrival.second + later, at=arrival.at + later)
        number = self._numbers.i94() if stay.number else ""
        return replace(stay, arrival=arrival, number=number, passport=passport, family_passport=stay.passport)

    def _journeys(self, waiver: bool, state: str, *, renews: bool) -> tuple[Stay, ...]:
        count = self._trips.draw(self._rng.random)
        stays: list[Stay] = []
        passport = self._numbers.passport(state)
        renewal = self._rng.between(1, count - 1) if renews and count > 1 and self._rng.chance(rates.RENEWED) else 0
        next_arrival = 0
        for index in range(count):
            if index and index == renewal:
                passport = self._numbers.passport(state)
            kinds = self._earlier if index else self._last
            stay = self._stay(kinds[waiver].draw(self._rng.random), waiver, passport, next_arrival)
            if stay is None:
                break
            stays.append(stay)
            next_arrival = stay.arrival.day
        return tuple(reversed(stays))

    def _frame(self, waiver: bool) -> Frame:
        business = self._rng.chance(rates.BUSINESS)
        roll = self._rng.random.random()
        if roll < rates.BY_SEA:
            port, mode = self._rng.one(ports.SEA), "S"
        elif roll < rates.BY_SEA + rates.BY_LAND:
            port, mode = self._rng.one(ports.LAND), "L"
        else:
            port, mode = self._rng.one(ports.AIR), "A"
        if waiver:
            return Frame("WB" if business else "WT", port, ports.ZONES[port], mode, WAIVER_DAYS - 1)
        length = self._rng.between(20, 120) if business else SIX_MONTHS
        return Frame("B-1" if business else "B-2", port, ports.ZONES[port], mode, length)

    def _stay(self, kind: str, waiver: bool, passport: Passport, next_arrival: int) -> Stay | None:
        """A stay of that kind, before the next one or (without one) as the last; None where the records begin later."""
        frame = self._frame(waiver)
        limit = next_arrival - self._rng.between(SHORTEST_GAP, LONGEST_GAP) if next_arrival else 0
        arrived, left, applications = SHAPES[kind](self, frame, limit)
        if arrived < self._span.first:
            if next_arrival:
                return None
            kind = "present"
            arrived, left, applications = SHAPES[kind](self, frame, 0)
        arrival = self._rng.crossing(frame.port, frame.mode, arrived)
        refused = kind == "refused"
        return Stay(
            kind=kind,
            inspection=("R" if self._rng.chance(0.6) else "W") if refused else "A",
            admission_class=frame.admission_class,
            arrival=arrival,
            number="" if refused else self._numbers.i94(),
            last_day=arrived + frame.length,
            departure=self._leaving(kind, frame, left),
            seen=kind != "unobserved",
            applications=applications,
            passport=passport,
        )

    def _leaving(self, kind: str, frame: Frame, day: int | None) -> Crossing | None:
        if day is None:
            return None
        # a preclearance port is abroad: the departure is elsewhere
        abroad = frame.port in ports.ABROAD
        if kind == "left_last_day":
            # an hour before midnight at the port: in Guam, Honolulu and the west UTC has another day
            second = self._rng.between(22 * 3600, DAY - 60)
            return self._rng.crossing("JFK" if abroad else frame.port, "A" if abroad else frame.mode, day, second)
        if kind == "left_last_day_elsewhere":
            # the last day where the person leaves, when at the port of entry it is often over
            return self._rng.crossing(ports.WESTWARD.get(frame.zone, "GUM"), "A", day, DAY - 1800)
        if kind == "left_hours_late_elsewhere":
            # the day after where the person leaves, when at the port of entry the last one often still runs
            return self._rng.crossing(ports.EASTWARD.get(frame.zone, "GUM"), "A", day, 900)
        if kind == "left_one_day_late":
            second = self._rng.between(60, 4 * 3600)
            return self._rng.crossing("JFK" if abroad else frame.port, "A" if abroad else frame.mode, day, second)
        mode = frame.mode
        port = frame.port if mode != "A" or self._rng.chance(0.5) else self._rng.one(ports.OUT)
        return self._rng.crossing(
            "JFK" if port in ports.ABROAD else port, mode, day, day_only=self._rng.chance(rates.DAY_ONLY)
        )

    def _somewhere(self, limit: int, reach: int) -> int:
        """Return a day of arrival whose stay, `reach` days long, lies in the records, or ends on `limit`."""
        if limit:
            return limit - reach
        return self._rng.between(self._span.first, max(self._span.first, self._span.last - reach))

    def _left(self, limit: int, days: int, *applications: Application) -> Shape:
        arrived = self._somewhere(limit, days)
        moved = tuple(_moved(each, arrived) for each in applications)
        return arrived, arrived + days, moved

    def _in_time(self, frame: Frame, limit: int) -> Shape:
        return self._left(limit, self._rng.between(3, min(frame.length - 1, 28)))

    def _last_day(self, frame: Frame, limit: int) -> Shape:
        return self._left(limit, frame.length)

    def _next_day(self, frame: Frame, limit: int) -> Shape:
        return self._left(limit, frame.length + 1)

    def _late(self, frame: Frame, limit: int) -> Shape:
        return self._left(limit, frame.length + self._rng.between(2, 90))

    def _unobserved(self, frame: Frame, limit: int) -> Shape:
        return self._left(limit, self._rng.between(3, frame.length + (20 if self._rng.chance(0.2) else -1)))

    def _refused(self, frame: Frame, limit: int) -> Shape:
        return self._somewhere(limit, 0), None, ()

    def _present(self, frame: Frame, limit: int) -> Shape:
        gone = self._rng.between(1, frame.length - 6)
        arrived = self._span.last - gone
        return arrived, None, ()

    def _overstay(self, frame: Frame, limit: int) -> Shape:
        return self._somewhere(0, frame.length + 3), None, ()

    def _uncovered(self, frame: Frame, limit: int) -> Shape:
        """Over after the last covered instant and before the question."""
        last = self._span.last - 2
        while end_of(last, frame.zone) <= self._span.records_end:
            last += 1
        if end_of(last + 1, frame.zone) <= self._span.as_of and self._rng.chance(0.5):
            last += 1
        return last - frame.length, None, ()

    def _request(self, frame: Frame, filed: int, decision: str = "", decided: int = 0, more: int = 0) -> Application:
        """Return an application to extend; days count from the arrival."""
        granted = frame.length + (more or self._rng.between(60, 180))
        approved = decision == "approved"
        return Application(
            form="I-539",
            receipt=self._numbers.receipt(),
            filed=filed,
            decision=decision,
            decided=decided,
            asked_until=granted,
            granted_until=granted if approved else 0,
            new_number=self._numbers.i94() if approved else "",
        )

    def _timely(self, frame: Frame) -> int:
        """Return a day of filing in time; one in five on the very last day."""
        return frame.length if self._rng.chance(0.2) else frame.length - self._rng.between(1, min(45, frame.length - 2))

    def _extended_left(self, frame: Frame, limit: int) -> Shape:
        filed = self._timely(frame)
        request = self._request(frame, filed, "approved", filed + self._rng.between(20, 60))
        low = max(request.decided, frame.length) + 1
        left = self._rng.between(min(low, request.granted_until), request.granted_until)
        return self._left(limit, left, request)

    def _extended_late(self, frame: Frame, limit: int) -> Shape:
        filed = self._timely(frame)
        request = self._request(frame, filed, "approved", filed + self._rng.between(20, 55), 60)
        return self._left(limit, request.granted_until + self._rng.between(1, 30), request)

    def _near_end(self, frame: Frame, low: int, high: int) -> int:
        """Return a day of arrival such that the last day lies `low` to `high` days before the end of the records."""
        return self._span.last - frame.length - self._rng.between(low, high)

    def _extended_present(self, frame: Frame, limit: int) -> Shape:
        filed = self._timely(frame)
        request = self._request(frame, filed, "approved", filed + self._rng.between(10, 35), self._rng.between(90, 180))
        arrived = self._near_end(frame, 36, 80)
        return arrived, None, (_moved(request, arrived),)

    def _extended_by_cbp(self, frame: Frame, limit: int) -> Shape:
        decided = frame.length - self._rng.between(1, 10)
        by_owner = Application(
            "I-94",
            "",
            decided,
            "approved",
            decided,
            granted_until=frame.length + 30,
        )
        return self._left(limit, frame.length + self._rng.between(1, 40), by_owner)

    def _pending(self, frame: Frame, limit: int) -> Shape:
        arrived = self._near_end(frame, 1, 120)
        return arrived, None, (_moved(self._request(frame, self._timely(frame)), arrived),)

    def _second_pending(self, frame: Frame, limit: int) -> Shape:
        filed = self._timely(frame)
        first = self._request(frame, filed, "approved", filed + self._rng.between(10, 30), 60)
        again = frame.length + 60
        second = self._request(frame, again - self._rng.between(0, 25), more=200)
        arrived = self._span.last - again - self._rng.between(1, 40)
        return arrived, None, (_moved(first, arrived), _moved(second, arrived))

    def _healed(self, frame: Frame, limit: int) -> Shape:
        filed = frame.length + self._rng.between(1, 20)
        request = self._request(frame, filed, "approved", filed + self._rng.between(10, 40), 170)
        arrived = self._near_end(frame, 62, 100)
        return arrived, None, (_moved(request, arrived),)

    def _denied_after(self, frame: Frame) -> Application:
        return self._request(frame, self._timely(frame), "denied", frame.length + self._rng.between(10, 70))

    def _denied_left_before(self, frame: Frame, limit: int) -> Shape:
        request = self._denied_after(frame)
        return self._left(limit, self._rng.between(frame.length + 1, request.decided), request)

    def _denied_left_after(self, frame: Frame, limit: int) -> Shape:
        request = self._denied_after(frame)
        return self._left(limit, request.decided + self._rng.between(1, 30), request)

    def _denied_present(self, frame: Frame, limit: int) -> Shape:
        arrived = self._near_end(frame, 75, 200)
        return arrived, None, (_moved(self._denied_after(frame), arrived),)

    def _denied_early_left(self, frame: Frame, limit: int) -> Shape:
        request = self._request(frame, 5, "denied", frame.length - self._rng.between(1, min(10, frame.length - 6)))
        return self._left(limit, frame.length + self._rng.between(-1, 5), request)

    def _withdrawn_left(self, frame: Frame, limit: int) -> Shape:
        request = self._request(frame, self._timely(frame), "withdrawn", frame.length + self._rng.between(5, 30))
        return self._left(limit, request.decided + self._rng.between(-4, 4), request)

    def _filed_late(self, frame: Frame) -> Application:
        filed = frame.length + self._rng.between(1, 10)
        if self._rng.chance(0.5):
            return self._request(frame, filed)
        return self._request(frame, filed, "denied", filed + self._rng.between(10, 50))

    def _filed_late_left(self, frame: Frame, limit: int) -> Shape:
        request = self._filed_late(frame)
        return self._left(limit, request.filed + self._rng.between(1, 60), request)

    def _filed_late_present(self, frame: Frame, limit: int) -> Shape:
        arrived = self._near_end(frame, 15, 90)
        return arrived, None, (_moved(self._filed_late(frame), arrived),)

    def _no_extension_left(self, frame: Frame, limit: int) -> Shape:
        request = self._request(frame, frame.length - self._rng.between(1, 30))
        left = frame.length + self._rng.between(-5, 30)
        # asked for while there: who files after a flight was not on it
        return self._left(limit, max(left, request.filed + 1), request)

    def _no_extension_present(self, frame: Frame, limit: int) -> Shape:
        arrived = self._near_end(frame, 3, 90)
        return arrived, None, (_moved(self._request(frame, frame.length - self._rng.between(1, 30)), arrived),)

    def _changed_class(self, frame: Frame, limit: int) -> Shape:
        filed = self._timely(frame)
        decided = filed + self._rng.between(15, 60)
        petition = Application(
            form="I-129",
            receipt=self._numbers.receipt(),
            filed=filed,
            decision="approved",
            decided=decided,
            asked_class="H-1B",
            asked_until=frame.length + 1095,
            granted_class="H-1B",
            granted_until=frame.length + 1095,
            new_number=self._numbers.i94(),
        )
        arrived = self._somewhere(0, decided + 5)
        return arrived, None, (_moved(petition, arrived),)

    def _adjustment(self, filed: int, decision: str = "", decided: int = 0) -> Application:
        granted = "IR6" if decision == "approved" else ""
        return Application(
            "I-485", self._numbers.receipt(), filed, decision, decided, asked_class="IR6", granted_class=granted
        )

    def _adjusted(self, frame: Frame, limit: int) -> Shape:
        filed = self._rng.between(10, frame.length)
        request = self._adjustment(filed, "approved", filed + self._rng.between(60, 240))
        arrived = self._somewhere(0, request.decided + 2)
        return arrived, None, (_moved(request, arrived),)

    def _adjustment_pending(self, frame: Frame, limit: int) -> Shape:
        filed = frame.length + 15 if self._rng.chance(0.25) else self._rng.between(10, frame.length)
        arrived = self._near_end(frame, 1, 150)
        return arrived, None, (_moved(self._adjustment(filed), arrived),)

    def _adjustment_denied(self, frame: Frame, limit: int) -> Shape:
        filed = self._rng.between(10, frame.length)
        request = self._adjustment(filed, "denied", frame.length + self._rng.between(20, 120))
        left = request.decided + self._rng.between(-10, 40) if self._rng.chance(0.5) else None
        arrived = self._somewhere(0, max(request.decided, left or 0) + 4)
        return arrived, None if left is None else arrived + left, (_moved(request, arrived),)


def _given(origin: Origin, sex: str, rng: Rng) -> str:
    """Return one given name or two."""
    table = origin.women if sex == "F" else origin.men
    given = table.draw(rng)
    if origin.code not in names.ONE_GIVEN_NAME and rng.chance(0.4):
        given = f"{given} {table.draw(rng)}"
    return given


def _parts(birth: str) -> tuple[int, int, int]:
    return int(birth[:4]), int(birth[4:6]), int(birth[6:])


def hash_of(name: str, birth: str, citizenship: str) -> int:
    """Return a number for name tokens in any order, date of birth and citizenship."""
    return hash((frozenset(name.replace("-", " ").split()), birth, citizenship))


def _moved(application: Application, arrived: int) -> Application:
    """Return the application with days counted from the arrival made days."""
    return Application(
        application.form,
        application.receipt,
        application.filed + arrived,
        application.decision,
        application.decided + arrived if application.decision else 0,
        application.asked_class,
        application.asked_until + arrived if application.asked_until else 0,
        application.granted_class,
        application.granted_until + arrived if application.granted_until else 0,
        application.new_number,
    )


SHAPES: dict[str, Callable[[Population, Frame, int], Shape]] = {
    "left": Population._in_time,
    "left_last_day": Population._last_day,
    "left_last_day_elsewhere": Population._last_day,
    "left_hours_late_elsewhere": Population._next_day,
    "left_one_day_late": Population._next_day,
    "left_late": Population._late,
    "unobserved": Population._unobserved,
    "refused": Population._refused,
    "present": Population._present,
    "overstay": Population._overstay,
    "ended_uncovered": Population._uncovered,
    "extended_left": Population._extended_left,
    "extended_late": Population._extended_late,
    "extended_present": Population._extended_present,
    "extended_by_cbp": Population._extended_by_cbp,
    "extension_pending": Population._pending,
    "second_extension_pending": Population._second_pending,
    "healed_present": Population._healed,
    "denied_left_before": Population._denied_left_before,
    "denied_left_after": Population._denied_left_after,
    "denied_present": Population._denied_present,
    "denied_early_left": Population._denied_early_left,
    "withdrawn_left": Population._withdrawn_left,
    "filed_late_left": Population._filed_late_left,
    "filed_late_present": Population._filed_late_present,
    "no_extension_left": Population._no_extension_left,
    "no_extension_present": Population._no_extension_present,
    "changed_class": Population._changed_class,
    "adjusted": Population._adjusted,
    "adjustment_pending": Population._adjustment_pending,
    "adjustment_denied": Population._adjustment_denied,
}
"""How each kind of stay lies in time."""
