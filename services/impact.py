"""What events would change, by the view as it stands: worked out by the pure domain, and nothing is written.

Events are taken some at a time, each time together with all that the store has of the records, numbers and names in
them; so memory does not grow with the batch. What two of its records change only together, and lie far apart in it, is
not seen. Counts that are shown are of what everyone may know: of the view without what the law keeps confidential.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import msgspec

from services.domain.blocks import blocks_of
from services.domain.caps import CAP, Cutoffs
from services.domain.confidential import any_marked, open_facts
from services.domain.coverage import Coverage, Stretch, coverage_of
from services.domain.facts import MICRO, Claim, Fact, claim_key
from services.domain.identity import alike, keys_of
from services.domain.pools import Pool
from services.domain.resolve import persons, status

if TYPE_CHECKING:
    from services.store.reads import SqlReads

BREATH = 50
"""So many groups of records are compared before others of the process have a turn."""
_NONE = "no outcome"
_GONE = "no person of their own"
Outcomes = Mapping[str, str]
"""By person the outcome."""


@dataclass(slots=True)
class Tally:
    """Persons whose outcome would be another: which it is and would be, and those who have none yet and would."""

    changed: dict[str, tuple[str, str]] = field(default_factory=dict)
    appeared: set[str] = field(default_factory=set)
    awaited: int = 0  # persons whose period is over, and for whom departures would be known to be complete

    def compare(self, before: Outcomes, after: Outcomes) -> None:
        """Take in what some persons are and would be."""
        for person, outcome in before.items():
            would = after.get(person, _GONE)
            if would != outcome and outcome != _NONE:
                self.changed[person] = (self.changed.get(person, (outcome, ""))[0], would)
        self.appeared.update(person for person, would in after.items() if would != before.get(person, _NONE) == _NONE)

    @property
    def count(self) -> int:
        """How many outcomes would change."""
        return len(self.changed) + self.awaited

    def by_outcome(self) -> dict[str, int]:
        """How many, by the outcome that is and the one that would be; the most frequent first."""
        counts = Counter(f"{before} -> {after}" for before, after in self.changed.values())
        if self.awaited:
            counts["DEPARTURE_UNKNOWN -> OVERSTAY_SUSPECTED"] += self.awaited
        return dict(counts.most_common())


@dataclass(slots=True)
class Impact:
    """What events would change, as they are taken. `now` (seconds): when outcomes are compared."""

    reads: SqlReads
    now: int
    whole: Tally = field(default_factory=Tally)
    shown: Tally = field(default_factory=Tally)  # what everyone may know of it
    coverage: list[Fact] = field(default_factory=list)

    async def take(self, facts: Iterable[Fact]) -> None:
        """Take in some events. Raises StoreDown."""
        some: list[Fact] = []
        for fact in facts:
            (self.coverage if fact.kind == "coverage" else some).append(fact)
        if not some:
            return
        async with self.reads.one_state() as state:
            cutoffs, coverage = await state.cutoffs(), await state.coverage()
            pairs = await _alike(state, some)
            keys = {key for fact in some for key in keys_of(fact)} | {key for pair in pairs for key in pair}
            pools = await state.pools(sorted(keys), confidential=True)
        for number, (stored, more) in enumerate(_together(pools, some, pairs)):
            self._compare(stored, more, cutoffs, coverage)
            if number % BREATH == 0:
                await asyncio.sleep(0)

    def _compare(self, stored: Pool, more: Sequence[Fact], cutoffs: Cutoffs, coverage: Coverage) -> None:
        known = tuple(stored.facts.values())
        if not stored.add(more):
            return
        every = tuple(stored.facts.values())
        before, after = (self._outcomes(facts, cutoffs, coverage) for facts in (known, every))
        self.whole.compare(before, after)
        if any_marked(every):
            before, after = (self._outcomes(open_facts(facts), cutoffs, coverage) for facts in (known, every))
        self.shown.compare(before, after)

    def _outcomes(self, facts: Collection[Fact], cutoffs: Cutoffs, coverage: Coverage) -> Outcomes:
        result = {}
        for history in persons(facts, None, cutoffs):
            answer = status(history, self.now, coverage)
            result[history.person] = answer.outcome if answer is not None else _NONE
        return result

    async def end(self) -> None:
        """Take in what the batch vouches for: for whom departures would be known to be complete. Raises StoreDown."""
        if not self.coverage:
            return
        async with self.reads.one_state() as state:
            coverage = await state.coverage()
            fresh = _departures(coverage, self.coverage)
            for tally, confidential in ((self.whole, True), (self.shown, False)):
                tally.awaited = await state.awaiting(fresh, self.now, confidential=confidential)


def _departures(coverage: Coverage, facts: Sequence[Fact]) -> list[Stretch]:
    """The stretches in which departures are not known to be complete, and would be."""
    stretches: dict[tuple[str, str], list[Stretch]] = defaultdict(list)
    for scope, systems in coverage.scopes.items():
        for system, pieces in systems.items():
            stretches[system, scope] += pieces
    for fact in facts:
        if not fact.retract:
            since, through = -(-fact.body["since"] // MICRO), fact.body["through"] // MICRO
            stretches[fact.system, fact.body["scope"]].append((since, through))
    return [each for each in coverage_of(stretches).departures if each not in coverage.departures]


async def _alike(reads: SqlReads, facts: Sequence[Fact]) -> list[tuple[int, int]]:
    """The keys of claims that may be one person's by name: of the facts, with those of the store and each other."""
    claims = {claim_key(fact.claim): fact.claim for fact in facts if fact.claim is not None}
    by_block: dict[int, dict[int, Claim]] = defaultdict(dict)
    for key, claim in claims.items():
        for block in blocks_of(claim):
            if block and len(by_block[block]) < CAP:
                by_block[block][key] = claim
    for row in await reads.claims_of_blocks(sorted(by_block)):
        stored = _decoder.decode(row.features)
        for block in set(row.blocks) & by_block.keys():
            if len(by_block[block]) < 2 * CAP:
                by_block[block].setdefault(row.claim, stored)
    pairs = set()
    for some in by_block.values():
        for (key, claim), (other_key, other) in combinations(some.items(), 2):
            if (key in claims or other_key in claims) and alike(claim, other):
                pairs.add((key, other_key))
    return sorted(pairs)


_decoder = msgspec.msgpack.Decoder(Claim)


def _together(
    pools: Sequence[Pool], facts: Sequence[Fact], pairs: Sequence[tuple[int, int]]
) -> list[tuple[Pool, list[Fact]]]:
    """The pools that facts and pairs of claims bring together, as one each, with those facts."""
    above: dict[int, int] = {}

    def root_of(key: int) -> int:
        while (next_ := above.setdefault(key, key)) != key:
            above[key] = key = above[next_]
        return key

    def join(keys: Iterable[int]) -> None:
        first, *others = keys
        for other in others:
            above[root_of(other)] = root_of(first)

    for pool in pools:
        join(key for fact in pool.facts.values() for key in keys_of(fact))
    for fact in facts:
        join(keys_of(fact))
    for pair in pairs:
        join(pair)
    groups: dict[int, tuple[Pool, list[Fact]]] = {}
    for fact in facts:
        groups.setdefault(root_of(keys_of(fact)[0]), (Pool(), []))[1].append(fact)
    for pool in pools:
        group = groups.get(root_of(keys_of(next(iter(pool.facts.values())))[0]))
        if group is not None:
            group[0].merge(pool)
    return list(groups.values())
