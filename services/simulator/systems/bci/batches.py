"""BCI's batches as the interface document has them, those of a week together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

from schemas.country_codes import NAMES
from services.simulator.clock import DAY, instant, iso, iso_stamp, local, midnight, repeated, utc_day
from services.simulator.log import birth_text
from services.simulator.noise import Description
from services.simulator.population.plans import Crossing
from services.simulator.spill_buffer import SpillBuffer

CANADA = {
    "PACIFIC HIGHWAY": "America/Vancouver",
    "COUTTS": "America/Edmonton",
    "FORT ERIE": "America/Toronto",
    "ST-BERNARD-DE-LACOLLE": "America/Toronto",
    "WOODSTOCK ROAD": "America/Moncton",
}
"""The zone of the clocks at a port of Canada."""
PORTS = {
    "BLA": "BLAINE",
    "SWE": "SWEETGRASS",
    "PBB": "PEACE BRIDGE",
    "CHM": "CHAMPLAIN",
    "HTM": "HOULTON",
    "SYS": "SAN YSIDRO",
    "NOG": "NOGALES",
    "PDN": "PASO DEL NORTE",
    "LAR": "LAREDO",
}
"""The names of the ports of the United States."""
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<bci:CrossingBatch xmlns:bci="urn:visabus:bci:1" '
    'xmlns:nc="http://release.niem.gov/niem/niem-core/5.0/">\n'
)
WEEK = 7


def tag(name: str, content: str) -> str:
    """Return an element around what is XML already; nothing around nothing."""
    return f"<{name}>{content}</{name}>" if content else ""


def country(state: str) -> str:
    """Return the name of a country by its code of ICAO 9303; the code itself where the name is not known."""
    try:
        return NAMES.code_of(state)
    except KeyError:
        return state


@dataclass(frozen=True, slots=True)
class Entry:
    """A crossing as its port tells it: direction, the port's name, and date and time by the port's clock."""

    direction: str
    port: str
    local: str  # CCYY-MM-DDTHH:MM:SS, or the day alone
    again: bool

    @classmethod
    def into_canada(cls, departure: Crossing) -> Entry:
        """Return a departure as Canada records it."""
        clock = CANADA[departure.foreign_port]
        if departure.second is None:
            return cls("CA", departure.foreign_port, iso(departure.day), again=False)
        day, second = local(clock, departure.at)
        again = repeated(day, second, clock) and instant(day, second, clock) != departure.at
        return cls("CA", departure.foreign_port, f"{iso(day)}T{_wall(second)}", again)

    @classmethod
    def into_here(cls, arrival: Crossing) -> Entry:
        """Return an arrival as the port has it."""
        return cls("US", PORTS[arrival.port], f"{iso(arrival.day)}T{_wall(arrival.second or 0)}", arrival.again)


def _wall(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def person(described: Description, *, passport: bool) -> str:
    """Return the element of the person, by the passport or by a document that identifies nobody elsewhere."""
    who = described.person
    first, _, middle = who.given.partition(" ")
    names = tag("nc:PersonGivenName", escape(first)) + tag("nc:PersonMiddleName", escape(middle))
    birth = birth_text(who.birth)
    kind = {4: "nc:YearDate", 7: "nc:YearMonthDate"}.get(len(birth), "nc:Date")
    number = described.passport.number if passport else f"98{who.number:07}"
    document = tag("bci:DocumentCategoryText", "PASSPORT" if passport else "TRUSTED-TRAVELER-CARD")
    document += tag("bci:DocumentIdentification", tag("nc:IdentificationID", escape(number)))
    if passport:
        document += tag("bci:DocumentIssuingCountryName", escape(country(described.passport.state)))
    parts = (
        tag("nc:PersonName", names + tag("nc:PersonSurName", escape(who.family))),
        tag("nc:PersonBirthDate", tag(kind, birth)),
        tag("bci:PersonNationalityText", escape(country(who.citizenship))),
        tag("bci:PersonSexCode", who.sex),
        "" if described.bare else tag("bci:TravelDocument", document),
    )
    return tag("bci:Person", "".join(parts))


class Batches:
    """All records, gathered by the week in which they were recorded."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._spill_buffer = SpillBuffer(directory)
        self.records = 0

    def add(self, key: str, action: str, entry: Entry, recorded: int, who: str) -> None:
        """Put a record into the batch of its week."""
        when = "bci:CrossingLocalDateTime" if "T" in entry.local else "bci:CrossingLocalDate"
        content = (
            tag("bci:CrossingIdentification", tag("nc:IdentificationID", key)),
            tag("bci:CrossingActionCode", action),
            tag("bci:CrossingDirectionCode", entry.direction),
            tag("bci:CrossingRecordedDateTime", f"{iso_stamp(recorded)}Z"),
            tag(when, entry.local),
            tag("bci:CrossingRepeatedHourIndicator", "true" if entry.again else ""),
            tag("bci:CrossingPortName", escape(entry.port)),
            who,
        )
        self.records += 1
        line = f"{recorded:012} {tag('bci:BorderCrossing', ''.join(content))}\n"
        self._spill_buffer.add(f"{utc_day(recorded) // WEEK:07}", line.encode())

    def finish(self, since: int, records_end: int) -> None:
        """Write the batches. Each vouches for its week, the first from `since`, none beyond the end of the records."""
        for sequence, (week, data) in enumerate(self._spill_buffer.take(), 1):
            records = [line.partition(" ")[2] for line in sorted(data.decode().splitlines())]
            made = (int(week) + 1) * WEEK
            through = min(midnight(made, "UTC"), records_end)
            head = (
                tag("bci:BatchSequenceNumeric", str(sequence)),
                tag("bci:BatchCreatedDateTime", f"{iso_stamp(through)}Z"),
                tag("bci:CrossingQuantity", str(len(records))),
                tag(
                    "bci:Coverage",
                    tag("bci:CoverageSinceDateTime", f"{iso_stamp(since)}Z")
                    + tag("bci:CoverageThroughDateTime", f"{iso_stamp(through)}Z"),
                ),
            )
            since = through
            lines = [tag("bci:BatchHeader", "".join(head)), *records]
            name = f"BCI.D{date.fromordinal(made):%Y%m%d}.S{sequence:06}.xml"
            body = "".join(f"  {line}\n" for line in lines)
            self._directory.joinpath(name).write_text(f"{_HEAD}{body}</bci:CrossingBatch>\n", encoding="utf-8")


RECORDED_AFTER, MENDED_AFTER = 6 * 3600, DAY
"""Seconds between a crossing and its record, or the record's correction."""
