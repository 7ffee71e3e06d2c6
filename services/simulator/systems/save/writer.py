"""Writes verifications as SAVE answers them: each as it stands when the records end."""

from __future__ import annotations

from schemas.countries import citizenship
from schemas.country_codes import INS_ALPHA
from services.simulator.clock import DAY, iso, iso_stamp, midnight
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population import names
from services.simulator.population.plans import Stay, without_hyphen
from services.simulator.rng import Choice
from services.simulator.soap import ChangeLog, element, texts
from services.simulator.source import Counts, Run
from services.simulator.systems.save import rates

OFFICE = "America/New_York"
FIRST_CASE = 6_000_099_000_000
FINDING = "finding"
_ANSWERS = Choice(rates.ANSWERS)
_CODES = {"duplicate": "HE004000", "no_answer": "HX005001"}
_VERIFIED = {"pending": "P", "not_verified": "N", "duplicate": "P", "no_answer": "P"}
_HOLDER = {"F-1": "I20DocumentID", "M-1": "I20DocumentID", "J-1": "DS2019DocumentID"}


class SaveWriter:
    """Writes verifications."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._span = run.span
        self._mistakes = run.mistakes
        self._log = ChangeLog(run.place)
        self._number = self._filtered = 0

    def finish(self) -> Counts:
        """Complete the answers."""
        self._log.finish(self._span.records_end)
        read = self._log.records
        return {"read": read, "published": read - self._filtered, "filtered": self._filtered}

    def write(self, log: PersonLog) -> None:
        """Write the verifications of a person, each while the person is there."""
        for index, stay in enumerate(log.person.stays):
            if stay.inspection == "A" and stay.number and self._rng.chance(rates.VERIFIED):
                last = stay.departure.day - 1 if stay.departure else self._span.last
                if stay.last_day:
                    last = min(last, stay.last_day)
                day = self._rng.between(stay.arrival.day + 2, last)
                if day <= min(last, self._span.last):
                    self._verify(log, index, day)

    def _verify(self, log: PersonLog, index: int, day: int) -> None:
        stay = log.person.stays[index]
        answer = _ANSWERS.draw(self._rng.random)
        description = Description(log.person, stay.passport)
        if answer == FINDING:
            description = self._mistakes.describe(log.person, stay)
        self._number += 1
        key = f"V{self._number:09}"
        changed = midnight(day, OFFICE) + 9 * 3600 + self._rng.between(0, 8 * 3600)
        late = self._mistakes.late((self._span.records_end - 60 - changed) // DAY, possible=answer == FINDING)
        changed += late * DAY
        self._mistakes.due("duplicate", possible=False)
        second = answer == FINDING and self._rng.chance(rates.SECOND_STEP)
        head = {"verificationId": key, "version": str(1 + second), "changedAt": f"{iso_stamp(changed)}Z"}
        head |= {"action": "C" if second else "N", "step": str(1 + second)}
        document, identifiers = self._document(stay, description)
        self._log.add(changed, key, element("Verification", head, document + self._response(answer, stay, description)))
        if answer != FINDING:
            self._filtered += 1
            return
        log.add(self._system, key, identifiers, [*description.kinds, *(("out_of_order",) if late else ())])

    def _document(self, stay: Stay, description: Description) -> tuple[str, set[str]]:
        """Return the document that was asked by, and the numbers in it."""
        mistakes, passport = self._mistakes, description.passport
        if stay.program is not None and stay.admission_class in _HOLDER and self._rng.chance(rates.BY_SCHOOL):
            number = mistakes.number("sevis", stay.program.sevis_id, description)
            said = [("SEVISID", number.removeprefix("N"))]
            identifiers, holder = {f"sevis:{number}"}, _HOLDER[stay.admission_class]
        else:
            number = mistakes.number("i94", stay.number, description)
            said, identifiers, holder = [("I94Number", number)], {f"i94:{number}"}, "I94DocumentID"
            if 6 <= len(passport.number) <= 12 and passport.number.isalnum() and self._rng.chance(rates.BY_PASSPORT):
                said += [
                    ("PassportNumber", passport.number),
                    ("CountryOfIssuance", citizenship(passport.state).ljust(3)),
                ]
                identifiers.add(f"passport:{passport.state}:{passport.number}")
                said.append(("DocExpirationDate", iso(passport.expires) if passport.expires else "2035-01-01"))
                holder = "I94UnexpForeignPassportDocumentID"
        return element("DHSID", {}, element(holder, {}, texts(said))), identifiers

    def _response(self, answer: str, stay: Stay, description: Description) -> str:
        """Return what SAVE says."""
        text = "Successful."
        if answer == "duplicate":
            text = f"This is a duplicate case, see {FIRST_CASE + self._rng.between(1, 999)}ZZ at Agency One v37"
        metadata = texts([("ResponseCode", _CODES.get(answer, "HS000000")), ("ResponseDescriptionText", text)])
        verified = _VERIFIED.get(answer, "Y" if answer == FINDING else "P")
        content = element("ResponseMetadata", {}, metadata) + texts([("LawfulPresenceVerifiedCode", verified)])
        if answer not in _CODES:
            content += element("InitialVerificationIndividualResponseSet", {}, self._set(answer, stay, description))
        return element("InitialVerificationIndividualResponse", {}, content)

    def _set(self, answer: str, stay: Stay, description: Description) -> str:
        person, rng = description.person, self._rng
        first, _, middle = names.on_paper(person.given).partition(" ")
        birth = birth_text(person.birth)
        until, text = iso(stay.last_day) if stay.last_day else "", "" if stay.last_day else "D/S"
        if until and rng.chance(rates.TEXT_BESIDE_DATE):
            text = f"{until[5:7]}/{until[8:]}/{until[:4]}"
        statement = ("5", "INSTITUTE ADDITIONAL VERIFICATION") if answer == "additional" else ("77", "NON-IMMIGRANT")
        permit = ("C03B", "2027-06-30") if stay.student and rng.chance(rates.WORK_PERMIT) else ("", "")
        return texts(
            [
                ("CaseNumber", f"{FIRST_CASE + self._number}ZZ"),
                ("NonCitLastName", names.on_paper(person.family)[:40]),
                ("NonCitFirstName", first[:25]),
                ("NonCitMiddleName", middle[:25]),
                ("NonCitBirthDate", birth if len(birth) == 10 else ""),
                ("NonCitEntryDate", iso(stay.arrival.day)),
                ("AdmittedToDate", until),
                ("AdmittedToText", text),
                ("NonCitCountryCitCd", INS_ALPHA.code_of(person.citizenship)),
                ("NonCitCoaCode", without_hyphen(stay.admission_class)[:3]),
                ("NonCitProvOfLaw", permit[0]),
                ("NonCitEadsExpireDate", permit[1]),
                ("EligStatementCd", statement[0]),
                ("EligStatementTxt", statement[1]),
                ("WebServSftwrVer", "37"),
                ("AgencyAction", "SAVE has answered"),
                ("FiveYearBarApplyCode", "X"),
                ("QualifiedNonCitizenCode", "N"),
                ("FiveYearBarMetCode", "X"),
                ("USCitizenCode", "N"),
            ]
        )
