"""CLAIMS 4: cases of naturalisation to statuses. The oath makes a citizen; a row that is gone is a retraction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from adapters import petitions
from adapters.converters import code, country, day, text, whole_day
from adapters.core import Feed, Filtered, System
from adapters.fields import Fields
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.database_extract import DatabaseExtract
from adapters.transports.rows import timestamp
from adapters.transports.snapshot import Snapshot, number_of
from schemas.country_codes import INS_ALPHA
from schemas.events import Name, Status, Subject
from schemas.identifiers import Scheme

COLUMNS = """
    receipt_number form_type a_number i94_number last_name first_name middle_name new_last_name new_first_name
    ben_date_of_birth ben_gender country_of_nationality ben_country_of_birth rec_date intv_date natz_test_date lpr_date
    decision decision_date natz_date district_office as_of
""".split()
OTHER_FORMS = ("N-300", "N-336", "N-470", "N-565", "N-600", "N-600K")
FORM = code({"N-400": None} | dict.fromkeys(OTHER_FORMS, "no-naturalisation"))
DENIAL = code({"APPROVED": False, "CONTINUED": False, "DENIED": True, "WITHDRAWN": True})
OFFICE = "America/New_York"
NUMBERS = (
    Number(Scheme.RECEIPT, "receipt_number", needed=True),
    Number(Scheme.A_NUMBER, "a_number"),
    Number(Scheme.I94, "i94_number"),
)
APPLICANT = Person(
    family="last_name",
    given=("first_name", "middle_name"),
    birth="ben_date_of_birth",
    sex="ben_gender",
    citizenship="country_of_nationality",
    numbers=NUMBERS,
    citizenship_as=country(INS_ALPHA),
)
CASE = Person(numbers=NUMBERS)


def key(row: Fields) -> str:
    """The receipt. Raises ValueError."""
    return text(row["receipt_number"], "receipt_number")


def applicant(row: Fields) -> Subject:
    """The person, with the name from the oath behind the one before. Raises ValueError."""
    who = petitions.applicant(APPLICANT, row)
    family, given = row.optional("new_last_name", text), row.optional("new_first_name", text)
    if family or given:
        before = who.names[0] if who.names else None
        if before is not None:
            name = Name(family=family or before.family, given=given or before.given)
        else:
            name = Name(family=family or given or "", given=given or "" if family else "")
        who = who.model_copy(update={"names": tuple(dict.fromkeys((*who.names, name)))})
    return who


def says(row: Fields) -> Iterator[Says]:
    """That the case was filed, that it was denied, and the oath. Raises ValueError."""
    who, filed = applicant(row), row.need("rec_date", day)
    yield Says(Status, _said(who, "naturalisation_pending", filed), "filed")
    denied, oath = row.optional("decision", DENIAL, event=True), _later(row, "natz_date", filed)
    if denied and oath is not None:  # one of the two is wrong, and nothing tells which
        row.lose("natz_date", "natz_date of a case that was denied or withdrawn: neither counts", event=True)
        return
    if denied:
        decided = _later(row, "decision_date", filed)
        if decided is not None:
            reason = {"reason": row.text("decision")}
            yield Says(Status, _said(who, "naturalisation_denied", decided) | reason, "decision")
        elif all(lost.name != "decision_date" for lost in row.lost):
            row.lose("decision_date", "a denial without its day", event=True)
    if oath is not None:
        yield Says(Status, _said(who, "naturalised", oath), "oath")


def _later(row: Fields, name: str, filed: date) -> date | None:
    """A day behind that of the filing; one that is wrong costs its own event, and not the filing."""
    on = row.optional(name, day, event=True)
    if on is not None and on < filed:
        row.lose(name, f"{name} {on} lies before rec_date {filed}", event=True)
        return None
    return on


def gone(row: Fields) -> Iterator[Says] | Filtered:
    """The retraction of a case that was purged or moved. Raises ValueError."""
    rule = FORM(row.text("form_type"), "form_type")
    if rule is not None:
        return Filtered(rule)
    said = _said(CASE.of(row), "naturalisation_pending", row.need("rec_date", day))
    return iter((Says(Status, said, "filed"),))


def _said(who: Subject, fact: str, on: date) -> dict[str, object]:
    return {"occurred_at": whole_day(on, OFFICE), "subject": who, "fact": fact}


MAPPING = Mapper(
    key=key,
    version=number_of,
    skips=lambda row: FORM(row.text("form_type"), "form_type"),
    recorded=lambda row: timestamp(row.text("as_of"), "as_of"),
    says=says,
    gone=gone,
)
VIEW = Snapshot(
    DatabaseExtract(view="visabus_naturalization_case", columns=tuple(COLUMNS), every=20 * 3600.0),
    key=key,
    keep=("receipt_number", "form_type", "a_number", "rec_date"),
    ignore=("as_of",),
)
ADAPTER = System(
    "CLAIMS4",
    title="CLAIMS 4, naturalisation",
    owner="USCIS",
    number=19,
    emits=("status",),
    covers=(),
    facts=("naturalisation_denied", "naturalisation_pending", "naturalised"),
    identifiers=("receipt", "a_number", "i94"),
    mapping_version=1,
    feeds=(Feed("cases", VIEW, MAPPING),),
)
