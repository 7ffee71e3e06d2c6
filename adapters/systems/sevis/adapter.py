"""SEVIS: batches of requests about students and exchange visitors to facts about their status, and coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from lxml import etree

from adapters.core import Closing, Feed, Filtered, Note, Origin, Record, System
from adapters.dates import iso_day
from adapters.formats.xml_batch import XmlBatchFormat
from adapters.mapping import as_bad_record, envelope, lookup, person, revision
from adapters.transports.file_drop import FileDrop
from schemas.events import AnyEvent, Coverage, Operation, Status, Subject
from schemas.identifiers import Scheme
from schemas.moments import Moment

Fields = Mapping[str, Any]

RECORDS = 10**7
"""More than a batch has records: its sequence and the place in it make one number."""
OFFICE = "America/New_York"
APPLIED = "S0000"


class Meaning(NamedTuple):
    """What an element of a record becomes: part, fact, reason, and the elements of its two days."""

    part: str
    fact: str
    reason: str
    since: str = "EffectiveDate"
    until: str | None = "ProgramEndDate"


def training(reason: str) -> Meaning:
    """A period of work."""
    return Meaning("employment", "sevis_active", reason, "StartDate", "EndDate")


MEANINGS: dict[str, Meaning | None] = {
    "ProgramInfo": Meaning("program", "sevis_active", "created", "IssueDate"),
    "Registration": Meaning("program", "sevis_active", "registered"),
    "ProgramExtension": Meaning("program", "sevis_active", "extended"),
    "ShortenProgram": Meaning("program", "sevis_active", "shortened"),
    "DeferProgram": Meaning("program", "sevis_active", "deferred"),
    "EducationLevel": Meaning("program", "sevis_active", "change-of-level"),
    "ProgramChange": Meaning("program", "sevis_active", "change-of-program"),
    "Transfer": Meaning("program", "sevis_active", "transferred"),
    "Reactivate": Meaning("program", "sevis_active", "reactivated"),
    "OPTEmployment": training("practical-training"),
    "CPTEmployment": training("curricular-training"),
    "OffCampusEmployment": training("off-campus-employment"),
    "AcademicTraining": training("academic-training"),
    "CapGapExtension": Meaning("cap-gap", "sevis_active", "cap-gap", until="Until"),
    "Complete": Meaning("program", "sevis_completed", "completed", until="EffectiveDate"),
    "Terminate": Meaning("program", "sevis_terminated", "", until=None),
    "PersonalInfo": Meaning("person", "encounter", "personal-information", until=None),
    "Administrative": None,
}
VIOLATIONS = """
    UNAUTHORIZED-WITHDRAWAL UNAUTHORIZED-DROP FAILURE-TO-ENROLL EXPULSION SUSPENSION NO-INSURANCE CONVICTION
    PROGRAM-VIOLATION INVOLUNTARY-SUSPENSION NO-SHOW UNAUTHORIZED-EMPLOYMENT OTHER-VIOLATION PRINCIPAL-VIOLATION
""".split()
ENDED = "PRINCIPAL-ENDED CHANGE-OF-STATUS ABSENT-FIVE-MONTHS SCHOOL-WITHDRAWN SPONSOR-WITHDRAWN DEATH".split()
TERMINATIONS = (
    {"EARLY-WITHDRAWAL": "authorized-withdrawal"}
    | dict.fromkeys(VIOLATIONS, "violation")
    | dict.fromkeys(ENDED, "administrative")
)


def moment(said: Fields, name: str) -> datetime:
    """A moment, by whatever offset it was told. Raises ValueError."""
    try:
        return datetime.fromisoformat(said[name]).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} {said[name]!r} is no moment") from None


@lru_cache(maxsize=4096)
def day(of: date) -> Moment:
    """A day at the agency. Raises ValueError."""
    return Moment.whole_day(of, OFFICE)


def coverage(header: Fields) -> tuple[datetime, datetime] | None:
    """Since and through, if the batch vouches for anything. Raises ValueError."""
    said = header.get("Coverage")
    if not said:
        return None
    since, through = moment(said, "Since"), moment(said, "Through")
    if through < since:
        raise ValueError("Coverage runs backwards")
    return since, through


def check(header: Fields) -> None:
    """What the schema cannot say of a header. Raises ValueError."""
    moment(header, "CreatedAt")
    coverage(header)


FORMAT = XmlBatchFormat(
    schema=etree.XMLSchema(etree.fromstring(files("adapters.systems.sevis").joinpath("batch.xsd").read_bytes())),
    namespace="urn:visabus:sevis:batch:1",
    root="SEVISBatch",
    header="BatchHeader",
    records=frozenset({"CreateStudent", "CreateEV", "UpdateStudent", "UpdateEV"}),
    count="RecordCount",
    check=check,
)


def subject(sevis: str, who: Fields, travel: Fields) -> Subject:
    """Whom the record is about: by SEVIS ID always. Raises ValueError."""
    given = " ".join(filter(None, (who.get("GivenName"), who.get("MiddleName"))))
    return person(
        family=who.get("FamilyName"),
        given=given,
        birth=who.get("BirthDate"),
        sex=who.get("Gender"),
        citizenship=who.get("CitizenshipCountryCode"),
        identifiers=(
            (Scheme.SEVIS, sevis, None),
            (Scheme.I94, travel.get("I94Number"), None),
            (Scheme.PASSPORT, travel.get("PassportNumber"), travel.get("PassportIssuingCountry")),
        ),
    )


def parts(kind: str, said: Fields) -> tuple[str, Fields, Subject]:
    """The element that tells what happened, its content, and whom it is about. Raises ValueError."""
    if kind.startswith("Create"):
        who = subject(said["@sevisID"], said["PersonalInfo"], said.get("TravelInfo") or {})
        return "ProgramInfo", said["ProgramInfo"], who
    name = next(name for name in said if name in MEANINGS)
    person_said = said[name] if name == "PersonalInfo" else {}
    return (
        name,
        said[name],
        subject(said["@sevisID"], person_said.get("Person", {}), person_said.get("TravelInfo") or {}),
    )


@as_bad_record
def events(entry: Record | Note, origin: Origin) -> Sequence[AnyEvent] | Filtered:
    """The fact that a record tells; at the end of a batch what it vouches for."""
    if isinstance(entry, Note):
        return vouched(entry, origin) if isinstance(entry, Closing) else ()
    said = entry.fields
    if said["Result"]["ResultCode"] != APPLIED:
        return Filtered("not-applied")
    name, what, who = parts(str(said["@element"]), said)
    meaning = MEANINGS[name]
    if meaning is None:
        return Filtered("no-status")
    since = iso_day(what[meaning.since], f"{name}/{meaning.since}")
    until = iso_day(what[meaning.until], f"{name}/{meaning.until}") if meaning.until else None
    if since is None or (meaning.part != "program" and until is not None and until < since):
        raise ValueError(f"{name} ends before it begins")
    told = {
        "operation": Operation.RETRACT if said["@recordAction"] == "D" else Operation.ASSERT,
        "occurred_at": day(since),
        "subject": who,
        "fact": meaning.fact,
        "class_of_admission": said["@visaType"],
        "until": until,
        "reason": meaning.reason or lookup(TERMINATIONS, what["Reason"], f"{name}/Reason"),
    }
    if entry.number >= RECORDS:
        raise ValueError(f"more than {RECORDS - 1} records in a batch")
    number = int(entry.header["BatchSequence"]) * RECORDS + entry.number
    record = f"{said['@sevisID']}/{said['@requestID']}"
    recorded = moment(said["Result"], "ProcessedAt")
    version = revision(number, told | {"subject": who.model_dump(mode="json"), "recorded": recorded})
    fields = envelope(entry, origin, record, version, part=meaning.part, recorded_at=recorded)
    return (Status.model_validate(fields | told),)


def vouched(note: Closing, origin: Origin) -> list[Coverage]:
    """What the batch is complete for; its header was checked when it was read."""
    header = note.header
    period = coverage(header)
    if period is None:
        return []
    since, through = period
    sequence, made = int(header["BatchSequence"]), moment(header, "CreatedAt")
    which = revision(sequence * RECORDS, {"since": since, "through": through, "made": made})
    fields = envelope(note, origin, f"batch {sequence}", which, recorded_at=made)
    return [Coverage.model_validate(fields | {"scope": "status", "since": since, "through": through})]


ADAPTER = System(
    name="SEVIS",
    title="SEVIS, students and exchange visitors",
    owner="ICE",
    number=10,
    emits=("status",),
    identifiers=("sevis", "passport", "i94"),
    mapping_version=1,
    feeds=(
        Feed(
            name="batches",
            transport=FileDrop(pattern="SEVIS.D????????.S??????.*", unwrap="zip"),
            mapping=events,
            format=FORMAT,
        ),
    ),
)
