"""One population for all fault tests, and the digest that an undisturbed run ends with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from killing import KILLS
from pipeline import Pipeline

from services.simulator import push, simulate, sources

PERSONS = max(300, 10 * KILLS)
YEARS = max(1, KILLS // 30)
"""IDENT has a message a week: so many that the door has something to do at most kills."""


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated population's files: of all systems whose files lie there to be read, and of IDENT, which pushes."""
    directory = tmp_path_factory.mktemp("population")
    at_rest = {system for system, source in sources().items() if source.feeds(directory / source.place)}
    simulate(directory, persons=PERSONS, seed=5, years=YEARS, systems=at_rest | {"IDENT"})
    return directory


@pytest.fixture(scope="session")
def undisturbed(population: Path, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """An embedded installation that ran once, in peace."""
    pipeline = Pipeline.embedded(tmp_path_factory.mktemp("undisturbed"), population)
    asyncio.run(pipeline.fill())
    pipeline.correlate()
    return pipeline


@pytest.fixture(scope="session")
def expected(undisturbed: Pipeline) -> str:
    """The digest that everything has to end with."""
    return undisturbed.digest()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """IDENT sends again at once what was not answered."""
    monkeypatch.setattr(push, "_jitter", lambda state: 0.05)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Keep a line for the end of the run: seeds, counts, waits."""
    return lambda line: record_property("told", line)
