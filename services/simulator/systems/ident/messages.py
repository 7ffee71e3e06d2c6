"""IDENT's encounters as the messages that it pushes, those of a week together. From the interface document alone.

Each file is the body of one request; `services.simulator.push` signs and sends them in the order of their names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from services.simulator.clock import iso, iso_stamp, utc_day
from services.simulator.population.plans import Crossing
from services.simulator.spill_buffer import SpillBuffer

MOST = 500
"""Encounters in a message; the interface allows twice as many."""
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ident:EncounterMessage xmlns:ident="urn:visabus:ident:1" '
    'xmlns:nc="http://release.niem.gov/niem/niem-core/5.0/" '
    'xmlns:im="http://release.niem.gov/niem/domains/immigration/5.2/">\n'
)
_FOOT = "</ident:EncounterMessage>\n"


@dataclass(frozen=True, slots=True)
class Holder:
    """What an encounter says of the person; empty where it says nothing."""

    fin: str = ""
    former: tuple[str, ...] = ()
    family: str = ""
    given: str = ""
    birth: str = ""  # as far as it is known
    sex: str = ""
    citizenship: str = ""
    passport: tuple[str, str] = ("", "")  # state, number
    foil: str = ""


def tag(name: str, content: str) -> str:
    """Return an element around what is XML already; nothing around nothing."""
    return f"<{name}>{content}</{name}>" if content else ""


def number(name: str, value: str) -> str:
    """Return an element that holds an identification."""
    return tag(name, tag("nc:IdentificationID", escape(value)))


def person(who: Holder) -> str:
    """Return the element of the person."""
    named = tag("nc:PersonGivenName", escape(who.given)) + tag("nc:PersonSurName", escape(who.family))
    precision = {4: "nc:YearDate", 7: "nc:YearMonthDate", 10: "nc:Date"}
    born = tag(precision[len(who.birth)], who.birth) if who.birth else ""
    parts = (
        number("ident:FingerprintIdentification", who.fin),
        *(number("ident:FormerFingerprintIdentification", fin) for fin in who.former),
        tag("nc:PersonName", named),
        tag("nc:PersonBirthDate", born),
        tag("ident:PersonSexCode", who.sex),
        tag("ident:PersonCitizenshipCode", who.citizenship),
        _document("P", *who.passport) if who.passport[1] else "",
        _document("V", "USA", who.foil) if who.foil else "",
    )
    return tag("ident:Person", "".join(parts))


def _document(category: str, issuer: str, value: str) -> str:
    content = tag("ident:DocumentCategoryCode", category) + tag("ident:DocumentIssuingStateCode", issuer)
    return tag("ident:TravelDocument", content + number("ident:DocumentIdentification", value))


def encounter(
    key: str, version: int, action: str, category: str, match: str, recorded: int, crossing: Crossing, who: Holder
) -> str:
    """Return one encounter, in one line."""
    moment = f"{iso(crossing.day)}T{_wall(crossing.second or 0)}"
    parts = (
        number("ident:EncounterIdentification", key),
        tag("ident:EncounterVersionNumeric", str(version)),
        tag("ident:EncounterActionCode", action),
        tag("ident:EncounterCategoryCode", category),
        tag("ident:EncounterMatchCode", match),
        tag("ident:EncounterRecordedDateTime", f"{iso_stamp(recorded)}Z"),
        tag("ident:EncounterLocalDateTime", moment),
        tag("ident:EncounterRepeatedHourIndicator", "true" if crossing.again else ""),
        tag("ident:EncounterPortCode", crossing.port),
        tag("ident:TransportationModeCode", crossing.mode),
        tag("ident:CarrierCode", crossing.carrier),
        number("ident:ConveyanceIdentification", crossing.conveyance) if crossing.conveyance else "",
        person(who),
        number("ident:EncounterDeviceIdentification", f"KIOSK-{crossing.port}"),
    )
    return tag("ident:Encounter", "".join(parts))


def _wall(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


class Encounters:
    """All encounters, gathered by the week in which they were recorded."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._spill_buffer = SpillBuffer(directory)
        self.messages = self.encounters = self.filtered = self.exits = self.corrections = self.deletions = 0

    def add(
        self,
        key: str,
        version: int,
        action: str,
        category: str,
        match: str,
        recorded: int,
        crossing: Crossing,
        who: Holder,
        *,
        again: bool = False,
    ) -> None:
        """Put an encounter into the message of its week, or (`again`) of the week after."""
        data = encounter(key, version, action, category, match, recorded, crossing, who)
        self._spill_buffer.add(f"{utc_day(recorded) // 7 + again:07}", f"{recorded:012} {data}\n".encode())
        self.encounters += 1
        self.filtered += match == "NOT-MATCHED"
        self.exits += category == "EXIT" and match == "MATCHED" and action == "N"
        self.corrections += action == "C"
        self.deletions += action == "D"

    def finish(self) -> None:
        """Write the messages."""
        for _, data in self._spill_buffer.take():
            lines = sorted(data.decode().splitlines())
            for at in range(0, len(lines), MOST):
                self.messages += 1
                body = "".join(f"  {line.partition(' ')[2]}\n" for line in lines[at : at + MOST])
                path = self._directory / f"IDENT.{self.messages:06}.xml"
                path.write_text(_HEAD + body + _FOOT, encoding="utf-8")
