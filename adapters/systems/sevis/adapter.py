"""SEVIS: batches of requests about students and exchange visitors to facts about their status, and coverage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files

from lxml import etree

from adapters import niem
from adapters.converters import code, country, day, instant_at, tables, whole_day
from adapters.core import Closing, Feed, System
from adapters.fields import Fields
from adapters.formats.xml_batch import XmlBatchFormat
from adapters.mapper import RECORDS, Mapper, Number, Person, Says, Vouches, by_sequence
from adapters.systems.sevis.public import FEED
from adapters.transports.file_drop import FileDrop
from schemas.country_codes import ICAO, SEVIS
from schemas.events import Status
from schemas.identifiers import Scheme

HERE = files("adapters.systems.sevis")
CODES = tables("adapters.systems.sevis")
MEANINGS: dict[str, dict[str, str]] = CODES["meanings"]
ELEMENTS = frozenset({*MEANINGS, "Administrative"})
TERMINATION = code(CODES["terminations"])
OFFICE = "America/New_York"
MOMENT = instant_at(OFFICE)
PERSON = "FamilyName GivenName MiddleName BirthDate Gender CitizenshipCountryCode".split()
CITIZENSHIP, ISSUER = country(SEVIS, ICAO), country(SEVIS, ICAO, of="issuer")
ID = Number(Scheme.SEVIS, "@sevisID", needed=True)


def person(names: str, travel: str) -> Person:
    """Whom a record is about, by the groups that tell names and travel documents; by SEVIS ID always."""
    family, *given, birth, sex, citizenship = (f"{names}/{name}" for name in PERSON)
    i94 = Number(Scheme.I94, f"{travel}/I94Number")
    passport = Number(
        Scheme.PASSPORT, f"{travel}/PassportNumber", issuer=f"{travel}/PassportIssuingCountry", issuer_as=ISSUER
    )
    numbers = (ID, i94, passport)
    return Person(
        family, tuple(given), birth, sex, citizenship, numbers, birth_as=niem.birth, citizenship_as=CITIZENSHIP
    )


CREATED = person("PersonalInfo", "TravelInfo")
CHANGED = person("PersonalInfo/Person", "PersonalInfo/TravelInfo")
KNOWN = Person(numbers=(ID,))


def coverage(header: Fields) -> tuple[datetime, datetime] | None:
    """Since and through, if the batch vouches for anything. Raises ValueError."""
    said = header.group("Coverage")
    return said.period("Since", "Through", MOMENT, "Coverage") if said else None


def check(header: Fields) -> None:
    """What the schema cannot say of a header. Raises ValueError."""
    header.need("CreatedAt", MOMENT)
    coverage(header)


def element(said: Fields) -> str:
    """The element that tells what happened."""
    if said["@element"].startswith("Create"):
        return "ProgramInfo"
    return next(name for name in said if name in ELEMENTS)


def skips(said: Fields) -> str | None:
    """Requests that were not applied, or change no status."""
    if said["Result"]["ResultCode"] != "S0000":
        return "not-applied"
    return None if element(said) in MEANINGS else "no-status"


def says(said: Fields) -> Iterator[Says]:
    """The fact that a record tells. Raises ValueError."""
    name = element(said)
    what, means = said[name], MEANINGS[name]
    since, until = (
        day(what[field], f"{name}/{field}") if (field := means.get(end)) and what.get(field) is not None else None
        for end in ("since", "until")
    )
    bounded = name == "ProgramInfo" or means["part"] != "program"
    if since is None or (bounded and until is not None and until < since):
        raise ValueError(f"{name} ends before it begins")
    who = CREATED if name == "ProgramInfo" else CHANGED if name == "PersonalInfo" else KNOWN
    reason = means.get("reason") or TERMINATION(what["Reason"], f"{name}/Reason")
    fields = {"fact": means["fact"], "class_of_admission": said["@visaType"], "until": until, "reason": reason}
    yield Says(Status, fields | {"occurred_at": whole_day(since, OFFICE), "subject": who.of(said)}, means["part"])


def vouches(closing: Closing) -> Iterator[Vouches]:
    """What the batch is complete for; its header was checked when it was read."""
    header = Fields(closing.header)
    sequence, period = int(header["BatchSequence"]), coverage(header)
    if period is not None:
        yield Vouches(f"batch {sequence}", sequence * RECORDS, "status", *period, header.need("CreatedAt", MOMENT))


FORMAT = XmlBatchFormat(
    schema=etree.XMLSchema(etree.fromstring(HERE.joinpath("batch.xsd").read_bytes())),
    namespace="urn:visabus:sevis:batch:1",
    root="SEVISBatch",
    header="BatchHeader",
    records=frozenset({"CreateStudent", "CreateEV", "UpdateStudent", "UpdateEV"}),
    count="RecordCount",
    check=check,
)
MAPPING = Mapper(
    key=lambda said: f"{said['@sevisID']}/{said['@requestID']}",
    version=by_sequence("BatchSequence"),
    skips=skips,
    recorded=lambda said: said["Result"].need("ProcessedAt", MOMENT),
    retracted=lambda said: said["@recordAction"] == "D",
    says=says,
    vouches=vouches,
    future=None,
)
ADAPTER = System(
    "SEVIS",
    title="SEVIS, students and exchange visitors",
    owner="ICE",
    number=10,
    emits=("status",),
    covers=("status",),
    facts=("encounter", "sevis_active", "sevis_completed", "sevis_terminated"),
    identifiers=("sevis", "passport", "i94"),
    mapping_version=1,
    feeds=(
        Feed(
            "batches", FileDrop(pattern="SEVIS.D????????.S??????.*", unwrap="zip"), MAPPING, FORMAT, ("BatchSequence",)
        ),
        FEED,
    ),
)
