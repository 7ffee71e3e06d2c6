"""What a correlator remembers of committed appends, so that keys met before cost no reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KEYS, CLAIMS = 250_000, 100_000
"""Keys, and claims, that were met last and are remembered; twice as many at most. Some 100 MB, however many persons
there are. A key's founding pool never changes, so remembering is right as long as the database keeps what it had; a
failover can take the last transactions away."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became known by one append, to be remembered once it is committed."""

    learnt: dict[int, int]  # key -> pool
    claims: dict[int, int]  # claim -> since when it is known
    to_compare: bool
    generation: int = 0  # of the connections that it was learnt by


class _Recent:
    """Numbers by number, of which those are forgotten that were not met for long: two halves, of which the old one goes
    once the young one is full."""

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, half: int) -> None:
        self._half = half
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def of(self, keys: Iterable[int]) -> dict[int, int]:
        """Return what is remembered of some."""
        young, old = self._young, self._old
        remembered: dict[int, int] = {}
        for key in keys:
            value = young.get(key)
            if value is None:
                value = old.get(key)
                if value is None:
                    continue
                young[key] = value
            remembered[key] = value
        return remembered

    def keep(self, values: Mapping[int, int]) -> None:
        """Remember some more."""
        if len(self._young) >= self._half:
            self._young, self._old = {}, self._young
        self._young.update(values)

    def clear(self) -> None:
        """Forget all."""
        self._young.clear()
        self._old.clear()


class KeyCache:
    """Key -> founding pool, and claim -> since when it is known, as far as this process has met them lately."""

    def __init__(self, keys: int = KEYS, claims: int = CLAIMS) -> None:
        """`keys`, `claims`: so many that were met last are remembered, and twice as many at most."""
        self._pools = _Recent(keys)
        self._since = _Recent(claims)
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
        since = self._since.of(claims)
        return sorted((claim, known) for claim, known in claims.items() if known < since.get(claim, known + 1))

    def pools(self, keys: Iterable[int]) -> dict[int, int]:
        """Return key -> pool for those of the keys that are remembered."""
        return self._pools.of(keys)

    def remember(self, done: Appended) -> None:
        """Remember what an append learnt. Only what is committed may be remembered."""
        self.renew(done.generation)
        self._pools.keep(done.learnt)
        since = self._since.of(done.claims)
        self._since.keep({claim: min(known, since.get(claim, known)) for claim, known in done.claims.items()})
