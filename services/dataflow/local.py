"""The dataflow in this process: every step over lists in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import msgspec

from services.dataflow.confidential import opened, other_cutoffs, record_of
from services.dataflow.keying import End, Kind, Refusal, Row
from services.dataflow.linking import Link, components, cutoffs_of, edges_of, joined, links_of
from services.dataflow.pairing import Paired, Standing, paired
from services.dataflow.resolving import Member, Resolving, Rows
from services.domain.caps import Rank
from services.domain.coverage import Coverage
from services.domain.facts import Fact

_facts = msgspec.msgpack.Decoder(Fact)
_ends = msgspec.msgpack.Decoder(End)
_refusals = msgspec.msgpack.Decoder(Refusal)


@dataclass
class Grouped:
    """All events in their pools, and what else was read."""

    members: list[Member] = field(default_factory=list)
    cutoffs: dict[int, Rank] = field(default_factory=dict)
    others: dict[int, Rank | None] = field(default_factory=dict)  # of who lacks the right, where they are others
    coverage: list[Fact] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def parts(self, count: int) -> Iterator[tuple[int, list[Member]]]:
        """Return the members in so many parts, none of which has a part of a pool."""
        parts: list[list[Member]] = [[] for _ in range(count)]
        for member in self.members:
            parts[member.pool % count].append(member)
        for number, part in enumerate(parts):
            part.sort(key=attrgetter("pool"))
            yield number, part


def grouped(rows: Iterable[Row]) -> Grouped:
    """Return the events in their pools."""
    done = Grouped()
    events: list[Row] = []
    claims: dict[int, Row] = {}
    for row in rows:
        if row.kind == Kind.EVENT:
            events.append(row)
        elif row.kind == Kind.CLAIM:
            claims[row.node] = row
        elif row.body is not None:
            if row.kind == Kind.COVERAGE:
                done.coverage.append(_facts.decode(row.body))
            elif row.kind == Kind.END:
                done.ends.append(_ends.decode(row.body))
            else:
                done.refusals.append(_refusals.decode(row.body))
    links = joined(links_of(events))
    done.cutoffs = cutoffs_of(links)
    marked = {record_of(row) for row in events if row.marked}
    hiding = sorted((row for row in events if record_of(row) in marked), key=record_of)
    open_events = [row for row in events if record_of(row) not in marked] + list(opened(hiding))
    open_links = joined(links_of(open_events)) if marked else []
    open_cutoffs = cutoffs_of(open_links)
    edges = [*edges_of(links, done.cutoffs), *edges_of(open_links, open_cutoffs)]
    by_keys = components(edges)
    pairs = list(paired(_standings(claims.values(), _since(links), by_keys)))
    done.cutoffs |= _lowered(pairs)
    if marked:
        others = list(paired(_standings(claims.values(), _since(open_links), by_keys)))
        done.others = other_cutoffs(done.cutoffs, open_cutoffs | _lowered(others))
        pairs += others
    by_score = components(pair.pools for pair in pairs if pair.pools is not None)
    for row in events:
        pool = by_keys.get(row.node, row.node)
        done.members.append(Member(by_score.get(pool, pool), row.claim, row.body or b""))
    return done


def _since(links: Iterable[Link]) -> dict[int, int]:
    """Since when each node is known."""
    return {link.node: link.since for link in links if link.key == link.node}


def _lowered(pairs: Iterable[Paired]) -> dict[int, Rank]:
    return dict(pair.cutoff for pair in pairs if pair.cutoff is not None)


def _standings(claims: Iterable[Row], since: dict[int, int], pools: dict[int, int]) -> Sequence[Standing]:
    standings = [
        Standing(block, row.node, since[row.node], pools.get(row.node, row.node), row.claim or b"")
        for row in claims
        for block in {*row.keys} - {0}
        if row.node in since
    ]
    return sorted(standings, key=attrgetter("block"))


def resolved(done: Grouped, coverage: Coverage, now: int, parts: int = 1) -> Iterator[tuple[int, Rows]]:
    """Return the rows of each part."""
    resolving = Resolving(done.cutoffs, done.others, coverage, now)
    for number, part in done.parts(parts):
        yield number, resolving.rows(part)
