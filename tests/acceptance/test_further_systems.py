"""A delimited file with a trailer and pages of a REST service, as folders of a further package, on all sides.

Every step is the command that a maintainer would give, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.children import VISABUS

pytestmark = pytest.mark.slow

BOTH = ("FILETRACK", "BOOKINGS")
WRITTEN = "I94,CLAIMS3,FILETRACK,BOOKINGS"
CASES = Path(__file__).parent / "package"


@pytest.fixture
def visabus(environment: dict[str, str], tmp_path: Path):  # type: ignore[no-untyped-def]  # a function that runs it
    """The command, run in a directory of its own; what it says."""

    def run(*arguments: object, code: int = 0) -> str:
        done = subprocess.run(
            [str(VISABUS), *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return run


def test_they_are_found_and_decoded(visabus) -> None:  # type: ignore[no-untyped-def]  # as above
    listed = visabus("adapters")
    assert all(name in listed for name in BOTH)
    events = visabus("decode", "FILETRACK", CASES / "filetrack/cases/two-files/input.dat").splitlines()
    assert [json.loads(line)["kind"] for line in events] == ["status", "status", "coverage"]
    events = visabus("decode", "BOOKINGS", CASES / "bookings/cases/two-visits/input.json").splitlines()
    assert [json.loads(line)["record"] for line in events[:2]] == ["B1", "B2"]


def test_they_are_ingested_with_receipts_and_dead_letters_that_are_replayed(visabus, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # as above
    folder = tmp_path / "in"
    folder.mkdir()
    case = (CASES / "filetrack/cases/unknown-action/input.dat").read_bytes()
    (folder / "track.000412").write_bytes(case)
    data = ("--data", tmp_path / "data")
    visabus(*data, "ingest", "--once", "--feed", f"FILETRACK.files={folder.as_uri()}")
    assert "track.000412" in visabus(*data, "receipts", "list", "--system", "FILETRACK")
    listed = visabus(*data, "dead-letters", "list", "--each")
    assert "FILETRACK" in listed
    letter = listed.split()[0]
    shown = visabus(*data, "dead-letters", "show", letter, "--confidential", "--why", "to mend it")
    assert "ACTION" in shown, "field by field"
    mended = tmp_path / "mended"
    mended.write_bytes(case.splitlines(keepends=True)[1].replace(b"|X|", b"|N|"))
    visabus(*data, "dead-letters", "replay", "--id", letter, "--with", mended, "--yes")
    assert "0 pending" in visabus(*data, "dead-letters", "list")


def test_they_are_simulated_and_evaluated(visabus, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # as above
    visabus("simulate", tmp_path / "population", "--persons", 40, "--systems", WRITTEN)
    assert (tmp_path / "population/filetrack/track.000001").read_text().count("\nD|") > 10
    assert len(json.loads((tmp_path / "population/bookings.json").read_text())) > 5
    result = json.loads(visabus("evaluate", "--persons", 150, "--seed", 7, "--systems", WRITTEN, "--json"))
    without = json.loads(visabus("evaluate", "--persons", 150, "--seed", 7, "--systems", "I94,CLAIMS3", "--json"))
    assert result["identity"]["recall"] == result["identity"]["precision"] == result["status"]["accuracy"] == 1.0
    assert result["events"] > without["events"], "what the two say is read"


def test_they_are_in_the_demo(visabus) -> None:  # type: ignore[no-untyped-def]  # as above
    said = visabus("demo", "--once", "--persons", 60, "--systems", WRITTEN)
    assert all(name in said for name in BOTH)


def test_they_keep_the_contracts(environment: dict[str, str], tmp_path: Path) -> None:
    """The suite in one line each, with the fuzz target, memory and speed."""
    tests = Path(__file__).parents[1]
    lines = ["from pathlib import Path", "from systems.contract import contract_suite"]
    lines += [
        f"Test{name.title()} = contract_suite('{name}', Path({str(CASES / name.lower() / 'cases')!r}))" for name in BOTH
    ]
    (tmp_path / "test_further.py").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "test_further.py"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": f"{environment['PYTHONPATH']}:{tests}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
