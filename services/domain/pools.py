"""A pool: all facts that may be about the same few persons. It only ever grows, so no order of events can spoil it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import force_setattr, replace

from services.domain.facts import Claim, Fact


class _Packed(msgspec.Struct, array_like=True):
    claims: list[Claim]
    facts: list[tuple[int, Fact]]  # the fact without its claim, and the claim's index or -1


class Pool:
    """Facts by event id; of several copies of one event the least (known, copy) stands."""

    __slots__ = ("facts",)

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.facts: dict[bytes, Fact] = {}
        self.add(facts)

    def add(self, facts: Iterable[Fact]) -> bool:
        """Take facts in; whether anything was new."""
        grown = False
        mine = self.facts
        for fact in facts:
            held = mine.get(fact.id)
            if held is None or _seniority(fact) < _seniority(held):
                mine[fact.id] = fact
                grown = True
        return grown

    def merge(self, other: Pool) -> None:
        """Take another pool in."""
        self.add(other.facts.values())

    def pack(self) -> bytes:
        """The pool's bytes; each claim stands in them once."""
        numbers: dict[Claim, int] = {}
        met: dict[int, int] = {}  # by the object: facts that were unpacked together share it, and its hash is dear
        rows = []
        for fact in self.facts.values():
            claim = fact.claim
            if claim is None:
                rows.append((-1, fact))
                continue
            index = met.get(id(claim))
            if index is None:
                index = met[id(claim)] = numbers.setdefault(claim, len(numbers))
            rows.append((index, replace(fact, claim=None)))
        return _encoder.encode(_Packed(list(numbers), rows))

    @classmethod
    def unpack(cls, data: bytes) -> Pool:
        """The reverse of `pack`."""
        packed = _decoder.decode(data)
        pool = cls()
        facts, claims = pool.facts, packed.claims
        for index, fact in packed.facts:
            if index >= 0:
                # nobody else has seen the fact yet; a copy of each would cost as much as reading it
                force_setattr(fact, "claim", claims[index])
            facts[fact.id] = fact
        return pool


def pack_again(claims: Iterable[bytes], rows: Iterable[tuple[int, bytes]]) -> bytes:
    """Return the bytes of a pool of what is packed already: its claims, and each fact with its claim's index or -1."""
    return _encoder.encode((list(map(msgspec.Raw, claims)), [(index, msgspec.Raw(fact)) for index, fact in rows]))


def merged_facts(pools: Iterable[Pool]) -> tuple[Fact, ...]:
    """The facts of several pools, each once: pools that wait to be merged already answer as one."""
    return tuple(Pool(fact for pool in pools for fact in pool.facts.values()).facts.values())


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def _seniority(fact: Fact) -> tuple[int, str, bytes]:
    # the bytes settle it should one id ever come with two contents: everywhere the same one stands
    return (fact.known, fact.copy, b"") if fact.copy else (fact.known, "", _encoder.encode(fact))
