"""Dead letters as they are read back from their topic: selected, grouped, and marked as replayed."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from bus.contract import Bus, Message
from schemas.topics import DEAD_LETTERS
from services.dead_letters.message import message_of_body
from services.dead_letters.spool import Spool
from services.unreadable import UNREADABLE, pass_over

_SHARED_FIELDS = ("id", "system", "feed", "batch", "place", "record", "reason", "counted", "digest")
"""Named alike in the body and in the class."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
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
        """Return the bytes that could not be read. Raises OSError if the spool has lost them."""
        return spool.load(self.spooled) if self.spooled is not None else self.raw

    def replay_mark(self, mapping_version: int) -> Message:
        """Return the message that marks this dead letter as replayed: its own id, without its bytes."""
        body = {name: getattr(self, name) for name in _SHARED_FIELDS} | {
            "bytes": self.size,
            "raw": None,
            "spooled": None,
            "mapping_version": mapping_version,
            "context": None,
            "ordinal": self.ordinal,
            "replayed": True,
            "at": datetime.now(UTC).isoformat(),
        }
        return message_of_body(body)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant. A field that is left out does not matter."""

    ids: Collection[str] = ()  # whole, or their beginnings
    system: str | None = None
    reason: str | None = None  # a part of it
    batch: str | None = None
    pending: bool = False  # without those that were replayed

    def includes(self, dead_letter: DeadLetter) -> bool:
        """Return whether the dead letter is selected."""
        return (
            (not self.ids or any(dead_letter.id.startswith(one) for one in self.ids))
            and self.system in (None, dead_letter.system)
            and (self.reason is None or self.reason.lower() in dead_letter.reason.lower())
            and self.batch in (None, dead_letter.batch)
            and not (self.pending and dead_letter.replayed is not None)
        )


async def read(bus: Bus, selection: Selection, *, whole: bool = False) -> list[DeadLetter]:
    """Return the dead letters selected, each once, in the order of their arrival; with `whole` with their bytes.

    Raises BusDown.
    """
    known: dict[str, DeadLetter] = {}
    async for dead_letter in _all(bus):
        before = known.get(dead_letter.id)
        if dead_letter.replayed is not None:
            if before is not None:
                known[before.id] = replace(before, replayed=dead_letter.replayed)
        elif before is None and replace(selection, pending=False).includes(dead_letter):
            known[dead_letter.id] = dead_letter if whole else replace(dead_letter, raw=b"", context=None)
    return [dead_letter for dead_letter in known.values() if selection.includes(dead_letter)]


async def load(bus: Bus, selected: Sequence[DeadLetter]) -> AsyncIterator[DeadLetter]:
    """Yield the same dead letters with their bytes, one at a time: all of them need not fit into memory.

    Raises BusDown.
    """
    missing = {dead_letter.id: dead_letter for dead_letter in selected}
    async for dead_letter in _all(bus):
        known = missing.pop(dead_letter.id, None)
        if known is not None:
            yield replace(dead_letter, replayed=known.replayed)
        if not missing:
            return


async def _all(bus: Bus) -> AsyncIterator[DeadLetter]:
    """What the topic holds: dead letters, and marks of replays, whose `replayed` is set."""
    async for delivery in bus.read(DEAD_LETTERS):
        try:
            body = orjson.loads(delivery.value or b"{}")
            if not body:
                continue
            dead_letter = _parse(body)
        except UNREADABLE as error:
            pass_over(delivery, error)
            continue
        yield replace(dead_letter, replayed=dead_letter.at) if body.get("replayed") else dead_letter


def _parse(body: Mapping[str, Any]) -> DeadLetter:
    context = body.get("context")
    return DeadLetter(
        **{name: body[name] for name in _SHARED_FIELDS},
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
    """Dead letters of one feed that were refused for one reason."""

    system: str
    feed: str
    reason: str
    dead_letters: int
    pending: int
    first: datetime
    last: datetime
    example: str


def group(dead_letters: Sequence[DeadLetter]) -> list[Group]:
    """Return the dead letters by feed and reason, the largest group first."""
    by_reason: dict[tuple[str, str, str], list[DeadLetter]] = {}
    for dead_letter in dead_letters:
        by_reason.setdefault((dead_letter.system, dead_letter.feed, dead_letter.reason), []).append(dead_letter)
    groups = [
        Group(
            *key,
            dead_letters=len(members),
            pending=sum(dead_letter.replayed is None for dead_letter in members),
            first=min(dead_letter.at for dead_letter in members),
            last=max(dead_letter.at for dead_letter in members),
            example=members[0].id,
        )
        for key, members in by_reason.items()
    ]
    return sorted(groups, key=lambda group: (-group.dead_letters, group.system, group.reason))
