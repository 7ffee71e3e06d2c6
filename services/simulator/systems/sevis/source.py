"""SEVIS as the simulator has it: zipped batches in a folder."""

from __future__ import annotations

from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.source import Feeds, Run, Source, Writer
from services.simulator.systems.sevis import rates
from services.simulator.systems.sevis.writer import SevisWriter


class Sevis(Source):
    """The system of record for students and exchange visitors; without it nothing could be said of them."""

    system = "SEVIS"
    place = "sevis"
    brings = frozenset({"students"})
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return SevisWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the batches."""
        return {"SEVIS.batches": {"url": place.as_uri()}}


SOURCE = Sevis()
