"""The product's answers through its public pure entry."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from oracle.reading import Event
from services.answering import answers, read

Stays = dict[datetime, tuple[str, str]]
"""Outcome and reason of each stay, by the instant of its arrival."""


def product(events: list[Event], as_of: datetime, known_at: datetime | None = None) -> Stays:
    """What the product says of the stays begun by `as_of`."""
    known = read(json.dumps(event).encode() for event in events)
    if known.bad:
        raise ValueError(f"no canonical event: {known.bad[0].reason}")
    moment = None if known_at is None else round(known_at.timestamp() * 1_000_000)
    results: Stays = {}
    for line in answers(known, int(as_of.timestamp()), moment):
        for stay in json.loads(line)["stays"]:
            begun = datetime.fromisoformat(stay["admitted"]).astimezone(UTC)
            results[begun] = (stay["outcome"], stay["reason"])
    return results
