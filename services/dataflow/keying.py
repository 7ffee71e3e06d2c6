"""Keying: each message becomes a packed fact with the keys under which it finds its pool, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from msgspec.structs import force_setattr

from bus.contract import Delivery, Partition
from bus.tails import tail_of
from schemas.codec import Undecodable
from services.domain.blocks import Blocks, blocks_of
from services.domain.facts import Claim, Fact, handle_key, key_hash
from services.domain.identity import WEIGHTS, keys_of

_MOST = 250_000
"""Claims that are remembered, in some 150 MB; beyond them some are worked out again, which costs time alone."""

_packer = msgspec.msgpack.Encoder()
_claims = msgspec.msgpack.Decoder(Claim)


class Kind(IntEnum):
    """What a row tells of."""

    EVENT = 0
    COVERAGE = 1
    CLAIM = 2
    REFUSAL = 3
    END = 4


class Row(NamedTuple):
    """What keying gives. The rows of all kinds have one shape, so that one pass over the messages makes them all."""

    kind: int
    node: int
    known: int
    keys: Sequence[int]  # EVENT: its record, then its numbers or the records that it decides on. CLAIM: its five blocks
    claim: bytes | None  # packed
    body: bytes | None  # packed: the fact without its claim, a `Refusal`, an `End`
    marked: int = 0  # EVENT: 1 where it is marked as confidential


class Refusal(msgspec.Struct, array_like=True, frozen=True):
    """A message that is no event, or may not count."""

    topic: str
    part: int
    position: int
    value: bytes
    reason: str


class End(msgspec.Struct, array_like=True, frozen=True):
    """How far one partition of the bus was read."""

    topic: str
    part: int
    position: int  # of the last message
    tail: bytes  # by which that message is known again
    known: int  # latest publication stamp among what was read; 0 without any
    open_known: int  # of that what may be told to all

    def merged(self, other: End) -> End:
        """Return what two readings of one partition come to."""
        last = max(self, other, key=lambda end: end.position)
        known, open_known = max(self.known, other.known), max(self.open_known, other.open_known)
        return End(self.topic, self.part, last.position, last.tail, known, open_known)


class _Reading:
    """How far a partition was read by one task."""

    __slots__ = ("known", "last", "open_known")

    def __init__(self, last: Delivery) -> None:
        self.last = last
        self.known = self.open_known = 0

    def end(self) -> End:
        one = self.last
        return End(one.partition.topic, one.partition.number, one.position, tail_of(one), self.known, self.open_known)


class _Met(NamedTuple):
    """What was worked out of a claim."""

    node: int
    numbers: tuple[int, ...]  # their keys
    blocks: Blocks


class Remembered:
    """Claims that were met, by their packed form: for one reading, or for all of a process."""

    def __init__(self) -> None:
        self._met: dict[bytes, _Met] = {}

    def met(self, packed: bytes, claim: Claim) -> _Met:
        """Return what is worked out of a claim."""
        met = self._met.get(packed)
        if met is None:
            if len(self._met) >= _MOST:
                self._met.clear()
            met = self._met[packed] = _Met(node_of(packed), tuple(numbers_in(claim.identifiers)), blocks_of(claim))
        return met


def keyed(
    deliveries: Iterable[Delivery], read: Callable[[Delivery], Fact], remembered: Remembered | None = None
) -> Iterator[Row]:
    """Return a row for each event, each refusal, each claim met for the first time, and each partition at the end.

    `read` gives the fact of a message that has a value, and raises schemas.codec.Undecodable. `remembered`: of readings
    before; their claims are told again, for a reading's rows stand by themselves.
    """
    readings: dict[Partition, _Reading] = {}
    remembered = remembered or Remembered()
    given: dict[bytes, _Met] = {}
    for one in deliveries:
        reading = readings.get(one.partition)
        if reading is None:
            reading = readings[one.partition] = _Reading(one)
        elif one.position > reading.last.position:
            reading.last = one
        if one.value is None:
            continue
        try:
            fact = read(one)
        except Undecodable as error:
            refusal = Refusal(one.partition.topic, one.partition.number, one.position, one.value, str(error))
            yield Row(Kind.REFUSAL, 0, 0, [], None, _packer.encode(refusal))
            continue
        known = fact.known
        if known > reading.known:
            reading.known = known
        if known > reading.open_known and not fact.handling:
            reading.open_known = known
        claim = fact.claim
        if fact.kind == "coverage":
            yield Row(Kind.COVERAGE, 0, known, [], None, _packer.encode(fact))
            continue
        if claim is None:
            keys = keys_of(fact)
            yield Row(Kind.EVENT, keys[0], known, keys, None, _packer.encode(fact), int(bool(fact.handling)))
            continue
        packed = _packer.encode(claim)
        met = given.get(packed)
        if met is None:
            if len(given) >= _MOST:
                given.clear()
            met = given[packed] = remembered.met(packed, claim)
            yield Row(Kind.CLAIM, met.node, known, met.blocks, packed, None)
        node, numbers, _ = met
        keys = [handle_key(fact.handle), *numbers, *numbers_in(fact.numbers)]
        force_setattr(fact, "claim", None)  # nobody else has seen it yet; the claim goes beside it
        yield Row(Kind.EVENT, node, known, keys, packed, _packer.encode(fact), int(bool(fact.handling)))
    for _, reading in sorted(readings.items()):
        yield Row(Kind.END, 0, 0, [], None, _packer.encode(reading.end()))


def numbers_in(texts: Iterable[str]) -> list[int]:
    """Return the keys of those of the numbers by which a fact finds its pool, as `identity.keys_of` has them."""
    return [key_hash(text) for text in texts if text[: text.find("/")] in WEIGHTS]


def numbers_by_text(texts: Iterable[str]) -> dict[str, int]:
    """Return the same by text."""
    return {text: key_hash(text) for text in texts if text[: text.find("/")] in WEIGHTS}


def claim_in(packed: bytes) -> Claim:
    """Return a packed claim."""
    return _claims.decode(packed)


def node_of(packed: bytes) -> int:
    """Return the key of a packed claim, as `facts.claim_key` has it."""
    return int.from_bytes(blake2b(packed, digest_size=8).digest(), "big", signed=True)
