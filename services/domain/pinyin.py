"""Chinese names in pinyin and in Wade-Giles: XIUQUAN is HSIU CHUAN, JIAN is CHIEN.

Each syllable of pinyin has one spelling in Wade-Giles, which passports of Taiwan have (without apostrophes and
hyphens); several syllables share one. Source: the tables of conversion of the Library of Congress (pinyin conversion
project, 2000).
"""

from __future__ import annotations

from functools import cache, lru_cache

INITIALS = {
    "ZH": "CH", "CH": "CH", "SH": "SH", "B": "P", "P": "P", "M": "M", "F": "F", "D": "T", "T": "T", "N": "N", "L": "L",
    "G": "K", "K": "K", "H": "H", "J": "CH", "Q": "CH", "X": "HS", "R": "J", "Z": "TS", "C": "TS", "S": "S",
}  # fmt: skip
"""Initial in pinyin -> in Wade-Giles."""
FINALS = {
    "A": "A", "AI": "AI", "AN": "AN", "ANG": "ANG", "AO": "AO", "EI": "EI", "EN": "EN", "ENG": "ENG", "IA": "IA",
    "IAN": "IEN", "IANG": "IANG", "IAO": "IAO", "IE": "IEH", "IN": "IN", "ING": "ING", "IONG": "IUNG", "IU": "IU",
    "ONG": "UNG", "OU": "OU", "U": "U", "UA": "UA", "UAI": "UAI", "UAN": "UAN", "UANG": "UANG", "UE": "UEH", "UN": "UN",
}  # fmt: skip
"""Final in pinyin -> in Wade-Giles, where it is one behind every initial."""
ALONE = {
    "YI": "I", "YA": "YA", "YAN": "YEN", "YANG": "YANG", "YAO": "YAO", "YE": "YEH", "YIN": "YIN", "YING": "YING",
    "YONG": "YUNG", "YOU": "YU", "YU": "YU", "YUAN": "YUAN", "YUE": "YUEH", "YUN": "YUN", "WA": "WA", "WAI": "WAI",
    "WAN": "WAN", "WANG": "WANG", "WEI": "WEI", "WEN": "WEN", "WENG": "WENG", "WO": "WO", "WU": "WU", "AI": "AI",
    "AN": "AN", "AO": "AO", "EN": "EN", "ER": "ERH",
}  # fmt: skip
"""Syllables without an initial."""
SYLLABLES = 3
"""Of a name that is written together, at most."""
_ENDS = "AEGINORU"
"""Letters on which syllables end: most other names are told by the last."""


@cache
def _syllables() -> dict[str, str]:
    """Syllable in pinyin -> in Wade-Giles."""
    table = dict(ALONE)
    for initial, written in INITIALS.items():
        table |= {initial + final: written + other for final, other in FINALS.items()}
        table[f"{initial}E"] = written + ("O" if initial in ("G", "K", "H") else "E")
        table[f"{initial}UO"] = written + ("UO" if initial in ("G", "K", "H", "SH") else "O")
        table[f"{initial}UI"] = written + ("UEI" if initial in ("G", "K") else "UI")
        table[f"{initial}I"] = written + ("IH" if initial in ("ZH", "CH", "SH", "R") else "I")
    return table | {"ZI": "TZU", "CI": "TZU", "SI": "SZU"} | {f"{one}O": f"{INITIALS[one]}O" for one in "BPMF"}


@lru_cache(maxsize=50_000)
def wade_giles(token: str) -> frozenset[str]:
    """The spellings in Wade-Giles of a name in pinyin, however it is divided; none where it is no pinyin."""
    if token and token[-1] not in _ENDS:
        return frozenset()
    return frozenset(_divided(token, SYLLABLES))


def _divided(token: str, most: int) -> set[str]:
    if not token:
        return {""}
    if most == 0:
        return set()
    heads = ((token[:length], token[length:]) for length in range(1, min(6, len(token)) + 1))
    table = _syllables()
    return {table[head] + rest for head, tail in heads if head in table for rest in _divided(tail, most - 1)}


def one_in_two_spellings(one: str, other: str) -> bool:
    """Whether one is pinyin and the other is the same in Wade-Giles, and no pinyin: TENG is another name than DENG."""
    mine, theirs = wade_giles(one), wade_giles(other)
    return (other in mine and not theirs) or (one in theirs and not mine)
