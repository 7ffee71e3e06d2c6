"""Writes a person's removal case as EARM answers it: the case as it stands when the records end."""

from __future__ import annotations

from xml.sax.saxutils import escape

from schemas.country_codes import NAMES
from services.simulator.clock import DAY, iso, iso_stamp, midnight
from services.simulator.log import PersonLog, birth_text, day_only
from services.simulator.noise import Description
from services.simulator.population import names
from services.simulator.population.plans import Crossing, Removal
from services.simulator.rng import Choice
from services.simulator.soap import ChangeLog, element, texts
from services.simulator.source import Counts, Run
from services.simulator.systems.earm import rates

OFFICE = "America/New_York"
FACILITIES = ("KRNLACI", "STCDFTX", "ADLNTCA", "EAZ")
GENDERS = {"M": "Male", "F": "Female", "X": "Unknown"}
_STINTS, _CLOSES = Choice(dict(enumerate(rates.STINTS, 1))), Choice(rates.CLOSES)
_ENDS, _RELEASES = Choice(rates.ENDS), Choice(rates.RELEASES)


class EarmWriter:
    """Writes cases."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._span = run.span
        self._mistakes = run.mistakes
        self._log = ChangeLog(run.place)
        self._filtered = self._removals = 0

    def finish(self) -> Counts:
        """Complete the answers."""
        self._log.finish(self._span.records_end)
        return {
            "read": self._log.records,
            "published": self._log.records - self._filtered,
            "filtered": self._filtered,
            "removals": self._removals,
        }

    def write(self, log: PersonLog) -> None:
        """Write the case of a person, if there is one."""
        removal = log.person.removal
        if removal is None:
            return
        index = len(log.person.stays) - 1
        departure = log.person.stays[index].departure
        executed = departure if removal.executed and log.reports(index, self._system) else None
        description = self._mistakes.describe(log.person, log.person.stays[index])
        key = f"E{removal.case}"
        numbers, identifiers = self._numbers(description)
        steps = [removal.booked, removal.released, removal.ordered, removal.ended, removal.executed if executed else 0]
        changed = min(midnight(max(steps), OFFICE) + 32 * 3600, self._span.records_end - 60)
        late = self._mistakes.late((self._span.records_end - 60 - changed) // DAY)
        again = self._rng.chance(rates.CHANGED_AGAIN)
        if late or again:
            changed = min(changed + (late or self._rng.between(1, 20)) * DAY, self._span.records_end - 60)
        self._mistakes.due("duplicate", possible=False)
        version = sum(map(bool, steps)) + again
        head = {"caseId": key, "version": str(version), "changedAt": f"{iso_stamp(changed)}Z"}
        home = _country(log.person.citizenship)
        content = self._person(description) + self._case(removal, executed, home) + self._stints(removal, executed)
        if self._rng.chance(rates.RISK_TABLE):
            content += self._risk(numbers)
        self._log.add(changed, key, element("Case", head | {"action": "C" if version > 1 else "N"} | numbers, content))
        self._filtered += not any(steps)
        log.add(self._system, key, identifiers, [*description.kinds, *(("out_of_order",) if late else ())])
        if executed is not None:
            self._removals += 1
            log.departed(index, self._system, key, "removal", day_only(executed, OFFICE))

    def _numbers(self, description: Description) -> tuple[dict[str, str], set[str]]:
        """Return the numbers of the case as attributes, and all that identify the person."""
        person = description.person
        alien = self._mistakes.number("alien", person.a_number, description)
        fin = "" if self._rng.chance(rates.WITHOUT_FIN) else self._mistakes.number("fin", person.fin, description)
        identifiers = {f"a_number:{alien}", f"subject:EID:{person.subject}"}
        if fin:
            identifiers.add(f"fin:{fin}")
        if fin and self._rng.chance(rates.WITHOUT_DOCUMENT):
            description.bare = True
        else:
            identifiers.add(f"passport:{description.passport.state}:{description.passport.number}")
        return {"aNumber": alien.removeprefix("A"), "subjectId": person.subject, "fin": fin}, identifiers

    def _person(self, description: Description) -> str:
        person, passport = description.person, description.passport
        said = {
            "familyName": names.on_paper(person.family),
            "givenName": names.on_paper(person.given),
            "birthDate": birth_text(person.birth),
            "gender": GENDERS.get(person.sex, ""),
            "citizenshipCountry": _country(person.citizenship),
        }
        document = {"number": passport.number, "issuingCountry": _country(passport.state)}
        return element("Person", said) + ("" if description.bare else element("TravelDocument", document))

    def _case(self, removal: Removal, executed: Crossing | None, home: str) -> str:
        """Return where the case stands."""
        rng = self._rng
        category, status, since = "[2A] Deportable - Under Adjudication by IJ", "ACTIVE", 0
        if removal.ordered:
            category = "[3] Deportable - Administratively Final Order"
        if executed is not None:
            category, status, since = "[8C] Excludable / Inadmissible", _CLOSES.draw(rng.random), executed.day
        elif removal.ended:
            status, since = _ENDS.draw(rng.random), removal.ended
        order = {"ordered": iso(removal.ordered) if removal.ordered else ""}
        parts = [
            texts([("Category", category)]),
            element("Status", {"since": iso(since) if since else ""}, escape(status)),
            element("FinalOrder", order, "YES" if removal.ordered else "NO"),
        ]
        if executed is not None:
            country = "" if rng.chance(rates.WITHOUT_COUNTRY) else "CANADA" if executed.foreign_port else home
            departure = {"date": iso(executed.day), "port": executed.port, "country": country}
            parts.append(element("Departure", departure))
        if removal.ordered:
            parts.append(texts([("DesignatedCountry", home)]))
        if rng.chance(rates.BOND):
            amount = 246_900_000 if rng.chance(rates.LARGEST_BOND) else 500 * rng.between(3, 40)
            parts.append(element("Bond", {"amount": str(amount), "posted": iso(removal.booked)}))
        return "".join(parts)

    def _stints(self, removal: Removal, executed: Crossing | None) -> str:
        """Return the stints of the one stay in detention, each with the dates of the stay."""
        if not removal.booked:
            return ""
        end, reason = 0, ""
        if removal.released:
            end, reason = removal.released, _RELEASES.draw(self._rng.random)
        elif executed is not None:
            end, reason = executed.day, "Removed"
        stay = {
            "stayBookIn": f"{iso(removal.booked)}T14:30:00",
            "stayBookOut": f"{iso(end)}T05:10:00" if end else "",
            "stayReleaseReason": reason,
            "departedDate": iso(executed.day) if executed is not None else "",
            "religion": self._rng.one(("CATHOLIC", "CATH", "NTA", "")),
        }
        count = min(_STINTS.draw(self._rng.random), 1 + max(0, end - removal.booked))
        parts = []
        for number in range(count):
            last = number == count - 1
            day = removal.booked + number
            stint = {
                "bookIn": f"{iso(day)}T15:00:00",
                "bookOut": stay["stayBookOut"] if last else f"{iso(day + 1)}T06:00:00",
                "facility": self._rng.one(FACILITIES),
                "releaseReason": reason if last else "Transferred",
            }
            parts.append(element("Stint", stay | stint))
        return "".join(parts)

    def _risk(self, numbers: dict[str, str]) -> str:
        """Return the row of the risk table, with the headers of some year."""
        subject = "SUJB ID" if self._rng.chance(rates.MISSPELT_HEADER) else "SUBJ ID"
        columns = {"RCA_AOR": "NYC", subject: numbers["subjectId"], "A Number": numbers["aNumber"]}
        return element(
            "RiskAssessment",
            {},
            "".join(element("Column", {"name": name}, escape(value)) for name, value in columns.items()),
        )


def _country(state: str) -> str:
    return NAMES.code_of(state).upper()
