"""Codes of issuing states and nationalities: ICAO Doc 9303 part 3, section 5.

ISO 3166-1 alpha-3 with the document's own additions: D (Germany), the GB* classes of British nationals, UN*, XX*
(stateless, refugees), X** organisations, and codes of states gone by that old documents still show. The table is
`data/states.tsv`. An issuer that is met under several codes is compared under one of them.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files


def _rows(name: str) -> list[list[str]]:
    text = files("schemas").joinpath(f"data/{name}").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


_ROWS = [(code, alpha2, same or code) for code, alpha2, same, _ in _rows("states.tsv")]
"""Code, alpha-2 code, the code under which the issuer is compared."""
_FORMER = {code: same for code, same, _ in _rows("former_states.tsv")}
"""Codes that were withdrawn, which sources may still say; no event has one."""
STATES: frozenset[str] = frozenset(code for code, _, _ in _ROWS)
"""Every code that a document may show."""
UNKNOWN_ISSUER = "XXX"
"""Of a passport whose issuer is not told: its number is kept, and is no other's of that number."""
ISSUER_OF: dict[str, str] = _FORMER | {code: same for code, _, same in _ROWS}
"""The code under which an issuer is compared: D and DEU are one, ROM and ROU, XXK and RKS, the GB* and GBR."""
ISSUERS: frozenset[str] = frozenset(same for _, _, same in _ROWS)
"""The codes that identifiers have."""
ALPHA2: dict[str, str] = {alpha2: code for code, alpha2, _ in _ROWS if alpha2}
"""ISO 3166-1 alpha-2, for sources that say so: airports' countries are told by it."""
_OWN_CITIZENS = frozenset({"GBD", "GBN", "GBO", "GBP", "GBS"})
"""British nationals who are no British citizens: their passports have one issuer, their nationality is their own."""


@lru_cache(maxsize=1024)
def issuer(code: str) -> str:
    """The code under which the issuer of a document is compared. Raises ValueError."""
    return ISSUER_OF[_known(code)]


@lru_cache(maxsize=1024)
def citizenship(code: str) -> str:
    """The code under which a nationality is compared: German documents say D, lists say DEU. Raises ValueError."""
    known = _known(code)
    return known if known in _OWN_CITIZENS else ISSUER_OF[known]


def _known(code: str) -> str:
    """The code without blanks and the fillers behind it. Raises ValueError."""
    plain = code.strip().upper().rstrip("<")
    if plain not in ISSUER_OF:
        raise ValueError(f"{plain!r} is no ICAO 9303 code of a state or nationality")
    return plain
