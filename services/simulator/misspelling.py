"""Ways in which a name or a date of birth comes out otherwise than it is. Names are upper case, dates CCYYMMDD."""

from __future__ import annotations

from calendar import isleap

from services.simulator.rng import Rng

SPELLINGS: tuple[tuple[str, str], ...] = (
    # what is written -> another spelling that is allowed, or usual, for the same name
    ("SCH", "SH"),
    ("UE", "U"),
    ("OE", "O"),
    ("AE", "A"),
    ("ZH", "J"),
    ("CH", "TCH"),
    ("SH", "SCH"),
    ("PH", "F"),
    ("TH", "T"),
    ("OU", "U"),
    ("EE", "I"),
    ("OO", "U"),
    ("YU", "IU"),
    ("Y", "I"),
    ("K", "C"),
    ("W", "V"),
    ("Z", "S"),
    ("X", "KS"),
    ("J", "I"),
    ("LL", "L"),
    ("RR", "R"),
    ("SS", "S"),
    ("NN", "N"),
    ("U", "OU"),
    ("I", "Y"),
    ("C", "K"),
    ("O", "OH"),
    ("S", "SS"),
    ("N", "NN"),
)
_NEAR = {"A": "E", "E": "A", "I": "E", "O": "U", "U": "O", "M": "N", "N": "M", "D": "T", "T": "D", "B": "P", "P": "B"}


def transliterated(name: str) -> str:
    """Return the name in another spelling, one place changed; the same name where none is known."""
    for written, other in SPELLINGS:
        if written in name:
            return name.replace(written, other, 1)
    return name


def typo(name: str, rng: Rng) -> str:
    """Return the name with one letter left out, twice, wrong, or two in the wrong order. It is never the same."""
    at = rng.between(1, max(1, len(name) - 2))
    kind = rng.between(0, 3)
    before, letter, after = name[:at], name[at : at + 1], name[at + 1 :]
    if kind == 0 and len(name) > 2 and letter.isalpha():
        return before + after
    if kind == 1 and letter.isalpha():
        return before + letter * 2 + after
    if kind == 2 and after[:1].isalpha() and letter.isalpha() and after[0] != letter:
        return before + after[0] + letter + after[1:]
    if letter.isalpha():
        return before + _NEAR.get(letter, "R" if letter != "R" else "L") + after
    return name + "A"


def day_and_month(birth: str) -> str:
    """Day and month swapped; the same date where that gives none, or the same."""
    month, day = birth[4:6], birth[6:]
    return f"{birth[:4]}{day}{month}" if "01" <= day <= "12" else birth


def digit(birth: str, rng: Rng) -> str:
    """Return the date with one digit of the year or of the day wrong. It is always a date, and another one."""
    year, day = int(birth[:4]), int(birth[6:])
    if rng.chance(0.5) and birth[4:] != "0229":
        near = 1 if year % 10 < 9 else -1
        far = -10 if year > 1950 else 10
        return f"{year + (near if rng.chance(0.7) else far)}{birth[4:]}"
    return f"{birth[:6]}{day - 1 if day > 1 else day + 1:02}"


def year(birth: str, rng: Rng) -> str:
    """Return the date with one digit of its year wrong, within the century. It is always a date, and another one."""
    leap = birth.endswith("0229")
    wrong = [
        f"{birth[:place]}{digit}{birth[place + 1 :]}"
        for place in (2, 3)
        for digit in range(10)
        if str(digit) != birth[place]
    ]
    return rng.one([each for each in wrong if "1900" < each[:4] <= "2025" and (not leap or isleap(int(each[:4])))])


def number(value: str, rng: Rng) -> str:
    """Return the number with one of its digits wrong."""
    places = [place for place, sign in enumerate(value) if sign.isdigit()]
    place = rng.one(places)
    digit = (int(value[place]) + rng.between(1, 9)) % 10
    return f"{value[:place]}{digit}{value[place + 1 :]}"


PARTICLES = frozenset("AL EL DE DELA DEL DELOS VAN VON BIN ABDUL ABDEL DOS DA SAN".split())
"""Words in front of a name that some write apart, some together, and some not at all."""


def separable(name: str) -> bool:
    """Return whether the name has several words."""
    return " " in name or "-" in name


def glued(name: str, rng: Rng) -> str:
    """Return a name of several words with them written together, with a blank for a hyphen, or without its particle."""
    first, rest = name.replace("-", " ").split(" ", 1)
    roll = rng.random.random()
    if roll < 0.2 and first in PARTICLES:
        return rest
    if roll < 0.4:
        return name.replace("-", " ") if "-" in name else name.replace(" ", "-")
    return name.replace("-", "").replace(" ", "")
