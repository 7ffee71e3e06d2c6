"""What one transaction leaves for a later one to do."""

from __future__ import annotations

import msgspec

from services.domain.facts import Fact
from services.store.packing import squeeze, unsqueeze


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


def facts_in(packed: msgspec.Raw) -> list[Fact]:
    """A pool's facts."""
    return _facts.decode(packed)


_encoder = msgspec.msgpack.Encoder()
_packed = msgspec.msgpack.Decoder(PackedWork)
_facts = msgspec.msgpack.Decoder(list[Fact])
