"""Resolving: a pool's facts become rows of a store, as a correlator that met them all at once would write them."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import msgspec
import structlog
from msgspec.structs import force_setattr

from schemas.ids import handle
from services.correlator.changes import first_rows
from services.correlator.open_caps import Bounds
from services.correlator.resolve import failure
from services.dataflow.keying import claim_in, node_of, numbers_by_text
from services.domain.blocks import Blocks, blocks_of, keep
from services.domain.caps import Caps, Cutoffs, OpenCutoffs, Rank, admits
from services.domain.confidential import any_marked, open_facts
from services.domain.coverage import Coverage
from services.domain.facts import Claim, Fact, handle_key
from services.domain.identity import keys_of
from services.domain.pools import Pool
from services.domain.resolve import persons
from services.store.contract import CONFIDENTIAL
from services.store.packing import pack_pool, pack_pool_again
from services.store.writer import NEVER, ClaimRow, PersonRow

log = structlog.get_logger(__name__)
_packer = msgspec.msgpack.Encoder()
_facts = msgspec.msgpack.Decoder(Fact)


NO_BLOCKS_KNOWN: Mapping[bytes, Blocks] = {}


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
    refused: list[tuple[int, int, int, int]] = []
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
    """What all pools are resolved by: the cutoffs of keys and blocks, coverage, the second as of which they answer.

    `others`: the cutoffs of who lacks the right to confidential records, where they are others.
    """

    cutoffs: Mapping[int, Rank]
    others: OpenCutoffs
    coverage: Coverage
    now: int

    def rows(
        self,
        members: Iterable[Member],
        blocks: Mapping[bytes, Blocks] = NO_BLOCKS_KNOWN,
        keys_known: Container[int] = (),
    ) -> Rows:
        """Return the rows of all pools of the members. The members of one pool follow on each other, in any order.

        `blocks`: of packed claims, as far as they are known; those of others are worked out. `keys_known`: the pools
        whose keys the caller has from keying, and adds.
        """
        done = Rows()
        bounds = Bounds(dict(self.cutoffs), dict(self.others))
        for pool, mine in groupby(members, key=attrgetter("pool")):
            self._resolve(done, pool, _read(mine, blocks), bounds, keys_known)
        return done

    def _resolve(self, done: Rows, number: int, read: _Members, bounds: Bounds, keys_known: Container[int]) -> None:
        facts, claims = read.facts, read.claims
        pool = Pool(facts)
        known = pool.facts.values()
        open_pool = Pool(open_facts(known)) if any_marked(known) else pool
        open_to_all = open_pool.facts.values()
        done.events += len(facts)
        done.pools.append((number, pack_pool_again(*read.packed(known))))
        done.claims += _claim_rows(number, facts, facts if open_pool is pool else open_to_all, claims)
        if number not in keys_known:
            _add_keys(done, number, facts, open_to_all, claims, bounds)
        if open_pool is pool and not bounds.differ(known):
            done.persons += self._persons(done, number, known, bounds.full)
            return
        done.persons += self._persons(done, number, known, bounds.full, of=CONFIDENTIAL)
        done.open_persons += self._persons(done, number, open_to_all, bounds.open)
        done.open_pools.append((number, pack_pool(open_pool) if open_to_all else None))

    def _persons(
        self, done: Rows, pool: int, facts: Collection[Fact], cutoffs: Cutoffs, *, of: str = ""
    ) -> list[PersonRow]:
        """The rows of a pool's persons. A mistake in the program about one must not stop it for all others."""
        try:
            return first_rows(persons(facts, None, cutoffs), pool, self.coverage, self.now)
        except Exception as error:
            why = failure(error)
            log.error("records quarantined: they could not be resolved", count=len(facts), why=why)
            done.quarantined = [row for row in done.quarantined if row[0] != pool]  # of both views the open one's
            done.quarantined.append((pool, of + why))
            return []


class _PoolClaim(NamedTuple):
    """A claim of a pool."""

    claim: Claim
    key: int
    packed: bytes
    blocks: Blocks


PoolClaims = Mapping[int, _PoolClaim]
"""By the id of the object: facts of one pool share it, and its hash is dear."""


class _Members(NamedTuple):
    """The facts of one pool, of which those that make one claim share it, and their claims."""

    facts: list[Fact]
    bodies: list[bytes]  # of each fact, without its claim
    claims: PoolClaims

    def packed(self, stand: Collection[Fact]) -> tuple[Iterable[bytes], Iterable[tuple[int, bytes]]]:
        """Return what a pool of those facts that stand packs: its claims, and each fact with the index of its claim."""
        numbers: dict[int, int] = {}
        standing = {id(fact) for fact in stand}
        rows = [
            (-1 if fact.claim is None else numbers.setdefault(id(fact.claim), len(numbers)), body)
            for fact, body in zip(self.facts, self.bodies, strict=True)
            if id(fact) in standing
        ]
        return (self.claims[mine].packed for mine in numbers), rows


def _read(members: Iterable[Member], blocks: Mapping[bytes, Blocks]) -> _Members:
    claims: dict[bytes, Claim] = {}
    facts: list[Fact] = []
    bodies: list[bytes] = []
    for _, packed, body in members:
        fact = _facts.decode(body)
        if packed is not None:
            claim = claims.get(packed)
            if claim is None:
                claim = claims[packed] = claim_in(packed)
                if (known := blocks.get(packed)) is not None:
                    keep(claim, known)
            force_setattr(fact, "claim", claim)  # nobody else has seen it yet
        facts.append(fact)
        bodies.append(body)
    by_id = {
        id(claim): _PoolClaim(claim, node_of(packed), packed, blocks_of(claim)) for packed, claim in claims.items()
    }
    return _Members(facts, bodies, by_id)


def _add_keys(
    done: Rows, pool: int, facts: Collection[Fact], open_to_all: Collection[Fact], claims: PoolClaims, bounds: Bounds
) -> None:
    """Add the keys that lead to the pool: a number that does not admit a claim leads to the pool of those it admits.

    What no view admits is kept as refused: should records be hidden that the number admits, it is found there.
    """
    keys, numbers = _keys(facts, claims)
    capped = {text: key for text, key in numbers.items() if key in bounds.full}
    keys.update(key for text, key in numbers.items() if text not in capped)
    refused: dict[tuple[int, int], int] = {}
    if capped:
        full, opened = Caps(facts, None, bounds.full), _ranks(open_to_all, capped, claims)
        for fact in facts:
            for place in _places(fact, capped, claims):
                key, claim = place
                if full.admits(*place) or (place in opened and admits(bounds.open.get(key), (opened[place], claim))):
                    keys.add(key)
                elif not fact.handling:
                    refused[place] = min(fact.known, refused.get(place, fact.known))
    done.keys += ((key, pool) for key in sorted(keys))
    done.refused += ((key, claim, known, pool) for (key, claim), known in refused.items())


def _keys(facts: Iterable[Fact], claims: PoolClaims) -> tuple[set[int], dict[str, int]]:
    """The facts' keys, as `identity.keys_of` has them: of records, claims and decisions, and those of numbers by text.

    Each text is hashed once a pool, not once a fact.
    """
    keys = {each.key for each in claims.values()}
    texts = {text for each in claims.values() for text in each.claim.identifiers}
    records: set[tuple[str, str]] = set()
    for fact in facts:
        if fact.claim is None:
            keys.update(keys_of(fact))
            continue
        records.add((fact.system, fact.record))
        texts.update(fact.numbers)
    keys.update(handle_key(handle(*record)) for record in records)
    return keys, numbers_by_text(texts)


def _places(fact: Fact, capped: Mapping[str, int], claims: PoolClaims) -> Iterator[tuple[int, int]]:
    """(key, claim) of those numbers of a fact that are capped."""
    if fact.claim is not None:
        for text in capped.keys() & fact.identifiers:
            yield capped[text], claims[id(fact.claim)].key


def _ranks(facts: Iterable[Fact], capped: Mapping[str, int], claims: PoolClaims) -> dict[tuple[int, int], int]:
    """(key, claim) of those numbers of the facts that are capped -> since when both are known together."""
    since: dict[tuple[int, int], int] = {}
    for fact in facts:
        for place in _places(fact, capped, claims):
            since[place] = min(fact.known, since.get(place, fact.known))
    return since


def _claim_rows(
    pool: int, facts: Collection[Fact], open_to_all: Collection[Fact], claims: PoolClaims
) -> Iterator[ClaimRow]:
    """The claims that are compared, since when they are known, to all as well, and their blocks."""
    known = _since(facts)
    opened = known if open_to_all is facts else _since(open_to_all)
    for mine, since in known.items():
        each = claims[mine]
        if any(each.blocks):
            open_known = opened.get(mine, NEVER)
            other = None if open_known == since else open_known
            yield ClaimRow(each.key, pool, since, *each.blocks, each.packed, other)


def _since(facts: Iterable[Fact]) -> dict[int, int]:
    """Since when each claim is known, by the id of the object."""
    since: dict[int, int] = {}
    for fact in facts:
        if fact.claim is not None:
            mine = id(fact.claim)
            since[mine] = min(fact.known, since.get(mine, fact.known))
    return since
