"""I-94: nightly files by copybook to arrivals, departures, extensions and coverage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from importlib.resources import files
from typing import Any, Literal

from adapters.converters import choice, code, country, digits_birth, digits_day, digits_instant, symbol, tables, whole
from adapters.core import Closing, Feed, System
from adapters.dates import moment_of
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.fixed import FixedFormat
from adapters.formats.layout import Choice, Layout
from adapters.mapper import RECORDS, Mapper, Number, Person, Says, Vouches, by_sequence
from adapters.transports.file_drop import FileDrop
from schemas.country_codes import ICAO, INS_NUMERIC
from schemas.events import Arrival, Departure, Extension
from schemas.identifiers import Scheme
from schemas.moments import Moment, zone
from schemas.ports import Port, ports

CODES = tables("adapters.systems.i94")
MODE, EVIDENCE, INSPECTION, SCOPE = (code(CODES[name]) for name in ("modes", "evidences", "inspections", "scopes"))
OWN_PORTS = {each: Port(each, zone=place, name=name) for each, (name, place) in CODES["ports"].items()}
PORT = code(ports() | OWN_PORTS)
OFFICE = "America/New_York"
"""Where a port is not known, the day of a crossing is taken for one of this zone."""
COUNTRY, ISSUER = country(INS_NUMERIC, ICAO), country(INS_NUMERIC, ICAO, of="issuer")
NUMBERS = (
    Number(Scheme.I94, "I94-NUMBER", digits=11),
    Number(Scheme.PASSPORT, "PASSPORT-NUMBER", issuer="PASSPORT-STATE", issuer_as=ISSUER),
    Number(Scheme.VISA, "VISA-FOIL"),
)
NAMES = ("FAMILY-NAME", ("GIVEN-NAME",))
PERSON = Person(*NAMES, "BIRTH-DATE", "SEX-CODE", "CITIZENSHIP", NUMBERS, digits_birth, citizenship_as=COUNTRY)


def coverages(header: Fields) -> Iterator[tuple[str, datetime, datetime]]:
    """Scope, since, through of the entries in use. Raises ValueError."""
    for entry in header.groups("COVERAGE")[: header["COVERAGE-COUNT"]]:
        scope = entry.need("COVERAGE-SCOPE", SCOPE)
        yield scope, *entry.period("COVERAGE-SINCE", "COVERAGE-THROUGH", digits_instant, f"coverage of {scope}")


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


COPYBOOK = files("adapters.systems.i94").joinpath("record.cpy")
BODIES = Choice("RECORD-TYPE", {"H": "HEADER-BODY", "D": "DETAIL-BODY", "T": "TRAILER-BODY"})
PARTS = Choice("TXN-TYPE", {"A": "ARRIVAL-DATA", "D": "DEPARTURE-DATA", "X": "EXTENSION-DATA"})
FORMAT = FixedFormat(
    layout=Layout.of(COPYBOOK.read_text(), choices={"RECORD-BODY": BODIES, "TYPE-DATA": PARTS}),
    length=250,
    kind="RECORD-TYPE",
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


def where(detail: Fields) -> Port | None:
    """The port; one that is blank or in no table is told, and costs itself."""
    known = detail.optional("PORT-CODE", PORT)
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
    fields: dict[str, Any] = {"occurred_at": moment(detail, at), "subject": PERSON.of(detail)}
    if (extended := detail.group("EXTENSION-DATA")) is not None:
        yield Says(Extension, fields | extension(extended) | {"receipt": MAPPING.key(detail)})
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
    key=lambda detail: f"{detail.need('TXN-NUMBER', whole):011}",
    version=by_sequence("FILE-SEQUENCE"),
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
