"""How much two claims speak for one person: weights of agreement in bits, after Fellegi and Sunter (1969).

Each field adds the logarithm (base 2) of how much likelier its agreement or disagreement is for one person's two claims
than for two strangers'. The sum is compared with two thresholds: `ACCEPT` joins, what lies between `POSSIBLE` and it is
for a person to decide. Weights are data of this file, versioned with it, and never estimated from a store: two stores
of the same events must agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from services.domain.facts import Claim
from services.domain.names import COMMON, PARTICLES, Alike, alike, sound, spelling, strange, tokens

ACCEPT = 22.5
POSSIBLE = 16.0
NEVER = -99.0
"""The score of claims that contradict each other."""

BIRTH_SAME, BIRTH_SWAPPED, BIRTH_DIGIT, BIRTH_CENTURY, BIRTH_PART = 14.4, 5.8, 3.9, 5.0, 6.0
BIRTH_OTHER = -7.0
SEX_SAME, SEX_OTHER = 0.9, -5.0
CITIZENSHIP_SAME, CITIZENSHIP_OTHER = 3.5, -4.0
FAMILY_COMMON, FAMILY_RARE, GIVEN_COMMON, GIVEN_RARE, PARTICLE = 4.8, 9.0, 3.9, 7.5, 0.5
KEPT = {Alike.SAME: 1.0, Alike.VARIANT: 0.9, Alike.NEAR: 0.6, Alike.CUT: 0.4}
"""The part of a token's weight that is left of it where tokens are only alike."""
FIELD_CUT = 8
"""A family or given name of so many letters may be another one cut by a system, in the middle of a token."""
TOKEN_LOST, FAMILY_OTHER, CROSSED, SINGLE = -2.5, -8.0, -1.0, -3.0
DOCUMENT_OTHER, DOCUMENT_NEAR = -4.0, 6.0
DOCUMENT_TWIN = -6.0
"""Added where no given name is the same either: twins may differ in a letter, and each has a passport."""
SHARED_DOCUMENT = 14.0
"""What a common passport or visa adds. It is little against its rarity, for documents are lent, mistyped, re-issued."""


Name = tuple[tuple[str, ...], tuple[str, ...]]
"""(family tokens, given tokens)"""


class Said(NamedTuple):
    """A claim as it is compared."""

    names: tuple[Name, ...]
    birth: str
    sex: str
    citizenship: frozenset[str]
    documents: dict[str, frozenset[str]]  # issuer -> passport numbers


@lru_cache(maxsize=20_000)
def said(claim: Claim) -> Said:
    """The claim's names in tokens, its documents by issuer."""
    documents: dict[str, set[str]] = {}
    for text in claim.identifiers:
        scheme, _, rest = text.partition("/")
        if scheme == "passport":
            issuer, _, number = rest.partition("/")
            documents.setdefault(issuer, set()).add(number)
    return Said(
        tuple(name for name in map(_tokens, claim.names) if any(name)),
        claim.birth,
        claim.sex if claim.sex in ("F", "M") else "",
        frozenset(claim.citizenship),
        {issuer: frozenset(numbers) for issuer, numbers in documents.items()},
    )


def score(one: Claim, other: Claim) -> float:
    """Bits for (or against) the two being one person's; the same whichever comes first."""
    mine, theirs = said(one), said(other)
    bits = names_score(mine, theirs)
    if bits == NEVER:
        return NEVER
    return round(bits + birth_score(mine.birth, theirs.birth) + _rest(mine, theirs), 1)


def _rest(mine: Said, theirs: Said) -> float:
    bits = 0.0
    if mine.sex and theirs.sex:
        bits += SEX_SAME if mine.sex == theirs.sex else SEX_OTHER
    if mine.citizenship and theirs.citizenship:
        bits += CITIZENSHIP_SAME if mine.citizenship & theirs.citizenship else CITIZENSHIP_OTHER
    for issuer, numbers in mine.documents.items():
        others = theirs.documents.get(issuer)
        if others and not numbers & others:
            # a passport is renewed, but seldom; a number with one wrong character speaks for one passport
            if any(_mistyped(a, b) for a in numbers for b in others):
                bits += DOCUMENT_NEAR
            else:
                bits += DOCUMENT_OTHER + (0.0 if _given_in_common(mine, theirs) else DOCUMENT_TWIN)
            break
    return bits


def _given_in_common(mine: Said, theirs: Said) -> bool:
    """Whether a given name stands in both, also as the other's family name; True where one has none."""
    pairs = [(one, other) for one in mine.names for other in theirs.names]
    return not pairs or any(_shares_given(one, other) or _shares_given(other, one) for one, other in pairs)


def _shares_given(one: Name, other: Name) -> bool:
    return not one[1] or any(alike(token, found) >= Alike.VARIANT for token in one[1] for found in other[0] + other[1])


def _mistyped(one: str, other: str) -> bool:
    """Whether two numbers differ in one character, or in two that changed places. Consecutive numbers do not count."""
    if len(one) != len(other) or len(one) < 6:
        return False
    wrong = [at for at in range(len(one)) if one[at] != other[at]]
    if len(wrong) == 1:
        return wrong[0] < len(one) - 2
    if len(wrong) != 2 or wrong[1] != wrong[0] + 1:
        return False
    first, second = wrong
    return one[first] == other[second] and one[second] == other[first]


@lru_cache(maxsize=50_000)
def birth_score(one: str, other: str) -> float:
    """Bits of two dates of birth, `1980-02-03`, `1980-02`, `1980` or nothing."""
    if not one or not other:
        return 0.0
    if len(one) != 10 or len(other) != 10:
        short = min(len(one), len(other))
        if one[:short] != other[:short]:
            return BIRTH_OTHER
        return BIRTH_PART + (3.5 if short > 4 else 0.0)
    if one == other:
        return BIRTH_SAME
    if one[:4] == other[:4] and one[5:7] == other[8:] and one[8:] == other[5:7]:
        return BIRTH_SWAPPED
    wrong = [at for at in range(10) if one[at] != other[at]]
    if one[2:] == other[2:]:
        return BIRTH_CENTURY
    return BIRTH_DIGIT if len(wrong) == 1 else BIRTH_OTHER


def births_agree(one: str, other: str) -> bool:
    """Whether one date may be the other one mistyped, or known in part."""
    return not one or not other or birth_score(one, other) > 0


def names_score(mine: Said, theirs: Said) -> float:
    """Bits of the two names that agree best; NEVER where all given names are others'."""
    if not mine.names or not theirs.names:
        return 0.0
    return max(_name_score(a, b) for a in mine.names for b in theirs.names)


@lru_cache(maxsize=50_000)
def _name_score(one: Name, other: Name) -> float:
    """Each token of the shorter name looks for the one of the longer that is most like it."""
    short, long = sorted((one, other), key=lambda name: (len(name[0]) + len(name[1]), name))
    left = [(token, "family") for token in long[0]] + [(token, "given") for token in long[1]]
    given = 0
    bits = SINGLE if len(short[0]) + len(short[1]) == 1 else 0.0
    wanted = [(token, "family") for token in short[0]] + [(token, "given") for token in short[1]]
    cut = {*_cut(short[0], long[0], 0, 0), *_cut(short[1], long[1], len(short[0]), len(long[0]))}
    pairs = sorted(
        (((alike(token, other_token) or Alike.CUT) if (at, to) in cut else alike(token, other_token),
          role == other_role, -at, -to)
         for at, (token, role) in enumerate(wanted)
         for to, (other_token, other_role) in enumerate(left)),
        reverse=True,
    )  # fmt: skip
    met: dict[int, int] = {}
    taken: set[int] = set()
    for how, same_role, at, to in pairs:
        if how is Alike.NOT or -at in met or -to in taken:
            continue
        met[-at] = -to
        taken.add(-to)
        token, role = wanted[-at]
        bits += KEPT[how] * min(_weight(token, role), _weight(*left[-to])) + (0.0 if same_role else CROSSED)
        given += role == "given" or left[-to][1] == "given"
    missed = [entry for at, entry in enumerate(wanted) if at not in met and entry[0] not in PARTICLES]
    lost = [entry for to, entry in enumerate(left) if to not in taken and entry[0] not in PARTICLES]
    if one[1] and other[1] and not given:
        return NEVER  # twins, siblings, parents: all but the given name may agree
    mine, theirs = ([token for token, role in some if role == "given"] for some in (missed, lost))
    if mine and theirs and all(strange(token, found) for token in mine for found in theirs):
        return NEVER  # twins again, called MARIA ELENA and MARIA JOSE
    if missed:
        return bits + FAMILY_OTHER * len(missed)
    return bits + TOKEN_LOST * len(lost)


def _cut(one: tuple[str, ...], other: tuple[str, ...], at: int, to: int) -> Iterator[tuple[int, int]]:
    """The places of the tokens, counted from `at` and `to`, in which one family or given name breaks off the other."""
    last = min(len(one), len(other)) - 1
    if last < 0 or one[:last] != other[:last] or one[last] == other[last]:
        return
    short, long = sorted((one, other), key=lambda tokens: len(tokens[last]))
    if last == len(short) - 1 and long[last].startswith(short[last]) and len(" ".join(short)) >= FIELD_CUT:
        yield at + last, to + last


def _weight(token: str, role: str) -> float:
    if token in PARTICLES:
        return PARTICLE
    if len(token) == 1:
        return 1.0
    common = token in COMMON or spelling(token) in COMMON
    if role == "family":
        return FAMILY_COMMON if common else FAMILY_RARE
    return GIVEN_COMMON if common else GIVEN_RARE


@lru_cache(maxsize=50_000)
def given_conflict(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether of two names (family, given) one cannot be the other, by what follows the family name."""
    return _name_score(_tokens(one), _tokens(other)) == NEVER


def _tokens(name: tuple[str, str]) -> Name:
    return tokens(name[0]), tokens(name[1])


def explained(one: Claim, other: Claim) -> str:
    """The score in words, field by field."""
    mine, theirs = said(one), said(other)
    parts = {
        "names": names_score(mine, theirs),
        "date of birth": birth_score(mine.birth, theirs.birth),
        "sex, citizenship, documents": _rest(mine, theirs),
    }
    return "; ".join(f"{what} {bits:+.1f}" for what, bits in parts.items() if bits)


def blocks_of(claim: Claim) -> tuple[str, str, str]:
    """What the claims that are compared with each other have in common, three ways; "" where a claim says too little.

    Date of birth (day and month in one order) with the sound of the family name; all name tokens with citizenship and
    the year in its century; date of birth with the sound of the given name.
    """
    mine = said(claim)
    if not mine.names or len(mine.birth) < 4:
        return "", "", ""
    by_family = by_given = by_tokens = ""
    families, givens = mine.names[0]
    if len(mine.birth) == 10:
        year, *rest = mine.birth.split("-")
        day = f"{year}{''.join(sorted(rest))}"
        by_family = f"f/{day}/{min(map(sound, families))}" if families else ""
        by_given = f"g/{day}/{sound(givens[0])}" if givens else ""
    every = sorted({token for name in mine.names for part in name for token in part})
    if len(every) > 1 and mine.citizenship:
        by_tokens = f"t/{' '.join(every)}/{mine.birth[2:4]}/{','.join(sorted(mine.citizenship))}"
    return by_family, by_tokens, by_given
