"""How much CPU one ingest process takes for an event: `python tests/benchmarks/ingest_cpu.py [--old CHECKOUT]`

One process reads the files of a simulated population onto an empty embedded bus (`visabus ingest --once`). The figure
is the CPU time of that process, user and system, for each event: the median of the runs. With `--old` another checkout
(with its `.venv`) reads the same files in turns with this one, and the last line is the ratio of the two medians.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from schemas.topics import EVENT_TOPICS
from services.simulator import addresses, simulate
from services.simulator.simulation import Feeds

HERE = Path(__file__).parents[2]


def ingest(checkout: Path, feeds: Feeds, data: Path) -> tuple[float, int]:
    """Read the feeds in one process; its CPU seconds and the events that it published."""
    environment = {
        **os.environ,
        "VISABUS_DATA_DIR": str(data),
        "VISABUS_FEEDS": json.dumps(feeds),
        "VISABUS_LOG__LEVEL": "warning",
    }
    command = [str(checkout / ".venv/bin/visabus"), "ingest", "--once", "--stamp", "recorded"]
    silent = [(os.POSIX_SPAWN_OPEN, 2, str(data.with_suffix(".log")), os.O_WRONLY | os.O_CREAT, 0o600)]
    process = os.posix_spawn(command[0], command, environment, file_actions=silent)
    _, status, usage = os.wait4(process, 0)
    if status != 0:
        sys.exit(f"{checkout}: ingest failed\n{data.with_suffix('.log').read_text()}")
    return usage.ru_utime + usage.ru_stime, events_on(data / "bus.db")


def events_on(bus: Path) -> int:
    """Count the events on an embedded bus."""
    marks = ", ".join("?" * len(EVENT_TOPICS))
    query = f"SELECT sum(next) FROM partitions WHERE topic IN ({marks})"
    with closing(sqlite3.connect(bus)) as connection:
        return int(connection.execute(query, EVENT_TOPICS).fetchone()[0])


def main() -> None:
    """Run the module's command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--old", type=Path, help="another checkout, with its .venv")
    given = parser.parse_args()
    checkouts = {"this": HERE} | ({"old": given.old.resolve()} if given.old is not None else {})
    costs: dict[str, list[float]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        simulate(home / "population", persons=given.persons, seed=1)
        feeds = addresses(home / "population")
        for run in range(given.runs):
            for name, checkout in checkouts.items():
                data = home / f"{name}-{run}"
                data.mkdir(mode=0o700)
                seconds, events = ingest(checkout, feeds, data)
                costs[name].append(seconds / events)
                print(f"{name:5} {seconds:6.2f} s CPU, {events:,} events, {1e6 * seconds / events:7.1f} us an event")
    medians = {name: statistics.median(each) for name, each in costs.items()}
    for name, cost in medians.items():
        print(f"{name:5} median {1e6 * cost:7.1f} us of CPU an event")
    if "old" in medians:
        print(f"ratio {medians['this'] / medians['old']:.3f} (at most 0.7 wanted)")


if __name__ == "__main__":
    main()
