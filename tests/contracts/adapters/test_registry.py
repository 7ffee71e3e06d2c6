"""A folder is a system, or nothing starts."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from adapters.registry import PACKAGES_VARIABLE, MalformedSystem, collect, system_of, systems

GOOD = """
from adapters.core import Feed, System
ADAPTER = System(name={name!r}, title="", owner="", number=1, emits=(), identifiers=(), mapping_version={version},
                 feeds=(Feed(name="f", transport=None, mapping=None),) * {feeds})
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """An empty package of systems."""
    folder = tmp_path / "planted_systems"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("planted_systems")
    for name in [name for name in sys.modules if name.startswith("planted_systems")]:
        del sys.modules[name]


def plant(package: ModuleType, name: str, text: str) -> None:
    folder = Path(package.__path__[0]) / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "adapter.py").write_text(text)


def test_the_systems_are_found() -> None:
    assert {"I94", "CLAIMS3"} <= set(systems())
    assert list(systems()) == sorted(systems())
    assert all(name == system.name for name, system in systems().items())


def test_every_system_has_its_interface_beside_it() -> None:
    for system in systems().values():
        folder = Path(importlib.import_module(f"adapters.systems.{system.name.lower()}").__path__[0])
        assert (folder / "README.md").read_text().startswith("# ")


def test_a_planted_system_is_found(package: ModuleType) -> None:
    plant(package, "one", GOOD.format(name="ONE", version=1, feeds=1))
    plant(package, "two", GOOD.format(name="TWO", version=1, feeds=1))
    assert list(collect(package)) == ["ONE", "TWO"]


def test_further_packages_are_named_by_the_environment(package: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKAGES_VARIABLE, f" {package.__name__} ,")
    plant(package, "one", GOOD.format(name="ONE", version=1, feeds=1))
    every = systems.__wrapped__()
    assert list(every) == sorted({*systems(), "ONE"})
    plant(package, "two", GOOD.format(name="I94", version=1, feeds=1))
    with pytest.raises(MalformedSystem, match="second system of the name I94"):
        systems.__wrapped__()
    monkeypatch.setenv(PACKAGES_VARIABLE, "no_such_systems")
    with pytest.raises(MalformedSystem, match="no_such_systems cannot be imported"):
        systems.__wrapped__()


def test_one_system_is_read_without_the_others() -> None:
    program = """
import sys
from adapters.registry import system_of
print(system_of("CLAIMS3").name, system_of("NONE"), sum(name.endswith(".adapter") for name in sys.modules) > 1)
"""
    first = program.replace('system_of("NONE")', "None")
    for each, said in ((first, "CLAIMS3 None False"), (program, "CLAIMS3 None True")):
        done = subprocess.run([sys.executable, "-c", each], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == said
    assert all(system_of(name) is system for name, system in systems().items())


def test_a_system_of_a_further_package_is_found(package: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKAGES_VARIABLE, package.__name__)
    plant(package, "one", GOOD.format(name="ONE", version=1, feeds=1))
    monkeypatch.setattr("adapters.registry.systems", systems.__wrapped__)
    assert system_of("ONE") is not None
    plant(package, "two", GOOD.format(name="I94", version=1, feeds=1))
    with pytest.raises(MalformedSystem, match="second system of the name I94"):
        system_of("I94")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no ADAPTER of type System"),
        ("ADAPTER = 7", "no ADAPTER of type System"),
        ("import nothing_of_that_name", "cannot be imported: No module named 'nothing_of_that_name'"),
        (GOOD.format(name="small", version=1, feeds=1), "'small' is no name of a system"),
        (GOOD.format(name="ONE", version=0, feeds=1), "mapping_version 0 is below 1"),
        (GOOD.format(name="ONE", version=1, feeds=0), "no feeds"),
        (GOOD.format(name="ONE", version=1, feeds=2), "two feeds of one name"),
    ],
)
def test_a_malformed_folder_stops_everything(package: ModuleType, text: str, message: str) -> None:
    plant(package, "bad", text)
    with pytest.raises(MalformedSystem, match=message) as caught:
        collect(package)
    assert "bad" in str(caught.value)


def test_a_name_is_taken_once(package: ModuleType) -> None:
    plant(package, "one", GOOD.format(name="ONE", version=1, feeds=1))
    plant(package, "two", GOOD.format(name="ONE", version=1, feeds=1))
    with pytest.raises(MalformedSystem, match="two: a second system of the name ONE"):
        collect(package)


def test_a_file_is_no_system(package: ModuleType) -> None:
    (Path(package.__path__[0]) / "loose.py").touch()
    with pytest.raises(MalformedSystem, match="is a file; a system is a folder"):
        collect(package)


def test_a_folder_without_adapter_is_no_system(package: ModuleType) -> None:
    plant(package, "one", "")
    (Path(package.__path__[0]) / "one" / "adapter.py").unlink()
    with pytest.raises(MalformedSystem, match=r"one: adapter\.py cannot be imported"):
        collect(package)
