"""I-94 as the simulator has it: nightly files in a folder."""

from __future__ import annotations

from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.source import DepartureReports, Feeds, Run, Source, Writer
from services.simulator.systems.i94 import rates
from services.simulator.systems.i94.writer import I94Writer


class I94(Source):
    """The system of record for admissions: every arrival is here, and every departure that no other reports alone."""

    system = "I94"
    place = "i94"
    required = True
    departures = DepartureReports(main=True)
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return I94Writer(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the nightly files."""
        return {"I94.nightly": {"url": place.as_uri()}}


SOURCE = I94()
