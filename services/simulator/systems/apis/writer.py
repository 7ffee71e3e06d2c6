"""Writes a person's flights into the manifests: who was listed, who went aboard, who did not."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from services.simulator.clock import DAY
from services.simulator.log import PersonLog, reported_departure
from services.simulator.noise import Description
from services.simulator.population import ports
from services.simulator.population.names import plain
from services.simulator.population.plans import Crossing, Person, Span, Stay
from services.simulator.source import Counts, Run
from services.simulator.systems.apis import rates
from services.simulator.systems.apis.manifests import (
    ABOARD,
    CANCELLED,
    CHANGED,
    LISTED,
    NOT_ABOARD,
    Flight,
    Manifests,
    Passenger,
    place,
)

LISTED_BEFORE, CHANGED_BEFORE, CANCELLED_BEFORE, CLOSED_AFTER = 3 * 3600, 3600, 5400, 600
"""Seconds between a flight's departure and what its carrier tells."""
FLIGHT_SECONDS, INSPECTED_AFTER = 9 * 3600, 1500
_SIGNS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class ApisWriter:
    """Writes travellers into the manifests."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._mistakes = run.mistakes
        self._span = run.span
        self._manifests = Manifests(run.place)
        self._number = 0
        self._lately: deque[Flight] = deque(maxlen=200)  # departures on which others may have been booked
        self._listed_on: set[str] = set()  # by the person that is written, without having gone aboard

    def finish(self) -> Counts:
        """Complete the manifests."""
        manifests = self._manifests
        manifests.finish()
        return {
            "files": manifests.files,
            "interchanges": manifests.interchanges,
            "read": manifests.travellers,
            "published": manifests.travellers - manifests.filtered,
            "filtered": manifests.filtered,
            "closed": manifests.closed,
            "taken_back": manifests.taken_back,
        }

    def write(self, log: PersonLog) -> None:
        """Write all flights of a person."""
        self._listed_on.clear()
        for index, stay in enumerate(log.person.stays):
            if stay.arrival.mode == "A" and self._rng.chance(rates.INBOUND):
                self._inbound(log, stay)
            admitted = stay.inspection == "A"
            if admitted and self._rng.chance(rates.DOMESTIC):
                self._domestic(log, stay)
            if admitted and self._rng.chance(rates.NO_SHOW):
                self._no_show(log, stay)
            if admitted and self._mistakes.due("no_show", possible=_room(stay, self._span) is not None):
                self._left_listed(log, stay)
            departure = reported_departure(stay, self._span)
            if departure is not None and log.reports(index, self._system):
                self._outbound(log, index, departure, alone=len(log.reporters[index]) == 1)

    def _inbound(self, log: PersonLog, stay: Stay) -> None:
        arrival = stay.arrival
        at = arrival.at - arrival.at % 60
        abroad, zone = ports.HUBS[arrival.carrier]
        if arrival.port in ports.ABROAD:
            # inspected before the flight
            flight = _flight(arrival, place(arrival.port), place("JFK"), at + 3600, at + 4 * 3600)
        else:
            lands = at - INSPECTED_AFTER
            flight = _flight(arrival, (abroad, zone), place(arrival.port), lands - FLIGHT_SECONDS, lands)
        documented = self._documented(log.person)
        description = self._mistakes.describe(log.person, stay, bare=True, documented=documented)
        who = self._passenger(description, flight, documented=documented, booking=stay.booking)
        self._send(flight, who, LISTED, -LISTED_BEFORE)
        self._send(flight, who, ABOARD, CLOSED_AFTER)
        self._keep(log, flight, who, tuple(description.kinds))
        self._copy(log, flight, who, ABOARD, tuple(description.kinds))

    def _outbound(self, log: PersonLog, index: int, departure: Crossing, *, alone: bool) -> None:
        stay = log.person.stays[index]
        earlier = self._mistakes.other_time(departure, possible=not alone)
        at = (earlier or departure).at
        flight = _flight(departure, place(departure.port), ports.HUBS[departure.carrier], at, at + FLIGHT_SECONDS)
        documented = self._documented(log.person)
        description = self._mistakes.describe(log.person, stay, bare=True, documented=documented)
        who = self._passenger(description, flight, documented=documented, booking=stay.booking)
        self._send(flight, who, LISTED, -LISTED_BEFORE)
        if self._rng.chance(rates.LISTED_AGAIN):
            self._send(flight, who, CHANGED, -CHANGED_BEFORE)
        closed = alone or not self._rng.chance(rates.NO_CLOSE_OUT)
        if closed:
            self._send(flight, who, ABOARD, CLOSED_AFTER)
        evidence = "manifest_closed" if closed else "manifest"
        log.departed(index, self._system, _record(flight, who), evidence, earlier or departure)
        self._keep(log, flight, who, (*description.kinds, *(("other_time",) if earlier else ())))
        self._copy(log, flight, who, ABOARD if closed else LISTED, tuple(description.kinds))
        self._lately.append(flight)

    def _copy(self, log: PersonLog, flight: Flight, who: Passenger, kind: str, kinds: tuple[str, ...]) -> None:
        """Write the traveller once more as the slower system of the partner does: the same crossing, not another."""
        room = (self._span.records_end - flight.departs) // 60 - 1
        if not self._mistakes.due("copies", possible=room > 15):
            return
        family, given = self._mistakes.copied(who.family, " ".join(who.given), kinds)
        after = CLOSED_AFTER + 60 * self._mistakes.lag(room - CLOSED_AFTER // 60)
        self._number += 1
        shared = flight.shared()
        again = replace(who, family=family, given=tuple(given.split()), booking=self._booking())
        if who.reference:
            again = replace(again, reference=f"{self._number}{shared.carrier}")
        self._send(shared, again, kind, after)
        self._keep(log, shared, again, ("copies",), (kind, after))

    def _no_show(self, log: PersonLog, stay: Stay) -> None:
        """Book the person on a flight, another traveller's if one is near, and report the person as not aboard."""
        listed = self._listed(log, stay)
        if listed is None:
            return
        flight, who = listed
        if self._rng.chance(rates.CANCELLED):
            self._send(flight, who, CANCELLED, -CANCELLED_BEFORE)
        else:
            self._send(flight, who, NOT_ABOARD, CLOSED_AFTER)
        log.retract(self._system, _record(flight, who))

    def _left_listed(self, log: PersonLog, stay: Stay) -> None:
        """Do the same without a report, or with one weeks later: the records show a departure that never was."""
        listed = self._listed(log, stay)
        if listed is None:
            return
        flight, who = listed
        left = (self._span.records_end - flight.departs) // DAY
        if self._mistakes.retracted() and left > 1:
            self._send(flight, who, NOT_ABOARD, DAY * self._mistakes.days(min(left - 1, 60)))
            log.retract(self._system, _record(flight, who))
        else:
            self._keep(log, flight, who, ("no_show",))

    def _listed(self, log: PersonLog, stay: Stay) -> tuple[Flight, Passenger] | None:
        """Put on the list of a flight that leaves during the stay, if one can be near."""
        room = _room(stay, self._span)
        if room is None:
            return None
        flight = self._some_flight(*room)
        self._listed_on.add(flight.key)
        who = self._passenger(
            Description(log.person, stay.passport), flight, documented=self._documented(log.person), mistyped=False
        )
        self._send(flight, who, LISTED, -LISTED_BEFORE)
        return flight, who

    def _some_flight(self, first: int, last: int) -> Flight:
        """Return a flight of another traveller that departs in that time, or a new one."""
        near = (each for each in self._lately if first < each.departs < last)
        flight = next((each for each in near if each.key not in self._listed_on), None)
        if flight is None:
            at = self._rng.between(first // 60, last // 60) * 60
            carrier = self._rng.one(ports.AIRLINES)
            conveyance = f"{carrier}{self._rng.between(1, 1999):04}"
            origin = place(self._rng.one(ports.OUT))
            flight = Flight(carrier, conveyance, origin, ports.HUBS[carrier], at, at + FLIGHT_SECONDS)
        return flight

    def _domestic(self, log: PersonLog, stay: Stay) -> None:
        at = stay.arrival.at - stay.arrival.at % 60 + DAY
        if at > self._span.records_end:
            return
        flight = Flight("UA", f"UA{self._rng.between(1, 1999):04}", place("DEN"), place("ORD"), at, at + 9000)
        who = self._passenger(
            Description(log.person, stay.passport), flight, documented=self._documented(log.person), mistyped=False
        )
        self._send(flight, who, LISTED, -LISTED_BEFORE, filtered=True)

    def _documented(self, person: Person) -> bool:
        """Return whether the manifest has the passport."""
        return not (plain(person) and self._rng.chance(rates.WITHOUT_DOCUMENT))

    def _passenger(
        self,
        description: Description,
        flight: Flight,
        *,
        documented: bool,
        mistyped: bool = True,
        booking: str = "",
    ) -> Passenger:
        person = description.person
        self._number += 1
        given = tuple(person.given.split())
        locator = booking if booking and not description.bare else self._booking()
        who = Passenger(person.family, given, person.birth, person.sex, person.citizenship, locator)
        if documented and not description.bare:
            who = replace(who, passport=(description.passport.state, description.passport.number))
            if person.foil and self._rng.chance(rates.FOIL_STATED):
                foil = self._mistakes.number("visa", person.foil, description, possible=mistyped)
                who = replace(who, foil=foil)
        if not given or not self._rng.chance(rates.WITHOUT_REFERENCE):
            who = replace(who, reference=f"{self._number}{flight.carrier}")
        return who

    def _booking(self) -> str:
        """Six signs, another for everybody, and none that a trip of the population has: those begin with a letter."""
        rest, digit = divmod(self._number * 387_420_489 % (10 * len(_SIGNS) ** 5), 10)
        signs = str(digit)
        for _ in range(5):
            rest, sign = divmod(rest, len(_SIGNS))
            signs += _SIGNS[sign]
        return signs

    def _send(self, flight: Flight, who: Passenger, kind: str, after: int, *, filtered: bool = False) -> None:
        self._manifests.add(flight.departs + after, kind, flight, who, filtered=filtered)

    def _keep(
        self,
        log: PersonLog,
        flight: Flight,
        who: Passenger,
        kinds: tuple[str, ...],
        first: tuple[str, int] = (LISTED, -LISTED_BEFORE),
    ) -> None:
        """The record is the person's. Of its messages the first may have come twice."""
        identifiers = {f"booking:{flight.carrier}:{who.booking}"}
        if who.passport[1]:
            identifiers.add(f"passport:{who.passport[0]}:{who.passport[1]}")
        if who.foil:
            identifiers.add(f"visa:{who.foil}")
        self._mistakes.late(0, possible=False)
        if self._mistakes.due("duplicate"):
            kinds = (*kinds, "duplicate")
            self._send(flight, who, *first)
        log.add(self._system, _record(flight, who), identifiers, kinds)


def _room(stay: Stay, span: Span) -> tuple[int, int] | None:
    """Between which instants a flight may leave during a stay without being its end."""
    first = stay.arrival.at + DAY
    last = min(stay.departure.at if stay.departure else span.records_end, span.records_end) - 2 * DAY
    return (first, last) if last > first else None


def _flight(
    crossing: Crossing, origin: tuple[str, str], destination: tuple[str, str], departs: int, arrives: int
) -> Flight:
    return Flight(crossing.carrier, crossing.conveyance, origin, destination, departs, arrives)


def _record(flight: Flight, who: Passenger) -> str:
    """Return the key of the record, as the interface document makes it."""
    if who.reference:
        return f"{flight.key} ABO/{who.reference}"
    if who.passport[1]:
        issuer, number = who.passport
        return f"{flight.key} P/{'DEU' if issuer == 'D' else issuer}/{number}"
    if who.foil:
        return f"{flight.key} V/USA/{who.foil}"
    born = "-".join(part for part in (who.birth[:4], who.birth[4:6], who.birth[6:]) if part != "00")
    return f"{flight.key} AVF/{who.booking}/{who.family}/{' '.join(who.given)}/{born}"
