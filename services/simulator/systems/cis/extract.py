"""CIS's records of 900 bytes as the interface document has them: EBCDIC, packed decimals, a header and a trailer."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.country_codes import INS_ALPHA
from services.simulator.clock import digits, stamp
from services.simulator.noise import Description

CODE_PAGE = "cp037"
LENGTH = 900


def packed(value: int, places: int, *, signed: bool = True) -> bytes:
    """Return a number in packed decimal, the sign in the last half-byte."""
    width = places + 1 + (places + 1) % 2
    return bytes.fromhex(f"{value:0{width - 1}}{'C' if signed else 'F'}")


def month_first(day: int) -> str:
    """Return a day as MMDDCCYY; zeros for none."""
    return _turned(digits(day)) if day else "0" * 8


def _turned(text: str) -> str:
    return text[4:] + text[:4]


def _text(value: str, width: int) -> str:
    """Return a value left-justified in blanks, cut at the width of the field."""
    return value[:width].ljust(width)


def _day(day: int) -> bytes:
    return packed(int(digits(day)) if day else 0, 8)


def country(state: str) -> str:
    """Return the usual code of the former INS for a country; blank where it has none."""
    try:
        return INS_ALPHA.code_of(state)
    except KeyError:
        return ""


@dataclass(frozen=True, slots=True)
class File:
    """What the index has of a file beside the person."""

    number: str  # nine digits
    office: str
    opened: int
    admission_class: str
    described_as: str
    port: str
    entered: int
    i94: str
    fin: str
    fbi: str
    kind: str = "I"
    resident: int = 0
    citizen: int = 0
    source: tuple[str, str] = ("", "")
    moved: tuple[str, int] = ("", 0)
    updated: int = 0  # instant


def detail(file: File, described: Description) -> bytes:
    """Return the record of a file."""
    who = described.person
    first, _, middle = who.given.partition(" ")
    display = (
        f"{file.number}{_text(file.office, 3)}{month_first(file.opened)}"
        f"{_text(who.family, 40)}{_text(first, 25)}{_text(middle, 25)}{' ' * 36}{' ' * 65}"
        f"{_turned(who.birth)}{' ' * 5}{_text(country(who.citizenship), 5)}"
        f"{_text(file.admission_class, 3)}{_text(file.described_as, 34)}"
        f"{_text(file.port, 3)}{month_first(file.entered)}"
        f"{who.sex if who.sex in 'FM' else 'U'}{' ' * 9}{_text(file.i94, 11)}{_text(described.passport.number, 20)}"
        f"{_text(file.fbi, 12)}{' ' * 60}{_text(file.fin, 10)}{file.kind}"
    )
    moves = [file.moved] if file.moved[0] else []
    moves += [("", 0)] * (6 - len(moves))
    own = _day(file.resident) + _day(file.citizen) + _blanks(10)
    own += (_text(file.source[0], 12) + _text(file.source[1], 30) + " " * 130).encode(CODE_PAGE)
    own += b"".join(_text(to, 3).encode(CODE_PAGE) + _day(on) for to, on in moves)
    return _whole(f"D{display}".encode(CODE_PAGE) + own + stamp(file.updated).encode(CODE_PAGE))


def extract(records: list[bytes], sequence: int, day: int) -> bytes:
    """Return a whole file."""
    head = "HUSCISCIS0100".encode(CODE_PAGE) + packed(sequence, 9, signed=False) + month_first(day).encode(CODE_PAGE)
    immigrants = sum(record[401:402] == "I".encode(CODE_PAGE) for record in records)
    tail = "T".encode(CODE_PAGE) + packed(sequence, 9, signed=False)
    tail += len(records).to_bytes(4) + immigrants.to_bytes(4)
    return _whole(head) + b"".join(records) + _whole(tail)


def _blanks(count: int) -> bytes:
    return b"\x40" * count


def _whole(record: bytes) -> bytes:
    return record + _blanks(LENGTH - len(record))
