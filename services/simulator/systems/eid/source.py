"""EID as the simulator has it: the table of changes that its triggers write, in an SQLite file."""

from __future__ import annotations

from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.source import Feeds, Run, Source, Writer
from services.simulator.systems.eid import rates
from services.simulator.systems.eid.writer import EidWriter


class Eid(Source):
    """Arrests, cases and detainers."""

    system = "EID"
    place = "eid.db"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return EidWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the change table."""
        return {"EID.table": {"url": f"sqlite+aiosqlite:///{place}"}}


SOURCE = Eid()
