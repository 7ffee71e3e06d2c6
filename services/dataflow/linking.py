"""Linking: nodes that share a key that admits them are of one pool."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from heapq import nsmallest
from typing import NamedTuple

from services.correlator.merge import Groups
from services.dataflow.keying import Kind, Row
from services.domain import caps
from services.domain.caps import Rank


class Link(NamedTuple):
    """A node under a key, since when it is known there, and whether the key admits only so many claims."""

    key: int
    node: int
    since: int
    capped: bool


Edge = tuple[int, int]
"""Two nodes, or two pools, that are one pool."""


def links_of(rows: Iterable[Row]) -> Iterator[Link]:
    """Return the links of events: by a record and by itself each node is linked however many share them."""
    for row in rows:
        if row.kind == Kind.EVENT:
            yield Link(row.node, row.node, row.known, False)
            yield Link(row.keys[0], row.node, row.known, False)
            for key in row.keys[1:]:
                yield Link(key, row.node, row.known, row.claim is not None)


def joined(links: Iterable[Link]) -> list[Link]:
    """Return each node once under each key, with the least moment of knowing."""
    least: dict[tuple[int, int], Link] = {}
    for link in links:
        place = (link.key, link.node)
        held = least.get(place)
        if held is not None:
            link = Link(*place, min(link.since, held.since), link.capped and held.capped)
        least[place] = link
    return list(least.values())


def cutoffs_of(links: Iterable[Link]) -> dict[int, Rank]:
    """Return for each key under which more claims stand than it admits the rank of the last that it admits.

    `links` are joined. It is a function of the set of events: `services.domain.caps` says why that has to be so.
    """
    ranks: dict[int, list[Rank]] = defaultdict(list)
    for link in links:
        if link.capped:
            ranks[link.key].append((link.since, link.node))
    return {key: nsmallest(caps.CAP, held)[-1] for key, held in ranks.items() if len(held) > caps.CAP}


def edges_of(links: Iterable[Link], cutoffs: Mapping[int, Rank]) -> Iterator[Edge]:
    """Return for each key an edge from every node that it admits to the least of them."""
    least: dict[int, int] = {}
    admitted = [link for link in links if admits(link, cutoffs)]
    for link in admitted:
        least[link.key] = min(link.node, least.get(link.key, link.node))
    for link in admitted:
        if link.node != least[link.key]:
            yield link.node, least[link.key]


def admits(link: Link, cutoffs: Mapping[int, Rank]) -> bool:
    """Whether a key admits a node."""
    cutoff = cutoffs.get(link.key) if link.capped else None
    return cutoff is None or (link.since, link.node) <= cutoff


def components(edges: Iterable[Edge]) -> dict[int, int]:
    """Return the least member of its component for each node that is not that member itself."""
    groups = Groups()
    for edge in edges:
        groups.join(edge)
    return dict(groups.losers())
