"""`visabus report`: the account of a store, as a table and as JSON, and its exit code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from correlation import Driver
from populations import bytes_of, world_of
from typer.testing import CliRunner, Result

from services.cli import app
from services.domain import accounting
from services.store import open_store

SEEDS = range(12)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with one small world."""
    value = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('report') / 'store.db'}"

    async def fill() -> None:
        store = await open_store(value)
        driver = Driver(store.writer)
        try:
            for seed in SEEDS:
                await driver.append(bytes_of(world_of(seed)[0]))
            await driver.finish()
        finally:
            await store.close()

    asyncio.run(fill())
    return value


def visabus(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


@pytest.mark.law(6, "the command over a store")
@pytest.mark.parametrize("by", ["class", "citizenship", "waiver"])
def test_the_account_of_a_store(url: str, by: str) -> None:
    """Table and JSON say the same, and the lines add up to the last."""
    message = visabus("--store", url, "report", "--year", "2024", "--as-of", "2026-06-01", "--by", by)
    assert message.exit_code == 0, message.output
    _, head, *lines, total, _ = message.stdout.splitlines()
    figures = [line.split()[1:14] for line in lines]
    assert total.split()[1:14] == [str(sum(map(int, column))) for column in zip(*figures, strict=True)]
    assert head.split()[0] == "admitted"
    again = visabus("--store", url, "report", "--year", "2024", "--as-of", "2026-06-01T00:00:00Z", "--json")
    body = json.loads(again.stdout)
    assert body["closes"]
    assert body["total"]["admissions"] == int(total.split()[1]) > 10
    assert body["total"]["expected_departures"] == int(total.split()[13])
    assert sum(cell["admissions"] for cell in body["cells"]) == body["total"]["admissions"]


@pytest.mark.law(6, planted="an account that does not close")
def test_a_sum_that_does_not_close_ends_with_1(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stay that the account forgets is missed among the arrivals."""
    assert visabus("--store", url, "report", "--year", "2024", "--as-of", "2026-06-01").exit_code == 0
    monkeypatch.setattr(accounting.Report, "add", lambda self, history: None)
    result = visabus("--store", url, "report", "--year", "2024", "--as-of", "2026-06-01", "--json")
    assert result.exit_code == 1
    assert "does not close: arrivals in class" in result.output


def test_what_is_asked_wrongly(url: str, tmp_path: Path) -> None:
    """A line that says what to do."""
    assert visabus("--store", url, "report").exit_code == 2
    assert visabus("--store", url, "report", "--year", "2024", "--as-of", "soon").exit_code == 2
    missing = f"sqlite+aiosqlite:///{tmp_path / 'none.db'}"
    result = visabus("--store", missing, "report", "--year", "2024")
    assert result.exit_code == 1
    assert "visabus correlate" in result.output
