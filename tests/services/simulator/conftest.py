"""One population, written by all systems, for the tests of the files of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.simulator import Truth, simulate, sources


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """A directory with the files of all systems, and the truth about them."""
    directory = tmp_path_factory.mktemp("simulation") / "run"
    return directory, simulate(directory, persons=1_500, seed=11, systems=sources())
