"""Machine-readable zones of travel documents and visas: ICAO Doc 9303 parts 4 to 7, check digits by part 3.

TD1 (cards, three lines of 30), TD2 (two of 36), TD3 (passports, two of 44), MRV-A and MRV-B (visas, two of 44 and 36).
A filler `<` stands for a blank or hyphen inside a value and for nothing behind one. A document number of more than nine
characters goes on in the optional data of TD1 and TD2, with a filler in place of its check digit. Single fields in
this spelling (`D<<`, `AB<123456`, `SMITH<<JOHN`) are read by `plain` and `names`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from schemas.identifiers import check_digit

_CHARACTERS = re.compile("[A-Z0-9<]+")
_KINDS = {(2, 44): "TD3", (2, 36): "TD2", (3, 30): "TD1"}
_VISAS = {"TD3": "MRV-A", "TD2": "MRV-B"}
_UNKNOWN = "<<"


class MrzError(ValueError):
    """The text is no machine-readable zone; the message says why and not what is in it."""


@dataclass(frozen=True, slots=True)
class Zone:
    """What a zone says. `wrong` names the fields whose check digit is not right: nothing in them is certain."""

    kind: str
    document: str  # P, I, AC, V ...: the document's code
    issuer: str
    number: str
    family: str
    given: str
    citizenship: str
    birth: str | None  # YYYY-MM-DD as far as it is known
    sex: str | None  # F or M; what is not stated, or neither, is a filler
    expires: str | None
    optional: str
    wrong: tuple[str, ...] = ()


def read(text: str | Sequence[str], latest: date) -> Zone:
    """The zone in its lines, or in one text of them. `latest`: the last day on which its holder can have been born.

    Raises MrzError.
    """
    lines = _lines(text)
    kind = _KINDS.get((len(lines), len(lines[0])))
    if kind is None or any(len(line) != len(lines[0]) for line in lines):
        raise MrzError(f"lines of {', '.join(str(len(line)) for line in lines)} characters: no format of ICAO 9303")
    if kind == "TD1":
        return _card(lines, latest)
    if lines[0][0] == "V":
        kind = _VISAS[kind]
    return _two_lines(kind, lines, latest)


def plain(text: str) -> str:
    """A field's value: fillers inside are blanks, those behind nothing."""
    return " ".join(text.replace("<", " ").split())


def names(text: str) -> tuple[str, str]:
    """Family and given names of a field of names; a single name stands in the first."""
    family, _, given = text.strip("<").partition("<<")
    return plain(family), plain(given)


def _lines(text: str | Sequence[str]) -> list[str]:
    parts = text.split() if isinstance(text, str) else [part.strip() for part in text]
    whole = "".join(parts)
    if not _CHARACTERS.fullmatch(whole):
        raise MrzError("characters that a machine-readable zone does not have")
    if len(parts) == 1:  # one text without line ends
        count, length = next((shape for shape in _KINDS if shape[0] * shape[1] == len(whole)), (1, len(whole)))
        return [whole[at : at + length] for at in range(0, count * length, length)]
    return parts


def _two_lines(kind: str, lines: list[str], latest: date) -> Zone:
    first, second = lines
    stop = {"TD3": 42, "TD2": 35}.get(kind, len(second))  # of the optional data
    number, optional, wrong = _number(second[:9], second[9], second[28:stop], overlong=kind == "TD2")
    wrong += _checked("birth", second[13:19], second[19]) + _checked("expires", second[21:27], second[27])
    if kind == "TD3":
        right = (second[42] == "<" and not optional) or check_digit(second[28:42]) == second[42]
        wrong += [] if right else ["optional"]
    if kind in ("TD2", "TD3"):
        wrong += _checked("composite", second[:10] + second[13:20] + second[21:-1], second[-1])
    family, given = names(first[5:])
    return Zone(
        kind=kind,
        document=plain(first[:2]),
        issuer=plain(first[2:5]),
        number=number,
        family=family,
        given=given,
        citizenship=plain(second[10:13]),
        birth=_birth(second[13:19], latest),
        sex=second[20] if second[20] in "FM" else None,
        expires=_expiry(second[21:27]),
        optional=optional,
        wrong=tuple(wrong),
    )


def _card(lines: list[str], latest: date) -> Zone:
    first, second, third = lines
    number, optional, wrong = _number(first[5:14], first[14], first[15:], overlong=True)
    wrong += _checked("birth", second[:6], second[6]) + _checked("expires", second[8:14], second[14])
    wrong += _checked("composite", first[5:] + second[:7] + second[8:15] + second[18:29], second[29])
    family, given = names(third)
    return Zone(
        kind="TD1",
        document=plain(first[:2]),
        issuer=plain(first[2:5]),
        number=number,
        family=family,
        given=given,
        citizenship=plain(second[15:18]),
        birth=_birth(second[:6], latest),
        sex=second[7] if second[7] in "FM" else None,
        expires=_expiry(second[8:14]),
        optional=" ".join(filter(None, (optional, plain(second[18:29])))),
        wrong=tuple(wrong),
    )


def _number(field: str, check: str, optional: str, *, overlong: bool) -> tuple[str, str, list[str]]:
    """The document's number, what else stands in the optional data, and `number` if its check digit is wrong."""
    if overlong and check == "<" and optional[:1] != "<" and "<" not in field:
        rest, _, behind = optional.partition("<")
        whole = field + rest[:-1]
        return plain(whole), plain(behind), _checked("number", whole, rest[-1:])
    return plain(field), plain(optional), _checked("number", field, check)


def _checked(name: str, field: str, check: str) -> list[str]:
    if check == "<" and not field.strip("<"):
        return []  # nothing to check
    return [] if check_digit(field) == check else [name]


def _birth(field: str, latest: date) -> str | None:
    """YYMMDD; unknown parts are fillers, from behind. The latest century in which the day is not to come."""
    year, month, day = field[:2], field[2:4], field[4:]
    if not year.isdecimal():
        return None
    century = latest.year // 100 * 100
    message = f"{century + int(year):04}" + "".join(part for part in (month, day) if part != _UNKNOWN)
    if message > latest.strftime("%Y%m%d")[: len(message)]:
        century -= 100
    return _day(century + int(year), month, day)


def _expiry(field: str) -> str | None:
    return _day(2000 + int(field[:2]), field[2:4], field[4:]) if field[:2].isdecimal() else None


def _day(year: int, month: str, day: str) -> str | None:
    """As far as it is known; None if it is no day."""
    if month == _UNKNOWN:
        return f"{year:04}" if day == _UNKNOWN else None
    try:
        date(year, int(month), 1 if day == _UNKNOWN else int(day))
    except ValueError:
        return None
    return f"{year:04}-{month}" + ("" if day == _UNKNOWN else f"-{day}")
