"""FILETRACK: where paper files are, to encounters."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.converters import choice, day, instant, whole_day
from adapters.core import Closing, Feed, System
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.delimited import DelimitedFormat
from adapters.mapper import RECORDS, Mapper, Number, Person, Says, Vouches, by_sequence
from adapters.transports.file_drop import FileDrop
from schemas.events import Status
from schemas.identifiers import Scheme

PERSON = Person("FAMILY", ("GIVEN",), "BIRTH", numbers=(Number(Scheme.I94, "I94", needed=True),))


def check(header: Fields) -> None:
    """Whether it is the header of a file of this interface. Raises ValueError."""
    if header["VERSION"] != "1" or not header["SEQUENCE"].isdecimal():
        raise ValueError(f"VERSION {header['VERSION']!r}, SEQUENCE {header['SEQUENCE']!r}")
    header.period("SINCE", "THROUGH", instant, "the coverage")
    header.need("MADE", instant)


def key(detail: Fields) -> str:
    """The key of a record. Raises ValueError."""
    if not detail["KEY"]:
        raise ValueError("KEY is blank")
    return str(detail["KEY"])


def says(detail: Fields) -> Iterator[Says]:
    """The encounter. Raises ValueError."""
    seen = whole_day(detail.need("SEEN", day), "America/New_York")
    yield Says(Status, {"occurred_at": seen, "subject": PERSON.of(detail), "fact": "encounter", "reason": "file"})


def vouches(closing: Closing) -> Iterator[Vouches]:
    """What the file is complete for."""
    header = Fields(closing.header)
    since, through, made = (header.need(name, instant) for name in ("SINCE", "THROUGH", "MADE"))
    yield Vouches(f"file {header['SEQUENCE']}", int(header["SEQUENCE"]) * RECORDS, "status", since, through, made)


FORMAT = DelimitedFormat(
    header=("VERSION", "SEQUENCE", "MADE", "SINCE", "THROUGH"),
    detail=("KEY", "ACTION", "I94", "FAMILY", "GIVEN", "BIRTH", "SEEN", "UPDATED", "SHELF"),
    trailer=("AGAIN", "COUNT"),
    same=("SEQUENCE", "AGAIN"),
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
    vouches=vouches,
)
ADAPTER = System(
    "FILETRACK",
    title="FILETRACK, where paper files are",
    owner="ACME",
    number=28,
    emits=("status",),
    identifiers=("i94",),
    mapping_version=1,
    feeds=(Feed("files", FileDrop(pattern="track.*", unchanged=0), MAPPING, FORMAT),),
)
