"""CCD: rows of visa applications to visas issued, refused and revoked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapters.converters import choice, code, day, post, symbol, whole, whole_day
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.database_poll import DatabasePoll
from adapters.transports.rows import timestamp
from schemas.events import Status
from schemas.identifiers import Scheme

COLUMNS = """
    visa_case_id row_version application_id foil_number visa_class post_code status_code status_date issued_date
    expires_date entries refusal_section family_name given_name date_of_birth sex nationality passport_number
    passport_country annotation void_flag last_update_ts
""".split()
OFFICE = "America/New_York"
STATUS = choice("ISSUED", "REFUSED", "REVOKED", "CANCELLED", "PENDING")
ENTRIES = choice("1", "2", "M")
VOID = code({"Y": True, "N": False})
SECTION = re.compile(r"[0-9]{3}[A-Z]?(?:\([A-Za-z0-9]{1,5}\)){1,5}")
PERSON = Person(
    family="family_name",
    given=("given_name",),
    birth="date_of_birth",
    sex="sex",
    citizenship="nationality",
    numbers=(
        Number(Scheme.VISA_APPLICATION, "application_id", needed=True),
        Number(Scheme.VISA, "foil_number"),
        Number(Scheme.PASSPORT, "passport_number", issuer="passport_country"),
    ),
)


def section(value: Any, what: str) -> str:
    """Return a section of law. Raises ValueError."""
    if not (isinstance(value, str) and SECTION.fullmatch(value)):
        raise ValueError(f"{what} {value!r} is no section of law")
    return value


def skips(row: Fields) -> str | None:
    """Leave out what is not decided and never was."""
    return "pending" if row["status_code"] == "PENDING" and row["row_version"] == 1 else None


def says(row: Fields) -> Iterator[Says]:
    """Yield what became of the application. Raises ValueError."""
    status, at = row.need("status_code", STATUS), row.need("status_date", day)
    where = [row.optional("post_code", post), row.optional("visa_class", symbol)]
    person = PERSON.of(row)

    def stated(fact: str, part: str, on: Any, *more: str | None, until: Any = None) -> Says:
        reason = " ".join(filter(None, (*where, *more))) or None
        fields = {"occurred_at": whole_day(on, OFFICE), "subject": person, "reason": reason, "until": until}
        return Says(Status, fields | {"fact": fact}, part)

    if status in ("REFUSED", "PENDING"):
        yield stated("visa_refused", "refused", at, row.optional("refusal_section", section))
        return
    issued = row.optional("issued_date", day) or (at if status == "ISSUED" else None)
    if issued is not None:
        until = row.optional("expires_date", day)
        if until is not None and until < issued:
            row.lose("expires_date", "expires_date lies before the day of issue")
            until = None
        yield stated("visa_issued", "issued", issued, row.optional("entries", ENTRIES), until=until)
    if status != "ISSUED":
        yield stated("visa_revoked", "revoked", at, status.lower())


MAPPING = Mapper(
    key=lambda row: str(row.need("visa_case_id", whole)),
    version=lambda record: whole(record.fields.get("row_version"), "row_version"),
    skips=skips,
    recorded=lambda row: timestamp(row.text("last_update_ts"), "last_update_ts"),
    retracted=lambda row: VOID(row.text("void_flag"), "void_flag") or row["status_code"] == "PENDING",
    says=says,
)
VIEW = DatabasePoll(
    view="visabus_visa",
    columns=tuple(COLUMNS),
    key="visa_case_id",
    order="last_update_ts",
    numbers=("visa_case_id", "row_version"),
)
ADAPTER = System(
    "CCD",
    title="CCD, the State Department's visas",
    owner="DOS",
    number=28,
    emits=("status",),
    covers=(),
    facts=("visa_issued", "visa_refused", "visa_revoked"),
    identifiers=("visa_application", "visa", "passport"),
    mapping_version=1,
    feeds=(Feed("visas", VIEW, MAPPING),),
)
