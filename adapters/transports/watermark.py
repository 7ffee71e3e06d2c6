"""How far a service has been read that is asked for what changed since a moment, and answers in pages.

A poll asks from `overlap` before the highest change taken: clocks of a source's servers differ, and what changed
commits late. Records of which the same bytes were taken before are passed over. So each is counted once; one that was
forgotten is read again, which changes nothing: its events have the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.core import Closing, Json, Note, Read
from schemas.ids import digest

_FORWARD = timedelta(days=1)
"""A change that lies further ahead of this clock is taken for a mistake: it would hide all that come before it."""


@dataclass(slots=True)
class Watermark:
    """The position, unpacked."""

    high: str = ""  # the highest change taken
    seen: dict[str, None] = field(default_factory=dict)  # digests of records, oldest first
    since: str = ""  # from when the poll that broke off asks
    page: str = ""  # which page of it comes next
    through: str = ""  # as last vouched for
    clock: str = ""  # of the first page of the poll that broke off

    @classmethod
    def of(cls, position: Json | None) -> Watermark:
        """The watermark that a position is."""
        known: dict[str, Any] = dict(position or {})
        known["seen"] = dict.fromkeys(known.get("seen", ()))
        return cls(**known)

    def position(self, window: int) -> Json:
        """The position, with as many digests as the window has."""
        while len(self.seen) > window:
            del self.seen[next(iter(self.seen))]
        names = ("high", "since", "page", "through", "clock")
        return {"seen": list(self.seen), **{name: getattr(self, name) for name in names}}

    def begin(self, first: str, overlap: float) -> None:
        """Begin a poll: from before the highest change taken, or from the first moment that there is."""
        self.page, self.clock = "", ""
        self.since = iso(datetime.fromisoformat(self.high or first) - timedelta(seconds=overlap if self.high else 0))

    def take(self, read: Read, content: bytes, changed: object) -> bool:
        """Whether a read was not taken before; it is from now on.

        `content`: what it says, wherever it stands; `changed`: when its record says that it changed.
        """
        if isinstance(read, Note):
            return True
        mark = digest(content)
        if mark in self.seen:
            return False
        self.seen[mark] = None
        at = moment(changed)
        if at is not None and at <= datetime.now(UTC) + _FORWARD:
            self.high = max(self.high, iso(at))
        return True

    def closing(self, first: str) -> Closing | None:
        """The end of a poll: from when through when the source vouches, if that is more than before."""
        through = moment(self.clock)
        before = self.through or iso(datetime.fromisoformat(first))
        if through is None or iso(through) <= before:
            return None
        self.through = iso(through)
        return Closing("end of poll", b"", {"since": before, "through": self.through})


def iso(at: datetime) -> str:
    """The one spelling in positions: UTC, six decimals, `Z`. Sorts as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


def moment(value: object) -> datetime | None:
    """A moment with an offset, if it is one and far enough from the ends of time to count with."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None and 1900 < at.year < 9990 else None
