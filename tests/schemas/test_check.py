"""`visabus schemas check --against`: what was published before is not broken, or the command says what is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import app


def published(directory: Path) -> Path:
    """The documents of today, as if they had been published before."""
    directory = directory / "before"
    done = CliRunner().invoke(app, ["schemas", "write", str(directory)])
    assert done.exit_code == 0
    return directory


def check(directory: Path, code: int) -> str:
    done = CliRunner().invoke(app, ["schemas", "check", "--against", str(directory)], env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.output


def change(path: Path, *steps: str, value: Any) -> None:
    body = json.loads(path.read_text())
    at = body
    for step in steps[:-1]:
        at = at[step]
    if value is None:
        del at[steps[-1]]
    else:
        at[steps[-1]] = value
    path.write_text(json.dumps(body))


def test_the_documents_of_today_are_not_broken(tmp_path: Path) -> None:
    assert "nothing of it is broken" in check(published(tmp_path), 0)


def test_a_field_that_is_gone_is_told_by_its_document(tmp_path: Path) -> None:
    """Planted: what was published before had a field more, and another partitioning."""
    before = published(tmp_path)
    change(before / "arrival.json", "properties", "berth", value={"type": "string"})
    change(before / "asyncapi.json", "channels", "arrival", "address", value="visabus.arrivals")
    output = check(before, 1)
    assert "arrival.json: berth: field removed (backward)" in output
    assert "asyncapi.json: arrival: address visabus.arrivals is now visabus.arrival" in output


def test_a_document_that_is_gone_is_told_and_what_is_added_breaks_nothing(tmp_path: Path) -> None:
    before = published(tmp_path)
    (before / "arrival.json").rename(before / "landing.json")
    assert "landing.json is no longer published" in check(before, 1)
    (before / "landing.json").unlink()
    assert "nothing of it is broken" in check(before, 0)


def test_a_higher_version_announces_the_break(tmp_path: Path) -> None:
    before = published(tmp_path)
    change(before / "arrival.json", "properties", "berth", value={"type": "string"})
    change(before / "arrival.json", "properties", "schema_version", "const", value=1)
    assert "nothing of it is broken" in check(before, 0)


@pytest.mark.parametrize("content", ["", "{}"])
def test_a_directory_without_documents_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    assert "there are no documents of ours" in check(tmp_path, 1)
