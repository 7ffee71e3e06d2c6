"""TECS: inspections in the lane to arrivals, and to encounters of those who were not admitted."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any

from adapters.converters import choice, code, digits_birth, digits_day, digits_instant, symbol, text
from adapters.core import Feed, System
from adapters.dates import moment_of
from adapters.documents import paper
from adapters.fields import Fields
from adapters.formats.layout import Layout
from adapters.formats.positional import Positional
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.amqp_queue import AmqpQueue
from adapters.transports.file_drop import FileDrop
from schemas.airports import airport
from schemas.events import Arrival, Handling, Status
from schemas.identifiers import Identifier, Scheme, Spelling
from schemas.moments import Moment, zone
from schemas.ports import port

HERE = files("adapters.systems.tecs")
CODES: dict[str, Any] = tomllib.loads(HERE.joinpath("codes.toml").read_text(encoding="utf-8"))
COPYBOOK = HERE.joinpath("records.cpy").read_text(encoding="utf-8")
OUTCOME, MODE, DISPOSITION = (code(CODES[name]) for name in ("outcomes", "modes", "dispositions"))
OFFICE = "America/New_York"
"""Where a port is not known, the day of an inspection is taken for one of this zone."""
UNKNOWN = 999_999
VERSION = 100
PERSON = Person(
    "FAMILY-NAME",
    ("GIVEN-NAME",),
    "BIRTH-DATE",
    "SEX-CODE",
    "NATIONALITY",
    (Number(Scheme.A_NUMBER, "ALIEN-FILE-NUMBER"),),
    birth_as=digits_birth,
)


def check(header: Fields) -> None:
    """Check that it is the header of a message of this interface. Raises ValueError."""
    if header["INTERFACE-VERSION"] != VERSION:
        raise ValueError(f"INTERFACE-VERSION {header['INTERFACE-VERSION']}, {VERSION} expected")
    if not header["MESSAGE-SEQUENCE"]:
        raise ValueError("MESSAGE-SEQUENCE is zero")


def key(inspection: Fields) -> str:
    """Return the number of the inspection. Raises ValueError."""
    if not inspection["INSPECTION-NUMBER"]:
        raise ValueError("INSPECTION-NUMBER is zero")
    return f"{inspection['INSPECTION-NUMBER']:012}"


def place(inspection: Fields, mode: str | None) -> tuple[str | None, str | None]:
    """Return the port and the zone of its times; one that is in no table is told, and costs itself."""
    value = inspection.optional("PORT-CODE", text)
    if value is None:
        return None, None
    by_air, former = airport(value), port(value)
    if mode == "air" and by_air is not None:
        return by_air.code, by_air.zone
    if value in CODES["ports"]:
        return value, CODES["ports"][value]
    if former is not None and former.somewhere:
        return former.code, former.zone or None
    if mode is None and by_air is not None:
        return by_air.code, by_air.zone
    inspection.lose("PORT-CODE", f"PORT-CODE {value[:3]!r} is a port of no table")
    return None, None


def moment(inspection: Fields, place_of: str | None) -> Moment:
    """Return when it was, local to the port; the day alone where zone or time are not known. Raises ValueError."""
    day, clock = inspection.need("LANE-DATE", digits_day), inspection["LANE-TIME"]
    if clock == UNKNOWN or place_of is None:
        return Moment.whole_day(day, place_of or OFFICE)
    fold = int(inspection.optional("LANE-FOLD", choice("1", "2")) == "2")
    at: datetime = moment_of(int(f"{day:%Y%m%d}") * 10**6 + clock, "LANE-TIME")
    return Moment.instant(at.replace(tzinfo=zone(place_of), fold=fold), place_of)


def numbers(inspection: Fields) -> Iterator[Spelling]:
    """Yield documents, and the number of the person; what is wrong in one costs itself."""
    for each in inspection.groups("DOCUMENTS"):
        fields = ("DOCUMENT-TYPE", "DOCUMENT-NUMBER", "DOCUMENT-COUNTRY")
        kind, number, issuer = (each.optional(name, text) or "" for name in fields)
        if not kind:  # without one nothing says that it is a passport
            continue
        one, wrong = paper((kind, number, issuer))
        for _, why in wrong:
            each.lose("DOCUMENT-NUMBER", why.replace("LOC+91", "DOCUMENT-COUNTRY").replace("DOC 2.1", "number"))
        if one is not None:
            yield one
    person = inspection.optional("SIGMA-PERSON-ID", lambda value, _: value)
    if person:
        yield Identifier.spelled(Scheme.SUBJECT, f"{person:010}", "TECS")


def says(inspection: Fields) -> Iterator[Says]:
    """Yield what came of the application for admission. Raises ValueError."""
    outcome, mode = inspection.need("OUTCOME-CODE", OUTCOME), inspection.optional("MODE-CODE", MODE)
    code_of, place_of = place(inspection, mode)
    common: dict[str, Any] = {
        "occurred_at": moment(inspection, place_of),
        "subject": PERSON.of(inspection, list(numbers(inspection))),
        "port": code_of,
        "mode": mode,
        "carrier": inspection.optional("CARRIER-CODE", symbol),
        "conveyance": inspection.optional("CONVEYANCE", symbol),
    }
    if mode == "land" and common["conveyance"] == "LAND":
        common["conveyance"] = None
    admitted_as = inspection.optional("ADMISSION-CLASS", symbol)
    if outcome == "secondary":
        yield Says(Status, common | {"fact": "encounter", "reason": "referred to secondary"})
        return
    yield Says(Arrival, common | {"inspection": outcome, "class_of_admission": admitted_as})
    if outcome in ("refused", "withdrawn"):
        charge, disposition = (
            inspection.optional("CHARGE-CODE", text),
            inspection.optional("OFO-DISPOSITION", DISPOSITION),
        )
        if charge or disposition:
            reason = ", ".join(filter(None, (charge, disposition)))
            yield Says(Status, common | {"fact": "encounter", "reason": reason}, part="refusal")


def handling(inspection: Fields) -> tuple[Handling, ...]:
    """Return that it is confidential where a fear of return was claimed."""
    claimed = inspection.optional("CRED-FEAR-INDICATOR", choice("Y", "N")) == "Y"
    return (Handling.ASYLUM,) if claimed or inspection.optional("OFO-DISPOSITION", text) == "ERCF" else ()


def skips(inspection: Fields) -> str | None:
    """Return the rule that leaves an inspection out."""
    double = inspection.optional("DUPLICATE-INDICATOR", choice("Y", "N")) == "Y"
    return "tecs.duplicate" if double else None


FORMAT = Positional(
    {name: Layout.of(COPYBOOK, record=name) for name in ("TH0", "TI1", "TI2", "TI3", "TI4", "TZ9")},
    header="TH0",
    first="TI1",
    trailer="TZ9",
    sequence="SEQUENCE-NUMBER",
    counts=("INSPECTION-COUNT", "RECORD-COUNT"),
    same=("MESSAGE-SEQUENCE", "SEQUENCE-AGAIN"),
    repeats={"TI3": "DOCUMENTS"},
    check=check,
)
MAPPING = Mapper(
    key=key,
    version=lambda record: record.header["MESSAGE-SEQUENCE"] * 10**5 + record.fields["SEQUENCE-NUMBER"],
    says=says,
    recorded=lambda inspection: inspection.need("RECORDED-AT", digits_instant),
    retracted=lambda inspection: inspection.need("ACTION-CODE", choice("A", "R", "D")) == "D",
    skips=skips,
    taken_back=lambda inspection: says(inspection) if inspection["ACTION-CODE"] == "R" else (),
    handling=handling,
)
ADAPTER = System(
    "TECS",
    title="TECS, primary inspection",
    owner="CBP",
    number=4,
    emits=("arrival", "status"),
    covers=(),
    facts=("encounter",),
    identifiers=("a_number", "passport", "subject", "visa"),
    mapping_version=1,
    feeds=(
        Feed("queue", AmqpQueue(), MAPPING, FORMAT, ("SITE-CODE", "MESSAGE-SEQUENCE")),
        Feed("files", FileDrop(pattern="TECS.*"), MAPPING, FORMAT, ("SITE-CODE", "MESSAGE-SEQUENCE")),
    ),
)
