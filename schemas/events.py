"""The canonical events: one envelope, four kinds about people, two control kinds.

Every model is frozen and refuses unknown fields, so a producer's mistake is an error at the door and never a silent
loss. What a field means is said beside it; the JSON Schemas under `schemas/published/` are generated from here.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.types import JsonValue

from schemas.countries import STATES, citizenship
from schemas.identifiers import Identifier
from schemas.moments import Moment

SCHEMA_VERSION: Literal[2] = 2
"""Version 1 had `occurred_at` as bare text; see `schemas.upcast`."""

Text = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9/_-]{0,11}$")]
Citizenship = Annotated[str, Field(json_schema_extra={"enum": [*sorted(STATES)]})]
"""Spelt as is usual when an event is made; published in the code of ICAO 9303."""
PartialDate = Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]


class Model(BaseModel):
    """Frozen, closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _not_all_empty(least: str, *names: str) -> ConfigDict:
    """That one of several fields has something in it, in the words of JSON Schema."""
    some: list[JsonValue] = [{"required": [name], "properties": {name: {least: 1}}} for name in names]
    return ConfigDict(json_schema_extra={"allOf": [{"anyOf": some}]})


class Kind(StrEnum):
    """The kinds of event; each has its topic, the last two share `control`."""

    ARRIVAL = "arrival"
    DEPARTURE = "departure"
    EXTENSION = "extension"
    STATUS = "status"
    COVERAGE = "coverage"
    DECISION = "decision"


PEOPLE: frozenset[str] = frozenset({Kind.ARRIVAL, Kind.DEPARTURE, Kind.EXTENSION, Kind.STATUS})
"""The kinds about people, which adapters emit."""


class Operation(StrEnum):
    """`assert` replaces all that the record said before, `retract` takes it back.

    `amend`, of events about a person, says less than the record: what it leaves out stands as lower revisions said. It
    replaces of the subject names, birth, sex, citizenship and, by scheme, documents, each where it has it; the evidence
    of a departure it lifts and never lowers.
    """

    ASSERT = "assert"
    AMEND = "amend"
    RETRACT = "retract"


class Handling(StrEnum):
    """Confidential by law, and by which."""

    ASYLUM = "asylum"  # 8 CFR 208.6
    PROTECTED = "protected"  # 8 U.S.C. 1367
    TPS = "tps"  # 8 CFR 244.16


class Mode(StrEnum):
    """How a border was crossed."""

    AIR = "air"
    SEA = "sea"
    LAND = "land"


class Revision(Model):
    """Which version of its record: a number that only grows at the source, and a digest of the content.

    The number comes from the source (file sequence, row version, commit position); the digest settles ties the same
    way everywhere.
    """

    number: Annotated[int, Field(ge=0, lt=2**63)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class RecordRef(Model):
    """A record of a system, wherever it stands in the source."""

    system: Code
    record: Text


class Name(Model):
    """A name as transmitted. A single name stands in `family`."""

    model_config = _not_all_empty("minLength", "family", "given")

    family: Annotated[str, Field(max_length=120)] = ""
    given: Annotated[str, Field(max_length=120)] = ""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.family and not self.given:
            raise ValueError("a name has a family name or a given name")
        return self


class Subject(Model):
    """What the record claims about the person. Identifiers alone are a subject too."""

    model_config = _not_all_empty("minItems", "names", "identifiers")

    names: tuple[Name, ...] = ()
    birth: PartialDate | None = None
    sex: Literal["F", "M", "X"] | None = None
    citizenship: tuple[Citizenship, ...] = ()
    identifiers: tuple[Identifier, ...] = ()

    @field_validator("birth")
    @classmethod
    def _a_real_date(cls, value: str | None) -> str | None:
        if value is not None:
            if not value.isascii():
                raise ValueError("other digits than 0 to 9")
            date.fromisoformat((value + "-01-01")[:10])
        return value

    @field_validator("citizenship")
    @classmethod
    def _icao(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(citizenship(code) for code in value)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.names and not self.identifiers:
            raise ValueError("a subject has a name or an identifier")
        return self


class Envelope(Model):
    """What every event carries. `id` is derived (`schemas.ids`): one id has one content.

    `place`, `batch` and `published_at` say how one copy came in; they are no part of what the id stands for. Several
    copies count as the one with the least publication stamp.
    """

    id: UUID
    schema_version: Literal[2] = 2
    operation: Operation = Operation.ASSERT
    system: Code
    record: Text  # the record's stable key at its owner
    place: Text  # where this copy stood: "line 17", "row 4711", "message 3 traveller 12"
    part: Annotated[str, Field(max_length=40)] = ""  # which of the record's events
    revision: Revision
    mapping_version: Annotated[int, Field(ge=1, lt=2**31)]
    batch: Text  # file, interchange or poll, so that a bad one can be withdrawn whole
    recorded_at: AwareDatetime | None = None  # the source's clock
    published_at: AwareDatetime | None = None  # the moment of knowing: ingest stamps it, nobody else


class PersonEvent(Envelope):
    """An event about a person."""

    occurred_at: Moment
    subject: Subject
    origin: RecordRef | None = None  # whose record this one repeats, where the source knows
    handling: tuple[Handling, ...] = ()


class Inspection(StrEnum):
    """What came of an application for admission. Only `admitted` begins a stay to count."""

    ADMITTED = "admitted"
    PAROLED = "paroled"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Crossing(PersonEvent):
    """Where and how somebody crossed the border, or was met at it."""

    port: Code | None = None
    mode: Mode | None = None
    carrier: Code | None = None
    conveyance: Code | None = None  # flight, voyage, train or plate


class Arrival(Crossing):
    """Somebody came, or is said to come."""

    kind: Literal["arrival"] = "arrival"
    inspection: Inspection = Inspection.ADMITTED
    class_of_admission: Code | None = None
    admitted_until: date | Literal["D/S"] | None = None


class Evidence(StrEnum):
    """How a departure is known, strongest first."""

    BIOMETRIC = "biometric"
    INSPECTED = "inspected"
    REMOVAL = "removal"
    FOREIGN_ENTRY = "foreign_entry"
    MANIFEST_CLOSED = "manifest_closed"
    MANIFEST = "manifest"
    SHOWN = "shown"  # by the person alone: a used ticket, a stamp in the passport
    BOOKING = "booking"


class Departure(Crossing):
    """Somebody left, or is said to."""

    kind: Literal["departure"] = "departure"
    evidence: Evidence


class Request(StrEnum):
    """What an application asks for."""

    EXTEND = "extend"
    CHANGE_CLASS = "change_class"
    ADJUST = "adjust"


class Action(StrEnum):
    """What happened to an application."""

    FILED = "filed"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    APPEALED = "appealed"


class Extension(PersonEvent):
    """A step in the life of an application to stay longer, otherwise, or for good."""

    kind: Literal["extension"] = "extension"
    receipt: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,20}$")]
    form: Code  # I-539, I-129, I-485
    asks: Request
    action: Action
    filed_on: date | None = None
    requested_class: Code | None = None
    requested_until: date | Literal["D/S"] | None = None
    granted_class: Code | None = None
    granted_until: date | Literal["D/S"] | None = None
    valid_from: date | None = None
    filed_on_paper: bool | None = None  # where the record says it: paper is in time on the next business day


class Fact(StrEnum):
    """What else moves a clock or an identity."""

    VISA_ISSUED = "visa_issued"
    VISA_REVOKED = "visa_revoked"  # or cancelled
    VISA_REFUSED = "visa_refused"  # or issue advised against; the last decision on an application rules
    VISA_VETTED = "visa_vetted"  # issue recommended
    ESTA_PENDING = "esta_pending"
    ESTA_APPROVED = "esta_approved"
    ESTA_DENIED = "esta_denied"
    ESTA_REVOKED = "esta_revoked"  # approved before, travel not authorised now
    SEVIS_ACTIVE = "sevis_active"
    SEVIS_COMPLETED = "sevis_completed"
    SEVIS_TERMINATED = "sevis_terminated"
    PAROLE = "parole"
    PAROLE_ENDED = "parole_ended"  # before its day
    SATISFACTORY_DEPARTURE = "satisfactory_departure"  # under the waiver programs, up to `until`
    DAYS_ENDORSED = "days_endorsed"  # on the I-94, up to `until`
    EMPLOYMENT_ENDED = "employment_ended"  # on which the class rests; may name the receipt of its petition
    UNAUTHORISED_WORK = "unauthorised_work"
    WORK_AUTHORISED = "work_authorised"  # up to `until`
    FRIVOLOUS_FILING = "frivolous_filing"  # of the application whose receipt it names
    VOLUNTARY_DEPARTURE = "voluntary_departure"  # up to `until`; reason "after-proceedings" at their end
    DEFERRED_DEPARTURE = "deferred_departure"  # enforced departure deferred up to `until`
    DEFERRED_ACTION = "deferred_action"  # up to `until`
    TPS = "tps"
    TPS_WITHDRAWN = "tps_withdrawn"
    ASYLUM_PENDING = "asylum_pending"
    ASYLUM_GRANTED = "asylum_granted"
    ASYLUM_REFERRED = "asylum_referred"  # to the immigration court, where the application goes on
    ASYLUM_DENIED = "asylum_denied"  # or withdrawn
    PERMANENT_RESIDENT = "permanent_resident"
    NATURALISATION_PENDING = "naturalisation_pending"
    NATURALISATION_DENIED = "naturalisation_denied"  # or withdrawn
    NATURALISED = "naturalised"  # by the oath; an approval is none
    PROCEEDINGS_STARTED = "proceedings_started"  # a notice to appear was served
    PROCEEDINGS_ENDED = "proceedings_ended"  # terminated, or the charging document cancelled
    RELIEF_GRANTED = "relief_granted"  # by the court, such as cancellation of removal
    REMOVAL_ORDER = "removal_order"
    REMOVAL_STAYED = "removal_stayed"
    ARRESTED = "arrested"
    DETAINED = "detained"  # booked into custody
    RELEASED = "released"  # from custody into the country
    DETAINER_LODGED = "detainer_lodged"
    DETAINER_LIFTED = "detainer_lifted"
    INVESTIGATION_OPENED = "investigation_opened"
    INVESTIGATION_CLOSED = "investigation_closed"
    FRAUD_FINDING = "fraud_finding"  # reason "found", "not-found" or "inconclusive"
    LEAD_OPENED = "lead_opened"
    LEAD_CLOSED = "lead_closed"
    ENCOUNTER = "encounter"
    SEEN_INSIDE = "seen_inside"  # an officer met the person in the country
    STATUS_QUERIED = "status_queried"  # by law enforcement
    STATUS_VERIFIED = "status_verified"  # the class that a verification found, up to `until`
    BIOMETRICS_SCHEDULED = "biometrics_scheduled"
    BIOMETRICS_TAKEN = "biometrics_taken"  # at an appointment in the country
    BIOMETRICS_MISSED = "biometrics_missed"
    CARD_PRODUCED = "card_produced"
    FILE_OPENED = "file_opened"
    FILE_MOVED = "file_moved"  # the paper file: where it is says nothing of where the person is
    FILE_SCANNED = "file_scanned"


class Status(Crossing):
    """A fact about somebody's status that is no crossing and no application for time.

    An encounter at a crossing, which says who came but not that he was admitted, has port and mode.
    """

    kind: Literal["status"] = "status"
    fact: Fact
    class_of_admission: Code | None = None
    until: date | Literal["D/S"] | None = None
    reason: Annotated[str, Field(max_length=200)] | None = None


SCOPE = r"^(arrival|departure|extension|status)(:[a-z]+)?$"


class Coverage(Envelope):
    """From `since` up to `through` the source has told all there is in this scope. Absence counts only inside."""

    kind: Literal["coverage"] = "coverage"
    scope: Annotated[str, Field(pattern=SCOPE)]
    since: AwareDatetime
    through: AwareDatetime

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.through < self.since:
            raise ValueError("coverage runs backwards")
        return self


class Decision(Envelope):
    """A person's word on whether two records speak of one person. Undone by retracting it."""

    kind: Literal["decision"] = "decision"
    one: RecordRef
    other: RecordRef
    same: bool
    by: Text
    why: Text

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.one == self.other:
            raise ValueError("a decision is about two records")
        return self


Event = Annotated[
    Arrival | Departure | Extension | Status | Coverage | Decision,
    Field(discriminator="kind"),
]
AnyEvent = Arrival | Departure | Extension | Status | Coverage | Decision


def stamped(event: AnyEvent, known: datetime) -> AnyEvent:
    """The event as published at `known`."""
    return event.model_copy(update={"published_at": known})
