"""What the project is made of is locked and listed; the page on security names tests that exist for each answer."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "deploy" / "supply"))
import sbom  # noqa: E402  # no package: a script beside it

PAGE = ROOT / "docs" / "security.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEV = ROOT / "requirements-dev.txt"
NUMBERS = """
1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1-1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 3.7:1-2 4.1:1-3
4.2:1-1 4.3:1-2 4.4:1-4 5.1:1-1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3 6.8:1-4 7.1:1-3
7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1-1 8.4:1-1 9.1:1-3 9.2:1-4 10.1:1-2 10.2:1-2 10.3:1-4
10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1-1 11.6:1-1 12.1:1-3 12.2:1-2 12.3:1-4
13.1:1-1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3 15.3:1-7 16.1:1-1 16.2:1-5 16.3:1-4
16.4:1-3 16.5:1-3 17.1:1-1 17.2:1-4 17.3:1-2
"""
"""Sections of ASVS 5.0.0 with the numbers of their requirements of levels 1 and 2."""
STATES = {"met", "partly", "not met", "does not apply"}
COPYLEFT = re.compile(r"\bA?GPL|General Public", re.IGNORECASE)
TOOLS = {"pytest", "mypy", "ruff", "hypothesis", "confluent-kafka", "cyclonedx-python-lib", "authlib", "splink"}


# --- the page ----------------------------------------------------------------------------------------------------


def required() -> list[str]:
    numbers = []
    for section, first, last in re.findall(r"(\d+\.\d+):(\d+)-(\d+)", NUMBERS):
        numbers += [f"{section}.{number}" for number in range(int(first), int(last) + 1)]
    return numbers


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def answered(text: str) -> list[str]:
    numbers = []
    for first, *_ in rows(text):
        begin, _, end = first.partition(" to ")
        section, _, number = begin.strip().rpartition(".")
        last = int((end or begin).rpartition(".")[2])
        numbers += [f"{section}.{each}" for each in range(int(number), last + 1)]
    return numbers


@cache
def known_tests() -> frozenset[str]:
    known = (re.findall(r"def (test_\w+)\(", file.read_text()) for file in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(name for names in known for name in names)


def mistakes(text: str) -> list[str]:
    """What is wrong with a page."""
    wrong = [f"{number} is not answered" for number in required() if number not in answered(text)]
    wrong += [f"{number} is answered twice" for number in required() if answered(text).count(number) > 1]
    wrong += [f"{number} is none of level 2" for number in answered(text) if number not in required()]
    for number, theme, state, what in rows(text):
        named = re.findall(r"`(test_\w+)`", what)
        if state not in STATES or not theme or not what:
            wrong.append(f"{number}: {state}")
        if state == "met" and not named:
            wrong.append(f"{number} is met by no test")
        wrong += [f"{number}: there is no {name}" for name in named if name not in known_tests()]
    return wrong


def test_every_requirement_is_answered_by_tests_that_exist() -> None:
    assert len(required()) == 253
    assert mistakes(PAGE.read_text()) == []


def test_a_page_that_leaves_out_or_makes_up_is_caught() -> None:
    text = PAGE.read_text()
    assert mistakes(text.replace("| 9.1.2 |", "| 9.1.1 |")) == ["9.1.2 is not answered", "9.1.1 is answered twice"]
    made_up = "test_made" + "_up"
    assert mistakes(text.replace("`test_weak_keys_are_refused_in_words`", f"`{made_up}`"))
    assert mistakes(text.replace("`test_weak_keys_are_refused_in_words`", "trust us")) == ["11.2.3 is met by no test"]


def test_the_page_says_how_and_when() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    for word in ("Report a fault", "Supported versions", "working days", "known-faults", "requirements.txt"):
        assert word in text


# --- what it is made of ------------------------------------------------------------------------------------------


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    return {sbom.normal(name): version for name, version in (line.split("==") for line in lines)}


@pytest.mark.parametrize("file", [sbom.LOCKED, DEV], ids=lambda file: str(file.name))
def test_what_is_locked_is_pinned_alike_and_has_hashes(file: Path) -> None:
    """Where this fails after a change of a dependency: make lock."""
    locked = sbom.locked(file)
    assert all(hashes for _, hashes in locked.values())
    known = pins()
    apart = {name: version for name, (version, _) in locked.items() if known.get(name, version) != version}
    assert apart == {}
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", file.read_text())


def test_all_that_is_asked_for_is_locked() -> None:
    """Where this fails after a change of a dependency: make lock."""
    project = PROJECT["project"]
    for file, asked in (
        (sbom.LOCKED, project["dependencies"]),
        (DEV, [*project["dependencies"], *project["optional-dependencies"]["dev"]]),
    ):
        locked = sbom.locked(file)
        for text in asked:
            need = Requirement(text)
            assert locked[sbom.normal(need.name)][0] in need.specifier


def test_what_builds_is_locked_too() -> None:
    (builder,) = PROJECT["build-system"]["requires"]
    name, _, version = builder.partition("==")
    for file in (sbom.LOCKED, DEV):
        assert sbom.locked(file)[name][0] == version


def test_what_runs_has_no_tools_of_tests() -> None:
    assert TOOLS & sbom.locked(sbom.LOCKED).keys() == set()
    assert (TOOLS - {"splink"}) <= sbom.locked(DEV).keys()


def test_the_sbom_has_all_that_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sbom.write(tmp_path)
    assert "packages" in capsys.readouterr().out
    written = json.loads((tmp_path / "sbom.json").read_text())
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    locked = sbom.locked(sbom.LOCKED)
    assert {each["name"]: each["version"] for each in written["components"]} == {
        name: version for name, (version, _) in locked.items()
    }
    assert all(each["hashes"] and each["licenses"] and each["purl"] for each in written["components"])
    needs = {each["ref"]: each.get("dependsOn", []) for each in written["dependencies"]}
    (kafka,) = (ref for ref in needs if ref.startswith("pkg:pypi/aiokafka@"))
    assert needs[kafka]


def test_nothing_that_runs_has_a_licence_that_binds_us() -> None:
    """Of several licences that a package offers ours to choose is another than the GPL."""
    known = {each.name: each.licence for each in sbom.packages()}
    assert "not told" not in known.values()
    assert [name for name, licence in known.items() if COPYLEFT.search(licence) and " OR " not in licence] == []
