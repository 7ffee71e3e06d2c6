"""The messages of the topic of questions: who is to be asked about, and what became of that.

Each has a key of its own, so that who asks and who answers never overwrite each other: `question FEED IDENTIFIER` is
written by whoever wants to know, `state FEED IDENTIFIER` by the process that holds the feed. A question is open as long
as no state names its id, or the state says when to ask again. The topic is compacted: the last question counts.

`place TOPIC PARTITION` says how far changes were followed, and by what the change read last is known again: the
position of a group alone does not show that its topic was made anew and grew past it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from uuid import uuid4

import orjson

from bus.contract import Message, Partition
from schemas.topics import QUESTIONS

QUESTION, STATE, PLACE = "question", "state", "place"


class Priority(IntEnum):
    """The least is asked first."""

    BY_HAND = 0  # at once, however short the last answer ago
    DOUBTFUL = 1
    CHANGED = 2


@dataclass(frozen=True, slots=True)
class Asking:
    """A question. `id` names it alone; `at` is when it was asked; `why` names no person."""

    feed: str
    identifier: str
    id: str
    priority: Priority
    at: datetime
    why: str = ""

    def message(self) -> Message:
        """Return the message that is sent to the bus."""
        body = {"id": self.id, "priority": int(self.priority), "at": self.at.astimezone(UTC), "why": self.why}
        return Message(QUESTIONS, key_of(QUESTION, self.feed, self.identifier), orjson.dumps(body))


@dataclass(frozen=True, slots=True)
class State:
    """What became of the question with that id: asked `tries` times, and `again` to be asked at a moment, or closed."""

    feed: str
    identifier: str
    id: str
    at: datetime
    tries: int = 0
    again: datetime | None = None

    def message(self) -> Message:
        """Return the message that is sent to the bus."""
        body = {"id": self.id, "at": self.at, "tries": self.tries, "again": self.again}
        return Message(QUESTIONS, key_of(STATE, self.feed, self.identifier), orjson.dumps(body))


@dataclass(frozen=True, slots=True)
class Place:
    """How far a partition was followed: `next` is the position to go on at, `tail` the digest of the message before."""

    partition: Partition
    next: int = 0
    tail: bytes = b""

    def message(self) -> Message:
        """Return the message that is sent to the bus."""
        body = {"next": self.next, "tail": self.tail.hex()}
        key = key_of(PLACE, self.partition.topic, str(self.partition.number))
        return Message(QUESTIONS, key, orjson.dumps(body))


def question_of(feed: str, identifier: str, priority: Priority, at: datetime, why: str = "", id: str = "") -> Asking:
    """Return a question, under an id of its own if none is given."""
    return Asking(feed, identifier, id or uuid4().hex, priority, at, why)


def key_of(kind: str, feed: str, identifier: str) -> bytes:
    """Return the key of a message."""
    return f"{kind} {feed} {identifier}".encode()


def parse(key: bytes, value: bytes | None) -> Asking | State | Place | tuple[str, str, str]:
    """Return what a message says; of one that is forgotten kind, feed and identifier. Raises ValueError."""
    kind, feed, identifier = key.decode().split(" ", 2)
    if kind not in (QUESTION, STATE, PLACE):
        raise ValueError("its key begins with no kind of message")
    if value is None:
        return kind, feed, identifier
    try:
        body = orjson.loads(value)
        if kind == PLACE:
            return Place(Partition(feed, int(identifier)), int(body["next"]), bytes.fromhex(body["tail"]))
        at = datetime.fromisoformat(body["at"])
        if kind == QUESTION:
            return Asking(feed, identifier, str(body["id"]), Priority(body["priority"]), at, str(body["why"]))
        again = datetime.fromisoformat(body["again"]) if body["again"] is not None else None
        return State(feed, identifier, str(body["id"]), at, int(body["tries"]), again)
    except (TypeError, KeyError, ValueError):
        raise ValueError(f"a {kind} that is none") from None
