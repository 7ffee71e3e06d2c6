"""A batch that waits for a person: what it would change, as the checkpoint in front of it has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from schemas.ids import digest


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch of which nothing was sent. Counts are of what everyone may know of it, and name no person."""

    batch: str
    mark: str  # of its content
    at: datetime  # since when it waits
    records: int | None  # None where a record of its system may be confidential: counts of a batch would tell of it
    limit: int  # outcomes that a batch may change
    changed: int  # outcomes that this one would change
    appeared: int  # persons without an outcome who would have one
    changes: Mapping[str, int] = field(default_factory=dict)  # by the outcome that is and the one that would be

    @property
    def id(self) -> str:
        """Names this content of the batch alone: what a person's word is about."""
        return digest(f"{self.batch}\n{self.mark}".encode("utf-8", "backslashreplace"))

    def in_words(self) -> str:
        """What it would change, in one line."""
        which = ", ".join(f"{count} {change}" for change, count in self.changes.items())
        shown = (
            f"{self.changed} outcomes ({which})" if self.changed > self.limit else f"more than {self.limit} outcomes"
        )
        return (
            f"{self.batch!r}{of_records(self.records)} would change {shown} and give a first one to {self.appeared} "
            "persons"
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in a checkpoint."""
        return {
            "batch": self.batch,
            "mark": self.mark,
            "at": self.at.isoformat(),
            "records": self.records,
            "limit": self.limit,
            "changed": self.changed,
            "appeared": self.appeared,
            "changes": dict(self.changes),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any] | None) -> Self | None:
        """Return what `as_json` wrote; None where nothing waits, as in checkpoints of earlier versions."""
        if body is None:
            return None
        return cls(**{**body, "at": datetime.fromisoformat(body["at"])})


def of_records(count: int | None) -> str:
    """How many records a batch has, where that may be told."""
    return f" with {count} records" if count is not None else ""
