"""Airlines: one carrier has an IATA code (two characters) and an ICAO code (three letters). Events have the first."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def carrier(code: str) -> str:
    """The IATA code of an ICAO code; any other code as it is: an airline that is in no table keeps its code."""
    return _iata_of().get(code, code)


@cache
def _iata_of() -> dict[str, str]:
    text = files("schemas").joinpath("data/carriers.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {row[0]: row[1] for row in rows}
