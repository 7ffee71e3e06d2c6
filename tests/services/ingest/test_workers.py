"""`visabus ingest --workers`: the feeds shared out, each read by one process; none outlives the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline import Pipeline, events_of, wrong_counts

from bus.open import open_bus
from services.cli.workers import shared_out
from services.simulator import simulate


@given(st.integers(1, 40), st.integers(1, 9))
def test_every_feed_has_one_worker_and_none_idles(count: int, workers: int) -> None:
    feeds = [f"F.{number}" for number in range(count)]
    groups = shared_out(feeds, workers)
    assert Counter(feed for group in groups for feed in group) == Counter(feeds)
    sizes = [len(group) for group in groups]
    assert len(groups) == min(workers, len(feeds))
    assert max(sizes) - min(sizes) <= 1


async def messages(pipeline: Pipeline) -> list[tuple[str, bytes | None, bytes | None]]:
    bus = await open_bus(pipeline.bus)
    try:
        return sorted((each.topic, each.key, each.value) for each in await events_of(bus))
    finally:
        await bus.close()


@pytest.mark.slow
async def test_what_workers_read_is_what_one_process_reads(tmp_path: Path) -> None:
    population = tmp_path / "population"
    simulate(population, persons=40, seed=11, systems={"I94", "CLAIMS3", "SEVIS", "APIS"})
    alone = Pipeline.embedded(tmp_path / "alone", population)
    shared = Pipeline.embedded(tmp_path / "shared", population)
    alone.run("ingest", "--once", "--stamp", "recorded")
    shared.run("ingest", "--once", "--stamp", "recorded", "--workers", "3")
    assert await messages(shared) == await messages(alone) != []
    assert [wrong for wrong in await wrong_counts(shared, population) if "never heard of" not in wrong] == []


def by_the_kernel(process: int) -> list[int]:
    """The processes that a process started and that run."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(number) for number in text.split()]


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.slow
def test_a_worker_that_dies_is_started_again_and_none_outlives_the_command(tmp_path: Path) -> None:
    folders = {"I94.nightly": tmp_path / "i94", "SEVIS.batches": tmp_path / "sevis"}
    for folder in folders.values():
        folder.mkdir()
    feeds = [part for name, folder in folders.items() for part in ("--feed", f"{name}=file://{folder}")]
    command = [Path(sys.executable).with_name("visabus"), "--data", tmp_path / "data", "ingest", "--workers", "2"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen([*command, *feeds], stderr=log, env=os.environ | {"VISABUS_LOG__FORM": "json"}) as running,
    ):
        try:
            said = tmp_path / "log"
            until(lambda: said.read_text().count("feed begins") == 2)
            first = by_the_kernel(running.pid)
            os.kill(first[0], signal.SIGKILL)
            until(lambda: said.read_text().count("feed begins") == 3)
            assert "worker ended" in said.read_text()
            second = by_the_kernel(running.pid)
            assert len(second) == 2
            assert first[1] in second
            running.kill()
            until(lambda: not any(map(runs, second)))
            assert said.read_text().count("feed done") == 2
        finally:
            running.kill()


@pytest.mark.slow
def test_a_worker_that_can_never_run_ends_the_command(tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("visabus"), "--data", tmp_path / "data", "ingest", "--workers", "2"]
    feeds = ["--feed", f"I94.nightly=file://{tmp_path}", "--feed", f"SEVIS.batches=file://{tmp_path}"]
    environment = os.environ | {"VISABUS_METRICS__INGEST": "65535"}  # the second worker's would be 65536
    done = subprocess.run([*command, *feeds], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 2
    assert "65536" in done.stderr or "less than or equal" in done.stderr
