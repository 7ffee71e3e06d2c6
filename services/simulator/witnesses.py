"""Which systems tell of a departure. What several of them tell is one crossing, at one local time."""

from __future__ import annotations

from collections.abc import Collection

from services.simulator.population import rates
from services.simulator.population.plans import Crossing
from services.simulator.rng import Rng


class Witnesses:
    """Draws who tells. I-94 tells most; some departures come from a manifest or from biometrics alone."""

    def __init__(self, seed: int, systems: Collection[str]) -> None:
        self._rng = Rng(f"witnesses {seed}")
        self._systems = systems

    def of(self, departure: Crossing) -> frozenset[str]:
        """The systems that tell of it, at least one. One known to the day only is I-94's alone."""
        # a manifest cannot say that it means the second pass of an hour
        manifest = "APIS" in self._systems and departure.mode == "A" and not departure.again
        biometric = "IDENT" in self._systems
        if departure.second is None or not (manifest or biometric):
            return frozenset({"I94"})
        roll = self._rng.random.random()
        if manifest and roll < rates.TOLD_BY_MANIFEST_ALONE:
            return frozenset({"APIS"})
        if biometric and 1 - roll < rates.TOLD_BY_BIOMETRICS_ALONE:
            return frozenset({"IDENT"})
        told = {"I94"}
        if manifest and self._rng.chance(rates.MANIFEST_TOO):
            told.add("APIS")
        if biometric and self._rng.chance(rates.BIOMETRICS_TOO):
            told.add("IDENT")
        return frozenset(told)
