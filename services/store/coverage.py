"""Coverage in the store: each coverage event as a row, and what they say together, joined by system and scope.

Present answers read the joined rows alone. An answer about the past has the database join what was known by then, by
the same statement that mends the joined rows where a record was revised or taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from services.domain.coverage import Coverage, Source, Stretch, coverage_of_joined
from services.domain.facts import Fact

_packer = msgspec.msgpack.Encoder()
_stretches = msgspec.msgpack.Decoder(tuple[Stretch, ...])

JOINED = """
WITH latest AS (
  SELECT system, scope, since, through, record, retract,
    rank() OVER (PARTITION BY record ORDER BY number DESC, digest DESC, mapping DESC) AS place
  FROM coverage_event WHERE {condition}
), standing AS (
  SELECT system, scope, since, through, max(retract) OVER (PARTITION BY record) AS retracted
  FROM latest WHERE place = 1
), marked AS (
  SELECT system, scope, since, through, CASE WHEN since > max(through) OVER (
    PARTITION BY system, scope ORDER BY since, through ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) THEN 1 ELSE 0 END AS begins
  FROM standing WHERE retracted = 0
), numbered AS (
  SELECT system, scope, since, through, sum(begins) OVER (
    PARTITION BY system, scope ORDER BY since, through ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS stretch
  FROM marked
)
SELECT system, scope, min(since) AS since, max(through) AS through FROM numbered GROUP BY system, scope, stretch
"""
"""The stretches (microseconds) that the records vouch for by their highest versions, among events of a condition."""

REVISED = """
SELECT record FROM coverage_event WHERE {condition} GROUP BY record
HAVING max(retract) > 0 OR min(number) < max(number) OR count(DISTINCT digest) > 1 OR min(mapping) < max(mapping)
"""
"""The records among those of a condition that have several versions, or were taken back."""


class CoverageRow(NamedTuple):
    """A row of `coverage_event`."""

    id: bytes
    record: bytes  # handle
    system: str
    scope: str
    number: int
    digest: bytes
    mapping: int
    known: int
    retract: int  # 1: takes back what the record said
    since: int  # microseconds
    through: int

    @classmethod
    def of(cls, fact: Fact) -> CoverageRow:
        """Return the row of a coverage fact."""
        body = fact.body
        return cls(
            fact.id,
            fact.handle,
            fact.system,
            body["scope"],
            fact.number,
            fact.digest.encode(),
            fact.mapping,
            fact.known,
            int(fact.retract),
            body["since"],
            body["through"],
        )


class JoinedRow(NamedTuple):
    """A row of `coverage`: all that a system's events vouch for in one scope."""

    system: str
    scope: str
    stretches: bytes


def pack_stretches(source: Source, stretches: Iterable[Stretch]) -> JoinedRow:
    """Return the row of joined stretches (microseconds)."""
    return JoinedRow(*source, _packer.encode(tuple(stretches)))


def unpack_stretches(rows: Iterable[JoinedRow]) -> dict[Source, tuple[Stretch, ...]]:
    """Return the stretches of rows."""
    return {(row.system, row.scope): _stretches.decode(row.stretches) for row in rows}


def by_source(rows: Iterable[tuple[str, str, int, int]]) -> Mapping[Source, list[Stretch]]:
    """Return what the statement `JOINED` gives, by source and in order."""
    sources: dict[Source, list[Stretch]] = {}
    for system, scope, since, through in sorted((row[0], row[1], row[2], row[3]) for row in rows):
        sources.setdefault((system, scope), []).append((since, through))
    return sources


@lru_cache(maxsize=4)
def coverage_of_rows(rows: frozenset[JoinedRow]) -> Coverage:
    """Return the coverage of all joined rows. The same rows give the same coverage, so it is worked out once."""
    return coverage_of_joined(unpack_stretches(rows))
