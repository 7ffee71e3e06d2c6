"""Codes and words that betray what the law makes confidential, on whatever record they stand.

Asylum and fear of return: 8 CFR 208.6 (refugees by the department's own policy); victims of trafficking and of other
crimes, and abused spouses and children (VAWA): 8 U.S.C. 1367; temporary protection: 8 CFR 244.16. Classes are those of
the Foreign Affairs Manual (9 FAM 502.1-3) and of USCIS's codes for adjustment, categories of work permits those of
8 CFR 274a.12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from schemas.events import Handling

_DIGITS = [*map(str, range(10))]


def _classes(*begins: str) -> list[str]:
    return [begin + digit for begin in begins for digit in _DIGITS]


CLASSES: dict[str, Handling] = {
    **dict.fromkeys(("AS", "RE", *_classes("AS", "AY", "GA", "RE", "SY")), Handling.ASYLUM),
    **dict.fromkeys(_classes("T", "ST", "U", "SU", "B1", "B2", "B3", "BX", "IB"), Handling.PROTECTED),
    "TPS": Handling.TPS,
}
"""Classes of admission, and of those who became residents from them."""
PERMITS: dict[str, Handling] = {
    **dict.fromkeys(("A03", "A04", "A05", "C08"), Handling.ASYLUM),
    **dict.fromkeys(("A16", "A19", "A20", "C25", "C31"), Handling.PROTECTED),
    **dict.fromkeys(("A12", "C19"), Handling.TPS),
}
"""Categories of work permits."""
_WORDS = {
    Handling.ASYLUM: r"ASYLUM|ASYLEES?|REFUGEES?|(?:CREDIBLE|REASONABLE) FEAR|FEAR FOUND|I-?589",
    Handling.PROTECTED: r"VAWA|TRAFFICKING|BATTERED|[TU][ -]?(?:VISA|NONIMMIGRANT)|[TU]-?[1-6] (?:VISA|NONIMMIGRANT)"
    r"|I-?914|I-?918",
    Handling.TPS: r"TEMPORARY PROTECTED STATUS|TPS|I-?821",
}
_FIND = {mark: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for mark, words in _WORDS.items()}
_ANY = re.compile("|".join(pattern.pattern for pattern in _FIND.values()), re.IGNORECASE)


def marks_of(text: str) -> Iterator[Handling]:
    """What a text in plain words betrays."""
    if _ANY.search(text) is not None:
        yield from (mark for mark, pattern in _FIND.items() if pattern.search(text) is not None)
