"""A dry run of one adapter: what a file would become. Nothing is published, stamped or remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from adapters.core import BadRecord, Feed, Filtered, Lost, Note, Origin, Read, System
from schemas.events import AnyEvent, Coverage


class Decoded(NamedTuple):
    """What one read became: events (a note may give none), or a refusal, or the rule that left it out.

    `lost` are optional values that were wrong; the events go without them.
    """

    read: Read
    events: tuple[AnyEvent, ...] = ()
    refused: BadRecord | None = None
    filtered: str | None = None
    lost: tuple[Lost, ...] = ()


@dataclass(slots=True)
class Totals:
    """Counted as the host counts: `read = published + refused + filtered`; notes are no records."""

    read: int = 0
    published: int = 0
    refused: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)  # by kind
    lost: Counter[str] = field(default_factory=Counter)  # optional values, by field

    def add(self, result: Decoded) -> None:
        """Count one more."""
        for event in result.events:
            self.events[event.kind] += 1
        for each in result.lost:
            self.lost[each.name] += 1
        if isinstance(result.read, Note):
            return
        self.read += 1
        if result.refused is not None:
            self.refused += 1
        elif result.filtered is not None:
            self.filtered[result.filtered] += 1
        else:
            self.published += 1


def decode_file(
    system: System, source: Path | str | bytes, *, name: str | None = None, feed: str | None = None
) -> Iterator[Decoded]:
    """What a file (or its bytes) holds, read by read. `name` is the batch of the events, else the file's name.

    Raises OSError if the file cannot be opened, KeyError for a feed that the system does not have.
    """
    read_as = system.feed(feed) if feed is not None else system.feeds[0]
    source = Path(source) if isinstance(source, str) else source
    batch = name or ("bytes" if isinstance(source, bytes) else source.name)
    origin = Origin(system.name, read_as.name, batch, system.mapping_version)
    refused = False
    for read in read_as.offline(source):
        result = decode(read, read_as, origin)
        refused = refused or (result.refused is not None and not isinstance(read, Note))
        yield _unvouched(result) if refused else result


def _unvouched(result: Decoded) -> Decoded:
    """As the host does it: where a record was refused, the batch vouches for nothing."""
    return result._replace(events=tuple(event for event in result.events if not isinstance(event, Coverage)))


def decode(read: Read, feed: Feed, origin: Origin) -> Decoded:
    """What the feed's mapping makes of one read. Raises nothing."""
    if isinstance(read, BadRecord):
        return Decoded(read, refused=read)
    try:
        mapped = feed.mapping(read, origin)
    except BadRecord as bad:
        return Decoded(read, refused=bad)
    if isinstance(mapped, Filtered):
        return Decoded(read, filtered=mapped.rule)
    return Decoded(read, events=tuple(mapped.events), lost=mapped.lost)
