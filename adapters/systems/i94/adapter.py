"""I-94: nightly files by copybook to arrivals, departures, extensions and coverage."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from importlib.resources import files
from typing import Any, Literal

from adapters.converters import choice, code, country, digits_birth, digits_day, digits_instant, symbol, text
from adapters.core import Closing, Feed, System
from adapters.dates import moment_of
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.fixed import FixedFormat
from adapters.formats.layout import Choice, Layout
from adapters.mapper import Mapper, Number, Person, Says, Vouches
from adapters.transports.file_drop import FileDrop
from schemas.country_codes import ICAO, INS_NUMERIC
from schemas.events import Arrival, Departure, Extension
from schemas.identifiers import Scheme
from schemas.moments import Moment, zone
from schemas.ports import Port, port

HERE = files("adapters.systems.i94")
CODES: dict[str, Any] = tomllib.loads(HERE.joinpath("codes.toml").read_text())
TABLES = ("modes", "evidences", "inspections", "scopes")
MODE, EVIDENCE, INSPECTION, SCOPE = (code(CODES[name]) for name in TABLES)
OFFICE = "America/New_York"
"""Where a port is not known, the day of a crossing is taken for one of this zone."""
RECORDS = 10**7
"""More than a file has records: file sequence and place in the file make one number."""
SHORT = re.compile(r"[0-9]{9,10}")
"""A number of the I-94 that has lost its leading zeros on its way through a number."""


def admission_number(value: Any, what: str) -> str:
    """The number of the I-94, with the zeros that it has lost. Raises ValueError."""
    number = text(value, what)
    return number.zfill(11) if SHORT.fullmatch(number) else number


NUMBERS = (
    Number(Scheme.I94, "I94-NUMBER", number_as=admission_number),
    Number(
        Scheme.PASSPORT, "PASSPORT-NUMBER", issuer="PASSPORT-STATE", issuer_as=country(INS_NUMERIC, ICAO, of="issuer")
    ),
    Number(Scheme.VISA, "VISA-FOIL"),
)
PERSON = Person(
    "FAMILY-NAME",
    ("GIVEN-NAME",),
    "BIRTH-DATE",
    "SEX-CODE",
    "CITIZENSHIP",
    NUMBERS,
    birth_as=digits_birth,
    citizenship_as=country(INS_NUMERIC, ICAO),
)


def coverages(header: Fields) -> Iterator[tuple[str, datetime, datetime]]:
    """Scope, since, through of the entries in use. Raises ValueError."""
    for entry in header.groups("COVERAGE")[: header["COVERAGE-COUNT"]]:
        scope = entry.need("COVERAGE-SCOPE", SCOPE)
        since, through = (entry.need(name, digits_instant) for name in ("COVERAGE-SINCE", "COVERAGE-THROUGH"))
        if through < since:
            raise ValueError(f"coverage of {scope} runs backwards")
        yield scope, since, through


def check(header: Fields) -> None:
    """Whether it is the header of a file of this interface. Raises ValueError."""
    name, version = header["INTERFACE-ID"], header["INTERFACE-VERSION"]
    if (name, version) != ("CBPI94", 100):
        raise ValueError(f"interface {name!r} {version:04}, not 'CBPI94' 0100")
    if header["FILE-SEQUENCE"] < 1 or header["COVERAGE-COUNT"] > 6:
        raise ValueError("FILE-SEQUENCE is from 1, COVERAGE-COUNT up to 6")
    header.need("FILE-DATE", digits_day)
    header.need("CREATED-AT", digits_instant)
    list(coverages(header))


BODIES = Choice("RECORD-TYPE", {"H": "HEADER-BODY", "D": "DETAIL-BODY", "T": "TRAILER-BODY"})
PARTS = Choice("TXN-TYPE", {"A": "ARRIVAL-DATA", "D": "DEPARTURE-DATA", "X": "EXTENSION-DATA"})
FORMAT = FixedFormat(
    layout=Layout.of(HERE.joinpath("record.cpy").read_text(), choices={"RECORD-BODY": BODIES, "TYPE-DATA": PARTS}),
    length=250,
    kind="RECORD-TYPE",
    header="H",
    detail="D",
    trailer="T",
    same=("FILE-SEQUENCE", "TRAILER-SEQUENCE"),
    controls=(
        Control("DETAIL-COUNT"),
        Control("ARRIVAL-COUNT", where=("TXN-TYPE", "A")),
        Control("DEPARTURE-COUNT", where=("TXN-TYPE", "D")),
        Control("EXTENSION-COUNT", where=("TXN-TYPE", "X")),
        Control("HASH-TOTAL", of="TXN-NUMBER", modulo=10**17),
    ),
    check=check,
)


def key(detail: Fields) -> str:
    """The transaction's number. Raises ValueError."""
    number = detail["TXN-NUMBER"]
    if number < 1:
        raise ValueError("TXN-NUMBER is zero")
    return f"{number:011}"


def place(value: Any, what: str) -> Port:
    """The port by the interface's own table, else by that of the former INS. Raises ValueError."""
    if (own := CODES["ports"].get(value)) is not None:
        return Port(value, zone=own[1], name=own[0])
    known = port(value) if isinstance(value, str) else None
    if known is None:
        raise ValueError(f"{what}: {value!r} is in no code table")
    return known


def where(detail: Fields) -> Port | None:
    """The port; one that is blank or in no table is told, and costs itself."""
    known = detail.optional("PORT-CODE", place)
    if known is None and all(lost.name != "PORT-CODE" for lost in detail.lost):
        detail.lose("PORT-CODE", "PORT-CODE is blank")
    return known


def moment(detail: Fields, at: Port | None) -> Moment:
    """Date and time local to the port; the day alone where the port, or the zone of its times, is not known."""
    if at is None or not at.zone or detail["EVENT-TIME"] == 999999:
        return Moment.whole_day(detail.need("EVENT-DATE", digits_day), (at and at.zone) or OFFICE)
    fold = detail.optional("EVENT-FOLD", choice("1", "2"))
    local = moment_of(detail["EVENT-DATE"] * 10**6 + detail["EVENT-TIME"], "EVENT-DATE and EVENT-TIME")
    return Moment.instant(local.replace(tzinfo=zone(at.zone), fold=fold == "2"), at.zone)


def admission_class(said: Fields, name: str) -> str | None:
    """The class; one that is in no table stands as it is, and that is told."""
    value = said.optional(name, symbol)
    if value is not None and value not in CODES["classes"]:
        said.lose(name, f"a meaning of {name} {value!r}, which is in no code table")
    return value


def period_end(said: Fields, kind: str, day: str) -> date | Literal["D/S"] | None:
    """The end of a period; the day says nothing where the kind is D/S or blank. Raises ValueError."""
    result = said.optional(kind, choice("D", "S"))
    return said.need(day, digits_day) if result == "D" else "D/S" if result == "S" else None


def says(detail: Fields) -> Iterator[Says]:
    """The event of a transaction. Raises ValueError."""
    at = where(detail)
    if SHORT.fullmatch(detail.text("I94-NUMBER") or ""):
        detail.lose("I94-NUMBER", "leading zeros of I94-NUMBER, which were put back")
    fields: dict[str, Any] = {"occurred_at": moment(detail, at), "subject": PERSON.of(detail)}
    if (extended := detail.group("EXTENSION-DATA")) is not None:
        yield Says(Extension, fields | extension(extended) | {"receipt": key(detail)})
        return
    fields["port"] = at.code if at is not None and at.somewhere else None
    fields["mode"] = detail.need("MODE-CODE", MODE)
    fields["carrier"], fields["conveyance"] = (detail.optional(name, symbol) for name in ("CARRIER-CODE", "CONVEYANCE"))
    if (left := detail.group("DEPARTURE-DATA")) is not None:
        yield Says(Departure, fields | {"evidence": left.need("EVIDENCE-CODE", EVIDENCE)})
        return
    admitted = detail["ARRIVAL-DATA"]
    fields["inspection"] = admitted.need("INSPECTION-CODE", INSPECTION)
    fields["class_of_admission"] = admission_class(admitted, "ADMISSION-CLASS")
    fields["admitted_until"] = period_end(admitted, "ADMITTED-KIND", "ADMITTED-UNTIL")
    if admitted["INSPECTION-CODE"] in "AP" and not (detail["I94-NUMBER"] and fields["class_of_admission"]):
        raise ValueError("an admission or parole without I94-NUMBER or ADMISSION-CLASS")
    yield Says(Arrival, fields)


def extension(said: Fields) -> dict[str, Any]:
    """A period that CBP itself made longer. Raises ValueError."""
    until, granted = period_end(said, "GRANTED-KIND", "GRANTED-UNTIL"), admission_class(said, "GRANTED-CLASS")
    if until is None:
        raise ValueError("GRANTED-KIND is neither D nor S")
    valid_from = said.need("VALID-FROM", digits_day) if said["VALID-FROM"] else None
    asks = {"form": "I-94", "action": "approved", "asks": "change_class" if said["GRANTED-CLASS"] else "extend"}
    return asks | {"granted_class": granted, "granted_until": until, "valid_from": valid_from}


def vouches(closing: Closing) -> Iterator[Vouches]:
    """What the file is complete for; its header was checked when it was read."""
    header = Fields(closing.header)
    sequence, made = header["FILE-SEQUENCE"], header.need("CREATED-AT", digits_instant)
    for scope, since, through in coverages(header):
        record = f"{header['FILE-DATE']:08}.{sequence:06} {scope}"
        yield Vouches(record, sequence * RECORDS, scope, since, through, made)


MAPPING = Mapper(
    key=key,
    version=lambda detail: int(detail.header["FILE-SEQUENCE"]) * RECORDS + detail.number,
    recorded=lambda detail: detail.need("LAST-UPDATED", digits_instant),
    retracted=lambda detail: detail.need("TXN-ACTION", choice("N", "C", "D")) == "D",
    says=says,
    vouches=vouches,
)
ADAPTER = System(
    "I94",
    title="I-94, admissions and departures",
    owner="CBP",
    number=3,
    emits=("arrival", "departure", "extension"),
    covers=("arrival:air", "arrival:land", "arrival:sea", "departure:air", "departure:land", "departure:sea"),
    evidence="biometric",
    identifiers=("i94", "passport", "visa"),
    mapping_version=1,
    feeds=(Feed("nightly", FileDrop(pattern="I94.D????????.S??????"), MAPPING, FORMAT, ("FILE-SEQUENCE",)),),
)
