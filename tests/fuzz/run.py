"""Fuzzes every system from bytes to events, with coverage as the guide. No part of the suite: `make fuzz SECONDS=600`.

Needs `atheris`. The targets are found: each system that is connected, with its cases and simulated files to begin with,
and each module of `tests/formats` and `tests/systems` named `fuzz.py`, whose `TARGETS` have further laws by name. A
run goes on with what it found before (`var/fuzz/TARGET/found`). An input that breaks a law is left in
`var/fuzz/TARGET`, and the end of this is an error.
One target alone: `PYTHONPATH=tests:. python tests/fuzz/run.py TARGET SECONDS`.
"""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["adapters", "zipfile"]):
    from adapters.registry import systems

    SYSTEMS = systems()  # here they are imported

from systems.contract import target

from services.cli.children import VISABUS

TESTS = Path(__file__).parents[1]
PLACE = Path("var/fuzz")
LIMITS = ("-timeout=20", "-rss_limit_mb=700", "-print_final_stats=1")
"""Seconds for one input and memory for the process: Python, the interfaces' code and the corpus need about 300 MB."""
LONGEST = 20_000
"""Bytes of an input. What needs more of them is in the tests of bounded memory."""


def simulated(system: str) -> dict[str, bytes]:
    """The largest files of a system in a small population with mistakes, which is written once."""
    folder = PLACE / "population"
    if not folder.exists():
        subprocess.run(
            [VISABUS, "simulate", folder, "--persons", "20", "--noise", "1"], check=True, stdout=subprocess.DEVNULL
        )
    paths = [path for path in (*folder.glob(f"{system}/**/*"), *folder.glob(f"{system}.*")) if path.is_file()]
    return {path.name: path.read_bytes() for path in sorted(paths, key=lambda path: -path.stat().st_size)[:40]}


def targets() -> dict[str, Any]:
    """Every target by its name: whatever has `seeds()` and `laws(data)`."""
    by_name: dict[str, Any] = {name.lower(): target(name) for name in SYSTEMS}
    for path in sorted([*TESTS.glob("formats/*/fuzz.py"), *TESTS.glob("systems/*/fuzz.py")]):
        by_name |= import_module(".".join(path.relative_to(TESTS).with_suffix("").parts)).TARGETS
    return by_name


def fuzz(name: str, seconds: int) -> None:
    """One target in this process. Does not return."""
    aim, place = targets()[name], PLACE / name
    result, seeds = place / "found", place / "seeds"
    for folder in (result, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for case, data in (aim.seeds() | simulated(name)).items():
        if len(data) <= LONGEST:
            (seeds / case).write_bytes(data)
    bounds = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={place}/", *LIMITS]
    atheris.Setup([sys.argv[0], str(result), str(seeds), *bounds], aim.laws)
    atheris.Fuzz()


def main() -> None:
    """One target, or one after another, each in a process of its own."""
    *names, seconds = sys.argv[1:]
    if names:
        fuzz(names[0], int(seconds))
    failed = [name for name in targets() if subprocess.run([sys.executable, __file__, name, seconds]).returncode]
    if failed:
        sys.exit(f"broken laws, see {PLACE}: {', '.join(failed)}")


if __name__ == "__main__":
    main()
