"""What one transaction leaves for a later one to do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from services.domain.facts import Fact
from services.store.packing import squeeze, unsqueeze

SHARDS = 16
"""Into so many parts pools are shared out by their ids, which are hashes: so many can be resolved at the same time."""


def shard_of(pool: int) -> int:
    """The shard of a pool."""
    return pool % SHARDS


class Work(msgspec.Struct, array_like=True):
    """Facts by pool, merges of pools, claims not compared yet, pools to resolve again."""

    facts: dict[int, list[Fact]] = {}
    merged: list[tuple[int, int]] = []  # (loser, winner) of each alias really inserted
    claims: list[int] = []  # not compared by score yet
    again: list[int] = []  # pools to resolve although nothing came to them: a cutoff fell
    refused: list[int] = []  # capped numbers that admitted some of the claims neither to all nor to the open ones

    def pack(self) -> bytes:
        """The work's blob."""
        return squeeze(_encoder.encode(self))


class PackedWork(msgspec.Struct, array_like=True):
    """Work as read back: the facts of each pool stay packed until they are needed."""

    facts: dict[int, msgspec.Raw]
    merged: list[tuple[int, int]]
    claims: list[int]
    again: list[int]
    refused: list[int] = []

    @classmethod
    def unpack(cls, blob: bytes) -> PackedWork:
        """Return the work in a blob."""
        return _packed.decode(unsqueeze(blob))

    @property
    def touched(self) -> set[int]:
        """Every pool that it names."""
        return {*self.facts, *self.again, *(pool for pair in self.merged for pool in pair)}


class Sorting:
    """Work that is gathered by shard."""

    def __init__(self) -> None:
        self._facts: dict[int, dict[int, list[msgspec.Raw]]] = {}  # by shard and pool
        self._rest: dict[int, PackedWork] = {}

    def facts(self, shard: int, pool: int, packed: msgspec.Raw) -> None:
        """Add a pool's facts."""
        self._facts.setdefault(shard, {}).setdefault(pool, []).append(packed)

    def merged(self, shard: int, loser: int, winner: int) -> None:
        """Add that a pool was merged into another."""
        self._in(shard).merged.append((loser, winner))

    def again(self, shard: int, pool: int) -> None:
        """Add a pool to resolve again."""
        self._in(shard).again.append(pool)

    def refused(self, shard: int, key: int) -> None:
        """Add a capped number that refused claims."""
        self._in(shard).refused.append(key)

    def _in(self, shard: int) -> PackedWork:
        work = self._rest.get(shard)
        if work is None:
            work = self._rest[shard] = PackedWork({}, [], [], [], [])
        return work

    def packed(self) -> list[tuple[int, bytes]]:
        """The blob of each shard in which there is work."""
        for shard, facts in self._facts.items():
            self._in(shard).facts = {pool: _joined(lists) for pool, lists in facts.items()}
        return [(shard, squeeze(_encoder.encode(work))) for shard, work in sorted(self._rest.items())]


def _joined(lists: Sequence[msgspec.Raw]) -> msgspec.Raw:
    """One packed list of what stands in several."""
    if len(lists) == 1:
        return lists[0]
    return msgspec.Raw(_encoder.encode([one for some in lists for one in _raws.decode(some)]))


def facts_in(packed: msgspec.Raw) -> list[Fact]:
    """A pool's facts."""
    return _facts.decode(packed)


_encoder = msgspec.msgpack.Encoder()
_packed = msgspec.msgpack.Decoder(PackedWork)
_raws = msgspec.msgpack.Decoder(list[msgspec.Raw])
_facts = msgspec.msgpack.Decoder(list[Fact])
