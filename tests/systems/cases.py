"""The cases: `systems/<system>/cases/<case>/` holds `input.*` and `expected.json` (events) or `expected.err`, or both.

Events stand without ids and digests. `expected.err` has a line for each refused record (its place, why), each filtered
one and each optional value that was lost. An `input.sql` is run on an
empty database with the interface's views, and the database is what is read. A case of another feed than the system's
first names it in a file `feed`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from adapters.core import System
from adapters.decode import decode_file
from adapters.registry import systems
from schemas.events import AnyEvent

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A folder."""

    folder: Path

    @property
    def name(self) -> str:
        """`system/case`."""
        return f"{self.folder.parents[1].name}/{self.folder.name}"

    @property
    def system(self) -> str:
        """The system's name."""
        return self.folder.parents[1].name.upper()

    @property
    def feed(self) -> str | None:
        """The feed that reads the input; None for the system's first."""
        path = self.folder / "feed"
        return path.read_text().strip() if path.exists() else None

    def input(self) -> bytes:
        """What is read."""
        (path,) = self.folder.glob("input.*")
        if path.suffix != ".sql":
            return path.read_bytes()
        made: bytes = import_module(f"systems.{self.system.lower()}.build").database(path.read_text())
        return made

    def expected(self, name: str) -> str:
        """The text of a file, nothing if there is none."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""


def cases(within: Path = HERE) -> list[Case]:
    """All of the systems whose folders lie in a folder, in order."""
    return [Case(path.parent) for path in sorted(within.glob("*/cases/*/input.*"))]


def plain(event: AnyEvent) -> dict[str, Any]:
    """An event without what is derived from all of it."""
    body = event.model_dump(mode="json", exclude_none=True)
    del body["id"], body["revision"]["digest"]
    return body


def reported(case: Case, system: System | None = None) -> tuple[str, str]:
    """What the adapter makes of a case: lines of events, lines of what was refused or filtered."""
    system = system or systems()[case.system]
    events, errors = [], []
    for result in decode_file(system, case.input(), name=case.folder.name, feed=case.feed):
        events += [plain(event) for event in result.events]
        if result.refused is not None:
            errors.append(f"{result.refused.place}: {result.refused.reason}")
        if result.filtered is not None:
            errors.append(f"{result.read.place}: filtered by {result.filtered}")
        errors += [f"{result.read.place}: goes on without {lost.reason}" for lost in result.lost]
    shown = json.dumps(events, indent=1, ensure_ascii=False) + "\n" if events else ""
    return shown, "".join(f"{line}\n" for line in errors)
