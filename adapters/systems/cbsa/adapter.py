"""CBSA: entries into Canada by land to departures from the United States."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from adapters.converters import choice, country, day, instant, text, whole_day
from adapters.core import Closing, Feed, System
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.delimited import DelimitedFormat
from adapters.mapper import RECORDS, Mapper, Person, Says, Vouches, by_sequence
from adapters.transports.sftp_drop import SftpDrop
from schemas.countries import UNKNOWN_ISSUER
from schemas.country_codes import ICAO, NAMES
from schemas.events import Departure
from schemas.identifiers import Identifier, InvalidIdentifier, Scheme, Spelling
from schemas.moments import Moment, Precision, midnight, zone
from schemas.ports import PortOfCanada, names_an_airport, port, port_of_canada

TORONTO = "America/Toronto"
FIRST_DAYS = {"departure:foreigners": date(2013, 6, 30), "departure:everybody": date(2019, 7, 11)}
"""Who is in it from which day: the scope of coverage, and its first day in Toronto."""
TYPES = ("PASSPORT", "VISA", "PR-CARD", "NEXUS", "FAST", "EDL", "STATUS-CARD", "BIRTH-CERTIFICATE", "OTHER")
NATIONALITY, ISSUER = country(NAMES, ICAO), country(NAMES, ICAO, of="issuer")
PERSON = Person(
    "LAST-NAME", ("FIRST-NAME", "MIDDLE-NAME"), "BIRTH-DATE", "SEX", "NATIONALITY", citizenship_as=NATIONALITY
)
_KEY, _TIME = re.compile(r"CA[0-9]{10}"), re.compile(r"[0-9]{2}:[0-5][0-9]")
_SEQUENCE_DIGITS = 9


def check(header: Fields) -> None:
    """Check that it is the header of a file of this interface. Raises ValueError."""
    sequence = header["SEQUENCE"]
    if header["VERSION"] != "1":
        raise ValueError(f"VERSION {header['VERSION']!r}, '1' expected")
    if not (sequence.isascii() and sequence.isdecimal() and len(sequence) <= _SEQUENCE_DIGITS and int(sequence)):
        raise ValueError(f"SEQUENCE {sequence!r} is no number of a file")
    header.need("MADE", instant)
    header.period("SINCE", "THROUGH", instant, "the coverage")


def key(detail: Fields) -> str:
    """The number of the record. Raises ValueError."""
    if not _KEY.fullmatch(text(detail["RECORD-ID"], "RECORD-ID")):
        raise ValueError("RECORD-ID is not CA and ten digits")
    return str(detail["RECORD-ID"])


def where(value: Any, what: str) -> PortOfCanada:
    """A land port of Canada. Raises ValueError."""
    known = port_of_canada(text(value, what))
    if known is None:
        raise ValueError(f"{what}: {value!r} is in no code table")
    return known


def clock(value: Any, what: str) -> time:
    """HH:MM. Raises ValueError."""
    if not isinstance(value, str) or not _TIME.fullmatch(value) or value >= "24":
        raise ValueError(f"{what} {value!r} is no time")
    return time(int(value[:2]), int(value[3:]))


def moment(detail: Fields, at: PortOfCanada | None) -> Moment:
    """When it was by the port's clock; its day is that of the port on the other side. Raises ValueError."""
    entered, at_port = detail.need("ENTRY-DATE", day), detail.optional("ENTRY-TIME", clock)
    if at is None or at_port is None:
        return whole_day(entered, at.zone if at is not None else TORONTO)
    local = datetime.combine(entered, at_port, zone(at.zone))
    other = port(at.other_side)
    return Moment.instant(local, other.zone if other is not None else at.zone, Precision.MINUTE)


def documents(detail: Fields) -> list[Spelling]:
    """The passport; other documents identify nobody elsewhere."""
    kind, number = detail.optional("DOCUMENT-TYPE", choice(*TYPES)), detail.text("DOCUMENT-NUMBER")
    if kind != "PASSPORT" or not number:
        return []
    state = detail.optional("ISSUING-COUNTRY", ISSUER)
    try:
        return [Identifier.spelled(Scheme.PASSPORT, number, state or UNKNOWN_ISSUER)]
    except InvalidIdentifier as error:
        detail.lose("DOCUMENT-NUMBER", f"DOCUMENT-NUMBER {error.without_value()}")
        return []


def skips(detail: Fields) -> str | None:
    """Entries by air into Canada: who lands there may come from anywhere."""
    return "by-air" if names_an_airport(detail.text("PORT") or "") else None


def says(detail: Fields) -> Iterator[Says]:
    """The departure. Raises ValueError."""
    at = detail.optional("PORT", where)
    fields = {
        "occurred_at": moment(detail, at),
        "subject": PERSON.of(detail, documents(detail)),
        "port": at.other_side if at is not None else None,
        "mode": "land",
        "evidence": "foreign_entry",
    }
    yield Says(Departure, fields)


def vouches(closing: Closing) -> Iterator[Vouches]:
    """What the file is complete for, for those who are in it by that time."""
    header = Fields(closing.header)
    sequence, made = int(header["SEQUENCE"]), header.need("MADE", instant)
    for scope, first in FIRST_DAYS.items():
        since, through = max(header.need("SINCE", instant), midnight(first, TORONTO)), header.need("THROUGH", instant)
        if since <= through:
            yield Vouches(f"file {sequence} {scope}", sequence * RECORDS, scope, since, through, made)


FORMAT = DelimitedFormat(
    header=("VERSION", "SEQUENCE", "MADE", "SINCE", "THROUGH"),
    detail=(
        "RECORD-ID",
        "ACTION",
        "FIRST-NAME",
        "MIDDLE-NAME",
        "LAST-NAME",
        "BIRTH-DATE",
        "NATIONALITY",
        "SEX",
        "DOCUMENT-TYPE",
        "DOCUMENT-NUMBER",
        "ISSUING-COUNTRY",
        "ENTRY-DATE",
        "ENTRY-TIME",
        "PORT",
        "UPDATED",
    ),
    trailer=("SEQUENCE-AGAIN", "COUNT"),
    same=("SEQUENCE", "SEQUENCE-AGAIN"),
    controls=(Control("COUNT"),),
    check=check,
    whole=True,
)
MAPPING = Mapper(
    key=key,
    version=by_sequence("SEQUENCE"),
    recorded=lambda detail: detail.need("UPDATED", instant),
    retracted=lambda detail: detail.need("ACTION", choice("N", "C", "D")) == "D",
    skips=skips,
    says=says,
    taken_back=lambda detail: says(detail) if detail["ACTION"] != "N" else (),
    vouches=vouches,
)
ADAPTER = System(
    "CBSA",
    title="CBSA, entries into Canada",
    owner="CBSA",
    number=31,
    emits=("departure",),
    covers=("departure:everybody", "departure:foreigners"),
    evidence="foreign_entry",
    identifiers=("passport",),
    mapping_version=1,
    feeds=(Feed("entries", SftpDrop(pattern="CBSA-ENTRY.??????.txt"), MAPPING, FORMAT, ("SEQUENCE",)),),
)
