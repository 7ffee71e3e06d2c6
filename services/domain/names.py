"""Names as they are compared: folded to plain letters, cut into tokens, and how alike two tokens are."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from enum import IntEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any

from anyascii import anyascii
from rapidfuzz.distance import OSA, JaroWinkler

from services.domain.pinyin import one_in_two_spellings

DATA: dict[str, Any] = tomllib.loads(files("services.domain").joinpath("names.toml").read_text("utf-8"))
"""Shipped and versioned, never learnt from what is in a store: two stores must agree on who is who."""

PLACEHOLDERS = frozenset(DATA["placeholders"].split())
TITLES = frozenset(DATA["titles"].split())
_SILENT_TOKENS = PLACEHOLDERS | TITLES | frozenset(DATA["styles"].split())
HONORIFICS = frozenset(DATA["honorifics"].split())
GENERATIONS = frozenset(DATA["generations"].split())
PARTICLES = frozenset(DATA["particles"].split()) | GENERATIONS
ARTICLES = tuple(DATA["articles"].split())
PREFIXES = frozenset(DATA["prefixes"].split())
_COUNTED: dict[str, dict[str, str]] = tomllib.loads(
    files("services.domain").joinpath("frequencies.toml").read_text("utf-8")
)
COMMON = frozenset(" ".join(DATA["common"].values()).split())
KNOWN = COMMON | frozenset(name for text in _COUNTED["given"].values() for name in text.split()[::2])
"""Names that are known to be names, with all given names that are counted anywhere: one is hardly another mistyped."""
VARIANTS: dict[str, str] = {token: group.split()[0] for group in DATA["variants"] for token in group.split()}
HEADS = frozenset(DATA["heads"].split())
CALLED = 4
"""Letters of a name, at least, that is another one without its head."""
STEM = 5
"""Letters that are left of a name, at least, where a prefix is taken for one that the other spelling leaves out."""
SYLLABLE = 4
"""Letters of a syllable that the table of Korean names tells from two of them."""
SYLLABLES = frozenset(
    [name for name in _COUNTED["given"]["KOR"].split()[::2] if len(name) <= SYLLABLE] + DATA["syllables"].split()
)
"""Syllables of Korean given names."""
KOREAN_FAMILIES = frozenset(_COUNTED["family"]["KOR"].split()[::2])
_CLOSED = re.compile("(?<![AE])(EO|OO|OU|U)(?=[^AEIOUY])")
"""A vowel of a Korean syllable that a consonant closes, and that is spelt in several ways."""
_HANGUL = {"EO": "ㅓ", "OO": "ㅜ", "OU": "ㅓㅜ", "U": "ㅓㅜ"}
"""The letters of hangul that it may be: JEONG is written JUNG, and SOON is written SUN, but SEON is never SOON.

Source: the Revised Romanization of 2000, and the spellings that passports kept beside it.
"""
_VOWELS = {"AE": "A", "OE": "O", "UE": "U", "AA": "A", "EE": "I", "OO": "U", "OU": "U", "EI": "AI", "EY": "AI"}
_SOUNDS = (
    ("SCH", "S"), ("TCH", "S"), ("DJ", "J"), ("DZH", "J"), ("SH", "S"), ("CH", "S"), ("TS", "S"), ("TZ", "S"),
    ("PH", "F"), ("TH", "T"), ("KH", "K"), ("GH", "K"), ("CK", "K"), ("QU", "K"), ("X", "KS"), ("CE", "SE"),
    ("CI", "SI"), ("CY", "SI"),
)  # fmt: skip
_SOUND = str.maketrans("CQGZWVDBJ", "KKKSFFTPI", "H")
"""What is left of letters once those that are one sound together have been replaced."""
_SERVANT = ((re.compile("^ABD(?:A|E|O|OU)L"), "ABDUL"), (re.compile("^ABD[EU]RR"), "ABDULR"))
_OF_THE_FAITH = re.compile("(?<=..[^AEIOU])[AEIOU]L?DINE?$")
"""The end -al-din of Arabic names, of which the article is heard as the letter that follows: NURALDIN, NOUREDDINE."""
_LETTERS = (("TCH", "CH"), ("SCH", "SH"), ("DJ", "J"), ("TH", "T"), ("PH", "F"))
"""Letters that stand for one sound as the writer's language has it: SATOH and SATO, ERIC and ERIK, MARTHA and MARTA."""
_MAY_SOUND = re.compile("[CDGKPST]H|[DTC][JSZKEIY]|QU|X")
"""What any of `_SOUNDS` holds. To look once is cheaper than to replace, and most names have none."""
_MAY_VOWELS = re.compile("[AOUE]E|AA|O[OU]|E[IY]")
"""What any of `_VOWELS` is."""
_HARD_C = re.compile("C(?![EHIY])")
_HEARD_AS = (("ZH", "J"), ("KH", "K"), ("GH", "G"), ("CK", "K"), ("Q", "K"), ("X", "KS"), ("Z", "S"))
"""Letters between which writers hesitate who spell a name as they hear it: ZHENG and JENG, ZUO and SUO."""
_MRZ = (("NXX", "N"), ("UXX", "U"))
"""What ICAO Doc 9303 part 3 lets a machine-readable zone have for letters with a tilde or two dots."""
_SPLIT = re.compile(r"[^A-Z0-9]+")
_SILENT = re.compile(r"['`´’.]")
_TWICE = re.compile(r"(.)\1+")
_NO_VOWELS = str.maketrans("", "", "AEIOUY")


def _nicknames() -> dict[str, frozenset[str]]:
    """Token -> the full forms that it may stand for, itself included where it is one."""
    full: dict[str, set[str]] = defaultdict(set)
    for group in DATA["nicknames"]:
        first = group.split()[0]
        for token in group.split():
            full[token].add(first)
    return {token: frozenset(forms) for token, forms in full.items()}


NICKNAMES = _nicknames()


class Alike(IntEnum):
    """How alike two tokens are."""

    NOT = 0
    FAR = 1  # as if mistyped twice
    CUT = 2  # one begins the other, or is its initial
    NEAR = 3  # as if mistyped, or heard, or what the other is called by
    VARIANT = 4  # the same name in another transliteration
    SAME = 5


@lru_cache(maxsize=50_000)
def tokens(name: str) -> tuple[str, ...]:
    """The parts of a name in plain capital letters (as ICAO Doc 9303 writes them), without placeholders and titles."""
    plain = _SILENT.sub("", name)
    if not plain.isascii():
        plain = anyascii(plain).replace("'", "")
    named = tuple(token for token in _SPLIT.split(plain.upper()) if token and token not in _SILENT_TOKENS)
    return tuple(map(_without_fillers, named)) if "XX" in plain else named


def _without_fillers(token: str) -> str:
    for written, letter in _MRZ:
        token = token.replace(written, letter)
    return token


@lru_cache(maxsize=50_000)
def spelling(token: str) -> str:
    """What transliterations of one name have in common: the same text for MUELLER and MULLER, MOHAMMED and MUHAMAD."""
    if token in VARIANTS:
        return VARIANTS[token]
    token = _respelt(token)
    token = token.replace("J", "I") if len(token) > 2 else token
    token = _OF_THE_FAITH.sub("UDIN", _once(token))
    return VARIANTS.get(token, token)


def _once(token: str) -> str:
    """The token with letters that stand twice written once. To look is cheaper than to replace, and most have none."""
    return token if _TWICE.search(token) is None else _TWICE.sub(r"\1", token)


def _respelt(token: str) -> str:
    if _MAY_VOWELS.search(token) is not None:
        for pair, one in _VOWELS.items():
            token = token.replace(pair, one)
    if token.endswith("OH"):
        token = token[:-1]
    if token.startswith("ABD"):
        for begin, plain in _SERVANT:
            token = begin.sub(plain, token)
    if "H" in token or "J" in token:
        for written, plain in _LETTERS:
            token = token.replace(written, plain)
    if "C" in token:
        token = _HARD_C.sub("K", token)
    token = token.replace("W", "V")
    return token.replace("Y", "I") if len(token) > 1 else token


@lru_cache(maxsize=50_000)
def _by_ear(token: str) -> str:
    """The token as somebody may spell it who hears it. Its vowels stay, so it tells short names apart."""
    for written, heard in _HEARD_AS:
        token = token.replace(written, heard)
    return _once(_respelt(token))


@lru_cache(maxsize=50_000)
def sound(token: str) -> str:
    """The consonants as they sound, roughly, in any language; the first letter too if it is a vowel."""
    text = _heard(token)
    if not text:
        return token[:1]
    first = "A" if text[0] in "AEIOUY" else text[0]
    return _once(first + text[1:].translate(_NO_VOWELS))


@lru_cache(maxsize=50_000)
def consonants(token: str) -> str:
    """Every consonant as it sounds, each as often as it is heard; so blanks between two names add and hide none."""
    return _heard(token).translate(_NO_VOWELS)


@lru_cache(maxsize=50_000)
def _heard(token: str) -> str:
    text = _once(spelling(token))  # that of a listed name has letters twice, too
    if _MAY_SOUND.search(text) is not None:
        for written, heard in _SOUNDS:
            text = text.replace(written, heard)
    return text.translate(_SOUND)


@lru_cache(maxsize=32_768)
def alike(one: str, other: str) -> Alike:
    """How alike two tokens are; two common names are never taken for one mistyped."""
    if one == other:
        return Alike.SAME
    if spelling(one) == spelling(other):
        return Alike.VARIANT
    short, long = _by_length(one, other)
    if _with_title(short, long) or _with_prefix(short, long) or _other_article(one, other):
        return Alike.VARIANT
    if _full_forms(one) & _full_forms(other) or _without_head(short, long):
        return Alike.NEAR
    if one_in_two_spellings(one, other):
        return Alike.NEAR
    if (len(short) == 1 or len(short) >= 10) and long.startswith(short):
        return Alike.CUT
    if one in COMMON and other in COMMON:
        return Alike.NOT
    if len(short) > 1 and _by_ear(one) == _by_ear(other):
        return Alike.NEAR
    return _mistyped(short, long)


def both_known(one: str, other: str) -> bool:
    """Whether two tokens are two known names, and neither is what the other is called by."""
    known = all(token in KNOWN or token in SYLLABLES for token in (one, other))
    if known and one in SYLLABLES and other in SYLLABLES and _one_syllable(one, other):
        return False
    return known and not _full_forms(one) & _full_forms(other) and not _without_head(*_by_length(one, other))


@lru_cache(maxsize=50_000)
def two_korean(one: Name, other: Name) -> bool:
    """Whether two Korean names have given names that are two, each of two syllables written together.

    JIYUNG and JIYONG are; JIYUNG, JIYOUNG and JIYEONG are one in three spellings.
    """
    (families, givens), (others, other_givens) = one, other
    if len(givens) != 1 or len(other_givens) != 1 or alike(givens[0], other_givens[0]) >= Alike.VARIANT:
        return False
    if KOREAN_FAMILIES.isdisjoint(families) or KOREAN_FAMILIES.isdisjoint(others):
        return False
    mine, theirs = _syllables(givens[0]), _syllables(other_givens[0])
    return bool(mine and theirs) and not any(
        _one_syllable(first, also_first) and _one_syllable(second, also_second)
        for first, second in mine
        for also_first, also_second in theirs
    )


def _syllables(token: str) -> list[tuple[str, str]]:
    """The pairs of syllables of which a Korean name may be made."""
    halves = ((token[:at], token[at:]) for at in range(2, len(token) - 1))
    return [(first, second) for first, second in halves if first in SYLLABLES and second in SYLLABLES]


@lru_cache(maxsize=16_384)
def _one_syllable(one: str, other: str) -> bool:
    """Whether two Korean syllables may be one in two romanizations: HYUN and HYEON, KEUN and GEUN."""
    if _by_ear(one) == _by_ear(other):
        return True
    mine, theirs = (_CLOSED.split("K" + each[1:] if each.startswith("G") else each) for each in (one, other))
    if len(mine) != len(theirs) or mine[::2] != theirs[::2]:
        return False
    pairs = zip(mine[1::2], theirs[1::2], strict=True)
    return all(set(_HANGUL[vowel]) & set(_HANGUL[another]) for vowel, another in pairs)


def sound_alike(one: str, other: str) -> bool:
    """Whether a writer who hears one may write the other: LEE and LI."""
    return _by_ear(one) == _by_ear(other)


def swapped(one: str, other: str) -> bool:
    """Whether two neighbouring letters of one have changed places in the other: MANUEL and MANULE."""
    return len(one) == len(other) and sorted(one) == sorted(other) and OSA.distance(one, other) == 1


@lru_cache(maxsize=50_000)
def _full_forms(token: str) -> frozenset[str]:
    """What the token may stand for, by its own spelling or by another one: ALEKSANDR is ALEXANDER, as SASHA may be."""
    return NICKNAMES.get(token) or NICKNAMES.get(spelling(token), frozenset())


def _by_length(one: str, other: str) -> tuple[str, str]:
    """The shorter first; of equally long ones always the same."""
    return (one, other) if (len(one), one) <= (len(other), other) else (other, one)


def _mistyped(short: str, long: str) -> Alike:
    if len(short) == len(long) == 3 and OSA.distance(short, long) == 1 and sorted(short) == sorted(long):
        return Alike.NEAR  # two letters changed places; another letter makes another name of three
    if len(short) >= 4 and len(long) - len(short) <= 2:
        edits = OSA.distance(short, long, score_cutoff=2)
        if edits <= 1 or (edits == 2 and len(short) >= 7):
            return Alike.NEAR
        if len(sound(short)) >= 3 and sound(short) == sound(long) and JaroWinkler.similarity(short, long) >= 0.8:
            return Alike.NEAR
        if edits == 2 and len(short) >= 5 and short[0] == long[0]:
            return Alike.FAR
    return Alike.CUT if len(short) >= 4 and long.startswith(short) else Alike.NOT


def _with_title(short: str, long: str) -> bool:
    """Whether one is the other with a title written onto it: TANYAMRS, MRSTANYA."""
    if len(short) < 2:
        return False
    return (long.startswith(short) and long[len(short) :] in TITLES) or (
        long.endswith(short) and long[: -len(short)] in TITLES
    )


def _with_prefix(short: str, long: str) -> bool:
    """Whether one is the other behind a particle: ALMAKTOUM, VANDERBERGEN."""
    return len(short) >= STEM and long.endswith(short) and long[: -len(short)] in PREFIXES


def _without_head(short: str, long: str) -> bool:
    """Whether one is the other without a head that daily use leaves out: OLUWASEUN is SEUN, CHUKWUEMEKA is EMEKA."""
    return len(short) >= CALLED and long.endswith(short) and long[: -len(short)] in HEADS


def _other_article(one: str, other: str) -> bool:
    """Whether the two begin with the Arabic article, spelt in two ways: ELSHAZLY, ALSHAZLI."""
    if one[:2] == other[:2] or one[:2] not in ARTICLES or other[:2] not in ARTICLES or len(one) < STEM + 2:
        return False
    return spelling(one[2:]) == spelling(other[2:]) and one[2] not in "AEIOUY"


def _begins(short: str, long: str) -> bool:
    """Whether one is the beginning of the other, cut from it in this spelling or in another one: SAIN, ZAINAB."""
    if long.startswith(short) or spelling(long).startswith(spelling(short)):
        return True
    heard = sound(short)
    if len(heard) < 2 or (short[0] != long[0] and heard[0] == "A"):
        return False  # one consonant says nothing, and any vowel sounds like any other
    return sound(long).startswith(heard)


@lru_cache(maxsize=16_384)
def strange(one: str, other: str) -> bool:
    """Whether neither token can be the other one mistyped, cut, or written otherwise: more than half is different."""
    short, long = _by_length(one, other)
    if len(short) == 1 or alike(one, other) or _begins(short, long):
        return False
    return OSA.normalized_similarity(one, other) < 0.5


Name = tuple[tuple[str, ...], tuple[str, ...]]
"""(family tokens, given tokens)"""


@lru_cache(maxsize=50_000)
def name_of(family: str, given: str) -> Name:
    """A name in tokens. One that stands in both fields is a single name: SUHARTO SUHARTO.

    What stands in front of given names and says how somebody is honoured is left out: SHEIKH ZAYED.
    """
    families, givens = tokens(family), tokens(given)
    if len(givens) > 1 and givens[0] in HONORIFICS:
        givens = givens[1:]
    return families, () if givens == families else givens


@lru_cache(maxsize=16_384)
def aligned(one: Name, other: Name) -> tuple[Name, Name]:
    """The two with blanks set alike: what one writes together is written together in both.

    VAN DER BERG and VANDERBERG, MIN HO and MINHO, GARCIA LOPEZ and GARCIALOPEZ; the fields may be swapped.
    """
    if len(one[0]) == len(other[0]) and len(one[1]) == len(other[1]) and (one[1] == other[1] or len(one[1]) < 2):
        return one, other
    mine, theirs = one[0] + one[1], other[0] + other[1]
    if len(mine) == 1 or len(theirs) == 1:
        return _whole(one, theirs), _whole(other, mine)
    return _glued(one, theirs), _glued(other, mine)


def _whole(name: Name, others: tuple[str, ...]) -> Name:
    """The name as one token where the other is that: family and given name, in either order, without a blank."""
    families, givens = name
    runs = ("".join(families + givens), "".join(givens + families))
    if len(others) == 1 and len(families + givens) > 1:
        for run in runs:
            if _one_word(run, others[0]):
                return (run,), ()
    return _glued(name, others)


def _glued(name: Name, others: tuple[str, ...]) -> Name:
    """The name with each run of tokens of a field made one where the other name has it as one."""
    parts = []
    for part in name:
        left = list(part)
        at = 0
        while at < len(left):
            for length in range(len(left) - at, 1, -1):
                run = "".join(left[at : at + length])
                if any(_one_word(run, other) for other in others if other not in part):
                    left[at : at + length] = [run]
                    break
            at += 1
        parts.append(tuple(left))
    return parts[0], parts[1]


def _one_word(run: str, other: str) -> bool:
    # a word that itself is made longer by a prefix or title alone is compared by its own rules
    return len(other) >= 4 and abs(len(run) - len(other)) <= 2 and alike(run, other) >= Alike.NEAR
