"""What a correlator remembers of committed appends, so that keys met before cost no reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CACHED = 2_000_000
"""Keys remembered at most. A key's founding pool never changes, so remembering is right as long as the database keeps
what it had; a failover can take the last transactions away."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became known by one append, to be remembered once it is committed."""

    learnt: dict[int, int]  # key -> pool
    claims: dict[int, int]  # claim -> since when it is known
    to_compare: bool
    generation: int = 0  # of the connections that it was learnt by


class KeyCache:
    """Key -> founding pool, and claim -> since when it is known, as far as this process has met them."""

    def __init__(self) -> None:
        self._pools: dict[int, int] = {}
        self._since: dict[int, int] = {}
        self._generation = 0

    def renew(self, generation: int) -> None:
        """Forget everything if it was learnt from another generation of connections than this one."""
        if generation != self._generation:
            self.forget()
            self._generation = generation

    def forget(self) -> None:
        """Forget everything: the database may have less than what was learnt from it."""
        self._pools.clear()
        self._since.clear()

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
        self.renew(done.generation)
        if len(self._pools) + len(done.learnt) > CACHED:
            self.forget()
        self._pools.update(done.learnt)
        for claim, known in done.claims.items():
            self._since[claim] = min(known, self._since.get(claim, known))
