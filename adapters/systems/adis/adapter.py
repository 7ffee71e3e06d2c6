"""ADIS: rows of matched stays to copies of arrivals, departures and updates, each with its origin where it is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from adapters.converters import choice, code, country, day, day_or_status, nationality, symbol, text, whole, whole_day
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.database_poll import DatabasePoll
from adapters.transports.rows import timestamp
from schemas.airports import airport
from schemas.country_codes import ICAO
from schemas.events import Arrival, Departure, Name, Status, Subject
from schemas.identifiers import Scheme
from schemas.moments import Moment
from schemas.ports import port

COLUMNS = """
    stay_id row_version void_flag arrival_flag departure_flag update_flag update_date match_flag i94_number sevis_id
    a_number fin class_of_admission admitted_until arr_status arr_family_name arr_given_name arr_birth_date arr_sex
    arr_citizenship arr_document_number arr_document_country arrival_date arr_port arr_mode arr_carrier arr_conveyance
    arr_source arr_source_record dep_family_name dep_given_name dep_document_number dep_document_country departure_date
    dep_port dep_mode dep_carrier dep_conveyance dep_evidence dep_source dep_source_record last_update_ts
""".split()
MODE = code({"A": "air", "S": "sea", "L": "land"})
EVIDENCE = code(
    {"B": "biometric", "I": "inspected", "R": "removal", "L": "foreign_entry", "M": "manifest_closed", "C": "manifest"}
)
INSPECTION = code({"A": "admitted", "P": "paroled"})
UPDATE = code({"A": "arrested", "O": None, "P": "permanent_resident"})
OTHERS = ("USC", "LPR")
VOID = code({"Y": True, "N": False})
OFFICE = "America/New_York"
ISSUER = country(ICAO, of="issuer")
TRAVELLER = Person(
    "arr_family_name",
    ("arr_given_name",),
    "arr_birth_date",
    "arr_sex",
    "arr_citizenship",
    (
        Number(Scheme.I94, "i94_number"),
        Number(Scheme.SEVIS, "sevis_id"),
        Number(Scheme.A_NUMBER, "a_number"),
        Number(Scheme.FIN, "fin"),
        Number(Scheme.PASSPORT, "arr_document_number", issuer="arr_document_country", issuer_as=ISSUER),
        Number(Scheme.PASSPORT, "dep_document_number", issuer="dep_document_country", issuer_as=ISSUER),
    ),
    citizenship_as=nationality,
)


def traveller(row: Fields) -> Subject:
    """The person, with the name of the departure behind that of the arrival. Raises ValueError."""
    who = TRAVELLER.of(row)
    family, given = row.optional("dep_family_name", text), row.optional("dep_given_name", text)
    if family or given:
        name = Name(family=family or given or "", given=given or "" if family else "")
        who = who.model_copy(update={"names": tuple(dict.fromkeys((*who.names, name)))})
    if len({one.value for one in who.identifiers}) < len(who.identifiers):  # mostly both passports are one
        who = who.model_copy(update={"identifiers": tuple(dict.fromkeys(who.identifiers))})
    return who


def place(value: Any, what: str) -> tuple[str, str | None]:
    """The port and the zone of its days. Raises ValueError."""
    known = port(symbol(value, what))
    if known is not None and known.somewhere:
        return known.code, known.zone or None
    by_air = airport(value)
    if known is not None or by_air is None:
        raise ValueError(f"{what} {value!r} is no port")
    return value, by_air.zone


def crossing(row: Fields, side: str, on: date) -> dict[str, Any]:
    """What both kinds of crossing have; with its origin where that is known whole."""
    where = row.optional(f"{side}_port", place)
    system, record = row.optional(f"{side}_source", symbol), row.optional(f"{side}_source_record", text)
    return {
        "occurred_at": moment(on, where[1] if where is not None else None),
        "port": where[0] if where is not None else None,
        "mode": row.optional(f"{side}_mode", MODE),
        "carrier": row.optional(f"{side}_carrier", symbol),
        "conveyance": row.optional(f"{side}_conveyance", symbol),
        "origin": {"system": system, "record": record} if system and record else None,
    }


def moment(on: date, zone: str | None) -> Moment:
    """A day at the port."""
    return whole_day(on, zone or OFFICE)


def departed(row: Fields, came: date) -> date | None:
    """The day of the departure that is matched with the arrival; one that cannot be costs itself alone."""
    left, matched = row.optional("departure_date", day, event=True), row.optional("match_flag", choice("M"))
    if left is None:
        return None
    if matched is None:
        row.lose("departure_date", "departure_date in a row whose match_flag is not M", event=True)
        return None
    if left < came:
        row.lose("departure_date", f"departure_date {left} lies before arrival_date {came}", event=True)
        return None
    return left


def says(row: Fields) -> Iterator[Says]:
    """The arrival, and the departure and the update, each if there is one. Raises ValueError."""
    who, came = traveller(row), row.need("arrival_date", day)
    fields = crossing(row, "arr", came) | {
        "subject": who,
        "inspection": row.need("arr_status", INSPECTION),
        "class_of_admission": row.optional("class_of_admission", symbol),
        "admitted_until": row.optional("admitted_until", day_or_status),
    }
    yield Says(Arrival, fields, "arrival")
    left = departed(row, came)
    if left is not None:
        evidence = row.optional("dep_evidence", EVIDENCE, event=True)
        if evidence is not None:
            yield Says(Departure, crossing(row, "dep", left) | {"subject": who, "evidence": evidence}, "departure")
        elif all(lost.name != "dep_evidence" for lost in row.lost):
            row.lose("dep_evidence", "a departure without its evidence", event=True)
    fact = row.optional("update_flag", UPDATE, event=True)
    if fact is not None:
        on = row.optional("update_date", day, event=True)
        if on is not None:
            yield Says(Status, {"occurred_at": moment(on, None), "subject": who, "fact": fact}, "update")
        elif all(lost.name != "update_date" for lost in row.lost):
            row.lose("update_date", "an update without its day", event=True)


MAPPING = Mapper(
    key=lambda row: str(row.need("stay_id", whole)),
    version=lambda record: whole(record.fields.get("row_version"), "row_version"),
    skips=lambda row: "no-nonimmigrant" if row.optional("class_of_admission", text) in OTHERS else None,
    recorded=lambda row: timestamp(row.text("last_update_ts"), "last_update_ts"),
    retracted=lambda row: VOID(row.text("void_flag"), "void_flag"),
    says=says,
    taken_back=lambda row: says(row) if row.need("row_version", whole) > 1 else (),
)
VIEW = DatabasePoll(
    view="visabus_travel_history",
    columns=tuple(COLUMNS),
    key="stay_id",
    order="last_update_ts",
    numbers=("stay_id", "row_version"),
)
ADAPTER = System(
    "ADIS",
    title="ADIS, matched travel history",
    owner="CBP",
    number=1,
    emits=("arrival", "departure", "status"),
    covers=(),
    facts=("arrested", "permanent_resident"),
    evidence="biometric",
    identifiers=("i94", "sevis", "a_number", "fin", "passport"),
    mapping_version=1,
    feeds=(Feed("stays", VIEW, MAPPING),),
)
