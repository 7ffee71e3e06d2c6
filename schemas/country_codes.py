"""The codes of countries that legacy systems write, beside those of ICAO 9303 (`schemas.countries`): none is another.

Each set is a table below `data/countries`, whose head names its source and date. A row has the code, the ICAO code that
it stands for (none where it names no country: a ship, a continent, "unknown"), what it may say of somebody, and the
name that the source gives it. Several codes stand for one country; where one of them is the usual, `code_of` gives it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

from schemas.countries import STATES, citizenship

Use = Literal["citizenship", "issuer", "birth"]
"""What a code says of somebody: the citizenship, who issued the passport, where the birth was."""
_USES: Mapping[str, Use] = {"C": "citizenship", "I": "issuer", "B": "birth"}
_MARKS = re.compile(r"[.'’`´()/,-]+")
_SAINT = re.compile(r"\bST\b(?= [A-Z])")


@dataclass(frozen=True, slots=True)
class _Row:
    text: str  # as its source writes it
    state: str  # "": the code names none
    uses: frozenset[Use]
    usual: bool


def code(text: str) -> str:
    """The spelling under which a code is looked up."""
    return text.strip().upper()


def number(text: str) -> str:
    """The spelling under which a number is looked up: three digits, whatever zeros it lost or has too many."""
    digits = text.strip()
    return digits and digits.lstrip("0").zfill(3)


@lru_cache(maxsize=4096)  # a source tells a few names again and again
def name(text: str) -> str:
    """The spelling under which a name is looked up: capitals, no accents, no marks, the inverted part in front.

    UTF-8 that was once read as Windows-1252 is put right. "CHINA, PEOPLES REPUBLIC OF" and "People's Republic of China"
    are one.
    """
    for _ in range(2):
        try:
            text = text.encode("cp1252").decode()
        except UnicodeError:
            break
    plain = unicodedata.normalize("NFKD", text.upper())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    head, _, inverted = plain.replace(".", "").replace("&", " AND ").partition(",")
    words = _MARKS.sub(" ", re.sub(r"['’`´]", "", f"{inverted} {head}")).split()
    return _SAINT.sub("SAINT", " ".join(word for word in words if word != "THE"))


@dataclass(frozen=True, slots=True)
class CountryCodes:
    """One set of codes: the file of its table ("" for ICAO's), what refusals call it, and how a code of it is spelt."""

    table: str
    called: str
    spelt: Callable[[str], str] = code

    def __contains__(self, text: str) -> bool:
        return self.spelt(text) in _rows(self)

    def state(self, text: str, of: Use = "citizenship") -> str | None:
        """The ICAO 9303 code of the country that a code stands for, None where it stands for none.

        Raises ValueError for a code that the set does not have, or has for other uses only.
        """
        row = _rows(self).get(self.spelt(text))
        if row is None:
            raise ValueError(f"{text!r} is no {self.called}")
        if of not in row.uses:
            raise ValueError(f"{text!r} is a {self.called} of no {of}, but of {' and '.join(sorted(row.uses))} alone")
        return row.state or None

    def code_of(self, state: str) -> str:
        """The usual code of a country by its ICAO 9303 code. Raises KeyError where the set has none."""
        return _usual(self)[citizenship(state)]

    @property
    def codes(self) -> Mapping[str, str | None]:
        """Every code of the set and what it stands for."""
        return {text: row.state or None for text, row in _rows(self).items()}


@cache
def _rows(of: CountryCodes) -> dict[str, _Row]:
    if not of.table:
        return {key: _Row(key, citizenship(key), frozenset(_USES.values()), key == citizenship(key)) for key in STATES}
    text = files("schemas").joinpath(f"data/countries/{of.table}.tsv").read_text(encoding="utf-8")
    rows: dict[str, _Row] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        key, state, marks, *_ = line.split("\t")
        uses = frozenset(use for mark, use in _USES.items() if mark in marks) or frozenset(_USES.values())
        rows[of.spelt(key)] = _Row(key, citizenship(state) if state else "", uses, usual="*" in marks)
    return rows


@cache
def _usual(of: CountryCodes) -> dict[str, str]:
    """The marked code of each country, else its first that is a citizenship, else its first."""
    first: dict[str, str] = {}
    for row in sorted(_rows(of).values(), key=lambda row: (not row.usual, "citizenship" not in row.uses)):
        if row.state:
            first.setdefault(row.state, row.text)
    return first


INS_ALPHA = CountryCodes("ins_alpha", "country code of the former INS")
"""Two to five letters: CLAIMS 3, CIS, answers of SAVE, Border Patrol."""
INS_NUMERIC = CountryCodes("ins_numeric_i94", "country number of the I-94", number)
"""Three digits: nationality and residence of the I-94."""
CLAIMS_NUMERIC = CountryCodes("ins_numeric_claims", "country class of CLAIMS", number)
"""Three digits in CLAIMS' list of 2001: nearly the I-94's, and other countries under some of the numbers."""
SEVIS = CountryCodes("sevis", "FIPS 10-4 code of SEVIS")
"""Two letters. States gone by are places of birth and issuers of old passports, the United States a place of birth."""
EOIR = CountryCodes("eoir", "nationality code of the immigration courts")
"""Two letters of the courts' own: near FIPS 10-4, and not it."""
ICAO = CountryCodes("", "ICAO 9303 code of a state or nationality")
"""Three letters, as a rule: APIS, machine-readable zones, requests of SAVE."""
NAMES = CountryCodes("names", "name of a country", name)
"""Names in capitals or mixed case, with their inversions: ICE, Canada's entries, ELIS."""
