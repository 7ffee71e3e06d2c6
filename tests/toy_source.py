"""A small legacy system for the tests of ingest, and a process that runs it: `python -m toy_source DIR BUS BUG`.

A file of the folder is a batch, a line is a record, and its first word says what becomes of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from adapters.core import (
    BadRecord,
    Batch,
    Credentials,
    Feed,
    Filtered,
    Format,
    Json,
    Mapped,
    Note,
    Origin,
    Read,
    Record,
    SourceDown,
    System,
)
from bus.contract import Bus, Delivery
from bus.embedded import EmbeddedBus
from schemas.codec import decode
from schemas.events import AnyEvent, Coverage, Fact, Revision, Status, Subject
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS, POSITIONS
from services import failpoints
from services.ingest import Outcome, Source, recorded, run
from services.keyring import ring
from services.receipts import KEYS, Index, Query
from services.settings import Settings, load

DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Files:
    """The transport. Places in `down` fail once each, over all openings."""

    down: list[str]
    names_files: ClassVar[bool] = True

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Folder:
        return Folder(Path(url), self.down)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        lines = (source if isinstance(source, bytes) else source.read_bytes()).splitlines()
        return (Folder(Path(), [])._read(line, f"line {number}") for number, line in enumerate(lines, 1))


@dataclass
class Folder:
    """The opened transport: the files of a folder by name, beyond the last one read."""

    directory: Path
    down: list[str]  # the places at which it fails, each once

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        self._fail("batches")
        for path in sorted(self.directory.glob("*.txt")):
            if path.name > (position or {"name": ""})["name"]:
                content = path.read_bytes()
                after = {"name": path.name, "digest": digest(content)}
                yield Batch(path.name, partial(self._records, path.name, content), after)

    async def _records(self, name: str, content: bytes) -> AsyncIterator[Read]:
        for number, line in enumerate(content.splitlines(), start=1):
            self._fail(f"{name}:{number}")
            yield self._read(line, f"line {number}")

    def _read(self, line: bytes, place: str) -> Read:
        word, _, rest = line.partition(b" ")
        if word == b"break":
            raise RuntimeError("the format has a bug")
        if word == b"bad":
            return BadRecord("unreadable", place=place, raw=line)
        if word == b"huge":
            return BadRecord("too long", place=place, raw=line * 300_000)
        fields = {"word": word.decode(), "key": rest.decode()}
        return Note(place, line, fields) if word == b"through" else Record(place, line, fields)

    def _fail(self, place: str) -> None:
        if place in self.down:
            self.down.remove(place)
            raise SourceDown(place)

    async def close(self) -> None:
        return


def mapping(read: Record | Note, origin: Origin) -> Mapped | Filtered:
    """What the words mean."""
    word, key = read.fields["word"], read.fields["key"]
    if word == "refuse":
        raise BadRecord("refused by the mapping", place=read.place, raw=read.raw, record=key)
    if word == "bug":
        raise KeyError("a bug of the mapping")
    if word == "nothing":
        return Mapped()
    if word == "skip":
        return Filtered("toy.skip", key)
    if word == "through":
        return Mapped([_coverage(read, origin, int(key))])
    return Mapped([_status(read, origin, key, str(part)) for part in range(2 if word == "two" else 1)])


def _envelope(read: Record | Note, origin: Origin, record: str, part: str) -> dict[str, Any]:
    content = digest(read.raw)
    return {
        "id": event_id("TOY", record, part, 1, content, origin.mapping_version),
        "system": "TOY",
        "record": record,
        "place": read.place,
        "part": part,
        "revision": Revision(number=1, digest=content),
        "mapping_version": origin.mapping_version,
        "batch": origin.batch,
    }


def _status(read: Record | Note, origin: Origin, key: str, part: str) -> Status:
    number = Identifier(scheme=Scheme.FIN, value=f"{int(key):09d}", issuer="OBIM")
    return Status(
        **_envelope(read, origin, key, part),
        occurred_at=Moment.instant(DAY + timedelta(minutes=int(key))),
        subject=Subject(identifiers=(number,)),
        fact=Fact.ENCOUNTER,
    )


def _coverage(read: Record | Note, origin: Origin, day: int) -> Coverage:
    through = DAY + timedelta(days=day)
    return Coverage(**_envelope(read, origin, f"coverage {day}", ""), scope="status", since=DAY, through=through)


def toy(directory: Path, *, name: str = "lines", down: Sequence[str] = ()) -> Source:
    """The toy's feed on a folder. Places in `down` fail once each, over all openings."""
    feed = Feed(name, transport=Files(list(down)), mapping=mapping)
    system = System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (feed,))
    return Source(system, feed, str(directory))


def settings(directory: Path, **ingest: Any) -> Settings:
    """Quick ones."""
    quick = {"fence_seconds": 0.05, "poll_seconds": 0.02, "retry_cap_seconds": 0.01, "chunk_records": 3} | ingest
    return load(environment={}, data_dir=directory / "data", ingest=quick)


@dataclass(frozen=True)
class World:
    """All that a bus holds of the toy."""

    events: list[AnyEvent]
    dead_letters: list[dict[str, Any]]
    checkpoints: dict[str, dict[str, Any]]

    def ids(self) -> Counter[str]:
        """How often each event stands on the bus."""
        return Counter(str(event.id) for event in self.events)


async def world(bus: Bus) -> World:
    """Read everything."""
    events: list[AnyEvent] = []
    for topic in EVENT_TOPICS:
        events += [decode(delivery.value or b"") async for delivery in bus.read(topic)]
    dead_letters = [json.loads(delivery.value or b"") async for delivery in bus.read(DEAD_LETTERS)]
    deliveries: list[Delivery] = [delivery async for delivery in bus.read(POSITIONS)]
    checkpoints = {(delivery.key or b"").decode(): json.loads(delivery.value or b"") for delivery in deliveries}
    return World(events, dead_letters, checkpoints)


async def receipts(bus: Bus, directory: Path) -> dict[str, dict[str, Any]]:
    """The receipts on a bus by their batch, through an index of their own."""
    index = Index(directory / "receipts.db", ring(directory / "data" / KEYS))
    await index.follow(bus, "toy")
    return {receipt["batch"]: receipt for receipt in index.find(Query())}


DEAD = ("bad", "huge", "refuse", "bug", "nothing")


def expected(directory: Path) -> dict[str, Any]:
    """What must have become of the lines of a folder, told apart from the code under test."""
    words = Counter[str]()
    ids: set[str] = set()
    vouched = 0
    for path in sorted(directory.glob("*.txt")):
        refused = False
        for line in path.read_text().splitlines():
            word, _, key = line.partition(" ")
            words[word] += 1
            refused = refused or word in DEAD
            if word == "through":
                if refused:
                    continue  # a batch with refused records vouches for nothing
                vouched += 1
            read = Record("line", line.encode(), {"word": word, "key": key})
            if word in ("good", "two", "through"):
                seen = mapping(read, Origin("TOY", "lines", path.name, 1))
                ids |= {str(event.id) for event in seen.events} if isinstance(seen, Mapped) else set()
    dead = sum(words[word] for word in DEAD)
    return {
        "ids": ids,
        "counters": {
            "read": sum(words.values()) - words["through"],
            "published": words["good"] + words["two"],
            "dead_lettered": dead,
            "filtered": {"toy.skip": words["skip"]} if words["skip"] else {},
            "events": words["good"] + 2 * words["two"] + vouched,
        },
    }


def check(directory: Path, seen: World, *, key: str = "TOY/lines") -> list[str]:
    """The violations of "nothing lost" and of the sum."""
    wanted = expected(directory)
    wrong = []
    if missing := wanted["ids"] - set(seen.ids()):
        wrong.append(f"{len(missing)} events lost")
    if strange := set(seen.ids()) - wanted["ids"]:
        wrong.append(f"{len(strange)} events that nobody told")
    dead_letters = {dead_letter["id"] for dead_letter in seen.dead_letters if dead_letter["counted"]}
    if len(dead_letters) != wanted["counters"]["dead_lettered"]:
        wrong.append(f"{len(dead_letters)} dead letters, not {wanted['counters']['dead_lettered']}")
    if seen.checkpoints[key]["counters"] != wanted["counters"]:
        wrong.append(f"counters {seen.checkpoints[key]['counters']}, not {wanted['counters']}")
    return wrong


async def once(
    directory: Path, bus: Bus, action: failpoints.Action = failpoints.ignore, **ingest: Any
) -> list[Outcome]:
    """One run over a folder, with an action at its failpoints."""
    feeds = [toy(directory)]
    with failpoints.armed(action):
        return await run(settings(directory, **ingest), feeds, once=True, bus=bus, clock=recorded)


async def _process(directory: Path, bus_file: Path) -> bool:
    """Run once. True where the feed had no error."""
    bus = await EmbeddedBus.open(bus_file)
    outcomes = await once(directory, bus)
    await bus.close()
    return all(outcome.error is None for outcome in outcomes)


def plant() -> None:
    """The planted bug: the checkpoint is saved before the events are durable."""
    from services.ingest.feed_run import Chunk, FeedRun

    sound = FeedRun._deliver

    async def unsound(self: FeedRun, chunk: Chunk) -> None:
        await self._save(chunk.checkpoint)
        await failpoints.reach("ingest.saved")
        await sound(self, replace(chunk, checkpoint=self.holding.checkpoint))

    FeedRun._deliver = unsound  # type: ignore[method-assign]


if __name__ == "__main__":
    folder, file, bug = sys.argv[1:]
    if bug == "planted":
        plant()
    sys.exit(not asyncio.run(_process(Path(folder), Path(file))))
