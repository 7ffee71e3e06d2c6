"""LeadTrac: leads on persons who may have overstayed or violated their status, to statuses."""

from __future__ import annotations

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
from schemas.identifiers import Scheme

ZONE = "America/New_York"
TYPES = {"O": "overstay", "V": "status-violator"}
REASONS = ("DEPARTED", "ADJUSTED", "PENDING", "NOT-LOCATED", "ARRESTED")
SOURCES = ("ADIS", "SEVIS", "ATS")
SEQUENCE_DIGITS = 9
PERSON = Person(
    family="FAMILY-NAME",
    given=("GIVEN-NAME",),
    birth="BIRTH-DATE",
    sex="SEX",
    citizenship="CITIZENSHIP",
    numbers=(
        Number(Scheme.SUBJECT, "SUBJECT-ID", issued_by="LEADTRAC"),
        Number(Scheme.SEVIS, "SEVIS-ID"),
        Number(Scheme.I94, "I94-NUMBER"),
        Number(Scheme.PASSPORT, "PASSPORT", issuer="PASSPORT-STATE"),
        Number(Scheme.A_NUMBER, "A-NUMBER"),
    ),
)


def check(header: Fields) -> None:
    """Check that it is the header of a file of this interface. Raises ValueError."""
    sequence = header["SEQUENCE"]
    if header["VERSION"] != "1":
        raise ValueError(f"VERSION {header['VERSION']!r}, '1' expected")
    if not (sequence.isascii() and sequence.isdecimal() and len(sequence) <= SEQUENCE_DIGITS and int(sequence)):
        raise ValueError(f"SEQUENCE {sequence!r} is no number of a file")


def key(detail: Fields) -> str:
    """Return the number of the lead. Raises ValueError."""
    if not detail["LEAD-ID"]:
        raise ValueError("LEAD-ID is blank")
    return str(detail["LEAD-ID"])


def says(detail: Fields) -> Iterator[Says]:
    """Yield that the lead was opened and, where it was, closed. Raises ValueError."""
    opened, closed = detail.need("OPENED", day), detail.optional("CLOSED", day, event=True)
    if closed is not None and closed < opened:
        detail.lose("CLOSED", "CLOSED lies before OPENED", event=True)
        closed = None
    common: dict[str, Any] = {"subject": PERSON.of(detail)}
    source, record = detail.optional("SOURCE", choice(*SOURCES)), detail.optional("SOURCE-RECORD", text)
    if source is not None and record is not None:
        common["origin"] = {"system": source, "record": record}
    reason = detail.need("LEAD-TYPE", code(TYPES))
    at = whole_day(opened, ZONE)
    yield Says(Status, common | {"occurred_at": at, "fact": "lead_opened", "reason": reason}, part="opened")
    if closed is not None:
        why = detail.optional("CLOSE-REASON", choice(*REASONS))
        fields = {"occurred_at": whole_day(closed, ZONE), "fact": "lead_closed", "reason": why.lower() if why else None}
        yield Says(Status, common | fields, part="closed")


FORMAT = DelimitedFormat(
    header=("VERSION", "SEQUENCE", "MADE"),
    detail=(
        "LEAD-ID",
        "ACTION",
        "LEAD-TYPE",
        "SUBJECT-ID",
        "SOURCE",
        "SOURCE-RECORD",
        "FAMILY-NAME",
        "GIVEN-NAME",
        "BIRTH-DATE",
        "SEX",
        "CITIZENSHIP",
        "SEVIS-ID",
        "I94-NUMBER",
        "PASSPORT",
        "PASSPORT-STATE",
        "A-NUMBER",
        "OPENED",
        "CLOSED",
        "CLOSE-REASON",
        "STEP",
        "OFFICE",
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
    skips=lambda detail: "organisations" if detail["LEAD-TYPE"] == "G" else None,
    says=says,
)
ADAPTER = System(
    "LEADTRAC",
    title="LeadTrac",
    owner="ICE",
    number=9,
    emits=("status",),
    covers=(),
    facts=("lead_closed", "lead_opened"),
    identifiers=("sevis", "i94", "passport", "a_number", "subject"),
    mapping_version=1,
    feeds=(Feed("leads", FileDrop(pattern="LEADS.*"), MAPPING, FORMAT, ("SEQUENCE",)),),
)
