"""How many records a second each adapter reads and maps, in one process: `python tests/benchmarks/adapters_speed.py`.

The files are those of a simulated population, read as `visabus decode` reads them, medians of three; nothing is
published. Beside each figure stands its share of the limit that the busiest of the systems would need.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from adapters.decode import Totals, decode_file
from adapters.registry import systems
from services.simulator import simulate

LIMIT = 5_000
"""Records a second that one process of any adapter should read at the least."""
FILES = {"I94": "i94/*", "CLAIMS3": "claims3.db", "APIS": "apis/*", "SEVIS": "sevis/*", "IDENT": "ident/*"}


def measured(system: str, files: list[Path]) -> tuple[int, float]:
    """Records read, and seconds of CPU (process time: others use the machine too)."""
    found = systems()[system]
    totals = Totals()
    start = time.process_time()
    for file in files:
        for result in decode_file(found, file):
            totals.add(result)
    return totals.read, time.process_time() - start


def figures(directory: Path) -> Iterator[tuple[str, int, float]]:
    """Per system: records, and the median of records a second."""
    for system, pattern in FILES.items():
        files = sorted(directory.glob(pattern))
        runs = [measured(system, files) for _ in range(3)]
        yield system, runs[0][0], statistics.median(count / seconds for count, seconds in runs)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=4_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        simulate(Path(directory) / "population", persons=given.persons, seed=1, systems=tuple(FILES))
        print(f"{'system':10} {'records':>9} {'records/s':>10}  of {LIMIT:,}")
        for system, records, rate in figures(Path(directory) / "population"):
            print(f"{system:10} {records:9,} {rate:10,.0f}  {rate / LIMIT:.1f} times")


if __name__ == "__main__":
    main()
