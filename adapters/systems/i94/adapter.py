"""I-94: nightly files by copybook to arrivals, departures, extensions and coverage."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from importlib.resources import files
from typing import Any, Literal

from adapters.converters import code, digits_birth, digits_day, digits_instant, lookup, symbol
from adapters.core import Closing, Feed, Record, System
from adapters.dates import moment_of
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.fixed import FixedFormat
from adapters.formats.layout import Choice, Layout
from adapters.mapper import Mapper, Number, Person, Says, Vouches
from adapters.transports.file_drop import FileDrop
from schemas.events import Arrival, Departure, Extension
from schemas.identifiers import Scheme
from schemas.moments import Moment, zone

HERE = files("adapters.systems.i94")
CODES: dict[str, Any] = tomllib.loads(HERE.joinpath("codes.toml").read_text())
RECORDS = 10**7
"""More than a file has records: file sequence and place in the file make one number."""
SUBJECT = Person(
    family="FAMILY-NAME",
    given=("GIVEN-NAME",),
    birth="BIRTH-DATE",
    birth_as=digits_birth,
    sex="SEX-CODE",
    citizenship="CITIZENSHIP",
    numbers=(
        Number(Scheme.I94, "I94-NUMBER"),
        Number(Scheme.PASSPORT, "PASSPORT-NUMBER", issuer="PASSPORT-STATE"),
        Number(Scheme.VISA, "VISA-FOIL"),
    ),
)
PORT, MODE, EVIDENCE, INSPECTION = (code(CODES[name]) for name in ("ports", "modes", "evidences", "inspections"))


def coverages(header: Fields) -> Iterator[tuple[str, datetime, datetime]]:
    """Scope, since, through of the entries in use. Raises ValueError."""
    for entry in header.groups("COVERAGE")[: header["COVERAGE-COUNT"]]:
        scope = entry.need("COVERAGE-SCOPE", code(CODES["scopes"]))
        since, through = (entry.need(name, digits_instant) for name in ("COVERAGE-SINCE", "COVERAGE-THROUGH"))
        if through < since:
            raise ValueError(f"coverage of {scope} runs backwards")
        yield scope, since, through


def check(header: Fields) -> None:
    """Whether it is the header of a file of this interface. Raises ValueError."""
    if (header["INTERFACE-ID"], header["INTERFACE-VERSION"]) != ("CBPI94", 100):
        raise ValueError(f"interface {header['INTERFACE-ID']!r} {header['INTERFACE-VERSION']:04}, not 'CBPI94' 0100")
    if header["FILE-SEQUENCE"] < 1 or header["COVERAGE-COUNT"] > 6:
        raise ValueError("FILE-SEQUENCE is from 1, COVERAGE-COUNT up to 6")
    header.need("FILE-DATE", digits_day)
    header.need("CREATED-AT", digits_instant)
    list(coverages(header))


FORMAT = FixedFormat(
    layout=Layout.of(
        HERE.joinpath("record.cpy").read_text(),
        choices={
            "RECORD-BODY": Choice("RECORD-TYPE", {"H": "HEADER-BODY", "D": "DETAIL-BODY", "T": "TRAILER-BODY"}),
            "TYPE-DATA": Choice("TXN-TYPE", {"A": "ARRIVAL-DATA", "D": "DEPARTURE-DATA", "X": "EXTENSION-DATA"}),
        },
    ),
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
    if detail["TXN-NUMBER"] < 1:
        raise ValueError("TXN-NUMBER is zero")
    return f"{detail['TXN-NUMBER']:011}"


def version(detail: Record) -> int:
    """File sequence and place in the file."""
    return int(detail.header["FILE-SEQUENCE"]) * RECORDS + detail.number


def moment(detail: Fields) -> Moment:
    """Date and time local to the port. Raises ValueError."""
    _, place = detail.need("PORT-CODE", PORT)
    if detail["EVENT-TIME"] == 999999:
        return Moment.whole_day(detail.need("EVENT-DATE", digits_day), place)
    fold = detail["EVENT-FOLD"]
    if fold not in ("", "1", "2"):
        raise ValueError(f"EVENT-FOLD {fold!r}")
    local = moment_of(detail["EVENT-DATE"] * 10**6 + detail["EVENT-TIME"], "EVENT-DATE and EVENT-TIME")
    return Moment.instant(local.replace(tzinfo=zone(place), fold=fold == "2"), place)


def period_end(said: Fields, kind: str, day: str) -> date | Literal["D/S"] | None:
    """The end of a period; the day says nothing where the kind is D/S or blank. Raises ValueError."""
    found = said[kind]
    if found not in ("D", "S", ""):
        raise ValueError(f"kind of period {found!r}, one of D, S or blank expected")
    return said.need(day, digits_day) if found == "D" else "D/S" if found == "S" else None


def admission_class(said: Fields, field: str) -> str | None:
    """The class, which the canonical events spell as this interface does. Raises ValueError."""
    found: str = said[field]
    if found:
        lookup(CODES["classes"], found, "class")
    return found or None


def retracted(detail: Fields) -> bool:
    """Whether the transaction is deleted. Raises ValueError."""
    action = detail["TXN-ACTION"]
    if action not in ("N", "C", "D"):
        raise ValueError(f"TXN-ACTION {action!r}, one of N, C, D expected")
    return bool(action == "D")


def says(detail: Fields) -> Iterator[Says]:
    """The event of a transaction. Raises ValueError."""
    fields: dict[str, Any] = {"occurred_at": moment(detail), "subject": SUBJECT.of(detail)}
    if (granted := detail.group("EXTENSION-DATA")) is not None:
        yield Says(Extension, fields | extension(granted) | {"receipt": key(detail)})
        return
    fields |= {
        "port": detail["PORT-CODE"],
        "mode": detail.need("MODE-CODE", MODE),
        "carrier": detail.optional("CARRIER-CODE", symbol),
        "conveyance": detail.optional("CONVEYANCE", symbol),
    }
    if (left := detail.group("DEPARTURE-DATA")) is not None:
        yield Says(Departure, fields | {"evidence": left.need("EVIDENCE-CODE", EVIDENCE)})
        return
    admitted = detail["ARRIVAL-DATA"]
    fields |= {
        "inspection": admitted.need("INSPECTION-CODE", INSPECTION),
        "class_of_admission": admission_class(admitted, "ADMISSION-CLASS"),
        "admitted_until": period_end(admitted, "ADMITTED-KIND", "ADMITTED-UNTIL"),
    }
    if admitted["INSPECTION-CODE"] in "AP" and not (detail["I94-NUMBER"] and admitted["ADMISSION-CLASS"]):
        raise ValueError("an admission or parole without I94-NUMBER or ADMISSION-CLASS")
    yield Says(Arrival, fields)


def extension(granted: Fields) -> dict[str, Any]:
    """A period that CBP itself made longer. Raises ValueError."""
    if not granted["GRANTED-KIND"]:
        raise ValueError("GRANTED-KIND is blank")
    other = admission_class(granted, "GRANTED-CLASS")
    return {
        "form": "I-94",
        "asks": "change_class" if other else "extend",
        "action": "approved",
        "granted_class": other,
        "granted_until": period_end(granted, "GRANTED-KIND", "GRANTED-UNTIL"),
        "valid_from": granted.need("VALID-FROM", digits_day) if granted["VALID-FROM"] else None,
    }


def vouches(closing: Closing) -> Iterator[Vouches]:
    """What the file is complete for; its header was checked when it was read."""
    header = Fields(closing.header)
    sequence, made = header["FILE-SEQUENCE"], header.need("CREATED-AT", digits_instant)
    for scope, since, through in coverages(header):
        record = f"{header['FILE-DATE']:08}.{sequence:06} {scope}"
        yield Vouches(record, sequence * RECORDS, scope, since, through, made)


ADAPTER = System(
    name="I94",
    title="I-94, admissions and departures",
    owner="CBP",
    number=3,
    emits=("arrival", "departure", "extension"),
    identifiers=("i94", "passport", "visa"),
    mapping_version=1,
    feeds=(
        Feed(
            name="nightly",
            transport=FileDrop(pattern="I94.D????????.S??????"),
            mapping=Mapper(
                key=key,
                version=version,
                recorded=lambda detail: detail.need("LAST-UPDATED", digits_instant),
                retracted=retracted,
                says=says,
                vouches=vouches,
            ),
            format=FORMAT,
        ),
    ),
)
