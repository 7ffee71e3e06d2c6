"""How long one big file takes by `visabus ingest --workers N`: `tests/benchmarks/ingest_workers.py [--megabytes 100]`

One I-94 file, read onto an empty embedded bus by one process and by several in turns; seconds by the clock and CPU
seconds of all processes, medians of the runs, and what the process that reads has to do alone. It needs as many idle
processors as workers to say anything about time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from random import Random

HERE = Path(__file__).parents[2]
sys.path.insert(0, str(HERE / "tests"))

from systems.i94 import build  # noqa: E402  (behind the path that it is found by)

VISABUS = Path(sysconfig.get_path("scripts")) / "visabus"
BLOCK = 20_000
"""Details that are made at once."""


def write(file: Path, records: int) -> int:
    """Write an I-94 file of that many details; its size in bytes."""
    rng = Random(1)
    details = [
        build.detail(
            base, **{"TXN-NUMBER": number + 1, "I94-NUMBER": f"{number:011}", "PASSPORT-NUMBER": f"P{number:08}"}
        )
        for number, base in enumerate(rng.choices((build.ARRIVAL, build.DEPARTURE), k=records))
    ]
    file.write_bytes(build.night(details))
    os.utime(file, (0, 0))
    return file.stat().st_size


def ingest(folder: Path, data: Path, workers: int) -> tuple[float, float]:
    """Read the folder; seconds by the clock, and of CPU."""
    data.mkdir(mode=0o700)
    environment = {
        **os.environ,
        "VISABUS_DATA_DIR": str(data),
        "VISABUS_FEEDS": json.dumps({"I94.nightly": {"url": f"file://{folder}"}}),
        "VISABUS_LOG__LEVEL": "warning",
    }
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [VISABUS, "ingest", "--once", "--stamp", "recorded", "--workers", str(workers)]
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


def main() -> None:
    """Run the module's command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=25)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    given = parser.parse_args()
    results: dict[int, list[tuple[float, float]]] = {workers: [] for workers in given.workers}
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "in").mkdir()
        records = given.megabytes * 10**6 // build.FORMAT.length
        size = write(home / "in/I94.D20250314.S000412", records)
        print(f"{size / 1e6:.0f} MB, {records:,} records, {os.cpu_count()} processors")
        for run in range(given.runs):
            for workers in given.workers:
                results[workers].append(ingest(home / "in", home / f"data-{workers}-{run}", workers))
    base = statistics.median(clock for clock, _ in results[given.workers[0]])
    for workers, each in results.items():
        clock, cpu = (statistics.median(one[place] for one in each) for place in (0, 1))
        print(
            f"{workers} workers {clock:7.1f} s ({base / clock:4.2f} times the first), "
            f"{records / clock:8,.0f} records/s, {1e6 * cpu / records:6.1f} us of CPU a record"
        )


if __name__ == "__main__":
    main()
