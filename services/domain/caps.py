"""Caps by seniority: a key that very many claims share admits its first few, in the order (known, claim).

That is a function of the set of events, and what was admitted at an earlier moment of knowing stays admitted later; a
count of "how many are there by now" would part people at the crossing. The last rank admitted is the key's *cutoff*.
Cutoffs only ever fall. A pool may hold claims beyond a cutoff; they are just not compared under that key.

Who lacks the right to confidential records is answered by caps of their own, counted over the records that may be told
to all (`OpenCutoffs`): else a claim that a key does not admit would tell of others that nobody may see. They rise where
a mark comes late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from services.domain.blocks import texts_of
from services.domain.facts import Claim, Fact, claim_key, key_hash

CAP = 64
"""Claims that a key or block admits."""
Rank = tuple[int, int]
"""(known in microseconds, claim key): the lesser is the senior."""
Cutoffs = Mapping[int, Rank]
"""Key or block -> the rank of the last claim it admits. Keys under their cap are not in it."""
NO_CUTOFFS: Cutoffs = {}
OpenCutoffs = Mapping[int, Rank | None]
"""The cutoffs by open records alone, of the keys and blocks for which they are others; None: all are admitted."""


class Caps:
    """The cutoffs that hold for the claims of one pool, and the claims' ranks, worked out once one is asked for."""

    __slots__ = ("_facts", "_known", "_known_at", "_numbers", "cutoffs")

    def __init__(self, facts: Collection[Fact], known_at: int | None, cutoffs: Cutoffs) -> None:
        self._facts = facts
        self._known_at = known_at
        self._known: dict[int, int] | None = None
        self._numbers: dict[int, dict[int, int]] = {}
        self.cutoffs = cutoffs

    def admits(self, key: int, claim: int) -> bool:
        """Whether a claim counts under a key."""
        cutoff = self.cutoffs.get(key)
        if cutoff is None:
            return True
        if self._known is None:
            _, self._known, holders = _claims(self._facts, self._known_at)
            self._numbers = {key_hash(text): since for text, since in holders.items()}
        since = self._numbers.get(key, self._known)
        return (since.get(claim, self._known.get(claim, 0)), claim) <= cutoff


def caps_of(
    facts: Collection[Fact], stored: Cutoffs, *, blocks: bool = True, known_at: int | None = None
) -> Caps | None:
    """The caps among a pool's facts known by then; None where none can bite.

    `stored`: what is known of keys whose claims lie in several pools. A pool that holds more of a key's claims than
    are admitted lowers the cutoff by itself; most pools hold too few of all for that, and nothing is worked out.
    """
    lowered: dict[int, Rank] = {}
    if len(facts) > CAP:
        claims, known, holders = _claims(facts, known_at)
        if len(claims) > CAP:
            lowered = _lowered(claims, known, holders, stored, blocks=blocks)
    cutoffs = {**stored, **lowered} if lowered else stored
    return Caps(facts, known_at, cutoffs) if cutoffs else None


def opened(cutoffs: Cutoffs, others: OpenCutoffs) -> Cutoffs:
    """Return the cutoffs of who lacks the right to confidential records."""
    if not others:
        return cutoffs
    return {key: rank for key, rank in {**cutoffs, **others}.items() if rank is not None}


def admits(cutoff: Rank | None, rank: Rank) -> bool:
    """Whether a claim of that rank is admitted."""
    return cutoff is None or rank <= cutoff


def ranks_by_number(facts: Collection[Fact], keys: Collection[int]) -> dict[int, list[Rank]]:
    """By number, of those asked for, the ranks of all claims among the facts that have it, sorted."""
    claims, known, holders = _claims(facts, None)
    for key, claim in claims.items():
        for text in claim.identifiers:
            holders[text][key] = known[key]
    return {
        key: sorted((since, claim) for claim, since in members.items())
        for text, members in holders.items()
        if (key := key_hash(text)) in keys
    }


def _claims(
    facts: Collection[Fact], known_at: int | None
) -> tuple[dict[int, Claim], dict[int, int], dict[str, dict[int, int]]]:
    """By claim key the claim and since when it is known; by number of a stay or application the same of its holders.

    A claim is senior under a number since the two are known together, not since it is known itself: else a claim of
    old that comes by a number late would throw out whoever was admitted before.
    """
    claims: dict[int, Claim] = {}
    known: dict[int, int] = {}
    met: dict[int, int] = {}  # by the object: facts of one pool share it, and its hash is dear
    holders: dict[str, dict[int, int]] = defaultdict(dict)
    for fact in facts:
        claim = fact.claim
        if claim is None or (known_at is not None and fact.known > known_at):
            continue
        key = met.get(id(claim))
        if key is None:
            key = met[id(claim)] = claim_key(claim)
            claims.setdefault(key, claim)
        if key not in known or fact.known < known[key]:
            known[key] = fact.known
        for text in fact.numbers:
            since = holders[text]
            since[key] = min(fact.known, since.get(key, fact.known))
    return claims, known, holders


def _lowered(
    claims: Mapping[int, Claim],
    known: Mapping[int, int],
    holders: dict[str, dict[int, int]],
    stored: Cutoffs,
    *,
    blocks: bool,
) -> dict[int, Rank]:
    """The cutoffs that a pool's own claims set, or set lower than what is stored."""
    for key, claim in claims.items():
        for text in (*claim.identifiers, *(texts_of(claim) if blocks else ())):
            if text:
                holders[text][key] = known[key]
    lowered: dict[int, Rank] = {}
    for text, members in holders.items():
        if len(members) > CAP:
            key = key_hash(text)
            last = sorted((since, one) for one, since in members.items())[CAP - 1]
            lowered[key] = min(last, stored.get(key, last))
    return lowered
