"""Names as they are compared: folded to plain letters, cut into tokens, and how alike two tokens are."""

from __future__ import annotations

import re
import tomllib
from enum import IntEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any

from anyascii import anyascii
from rapidfuzz.distance import OSA, JaroWinkler

DATA: dict[str, Any] = tomllib.loads(files("services.domain").joinpath("names.toml").read_text("utf-8"))
"""Shipped and versioned, never learnt from what is in a store: two stores must agree on who is who."""

PLACEHOLDERS = frozenset(DATA["placeholders"].split())
PARTICLES = frozenset(DATA["particles"].split())
COMMON = frozenset(" ".join(DATA["common"].values()).split())
VARIANTS: dict[str, str] = {token: group.split()[0] for group in DATA["variants"] for token in group.split()}
_VOWELS = {"AE": "A", "OE": "O", "UE": "U", "AA": "A", "EE": "I", "OO": "U", "OU": "U", "EI": "AI", "EY": "AI"}
_SOUNDS = (
    ("SCH", "S"), ("TCH", "S"), ("DJ", "J"), ("DZH", "J"), ("SH", "S"), ("CH", "S"), ("TS", "S"), ("TZ", "S"),
    ("PH", "F"), ("TH", "T"), ("KH", "K"), ("GH", "K"), ("CK", "K"), ("QU", "K"), ("X", "KS"), ("CE", "SE"),
    ("CI", "SI"), ("CY", "SI"), ("C", "K"), ("Q", "K"), ("G", "K"), ("Z", "S"), ("W", "F"), ("V", "F"), ("D", "T"),
    ("B", "P"), ("J", "I"), ("H", ""),
)  # fmt: skip
_LETTERS = (
    (re.compile(r"OH$"), "O"),
    (re.compile("TCH"), "CH"),
    (re.compile("C(?![EHIY])"), "K"),
    (re.compile("W"), "V"),
)
"""Letters that stand for one sound as the writer's language has it: SATOH and SATO, ERIC and ERIK, WEI and VEI."""
_SPLIT = re.compile(r"[^A-Z0-9]+")
_SILENT = re.compile(r"['`´’.]")
_TWICE = re.compile(r"(.)\1+")


class Alike(IntEnum):
    """How alike two tokens are."""

    NOT = 0
    CUT = 1  # one begins the other, or is its initial
    NEAR = 2  # as if mistyped, or heard
    VARIANT = 3  # the same name in another transliteration
    SAME = 4


@lru_cache(maxsize=50_000)
def tokens(name: str) -> tuple[str, ...]:
    """The parts of a name in plain capital letters (ICAO Doc 9303 writes no others), placeholders left out."""
    plain = _SILENT.sub("", name)
    if not plain.isascii():
        plain = anyascii(plain).replace("'", "")
    return tuple(token for token in _SPLIT.split(plain.upper()) if token and token not in PLACEHOLDERS)


@lru_cache(maxsize=50_000)
def spelling(token: str) -> str:
    """What transliterations of one name have in common: the same text for MUELLER and MULLER, MOHAMMED and MUHAMAD."""
    if token in VARIANTS:
        return VARIANTS[token]
    for pair, one in _VOWELS.items():
        token = token.replace(pair, one)
    for written, plain in _LETTERS:
        token = written.sub(plain, token)
    token = token.replace("Y", "I").replace("J", "I") if len(token) > 2 else token
    token = _TWICE.sub(r"\1", token)
    return VARIANTS.get(token, token)


@lru_cache(maxsize=50_000)
def sound(token: str) -> str:
    """The consonants as they sound, roughly, in any language; the first letter too if it is a vowel."""
    text = spelling(token)
    for written, heard in _SOUNDS:
        text = text.replace(written, heard)
    if not text:
        return token[:1]
    first = "A" if text[0] in "AEIOUY" else text[0]
    return _TWICE.sub(r"\1", first + re.sub("[AEIOUY]", "", text[1:]))


@lru_cache(maxsize=100_000)
def alike(one: str, other: str) -> Alike:
    """How alike two tokens are; two common names are never taken for one mistyped."""
    if one == other:
        return Alike.SAME
    if spelling(one) == spelling(other):
        return Alike.VARIANT
    short, long = sorted((one, other), key=lambda token: (len(token), token))
    if one in COMMON and other in COMMON:
        return Alike.NOT
    if (len(short) == 1 or len(short) >= 10) and long.startswith(short):
        return Alike.CUT
    if len(short) >= 4 and len(long) - len(short) <= 2:
        edits = OSA.distance(one, other, score_cutoff=2)
        if edits <= 1 or (edits == 2 and len(short) >= 7):
            return Alike.NEAR
        if len(sound(one)) >= 3 and sound(one) == sound(other) and JaroWinkler.similarity(one, other) >= 0.8:
            return Alike.NEAR
    return Alike.CUT if len(short) >= 4 and long.startswith(short) else Alike.NOT


@lru_cache(maxsize=100_000)
def strange(one: str, other: str) -> bool:
    """Whether neither token can be the other one mistyped, cut, or written otherwise: more than half is different."""
    short, long = sorted((one, other), key=lambda token: (len(token), token))
    if len(short) == 1 or long.startswith(short) or alike(one, other):
        return False
    return OSA.normalized_similarity(one, other) < 0.5
