"""FILETRACK as the simulator has it: a file of all admissions that have a number."""

from __future__ import annotations

from pathlib import Path

from services.simulator.clock import iso
from services.simulator.log import PersonLog, reported_at
from services.simulator.source import Counts, Feeds, Run, Source, Writer

STAMP = "2026-10-31T07:00:00Z"


class FileTrackWriter:
    """Writes one file."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lines: list[str] = []

    def write(self, log: PersonLog) -> None:
        """Write a line for each admission."""
        for stay in log.person.stays:
            if not stay.number or reported_at(stay.arrival) > self._run.span.records_end:
                continue
            key = f"F{len(self._lines) + 1}"
            self._lines.append(f"D|{key}|N|{stay.number}||||{iso(stay.arrival.day)}|{STAMP}|A1")
            log.add(self._run.system, key, {f"i94:{stay.number}"})

    def finish(self) -> Counts:
        """Complete the file."""
        self._run.place.mkdir()
        lines = [f"H|1|1|{STAMP}|2020-01-01T00:00:00Z|{STAMP}", *self._lines, f"T|1|{len(self._lines)}"]
        (self._run.place / "track.000001").write_text("\n".join(lines) + "\n")
        return {"read": len(self._lines), "published": len(self._lines), "filtered": 0}


class FileTrack(Source):
    """A system that drops files."""

    system = "FILETRACK"
    place = "filetrack"

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return FileTrackWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the files."""
        return {"FILETRACK.files": {"url": place.as_uri()}}


SOURCE = FileTrack()
