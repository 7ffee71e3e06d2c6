"""One population for all fault tests, and the digest that an undisturbed run ends with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline import Pipeline

from services import kafka_local
from services.simulator import simulate

PERSONS = 300
SYSTEMS = ("I94", "CLAIMS3", "APIS", "SEVIS")
"""All that are read from files and tables; IDENT pushes, and its door has kills of its own."""


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated population's files."""
    directory = tmp_path_factory.mktemp("population")
    simulate(directory, persons=PERSONS, seed=5, years=1, systems=SYSTEMS)
    return directory


@pytest.fixture(scope="session")
def undisturbed(population: Path, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """An embedded installation that ran once, in peace."""
    pipeline = Pipeline.embedded(tmp_path_factory.mktemp("undisturbed"), population)
    pipeline.ingest()
    pipeline.correlate()
    return pipeline


@pytest.fixture(scope="session")
def expected(undisturbed: Pipeline) -> str:
    """The digest that everything has to end with."""
    return undisturbed.digest()


@pytest.fixture
def own_kafka(kafka: str, tmp_path: Path) -> Iterator[str]:
    """A Kafka of the test's own, since topics have fixed names. `kafka` only says whether one can be run here."""
    assert kafka
    home = tmp_path / "kafka"
    yield kafka_local.start(home)
    kafka_local.stop(home)
