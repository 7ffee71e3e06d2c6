"""Two made-up systems in a package of their own, named by the environment; no other file of the project is changed."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

ROOT = Path(__file__).parents[2]
NAME = "acme_systems"


def install(folder: Path) -> Path:
    """Put the package into a folder of packages."""
    copytree(Path(__file__).parent / "package", folder / NAME, ignore=ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of packages with the two systems in it."""
    return install(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def environment(site: Path) -> dict[str, str]:
    """The environment of a process that finds the package."""
    return os.environ | {
        "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
        "VISABUS_SYSTEM_PACKAGES": NAME,
        "COLUMNS": "300",
    }
