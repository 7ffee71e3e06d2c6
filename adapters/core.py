"""What an adapter is made of: a system has feeds; a feed is a transport, a format and a mapping, as data.

A transport moves bytes or rows and knows its position. A format turns bytes into records. A mapping turns one record
into canonical events, and is all that most systems write. None of them retries, publishes or keeps state: the host
(`services.ingest`) does, and two errors tell it which: `BadRecord` (keep it, go on) and `SourceDown` (try again).
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

from links.reasons import Failure, Reason
from schemas.events import AnyEvent, Handling

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

    def __reduce__(self) -> tuple[Any, ...]:
        """It goes from one process to another."""
        return _bad_record, (self.reason, self.place, self.raw, self.record)


def _bad_record(reason: str, place: str, raw: bytes, record: str | None) -> BadRecord:
    return BadRecord(reason, place=place, raw=raw, record=record)


class SourceDown(Exception):
    """The source could not be reached or answered with an error of its own; nothing was lost; try again later.

    `retry_after`: seconds that the source asks to be left alone for. `code`: why, of one list for all transports, None
    where it is not known; where that is final, trying again soon cannot help.
    """

    def __init__(self, reason: str, *, retry_after: float = 0.0, code: Reason | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.code = code

    @property
    def final(self) -> bool:
        """Whether somebody has to change something before the source can be used."""
        return self.code is not None and self.code.final

    @classmethod
    def by(cls, where: object, failure: Failure) -> SourceDown:
        """The failure of a connection, in one line."""
        return cls(f"{where}: {failure}", code=failure.reason)


# --- what a format yields ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands in a record in place of a field that cannot be read. It fails the record once the mapping asks for it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One entry as its owner counts them.

    `raw` is what a person would want to see if the record were refused. `header` is what opened the source, if
    something did, and `number` the record's place in it, from 1.
    """

    place: str
    raw: bytes
    fields: Mapping[str, Any]
    header: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, slots=True)
class Changed(Record):
    """A row that an earlier extract had otherwise: what was said of it then has to be replaced, or taken back."""


@dataclass(frozen=True, slots=True)
class Gone(Record):
    """A row that a whole extract no longer has. `fields` are those that were kept of it."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a source says about itself. It is mapped, but it is no record and is never counted as one."""

    place: str
    raw: bytes
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header(Note):
    """What opens a source: the header of a file, the envelope of a message."""


@dataclass(frozen=True, slots=True)
class Closing(Note):
    """The source was read to its end, and the end agrees with what was read. Only now may a mapping vouch for it.

    `fields` are those of the trailer, `header` those of what opened the source.
    """

    header: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resent(Note):
    """The source has sent again what is done; it is not read. `fields` say under which name it was read (`read as`).

    A batch that was read under its own name has its receipt, and gets no second one.
    """


@dataclass(frozen=True, slots=True)
class Emptied(Note):
    """All rows of a table went at once, and none is told by itself: every record that came before is taken back.

    `prefix`: how the keys of the table's records begin; `number`: a revision above theirs and below that of a row that
    is put there afterwards; `at`: when it was done, by the source's clock.
    """

    prefix: str = ""
    number: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outside(Note):
    """Bytes that belong to no record and do no harm: padding, text between two messages."""


Read = Record | Note | BadRecord
"""What a format yields. A BadRecord is yielded, not raised, so that reading goes on behind it."""


# --- what a mapping makes of it ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filtered:
    """The mapping left a record out on purpose; the rule has a name and is counted under it.

    `record` is the key under which it can be found again, where there is one.
    """

    rule: str
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """An optional value that was wrong: the events go without it. `reason` names the field, not the person.

    `event`: an event of the record goes with it; what earlier versions of the record said by that event stands.
    """

    name: str
    reason: str
    event: bool = False


@dataclass(frozen=True, slots=True)
class Mapped:
    """The events of a record, and the optional values that they go without."""

    events: Sequence[AnyEvent] = ()
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was met; the mapping puts it into the envelope."""

    system: str
    feed: str
    batch: str
    mapping_version: int


Mapping_ = Callable[[Record | Note, Origin], Mapped | Filtered]
"""Pure. Raises BadRecord. A Note gives control events or nothing. `adapters.mapper` makes one."""


# --- formats -----------------------------------------------------------------------------------------------------


class Format(Protocol):
    """Bytes to records, one at a time, in bounded memory, whatever the bytes are."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Raises nothing but errors of the stream itself."""


class Completeness(StrEnum):
    """How far a file's end tells that the file is whole."""

    OPEN = "open"  # what closes such a file is missing
    CLOSED = "closed"  # what closes it is there
    COUNTED = "counted"  # and the file holds as much as its end says


@runtime_checkable
class TellsCompleteness(Protocol):
    """A format that can tell from a file's end whether the file is whole."""

    def is_complete(self, stream: BinaryIO) -> Completeness:
        """What the file's end says. Leaves the stream anywhere."""


@dataclass(frozen=True, slots=True)
class Met:
    """Where a record was met that is read again alone.

    `context` is the note that stood before it, and `ordinal` its number behind that note, where they are known.
    """

    place: str
    context: bytes | None = None
    ordinal: int | None = None


@runtime_checkable
class Rereads(Protocol):
    """A format, or a transport of rows, that can read one record alone as it was met in its source."""

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """The record, with the key and revision that it had in its source, or why that cannot be."""


@runtime_checkable
class Renders(Protocol):
    """A format, or a transport of rows, that can show a record field by field, one that cannot be read as well."""

    def render(self, raw: bytes) -> Iterator[str]:
        """Lines for a person. Raises ValueError if there are no fields in it."""


@runtime_checkable
class ReadsTogether(Protocol):
    """A format of which an archive's members belong together, such as requests and the log of what became of them."""

    def read_members(self, members: Sequence[tuple[str, bytes]]) -> Iterator[Read]:
        """What documents, each behind its name, hold together. Raises nothing."""


@runtime_checkable
class ListsFields(Protocol):
    """A format, or a transport of rows, that knows which fields its records can have."""

    def field_names(self) -> Sequence[str]:
        """Their names, as the interface page has them."""


# --- transports --------------------------------------------------------------------------------------------------


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
    named: bool = False  # the sender gave the name and `content` is of the bytes: used again for others it is told


class Connection(Protocol):
    """An opened transport. Moves pieces from a source."""

    def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """What there is beyond `position`, oldest first; ends when the source has no more now. Raises SourceDown."""

    async def close(self) -> None:
        """Let go of the source."""


class Storage(Protocol):
    """Where a connection keeps what is too large for a position: values by name, wherever the feed runs next.

    A value is written once and never changed: its name is another where its content is. So a process that has lost the
    feed and does not know it can add values, and spoils none. Every call waits while the storage is down.
    """

    @property
    def directory(self) -> Path | None:
        """A directory of this machine for what can be made anew from the values; None if all is held in memory."""

    async def names(self) -> Sequence[str]:
        """The names of all values that stand now, those included that another process has kept."""

    async def load(self, name: str) -> bytes:
        """The value of that name. Raises KeyError."""

    async def keep(self, values: Mapping[str, bytes]) -> None:
        """Return once the values are durable."""

    async def drop(self, names: Sequence[str]) -> None:
        """Forget values. Those that are not there are no matter."""


@runtime_checkable
class NamesFiles(Protocol):
    """A transport whose batches are files under their names, in an order that stays: so reading can go back to one."""

    @property
    def names_files(self) -> bool:
        """Whether that is so."""


@runtime_checkable
class KnowsEnd(Protocol):
    """A connection that knows how much its source has, as far as it has looked."""

    def extent(self) -> tuple[int, int]:
        """Bytes of the files that it has come past in its last look, and of all that it met there."""


@runtime_checkable
class Keeps(Protocol):
    """A connection that has more to keep than a position can hold."""

    def keep_in(self, storage: Storage) -> None:
        """Use that storage; called before `batches`."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whom a source is to be asked about: an identifier as `scheme/issuer/value`. `id` names this question alone.

    `tries`: how often it was asked already without a whole answer.
    """

    id: str
    identifier: str
    tries: int = 0


class Questions(Protocol):
    """Whom to ask, from a topic of the bus; what is asked is kept there, so that another process goes on with it.

    Every call waits while the bus is down.
    """

    async def due(self, interval: float) -> Sequence[Question]:
        """What is to be asked now, the most urgent first.

        Whom the source answered less than `interval` seconds ago is left for later, but for what a person asks.
        """

    async def answered(self, question: Question) -> None:
        """The answer is whole, and durable: the question is closed."""

    async def postpone(self, question: Question, seconds: float) -> None:
        """No answer, or a part of one: to be asked again in so many seconds."""

    async def earliest(self, interval: float) -> float | None:
        """In how many seconds the next of those that are left for later is to be asked; None if there is none."""

    async def later(self, interval: float) -> int:
        """How many are left for later."""


@runtime_checkable
class Asks(Protocol):
    """A connection whose source tells nothing by itself, and is asked about one after another."""

    def ask_from(self, questions: Questions) -> None:
        """Ask what stands there; called before `batches`."""


@runtime_checkable
class Defers(Protocol):
    """A connection that may leave something that is there for later."""

    def deferred(self) -> Sequence[str]:
        """What the last call of `batches` left and why, in words for a person."""


class Watch(Protocol):
    """What sees between two polls that something came: the next one is sooner then, and is not left out otherwise."""

    async def stirred(self) -> None:
        """Return once something may have come; perhaps never."""

    def close(self) -> None:
        """Look away."""


@runtime_checkable
class Watched(Protocol):
    """A connection whose source may be watched between two polls, each of which has a connection of its own."""

    def watch(self, before: Watch | None) -> Watch | None:
        """Go on with what watched for the connection before, or begin; called before `batches`. None: nothing can."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who this project is for a source; from settings."""

    user: str
    secret: str = field(repr=False)


class Offline(Protocol):
    """How a file stands for the source: in `visabus decode`, in tests, in fuzzing."""

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """What the source would have given, from a file or its bytes. Raises OSError if it cannot be opened."""


@runtime_checkable
class Transport(Offline, Protocol):
    """How a feed's pieces are fetched, as its interface fixes it: a frozen dataclass in the adapter."""

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Connection:
        """The source at an address from settings.

        Raises ValueError if the transport needs a format, or credentials, and has none; SourceDown for the address.
        """


@runtime_checkable
class Asked(Transport, Protocol):
    """A transport whose connections ask (`Asks`)."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes of identifiers by which the source can be asked, the best first."""


@runtime_checkable
class Stage(Transport, Protocol):
    """A transport around another one, which changes what that one brings."""

    @property
    def inner(self) -> Transport:
        """The transport around which it stands. Its values are set as if they were the stage's own."""

    def reread_by(self, part: object, raw: bytes, met: Met) -> Iterator[Read]:
        """A record again, read by the format, or the transport of rows, that it came from."""


@runtime_checkable
class Pushed(Offline, Protocol):
    """A feed that nothing fetches: the push handler of ingest takes what comes and answers record by record."""

    @property
    def called(self) -> str:
        """The field of an answer that names the record."""

    @property
    def key(self) -> Callable[[Record], str | None]:
        """The name of a record, from what was read."""

    @property
    def content_types(self) -> frozenset[str]:
        """What may be pushed."""

    @property
    def message(self) -> str | None:
        """The field of a message's header that names the message, if it has one."""


# --- systems -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Feed:
    """One way in which a system tells what it knows."""

    name: str
    transport: Transport | Pushed
    mapping: Mapping_
    format: Format | None = None  # none where the transport moves rows
    numbered: tuple[str, ...] = ()  # fields of a Header by which the sender numbers what it sends; used once each

    def configured(self, options: Mapping[str, Any]) -> Feed:
        """The feed with some of its transport's values as settings say. Raises ValueError for what it does not have."""
        return replace(self, transport=_configured(self.transport, options)) if options else self

    def offline(self, source: Path | bytes) -> Iterator[Read]:
        """What a file, or its bytes, would give in place of the source. Raises OSError if it cannot be opened."""
        return self.transport.offline(source, self.format)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """One record again, as it was met in its source, or why that cannot be."""
        part = self._reading()
        if isinstance(self.transport, Stage):
            return self.transport.reread_by(part, raw, met)
        return reread_by(part, raw, met)

    def field_names(self) -> Sequence[str]:
        """The names of the fields that records can have; none where only the records themselves tell."""
        part = self._reading()
        return part.field_names() if isinstance(part, ListsFields) else ()

    def render(self, raw: bytes) -> Iterator[str]:
        """A record's fields for a person. Raises ValueError if its format shows none."""
        part = self._reading()
        if not isinstance(part, Renders):
            raise ValueError(f"{self.name} shows no fields")
        return part.render(raw)

    def _reading(self) -> object:
        """What makes the records: the format, or a transport of rows."""
        if self.format is not None:
            return self.format
        return innermost(self.transport)


def innermost(transport: Transport | Pushed) -> Transport | Pushed:
    """The transport within all stages."""
    while isinstance(transport, Stage):
        transport = transport.inner
    return transport


def reread_by(part: object, raw: bytes, met: Met) -> Iterator[Read]:
    """One record again by a format or a transport of rows, or why that cannot be."""
    if isinstance(part, Rereads):
        return part.reread(raw, met)
    reason = "this format has no way to read a record alone: read its batch again"
    return iter((BadRecord(reason, place=met.place, raw=raw),))


def _configured(transport: Any, options: Mapping[str, Any]) -> Any:
    own = {each.name for each in dataclasses.fields(transport) if each.init} - {"inner"}
    mine = {name: value for name, value in options.items() if name in own}
    rest = {name: value for name, value in options.items() if name not in own}
    if rest and isinstance(transport, Stage):
        mine["inner"] = _configured(transport.inner, rest)
    elif rest:
        raise ValueError(f"no option {', '.join(sorted(rest))}; there are {', '.join(sorted(own))}")
    return replace(transport, **mine)


@dataclass(frozen=True, slots=True)
class System:
    """A legacy system as its adapter describes it. `name` is the `system` of its events.

    What it may say, held by ingest and by the correlator: the kinds of `emits`, coverage in the scopes of `covers`,
    statuses of its `facts`, departures by that `evidence` or weaker; None for whatever its kinds can say. `marks`:
    those of handling that the law puts on each of its records.
    """

    name: str
    title: str
    owner: str
    number: int  # in the list of 27
    emits: tuple[str, ...]
    identifiers: tuple[str, ...]
    mapping_version: int
    feeds: tuple[Feed, ...]
    covers: tuple[str, ...] | None = None
    facts: tuple[str, ...] | None = None
    evidence: str | None = None
    marks: tuple[Handling, ...] = ()

    def feed(self, name: str) -> Feed:
        """The feed of that name. Raises KeyError."""
        for feed in self.feeds:
            if feed.name == name:
                return feed
        raise KeyError(f"{self.name} has no feed {name!r}; it has {', '.join(f.name for f in self.feeds)}")
