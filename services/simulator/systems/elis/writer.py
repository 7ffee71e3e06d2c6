"""Writes a person's applications as ELIS answers them: each case as it stands when the records end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from schemas.country_codes import NAMES
from services.simulator.clock import DAY, digits, iso, iso_stamp, midnight
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population import names
from services.simulator.population.plans import Application, Stay
from services.simulator.rest import RestLog
from services.simulator.rng import Choice
from services.simulator.source import Counts, Run
from services.simulator.systems.elis import rates
from services.simulator.truth.verdict import OFFICE

GENDERS = {"F": "Female", "M": "Male", "X": "Unknown"}
DECIDED = {
    "approved": "Case Was Approved",
    "denied": "Case Was Denied",
    "withdrawn": "Withdrawal Acknowledgement Notice Was Sent",
}
DELIVERED = "Card Was Delivered To Me By The Post Office"
BY_OWNER = "I-94"
"""The form of what the owner of the I-94 does by itself: no application."""
_PENDING = Choice(rates.PENDING)


class ElisWriter:
    """Writes cases."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._span = run.span
        self._mistakes = run.mistakes
        self._log = RestLog(run.place, "answers")
        self._others = self._filtered = self._rejected = 0

    def finish(self) -> Counts:
        """Complete the answers."""
        self._log.finish(self._span.records_end)
        read = self._log.records
        counts = {"read": read, "published": read - self._filtered, "filtered": self._filtered}
        return counts | {"rejected": self._rejected}

    def write(self, log: PersonLog) -> None:
        """Write all applications of a person that ELIS holds."""
        for stay in log.person.stays:
            for application in stay.applications:
                known = application.known_by(self._span.decisions_through)
                if known is not None and known.online and known.form != BY_OWNER:
                    self._apply(log, stay, known)

    def _apply(self, log: PersonLog, stay: Stay, known: Application) -> None:
        """Write a case, and now and then one beside it that moves nothing."""
        rng = self._rng
        description = self._mistakes.describe(log.person, stay)
        details, identifiers = self._details(description, stay, known)
        last = known.decided if known.decision else known.filed
        late = self._case(description, known, details, last, counted=True)
        kinds = [*description.kinds, *(("out_of_order",) if late else ())]
        log.add(self._system, known.receipt, {f"receipt:{known.receipt}", *identifiers}, kinds)
        if rng.chance(rates.REJECTED):
            self._rejected += 1
            receipt = self._other()
            log.retract(self._system, receipt)
            before = Application(known.form, receipt, known.filed - 1, "rejected", known.filed)
            self._case(description, before, {"aNumber": details.get("aNumber")}, known.filed)
        if rng.chance(rates.HIDDEN):
            self._filtered += 1
            self._add(self._other(), self._changed(known.filed), 1, None)
        if known.form == "I-485" and rng.chance(rates.PERMIT):
            self._filtered += 1
            permit = replace(known, form="I-765", receipt=self._other(), decision="", granted_class="")
            self._case(description, permit, details, known.filed)

    def _other(self) -> str:
        """Return a receipt of an office that the population's applications do not have."""
        self._others += 1
        return f"YSC9{self._others:09}"

    def _changed(self, day: int) -> int:
        seconds = 8 * 3600 + int(self._rng.random.random() * 10 * 3600)
        return min(midnight(day, OFFICE) + seconds, self._span.records_end - 60)

    def _case(
        self, description: Description, known: Application, details: dict[str, Any], last: int, *, counted: bool = False
    ) -> int:
        """Write a case; return by how many days its last change came late."""
        rng = self._rng
        changed = self._changed(last)
        late = self._mistakes.late((self._span.records_end - 60 - changed) // DAY, possible=counted)
        if counted:
            self._mistakes.due("duplicate", possible=False)
        again = counted and not late and rng.chance(rates.CHANGED_AGAIN)
        changed = min(changed + (late or (rng.between(1, 20) if again else 0)) * DAY, self._span.records_end - 60)
        text, steps = self._text(known)
        case: dict[str, Any] = {"receiptNumber": known.receipt}
        case["formType"] = known.form if rng.chance(rates.FORM_WITH_HYPHEN) else known.form.replace("-", "")
        if not known.receipt.startswith("IOE"):
            case["submittedDate"] = _stamp(known.filed, 9 * 3600)
            case["modifiedDate"] = _stamp(last, 14 * 3600)
        case["current_case_status_text_en"] = f"<p>{text}</p>" if rng.chance(rates.MARKUP) else text
        case["current_case_status_desc_en"] = f"On {iso(last)}, we updated your Form {known.form}."
        case["current_case_status_text_es"] = "Estado del caso"
        case["current_case_status_desc_es"] = "Actualizamos su formulario."
        case["hist_case_status"] = steps if rng.chance(rates.HISTORY) else None
        body = {"case_status": case, "message": "Query was successful.", "details": details}
        self._add(known.receipt, changed, 1 + bool(known.decision) + again, body)
        return late

    def _add(self, receipt: str, changed: int, number: int, body: dict[str, Any] | None) -> None:
        listed = {"receiptNumber": receipt, "changeNumber": number, "changedAt": f"{iso_stamp(changed)}Z"}
        self._log.add(changed, receipt, {"listed": listed, "status": 200 if body else 404, "answer": body})

    def _text(self, known: Application) -> tuple[str, list[dict[str, str]]]:
        """Return the status text and the history."""
        steps = [_step(known.filed, "Case Was Received")]
        if not known.decision:
            return _PENDING.draw(self._rng.random), steps
        if known.decision == "rejected":
            return "Case Rejected Because I Sent An Incorrect Fee", []
        text = DECIDED[known.decision]
        steps.append(_step(known.decided, text))
        card = known.form == "I-485" and known.decision == "approved"
        return DELIVERED if card else text, steps

    def _details(self, description: Description, stay: Stay, known: Application) -> tuple[dict[str, Any], set[str]]:
        """Return what this project adds to the public shape, and all that identifies the person."""
        person, passport = description.person, description.passport
        number = self._mistakes.number("i94", stay.number, description)
        adjusts = known.form == "I-485"
        alien = self._mistakes.number("alien", person.a_number if adjusts else "", description)
        approved = known.decision == "approved"
        given, *middle = names.on_paper(person.given).split(" ", 1) if person.given else ("",)
        details: dict[str, Any] = {
            "aNumber": alien or None,
            "i94Number": number,
            "lastName": self._encoded(names.on_paper(person.family)),
            "firstName": self._encoded(given),
            "middleName": self._encoded(middle[0]) if middle else None,
            "dateOfBirth": birth_text(person.birth),
            "gender": GENDERS[person.sex],
            "countryOfCitizenship": self._encoded(NAMES.code_of(person.citizenship)),
            "receivedDate": iso(known.filed),
            "currentClass": stay.admission_class.replace("-", ""),
            "requestedClass": known.asked_class or None,
            "requestedUntil": iso(known.asked_until) if known.asked_until else None,
        }
        identifiers = {f"i94:{number}"} | ({f"a_number:{alien}"} if alien else set())
        if not self._rng.chance(rates.WITHOUT_PASSPORT):
            details["passportNumber"], details["passportCountry"] = passport.number, NAMES.code_of(passport.state)
            identifiers.add(f"passport:{passport.state}:{passport.number}")
        if known.decision:
            details["decisionDate"] = iso(known.decided)
        if approved:
            details["validFrom"] = iso(known.decided)
            details["grantedClass"] = known.granted_class or None
            details["grantedUntil"] = iso(known.granted_until) if known.granted_until else None
            details["newI94Number"] = known.new_number or None
            identifiers |= {f"i94:{known.new_number}"} if known.new_number else set()
        return details, identifiers

    def _encoded(self, text: str) -> str:
        """Return the text; encoded twice, where that goes wrong."""
        if text.isascii() or not self._rng.chance(rates.ENCODED_TWICE):
            return text
        return text.encode().decode("latin-1")


def _stamp(day: int, second: int) -> str:
    """Return a date and time as the public API has it: MM-DD-CCYY HH:MM:SS, without a zone."""
    text = digits(day)
    return f"{text[4:6]}-{text[6:]}-{text[:4]} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def _step(day: int, text: str) -> dict[str, str]:
    return {"date": iso(day), "completed_text_en": text, "completed_text_es": "..."}
