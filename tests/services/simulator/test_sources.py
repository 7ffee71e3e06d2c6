"""Sources are found by themselves, and a further one is simulated like those of the project."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from services.simulator import addresses, simulate, sources
from services.simulator.registry import MalformedSource, collect

EXITS = '''
"""Departures in a text file, a line each."""

from services.simulator.log import reported_departure
from services.simulator.source import DepartureReports, Source


class ExitWriter:
    def __init__(self, run):
        self._run, self._lines = run, []

    def write(self, log):
        for index, stay in enumerate(log.person.stays):
            departure = reported_departure(stay, self._run.span)
            if departure is not None and log.reports(index, self._run.system):
                key = f"X{len(self._lines) + 1:06}"
                description = self._run.mistakes.describe(log.person, stay)
                passport = description.passport
                self._lines.append(f"{key};{passport.state};{passport.number};{departure.at}\\n")
                log.add(self._run.system, key, {f"passport:{passport.state}:{passport.number}"}, description.kinds)

    def finish(self):
        self._run.place.write_text("".join(self._lines))
        return {"read": len(self._lines), "published": len(self._lines), "filtered": 0}


class Exits(Source):
    system = "EXITS"
    place = "exits.txt"
    departures = DepartureReports(alone=0.5, beside=0.5)
    rates = {"never": 0.0}

    def open(self, run):
        return ExitWriter(run)

    def feeds(self, place):
        return {"EXITS.lines": {"url": place.as_uri()}}


SOURCE = Exits()
'''


@pytest.fixture
def further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the folder of one more system, and the folder of one that is not simulated."""
    name = "further_systems"
    for folder, text in (("exits", EXITS), ("unsimulated", None)):
        where = tmp_path / name / folder
        where.mkdir(parents=True)
        (where / "__init__.py").touch()
        if text:
            (where / "source.py").write_text(text)
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for module in [each for each in sys.modules if each.split(".")[0] == name]:
        del sys.modules[module]


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None) -> ModuleType:
    """A package with one folder, whose source.py has that text."""
    where = tmp_path / "odd_systems" / "one"
    where.mkdir(parents=True)
    (tmp_path / "odd_systems" / "__init__.py").touch()
    (where / "__init__.py").touch()
    if text is not None:
        (where / "source.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    for each in [each for each in sys.modules if each.split(".")[0] == "odd_systems"]:
        del sys.modules[each]
    import odd_systems  # type: ignore[import-not-found] # written above

    module: ModuleType = odd_systems
    return module


def test_each_folder_is_a_source_of_its_own_place() -> None:
    every = sources()
    assert list(every) == sorted(every)
    assert len({source.place for source in every.values()}) == len(every)
    assert sum(source.departures is not None and source.departures.main for source in every.values()) == 1
    assert all(source.rates for source in every.values())


def test_a_further_system_is_a_folder_and_nothing_else(further: str, tmp_path: Path) -> None:
    known = sources([further])
    assert set(known) - set(sources()) == {"EXITS"}
    truth = simulate(tmp_path / "run", persons=60, years=1, systems=["I94", "CLAIMS3", "EXITS"], known=known)
    lines = (tmp_path / "run" / "exits.txt").read_text().splitlines()
    assert truth.counts["systems"]["EXITS"]["read"] == len(lines) > 10
    assert truth.counts["rates"]["EXITS"] == {"never": 0.0}
    records = [each for person in truth.persons() for each in person.records if each.system == "EXITS"]
    assert {each.record for each in records} == {line.split(";")[0] for line in lines}
    assert addresses(tmp_path / "run", known)["EXITS.lines"] == {"url": (tmp_path / "run" / "exits.txt").as_uri()}
    # some departures are reported by the further system alone
    left = sum(truth.counts["outcomes"][name] for name in ("DEPARTED_IN_TIME", "DEPARTED_LATE"))
    assert truth.counts["systems"]["I94"]["departures"] < left < len(lines) + truth.counts["systems"]["I94"]["read"]


def test_a_second_source_of_one_name_is_refused(further: str, tmp_path: Path) -> None:
    source = tmp_path / further / "exits" / "source.py"
    source.write_text(EXITS.replace('system = "EXITS"', 'system = "I94"'))
    with pytest.raises(MalformedSource, match="second source"):
        sources([further])


@pytest.mark.parametrize("text", ["", "SOURCE = 1\n"])
def test_what_is_no_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(MalformedSource, match="SOURCE"):
        collect(package(tmp_path, monkeypatch, text), strict=False)


def test_a_folder_of_the_project_without_a_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MalformedSource, match=r"no source\.py"):
        collect(package(tmp_path, monkeypatch, None), strict=True)
