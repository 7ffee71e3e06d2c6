"""What an adapter is made of: a system has feeds, a feed is transport x unwrap x format x mapping, as data.

A transport moves bytes or rows and knows its position. A format turns bytes into records. A mapping turns one record
into canonical events, and is all that most systems write. None of them retries, publishes or keeps state: the host
(`services.ingest`) does, and two errors tell it which: `BadRecord` (keep it, go on) and `SourceDown` (try again).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol, runtime_checkable

from schemas.events import AnyEvent

Json = Any
"""A value that JSON can hold: positions are kept on the bus as JSON."""


class BadRecord(Exception):
    """One record, or one piece of the source, that cannot be read with certainty. It is kept and the next goes on."""

    def __init__(self, reason: str, *, place: str, raw: bytes, record: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place
        self.raw = raw
        self.record = record


class SourceDown(Exception):
    """The source could not be reached or answered with an error of its own; nothing was lost; try again later."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry as its owner counts them. `raw` is what a person would want to see if it were refused."""

    place: str
    raw: bytes
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """What a source says about itself (header, trailer, end of a poll): mapped, but no record and never counted."""

    place: str
    raw: bytes
    fields: Mapping[str, Any]


Read = Record | Note | BadRecord
"""What a format yields. A BadRecord is yielded, not raised, so that reading goes on behind it."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """The mapping left a record out on purpose; the rule has a name and is counted under it."""

    rule: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was met; the mapping puts it into the envelope."""

    system: str
    feed: str
    batch: str
    mapping_version: int


Mapped = Sequence[AnyEvent] | Filtered
Mapping_ = Callable[[Record | Note, Origin], Mapped]
"""Pure. Raises BadRecord. A Note gives control events or nothing."""


class Format(Protocol):
    """Bytes to records, one at a time, in bounded memory, whatever the bytes are."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Raises nothing but errors of the stream itself."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A file, a page of rows, an interchange. Reading it again gives the same records in the same order.

    `after` is the transport's position once the batch is done (an empty poll has notes and no records). `done` is
    called by the host once that position is saved, and so everything before it durable: where a queue acknowledges.
    A process may die between the two; such a batch comes again. One that broke off is gone on with if its name and
    `content` are the same: a digest of what it holds, or else `after`. Raises SourceDown.
    """

    name: str
    records: Callable[[], AsyncIterator[Read]]
    after: Json
    done: Callable[[], Awaitable[None]] | None = None
    content: str | None = None


class Transport(Protocol):
    """Moves pieces from a source; opened by the host for one feed."""

    def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """What there is beyond `position`, oldest first; ends when the source has no more now. Raises SourceDown."""

    async def close(self) -> None:
        """Let go of the source."""


@runtime_checkable
class Hesitant(Protocol):
    """A transport that may leave something that is there for later."""

    def waiting(self) -> Sequence[str]:
        """What the last call of `batches` left and why, in words for a person."""


class OpenTransport(Protocol):
    """Opens a transport at an address from settings."""

    def __call__(self, url: str, feed: Feed) -> Transport: ...


@dataclass(frozen=True, slots=True)
class Feed:
    """One way in which a system tells what it knows."""

    name: str
    transport: OpenTransport
    mapping: Mapping_
    format: Format | None = None  # none where the transport moves rows
    options: Mapping[str, Any] = field(default_factory=dict)  # the transport's, fixed by the interface


@dataclass(frozen=True, slots=True)
class System:
    """A legacy system as its adapter describes it. `name` is the `system` of its events."""

    name: str
    title: str
    owner: str
    number: int  # in the list of 27
    emits: tuple[str, ...]
    identifiers: tuple[str, ...]
    mapping_version: int
    feeds: tuple[Feed, ...]

    def feed(self, name: str) -> Feed:
        """The feed of that name. Raises KeyError."""
        for feed in self.feeds:
            if feed.name == name:
                return feed
        raise KeyError(f"{self.name} has no feed {name!r}; it has {', '.join(f.name for f in self.feeds)}")
