"""CLAIMS 3: rows of benefit actions to extensions, and to permanent residence once it is granted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from adapters.core import Feed, Filtered, Mapped, Note, Origin, Record, System
from adapters.dates import iso_day
from adapters.mapping import chosen, envelope, person, refusing, revision
from adapters.transports.database_poll import is_order, open_poll, parse
from schemas.events import Coverage, Extension, Operation, Status, Subject
from schemas.identifiers import Scheme
from schemas.moments import Moment

Row = Mapping[str, Any]

COLUMNS = """
    action_id row_version receipt_number form_type action_code action_date filed_date a_number i94_number family_name
    given_name date_of_birth sex country_of_citizenship passport_number passport_country current_class requested_class
    requested_until granted_class granted_until valid_from new_i94_number void_flag last_update_ts
""".split()
NUMBERS = ("action_id", "row_version")
OF_APPROVAL = ("granted_class", "granted_until", "valid_from", "new_i94_number")
FORMS = {"I-539": "extend", "I-129": "extend", "I-485": "adjust", "I-765": None}
ACTIONS = {action: action.lower() for action in ("FILED", "APPROVED", "DENIED", "WITHDRAWN", "APPEALED")}
OFFICE = "America/New_York"
"""Days are days at the agency's headquarters; service centers lie in four zones."""


def grade(code: str | None) -> str | None:
    """The class as canonical events have it: without the hyphen."""
    return code.replace("-", "") if code else None


def until(row: Row, column: str) -> date | Literal["D/S"] | None:
    """The end of a period. Raises ValueError."""
    return "D/S" if row[column] == "D/S" else iso_day(row[column], column)


def subject(row: Row) -> Subject:
    """Who the application is about; the receipt is one of the identifiers. Raises ValueError."""
    who = person(
        family=row["family_name"],
        given=row["given_name"],
        birth=row["date_of_birth"],
        sex=row["sex"],
        citizenship=row["country_of_citizenship"],
        identifiers=(
            (Scheme.RECEIPT, row["receipt_number"], "USCIS"),
            (Scheme.A_NUMBER, row["a_number"], None),
            (Scheme.I94, row["i94_number"], None),
            (Scheme.I94, row["new_i94_number"], None),
            (Scheme.PASSPORT, row["passport_number"], row["passport_country"]),
        ),
    )
    if len(who.identifiers) == 1 and not who.names:
        raise ValueError("a receipt alone: neither name nor identifier of a person")
    return who


def asked(row: Row) -> str:
    """What the application asks for."""
    plain = str(FORMS[row["form_type"]])
    other = grade(row["requested_class"])
    return "change_class" if plain == "extend" and other and other != grade(row["current_class"]) else plain


@refusing
def events(entry: Record | Note, origin: Origin) -> Mapped:
    """The canonical events of a row; coverage at the end of a poll."""
    if isinstance(entry, Note):
        return coverage(entry, origin) if "through" in entry.fields else ()
    row = {column: _value(entry.fields, column) for column in COLUMNS}
    if chosen(FORMS, row["form_type"], "form_type") is None:
        return Filtered("employment-authorisation-only")
    if row["action_code"] != "APPROVED":
        row |= dict.fromkeys(OF_APPROVAL)
    happened = iso_day(row["action_date"], "action_date")
    if happened is None:
        raise ValueError("action_date is absent")
    filed = iso_day(row["filed_date"], "filed_date")
    if row["action_code"] == "FILED":
        if filed not in (None, happened):
            raise ValueError(f"filed_date {filed} is not action_date {happened}")
        filed = happened
    record, version = _whole(row, "action_id"), _whole(row, "row_version")
    number = revision(version, row)
    if not is_order(row["last_update_ts"]):
        raise ValueError(f"last_update_ts {row['last_update_ts']!r} is no timestamp")
    recorded = parse(row["last_update_ts"])
    fields = {
        "operation": Operation.RETRACT if chosen({"Y": True, "N": False}, row["void_flag"], "void_flag") else "assert",
        "occurred_at": Moment.whole_day(happened, OFFICE),
        "subject": subject(row),
    }
    extension = Extension.model_validate(
        envelope(entry, origin, str(record), number, recorded_at=recorded)
        | fields
        | {
            "receipt": row["receipt_number"],
            "form": row["form_type"],
            "asks": asked(row),
            "action": chosen(ACTIONS, row["action_code"], "action_code"),
            "filed_on": filed,
            "requested_class": grade(row["requested_class"]),
            "requested_until": until(row, "requested_until"),
            "granted_class": grade(row["granted_class"]),
            "granted_until": until(row, "granted_until"),
            "valid_from": iso_day(row["valid_from"], "valid_from"),
        }
    )
    if (row["form_type"], row["action_code"]) != ("I-485", "APPROVED"):
        return (extension,)
    resident = Status.model_validate(
        envelope(entry, origin, str(record), number, part="status", recorded_at=recorded)
        | fields
        | {"fact": "permanent_resident", "class_of_admission": grade(row["granted_class"])}
    )
    return (extension, resident)


def _whole(row: Row, column: str) -> int:
    value = row[column]
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{column} {value!r} is no number from 1")
    return value


def _value(row: Row, column: str) -> Any:
    """Text without the blanks behind it that fixed-width columns come with; NULL if nothing is left."""
    value = row.get(column)
    if column in NUMBERS or value is None:
        return value
    if not isinstance(value, str):
        raise ValueError(f"{column} {value!r} is no text")
    return value.rstrip() or None


def coverage(note: Note, origin: Origin) -> list[Coverage]:
    """Every action through the owner's clock was in the view."""
    since, through = parse(note.fields["since"]), parse(note.fields["through"])
    number = revision(int(through.timestamp()), {"since": since, "through": through})
    record = f"coverage through {note.fields['through']}"
    fields = envelope(note, origin, record, number, recorded_at=through)
    return [Coverage.model_validate(fields | {"scope": "extension", "since": since, "through": through})]


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
            transport=open_poll,
            mapping=events,
            options={
                "view": "visabus_benefit_action",
                "columns": tuple(COLUMNS),
                "key": "action_id",
                "order": "last_update_ts",
                "numbers": NUMBERS,
                "clock": "visabus_benefit_clock.complete_through",
                "since": "1998-01-01T00:00:00.000000Z",
            },
        ),
    ),
)
