"""Which systems report a departure. What several of them report is one crossing, at one local time."""

from __future__ import annotations

from collections.abc import Iterable

from services.simulator.population.plans import Crossing
from services.simulator.rng import Rng
from services.simulator.source import DepartureReports, Source

MOST_ALONE = 0.6
"""Share of departures at most that another system than the main one reports alone, however many can."""


class Witnesses:
    """Draws who reports a departure: the main system reports most of them, some are reported by another one alone."""

    def __init__(self, seed: int, sources: Iterable[Source]) -> None:
        self._rng = Rng(f"witnesses {seed}")
        self._main: frozenset[str] = frozenset()
        self._others: list[tuple[str, DepartureReports]] = []
        for source in sources:
            if source.departures is None:
                continue
            if source.departures.main:
                self._main |= {source.system}
            else:
                self._others.append((source.system, source.departures))

    def of(self, departure: Crossing) -> frozenset[str]:
        """Return the systems that report a departure, at least one."""
        able = [(system, reports) for system, reports in self._others if reports.can(departure)]
        if not able:
            return self._main
        alone = sum(reports.alone for _, reports in able)
        roll = self._rng.random.random() * max(1.0, alone / MOST_ALONE)
        for system, reports in able:
            if roll < reports.alone:
                return frozenset({system})
            roll -= reports.alone
        return self._main | {system for system, reports in able if self._rng.chance(reports.beside)}
