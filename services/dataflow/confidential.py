"""Hiding: which events may be told to all, so that caps can be counted over them alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

import msgspec

from services.dataflow.keying import Row
from services.domain.caps import Rank
from services.domain.confidential import is_hidden
from services.domain.facts import Fact

_facts = msgspec.msgpack.Decoder(Fact)


def record_of(row: Row) -> int:
    """Return the key of an event's record."""
    return row.keys[0]


def opened(rows: Iterable[Row]) -> Iterator[Row]:
    """Return those of the events that may be told. All events of one record follow on each other, in any order."""
    for _, mine in groupby(rows, key=record_of):
        records: dict[tuple[str, str], list[tuple[Row, Fact]]] = defaultdict(list)
        for row in mine:
            fact = _facts.decode(row.body or b"")
            records[fact.system, fact.record].append((row, fact))
        for versions in records.values():
            if not is_hidden([fact for _, fact in versions]):
                yield from (row for row, fact in versions if not fact.handling)


def other_cutoffs(cutoffs: Mapping[int, Rank], opened: Mapping[int, Rank]) -> dict[int, Rank | None]:
    """Return the cutoffs by open events alone, where they are others than by all events; None: all are admitted."""
    return {key: opened.get(key) for key, rank in cutoffs.items() if opened.get(key) != rank}
