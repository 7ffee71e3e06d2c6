"""NFTS: where paper files are, to statuses; a file is checked whole against its trailer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapters.converters import choice, code, day, instant, text, whole_day
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.delimited import DelimitedFormat
from adapters.mapper import Mapper, Number, Person, Says, by_sequence
from adapters.transports.file_drop import FileDrop
from schemas.events import Status
from schemas.identifiers import Identifier, InvalidIdentifier, Scheme

ZONE = "America/New_York"
TYPE = choice("A", "T", "W", "R")
FACTS = {"CREATED": "file_opened", "DIGITISED": "file_scanned"} | dict.fromkeys(
    ("IN TRANSIT", "RECEIVED", "LOST", "RETIRED"), "file_moved"
)
SEQUENCE, OFFICE = re.compile(r"[0-9]{0,8}[1-9][0-9]{0,8}"), re.compile(r"[A-Z][A-Z0-9]{2}")
SEQUENCE_DIGITS, PART_DIGITS = 9, 3
PERSON = Person(numbers=(Number(Scheme.A_NUMBER, "A-NUMBER"), Number(Scheme.RECEIPT, "RECEIPT")))


def check(header: Fields) -> None:
    """Check that it is the header of a file of this interface. Raises ValueError."""
    header.need("FILE-DATE", day)
    if header["SYSTEM"] != "NFTS":
        raise ValueError(f"SYSTEM {header['SYSTEM']!r}, 'NFTS' expected")
    sequence = header["SEQUENCE"]
    if not SEQUENCE.fullmatch(sequence) or len(sequence) > SEQUENCE_DIGITS:
        raise ValueError(f"SEQUENCE {sequence!r} is no number of a file")


def alien(value: Any, what: str) -> str:
    """Return an A-number in its one spelling. Raises ValueError."""
    try:
        return Identifier.spelled(Scheme.A_NUMBER, text(value, what))["value"]
    except InvalidIdentifier as error:
        raise ValueError(f"{what} {error.without_value()}") from None


def part(value: Any, what: str) -> int:
    """Return the number of a temporary or work file. Raises ValueError."""
    if not (isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= PART_DIGITS):
        raise ValueError(f"{what} {value!r} is no number of a file")
    return int(value)


def office(value: Any, what: str) -> str:
    """Return the code of a file control office. Raises ValueError."""
    if not (isinstance(value, str) and OFFICE.fullmatch(value)):
        raise ValueError(f"{what} {value!r} is no file control office")
    return value


def key(detail: Fields) -> str:
    """Return what the file is of, its type and its number. Raises ValueError."""
    kind = detail.need("FILE-TYPE", TYPE)
    of = detail["RECEIPT"] if kind == "R" else detail.need("A-NUMBER", alien)
    if not of:
        raise ValueError("RECEIPT is blank")
    return f"{of}/{kind}{detail.present('PART', part) or ''}"


def says(detail: Fields) -> Iterator[Says]:
    """Yield where the file is. Raises ValueError."""
    more = []
    if (surviving := detail.optional("SURVIVING", alien)) is not None:
        if surviving == detail.need("A-NUMBER", alien):
            detail.lose("SURVIVING", "SURVIVING is the A-number itself")
        else:
            more = [Identifier.spelled(Scheme.A_NUMBER, surviving)]
    status, at = detail["STATUS"], detail.optional("FCO", office)
    fields = {
        "occurred_at": whole_day(detail.need("MOVED", day), ZONE),
        "subject": PERSON.of(detail, more),
        "fact": detail.need("STATUS", code(FACTS)),
        "reason": " ".join(filter(None, (status.lower().replace(" ", "-"), at))),
    }
    yield Says(Status, fields)


FORMAT = DelimitedFormat(
    header=("FILE-DATE", "SYSTEM", "SEQUENCE"),
    detail=tuple(
        "ACTION FILE-TYPE A-NUMBER RECEIPT PART SURVIVING FCO SECTION PARTY STATUS MOVED UPDATED".split(),
    ),
    trailer=("COUNT",),
    kinds=("HDR", "DTL", "TRL"),
    controls=(Control("COUNT"),),
    check=check,
    whole=True,
)
MAPPING = Mapper(
    key=key,
    version=by_sequence("SEQUENCE"),
    recorded=lambda detail: detail.need("UPDATED", instant),
    retracted=lambda detail: detail.need("ACTION", choice("N", "C", "D")) == "D",
    says=says,
)
ADAPTER = System(
    "NFTS",
    title="NFTS, where the paper files are",
    owner="USCIS",
    number=26,
    emits=("status",),
    covers=(),
    facts=("file_moved", "file_opened", "file_scanned"),
    identifiers=("a_number", "receipt"),
    mapping_version=1,
    feeds=(Feed("moves", FileDrop(pattern="NFTS.*"), MAPPING, FORMAT, ("SEQUENCE",)),),
)
