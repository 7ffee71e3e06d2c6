"""Writes a person's appointments and cards into the messages of CPMS, those of a week together."""

from __future__ import annotations

from typing import Any

import orjson

from services.simulator.clock import DAY, iso, iso_stamp, midnight, utc_day
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population import names
from services.simulator.population.plans import Application, Stay
from services.simulator.source import Counts, Run
from services.simulator.spill_buffer import SpillBuffer
from services.simulator.systems.cpms import rates

OFFICE = "America/New_York"
CENTERS = ("XNY", "XBO", "XMI", "XLA", "XCH")
MOST = 500
"""Events in a message; the interface allows twice as many."""
LEFT_OUT = ("REUSED", "CARD_ORDERED", "CARD_MAILED", "CARD_RETURNED")
CODES = {"CAPTURED": "FTA0", "CARD_PRODUCED": "LDF"}


class CpmsWriter:
    """Writes events."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._span = run.span
        self._mistakes = run.mistakes
        self._place = run.place
        run.place.mkdir(parents=True)
        self._spill_buffer = SpillBuffer(run.place)
        self._event = self._card = self._read = self._filtered = self._messages = 0

    def finish(self) -> Counts:
        """Write the messages."""
        for _, data in self._spill_buffer.take():
            lines = sorted(data.splitlines())
            for at in range(0, len(lines), MOST):
                self._messages += 1
                events = b",\n".join(line.partition(b" ")[2] for line in lines[at : at + MOST])
                path = self._place / f"CPMS.{self._messages:06}.json"
                path.write_bytes(b'{"events": [\n' + events + b"\n]}\n")
        return {
            "messages": self._messages,
            "read": self._read,
            "published": self._read - self._filtered,
            "filtered": self._filtered,
        }

    def write(self, log: PersonLog) -> None:
        """Write what came of the applications of a person who is there to come."""
        for stay in log.person.stays:
            last = stay.departure.day - 1 if stay.departure else self._span.last
            for application in stay.applications:
                known = application.known_by(self._span.decisions_through)
                if known is not None and known.receipt and self._rng.chance(rates.APPOINTMENT):
                    self._appoint(log, stay, known, min(last, self._span.last))
                if known is not None and known.form == "I-485" and known.decision == "approved":
                    self._make_card(log, stay, known)

    def _appoint(self, log: PersonLog, stay: Stay, application: Application, last: int) -> None:
        """Write that biometrics were asked for, and what came of that."""
        rng = self._rng
        day = application.filed + rng.between(10, 40)
        if rng.chance(rates.REUSED):
            self._write(log, stay, application, "REUSED", application.filed + 5, 0)
            return
        self._write(log, stay, application, "APPOINTMENT_SCHEDULED", application.filed + 4, day)
        if day <= last and not rng.chance(rates.MISSED):
            self._write(log, stay, application, "CAPTURED", day, day)
        else:
            self._write(log, stay, application, "NO_SHOW", day, day)

    def _make_card(self, log: PersonLog, stay: Stay, application: Application) -> None:
        """Write the way of a card from its order to the holder, or back."""
        self._card += 1
        number = f"SRC99{self._card:08}"
        kinds = ["CARD_ORDERED", "CARD_PRODUCED", "CARD_MAILED"]
        if self._rng.chance(rates.RETURNED):
            kinds.append("CARD_RETURNED")
        for index, kind in enumerate(kinds):
            self._write(log, stay, application, kind, application.decided + 1 + 3 * index, 0, card=number)

    def _write(
        self,
        log: PersonLog,
        stay: Stay,
        application: Application,
        kind: str,
        day: int,
        appointment: int,
        *,
        card: str = "",
    ) -> None:
        """Write an event of a day, if the records go so far."""
        at = midnight(day, OFFICE) + 9 * 3600 + 60 * self._rng.between(0, 400)
        if at + 2 * DAY > self._span.records_end:
            return
        published = kind not in LEFT_OUT
        description = Description(log.person, stay.passport)
        if published:
            description = self._mistakes.describe(log.person, stay, documented=False)
        self._event += 1
        key = f"B{self._event:010}"
        corrected = published and self._rng.chance(rates.CORRECTED)
        late = self._mistakes.late((self._span.records_end - 2 * DAY - at) // DAY, possible=published and not corrected)
        numbers, identifiers = self._numbers(application, card, description)
        body: dict[str, Any] = {"eventId": key, "version": 1, "action": "N", "type": kind, "code": CODES.get(kind)}
        body |= {"occurredAt": f"{iso_stamp(at)}Z", "recordedAt": f"{iso_stamp(at + 600 + late * DAY)}Z"}
        body |= {"appointmentDate": iso(appointment) if appointment else None, "office": self._rng.one(CENTERS)}
        body |= {"formType": application.form, **numbers}
        if not numbers.get("receiptNumber") or not self._rng.chance(rates.WITHOUT_NAME):
            body["applicant"] = _applicant(description)
        if corrected:
            self._add(body | {"occurredAt": f"{iso_stamp(at - 3600)}Z"}, at + 600, published=published)
            body |= {"version": 2, "action": "C", "recordedAt": f"{iso_stamp(at + DAY)}Z"}
            self._add(body, at + DAY, published=published)
        else:
            self._add(body, at + 600 + late * DAY, published=published)
            if self._mistakes.due("duplicate", possible=published):
                description.kinds.append("duplicate")
                self._add(body, at + 600 + late * DAY, published=published)
        if published:
            log.add(self._system, key, identifiers, [*description.kinds, *(("out_of_order",) if late else ())])

    def _numbers(
        self, application: Application, card: str, description: Description
    ) -> tuple[dict[str, str | None], set[str]]:
        """Return the numbers of an event, and what they identify."""
        person, mistakes = description.person, self._mistakes
        alien = mistakes.number("alien", person.a_number, description)
        fin = mistakes.number("fin", person.fin, description)
        receipt = application.receipt
        if (alien or fin) and self._rng.chance(rates.WITHOUT_RECEIPT):
            receipt = ""
        receipt = mistakes.number("receipt", receipt, description)
        numbers = {"a_number": alien, "fin": fin, "receipt": receipt, "card": card}
        identifiers = {f"{scheme}:{value}" for scheme, value in numbers.items() if value}
        members = {"aNumber": alien, "fin": fin, "receiptNumber": receipt, "cardNumber": card}
        return {name: value or None for name, value in members.items()}, identifiers

    def _add(self, body: dict[str, Any], recorded: int, *, published: bool) -> None:
        data = orjson.dumps({name: value for name, value in body.items() if value is not None})
        self._spill_buffer.add(f"{utc_day(recorded) // 7:07}", f"{recorded:012} ".encode() + data + b"\n")
        self._read += 1
        self._filtered += not published


def _applicant(description: Description) -> dict[str, str]:
    person = description.person
    said = {
        "familyName": names.on_paper(person.family),
        "givenName": names.on_paper(person.given),
        "birthDate": birth_text(person.birth),
    }
    return {name: value for name, value in said.items() if value}
