"""How far each feed is: position, counters and the process that holds it, in one message of a compacted topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson

from adapters.core import Json
from bus.contract import Bus, Delivery, Message, Partition
from bus.following import Followed
from schemas.topics import POSITIONS
from services.feeds.condition import NO_CONDITION, Condition
from services.feeds.counters import NONE, Counters
from services.feeds.waiting import Waiting
from services.unreadable import UNREADABLE, pass_over

Tails = Mapping[Partition, tuple[int, bytes]]
"""By partition the last message that a feed sent there, by its position and `bus.tails.tail_of`: what the checkpoint
counts on."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a feed stands. `position` is the transport's, after the last whole batch."""

    position: Json = None
    batch: str | None = None  # the one begun and not done
    mark: str | None = None  # of its content: the same name with another content is another batch
    records: int = 0  # how many of its records are done
    reads: int = 0  # the same with its notes: that many reads are passed over when it is taken up again
    counters: Counters = NONE  # of the feed, those of the batch begun included
    part: Counters = NONE  # of the batch begun
    epoch: int = 0
    owner: str = ""
    released: bool = True  # the owner is done with the feed
    stopped: str | None = None  # why the feed was stopped, until it is taken up again
    process: str = ""  # host and process id of the owner
    condition: Condition = NO_CONDITION
    at: datetime | None = None
    tails: Tails = field(default_factory=dict)
    begins: Mapping[Partition, int] = field(default_factory=dict)  # of what the bus had lost at its front by then
    rewound: str = ""  # the id of the last order to read again that was obeyed
    waiting: Waiting | None = None  # the batch behind this place, if it waits for a person

    def fence(self) -> tuple[int, str]:
        """Return what decides between two processes."""
        return (self.epoch, self.owner)

    def held_by(self, epoch: int, owner: str, process: str = "") -> Checkpoint:
        """Return the same in the hands of a process."""
        return replace(self, epoch=epoch, owner=owner, process=process, released=False, stopped=None)

    def without_batch(self) -> Checkpoint:
        """Return the checkpoint in front of the batch begun, which is not counted then."""
        return replace(
            self,
            counters=self.counters.minus(self.part),
            part=NONE,
            batch=None,
            mark=None,
            records=0,
            reads=0,
            stopped=None,
        )

    def message(self, key: str) -> Message:
        """Return the message that is sent to the bus."""
        body = {
            "position": self.position,
            "batch": self.batch,
            "mark": self.mark,
            "records": self.records,
            "reads": self.reads,
            "counters": self.counters.as_json(),
            "part": self.part.as_json(),
            "epoch": self.epoch,
            "owner": self.owner,
            "released": self.released,
            "stopped": self.stopped,
            "rewound": self.rewound,
            "waiting": self.waiting.as_json() if self.waiting is not None else None,
            "process": self.process,
            "condition": self.condition.as_json(),
            "at": datetime.now(UTC).isoformat(),
            "begins": [[*place, position] for place, position in self.begins.items()],
            "tails": [[*place, position, tail.hex()] for place, (position, tail) in self.tails.items()],
        }
        return Message(POSITIONS, key.encode(), orjson.dumps(body))


def parse(value: bytes) -> Checkpoint:
    """Return the checkpoint of a message's value. Raises ValueError, KeyError, TypeError, AttributeError."""
    body = orjson.loads(value)
    if type(body["epoch"]) is not int or type(body["owner"]) is not str:
        raise TypeError("a fence that cannot be compared")
    return Checkpoint(
        position=body["position"],
        batch=body["batch"],
        mark=body["mark"],
        records=body["records"],
        reads=body["reads"],
        counters=Counters.from_json(body["counters"]),
        part=Counters.from_json(body["part"]),
        epoch=body["epoch"],
        owner=body["owner"],
        released=body["released"],
        stopped=body["stopped"],
        rewound=body.get("rewound", ""),
        waiting=Waiting.from_json(body.get("waiting")),
        process=body.get("process", ""),
        condition=Condition.from_json(body.get("condition")),
        at=datetime.fromisoformat(body["at"]),
        begins={Partition(topic, number): position for topic, number, position in body.get("begins", [])},
        tails={
            Partition(topic, number): (position, bytes.fromhex(tail))
            for topic, number, position, tail in body.get("tails", [])  # none by earlier versions
        },
    )


@dataclass(slots=True)
class Checkpoints:
    """What the topic holds, as far as it was read."""

    held: dict[str, Checkpoint] = field(default_factory=dict)  # the last one of the greatest fence of each feed
    last: dict[str, Checkpoint] = field(default_factory=dict)  # the last one, whatever its fence
    _followed: Followed = field(default_factory=lambda: Followed(POSITIONS))

    async def read(self, bus: Bus) -> None:
        """Catch up; anew from the beginning where the topic has not what was read of it. Raises BusDown."""
        await self._followed.follow(bus, self._take, self._forget)

    async def moved(self, bus: Bus) -> bool:
        """Return whether there is anything new, or less than there was. Raises BusDown."""
        return await self._followed.moved(bus)

    def _forget(self) -> None:
        self.held, self.last = {}, {}

    def _take(self, delivery: Delivery) -> None:
        if delivery.key is None:
            return
        key = delivery.key.decode(errors="replace")
        if delivery.value is None:  # the feed starts anew
            self.held.pop(key, None)
            self.last.pop(key, None)
            return
        try:
            checkpoint = parse(delivery.value)
        except UNREADABLE as error:
            pass_over(delivery, error)
            return
        self.last[key] = checkpoint
        held = self.held.get(key)
        if held is None or checkpoint.fence() >= held.fence():
            self.held[key] = checkpoint
