"""Possible matches: claims too alike to be left alone and not enough to be joined; and a person's word on them.

Nothing is stored for them. The list is read off the pools of several persons, for numbers that two of them have, and
off the claims, block by block; so it is always that of the present weights and decisions. Each match says what speaks
for one person and what forbids it. A decision is an event like any other: it goes over the bus, and is undone by its
retraction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import combinations

import msgspec
import orjson

from schemas.events import Decision, Operation, RecordRef, Revision
from schemas.ids import digest, event_id, handle
from services.authority.rights import EXAMINERS
from services.domain import caps, scoring
from services.domain.blocks import KINDS, Blocks, blocks_of
from services.domain.caps import Caps, Cutoffs, Rank
from services.domain.facts import Claim, Fact, claim_key, key_hash
from services.domain.history import History
from services.domain.identity import DOCUMENTS, WEIGHTS, Cluster, cluster_of, joins, tells_who
from services.domain.pools import merged_facts
from services.domain.records import Records, active
from services.domain.resolve import persons
from services.domain.sightings import sightings_of
from services.store.contract import Reads
from services.store.writer import ClaimRow

SYSTEM = EXAMINERS
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
    """Two persons who may be one, the score of their claims in bits, what it is made of, and what forbids the join."""

    one: Side
    other: Side
    score: float
    by: str
    vetoes: tuple[str, ...] = ()


async def possible(
    reads: Reads, *, documents: bool = False, confidential: bool = False
) -> AsyncGenerator[Possible, None]:
    """All possible matches, as they are found; a pair of persons once, first of all those who share a number.

    `documents`: those too who share a document's number and nothing else: it was mistyped, or given out again. Without
    `confidential` those of the other records alone, in the order that they have without the confidential ones.
    """
    async with reads.one_state() as state:
        cutoffs = await state.cutoffs(confidential=confidential)
        named: set[frozenset[str]] = set()
        findings = [_by_number(state, cutoffs, documents, confidential=confidential)]
        findings += [_by_block(state, which, cutoffs, confidential=confidential) for which in range(len(KINDS))]
        for finding in findings:
            async with aclosing(finding) as matches:
                async for match in matches:
                    pair = frozenset((match.one.person, match.other.person))
                    if pair not in named:
                        named.add(pair)
                        yield match


async def _by_number(
    reads: Reads, cutoffs: Cutoffs, documents: bool, *, confidential: bool
) -> AsyncGenerator[Possible, None]:
    """Those whom a common number or one claim brought into one pool, and did not join for all its weight.

    By their persons and in no order of pools, for which facts lie in one pool depends on what is hidden, too.
    """
    waiting: list[tuple[str, str, int, Possible]] = []
    number = 0
    async with aclosing(reads.pools_of_several(confidential=confidential)) as pools:
        async for least, pool in pools:
            while waiting and waiting[0][0] < least:
                yield heappop(waiting)[-1]
            standing = _Standing.of(tuple(pool.facts.values()), cutoffs)
            for one, other, shared in standing.sharing(documents=documents):
                if match := standing.judged(one, other, shared):
                    number += 1
                    heappush(waiting, (match.one.person, match.other.person, number, match))
            for match in standing.saying_one_thing():
                number += 1
                heappush(waiting, (match.one.person, match.other.person, number, match))
    while waiting:
        yield heappop(waiting)[-1]


async def _by_block(
    reads: Reads, which: int, cutoffs: Cutoffs, *, confidential: bool
) -> AsyncGenerator[Possible, None]:
    """Those whose claims are alike, whatever pools they are in."""
    async with aclosing(_blocks(reads, which)) as blocks:
        async for rows in blocks:
            block, members = rows
            ranked = [
                (rank, row.blocks, _decoder.decode(row.features))
                for row in members
                if (rank := row.rank if confidential else row.open_rank) is not None
            ]
            pairs = list(_alike(ranked, which, block, cutoffs))
            if not pairs:
                continue
            keys = {claim_key(claim) for pair in pairs for claim in pair}
            pools = await reads.pools(sorted(keys), confidential=confidential)
            standing = _Standing.of(merged_facts(pools), cutoffs)
            for one, other in pairs:
                if match := standing.judged(one, other):
                    yield match


async def _blocks(reads: Reads, which: int) -> AsyncGenerator[tuple[int, list[ClaimRow]], None]:
    """The blocks of one kind that have several claims, and these."""
    current = 0
    held: dict[int, ClaimRow] = {}
    async with aclosing(reads.claims_by_block(KINDS[which])) as rows:
        async for block, row in rows:
            if block != current:
                if len(held) > 1:
                    yield current, list(held.values())
                current, held = block, {}
            held[row.claim] = row
    if len(held) > 1:
        yield current, list(held.values())


def possible_among(facts: Collection[Fact]) -> Iterator[Possible]:
    """The possible matches among facts, without a store; a pair of persons once, first those who share a number."""
    standing = _Standing.of(tuple(facts), caps.NO_CUTOFFS)
    named: set[frozenset[str]] = set()
    judged = (standing.judged(*pair) for pair in standing.pairs(_ranked(facts)))
    for match in (*filter(None, judged), *standing.saying_one_thing()):
        pair = frozenset((match.one.person, match.other.person))
        if pair not in named:
            named.add(pair)
            yield match


Ranked = tuple[Rank, Blocks, Claim]
"""A claim with its seniority and its blocks."""


def _ranked(facts: Iterable[Fact]) -> list[Ranked]:
    """All claims, each by the moment at which it was first known."""
    known: dict[Claim, int] = {}
    for fact in facts:
        if fact.claim is not None:
            known[fact.claim] = min(fact.known, known.get(fact.claim, fact.known))
    return [((since, claim_key(claim)), blocks_of(claim), claim) for claim, since in known.items()]


def _alike(ranked: Iterable[Ranked], which: int, block: int, cutoffs: Cutoffs) -> Iterable[tuple[Claim, Claim]]:
    """The pairs that score enough to be listed, among the claims that the block admits; in their first block."""
    seniors = sorted(ranked, key=lambda row: row[0])[: caps.CAP]
    # in an order of their own: since when a claim is known depends on who tells it, hidden records too
    seniors.sort(key=lambda row: row[0][1])
    claims = [(_earlier(blocks, which, block), claim) for _, blocks, claim in seniors]
    for (mine, one), (theirs, other) in combinations(claims, 2):
        # a capped block may not have admitted them
        if not any(each not in cutoffs for each in mine & theirs) and _bits(one, other) >= scoring.POSSIBLE:
            yield one, other


def _earlier(blocks: Blocks, which: int, block: int) -> set[int]:
    """The claim's blocks that are gone through before this one."""
    before = {blocks[place] for kind in KINDS[:which] for place in kind}
    same_kind = {blocks[place] for place in KINDS[which] if blocks[place] < block}
    return (before | same_kind) - {0}


def _bits(one: Claim, other: Claim, shared: Sequence[str] = ()) -> float:
    if shared:
        return round(scoring.score_with_number(one, other) + _worth(shared), 1)
    return scoring.NEVER if {one.sex, other.sex} == {"F", "M"} else scoring.score(one, other)


def _worth(shared: Sequence[str]) -> float:
    """What common numbers add: several count once, by the strongest."""
    holding = [float(WEIGHTS[text.partition("/")[0]]) for text in shared if not text.startswith(DOCUMENTS)]
    return max(holding, default=scoring.SHARED_DOCUMENT)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stands of some facts, and who has which claim."""

    records: Records
    holders: dict[Claim, tuple[History, tuple[str, str]]]  # the person, and a record of theirs that makes the claim
    others: dict[Claim, list[tuple[History, tuple[str, str]]]]  # further persons who have a claim that tells nobody
    identifiers: dict[Claim, set[str]]  # numbers of stays included, by the records that make the claim
    caps: Caps | None

    @classmethod
    def of(cls, facts: Sequence[Fact], cutoffs: Cutoffs) -> _Standing:
        records, _ = active(facts)
        persons_by_record = {record: each for each in persons(facts, None, cutoffs) for record in each.records}
        holders: dict[Claim, tuple[History, tuple[str, str]]] = {}
        others: dict[Claim, list[tuple[History, tuple[str, str]]]] = defaultdict(list)
        identifiers: dict[Claim, set[str]] = defaultdict(set)
        for parts in sorted(records.values(), key=lambda parts: (parts[0].system, parts[0].record)):
            fact = parts[0]
            if fact.claim is not None:
                name = fact.system, fact.record
                person = persons_by_record[name]
                if holders.setdefault(fact.claim, (person, name))[0] is not person and not tells_who(fact.claim):
                    others[fact.claim].append((person, name))
                identifiers[fact.claim].update(text for part in parts for text in part.identifiers)
        return cls(records, holders, others, identifiers, caps.caps_of(facts, cutoffs))

    def pairs(self, ranked: Iterable[Ranked]) -> Iterator[tuple[Claim, Claim, tuple[str, ...]]]:
        """The pairs of claims that may be one person's: by a number, then by their blocks."""
        yield from self.sharing()
        cutoffs = self.caps.cutoffs if self.caps else caps.NO_CUTOFFS
        for which, places in enumerate(KINDS):
            by_block: dict[int, list[Ranked]] = defaultdict(list)
            for row in ranked:
                for block in {row[1][place] for place in places} - {0}:
                    by_block[block].append(row)
            for block, rows in sorted(by_block.items()):
                if len(rows) > 1:
                    yield from ((one, other, ()) for one, other in _alike(rows, which, block, cutoffs))

    def sharing(self, *, documents: bool = False) -> Iterable[tuple[Claim, Claim, tuple[str, ...]]]:
        """The pairs of two persons' claims under common numbers that may be one person's for all that forbids it.

        Under a number that one person alone can have, all of them; under a document those that score enough with it,
        or all of them where these are asked for (`documents`).
        """
        by_number: dict[str, list[Claim]] = defaultdict(list)
        for claim in self.holders:
            for text in self.identifiers[claim]:
                if joins(text) and self._admits(text, claim):
                    by_number[text].append(claim)
        shared: dict[tuple[Claim, Claim], list[str]] = defaultdict(list)
        for text, claims in sorted(by_number.items()):
            for one, other in combinations(claims, 2):
                if self.holders[one][0] is not self.holders[other][0]:
                    shared[one, other].append(text)
        for (one, other), texts in shared.items():
            alone = any(not text.startswith(DOCUMENTS) for text in texts)
            if alone or documents or _bits(one, other, texts) >= scoring.POSSIBLE:
                yield one, other, tuple(texts)

    def _admits(self, text: str, claim: Claim) -> bool:
        return self.caps is None or self.caps.admits(key_hash(text), claim_key(claim))

    def judged(self, one: Claim, other: Claim, shared: Sequence[str] = ()) -> Possible | None:
        """The two persons; None where they are one already, were decided apart, or have no such claim now."""
        holder, second_holder = self.holders.get(one), self.holders.get(other)
        if holder is None or second_holder is None:
            return None
        return self._match(holder, second_holder, one, other, shared)

    def saying_one_thing(self) -> Iterator[Possible]:
        """The persons of whom one thing is said that is nearly enough to join them, each with the first of them."""
        for claim, others in self.others.items():
            if _bits(claim, claim) < scoring.POSSIBLE:
                continue
            for other in others[: caps.CAP]:
                if match := self._match(self.holders[claim], other, claim, claim):
                    yield match

    def _match(
        self,
        holder: tuple[History, tuple[str, str]],
        second_holder: tuple[History, tuple[str, str]],
        one: Claim,
        other: Claim,
        shared: Sequence[str] = (),
    ) -> Possible | None:
        (mine, first), (theirs, second) = holder, second_holder
        if mine.person == theirs.person or _decided_apart(mine, theirs, self.records):
            return None
        sides = sorted((_side(mine, first), _side(theirs, second)), key=lambda side: side.person)
        by = scoring.explained(one, other)
        if shared:
            by = "; ".join(filter(None, (f"both have {', '.join(shared)} {_worth(shared):+.1f}", by)))
        vetoes = self._vetoes(mine, theirs, shared, (one, other))
        return Possible(sides[0], sides[1], _bits(one, other, shared), by, vetoes)

    def _vetoes(
        self, mine: History, theirs: History, shared: Sequence[str], pair: tuple[Claim, Claim]
    ) -> tuple[str, ...]:
        """What forbids the join, each reason once."""
        one, other = self._cluster(mine), self._cluster(theirs)
        return tuple(dict.fromkeys(veto for by in shared or ("",) for veto in one.vetoes(other, by, pair)))

    def _cluster(self, history: History) -> Cluster:
        parts = (self.records[handle(*record)] for record in history.records)
        clusters = [cluster_of(b"", each[0].claim, sightings_of(each)) for each in parts if each[0].claim is not None]
        for other in clusters[1:]:
            clusters[0].absorb(other)
        return clusters[0]


def _decided_apart(one: History, other: History, records: Records) -> bool:
    """Whether the latest decision on a record of each is no."""
    mine, theirs = ({handle(*record) for record in history.records} for history in (one, other))
    words: dict[frozenset[bytes], bool] = {}
    decisions = (fact for fact, *_ in records.values() if fact.kind == "decision")
    for fact in sorted(decisions, key=lambda fact: (fact.known, fact.id)):
        words[frozenset(handle(*fact.body[side]) for side in ("one", "other"))] = fact.body["same"]
    return any(not same and pair & mine and pair & theirs for pair, same in words.items())


def _side(history: History, record: tuple[str, str]) -> Side:
    return Side(history.person, record, history.names, history.births, history.citizenship, history.identifiers)


def decision(one: RecordRef, other: RecordRef, *, same: bool, by: str, why: str, at: datetime) -> Decision:
    """A person's decision on two records; a later one on the same two replaces it. Raises ValueError for one record."""
    return _decision(one, other, {"same": same, "by": by, "why": why}, Operation.ASSERT, at)


def undone(one: RecordRef, other: RecordRef, *, by: str, why: str, at: datetime) -> Decision:
    """As if nothing had been decided on the two."""
    return _decision(one, other, {"same": False, "by": by, "why": why}, Operation.RETRACT, at)


def _decision(
    one: RecordRef, other: RecordRef, body: dict[str, object], operation: Operation, at: datetime
) -> Decision:
    first, second = sorted((one, other), key=lambda ref: (ref.system, ref.record))
    record = f"decision {(handle(first.system, first.record) + handle(second.system, second.record)).hex()}"
    number = int(at.timestamp() * 1_000_000)
    mark = digest(orjson.dumps([operation.value, body], option=orjson.OPT_SORT_KEYS))
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
            **body,
        }
    )
