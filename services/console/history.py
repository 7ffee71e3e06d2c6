"""The flow over the last hour and day: a sample every ten seconds and every five minutes, kept over a restart."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from schemas.operations import Overview

_STEPS = {"hour": (10.0, 361), "day": (300.0, 289)}
"""Seconds between two samples, and how many are kept."""


@dataclass(slots=True)
class History:
    """Samples by span; each holds the counters of all feeds, so that rates come from the difference of two."""

    path: Path | None = None
    _samples: dict[str, deque[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._samples = {span: deque(maxlen=count) for span, (_, count) in _STEPS.items()}
        if self.path is not None and self.path.exists():
            try:
                for span, samples in orjson.loads(self.path.read_bytes()).items():
                    if span in self._samples:
                        self._samples[span].extend(samples)
            except (orjson.JSONDecodeError, OSError, AttributeError, TypeError):
                return  # it can be made anew: nothing rests on it

    def add(self, overview: Overview) -> bool:
        """Take an overview in where a sample is due. Return whether one was of the longest span."""
        at = overview.at.timestamp()
        longest = False
        for span, (seconds, _) in _STEPS.items():
            samples = self._samples[span]
            if not samples or at - samples[-1]["at"] >= seconds or at < samples[-1]["at"]:
                samples.append(_sample(at, overview))
                longest = span == "day"
        return longest

    def span(self, span: str) -> Iterator[dict[str, Any]]:
        """Yield the samples of the last hour or day, the oldest first. Raises KeyError."""
        yield from self._samples[span]

    def save(self) -> None:
        """Keep the samples for the next process."""
        if self.path is not None:
            beside = self.path.with_suffix(".new")
            beside.write_bytes(orjson.dumps({span: list(samples) for span, samples in self._samples.items()}))
            beside.replace(self.path)


def _sample(at: float, overview: Overview) -> dict[str, Any]:
    return {
        "at": at,
        "lag": overview.lag,
        "persons": overview.store.persons if overview.store is not None else None,
        "waiting": sum(group.waiting for group in overview.dead_letters),
        "feeds": {
            f"{feed.system}.{feed.feed}": [feed.published, feed.dead_lettered, feed.filtered] for feed in overview.feeds
        },
    }
