"""What became of the records of a feed, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Counters:
    """What became of the records read: `read = published + dead_lettered + filtered`, always."""

    read: int = 0
    published: int = 0  # records that gave one event or more
    dead_lettered: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)  # by rule
    events: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)  # optional values that were wrong, by field

    def plus(self, other: Counters, sign: int = 1) -> Counters:
        """Return both together."""
        return Counters(
            read=self.read + sign * other.read,
            published=self.published + sign * other.published,
            dead_lettered=self.dead_lettered + sign * other.dead_lettered,
            filtered=_sums(self.filtered, other.filtered, sign),
            events=self.events + sign * other.events,
            lost=_sums(self.lost, other.lost, sign),
        )

    def minus(self, other: Counters) -> Counters:
        """Return the counters without the other."""
        return self.plus(other, -1)

    def balanced(self) -> bool:
        """Return whether every record read is accounted for."""
        return self.read == self.published + self.dead_lettered + sum(self.filtered.values())

    def as_json(self) -> dict[str, Any]:
        """Return the counters as they stand in a checkpoint and a receipt."""
        return {
            "read": self.read,
            "published": self.published,
            "dead_lettered": self.dead_lettered,
            "filtered": dict(self.filtered),
            "events": self.events,
            **({"lost": dict(self.lost)} if self.lost else {}),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the counters that `as_json` wrote."""
        names = ("read", "published", "dead_lettered", "filtered", "events")
        return cls(**{name: body[name] for name in names}, lost=body.get("lost", {}))


def _sums(one: Mapping[str, int], other: Mapping[str, int], sign: int) -> dict[str, int]:
    if not other:
        return dict(one)
    sums = {name: one.get(name, 0) + sign * other.get(name, 0) for name in sorted({*one, *other})}
    return {name: count for name, count in sums.items() if count}


NONE = Counters()
