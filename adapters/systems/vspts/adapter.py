"""VSPTS-Net: recommendations on applications for visas, to statuses; the last decision on an application rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files

from lxml import etree

from adapters import niem
from adapters.converters import choice, code, instant_at, post, symbol
from adapters.core import Feed, Record, System
from adapters.fields import Fields
from adapters.formats.xml_batch import XmlBatchFormat
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.file_drop import FileDrop
from schemas.events import Status
from schemas.identifiers import Scheme
from schemas.moments import Moment

MOMENT = instant_at("UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FACTS = {"RECOMMEND ISSUE": "visa_vetted", "RECOMMEND REFUSE": "visa_refused", "MORE": "visa_vetted"}
GROUP = choice("SECURITY", "CRIMINAL", "FRAUD", "OTHER")
APPLICANT = Person(
    family="Applicant/FamilyName",
    given=("Applicant/GivenName",),
    birth="Applicant/BirthDate",
    sex="Applicant/Sex",
    citizenship="Applicant/Citizenship",
    birth_as=niem.birth,
    numbers=(
        Number(Scheme.VISA_APPLICATION, "ApplicationID", needed=True),
        Number(Scheme.PASSPORT, "Passport/Number", issuer="Passport/State"),
        Number(Scheme.VISA, "Foil"),
    ),
)


def version(record: Record) -> int:
    """Return microseconds since 1970. Raises ValueError."""
    since = Fields(record.fields).need("UpdatedAt", MOMENT) - EPOCH
    return (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds


def says(said: Fields) -> Iterator[Says]:
    """Yield the recommendation. Raises ValueError."""
    parts = (said.optional(*each) for each in (("Post", post), ("VisaClass", symbol), ("ReasonGroup", GROUP)))
    fields = {
        "occurred_at": Moment.instant(said.need("DecidedAt", MOMENT)),
        "subject": APPLICANT.of(said),
        "fact": said.need("Decision", code(FACTS)),
        "reason": " ".join(filter(None, parts)) or None,
    }
    yield Says(Status, fields)


FORMAT = XmlBatchFormat(
    schema=etree.XMLSchema(etree.fromstring(files("adapters.systems.vspts").joinpath("batch.xsd").read_bytes())),
    namespace="urn:visabus:vspts:1",
    root="VettingBatch",
    header="BatchHeader",
    records=frozenset({"Vetting"}),
    count="RecordCount",
)
MAPPING = Mapper(
    key=lambda said: str(said["ApplicationID"]),
    version=version,
    recorded=lambda said: said.need("UpdatedAt", MOMENT),
    retracted=lambda said: said["@action"] == "D" or said["Decision"] == "MORE",
    says=says,
)
ADAPTER = System(
    "VSPTS",
    title="VSPTS-Net, security vetting of visa applications",
    owner="ICE",
    number=16,
    emits=("status",),
    covers=(),
    facts=("visa_refused", "visa_vetted"),
    identifiers=("visa_application", "passport", "visa"),
    mapping_version=1,
    feeds=(Feed("batches", FileDrop(pattern="VSPTS.*.xml"), MAPPING, FORMAT, ("BatchSequence",)),),
)
