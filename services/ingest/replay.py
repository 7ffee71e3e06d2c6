"""Dead letters looked at and mended: read again by the present format and mapping, published, and marked as replayed.

A letter is replayed when all that its bytes hold can be read; else nothing of it is published. What is published has
the record keys and ids that the first reading would have given: the letter carries what stood before its record. First
the events, then the mark: a crash between the two costs a repeat of the same events; a letter that is marked is left
alone. The feed's counters stay as they are: the record was read once, and dead-lettered.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import orjson

from adapters.core import BadRecord, Feed, Note, Origin, Read, Record, System
from adapters.formats.fixed import FixedFormat
from adapters.formats.xml_batch import XmlBatchFormat
from adapters.formats.xml_message import XmlMessageFormat
from adapters.transports.database_poll import as_record
from bus.contract import Bus, Message, Producer
from schemas.topics import DEAD_LETTERS
from services.ingest.chunks import Limits, Tally
from services.ingest.clocks import Clock
from services.ingest.letters import Spool, posted

Pause = Callable[[str], Awaitable[None]]
"""Called at the named points `replay.sent` and `replay.marked`; tests stop the world there."""
Systems = Mapping[str, System]

_NUMBER = re.compile(r"record (\d+)")
_SAME = ("id", "system", "feed", "batch", "place", "record", "reason", "counted", "digest")
_ALWAYS = Limits(share=1.0, least=1)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. `raw` is empty where only the list is wanted or the bytes lie in the spool."""

    id: str
    system: str
    feed: str
    batch: str
    place: str
    record: str | None
    reason: str
    counted: bool
    size: int
    digest: str
    mapping_version: int
    at: datetime
    ordinal: int | None = None
    spooled: str | None = None
    raw: bytes = field(default=b"", repr=False)
    context: bytes | None = field(default=None, repr=False)
    replayed: datetime | None = None

    def bytes_of(self, spool: Spool) -> bytes:
        """What could not be read. Raises OSError if the spool has lost it."""
        return spool.load(self.spooled) if self.spooled is not None else self.raw


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters are meant; what is not said is no matter."""

    ids: Collection[str] = ()  # whole, or their beginnings
    system: str | None = None
    reason: str | None = None  # a part of it
    batch: str | None = None
    waiting: bool = False  # without those that were replayed

    def takes(self, letter: Letter) -> bool:
        """Whether the letter is one of them."""
        return (
            (not self.ids or any(letter.id.startswith(one) for one in self.ids))
            and self.system in (None, letter.system)
            and (self.reason is None or self.reason.lower() in letter.reason.lower())
            and self.batch in (None, letter.batch)
            and not (self.waiting and letter.replayed is not None)
        )


async def letters(bus: Bus, choice: Choice, *, whole: bool = False) -> list[Letter]:
    """The letters chosen, each once, in the order in which they came; with their bytes if they are wanted whole.

    Raises BusDown.
    """
    found: dict[str, Letter] = {}
    async for delivery in bus.read(DEAD_LETTERS):
        body = orjson.loads(delivery.value or b"{}")
        before = found.get(body.get("id", ""))
        if body.get("replayed"):
            if before is not None:
                found[before.id] = replace(before, replayed=datetime.fromisoformat(body["at"]))
        elif body and before is None:
            letter = _parsed(body)
            wanted = replace(choice, waiting=False).takes(letter)
            if wanted:
                found[letter.id] = letter if whole else replace(letter, raw=b"", context=None)
    return [letter for letter in found.values() if choice.takes(letter)]


async def loaded(bus: Bus, chosen: Sequence[Letter]) -> AsyncIterator[Letter]:
    """The same letters with their bytes, one at a time: a list of them need not fit into memory. Raises BusDown."""
    missing = {letter.id: letter for letter in chosen}
    async for delivery in bus.read(DEAD_LETTERS):
        body = orjson.loads(delivery.value or b"{}")
        known = missing.pop(body.get("id", ""), None)
        if known is not None:
            yield replace(_parsed(body), replayed=known.replayed)
        if not missing:
            return


def _parsed(body: Mapping[str, Any]) -> Letter:
    """A letter's body; those of earlier versions have less in them."""
    context = body.get("context")
    return Letter(
        **{name: body[name] for name in _SAME},
        size=body["bytes"],
        mapping_version=body["mapping_version"],
        at=datetime.fromisoformat(body["at"]),
        ordinal=body.get("ordinal"),
        spooled=body["spooled"],
        raw=b64decode(body["raw"] or ""),
        context=b64decode(context) if context is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Letters of one system that were refused for one reason."""

    system: str
    feed: str
    reason: str
    letters: int
    waiting: int
    first: datetime
    last: datetime
    example: str


def groups(found: Sequence[Letter]) -> list[Group]:
    """By system and reason, the most first."""
    parted: dict[tuple[str, str, str], list[Letter]] = {}
    for letter in found:
        parted.setdefault((letter.system, letter.feed, letter.reason), []).append(letter)
    result = [
        Group(
            *key,
            letters=len(members),
            waiting=sum(letter.replayed is None for letter in members),
            first=min(letter.at for letter in members),
            last=max(letter.at for letter in members),
            example=members[0].id,
        )
        for key, members in parted.items()
    ]
    return sorted(result, key=lambda group: (-group.letters, group.system, group.reason))


# --- reading again -----------------------------------------------------------------------------------------------


def read_again(feed: Feed, letter: Letter, raw: bytes) -> list[Read]:
    """What the bytes hold by the present format, as if they stood where they were met."""
    if not letter.counted:
        return [_refused("no record: it is replayed by reading its batch again", letter, raw)]
    known = _reread(feed, letter, raw)
    reads = [_placed(read, letter, raw) for read in known if not isinstance(read, Note)]
    return reads or [_refused("no record in it", letter, raw)]


def _reread(feed: Feed, letter: Letter, raw: bytes) -> Iterator[Read]:
    format = feed.format
    if format is None:
        yield _row(feed, letter, raw)
    elif isinstance(format, FixedFormat):
        yield _fixed(format, letter, raw)
    elif isinstance(format, XmlMessageFormat):
        yield from format.read(BytesIO(raw)) if letter.context is None else format.again(letter.context, raw)
    elif isinstance(format, XmlBatchFormat):
        yield _of_batch(format, letter, raw)
    else:
        yield _refused("this format has no way to read a record alone: read its batch again", letter, raw)


def _row(feed: Feed, letter: Letter, raw: bytes) -> Read:
    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _refused("no JSON of a row", letter, raw)
    if not isinstance(row, dict):
        return _refused("no JSON of a row", letter, raw)
    return as_record(row, feed.options["key"])


def _fixed(format: FixedFormat, letter: Letter, raw: bytes) -> Read:
    """A detail behind the header it stood behind, at its number in the file: the revision is made of both."""
    number = _NUMBER.match(letter.place)
    if format.kind_of(raw) != format.detail:
        return _refused("no detail: a header or trailer is mended with its file", letter, raw)
    if letter.context is None or format.kind_of(letter.context) != format.header or number is None:
        return _refused("the letter does not say which header it stood behind: read its file again", letter, raw)
    header, detail = format.judged(0, letter.context), format.judged(0, raw)
    try:
        problem = header.problem or detail.problem
        if problem is None:
            format.check(header.fields)
    except ValueError as error:
        problem = str(error)
    if problem is not None:
        return _refused(problem, letter, raw)
    fields = {"header": header.fields, "detail": detail.fields, "number": int(number[1])}
    return Record(letter.place, raw, fields)


def _of_batch(format: XmlBatchFormat, letter: Letter, raw: bytes) -> Read:
    """A record behind its header, at its number; that the document breaks off behind it is no matter."""
    if letter.context is None or letter.ordinal is None:
        return _refused("the letter does not say which header it stood behind: read its batch again", letter, raw)
    reads = list(format.read(BytesIO(letter.context + raw)))
    records = [read for read in reads if not isinstance(read, Note)]
    if not records:
        return _refused("no record in it", letter, raw)
    if isinstance(records[0], Record):
        return replace(records[0], fields={**records[0].fields, "number": letter.ordinal})
    return records[0]


def _placed(read: Read, letter: Letter, raw: bytes) -> Read:
    """At the place where it was met, whatever its place is when it is read alone."""
    if isinstance(read, BadRecord):
        return _refused(read.reason, letter, raw)
    return replace(read, place=letter.place)


def _refused(reason: str, letter: Letter, raw: bytes) -> BadRecord:
    return BadRecord(reason, place=letter.place, raw=raw, record=letter.record)


# --- publishing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a letter, or would."""

    letter: Letter
    outcome: str  # publish, leave out, refused, already
    why: str | None = None
    events: int = 0
    messages: tuple[Message, ...] = field(default=(), repr=False)


def judge(systems: Systems, letter: Letter, spool: Spool, clock: Clock, mended: bytes | None = None) -> Result:
    """What replaying the letter, with its own bytes or with mended ones, comes to. Sends nothing."""
    if letter.replayed is not None:
        return Result(letter, "already", f"replayed at {letter.replayed.isoformat(timespec='seconds')}")
    try:
        system = systems[letter.system]
        feed = system.feed(letter.feed)
        raw = mended if mended is not None else letter.bytes_of(spool)
    except KeyError:
        return Result(letter, "refused", "there is no such system or feed any more")
    except OSError:
        return Result(letter, "refused", "its bytes are not in the spool of this data directory")
    origin = Origin(system.name, feed.name, letter.batch, system.mapping_version)
    tally = Tally(origin, feed.mapping, clock, spool, _ALWAYS)
    messages = tally.messages(read_again(feed, letter, raw))
    if tally.part.dead_lettered:
        return Result(letter, "refused", str(tally.refused[0]["reason"]))
    if not messages:
        return Result(letter, "leave out", ", ".join(tally.part.filtered))
    return Result(letter, "publish", events=len(messages), messages=tuple(messages))


async def replay(
    systems: Systems,
    chosen: AsyncIterator[Letter],
    producer: Producer,
    spool: Spool,
    clock: Clock,
    pause: Pause,
    *,
    mended: bytes | None = None,
) -> AsyncIterator[Result]:
    """Replay the letters one by one: publish, then mark. Raises BusDown; run it again then."""
    async for letter in chosen:
        result = judge(systems, letter, spool, clock, mended)
        if result.outcome in ("publish", "leave out"):
            if result.messages:
                await producer.send(result.messages)
            await pause("replay.sent")
            await producer.send([mark(letter, systems[letter.system].mapping_version)])
            await pause("replay.marked")
        yield result


def mark(letter: Letter, mapping_version: int) -> Message:
    """The message that says so: the letter's own id, without its bytes."""
    body = {name: getattr(letter, name) for name in _SAME} | {
        "bytes": letter.size,
        "raw": None,
        "spooled": None,
        "mapping_version": mapping_version,
        "context": None,
        "ordinal": letter.ordinal,
        "replayed": True,
        "at": datetime.now(UTC).isoformat(),
    }
    return posted(body)
