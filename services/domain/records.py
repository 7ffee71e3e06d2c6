"""Records by their version that counts."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.ids import handle
from services.domain.facts import Fact

Records = dict[bytes, list[Fact]]
"""Handle -> the facts of the record's version that counts."""


def active(facts: Iterable[Fact], known_at: int | None = None) -> tuple[Records, dict[bytes, int]]:
    """What each record says by its highest version, and since when each record is known (microseconds)."""
    newest: Records = {}
    since: dict[bytes, int] = {}
    for fact in facts:
        if known_at is not None and fact.known > known_at:
            continue
        key = handle(fact.system, fact.record)
        held = newest.get(key)
        if held is None:
            newest[key] = [fact]
            since[key] = fact.known
            continue
        if fact.known < since[key]:
            since[key] = fact.known
        version, highest = fact.version, held[0].version
        if version > highest:
            newest[key] = [fact]
        elif version == highest:
            held.append(fact)
    records: Records = {}
    for key, parts in newest.items():
        if len(parts) == 1:
            if not parts[0].retract:
                records[key] = parts
        elif not any(fact.retract for fact in parts):
            records[key] = sorted(parts, key=lambda fact: (fact.part, fact.id))
    return records, since
