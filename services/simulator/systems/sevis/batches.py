"""SEVIS' batches: XML in zip archives, one for each night in which something was processed.

Written from the interface document alone. Each archive has a member for students and one for exchange visitors, as far
as there are any; the last one vouches for the time since the archive before.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from time import time
from xml.sax.saxutils import escape, quoteattr

from services.simulator.clock import DAY, digits, iso_stamp, utc_day
from services.simulator.noise import Mistakes
from services.simulator.spill_buffer import SpillBuffer

NAMESPACE = "urn:visabus:sevis:batch:1"
MADE_AFTER = 1_800
"""Seconds from the instant through which a batch is complete to its making."""
_PROLOGUE = f'<?xml version="1.0" encoding="UTF-8"?>\n<SEVISBatch xmlns="{NAMESPACE}">\n'
_END = b"</Result>"
Pairs = tuple[tuple[str, str], ...]


def tag(name: str, content: str) -> str:
    """Return an element around what is XML already."""
    return f"<{name}>{content}</{name}>"


def tags(pairs: Pairs) -> str:
    """Elements with text, those without it left out."""
    return "".join(tag(name, escape(text)) for name, text in pairs if text)


def record(kind: str, attributes: Pairs, content: str, code: str, processed: int) -> bytes:
    """Return one record with its result."""
    named = "".join(f" {name}={quoteattr(text)}" for name, text in attributes)
    message = "" if code == "S0000" else "Student record is not in a state that allows this"
    result = tag(
        "Result", tags((("ResultCode", code), ("ProcessedAt", f"{iso_stamp(processed)}Z"), ("ErrorMessage", message)))
    )
    return f"  <{kind}{named}>{content}{result}</{kind}>\n".encode()


class Batches:
    """All nights from `since` to `records_end`."""

    def __init__(self, directory: Path, since: int, records_end: int, mistakes: Mistakes) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._since = since
        self._records_end = records_end
        self._mistakes = mistakes
        self._spill_buffer = SpillBuffer(directory)
        self._sequence = 0
        self.files = self.records = self.filtered = self.corrections = self.deletions = self.coverage = 0

    def _night(self, processed: int) -> int:
        return max(0, (processed - self._since - 1) // DAY)

    def nights_after(self, processed: int) -> int:
        """Return how many nights there are after the one whose batch covers an instant."""
        return self._night(self._records_end) - self._night(processed)

    def add(
        self, exchange: bool, action: str, processed: int, data: bytes, *, filtered: bool = False, late: int = 0
    ) -> None:
        """Put a record into the batch of its night, or of the one `late` nights later.

        What is older than the nights comes with the first.
        """
        night = self._night(processed) + late
        self._spill_buffer.add(f"{night:06}.{'visitors' if exchange else 'students'}", data)
        self.records += 1
        self.filtered += filtered
        self.corrections += action == "C"
        self.deletions += action == "D"

    def finish(self) -> None:
        """Write the archives."""
        last = (self._records_end - self._since - 1) // DAY
        covered = self._since
        nights: dict[int, dict[str, bytes]] = {last: {}}
        for name, data in self._spill_buffer.take():
            number, _, member = name.partition(".")
            nights.setdefault(int(number), {})[member] = data
        for night in sorted(nights):
            through = min(self._since + (night + 1) * DAY, self._records_end)
            self._archive(night, nights[night] or {"students": b""}, covered, through)
            covered = through

    def _archive(self, night: int, members: dict[str, bytes], since: int, through: int) -> None:
        made = through + MADE_AFTER + self._mistakes.file_delay()
        path = self._directory / f"SEVIS.D{digits(utc_day(through))}.S{night + 1:06}.part"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for index, (member, data) in enumerate(sorted(members.items()), start=1):
                stretch = (since, through) if index == len(members) else None
                # a date of its own, not today's: equal seeds write equal bytes
                info = zipfile.ZipInfo(f"{member}.xml", (2000, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, self._batch(data, made, stretch))
        seen = min(made, int(time()) - 3_600)
        os.utime(path, (seen, seen))
        path.rename(path.with_suffix(".zip"))
        self.files += 1

    def _batch(self, data: bytes, made: int, stretch: tuple[int, int] | None) -> bytes:
        self._sequence += 1
        header = tags(
            (
                ("BatchID", f"{digits(utc_day(made))}-{self._sequence:06}"),
                ("OrgID", "ICE-SEVP"),
                ("BatchSequence", str(self._sequence)),
                ("CreatedAt", f"{iso_stamp(made)}Z"),
                ("RecordCount", str(data.count(_END))),
            )
        )
        if stretch is not None:
            self.coverage += 1
            moments = (("Since", f"{iso_stamp(stretch[0])}Z"), ("Through", f"{iso_stamp(stretch[1])}Z"))
            header += tag("Coverage", tags(moments))
        head = f"{_PROLOGUE}  {tag('BatchHeader', header)}\n"
        return head.encode() + data + b"</SEVISBatch>\n"
