"""What is told of a person: the answers of the API, field by field, and the change event on the topic.

Every field that leaves the house is listed here; nothing else does.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from schemas.events import Model
from schemas.outcomes import Outcome

PersonId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""The handle of the person's earliest-known record, hexadecimal."""


class Sureness(StrEnum):
    """How sure it is that two records speak of one person."""

    DECIDED = "decided"  # somebody looked and said so, or both records say the very same
    CERTAIN = "certain"  # a number that one person alone can hold
    DOCUMENT = "document"  # a document's number, and nothing against it in the dates of birth
    PROBABLE = "probable"  # name, date of birth and citizenship


class Holds(StrEnum):
    """Where an interval lies, seen from `as_of`."""

    PAST = "past"
    PRESENT = "present"
    FUTURE = "future"  # what will hold if nothing more becomes known


class RecordView(Model):
    """A record of a system."""

    system: str
    record: str


class LinkView(Model):
    """Why two records are held to be one person's."""

    one: RecordView
    other: RecordView
    by: str = Field(description="The identifier shared, the decision, or what else joined them.")
    weight: int = Field(description="The heavier, the surer; only the order means something.")
    sure: Sureness


class NameView(Model):
    """A name as it stands in some record."""

    family: str
    given: str


class IdentityView(Model):
    """Who this is, as far as the records say, and how surely they belong together."""

    names: tuple[NameView, ...]
    births: tuple[str, ...]
    citizenship: tuple[str, ...]
    identifiers: tuple[str, ...] = Field(description="`scheme/issuer/value`")
    records: int = Field(description="How many records speak of this person.")
    links: tuple[LinkView, ...]


class EvidenceView(Model):
    """An event that an answer rests on."""

    id: UUID
    system: str
    record: str
    kind: str
    occurred_on: date = Field(description="The calendar day at the place.")
    occurred_at: AwareDatetime | None = Field(description="Absent where the source knows only the day.")
    known_at: AwareDatetime = Field(description="The moment of knowing.")


class OutcomeView(Model):
    """An outcome with its proof."""

    outcome: Outcome
    reason: str
    since: AwareDatetime
    rule: str
    citation: str
    evidence: tuple[EvidenceView, ...]


class PresentView(OutcomeView):
    """What holds of a person at `as_of`."""

    stay: str = Field(description="The stay that it is the outcome of.")
    authorised_until: str | None = Field(description='The last authorised day, or "D/S" (duration of status).')
    days_over: int = Field(ge=0, description="Days stayed without authorisation up to `as_of` or the departure.")
    days_left: int | None = Field(
        ge=0,
        description="Days that remain behind that of `as_of`, at the port of entry: 0 on the last, absent without one.",
    )


class StayView(Model):
    """One application for admission and what had become of it at `as_of`."""

    id: str
    since: AwareDatetime
    port: str | None
    mode: str | None
    zone: str = Field(description="The time zone of the port, in which days are counted.")
    admitted_as: str | None
    admission_class: str | None
    authorised_until: str | None
    departed: AwareDatetime | None
    i94: tuple[str, ...]
    outcome: Outcome
    reason: str


class IntervalView(OutcomeView):
    """A stretch of a stay in which one outcome holds."""

    until: AwareDatetime | None = Field(description="The first instant at which it no longer holds; absent: open.")
    holds: Holds
    absence: bool = Field(description="Rests on nobody having reported a departure.")
    absence_known: bool | None = Field(
        description="Whether departures are known complete up to `since`; absent where that does not matter."
    )


class StayTimelineView(Model):
    """A stay with all its intervals."""

    id: str
    since: AwareDatetime
    port: str | None
    mode: str | None
    zone: str
    admitted_as: str | None
    admission_class: str | None
    authorised_until: str | None
    departed: AwareDatetime | None
    i94: tuple[str, ...]
    witnesses: tuple[EvidenceView, ...] = Field(
        description="What other systems tell of the arrival, such as fingerprints; no outcome rests on it."
    )
    intervals: tuple[IntervalView, ...]


class FreshnessView(Model):
    """How much the answer can know."""

    known_through: AwareDatetime | None = Field(description="The latest moment of knowing that was taken in.")
    provisional: bool = Field(description="`known_at` lies beyond it, so the answer may still change.")
    coverage: dict[str, dict[str, AwareDatetime]] = Field(
        description="System -> scope -> up to when the system has told all there is in the scope."
    )
    absence_known_through: AwareDatetime | None = Field(
        description="Up to when a missing departure means that nobody left; absent where some way out is not covered."
    )


class PersonStatus(Model):
    """The status of one person."""

    person: PersonId
    present: PresentView | None = Field(description="Absent where no stay had begun.")
    stays: tuple[StayView, ...]
    unmatched_departures: tuple[EvidenceView, ...] = Field(description="Departures that match no arrival.")
    identity: IdentityView


class PersonTimeline(Model):
    """The stays of one person, whole."""

    person: PersonId
    stays: tuple[StayTimelineView, ...]
    unmatched_departures: tuple[EvidenceView, ...]
    identity: IdentityView


class Asked(Model):
    """The instants that an answer is for."""

    as_of: AwareDatetime
    known_at: AwareDatetime | None = Field(description="Absent: all that is known.")
    freshness: FreshnessView
    truncated: bool = Field(
        description="Too many statements share the number for it to lead to each: others may hold it, too."
    )


class StatusView(Asked):
    """Every person who holds the identifier asked for: more than one where a number is shared."""

    persons: tuple[PersonStatus, ...]


class TimelineView(Asked):
    """Every person who holds the identifier asked for, with all stays."""

    persons: tuple[PersonTimeline, ...]


class Health(Model):
    """The process is alive."""

    status: Literal["alive"] = "alive"


class Ready(Model):
    """The process can answer. `stale`: nothing keeps the view up, so that answers are those of `correlated_at`."""

    status: Literal["ready", "stale"] = "ready"
    correlators: int = Field(0, description="Correlators that said within the last 30 seconds that they run.")
    correlated_at: AwareDatetime | None = Field(None, description="When a correlator last said that it runs.")
    behind: int | None = Field(None, description="Messages on the bus that it had not read then.")
    backlog: int = Field(description="Batches taken in and not yet resolved.")
    quarantined: int = Field(0, description="Pools of records that could not be resolved: their persons get no answer.")


class Replaced(Model):
    """What had been told of the person before."""

    outcome: Outcome | None


class StatusChange(Model):
    """A change of a person's status, on the topic. Delivered at least once; `sequence` has no gap per person.

    Folding a person's changes by sequence gives what the view says.
    """

    id: UUID
    person: PersonId
    sequence: Annotated[int, Field(ge=1)]
    at: AwareDatetime  # when the answer changed: a deadline passed, or something became known
    outcome: Outcome | None  # none: no stay has begun, or the person ended
    reason: str | None
    rule: str | None
    citation: str | None
    evidence: tuple[UUID, ...] = ()
    stay: str | None
    replaced: Replaced | None = None
    formerly: tuple[PersonId, ...] = ()  # persons that went up in this one
    ended: bool = False  # the person went up in another, or all its records were taken back

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = (self.outcome, self.reason, self.rule, self.citation, self.stay)
        if len({part is None for part in parts}) > 1:
            raise ValueError("outcome, reason, rule, citation and stay come together or not at all")
        if self.ended and self.outcome is not None:
            raise ValueError("a person that ended has no outcome")
        return self
