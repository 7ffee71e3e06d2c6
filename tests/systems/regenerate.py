"""Writes the inputs of the cases anew; with `--expected` also what the adapters make of them, to be read before commit.

PYTHONPATH=tests python tests/systems/regenerate.py [--expected] [SYSTEM ...]

The inputs of a system are those of `inputs()` in its `inputs.py` or `build.py`, if it has one. Beside the project's own
systems there are those of the packages that `VISABUS_SYSTEM_PACKAGES` names.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

from systems.cases import HERE, Case, cases, reported


def packages() -> dict[str, Path]:
    """Packages by name whose folders are systems with cases, and where each lies."""
    further = os.environ.get("VISABUS_SYSTEM_PACKAGES", "")
    names = [name.strip() for name in further.split(",") if name.strip()]
    return {"systems": HERE} | {name: Path(next(iter(import_module(name).__path__))) for name in names}


def inputs(folder: Path, package: str = "systems") -> dict[str, bytes]:
    """Case and file to its bytes, of a system's folder; none if its cases are written by hand."""
    for name in ("inputs", "build"):
        if (folder / f"{name}.py").exists():
            made = getattr(import_module(f"{package}.{folder.name}.{name}"), "inputs", None)
            if made is not None:
                return dict(made())
    return {}


def expect(case: Case) -> None:
    """Write what the adapter makes of a case now."""
    events, errors = reported(case)
    for name, text in (("expected.json", events), ("expected.err", errors)):
        path = case.folder / name
        path.unlink(missing_ok=True)
        if text:
            path.write_text(text)


def main() -> None:
    """All of it, or the systems that are named. Ends with a line where there is no folder of a name."""
    named = {word.lower() for word in sys.argv[1:] if not word.startswith("-")}
    places = packages()
    folders = {folder: package for package, place in places.items() for folder in sorted(place.iterdir())}
    if missing := named - {folder.name for folder in folders if folder.is_dir()}:
        sys.exit(f"no folder {', '.join(sorted(missing))} in {', '.join(map(str, places.values()))}")
    for folder, package in folders.items():
        if folder.name in named or not named:
            for name, data in inputs(folder, package).items():
                path = folder / "cases" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    if "--expected" in sys.argv:
        for case in [each for place in places.values() for each in cases(place)]:
            if case.system.lower() in named or not named:
                expect(case)


if __name__ == "__main__":
    main()
