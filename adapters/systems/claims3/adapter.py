"""CLAIMS 3: rows of benefit actions to extensions, and to permanent residence once it is granted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from adapters import petitions
from adapters.converters import code, country, day, day_or_status, whole, whole_day
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.mapper import Mapper, Number, Person, Says, vouching
from adapters.transports.database_poll import DatabasePoll
from adapters.transports.rows import timestamp
from schemas.country_codes import CLAIMS_NUMERIC, ICAO, INS_ALPHA
from schemas.events import Extension, Handling, Status
from schemas.identifiers import Scheme

COLUMNS = """
    action_id row_version receipt_number form_type action_code action_date filed_date a_number i94_number family_name
    given_name date_of_birth sex country_of_citizenship passport_number passport_country current_class requested_class
    requested_until granted_class granted_until valid_from new_i94_number void_flag last_update_ts requested_action
    t_u_vawa_flag
""".split()
FORM = code(petitions.FORMS | {"I-765": ""})
ACTION = code({action: action.lower() for action in ("FILED", "APPROVED", "DENIED", "WITHDRAWN", "APPEALED")})
VOID = code({"Y": True, "N": False})
OFFICE = "America/New_York"  # of the agency's headquarters, whose days these are; service centers lie in four zones
COUNTRY, ISSUER = (country(INS_ALPHA, CLAIMS_NUMERIC, ICAO, of=use) for use in ("citizenship", "issuer"))
NUMBERS = (
    Number(Scheme.RECEIPT, "receipt_number", needed=True),
    Number(Scheme.A_NUMBER, "a_number"),
    Number(Scheme.I94, "i94_number"),
    Number(Scheme.PASSPORT, "passport_number", issuer="passport_country", issuer_as=ISSUER),
)
PERSON = ("family_name", ("given_name",), "date_of_birth", "sex", "country_of_citizenship")
APPLICANT = Person(*PERSON, NUMBERS, citizenship_as=COUNTRY)
APPROVED = replace(APPLICANT, numbers=(*NUMBERS[:3], Number(Scheme.I94, "new_i94_number"), NUMBERS[3]))


def skips(row: Fields) -> str | None:
    """Applications that move no stay."""
    if not FORM(row.text("form_type"), "form_type"):
        return "employment-authorisation-only"
    return petitions.consular(row, row["form_type"], "requested_action")


def says(row: Fields) -> Iterator[Says]:
    """The action; permanent residence once it is granted. Raises ValueError."""
    form, action, happened = row["form_type"], row.text("action_code"), row.need("action_date", day)
    filed = row.optional("filed_date", day)
    if action == "FILED" and filed not in (None, happened):
        row.lose("filed_date", f"filed_date {filed} is not action_date {happened}")
    approved = action == "APPROVED"
    subject = petitions.applicant(APPROVED if approved else APPLICANT, row)
    fields = {"occurred_at": whole_day(happened, OFFICE), "subject": subject}
    current, requested = (row.optional(f"{which}_class", petitions.plain_class) for which in ("current", "requested"))
    granted = petitions.granted(row, "granted_class", "granted_until", "valid_from") if approved else {}
    application = {
        "receipt": row["receipt_number"],
        "form": form,
        "asks": petitions.asked(row, form, "requested_action", current, requested),
        "action": ACTION(action, "action_code"),
        "filed_on": happened if action == "FILED" else filed,
        "requested_class": requested,
        "requested_until": row.optional("requested_until", day_or_status),
    }
    yield Says(Extension, fields | application | granted)
    if form == "I-485" and approved:
        resident = {"fact": "permanent_resident", "class_of_admission": granted["granted_class"]}
        yield Says(Status, fields | resident, "status")


def taken_back(row: Fields) -> Iterator[Says]:
    """Of a petition that asks for a notice to a consulate after all, what takes back that it extends a stay."""
    return says(row) if row["form_type"] == "I-129" and row.need("row_version", whole) > 1 else iter(())


MAPPING = Mapper(
    key=lambda row: str(row.need("action_id", whole)),
    version=lambda record: whole(record.fields.get("row_version"), "row_version"),
    skips=skips,
    recorded=lambda row: timestamp(row.text("last_update_ts"), "last_update_ts"),
    retracted=lambda row: VOID(row.text("void_flag"), "void_flag"),
    says=says,
    taken_back=taken_back,
    vouches=vouching("extension"),  # every action through the owner's clock was in the view
    handling=lambda row: (Handling.PROTECTED,) if str(row.get("t_u_vawa_flag") or "").strip() else (),
)
VIEW = DatabasePoll(
    view="visabus_benefit_action",
    columns=tuple(COLUMNS),
    key="action_id",
    order="last_update_ts",
    numbers=("action_id", "row_version"),
    clock="visabus_benefit_clock.complete_through",
    since="1998-01-01T00:00:00.000000Z",
)
ADAPTER = System(
    "CLAIMS3",
    title="CLAIMS 3, benefit applications on paper",
    owner="USCIS",
    number=18,
    emits=("extension", "status"),
    covers=("extension",),
    facts=("permanent_resident",),
    identifiers=("receipt", "a_number", "i94", "passport"),
    mapping_version=1,
    feeds=(Feed("actions", VIEW, MAPPING),),
)
