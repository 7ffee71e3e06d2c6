"""CLAIMS 3: rows of benefit actions to extensions, and to permanent residence once it is granted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from adapters.converters import code, day, whole
from adapters.core import Closing, Feed, System
from adapters.fields import Fields
from adapters.mapper import Mapper, Number, Person, Says, Vouches
from adapters.transports.database_poll import DatabasePoll
from adapters.transports.rows import is_order, parse
from schemas.events import Extension, Status
from schemas.identifiers import Scheme
from schemas.moments import Moment

COLUMNS = """
    action_id row_version receipt_number form_type action_code action_date filed_date a_number i94_number family_name
    given_name date_of_birth sex country_of_citizenship passport_number passport_country current_class requested_class
    requested_until granted_class granted_until valid_from new_i94_number void_flag last_update_ts
""".split()
FORMS = {"I-539": "extend", "I-129": "extend", "I-485": "adjust", "I-765": None}
ACTIONS = {action: action.lower() for action in ("FILED", "APPROVED", "DENIED", "WITHDRAWN", "APPEALED")}
OFFICE = "America/New_York"
"""Days are days at the agency's headquarters; service centers lie in four zones."""
NUMBERS = (
    Number(Scheme.RECEIPT, "receipt_number", needed=True),
    Number(Scheme.A_NUMBER, "a_number"),
    Number(Scheme.I94, "i94_number"),
)
PASSPORT = Number(Scheme.PASSPORT, "passport_number", issuer="passport_country")


def applicant(*numbers: Number) -> Person:
    """Who the application is about, by these numbers."""
    return Person(
        family="family_name",
        given=("given_name",),
        birth="date_of_birth",
        sex="sex",
        citizenship="country_of_citizenship",
        numbers=numbers,
    )


APPLICANT = applicant(*NUMBERS, PASSPORT)
APPROVED = applicant(*NUMBERS, Number(Scheme.I94, "new_i94_number"), PASSPORT)


def admission_class(row: Fields, column: str) -> str | None:
    """The class as canonical events have it: without the hyphen. Raises ValueError."""
    said = row.text(column)
    return said.replace("-", "") if said else None


def period_end(row: Fields, column: str) -> date | Literal["D/S"] | None:
    """The end of a period. Raises ValueError."""
    said = row.text(column)
    return "D/S" if said == "D/S" else optional_day(row, column)


def optional_day(row: Fields, column: str) -> date | None:
    """A day that may be absent. Raises ValueError."""
    return day(row[column], column) if row.text(column) else None


def skips(row: Fields) -> str | None:
    """Applications that ask for no time. Raises ValueError."""
    return "employment-authorisation-only" if code(FORMS)(row.text("form_type"), "form_type") is None else None


def recorded(row: Fields) -> Any:
    """The row's last change. Raises ValueError."""
    at = row.text("last_update_ts")
    if at is None or not is_order(at):
        raise ValueError(f"last_update_ts {at!r} is no timestamp")
    return parse(at)


def says(row: Fields) -> Iterator[Says]:
    """The action; permanent residence once it is granted. Raises ValueError."""
    form, action = row["form_type"], row.text("action_code")
    happened = optional_day(row, "action_date")
    if happened is None:
        raise ValueError("action_date is absent")
    filed = optional_day(row, "filed_date")
    if action == "FILED":
        if filed not in (None, happened):
            raise ValueError(f"filed_date {filed} is not action_date {happened}")
        filed = happened
    approved = action == "APPROVED"
    who = (APPROVED if approved else APPLICANT).of(row)
    if len(who.identifiers) == 1 and not who.names:
        raise ValueError("a receipt alone: neither name nor identifier of a person")
    fields = {"occurred_at": Moment.whole_day(happened, OFFICE), "subject": who}
    current, requested = admission_class(row, "current_class"), admission_class(row, "requested_class")
    changes = FORMS[form] == "extend" and requested and requested != current
    yield Says(
        Extension,
        fields
        | {
            "receipt": row["receipt_number"],
            "form": form,
            "asks": "change_class" if changes else FORMS[form],
            "action": code(ACTIONS)(action, "action_code"),
            "filed_on": filed,
            "requested_class": requested,
            "requested_until": period_end(row, "requested_until"),
            "granted_class": admission_class(row, "granted_class") if approved else None,
            "granted_until": period_end(row, "granted_until") if approved else None,
            "valid_from": optional_day(row, "valid_from") if approved else None,
        },
    )
    if form == "I-485" and approved:
        granted = {"fact": "permanent_resident", "class_of_admission": admission_class(row, "granted_class")}
        yield Says(Status, fields | granted, part="status")


def vouches(closing: Closing) -> Iterator[Vouches]:
    """Every action through the owner's clock was in the view."""
    since, through = parse(closing.fields["since"]), parse(closing.fields["through"])
    record = f"coverage through {closing.fields['through']}"
    yield Vouches(record, int(through.timestamp()), "extension", since, through, through)


ADAPTER = System(
    name="CLAIMS3",
    title="CLAIMS 3, benefit applications on paper",
    owner="USCIS",
    number=18,
    emits=("extension", "status"),
    identifiers=("receipt", "a_number", "i94", "passport"),
    mapping_version=1,
    feeds=(
        Feed(
            name="actions",
            transport=DatabasePoll(
                view="visabus_benefit_action",
                columns=tuple(COLUMNS),
                key="action_id",
                order="last_update_ts",
                numbers=("action_id", "row_version"),
                clock="visabus_benefit_clock.complete_through",
                since="1998-01-01T00:00:00.000000Z",
            ),
            mapping=Mapper(
                key=lambda row: str(row.need("action_id", whole)),
                version=lambda record: whole(record.fields.get("row_version"), "row_version"),
                skips=skips,
                recorded=recorded,
                retracted=lambda row: bool(code({"Y": True, "N": False})(row.text("void_flag"), "void_flag")),
                says=says,
                vouches=vouches,
            ),
        ),
    ),
)
