"""How many records a CPU second each adapter reads and maps: `tests/benchmarks/adapters_speed.py [--old CHECKOUT]`.

The files are those of a simulated population, read as `visabus decode` reads them; nothing is published. Each build
decodes a system's files in a process of its own, old and new in turns, and the median of the turns counts. A system
that has few records in that population is given one of its own, many times as large, so that it is not the opening of
a file that is measured; what is asked by SOAP leaves no files, so the answers of its test cases are read. It ends with
1 if an adapter is below the limit, or below its share of the old build, where that has the system.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from adapters.registry import systems
from services.simulator import simulate
from services.simulator.registry import sources

ROOT = Path(__file__).parents[2]
LIMIT = 6_000
"""Records a CPU second that every adapter reads at the least."""
SHARE = 0.8
"""Of the old build's speed that every adapter keeps at the least."""
LEAST = 100
"""Records below which a system is measured on a population of its own."""
LARGER = 20
"""How many times as large that one is."""
PROGRAM = """
import json, sys, time
from pathlib import Path
from adapters.decode import Totals, decode_file
from adapters.registry import systems

system = systems()[sys.argv[1]]
lines = (line.partition("\\t") for line in sys.stdin.read().splitlines())
files = [(feed or None, Path(path)) for feed, _, path in lines]
rates, start = [], time.process_time()
while len(rates) < 2 or time.process_time() - start < 2.5:
    totals, begin = Totals(), time.process_time()
    for feed, file in files:
        for result in decode_file(system, file, feed=feed):
            totals.add(result)
    rates.append(totals.read / (time.process_time() - begin))
print(json.dumps([totals.read, max(rates)]))
"""


def files_of(system: str, population: Path) -> list[str]:
    """The files that a system left, each behind the name of the feed that reads it and a tab."""
    source = sources()[system]
    lines = []
    for name, at in source.feeds(population / source.place).items():
        path = Path(unquote(urlsplit(str(at["url"])).path))
        files = sorted(each for each in path.glob("*") if each.is_file()) if path.is_dir() else [path]
        lines += [f"{name.partition('.')[2]}\t{each}" for each in files if each.exists()]
    if lines:
        return lines
    if soap(system):
        cases = ROOT / "tests/systems" / system.lower() / "cases"
        return [f"\t{path}" for path in sorted(cases.glob("*/input.*"))]
    kept = [*population.glob(f"{system.lower()}/*"), *population.glob(f"{system.lower()}.*")]
    return [f"\t{path}" for path in sorted(kept)]


def soap(system: str) -> bool:
    """Whether the system is asked by SOAP."""
    return type(systems()[system].feeds[0].transport).__name__.startswith("Soap")


def has(checkout: Path, system: str) -> bool:
    """Whether a build has the system."""
    return (checkout / "adapters/systems" / system.lower()).is_dir()


def measured(checkout: Path, system: str, files: list[str]) -> tuple[int, float]:
    """Records read, and the best of several runs in one process: others use the machine too."""
    python = checkout / ".venv/bin/python"
    done = subprocess.run(
        [str(python if python.exists() else sys.executable), "-c", PROGRAM, system],
        input="\n".join(files),
        cwd=checkout,
        env={"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=True,
    )
    read, rate = json.loads(done.stdout)
    return read, rate


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=Path, help="a checkout of another build, with its .venv")
    parser.add_argument("--persons", type=int, default=1_500)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--system", action="append", help="only these")
    given = parser.parse_args()
    slow = []
    builds = [ROOT, *([given.old.resolve()] if given.old else [])]
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "population"
        names = tuple(given.system or systems())
        always = [source.system for source in sources().values() if source.required]
        simulate(place, persons=given.persons, seed=1, systems={*names, *always})
        print(f"{'system':12} {'records':>9} {'records/s':>10} {'old':>10} {'share':>6}")
        for system in names:
            files = files_of(system, place)
            if measured(ROOT, system, files)[0] < LEAST and not soap(system):
                larger = Path(directory) / system
                simulate(larger, persons=LARGER * given.persons, seed=1, systems={system, *always})
                files = files_of(system, larger)
            turns = [
                [measured(build, system, files) for build in builds if has(build, system)] for _ in range(given.turns)
            ]
            new, *others = (statistics.median(each[1] for each in runs) for runs in zip(*turns, strict=True))
            message = f"{others[0]:10,.0f} {new / others[0]:6.2f}" if others else ""
            print(f"{system:12} {turns[0][0][0]:9,} {new:10,.0f} {message}", flush=True)
            if new < LIMIT or (others and new < SHARE * others[0]):
                slow.append(system)
    if slow:
        sys.exit(f"too slow: {', '.join(slow)}")


if __name__ == "__main__":
    main()
