"""What one transaction leaves for a later one to do."""

from __future__ import annotations

import msgspec

from services.domain.facts import Fact
from services.store.packing import squeeze, unsqueeze


class Work(msgspec.Struct, array_like=True):
    """Facts by pool, roots that were united, claims not compared yet, pools to be told anew."""

    facts: dict[int, list[Fact]] = {}
    united: list[tuple[int, int]] = []  # (loser, winner) of each alias really inserted
    claims: list[int] = []  # not compared by score yet
    again: list[int] = []  # pools to be told anew although nothing came to them: a horizon fell

    def pack(self) -> bytes:
        """The work's blob."""
        return squeeze(_encoder.encode(self))


class Waiting(msgspec.Struct, array_like=True):
    """Work as it is taken up again: the facts of each pool stay packed until they are needed."""

    facts: dict[int, msgspec.Raw]
    united: list[tuple[int, int]]
    claims: list[int]
    again: list[int]

    @classmethod
    def unpack(cls, blob: bytes) -> Waiting:
        """What waits in a blob."""
        return _waiting.decode(unsqueeze(blob))


def facts_in(packed: msgspec.Raw) -> list[Fact]:
    """A pool's facts."""
    return _facts.decode(packed)


_encoder = msgspec.msgpack.Encoder()
_waiting = msgspec.msgpack.Decoder(Waiting)
_facts = msgspec.msgpack.Decoder(list[Fact])
