"""SHOWN: what persons show of their departures, to departures by that evidence."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.converters import choice, day, instant, symbol, whole_day
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.delimited import DelimitedFormat
from adapters.mapper import Mapper, Number, Person, Says, by_sequence
from adapters.transports.file_drop import FileDrop
from schemas.events import Departure
from schemas.identifiers import Scheme

HEADQUARTERS = "America/New_York"
PERSON = Person(
    "FAMILY-NAME",
    ("GIVEN-NAME",),
    "BIRTH-DATE",
    "SEX",
    "CITIZENSHIP",
    numbers=(Number(Scheme.I94, "I94-NUMBER"), Number(Scheme.PASSPORT, "PASSPORT", issuer="PASSPORT-STATE")),
)


def check(header: Fields) -> None:
    """Whether it is the header of a file of this interface. Raises ValueError."""
    sequence = header["SEQUENCE"]
    if header["VERSION"] != "1" or not (sequence.isascii() and sequence.isdecimal() and 0 < int(sequence) < 10**11):
        raise ValueError(f"VERSION {header['VERSION']!r}, SEQUENCE {sequence[:20]!r}")


def key(detail: Fields) -> str:
    """Return the key of a record. Raises ValueError."""
    entry = str(detail["ENTRY"])
    if not (entry.isascii() and entry.isalnum() and entry == entry.upper() and len(entry) <= 20):
        raise ValueError("ENTRY is no key of up to 20 capital letters and digits")
    return entry


def skips(detail: Fields) -> str | None:
    """Return why an entry is left out. Raises ValueError."""
    refused = detail.need("RESULT", choice("A", "R")) == "R"
    return "not-accepted" if refused and detail["ACTION"] != "D" else None


def says(detail: Fields) -> Iterator[Says]:
    """Yield the departure. Raises ValueError."""
    fields = {
        "occurred_at": whole_day(detail.need("DEPARTED", day), HEADQUARTERS),
        "subject": PERSON.of(detail),
        "port": detail.optional("PORT", symbol),
        "carrier": detail.optional("CARRIER", symbol),
    }
    yield Says(Departure, fields | {"evidence": "shown"})


FORMAT = DelimitedFormat(
    header=("VERSION", "SEQUENCE"),
    detail=(
        *("ENTRY", "ACTION", "RESULT", "I94-NUMBER", "PASSPORT", "PASSPORT-STATE", "FAMILY-NAME", "GIVEN-NAME"),
        *("BIRTH-DATE", "SEX", "CITIZENSHIP", "DEPARTED", "PORT", "CARRIER", "PAPERS", "ENTERED", "OFFICER"),
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
    recorded=lambda detail: detail.need("ENTERED", instant),
    retracted=lambda detail: detail.need("ACTION", choice("N", "C", "D")) == "D",
    skips=skips,
    says=says,
)
ADAPTER = System(
    "SHOWN",
    title="SHOWN, what persons show of their departures",
    owner="CBP",
    number=33,
    emits=("departure",),
    covers=(),
    evidence="shown",
    identifiers=("i94", "passport"),
    mapping_version=1,
    feeds=(Feed("files", FileDrop(pattern="shown.*"), MAPPING, FORMAT, ("SEQUENCE",)),),
)
