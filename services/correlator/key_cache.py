"""What a correlator remembers of committed appends, so that keys met before cost no reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CACHED = 2_000_000
"""Keys remembered at most; a key's founding pool never changes, so remembering cannot be wrong."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became known by one append, to be remembered once it is committed."""

    learnt: dict[int, int]  # key -> pool
    claims: dict[int, int]  # claim -> since when it is known
    to_compare: bool


class KeyCache:
    """Key -> founding pool, and claim -> since when it is known, as far as this process has met them."""

    def __init__(self) -> None:
        self._pools: dict[int, int] = {}
        self._since: dict[int, int] = {}

    def earlier(self, claims: Mapping[int, int]) -> list[tuple[int, int]]:
        """Return those of the claims that may be known since earlier than remembered, sorted."""
        since = self._since
        return sorted((claim, known) for claim, known in claims.items() if known < since.get(claim, known + 1))

    def pools(self, keys: Iterable[int]) -> dict[int, int]:
        """Return key -> pool for those of the keys that were met before."""
        pools = self._pools
        return {key: pools[key] for key in keys if key in pools}

    def remember(self, done: Appended) -> None:
        """Remember what an append learnt. Only what is committed may be remembered."""
        if len(self._pools) + len(done.learnt) > CACHED:
            self._pools.clear()
            self._since.clear()
        self._pools.update(done.learnt)
        for claim, known in done.claims.items():
            self._since[claim] = min(known, self._since.get(claim, known))
