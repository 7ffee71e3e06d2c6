"""The cases: `systems/<system>/<case>/` holds `input.*` and `expected.jsonl` (events) or `expected.err`, or both.

`expected.err` has a line for each refused record (its place, why) and each filtered one. An `input.sql` is run on an
empty database with the interface's views, and the database is what is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson
from systems.build import database

from adapters.decode import decode_file
from adapters.registry import systems

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A folder."""

    folder: Path

    @property
    def name(self) -> str:
        """`system/case`."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    def input(self) -> bytes:
        """What is read."""
        (path,) = self.folder.glob("input.*")
        return database(path.read_text()) if path.suffix == ".sql" else path.read_bytes()

    def expected(self, name: str) -> str:
        """The text of a file, nothing if there is none."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""


def cases() -> list[Case]:
    """All, in order."""
    return [Case(path.parent) for path in sorted(HERE.glob("*/*/input.*"))]


def told(case: Case) -> tuple[str, str]:
    """What the adapter makes of a case: lines of events, lines of what was refused or filtered."""
    system = systems()[case.folder.parent.name.upper()]
    events, errors = [], []
    for result in decode_file(system, case.input(), name=case.folder.name):
        events += [orjson.dumps(event.model_dump(mode="json", exclude_none=True)).decode() for event in result.events]
        if result.refused is not None:
            errors.append(f"{result.refused.place}: {result.refused.reason}")
        if result.filtered is not None:
            errors.append(f"{result.read.place}: filtered by {result.filtered}")
    return "".join(f"{line}\n" for line in events), "".join(f"{line}\n" for line in errors)
