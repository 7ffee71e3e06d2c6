"""Carriers' manifests as PAXLST interchanges, the interchanges of a day in one file. From the interface document alone.

Everything about a flight that is told at one moment is one interchange: its passengers when it is listed, those aboard
when it is closed, those not aboard.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from time import time

from services.simulator.clock import digits, local, stamp, utc_day
from services.simulator.population.ports import ZONES
from services.simulator.spill_buffer import SpillBuffer

PARTNERS: dict[str, str] = {
    "AA": "BA",
    "BA": "AA",
    "JL": "AA",
    "QF": "AA",
    "IB": "BA",
    "UA": "LH",
    "LH": "UA",
    "NH": "UA",
    "AV": "UA",
    "SQ": "UA",
    "DL": "AF",
    "AF": "DL",
    "KL": "DL",
    "AM": "DL",
    "LA": "DL",
    "EK": "QF",
}
"""Whose flight each airline's is, too, under a number of the partner's own."""
LISTED, CHANGED, CANCELLED, ABOARD, NOT_ABOARD = "745", "745+CP", "745+XR", "266+CLOB", "266+CLNB"
"""What a message is: beginning of message, function."""
_GROUPED, _WRAPPED = 3, 4
"""Every third interchange has a message group, every fourth no line ends."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight of one leg; instants of its schedule."""

    carrier: str
    conveyance: str
    origin: tuple[str, str]
    destination: tuple[str, str]
    departs: int
    arrives: int

    @property
    def key(self) -> str:
        """Return what begins the key of a record: conveyance, local date and airport of departure."""
        return f"{self.conveyance} {digits(local(self.origin[1], self.departs)[0])} {self.origin[0]}"

    def shared(self) -> Flight:
        """Return the same flight as the partner sells it."""
        partner = PARTNERS[self.carrier]
        return replace(self, carrier=partner, conveyance=f"{partner}{5000 + int(self.conveyance[-4:]) % 2000:04}")


@dataclass(frozen=True, slots=True)
class Passenger:
    """What a manifest says of a traveller; empty where it says nothing."""

    family: str
    given: tuple[str, ...]
    birth: str  # CCYYMMDD
    sex: str
    citizenship: str
    booking: str = ""
    reference: str = ""
    passport: tuple[str, str] = ("", "")  # state, number
    foil: str = ""


def place(port: str) -> tuple[str, str]:
    """Return a port of the population as an airport with its zone."""
    return port, ZONES[port]


def plain(text: str) -> str:
    """Return a value in which nothing is taken for a separator."""
    return "".join(f"?{char}" if char in "?+:'" else char for char in text)


def traveller(who: Passenger, flight: Flight) -> str:
    """Return the segments of a traveller."""
    names = ":".join(plain(name) for name in (who.family, *who.given))
    segments = [f"NAD+FL+++{names}", f"ATT+2++{who.sex}", f"DTM+329:{who.birth}"]
    segments += [f"LOC+178+{flight.origin[0]}", f"LOC+179+{flight.destination[0]}", f"NAT+2+{who.citizenship}"]
    if who.booking:
        segments.append(f"RFF+AVF:{who.booking}")
    if who.reference:
        segments.append(f"RFF+ABO:{who.reference}")
    if who.passport[1]:
        segments += [f"DOC+P:110:111+{plain(who.passport[1])}", f"LOC+91+{who.passport[0]}"]
    if who.foil:
        segments += [f"DOC+V:110:111+{who.foil}", "LOC+91+USA"]
    return "'".join(segments)


def heading(flight: Flight) -> str:
    """Return the segments of a flight."""
    number = flight.conveyance[len(flight.carrier) :].lstrip("0")
    return "'".join(
        (
            f"TDT+20+{flight.carrier}{number}+++{flight.carrier}",
            f"LOC+125+{flight.origin[0]}",
            f"DTM+189:{_local(flight.origin, flight.departs)}:201",
            f"LOC+87+{flight.destination[0]}",
            f"DTM+232:{_local(flight.destination, flight.arrives)}:201",
        )
    )


def _local(airport: tuple[str, str], at: int) -> str:
    day, second = local(airport[1], at)
    return f"{digits(day)[2:]}{second // 3600:02}{second // 60 % 60:02}"


class Manifests:
    """All interchanges, gathered by the day on which they were prepared."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._spill_buffer = SpillBuffer(directory)
        self._reference = 0
        self.files = self.interchanges = self.travellers = self.filtered = self.closed = self.taken_back = 0

    def add(self, prepared: int, kind: str, flight: Flight, who: Passenger, *, filtered: bool = False) -> None:
        """Tell of a traveller; `prepared` at a full minute."""
        line = "\t".join((stamp(prepared)[:12], flight.carrier, kind, heading(flight), traveller(who, flight)))
        self._spill_buffer.add(digits(utc_day(prepared)), f"{line}\n".encode())
        self.travellers += 1
        self.filtered += filtered
        self.closed += kind == ABOARD
        self.taken_back += kind in (NOT_ABOARD, CANCELLED)

    def finish(self) -> None:
        """Write the files."""
        for day, data in self._spill_buffer.take():
            lines = sorted(line.split("\t") for line in data.decode().splitlines())
            path = self._directory / f"APIS.D{day}.part"
            with path.open("wb") as file:
                for head, group in groupby(lines, key=lambda line: line[:4]):
                    file.write(self._interchange(head, [line[4] for line in group]))
            seen = int(time()) - 3_600
            os.utime(path, (seen, seen))
            path.rename(path.with_suffix(".edi"))
            self.files += 1

    def _interchange(self, head: list[str], people: list[str]) -> bytes:
        prepared, carrier, kind, flight = head
        self._reference += 1
        self.interchanges += 1
        reference = f"{self._reference:09}"
        message = [*f"BGM+{kind}'NAD+MS+++{carrier} OPERATIONS'{flight}".split("'")]
        message += [segment for person in people for segment in person.split("'")]
        message.append(f"CNT+42:{len(people)}")
        when = f"{prepared[2:8]}:{prepared[8:]}"
        segments = [
            f"UNB+UNOA:4+{carrier}:ZZ+USCSAPIS:ZZ+{when}+{reference}++APIS",
            *_grouped(carrier, when, message, grouped=self._reference % _GROUPED == 0),
            f"UNZ+1+{reference}",
        ]
        end = "'" if self._reference % _WRAPPED == 0 else "'\n"
        return ("UNA:+.? '" + end[1:] + end.join(segments) + end).encode("ascii")


def _grouped(carrier: str, when: str, message: Iterable[str], *, grouped: bool) -> list[str]:
    """Return a message, with a group around it or not."""
    inside = ["UNH+1+PAXLST:D:05B:UN:IATA", *message]
    inside.append(f"UNT+{len(inside) + 1}+1")
    return [f"UNG+PAXLST+{carrier}:ZZ+USCSAPIS:ZZ+{when}+1+UN+D:05B", *inside, "UNE+1+1"] if grouped else inside
