"""Carriers' reservations as PNRGOV interchanges, those of a day in one file. From the interface document alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from time import time

from services.simulator.clock import digits as day_digits
from services.simulator.clock import local, stamp, utc_day
from services.simulator.rng import Rng
from services.simulator.spill_buffer import SpillBuffer
from services.simulator.systems.ats import rates

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
_ENDS = ("'", "'\n", "'\r\n")


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight; instants of its schedule."""

    carrier: str
    conveyance: str  # carrier and four digits
    origin: tuple[str, str]  # airport, zone
    destination: tuple[str, str]
    departs: int
    arrives: int

    @property
    def key(self) -> str:
        """Return what begins the key of a record."""
        return f"{self.conveyance} {day_digits(local(self.origin[1], self.departs)[0])} {self.origin[0]}"


@dataclass(frozen=True, slots=True)
class Passenger:
    """What a reservation says of a traveller; empty where it says nothing."""

    family: str
    given: str
    birth: str  # CCYYMMDD, zeros for what is not known
    sex: str
    citizenship: str
    locator: str
    passport: tuple[str, str] = ("", "")  # state, number
    foil: str = ""


class Reservations:
    """All interchanges, gathered by the day on which they were prepared."""

    def __init__(self, directory: Path, rng: Rng) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._spill_buffer = SpillBuffer(directory)
        self._rng = rng
        self._reference = 0
        self.travellers = self.filtered = 0

    def add(self, prepared: int, flight: Flight, who: Passenger, state: str = "HK", *, filtered: bool = False) -> None:
        """Tell of a reservation; `prepared` at a full minute."""
        line = "\t".join((stamp(prepared)[:12], flight.carrier, _heading(flight), _reservation(flight, who, state)))
        self._spill_buffer.add(day_digits(utc_day(prepared)), f"{line}\n".encode())
        self.travellers += 1
        self.filtered += filtered

    def finish(self) -> None:
        """Write the files."""
        for day, data in self._spill_buffer.take():
            lines = sorted(line.split("\t") for line in data.decode().splitlines())
            path = self._directory / f"PNR.D{day}.part"
            with path.open("wb") as file:
                for (prepared, carrier, heading), group in groupby(lines, key=lambda line: tuple(line[:3])):
                    for interchange in self._interchanges(prepared, carrier, heading, [line[3] for line in group]):
                        file.write(interchange.encode("ascii"))
            seen = int(time()) - 3_600
            os.utime(path, (seen, seen))
            path.rename(path.with_suffix(".edi"))

    def _interchanges(self, prepared: str, carrier: str, heading: str, reservations: list[str]) -> Iterator[str]:
        """Yield the interchange of a flight, or its parts."""
        count = len(reservations)
        parts = [[each] for each in reservations] if self._rng.chance(rates.IN_PARTS) else [reservations]
        for number, part in enumerate(parts, 1):
            self._reference += 1
            reference = f"{self._reference:09}"
            mark = f"{number:02}:{'F' if number == len(parts) else 'C'}"
            access = f"{carrier}/{prepared[2:8]}/{prepared[8:]}/24"
            agency = "XS" if self._reference % 3 == 0 else "IA"
            body = [f"UNH+1+PNRGOV:13:1:{agency}+{access}+{mark}", "MSG+:22", f"ORG+{carrier}:LON", heading]
            body += [f"EQN+{count}", *(segment for each in part for segment in each.split("'"))]
            body.append(f"UNT+{len(body) + 1}+1")
            when = f"{prepared[2:8]}:{prepared[8:]}"
            segments = [f"UNB+IATA:1+{carrier}+CBP+{when}+{reference}", *body, f"UNZ+1+{reference}"]
            end = _ENDS[self._reference % len(_ENDS)]
            yield f"UNA:+.?*'{end[1:]}" + "".join(f"{segment}{end}" for segment in segments)


def _heading(flight: Flight) -> str:
    number = flight.conveyance[len(flight.carrier) :].lstrip("0")
    departs, arrives = _local(flight.origin[1], flight.departs), _local(flight.destination[1], flight.arrives)
    return f"TVL+{departs}:{arrives}+{flight.origin[0]}+{flight.destination[0]}+{flight.carrier}+{number}"


def _local(zone: str, at: int) -> str:
    """DDMMYY and HHMM."""
    day, second = local(zone, at)
    digits = day_digits(day)
    return f"{digits[6:]}{digits[4:6]}{digits[2:4]}:{second // 3600:02}{second // 60 % 60:02}"


def _reservation(flight: Flight, who: Passenger, state: str) -> str:
    """The segments of a reservation of one traveller."""
    title = {"M": " MR", "F": " MRS"}.get(who.sex, "")
    given = f"+{_plain(who.given)}{title}:A:1" if who.given else ""
    segments = ["SRC", f"RCI+{flight.carrier}:{who.locator}", f"TIF+{_plain(who.family)}{given}"]
    if who.passport[1]:
        segments.append(f"SSR+DOCS:HK:1:{flight.carrier}:::::{_docs(who)}")
    if who.foil:
        segments.append(f"SSR+DOCO:HK:1:{flight.carrier}:::::/V/{who.foil}///USA")
    return "'".join((*segments, f"{_heading(flight)}:Y", f"RPI+1+{state}", "APD+388"))


def _docs(who: Passenger) -> str:
    state, number = who.passport
    year, month, day = who.birth[:4], who.birth[4:6], who.birth[6:]
    born = f"{day}{MONTHS[int(month) - 1]}{year}" if day != "00" else ""
    return "/".join(("", "P", state, number, who.citizenship, born, who.sex, "", _plain(who.family), _plain(who.given)))


def _plain(text: str) -> str:
    """A value in which nothing is taken for a separator."""
    return "".join(f"?{char}" if char in "?+:'*" else char for char in text)
