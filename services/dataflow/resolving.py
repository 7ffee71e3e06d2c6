"""Resolving: a pool's facts become rows of a store, as a correlator that met them all at once would write them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import msgspec
import structlog
from msgspec.structs import force_setattr

from services.correlator.changes import view_update
from services.correlator.resolve import failure
from services.dataflow.keying import claim_in
from services.domain.blocks import blocks_of
from services.domain.caps import Caps, Rank
from services.domain.confidential import any_marked, open_facts
from services.domain.coverage import Coverage
from services.domain.facts import Claim, Fact, claim_key
from services.domain.identity import keys_of
from services.domain.pools import Pool
from services.domain.resolve import persons
from services.store.contract import CONFIDENTIAL
from services.store.packing import pack_pool
from services.store.writer import ClaimRow, PersonRow

log = structlog.get_logger(__name__)
_packer = msgspec.msgpack.Encoder()
_facts = msgspec.msgpack.Decoder(Fact)


class Member(NamedTuple):
    """An event in its pool."""

    pool: int
    claim: bytes | None
    fact: bytes  # without the claim


class Rows(msgspec.Struct, array_like=True):
    """Rows of a store, of some pools."""

    keys: list[tuple[int, int]] = []
    claims: list[ClaimRow] = []
    pools: list[tuple[int, bytes]] = []
    open_pools: list[tuple[int, bytes | None]] = []
    persons: list[PersonRow] = []
    open_persons: list[PersonRow] = []
    quarantined: list[tuple[int, str]] = []
    events: int = 0

    def pack(self) -> bytes:
        """Return the rows as bytes."""
        return _packer.encode(self)

    @classmethod
    def unpack(cls, data: bytes) -> Rows:
        """Return the reverse of `pack`."""
        return _rows.decode(data)


_rows = msgspec.msgpack.Decoder(Rows)


@dataclass(frozen=True, slots=True)
class Resolving:
    """What all pools are resolved by: the cutoffs of keys and blocks, coverage, the second as of which they answer."""

    cutoffs: Mapping[int, Rank]
    coverage: Coverage
    now: int

    def rows(self, members: Iterable[Member]) -> Rows:
        """Return the rows of all pools of the members. The members of one pool follow on each other, in any order."""
        done = Rows()
        for pool, mine in groupby(members, key=attrgetter("pool")):
            self._resolve(done, pool, list(_read(mine)))
        return done

    def _resolve(self, done: Rows, number: int, facts: list[Fact]) -> None:
        pool = Pool(facts)
        known = pool.facts.values()
        done.events += len(facts)
        done.pools.append((number, pack_pool(pool)))
        done.keys += ((key, number) for key in sorted(self._keys(facts)))
        done.claims += _claim_rows(number, facts)
        if not any_marked(known):
            done.persons += self._persons(done, number, known)
            return
        done.persons += self._persons(done, number, known, of=CONFIDENTIAL)
        open_pool = Pool(open_facts(known))
        done.open_persons += self._persons(done, number, open_pool.facts.values())
        done.open_pools.append((number, pack_pool(open_pool) if open_pool.facts else None))

    def _keys(self, facts: Collection[Fact]) -> set[int]:
        """The keys that lead to the pool: a number that does not admit a claim leads to the pool of those it admits."""
        keys: set[int] = set()
        caps = Caps(facts, None, self.cutoffs) if self.cutoffs else None
        for fact in facts:
            mine = keys_of(fact)
            if caps is not None and fact.claim is not None:
                mine[2:] = [key for key in mine[2:] if caps.admits(key, mine[1])]
            keys.update(mine)
        return keys

    def _persons(self, done: Rows, pool: int, facts: Collection[Fact], *, of: str = "") -> list[PersonRow]:
        """The rows of a pool's persons. A mistake in the program about one must not stop it for all others."""
        try:
            return view_update(persons(facts, None, self.cutoffs), (), pool, self.coverage, self.now).rows
        except Exception as error:
            why = failure(error)
            log.error("records quarantined: they could not be resolved", count=len(facts), why=why)
            done.quarantined = [row for row in done.quarantined if row[0] != pool]  # of both views the open one's
            done.quarantined.append((pool, of + why))
            return []


def _read(members: Iterable[Member]) -> Iterator[Fact]:
    """The facts of one pool, of which those that make one claim share it."""
    claims: dict[bytes, Claim] = {}
    for member in members:
        fact = _facts.decode(member.fact)
        if member.claim is not None:
            claim = claims.get(member.claim)
            if claim is None:
                claim = claims[member.claim] = claim_in(member.claim)
            force_setattr(fact, "claim", claim)  # nobody else has seen it yet
        yield fact


def _claim_rows(pool: int, facts: Iterable[Fact]) -> Iterator[ClaimRow]:
    """The claims that are compared, since when they are known, and their blocks."""
    known: dict[int, tuple[int, Claim]] = {}
    for fact in facts:
        claim = fact.claim
        if claim is not None:
            held = known.get(id(claim))
            if held is None or fact.known < held[0]:
                known[id(claim)] = fact.known, claim
    for since, claim in known.values():
        blocks = blocks_of(claim)
        if any(blocks):
            yield ClaimRow(claim_key(claim), pool, since, *blocks, _packer.encode(claim))
