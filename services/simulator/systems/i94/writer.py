"""Writes a person into I-94's nightly files: arrivals, departures, the owner's extensions, and what is mended."""

from __future__ import annotations

from dataclasses import replace

from services.simulator.clock import instant
from services.simulator.log import PersonLog, reported_at, reported_departure
from services.simulator.noise import Description
from services.simulator.population.plans import Application, Crossing, Stay
from services.simulator.rng import Choice
from services.simulator.source import Counts, Run
from services.simulator.systems.i94 import rates
from services.simulator.systems.i94.files import (
    DURATION,
    MADE_AFTER,
    SCOPES,
    Nights,
    Traveller,
    arrival_data,
    departure_data,
    detail,
    extension_data,
)

FIRST_TRANSACTION = 40_000_000_000
_EVIDENCE = {
    "A": Choice({"B": 0.4, "M": 0.45, "C": 0.1, "I": 0.05}),
    "S": Choice({"M": 0.7, "C": 0.2, "I": 0.1}),
    "L": Choice({"L": 0.8, "I": 0.2}),
}
_BY_CODE = {
    "B": "biometric",
    "I": "inspected",
    "L": "foreign_entry",
    "C": "manifest",
    "M": "manifest_closed",
}
_DEPARTURE = Choice(rates.DEPARTURE)


class I94Writer:
    """Writes persons into the nightly files."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._span = run.span
        self._mistakes = run.mistakes
        self._nights = Nights(run.place, run.span.since, run.span.records_end, run.mistakes)
        self._transaction = FIRST_TRANSACTION

    def write(self, log: PersonLog) -> None:
        """Write all records of a person."""
        for index, stay in enumerate(log.person.stays):
            log.admit(index, self._system, self._arrival(log, stay))
            for application in stay.applications:
                known = application.known_by(self._span.decisions_through)
                if known is not None and known.form == "I-94":
                    self._extension(log, stay, known)
            departure = reported_departure(stay, self._span)
            if departure is not None and log.reports(index, self._system):
                self._departure(log, index, stay, departure)

    def finish(self) -> Counts:
        """Complete the files."""
        nights = self._nights
        nights.finish()
        return {
            "files": len(nights),
            "read": nights.details,
            "published": nights.details,
            "filtered": 0,
            "arrivals": nights.arrivals,
            "departures": nights.departures,
            "extensions": nights.extensions,
            "corrections": nights.corrections,
            "deletions": nights.deletions,
            "coverage": len(nights) * len(SCOPES),
        }

    def _traveller(self, stay: Stay, description: Description, *, named: bool = True) -> Traveller:
        """Return what a record says of the person; mistakes in its numbers are added to the description."""
        person = description.person
        foil = person.foil if person.foil and self._rng.chance(rates.FOIL_STATED) else ""
        return Traveller(
            stay.number,
            person.family,
            person.given,
            person.birth,
            person.sex,
            person.citizenship,
            description.passport,
            self._mistakes.number("visa", foil, description) if named else foil,
        )

    def _arrival(self, log: PersonLog, stay: Stay) -> str:
        description = self._mistakes.describe(log.person, stay, at_inspection=True)
        who = self._traveller(stay, description)
        refused = stay.inspection != "A"
        stated = DURATION if stay.duration else stay.last_day
        if refused or (stay.waiver and self._rng.chance(rates.WAIVER_DATE_LEFT_OUT)):
            stated = 0
        unclassed = refused and self._rng.chance(0.5)
        data = arrival_data("" if unclassed else stay.admission_class, stay.inspection, stated)
        number = self._new()
        kinds = description.kinds
        if self._rng.chance(rates.CORRECTED_ARRIVAL) and not refused:
            self._mend("A", number, who, stay.arrival, arrival_data("B2", stay.inspection, 0), data)
        else:
            self._send("A", number, who, stay.arrival, data, kinds)
        log.add(self._system, number, _identifiers(who), kinds)
        if not refused and self._rng.chance(rates.DUPLICATE_ARRIVAL):
            self._duplicate(log, stay, who, data)
        return number

    def _duplicate(self, log: PersonLog, stay: Stay, who: Traveller, data: bytes) -> None:
        """Enter the arrival once more by mistake, and delete the entry the night after."""
        night = self._nights.night_of(stay.arrival.at)
        if night + 1 >= len(self._nights):
            return
        number = self._new()
        again = replace(who, foil="")
        self._put("A", "N", night, number, stay.arrival.at + 900, again, stay.arrival, data)
        self._put("A", "D", night + 1, number, self._mended(night + 1), again, stay.arrival, data)
        log.retract(self._system, number)

    def _departure(self, log: PersonLog, index: int, stay: Stay, departure: Crossing) -> None:
        who, kinds = self._leaver(log, stay, departure)
        code = _EVIDENCE[departure.mode].draw(self._rng.random)
        data = departure_data(code)
        number = self._new()
        log.departed(index, self._system, number, _BY_CODE[code], departure)
        if self._rng.chance(rates.CORRECTED_DEPARTURE):
            wrong = replace(departure, day=departure.day - 1)
            self._mend("D", number, who, departure, data, data, wrong)
        else:
            self._send("D", number, who, departure, data, kinds)
        log.add(self._system, number, _identifiers(who), kinds)

    def _leaver(self, log: PersonLog, stay: Stay, departure: Crossing) -> tuple[Traveller, list[str]]:
        """Return what the record of a departure says of the person, and the kinds of mistakes in it."""
        number = stay.number
        for each in stay.applications:
            if each.new_number and each.decided < departure.day and self._rng.chance(rates.NEW_NUMBER_USED):
                number = each.new_number
        stated = _DEPARTURE.draw(self._rng.random)
        named = stated not in ("number_only", "document_only")
        description = self._mistakes.describe(log.person, stay, named=named, bare=named)
        if stated == "number_only":
            return Traveller(number=number), []
        if stated == "document_only":
            return Traveller(passport=stay.passport), []
        who = replace(self._traveller(stay, description, named=False), foil="")
        if description.bare:
            return replace(who, number="", passport=None), description.kinds
        number = "" if stated == "document" else self._mistakes.number("i94", number, description)
        return replace(who, number=number), description.kinds

    def _extension(self, log: PersonLog, stay: Stay, application: Application) -> None:
        """Write an extension by the owner of I-94 itself."""
        noon = 12 * 3600
        zone = stay.arrival.zone
        day = application.decided
        at = instant(day, noon, zone)
        crossing = Crossing(stay.arrival.port, zone, stay.arrival.mode, day, noon, at)
        description = self._mistakes.describe(log.person, stay)
        who = self._traveller(stay, description)
        data = extension_data(application.granted_until, day)
        number = self._new()
        self._send("X", number, who, crossing, data, description.kinds)
        log.add(self._system, number, _identifiers(who), description.kinds)

    def _new(self) -> str:
        """Return a transaction number that no other record has."""
        self._transaction += 1
        return f"{self._transaction:011}"

    def _send(self, kind: str, number: str, who: Traveller, crossing: Crossing, data: bytes, kinds: list[str]) -> None:
        """A record as it was made; what goes wrong with it is added to its kinds."""
        night = self._nights.night_of(reported_at(crossing))
        if self._mistakes.due("corrected", possible=bool(who.given) and night + 1 < len(self._nights)):
            kinds.append("corrected")
            self._mend(kind, number, who, crossing, data, data, wrong_who=self._wrong(who))
            return
        updated = reported_at(crossing) + 60 + int(self._rng.random.random() * 1800)
        if self._rng.chance(rates.REPORTED_LATE) and night + 10 < len(self._nights):
            night += 1 + int(self._rng.random.random() * 9)
            updated = self._mended(night)
        late = self._mistakes.late(len(self._nights) - 1 - night)
        if late:
            kinds.append("out_of_order")
            night += late
            updated = self._mended(night)
        self._put(kind, "N", night, number, updated, who, crossing, data)
        if self._mistakes.due("duplicate"):
            kinds.append("duplicate")
            self._put(kind, "N", night, number, updated, who, crossing, data)

    def _wrong(self, who: Traveller) -> Traveller:
        """Return the traveller with a name or a date of birth that is wrong."""
        wrong = self._mistakes.wrong(who.family, who.given, who.birth)
        return replace(who, family=wrong[0], given=wrong[1], birth=wrong[2])

    def _mend(
        self,
        kind: str,
        number: str,
        who: Traveller,
        crossing: Crossing,
        wrong: bytes,
        right: bytes,
        wrong_crossing: Crossing | None = None,
        wrong_who: Traveller | None = None,
    ) -> None:
        """First wrong, right the night after. In the last night there is no time for a mistake."""
        night = self._nights.night_of(reported_at(crossing))
        if night + 1 >= len(self._nights):
            self._send(kind, number, who, crossing, right, [])
            return
        updated = reported_at(crossing) + 60
        self._put(kind, "N", night, number, updated, wrong_who or who, wrong_crossing or crossing, wrong)
        self._put(kind, "C", night + 1, number, self._mended(night + 1), who, crossing, right)

    def _mended(self, night: int) -> int:
        """Return a moment of the owner's clock shortly before that night's file is made."""
        return self._nights.through(night) + int(self._rng.random.random() * MADE_AFTER)

    def _put(
        self,
        kind: str,
        action: str,
        night: int,
        number: str,
        updated: int,
        who: Traveller,
        crossing: Crossing,
        data: bytes,
    ) -> None:
        transaction = int(number)
        record = detail(kind, action, transaction, updated, who, crossing, data)
        self._nights.add(night, transaction, record, kind, action)


def _identifiers(who: Traveller) -> set[str]:
    """Return the identifiers that a detail has."""
    identifiers = set()
    if who.number:
        identifiers.add(f"i94:{who.number}")
    if who.passport is not None:
        identifiers.add(f"passport:{who.passport.state}:{who.passport.number}")
    if who.foil:
        identifiers.add(f"visa:{who.foil}")
    return identifiers
