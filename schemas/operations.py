"""What is told of the flow to those who operate the bus: counts, times and reasons, no person and no record."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from schemas.events import Model
from schemas.outcomes import Outcome


class FeedState(StrEnum):
    """How a feed fares."""

    RUNNING = "running"  # a process holds it and reads
    DOWN = "down"  # its source cannot be reached; it is tried again
    STOPPED = "stopped"  # its records or its adapter are wrong
    WAITING = "waiting"  # a batch would change too many outcomes: a person has to say whether it is sent
    PAUSED = "paused"  # an operator holds it: nothing is read until it is resumed
    LOST = "lost"  # the process that holds it says nothing any more
    ENDED = "ended"  # its process ended on purpose
    NEVER = "never"  # in the settings, but nothing ever read it


class WaitingStatus(Model):
    """A batch of which nothing is sent until a person says so. Counts are of what everyone may know."""

    batch: str
    since: AwareDatetime
    records: int | None = Field(description="Null where a record of its system may be confidential by law.")
    limit: int = Field(description="Outcomes that a batch may change.")
    changed: int = Field(description="Outcomes that this one would change.")
    appeared: int = Field(description="Persons without an outcome who would have one.")
    changes: dict[str, int] = Field(description="By the outcome that is and the one that would be.")
    id: str = Field(description="Of this content of the batch.")


class FeedStatus(Model):
    """A feed. Counters are of all runs: `read = published + dead_lettered + filtered`."""

    system: str
    feed: str
    state: FeedState
    why: str | None = Field(default=None, description="Why it is down, stopped, waiting or paused.")
    since: AwareDatetime | None = Field(default=None, description="Since when its source cannot be reached.")
    paused_at: AwareDatetime | None = Field(default=None, description="Since when an operator holds it.")
    paused_by: str | None = Field(default=None, description="Who holds it.")
    configured: bool = Field(description="Whether the settings of this process give it an address.")
    read: int = 0
    published: int = 0
    dead_lettered: int = 0
    filtered: int = 0
    events: int = 0
    lost_values: int = Field(default=0, description="Optional values that were wrong.")
    batch: str | None = Field(default=None, description="The one begun and not done.")
    batch_records: int = Field(default=0, description="Records of the batch begun that are done.")
    last_batch: str | None = None
    last_batch_at: AwareDatetime | None = None
    caught_up_at: AwareDatetime | None = Field(default=None, description="When the source last had nothing more.")
    deferred: int = Field(default=0, description="Pieces that the source holds and that were left for later.")
    deferred_why: str | None = Field(default=None, description="The first of those pieces, and why it waits.")
    used_again: int = Field(default=0, description="Batches whose name or number had come before with other content.")
    used_again_why: str | None = Field(default=None, description="Which name or number, of the last of them.")
    used_again_at: AwareDatetime | None = None
    not_rewound: str | None = Field(default=None, description="Why the last order to read again could not be obeyed.")
    not_rewound_at: AwareDatetime | None = None
    waiting: WaitingStatus | None = Field(default=None, description="The batch that waits for a person.")
    position: Any = Field(default=None, description="The transport's own.")
    holder: str | None = Field(default=None, description="Host and process id of the process that holds it.")
    heard_at: AwareDatetime | None = Field(default=None, description="When that process last said something.")


class CorrelatorStatus(Model):
    """A correlator that runs, or was killed within the last day."""

    process: str
    alive: bool
    heard_at: AwareDatetime
    behind: int = Field(description="Messages of the bus that are not in the store yet.")
    partitions: tuple[str, ...] = Field(description="topic/number")
    committed_at: AwareDatetime | None = Field(description="When it last committed events.")


class CoverageStatus(Model):
    """Up to when a system has told all there is in a scope."""

    system: str
    scope: str
    through: AwareDatetime


class DeadLetterStatus(Model):
    """Dead letters of one feed that wait, by reason."""

    system: str
    feed: str
    reason: str
    waiting: int
    first: AwareDatetime
    last: AwareDatetime
    example: str = Field(description="The id of one.")


class RebuildState(StrEnum):
    """How a rebuild fares."""

    RUNNING = "running"
    STUCK = "stuck"  # it came no further for ten minutes
    LOST = "lost"  # its process says nothing any more
    FAILED = "failed"  # it gave up: why
    BUILT = "built"  # the new view stands beside the live one, and can be switched to


class RebuildStatus(Model):
    """A view that is built anew beside the live one."""

    edition: int
    state: RebuildState
    begun_at: AwareDatetime
    heard_at: AwareDatetime | None = Field(default=None, description="When its process last said something.")
    moved_at: AwareDatetime | None = Field(default=None, description="When it last came further.")
    process: str | None = Field(default=None, description="Host and process id.")
    stage: str | None = Field(default=None, description="`read`: events of the bus; `compare`: persons.")
    done: int = Field(default=0, description="Through this stage.")
    total: int | None = None
    rate: float | None = Field(default=None, description="A second.")
    seconds_left: int | None = None
    why: str | None = Field(default=None, description="What it waits for, or why it gave up.")
    compared: bool = Field(default=False, description="Whether it was compared with the live view.")


class StoreStatus(Model):
    """The view."""

    persons: int
    outcomes: dict[Outcome, int] = Field(description="Of persons, the outcome that was told last.")
    without_outcome: int = Field(description="Persons who have none.")
    backlog: int = Field(description="Batches of events that are in the store and not resolved.")
    undelivered: int = Field(description="Batches of changes that are not published.")
    quarantined: int = Field(description="Pools of records that could not be resolved.")
    overdue: int = Field(description="Persons whose answer should have changed by itself over a minute ago.")
    known_through: AwareDatetime | None = Field(description="The latest stamp of an event taken in.")


class Overview(Model):
    """The flow as it stands."""

    at: AwareDatetime
    feeds: tuple[FeedStatus, ...]
    correlators: tuple[CorrelatorStatus, ...]
    lag: int | None = Field(description="Messages of the bus that no store has; null where there is no store.")
    events: dict[str, int] = Field(
        default_factory=dict, description="Messages on the bus by kind; `control`: coverage and decisions."
    )
    store: StoreStatus | None
    rebuild: RebuildStatus | None = Field(default=None, description="The view that is built beside the live one.")
    coverage: tuple[CoverageStatus, ...]
    dead_letters: tuple[DeadLetterStatus, ...]
    free_bytes: int | None = Field(
        default=None, description="Room on the disk of the data directory, on the machine that looked."
    )
    problems: tuple[str, ...] = Field(description="What wants somebody's attention, the gravest first.")


class StepKind(StrEnum):
    """What happened to a record, in the order in which it goes through."""

    RECEIVED = "received"  # the file, poll or message that held it was read
    LEFT_OUT = "left out"  # a rule of the mapping left it out
    REFUSED = "refused"  # it became a dead letter
    REPLAYED = "replayed"  # the dead letter was read again
    PUBLISHED = "published"  # an event of it is on the bus
    COMMITTED = "committed"  # the event is in the store
    MISSING = "missing"  # the event is on the bus and not in the store yet
    QUARANTINED = "quarantined"  # the program failed at the records that it is resolved with
    PERSON = "person"  # whose record it is
    STATUS = "status"  # what the person's status is by it
    CHANGED = "changed"  # a change of that person's status was published


class Step(Model):
    """One thing that happened. `where` is a place to look: a file, a position of a topic, a person."""

    kind: StepKind
    at: AwareDatetime | None = Field(default=None, description="When; absent for what holds now.")
    where: str
    what: str


class RecordTrace(Model):
    """What became of one record."""

    system: str
    record: str
    steps: tuple[Step, ...]


class Trace(Model):
    """What became of what was asked about."""

    asked: str
    records: tuple[RecordTrace, ...]
    batches: tuple[Step, ...] = Field(description="For a file, poll or message: its receipts and dead letters.")
    more: int = Field(description="Records that were left out of the answer: it would be too long.")
