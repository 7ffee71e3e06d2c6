"""CLAIMS 3 as the simulator has it: its table in an SQLite file."""

from __future__ import annotations

from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.source import Feeds, Run, Source, Writer
from services.simulator.systems.claims3 import rates
from services.simulator.systems.claims3.writer import Claims3Writer


class Claims3(Source):
    """The system of record for applications on paper."""

    system = "CLAIMS3"
    place = "claims3.db"
    required = True
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return Claims3Writer(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the table."""
        return {"CLAIMS3.actions": {"url": f"sqlite+aiosqlite:///{place}"}}


SOURCE = Claims3()
