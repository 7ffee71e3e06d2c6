"""Writes the inputs of the cases anew; with `--expected` also what the adapters make of them, to be read before commit.

PYTHONPATH=tests python tests/systems/regenerate.py [--expected] [SYSTEM ...]

The inputs of a system are those of `inputs()` in its `inputs.py` or `build.py`, if it has one.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from systems.cases import HERE, Case, cases, reported


def inputs(folder: Path) -> dict[str, bytes]:
    """Case and file to its bytes, of a system's folder; none if its cases are written by hand."""
    for name in ("inputs", "build"):
        if (folder / f"{name}.py").exists():
            made = getattr(import_module(f"systems.{folder.name}.{name}"), "inputs", None)
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
    """All of it, or the systems that are named."""
    named = [word for word in sys.argv[1:] if not word.startswith("-")]
    for folder in sorted(HERE.iterdir()):
        if folder.name in named or not named:
            for name, data in inputs(folder).items():
                path = folder / "cases" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    if "--expected" in sys.argv:
        for case in cases():
            if case.system.lower() in named or not named:
                expect(case)


if __name__ == "__main__":
    main()
