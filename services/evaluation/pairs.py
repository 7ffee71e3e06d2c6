"""Pairs of distinct claims of one person: counted from the sizes of groups, never one by one."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb

from services.domain.facts import Claim, key_hash


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of claims of one person: how many there are, how many were found, how many of those are right."""

    true: int
    joined: int
    right: int

    @property
    def precision(self) -> float | None:
        """Of those found, the share that is right; None where none was found."""
        return self.right / self.joined if self.joined else None

    @property
    def recall(self) -> float | None:
        """Of those there are, the share that was found; None where there are none."""
        return self.right / self.true if self.true else None

    def as_json(self) -> dict[str, float | None]:
        """For reports."""
        return {"precision": self.precision, "recall": self.recall}


@dataclass(slots=True)
class Claims:
    """Distinct claims of persons: whose each is, and what it calls the person by, as 64-bit keys.

    A claim that two persons make (a passport number alone, which both have) counts for each. `kept` holds the claims
    themselves and their identifiers where they are asked for.
    """

    keep: bool = False
    owners: array[int] = field(default_factory=lambda: array("q"))
    homes: array[int] = field(default_factory=lambda: array("q"))  # persons of the view
    kept: list[tuple[Claim, tuple[str, ...]]] = field(default_factory=list)
    _texts: array[int] = field(default_factory=lambda: array("q"))
    _ends: array[int] = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.owners)

    def add(self, owner: int, home: int, claim: Claim, texts: Iterable[str]) -> None:
        """One more. `texts`: the identifiers of the claim and of its records."""
        identifiers = tuple(sorted(set(texts)))
        self.owners.append(owner)
        self.homes.append(home)
        self._texts.extend(map(key_hash, identifiers))
        self._ends.append(len(self._texts))
        if self.keep:
            self.kept.append((claim, identifiers))

    def texts(self, place: int) -> array[int]:
        """Return the keys of what one of them calls the person by."""
        return self._texts[self._ends[place - 1] if place else 0 : self._ends[place]]


def pairs_of(claims: Claims, homes: Sequence[int]) -> tuple[Pairs, Pairs]:
    """Return all pairs, and those without a common identifier (hard), for claims put into these homes."""
    true, joined = _groups(claims.owners), _groups(homes)
    right = _groups(list(zip(claims.owners, homes, strict=True)))
    every, sharing = [], []
    for groups in (true, joined, right):
        every.append(sum(comb(len(group), 2) for group in groups))
        sharing.append(sum(_sharing(claims, group) for group in groups))
    return Pairs(*every), Pairs(*(count - easy for count, easy in zip(every, sharing, strict=True)))


def _groups(keys: Sequence[Hashable]) -> list[list[int]]:
    """Places with equal keys, where there are several."""
    places_by_key: dict[Hashable, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places_by_key[key].append(place)
    return [group for group in places_by_key.values() if len(group) > 1]


def _sharing(claims: Claims, group: Sequence[int]) -> int:
    """How many pairs of a group have an identifier in common. Groups are small; one key is gone through at a time."""
    holders: dict[int, list[int]] = defaultdict(list)
    for place in group:
        for text in claims.texts(place):
            holders[text].append(place)
    several = [places for places in holders.values() if len(places) > 1]
    if len(several) == 1:
        return comb(len(several[0]), 2)
    return len({pair for places in several for pair in combinations(places, 2)})
