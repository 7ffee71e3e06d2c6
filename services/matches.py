"""Possible matches: claims too alike to be left alone and not enough to be joined; and a person's word on them.

Nothing is stored for them. The list is read off the claims, block by block, so it is always that of the present
weights and decisions. A decision is an event like any other: it goes over the bus, and is undone by its retraction.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import msgspec
import orjson

from schemas.events import Decision, Operation, RecordRef, Revision
from schemas.ids import digest, event_id, handle
from services.domain import caps, scoring
from services.domain.caps import Horizons
from services.domain.facts import Claim, claim_key
from services.domain.history import History
from services.domain.pools import united
from services.domain.records import Records, active
from services.domain.settle import persons
from services.store.contract import Reads
from services.store.writer import ClaimRow

SYSTEM = "VISABUS"
"""The system whose records decisions are."""
_decoder = msgspec.msgpack.Decoder(Claim)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two persons, with a record that a decision can name."""

    person: str
    record: tuple[str, str]
    names: tuple[tuple[str, str], ...]
    births: tuple[str, ...]
    citizenship: tuple[str, ...]
    identifiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Possible:
    """Two persons who may be one, the score of their claims in bits, and what it is made of."""

    one: Side
    other: Side
    score: float
    by: str


async def possible(reads: Reads) -> AsyncGenerator[Possible, None]:
    """All possible matches, as they are found; a pair of persons once."""
    horizons = await reads.horizons()
    told: set[frozenset[str]] = set()
    for which in (0, 1, 2):
        async with aclosing(_blocks(reads, which)) as blocks:
            async for rows in blocks:
                for one, other in _alike(rows, horizons):
                    found = await _judged(reads, one, other, horizons)
                    if found is None or (pair := frozenset((found.one.person, found.other.person))) in told:
                        continue
                    told.add(pair)
                    yield found


async def _blocks(reads: Reads, which: int) -> AsyncGenerator[list[ClaimRow], None]:
    """The claims of each first, second or third block that has several."""
    held: list[ClaimRow] = []
    async with aclosing(reads.claims_by_block(which)) as rows:
        async for row in rows:
            if held and held[-1].blocks[which] != row.blocks[which]:
                if len(held) > 1:
                    yield held
                held = []
            held.append(row)
    if len(held) > 1:
        yield held


def _alike(rows: list[ClaimRow], horizons: Horizons) -> Iterable[tuple[Claim, Claim]]:
    """The pairs that score between the thresholds, among the claims that the block admits."""
    rows = sorted(rows, key=lambda row: row.rank)[: caps.CAP]
    claims = [_decoder.decode(row.feat) for row in rows]
    for one, other in combinations(claims, 2):
        if {one.sex, other.sex} != {"F", "M"} and scoring.score(one, other) >= scoring.POSSIBLE:
            yield one, other


async def _judged(reads: Reads, one: Claim, other: Claim, horizons: Horizons) -> Possible | None:
    """The two persons as they stand; None where they are one already, were told apart, or speak no more."""
    pools = await reads.pools([claim_key(one), claim_key(other)])
    facts = united(pools)
    histories = persons(facts, None, horizons)
    records, _ = active(facts)
    holder, second_holder = _holder(one, records, histories), _holder(other, records, histories)
    if holder is None or second_holder is None:
        return None
    (mine, first), (theirs, second) = holder, second_holder
    if mine.person == theirs.person or _told_apart(mine, theirs, records):
        return None
    sides = sorted((_side(mine, first), _side(theirs, second)), key=lambda side: side.person)
    return Possible(sides[0], sides[1], scoring.score(one, other), scoring.explained(one, other))


def _holder(claim: Claim, records: Records, histories: Sequence[History]) -> tuple[History, tuple[str, str]] | None:
    """The person who has a record that makes this claim by now, and that record."""
    making = sorted((fact.system, fact.record) for fact, *_ in records.values() if fact.claim == claim)
    for record in making:
        for history in histories:
            if record in history.records:
                return history, record
    return None


def _told_apart(one: History, other: History, records: Records) -> bool:
    """Whether somebody's latest word on a record of each is no."""
    mine, theirs = ({handle(*record) for record in history.records} for history in (one, other))
    words: dict[frozenset[bytes], bool] = {}
    decisions = (fact for fact, *_ in records.values() if fact.kind == "decision")
    for fact in sorted(decisions, key=lambda fact: (fact.known, fact.id)):
        words[frozenset(handle(*fact.body[side]) for side in ("one", "other"))] = fact.body["same"]
    return any(not same and pair & mine and pair & theirs for pair, same in words.items())


def _side(history: History, record: tuple[str, str]) -> Side:
    return Side(history.person, record, history.names, history.births, history.citizenship, history.identifiers)


def decision(one: RecordRef, other: RecordRef, *, same: bool, by: str, why: str, at: datetime) -> Decision:
    """A person's word on two records; a later one on the same two replaces it. Raises ValueError for one record."""
    return _decision(one, other, {"same": same, "by": by, "why": why}, Operation.ASSERT, at)


def undone(one: RecordRef, other: RecordRef, *, by: str, why: str, at: datetime) -> Decision:
    """As if nothing had been decided on the two."""
    return _decision(one, other, {"same": False, "by": by, "why": why}, Operation.RETRACT, at)


def _decision(
    one: RecordRef, other: RecordRef, said: dict[str, object], operation: Operation, at: datetime
) -> Decision:
    first, second = sorted((one, other), key=lambda ref: (ref.system, ref.record))
    record = f"decision {(handle(first.system, first.record) + handle(second.system, second.record)).hex()}"
    number = int(at.timestamp() * 1_000_000)
    mark = digest(orjson.dumps([operation.value, said], option=orjson.OPT_SORT_KEYS))
    return Decision.model_validate(
        {
            "id": event_id(SYSTEM, record, "", number, mark, 1),
            "operation": operation,
            "system": SYSTEM,
            "record": record,
            "place": "the command line",
            "revision": Revision(number=number, digest=mark),
            "mapping_version": 1,
            "batch": "decisions",
            "recorded_at": at,
            "published_at": at,
            "one": first,
            "other": second,
            **said,
        }
    )
