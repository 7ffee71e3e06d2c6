"""The I-94 nightly files: EBCDIC records with packed numbers, a header, details, a trailer that adds them up.

Written from the interface document alone. Details are gathered per night and flushed to the unfinished files when they
grow large, so that memory does not grow with the population.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from time import time

from services.simulator.clock import DAY, digits, stamp, utc_day, wall_digits
from services.simulator.noise import Mistakes
from services.simulator.population.plans import Crossing, Passport, without_hyphen

CODE_PAGE = "cp037"
LENGTH = 250
SCOPES = ("AA", "AS", "AL", "DA", "DS", "DL")
MADE_AFTER = 3_600
"""Seconds from the instant through which a file is complete to the making of the file."""
_FLUSH = 32_000_000
_HASH_MODULUS = 10**17


def packed(value: int, digits: int, *, signed: bool = True) -> bytes:
    """Return a number in packed decimal: two digits a byte, the sign in the last half-byte. Raises ValueError."""
    if abs(value) >= 10**digits or (value < 0 and not signed):
        raise ValueError(f"{value} does not fit in {digits} digits")
    sign = "F" if not signed else "D" if value < 0 else "C"
    width = digits + 1 + (digits + 1) % 2
    return bytes.fromhex(f"{abs(value):0{width - 1}}{sign}")


def text(value: str, width: int) -> str:
    """Left-justified in blanks, cut at the width of the field."""
    return value[:width].ljust(width)


@dataclass(frozen=True, slots=True)
class Traveller:
    """What a detail says of the person; all empty where it says nothing."""

    number: str = ""
    family: str = ""
    given: str = ""
    birth: str = "00000000"
    sex: str = " "
    citizenship: str = ""
    passport: Passport | None = None
    foil: str = ""


def detail(
    kind: str, action: str, transaction: int, updated: int, who: Traveller, crossing: Crossing, data: bytes
) -> bytes:
    """Return a detail record. `data` is what the type of transaction adds, with all that follows it."""
    when = "999999" if crossing.second is None else wall_digits(crossing.second)
    passport = f"{who.passport.state:3}{who.passport.number:15}" if who.passport else " " * 18
    body = (
        f"{stamp(updated)}{who.number:11}{who.family[:39]:39}{who.given[:39]:39}{who.birth}{who.sex}"
        f"{who.citizenship:3}{passport}{who.foil:8}{crossing.port}{crossing.mode}{crossing.carrier:3}"
        f"{crossing.conveyance:10}{digits(crossing.day)}{when}{'2' if crossing.again else ' '}"
    )
    head = f"D{kind}{action}".encode(CODE_PAGE)
    return head + packed(transaction, 11, signed=False) + body.encode(CODE_PAGE) + data


_BLANKS = (" " * LENGTH).encode(CODE_PAGE)
_TAIL = b"OFFICE01T001".decode().encode(CODE_PAGE) + _BLANKS[:26]


def _day_number(day: int) -> bytes:
    return packed(int(digits(day)) if day else 0, 8)


DURATION = -1
"""For a last day: duration of status."""


def arrival_data(admission_class: str, inspection: str, last_day: int) -> bytes:
    """Class, result of the inspection, last day (0: not stated)."""
    kind = "S" if last_day == DURATION else "D" if last_day else " "
    text_part = f"{without_hyphen(admission_class):4}{inspection}{kind}"
    return text_part.encode(CODE_PAGE) + _day_number(max(last_day, 0)) + _BLANKS[:19] + _TAIL


def departure_data(evidence: str) -> bytes:
    """Return the data of a departure: how it is known."""
    return evidence.encode(CODE_PAGE) + _BLANKS[:29] + _TAIL


def extension_data(granted_until: int, valid_from: int) -> bytes:
    """Return the data of an extension: the new last day, and from when it holds."""
    text_part = "    D".encode(CODE_PAGE)
    return text_part + _day_number(granted_until) + _day_number(valid_from) + _BLANKS[:15] + _TAIL


@dataclass(slots=True)
class Night:
    """One night's file while it is written."""

    buffer: bytearray
    arrivals: int = 0
    departures: int = 0
    extensions: int = 0
    total: int = 0


class Nights:
    """All nights from `since` to `records_end`, one file each, each complete through the end of its night."""

    def __init__(self, directory: Path, since: int, records_end: int, mistakes: Mistakes) -> None:
        directory.mkdir(parents=True)
        count = (records_end - since) // DAY
        self._directory = directory
        self._since = since
        self._nights = [Night(bytearray()) for _ in range(count)]
        self._made = [self.through(night) + MADE_AFTER + mistakes.file_delay() for night in range(count)]
        self._held = 0
        self.details = self.arrivals = self.departures = self.extensions = self.corrections = self.deletions = 0

    def __len__(self) -> int:
        return len(self._nights)

    def night_of(self, at: int) -> int:
        """Return the night whose file covers an instant."""
        return (at - self._since - 1) // DAY

    def through(self, night: int) -> int:
        """Return the instant through which that night's file is complete."""
        return self._since + (night + 1) * DAY

    def add(self, night: int, transaction: int, record: bytes, kind: str, action: str) -> None:
        """Put a detail into a night's file."""
        held = self._nights[night]
        held.buffer += record
        held.total += transaction
        if kind == "A":
            held.arrivals += 1
        elif kind == "D":
            held.departures += 1
        else:
            held.extensions += 1
        self.details += 1
        self.corrections += action == "C"
        self.deletions += action == "D"
        self._held += LENGTH
        if self._held > _FLUSH:
            self._flush()

    def finish(self) -> None:
        """Complete all files and give them their names."""
        self._flush()
        for index, night in enumerate(self._nights):
            count = night.arrivals + night.departures + night.extensions
            path = self._path(index)
            with path.open("ab") as file:
                if not count:
                    file.write(self._header(index))
                file.write(_trailer(index + 1, night))
            # made in its night, long ago: no reader has to wait whether it still grows
            made = min(self._made[index], int(time()) - MADE_AFTER)
            os.utime(path, (made, made))
            path.rename(path.with_suffix(""))
            self.arrivals += night.arrivals
            self.departures += night.departures
            self.extensions += night.extensions

    def _flush(self) -> None:
        for index, night in enumerate(self._nights):
            if night.buffer:
                path = self._path(index)
                begun = path.exists()
                with path.open("ab") as file:
                    file.write(night.buffer if begun else self._header(index) + night.buffer)
                night.buffer = bytearray()
        self._held = 0

    def _path(self, index: int) -> Path:
        day = digits(utc_day(self.through(index)))
        return self._directory / f"I94.D{day}.S{index + 1:06}.part"

    def _header(self, index: int) -> bytes:
        through = self.through(index)
        since = self._since if not index else self.through(index - 1)
        entries = "".join(f"{scope}{stamp(since)}{stamp(through)}" for scope in SCOPES)
        header = (
            f"HCBPI94  0100{digits(utc_day(through))}{index + 1:06}{stamp(self._made[index])}{index:06}"
            f"{len(SCOPES):02}{entries}"
        )
        return text(header, LENGTH).encode(CODE_PAGE)


def _trailer(sequence: int, night: Night) -> bytes:
    counts = (
        night.arrivals + night.departures + night.extensions,
        night.arrivals,
        night.departures,
        night.extensions,
    )
    numbers = b"".join(count.to_bytes(4, "big") for count in counts)
    head = f"T{sequence:06}".encode(CODE_PAGE)
    return head + numbers + packed(night.total % _HASH_MODULUS, 17) + _BLANKS[:218]
