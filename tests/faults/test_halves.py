"""Files that are being written while ingest looks, by a writer that dies half way: none is read before it is whole."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pipeline import Pipeline, counters, wrong_counts

from bus.open import open_bus

pytestmark = pytest.mark.slow

FILES = {"i94": "I94.nightly", "apis": "APIS.files", "sevis": "SEVIS.batches"}
"""Directories of a population, and the feeds that read them."""
WRITER = """
import sys, time
source, target, size = sys.argv[1:]
with open(source, "rb") as data, open(target, "wb", 0) as file:
    for _ in range(10):
        file.write(data.read(int(size) // 10))
        time.sleep(0.25)
    print("half", flush=True)
    time.sleep(600)
"""
"""Writes the first bytes of a file, slowly, and then hangs."""


def largest(directory: Path) -> Path:
    """A file that is worth halving, among those that may still come late."""
    return max(sorted(directory.iterdir())[-50:], key=lambda path: path.stat().st_size)


def without_some(tmp_path: Path, population: Path, **options: Any) -> tuple[Pipeline, dict[Path, Path]]:
    """A pipeline over a population that lacks one file of each feed; those files, and where they belong."""
    copy = tmp_path / "population"
    shutil.copytree(population, copy)
    lacking = {path: copy / path.parent.name / path.name for path in (largest(population / name) for name in FILES)}
    for target in lacking.values():
        target.unlink()
    options_of = {feed: {"unchanged": 0.1, **options} for feed in FILES.values()}
    pipeline = Pipeline.embedded(tmp_path / "data", copy)
    return replace(pipeline, options={**pipeline.options, **options_of}), lacking


def write_halves(lacking: Mapping[Path, Path]) -> None:
    """More than half of each file under its name, by writers that are slow and then killed."""
    writers = []
    for source, target in lacking.items():
        arguments = (str(source), str(target), str(source.stat().st_size * 3 // 5))
        writers.append(subprocess.Popen([sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE))
    for writer in writers:
        with writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"half\n"
            writer.kill()


def complete(lacking: Mapping[Path, Path]) -> None:
    """The rest of each file behind what is there."""
    for source, target in lacking.items():
        with target.open("ab") as file:
            file.write(source.read_bytes()[target.stat().st_size :])
        assert target.read_bytes() == source.read_bytes()


async def read(pipeline: Pipeline) -> dict[str, int]:
    """Records read so far, by feed."""
    bus = await open_bus(pipeline.bus)
    try:
        return {key: one.read for key, one in (await counters(bus)).items()}
    finally:
        await bus.close()


async def with_halves(pipeline: Pipeline, lacking: Mapping[Path, Path]) -> tuple[dict[str, int], dict[str, int]]:
    """What was read before there were halves, and once they had lain there."""
    await asyncio.to_thread(pipeline.ingest)
    before = await read(pipeline)
    await asyncio.gather(asyncio.to_thread(write_halves, lacking), asyncio.to_thread(pipeline.ingest))
    await asyncio.sleep(0.2)  # until they have lain long enough to be looked at
    await asyncio.to_thread(pipeline.ingest)
    return before, await read(pipeline)


@pytest.mark.law(2, "a file of three systems by a slow writer that is killed: nothing of it is read before it is whole")
async def test_a_half_written_file_is_read_once_it_is_whole(tmp_path: Path, population: Path, expected: str) -> None:
    pipeline, lacking = without_some(tmp_path, population)
    before, then = await with_halves(pipeline, lacking)
    assert then == before
    complete(lacking)
    await asyncio.sleep(0.2)  # as above
    await pipeline.fill()
    pipeline.correlate()
    assert pipeline.digest() == expected
    assert await wrong_counts(pipeline, population) == []


@pytest.mark.law(2, planted="a feed that takes any file that lies still")
async def test_without_patience_halves_would_be_read(tmp_path: Path, population: Path) -> None:
    """Planted: a feed that takes any file that lies still, whether what closes it is there or not."""
    pipeline, lacking = without_some(tmp_path, population, patience=0)
    before, then = await with_halves(pipeline, lacking)
    assert {key for key in then if then[key] > before[key]} >= {"I94/nightly", "APIS/files"}
