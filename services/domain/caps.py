"""Caps by seniority: a key that very many claims share admits its first few, in the order (known, claim).

That is a function of the set of events, and what was admitted at an earlier moment of knowing stays admitted later; a
count of "how many are there by now" would part people at the crossing. The last rank admitted is the key's *horizon*.
Horizons only ever fall. A pool may hold claims beyond a horizon; they are just not compared under that key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from services.domain.facts import Claim, Fact, claim_key, key_hash
from services.domain.scoring import blocks_of

CAP = 64
"""Claims that a key or block admits."""
Rank = tuple[int, int]
"""(known in microseconds, claim key): the lesser is the senior."""
Horizons = Mapping[int, Rank]
"""Key or block -> the rank of the last claim it admits. Keys under their cap are not in it."""
NO_HORIZONS: Horizons = {}


class Caps:
    """The horizons that hold for the claims of one pool, and the claims' ranks."""

    __slots__ = ("_known", "horizons")

    def __init__(self, known: Mapping[int, int], horizons: Horizons) -> None:
        self._known = known
        self.horizons = horizons

    def admits(self, key: int, claim: int) -> bool:
        """Whether a claim counts under a key."""
        horizon = self.horizons.get(key)
        return horizon is None or (self._known.get(claim, 0), claim) <= horizon


def caps_of(
    facts: Collection[Fact], stored: Horizons, *, blocks: bool = True, known_at: int | None = None
) -> Caps | None:
    """The caps among a pool's facts known by then; None where none can bite.

    `stored`: what is known of keys whose claims lie in several pools. A pool that holds more of a key's claims than
    are admitted lowers the horizon by itself.
    """
    cap = CAP
    if not stored and len(facts) <= cap:
        return None
    claims: dict[int, Claim] = {}
    known: dict[int, int] = {}
    met: dict[int, int] = {}  # by the object: facts of one pool share it, and its hash is dear
    holders: dict[str, set[int]] = defaultdict(set)
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
            holders[text].add(key)
    if len(claims) <= cap and not stored:
        return None
    for key, claim in claims.items():
        for text in claim.identifiers:
            holders[text].add(key)
    if blocks:
        for key, claim in claims.items():
            for text in blocks_of(claim):
                if text:
                    holders[text].add(key)
    shared = {key_hash(text): members for text, members in holders.items() if len(members) > 1 or stored}
    horizons = {key: stored[key] for key in shared if key in stored}
    for key, members in shared.items():
        if len(members) > cap:
            last = sorted((known[one], one) for one in members)[cap - 1]
            horizons[key] = min(last, horizons.get(key, last))
    return Caps(known, horizons) if horizons else None
