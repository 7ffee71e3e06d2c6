"""Writes a person into ATS: flights that were booked, and what came of vetting those past their last day."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, replace
from time import time
from typing import Any

import orjson

from services.simulator.clock import DAY, iso_stamp, local, utc_day
from services.simulator.clock import iso as iso_day
from services.simulator.log import DepartureRecord, PersonLog, birth_text, reported_departure
from services.simulator.noise import Description
from services.simulator.population import ports
from services.simulator.population.plans import Crossing, Stay
from services.simulator.source import Counts, Run
from services.simulator.systems.ats import rates
from services.simulator.systems.ats.reservations import Flight, Passenger, Reservations

FLIGHT_SECONDS = 9 * 3600
BASES = {"manifest_closed": "BOARDED", "manifest": "MANIFEST"}
MONTH = 30


@dataclass(slots=True)
class _Record:
    """A record of UPAX, which grows by versions."""

    number: str
    version: int = 0


class AtsWriter:
    """Writes the files of UPAX and of the carriers."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rng = run.rng()
        self._mistakes = run.mistakes
        self._reservations = Reservations(run.place / "reservations", run.rng("parts"))
        self._messages: dict[int, list[tuple[int, str, bytes]]] = defaultdict(list)  # by month
        self._records = 0

    def write(self, log: PersonLog) -> None:
        """Write the flights out of the country, and the vettings of a person."""
        for index, stay in enumerate(log.person.stays):
            if stay.inspection != "A":
                continue
            departure = stay.departure
            if departure is not None and departure.mode == "A" and departure.second is not None:
                self._booked(log, stay, departure)
            self._vetted(log, index, stay)

    def finish(self) -> Counts:
        """Complete the files."""
        self._reservations.finish()
        directory = self._run.place / "upax"
        directory.mkdir()
        for month, messages in sorted(self._messages.items()):
            lines = [body for _, _, body in sorted(messages)]
            path = directory / f"UPAX.{month:06}.jsonl"
            path.write_bytes(b"".join(lines))
            lain = int(time()) - 3_600
            os.utime(path, (lain, lain))
        travellers, filtered = self._reservations.travellers, self._reservations.filtered
        messages_read = sum(map(len, self._messages.values()))
        return {
            "read": messages_read + travellers,
            "published": messages_read + travellers - filtered,
            "filtered": filtered,
            "messages": messages_read,
            "reservations": travellers,
        }

    # --- flights ------------------------------------------------------------------------------------------------

    def _booked(self, log: PersonLog, stay: Stay, departure: Crossing) -> None:
        """Write that a flight was booked, if it was by the end of the records."""
        roll = self._rng.random.random()
        at = departure.at - departure.at % 60
        made = at - DAY * self._rng.between(*rates.BOOKED_BEFORE)
        made -= made % 60
        if roll >= rates.RESERVATION + rates.TRAVEL or made >= self._run.span.records_end or departure.again:
            return
        origin = (departure.port, departure.zone)
        hub = ports.HUBS[departure.carrier]
        flight = Flight(departure.carrier, departure.conveyance, origin, hub, at, at + FLIGHT_SECONDS)
        described = self._mistakes.describe(log.person, stay)
        if roll < rates.RESERVATION:
            self._reserved(log, stay, flight, described, made)
        else:
            self._travel(log, stay, flight, described, made)

    def _reserved(self, log: PersonLog, stay: Stay, flight: Flight, described: Description, made: int) -> None:
        person, passport = described.person, described.passport
        foil = self._foil(described)
        locator = stay.booking or f"Z{log.person.number:06}"[-6:]
        who = Passenger(
            person.family,
            person.given,
            person.birth,
            person.sex,
            person.citizenship,
            locator,
            (passport.state, passport.number),
            foil,
        )
        if self._rng.chance(rates.CANCELLED):
            self._reservations.add(made, flight, who)
            self._reservations.add(made + 3600, flight, who, "XX")
            made += 7200
        self._reservations.add(made, flight, who)
        traveller = "1" if person.given else f"{person.family}/"
        identifiers = {f"passport:{passport.state}:{passport.number}", f"booking:{flight.carrier}:{locator}"}
        if foil:
            identifiers.add(f"visa:{foil}")
        log.add(self._run.system, f"{flight.key} {locator}/{traveller}", identifiers, described.kinds)
        if self._rng.chance(rates.INBOUND):
            back = replace(
                flight,
                origin=flight.destination,
                destination=flight.origin,
                departs=flight.departs + DAY,
                arrives=flight.arrives + DAY,
            )
            self._reservations.add(made, back, who, filtered=True)

    def _travel(self, log: PersonLog, stay: Stay, flight: Flight, described: Description, made: int) -> None:
        day, second = local(flight.origin[1], flight.departs)
        travel = {
            "locator": stay.booking or None,
            "carrier": flight.carrier,
            "flight": flight.conveyance[len(flight.carrier) :],
            "origin": flight.origin[0],
            "destination": flight.destination[0],
            "departsAt": f"{iso_day(day)}T{second // 3600:02}:{second // 60 % 60:02}:00",
            "status": "BOOKED",
            "purchasedAt": f"{iso_stamp(made)}Z",
        }
        record = self._new()
        if self._rng.chance(rates.CANCELLED):
            self._send(record, made, "TRAVEL", log, stay, described, travel=travel)
            self._send(record, made + 600, "TRAVEL", log, stay, described, travel=travel | {"status": "CANCELLED"})
            made += 1200
        identifiers = self._send(record, made, "TRAVEL", log, stay, described, travel=travel)
        if stay.booking:
            identifiers.add(f"booking:{flight.carrier}:{stay.booking}")
        log.add(self._run.system, record.number, identifiers, described.kinds)

    # --- vetting ------------------------------------------------------------------------------------------------

    def _vetted(self, log: PersonLog, index: int, stay: Stay) -> None:
        """Write what came of the vetting of somebody who is, or was, past his last day."""
        departure = reported_departure(stay, log.span)
        past = stay.last_day and (stay.departure is None or stay.departure.day > stay.last_day)
        if not past or not self._rng.chance(rates.VETTED):
            return
        since = departure.day if departure is not None else stay.last_day
        day = since + self._rng.between(*rates.VETTED_AFTER)
        end = self._run.span.records_end
        if day >= utc_day(end):
            return
        at = end - (utc_day(end) - day) * DAY
        described = self._mistakes.describe(log.person, stay)
        of: dict[str, Any] = {"decidedAt": f"{iso_stamp(at)}Z", "list": f"ADIS-{iso_day(day)[:7]}"}
        record = self._new()
        if departure is None:
            of |= {"result": "PRIORITY", "rank": self._rng.between(1, 9)}
        else:
            of["result"] = "UNMATCHED_DEPARTURE_FOUND"
            reported = self._copied(log, index)
            if reported is not None:
                of["departure"] = _departure(reported)
                log.departed(index, self._run.system, record.number, reported.evidence, reported.crossing)
        identifiers = self._send(record, at, "VETTING", log, stay, described, vetting=of)
        log.add(self._run.system, record.number, identifiers, described.kinds)

    def _copied(self, log: PersonLog, index: int) -> DepartureRecord | None:
        """Return the record of a manifest that tells the departure, if there is one with a time."""
        for each in log.departures.get(index, ()):
            if each.evidence in BASES and each.crossing.second is not None and each.crossing.mode == "A":
                return each
        return None

    # --- messages -----------------------------------------------------------------------------------------------

    def _new(self) -> _Record:
        self._records += 1
        return _Record(f"UPX{self._records:010}")

    def _foil(self, described: Description) -> str:
        foil = described.person.foil
        return self._mistakes.number("visa", foil, described) if foil and self._rng.chance(rates.FOIL_STATED) else ""

    def _send(
        self, record: _Record, at: int, kind: str, log: PersonLog, stay: Stay, described: Description, **group: Any
    ) -> set[str]:
        """Write a version of a record; return the identifiers in it."""
        person, passport = described.person, described.passport
        record.version += 1
        documents = [{"type": "P", "number": passport.number, "issuer": passport.state}]
        esta = next((each.number for each in log.person.estas if each.passport == stay.passport), None)
        body = {
            "recordId": record.number,
            "version": record.version,
            "action": "UPSERT",
            "kind": kind,
            "updatedAt": f"{iso_stamp(at)}Z",
            "traveler": {
                "familyName": person.family,
                "givenName": person.given or None,
                "birthDate": birth_text(person.birth),
                "sex": person.sex,
                "citizenship": person.citizenship,
            },
            "documents": documents,
            "estaNumber": esta,
            **group,
        }
        self._messages[utc_day(at) // MONTH].append((at, record.number, orjson.dumps(body) + b"\n"))
        identifiers = {f"passport:{passport.state}:{passport.number}"}
        if esta is not None:
            identifiers.add(f"esta:{esta}")
        return identifiers


def _departure(reported: DepartureRecord) -> dict[str, Any]:
    """Return what a vetting says of a departure that another system reported."""
    crossing = reported.crossing
    return {
        "departedAt": f"{iso_stamp(crossing.at)}Z",
        "port": crossing.port,
        "departedBy": crossing.conveyance or None,
        "basis": BASES[reported.evidence],
        "system": reported.system,
        "record": reported.record,
    }
