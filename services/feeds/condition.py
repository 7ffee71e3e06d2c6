"""How a feed fares besides its position: the last whole batch, when its source had nothing more, whether it is away.

It goes along with the checkpoint for those who operate the bus; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from services.feeds.labels import Labels


@dataclass(frozen=True, slots=True)
class Condition:
    """What the process that holds a feed saw of its source."""

    last_batch: str | None = None  # the last one that was done
    last_batch_at: datetime | None = None
    caught_up_at: datetime | None = None  # when the source last had nothing more
    down_since: datetime | None = None
    down_why: str | None = None
    deferred: int = 0  # pieces that the source holds and its transport left for later
    deferred_why: str | None = None  # the first of them, and why it waits
    used_again: int = 0  # batches whose name or number had come before with other content
    used_again_why: str | None = None  # which it was, of the last of them
    used_again_at: datetime | None = None
    labels: Labels = field(default_factory=dict)  # names and numbers that are known again
    not_rewound: str | None = None  # why the last order to read again was not obeyed
    not_rewound_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the condition as it stands in a checkpoint."""
        return {
            "last_batch": self.last_batch,
            "last_batch_at": _text(self.last_batch_at),
            "caught_up_at": _text(self.caught_up_at),
            "down_since": _text(self.down_since),
            "down_why": self.down_why,
            "deferred": self.deferred,
            "deferred_why": self.deferred_why,
            "used_again": self.used_again,
            "used_again_why": self.used_again_why,
            "used_again_at": _text(self.used_again_at),
            "labels": dict(self.labels),
            "not_rewound": self.not_rewound,
            "not_rewound_at": _text(self.not_rewound_at),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any] | None) -> Self:
        """Return the condition that `as_json` wrote; an empty one for a checkpoint that has none yet."""
        if body is None:
            return cls()
        return cls(
            last_batch=body["last_batch"],
            last_batch_at=_moment(body["last_batch_at"]),
            caught_up_at=_moment(body["caught_up_at"]),
            down_since=_moment(body["down_since"]),
            down_why=body["down_why"],
            deferred=body["deferred"],
            # none by earlier versions
            deferred_why=body.get("deferred_why"),
            used_again=body.get("used_again", 0),
            used_again_why=body.get("used_again_why"),
            used_again_at=_moment(body.get("used_again_at")),
            labels=body.get("labels", {}),
            not_rewound=body.get("not_rewound"),
            not_rewound_at=_moment(body.get("not_rewound_at")),
        )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


NO_CONDITION = Condition()
