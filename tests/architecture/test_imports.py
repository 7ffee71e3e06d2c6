"""Who may import whom, and that the five names are ours alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
PACKAGES = ("schemas", "links", "bus", "adapters", "services")
LINTER = Path(sys.executable).with_name("lint-imports")


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), str(root / "pyproject.toml"), "--no-cache"]
    # the directory it runs in goes before the checkout that is installed
    return subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)


def test_the_contracts_are_kept() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages, to plant in."""
    root = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        copytree(ROOT / package, root / package, ignore=ignore_patterns("__pycache__"))
    (root / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return root


PLANTED = {
    "schemas/planted.py": ("import bus.contract", "services -> adapters | bus -> links -> schemas"),
    "links/planted.py": ("import bus.contract", "services -> adapters | bus -> links -> schemas"),
    "bus/planted.py": ("import adapters.core", "services -> adapters | bus -> links -> schemas"),
    "adapters/planted.py": ("import bus.contract", "services -> adapters | bus -> links -> schemas"),
    "adapters/transports/planted.py": ("import services.retry", "services -> adapters | bus -> links -> schemas"),
    "adapters/systems/i94/planted.py": ("import adapters.systems.claims3", "legacy systems never see each other"),
    "services/api/planted.py": ("import services.ingest.host", "the API sees neither ingest nor correlator"),
    "services/api/roundabout.py": ("import services.cli.ingest", "the API sees neither ingest nor correlator"),
    "services/simulator/planted.py": ("import adapters.core", "the simulator sees no adapter"),
    "services/domain/planted.py": ("import services.store", "the domain is pure"),
}


@pytest.mark.parametrize("place", PLANTED)
def test_a_breach_is_found(place: str, copy: Path) -> None:
    line, contract = PLANTED[place]
    planted = copy / place
    planted.write_text(f"{line}\n")
    try:
        done = _lint(copy)
    finally:
        planted.unlink()
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(said.startswith(contract) and said.endswith("BROKEN") for said in done.stdout.splitlines()), done.stdout


def test_the_copy_alone_is_clean(copy: Path) -> None:
    assert _lint(copy).returncode == 0


def test_the_linter_overlooks_nothing() -> None:
    """It passes over directories that are no packages."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path


def _claimed() -> dict[str, list[str]]:
    """Our names with the foreign distributions that bring a package of that name."""
    result = packages_distributions()
    foreign = {name: sorted(set(result.get(name, ())) - {"visabus"}) for name in PACKAGES}
    return {name: distributions for name, distributions in foreign.items() if distributions}


def test_no_dependency_claims_our_names() -> None:
    assert not _claimed()
    for name in PACKAGES:
        assert import_module(name).__file__ == str(ROOT / name / "__init__.py")


def test_a_dependency_that_claims_one_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = tmp_path / "intruder-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: intruder\nVersion: 1.0\n")
    (about / "RECORD").write_text("bus/__init__.py,,\nintruder-1.0.dist-info/METADATA,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert _claimed() == {"bus": ["intruder"]}


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_typed(name: str) -> None:
    assert (ROOT / name / "py.typed").is_file()


def _imported(source: str) -> Iterator[str]:
    """The top-level names that a source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _offenders(root: Path, names: set[str]) -> list[str]:
    return [str(path) for path in sorted(root.rglob("*.py")) if names & set(_imported(path.read_text()))]


def test_nothing_imports_from_tests() -> None:
    """Tests reach what they share by its own name, and the packages know nothing of it."""
    assert not _offenders(TESTS, {"tests"})
    shared = {path.stem for path in TESTS.glob("*.py")} | {"tests", "pytest", "hypothesis"}
    for package in PACKAGES:
        assert not _offenders(ROOT / package, shared)


def test_an_import_from_tests_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    for line in (
        "import tests.strategies",
        "from tests import strategies",
        "def f():\n    from tests.servers import x",
    ):
        planted.write_text(f"{line}\n")
        assert _offenders(tmp_path, {"tests"}) == [str(planted)]
