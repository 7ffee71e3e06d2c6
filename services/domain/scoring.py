"""How much two claims speak for one person: weights of agreement in bits, after Fellegi and Sunter (1969).

Each field adds the logarithm (base 2) of how much likelier its agreement or disagreement is for one person's two claims
than for two strangers'. The sum is compared with two thresholds: `ACCEPT` joins, what lies between `POSSIBLE` and it is
for a person to decide. What a name and a birthday by custom say is weighed by how often they are borne in the country
(`frequencies.py`). Weights are data, versioned with the code, and never estimated from a store: two stores of the same
events must agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from services.domain.births import birth_score
from services.domain.facts import Claim
from services.domain.frequencies import bits_of, by_custom, customary, is_rare
from services.domain.names import (
    GENERATIONS,
    PARTICLES,
    Alike,
    Name,
    aligned,
    alike,
    both_known,
    name_of,
    sound_alike,
    strange,
    swapped,
    two_korean,
)
from services.domain.numbers import is_placeholder

ACCEPT = 22.5
POSSIBLE = 14.0
RENEWED, NAMESAKE = 3.0, 6.0
"""What a join needs above `ACCEPT` where the two have different passports of one issuer: a renewed one is one person's,
or two namesakes have one each. Where ten thousand come from a country, each meets 0.8 others of their own birthday
(10,000 to 35 years of 365 days); at most five wrong joins in 100,000 leave 14 bits for the names, of which the tables
of frequencies promise three quarters. `NAMESAKE` where no name that the two share is rare in their country; also
without passports, where the birthday is one that is given by custom: of ten thousand Ethiopians 1,200 say 1 January."""
NEVER = -99.0
"""The score of claims that contradict each other."""

SEX_SAME, SEX_OTHER = 0.9, -5.0
CITIZENSHIP_SAME, CITIZENSHIP_OTHER = 3.5, -4.0
KEPT = {Alike.SAME: 1.0, Alike.VARIANT: 0.9, Alike.NEAR: 0.6, Alike.CUT: 0.4, Alike.FAR: 0.3}
"""The part of a token's weight that is left of it where tokens are only alike."""
MOST_BITS = 10
"""No token has more, listed or not."""
TELLING = 5
"""Letters of a name, known or not, that is not made another one by two slips."""
FIELD_CUT = 8
"""A family or given name of so many letters may be another one cut by a system, in the middle of a token."""
TOKEN_LOST, FAMILY_OTHER, GIVEN_OTHER, CROSSED, SINGLE = -2.5, -9.5, -8.0, -1.0, -3.0
FIELD_LOST = -1.0
"""A family or given name that one of the two does not have at all, whatever its tokens: left out, not changed."""
DOCUMENT_OTHER, DOCUMENT_NEAR = -4.0, 2.0
DOCUMENT_TWIN = -6.0
"""Added where no given name is the same either: twins may differ in a letter, and each has a passport."""
SHARED_DOCUMENT = 14.0
"""What a common passport or visa adds. It is little against its rarity, for documents are lent, mistyped, re-issued."""
STRANGE_NAMES = -10.0
"""What names that contradict each other count where the two share a number: listed for a person to decide, or not."""
LOOKS = str.maketrans("OQILZSGB", "00112568")
"""Letters that a reader, a person or a machine, takes for digits of a document's number."""


Token = tuple[str, str]
"""A part of a name, and whether it stands in the family or in the given name."""


class Compared(NamedTuple):
    """A claim as it is compared."""

    names: tuple[Name, ...]
    birth: str
    sex: str
    citizenship: frozenset[str]
    documents: dict[str, frozenset[str]]  # issuer -> passport numbers
    country: str  # the only citizenship; "" of none or of several


@lru_cache(maxsize=20_000)
def compared(claim: Claim) -> Compared:
    """The claim's names in tokens, its documents by issuer."""
    return Compared(
        tuple([name for each in claim.names if any(name := name_of(*each))]),
        claim.birth,
        claim.sex if claim.sex in ("F", "M") else "",
        frozenset(claim.citizenship),
        _by_issuer(claim.identifiers),
        claim.citizenship[0] if len(claim.citizenship) == 1 else "",
    )


def _by_issuer(texts: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the passport numbers among identifiers by who issued them, without placeholders."""
    documents: dict[str, frozenset[str]] = {}
    for text in texts:
        if text.startswith("passport/") and not is_placeholder(text):
            issuer, _, number = text[len("passport/") :].partition("/")
            held = documents.get(issuer)
            documents[issuer] = frozenset((number,)) if held is None else held | {number}
    return documents


def score(one: Claim, other: Claim) -> float:
    """Bits for (or against) the two being one person's; the same whichever comes first."""
    return _score(compared(one), compared(other))


def _score(mine: Compared, theirs: Compared) -> float:
    country = country_of(mine, theirs)
    bits = _names_score(mine, theirs, country)
    if bits == NEVER:
        return NEVER
    return round(bits + birth_score(mine.birth, theirs.birth, country) + _rest(mine, theirs), 1)


def score_with_number(one: Claim, other: Claim) -> float:
    """Bits of two claims that share a number: names that contradict each other count, and do not exclude."""
    mine, theirs = compared(one), compared(other)
    bits = names_score(mine, theirs)
    return round((STRANGE_NAMES if bits == NEVER else bits) + _birth(mine, theirs) + _rest(mine, theirs), 1)


def country_of(mine: Compared, theirs: Compared) -> str:
    """The country by whose frequencies two claims are weighed: one that both are citizens of, or that one alone is."""
    if mine.country and mine.country == theirs.country:
        return mine.country
    common = mine.citizenship & theirs.citizenship or (
        mine.citizenship | theirs.citizenship if not mine.citizenship or not theirs.citizenship else frozenset()
    )
    return min(common, default="")


def _birth(mine: Compared, theirs: Compared) -> float:
    return birth_score(mine.birth, theirs.birth, country_of(mine, theirs))


def _rest(mine: Compared, theirs: Compared) -> float:
    bits = 0.0
    if mine.sex and theirs.sex:
        bits += SEX_SAME if mine.sex == theirs.sex else SEX_OTHER
    if mine.citizenship and theirs.citizenship:
        bits += CITIZENSHIP_SAME if mine.citizenship & theirs.citizenship else CITIZENSHIP_OTHER
    apart = _documents_apart(mine, theirs)
    if apart is None:
        return bits
    # a passport is renewed, but seldom; a number with one wrong character speaks for one passport
    if _near(mine, theirs, apart):
        return bits + DOCUMENT_NEAR
    return bits + DOCUMENT_OTHER + (0.0 if _given_in_common(mine, theirs) else DOCUMENT_TWIN)


def near_documents(one: Claim, other: Claim) -> bool:
    """Whether the two have passports of one issuer of which one may be the other mistyped, and none in common."""
    mine, theirs = compared(one), compared(other)
    apart = _documents_apart(mine, theirs)
    return apart is not None and _near(mine, theirs, apart)


def joined_by_score(one: Claim, other: Claim) -> bool:
    """Whether the two are one person's by their score alone."""
    return joining_score(one, other) is not None


def joining_score(one: Claim, other: Claim) -> float | None:
    """The score of two that are one person's by it alone; None for all others."""
    mine, theirs = compared(one), compared(other)
    if mine.birth != theirs.birth and _hopeless(mine, theirs):
        return None
    bits = _score(mine, theirs)
    if bits < ACCEPT or bits < _needed(mine, theirs) or _two_known(mine, theirs):
        return None
    return bits


def _two_known(mine: Compared, theirs: Compared) -> bool:
    """Whether each has a known given name where the other has another one: twins are RAMESH and RAJESH, or JI YOUNG
    and JI YEON. One of them may be mistyped, which is for a person to decide."""
    return mine.names != theirs.names and all(
        _two_known_given(one, other) for one in mine.names for other in theirs.names
    )


def two_known(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """The same of two names (family, given): an initial, or a record without a given name, is no bridge of twins."""
    return _two_known_given(name_of(*one), name_of(*other))


@lru_cache(maxsize=16_384)
def _two_known_given(one: Name, other: Name) -> bool:
    matched = _matched(one, other)
    pairs = [
        (mine, theirs)
        for how, mine, theirs in matched.pairs
        if how in (Alike.NEAR, Alike.FAR) and "given" in (mine[1], theirs[1])
    ]
    pairs += [(mine, theirs) for mine in matched.missed for theirs in matched.lost if mine[1] == theirs[1] == "given"]
    return two_korean(one, other) or any(both_known(mine[0], theirs[0]) for mine, theirs in pairs)


def _hopeless(mine: Compared, theirs: Compared) -> bool:
    """Whether dates of birth and passports differ so that no names can outweigh it. It spares the names' comparison."""
    if mine.birth == theirs.birth:
        return False
    country = country_of(mine, theirs)
    bits, least = birth_score(mine.birth, theirs.birth, country), ACCEPT
    bits += CITIZENSHIP_OTHER if not country and mine.citizenship and theirs.citizenship else CITIZENSHIP_SAME
    bits += SEX_OTHER if mine.sex and theirs.sex and mine.sex != theirs.sex else SEX_SAME
    apart = _documents_apart(mine, theirs)
    if apart is not None and not _any_mistyped(apart):
        bits, least = bits + DOCUMENT_OTHER, ACCEPT + RENEWED
    elif apart is not None:
        bits += DOCUMENT_NEAR
    least -= 0.1  # more than a score gains by being rounded
    return bits + _most(mine, theirs) < least or bits + _most_of(mine, theirs, country) < least


def _most(mine: Compared, theirs: Compared) -> float:
    """Bits that the names of two cannot exceed: their tokens, each as rare as one can be."""
    tokens = (max((len(name[0]) + len(name[1]) for name in each.names), default=0) for each in (mine, theirs))
    return MOST_BITS * min(tokens)


def _most_of(mine: Compared, theirs: Compared, country: str) -> float:
    """The same by the tokens that they have, where the two have one name each and no blanks that may be elsewhere."""
    if len(mine.names) != 1 or len(theirs.names) != 1:
        return _most(mine, theirs)
    one, other = mine.names[0], theirs.names[0]
    if len(one[0]) != len(other[0]) or len(one[1]) != len(other[1]) or len(one[0]) > 1 or len(one[1]) > 1:
        return _most(mine, theirs)
    return min(_bits_in(one, country), _bits_in(other, country))


@lru_cache(maxsize=16_384)
def _bits_in(name: Name, country: str) -> float:
    return sum(bits_of(token, "family", country) for token in name[0]) + sum(
        bits_of(token, "given", country) for token in name[1]
    )


def score_but_for_passports(one: Claim, other: Claim) -> float | None:
    """The score of two whose passports need not be told apart; None where it joins none.

    All given names have to be the same: twins travel together.
    """
    mine, theirs = compared(one), compared(other)
    if not mine.names or not theirs.names:
        return None
    if _documents_apart(mine, theirs) is None and not _by_custom(mine, theirs):
        return None  # then nothing more is asked of a join than this
    mine, theirs = mine._replace(documents={}), theirs._replace(documents={})
    if mine.birth != theirs.birth and _hopeless(mine, theirs):
        return None
    bits = _score(mine, theirs)
    if bits < ACCEPT or _two_known(mine, theirs):
        return None
    same = any(_given_are_one(a, b) for a in mine.names for b in theirs.names)
    return bits if same else None


@lru_cache(maxsize=16_384)
def _given_are_one(one: Name, other: Name) -> bool:
    """Whether each given name of either stands in the other, as it is, spelt otherwise, or with two letters swapped.

    Initials alone say nothing: those of twins may be the same.
    """
    one, other = aligned(one, other)
    return any(len(token) > 1 for token in one[1] + other[1]) and all(
        any(_is_spelt(token, each) for each in there[0] + there[1])
        for here, there in ((one, other), (other, one))
        for token in here[1]
    )


def _is_spelt(one: str, other: str) -> bool:
    if alike(one, other) >= Alike.VARIANT:
        return True
    return len(one) >= TELLING and swapped(one, other) and not both_known(one, other)


def joined_in_sequence(one: Claim, other: Claim) -> bool:
    """The same of two whose passport numbers are almost one, where neither number is the other mistyped."""
    bits = score(one, other) - DOCUMENT_NEAR + DOCUMENT_OTHER
    return bits >= ACCEPT + _above(compared(one), compared(other))


def passports_apart(mine: Iterable[str], theirs: Iterable[str]) -> bool:
    """Whether two persons have passports of one issuer of which none is another one mistyped, and none in common."""
    held, others = _by_issuer(mine), _by_issuer(theirs)
    if any(numbers & others.get(issuer, frozenset()) for issuer, numbers in held.items()):
        return False
    return any(
        issuer in others and not any(mistyped(one, other) for one in numbers for other in others[issuer])
        for issuer, numbers in held.items()
    )


def joined_apart(one: Claim, other: Claim) -> bool:
    """Whether two claims are one person's by their score although other records of the two have different passports.

    The passports count as if the two claims had them: a record that has none is no bridge between two people. Where no
    name that the two share is rare, two namesakes may have one passport each, and the record be either's.
    """
    mine, theirs = compared(one), compared(other)
    if _documents_apart(mine, theirs) is not None:
        return joined_by_score(one, other)
    bits = _score(mine, theirs) + DOCUMENT_OTHER + (0.0 if _given_in_common(mine, theirs) else DOCUMENT_TWIN)
    return bits >= ACCEPT + (0.0 if _above(mine, theirs) == RENEWED else NAMESAKE)


def _needed(mine: Compared, theirs: Compared) -> float:
    apart = _documents_apart(mine, theirs)
    if apart and not _near(mine, theirs, apart):
        return ACCEPT + _above(mine, theirs)
    if _by_custom(mine, theirs) and not _rare_in_common(mine, theirs):
        return ACCEPT + NAMESAKE
    return ACCEPT


def _by_custom(mine: Compared, theirs: Compared) -> bool:
    """Whether the two have one birthday, and it is one that is given to who does not know theirs."""
    day = mine.birth[5:]
    return day == theirs.birth[5:] and customary(day) and by_custom(day, country_of(mine, theirs))


def _above(mine: Compared, theirs: Compared) -> float:
    if not _given_in_common(mine, theirs):
        return -NEVER  # twins have one birthday, often names that differ in a letter, and each a passport
    return RENEWED if _rare_in_common(mine, theirs) else NAMESAKE


def _documents_apart(mine: Compared, theirs: Compared) -> tuple[frozenset[str], frozenset[str]] | None:
    """The passports of an issuer of which the two have some each and none in common."""
    if mine.documents and theirs.documents:
        for issuer, numbers in mine.documents.items():
            others = theirs.documents.get(issuer)
            if others and numbers.isdisjoint(others):
                return numbers, others
    return None


def _near(mine: Compared, theirs: Compared, apart: tuple[frozenset[str], frozenset[str]]) -> bool:
    """Whether one of those passports may be another one mistyped; one given name in common is enough for that."""
    if not _any_mistyped(apart):
        return False
    pairs = [aligned(one, other) for one in mine.names for other in theirs.names]
    return not pairs or any(
        _any_given_stands_in(one, other) or _any_given_stands_in(other, one) for one, other in pairs
    )


def _any_mistyped(apart: tuple[frozenset[str], frozenset[str]]) -> bool:
    return any(mistyped(one, other) for one in apart[0] for other in apart[1])


def _any_given_stands_in(one: Name, other: Name) -> bool:
    names = other[0] + other[1]
    if not one[1] or not set(names).isdisjoint(one[1]):
        return True
    return any(alike(token, each) >= Alike.VARIANT for token in one[1] for each in names)


def _rare_in_common(mine: Compared, theirs: Compared) -> bool:
    """Whether a rare name stands in both; True where one has no names."""
    country = country_of(mine, theirs)
    return (
        not mine.names
        or not theirs.names
        or any(_name_with_rare_in_common(one, other, country) for one in mine.names for other in theirs.names)
    )


@lru_cache(maxsize=16_384)
def _name_with_rare_in_common(one: Name, other: Name, country: str) -> bool:
    return any(
        how >= Alike.NEAR and is_rare(*mine, country) and is_rare(*theirs, country)
        for how, mine, theirs in _matched(one, other).pairs
    )


def _given_in_common(mine: Compared, theirs: Compared) -> bool:
    """Whether the given names of one stand in the other, also as a family name; True where one has none.

    All of them: siblings often share one, and twins differ in a letter of the other (JI YUNG, JI YONG).
    """
    pairs = [(one, other) for one in mine.names for other in theirs.names]
    return not pairs or any(_one_given(one, other) for one, other in pairs)


def given_in_common(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """The same of two names (family, given)."""
    return _one_given(name_of(*one), name_of(*other))


@lru_cache(maxsize=16_384)
def _one_given(one: Name, other: Name) -> bool:
    one, other = aligned(one, other)
    return _given_stands_in(one, other) or _given_stands_in(other, one)


def _given_stands_in(one: Name, other: Name) -> bool:
    names = other[0] + other[1]
    return all(token in names or any(_stands_for(token, each) for each in names) for token in one[1])


def _stands_for(one: str, other: str) -> bool:
    how, least = alike(one, other), min(len(one), len(other))
    return how >= Alike.VARIANT or (how is Alike.CUT and (least == 1 or least >= FIELD_CUT))


def mistyped(one: str, other: str) -> bool:
    """Whether two numbers differ in one character, in two that changed places, or in signs that look alike.

    Consecutive numbers do not count.
    """
    if misread(one, other):
        return True
    short, long = sorted((one, other), key=len)
    if len(short) >= 6 and len(long) == len(short) + 1 and long.startswith(short):
        return True  # the check digit of the machine-readable zone was taken along
    if len(one) != len(other) or len(one) < 6:
        return False
    wrong = [at for at in range(len(one)) if one[at] != other[at]]
    if len(wrong) == 1:
        return wrong[0] < len(one) - 2 or (wrong[0] == len(one) - 2 and _tens_apart(one[-2], other[-2]) > 1)
    if len(wrong) != 2 or wrong[1] != wrong[0] + 1:
        return False
    first, second = wrong
    return one[first] == other[second] and one[second] == other[first]


def misread(one: str, other: str) -> bool:
    """Whether two numbers look alike, sign by sign: 5O81 and 508I. No issuer gives out two of which one reads so."""
    return one != other and one.translate(LOOKS) == other.translate(LOOKS)


def misread_documents(one: Claim, other: Claim) -> bool:
    """Whether the two have passports of one issuer of which one is the other misread, and none in common."""
    apart = _documents_apart(compared(one), compared(other))
    return apart is not None and any(misread(mine, theirs) for mine in apart[0] for theirs in apart[1])


def _tens_apart(one: str, other: str) -> int:
    """By how much two digits differ; 0 where one is none. Families' passports are a few numbers apart, not twenty."""
    return abs(int(one) - int(other)) if one.isdecimal() and other.isdecimal() else 0


def names_score(mine: Compared, theirs: Compared) -> float:
    """Bits of the two names that agree best; NEVER where all given names are others'."""
    return _names_score(mine, theirs, country_of(mine, theirs))


def _names_score(mine: Compared, theirs: Compared, country: str) -> float:
    if not mine.names or not theirs.names:
        return 0.0
    if len(mine.names) == len(theirs.names) == 1:
        return _name_score(mine.names[0], theirs.names[0], country)
    return max(_name_score(a, b, country) for a in mine.names for b in theirs.names)


class _Matched(NamedTuple):
    """Two names token by token: each of the shorter one looks for that of the longer one that is most like it."""

    shorter: Name
    pairs: Sequence[tuple[Alike, Token, Token]]
    missed: list[Token]  # of the shorter name, particles left out
    lost: list[Token]  # of the longer one

    @property
    def given(self) -> bool:
        """Whether a given name of one stands in the other, in either field."""
        return any("given" in (mine[1], theirs[1]) for _, mine, theirs in self.pairs)

    @property
    def strange_rest(self) -> bool:
        """Whether both have given names left over of which none can be one of the other's."""
        mine, theirs = ([token for token, role in some if role == "given"] for some in (self.missed, self.lost))
        return bool(mine and theirs) and all(strange(token, each) for token in mine for each in theirs)


@lru_cache(maxsize=16_384)
def _matched(one: Name, other: Name) -> _Matched:
    if one == other:  # as most are
        tokens = [(token, "family") for token in one[0]] + [(token, "given") for token in one[1]]
        return _Matched(one, [(Alike.SAME, token, token) for token in tokens], [], [])
    one, other = aligned(one, other)
    short, long = sorted((one, other), key=lambda name: (len(name[0]) + len(name[1]), name))
    left = [(token, "family") for token in long[0]] + [(token, "given") for token in long[1]]
    wanted = [(token, "family") for token in short[0]] + [(token, "given") for token in short[1]]
    cut = {*_cut(short[0], long[0], 0, 0), *_cut(short[1], long[1], len(short[0]), len(long[0]))}
    met: set[int] = set()
    taken: set[int] = set()
    pairs: list[tuple[Alike, Token, Token]] = []

    def take(ranked: list[tuple[Alike, bool, int, int]]) -> None:
        ranked.sort(reverse=True)
        for how, _, at, to in ranked:
            if how is not Alike.NOT and -at not in met and -to not in taken:
                met.add(-at)
                taken.add(-to)
                pairs.append((how, wanted[-at], left[-to]))

    # what is the same goes before what is alike, so only the rest is looked at: whether tokens are alike is dear
    take(
        [
            (Alike.SAME, role == other_role, -at, -to)
            for at, (token, role) in enumerate(wanted)
            for to, (other_token, other_role) in enumerate(left)
            if token == other_token
        ]
    )
    take(
        [
            (alike(token, other_token) or (Alike.CUT if (at, to) in cut else Alike.NOT), role == other_role, -at, -to)
            for at, (token, role) in enumerate(wanted)
            if at not in met
            for to, (other_token, other_role) in enumerate(left)
            if to not in taken
        ]
    )
    missed = [entry for at, entry in enumerate(wanted) if at not in met and entry[0] not in PARTICLES]
    lost = [entry for to, entry in enumerate(left) if to not in taken and entry[0] not in PARTICLES]
    return _Matched(short, pairs, missed, lost)


@lru_cache(maxsize=16_384)
def _name_score(one: Name, other: Name, country: str) -> float:
    if one != other and _other_generation(one, other):
        return NEVER
    matched = _matched(one, other)
    if one[1] and other[1] and not matched.given:
        return NEVER  # twins, siblings, parents: all but the given name may agree
    if matched.strange_rest:
        return NEVER  # twins again, called MARIA ELENA and MARIA JOSE
    bits = SINGLE if sum(map(len, matched.shorter)) == 1 else 0.0
    for how, mine, theirs in matched.pairs:
        weight = min(bits_of(*mine, country), bits_of(*theirs, country))
        bits += KEPT[how] * weight + (0.0 if mine[1] == theirs[1] else CROSSED)
    if matched.missed:
        return bits + sum(FAMILY_OTHER if role == "family" else GIVEN_OTHER for _, role in matched.missed)
    if matched.lost and not all(matched.shorter):
        return bits + FIELD_LOST
    return bits + TOKEN_LOST * len(matched.lost)


def _other_generation(one: Name, other: Name) -> bool:
    """Whether one is called the elder and the other the younger: JR, SR."""
    mine, theirs = (GENERATIONS.intersection(name[0] + name[1]) for name in (one, other))
    return bool(mine and theirs and not mine & theirs)


def _cut(one: tuple[str, ...], other: tuple[str, ...], at: int, to: int) -> Iterator[tuple[int, int]]:
    """The places of the tokens, counted from `at` and `to`, in which one family or given name breaks off the other."""
    last = min(len(one), len(other)) - 1
    if last < 0 or one[:last] != other[:last] or one[last] == other[last]:
        return
    short, long = sorted((one, other), key=lambda tokens: len(tokens[last]))
    if last == len(short) - 1 and long[last].startswith(short[last]) and len(" ".join(short)) >= FIELD_CUT:
        yield at + last, to + last


@lru_cache(maxsize=16_384)
def given_conflict(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether of two names (family, given) one cannot be the other, by what follows the family name.

    It is less than a score of NEVER: names of two or three letters that differ in one exclude a join by score, and no
    join of others who have such a name among theirs.
    """
    mine, theirs = name_of(*one), name_of(*other)
    if _other_generation(mine, theirs) or _matched(mine, theirs).strange_rest:
        return True
    return strange_given(one, other)


@lru_cache(maxsize=16_384)
def strange_given(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two names (family, given) have given names of which none can be any name of the other, however written.

    It is more than a conflict: a given name that was mistyped past knowing is not strange.
    """
    if one == other:
        return False
    mine, theirs = aligned(name_of(*one), name_of(*other))
    if not mine[1] or not theirs[1] or _one_given_in(mine[1], theirs) or _one_given_in(theirs[1], mine):
        return False
    if not strange("".join(mine[1]), "".join(theirs[1])):
        return False  # written together in one of them, and cut or respelt besides
    return _all_strange(mine[1], theirs[0] + theirs[1]) and _all_strange(theirs[1], mine[0] + mine[1])


def _one_given_in(givens: Sequence[str], name: Name) -> bool:
    """Whether a given name of one stands in the other as it is written: then not all are strange. It is soon seen."""
    return any(token not in PARTICLES and (token in name[1] or token in name[0]) for token in givens)


@lru_cache(maxsize=16_384)
def one_name(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two names (family, given) are one in another permitted spelling, or cut by a system."""
    mine, theirs = name_of(*one), name_of(*other)
    if not all(mine) or not all(theirs):
        return False
    matched = _matched(mine, theirs)
    if not matched.missed and not matched.lost and all(how >= Alike.VARIANT for how, _, _ in matched.pairs):
        return True
    return all(map(_one_field, mine, theirs))


def _one_field(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if one == other:
        return True
    short, long = sorted((" ".join(one), " ".join(other)), key=len)
    # at a blank a whole name is left out, which brothers may have in place of each other: MUHAMMAD ALI, MUHAMMAD UMAR
    return len(short) >= FIELD_CUT and long.startswith(short) and long[len(short)] != " "


@lru_cache(maxsize=16_384)
def two_given(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two names (family, given) have given names of two people, though they may share one.

    That is all of them, or those that are left beside common ones: MUHAMMAD ALI and MUHAMMAD UMAR. Of short ones that
    are no known names both may be mistyped: MIN JEN and MIN IIN are MIN JIN.
    """
    if strange_given(one, other):
        return True
    matched = _matched(name_of(*one), name_of(*other))
    mine, theirs = ([token for token, role in some if role == "given"] for some in (matched.missed, matched.lost))
    rest = [(token, each) for token in mine for each in theirs]
    return matched.strange_rest and any(_telling(*pair) for pair in rest)


def _telling(one: str, other: str) -> bool:
    """Whether two tokens are names of two people: known ones, or long enough not to be made another by slips."""
    if sound_alike(one, other):
        return False
    return both_known(one, other) or min(len(one), len(other)) >= TELLING


def torn(claim: Claim, one: Claim, other: Claim) -> bool:
    """Whether a claim may be that of either of two who have other given names: it has none of these, or an initial."""
    sides = compared(one), compared(other)
    if names_score(*sides) != NEVER and not _two_known(*sides):
        return False
    return not any(_called(mine, theirs) for mine in claim.names for theirs in (*one.names, *other.names))


def _called(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether a given name of one stands in the other in full."""
    pairs = _matched(name_of(*one), name_of(*other)).pairs
    return any(how >= Alike.VARIANT and "given" in (mine[1], theirs[1]) for how, mine, theirs in pairs)


@lru_cache(maxsize=16_384)
def nothing_in_common(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether no part of two names (family, given) is like any part of the other."""
    mine, theirs = name_of(*one), name_of(*other)
    return any(mine) and any(theirs) and not _matched(mine, theirs).pairs


def _all_strange(some: Sequence[str], others: Iterable[str]) -> bool:
    # a given name of nothing but what is a particle elsewhere is a name: LI BIN
    named = [token for token in some if token not in PARTICLES] or some
    rest = [token for token in others if token not in PARTICLES or token in named]
    return all(strange(token, each) for token in named for each in rest)


def explained(one: Claim, other: Claim) -> str:
    """The score in words, field by field."""
    mine, theirs = compared(one), compared(other)
    names = names_score(mine, theirs)
    parts = {
        "names": STRANGE_NAMES if names == NEVER else names,
        "date of birth": _birth(mine, theirs),
        "sex, citizenship, documents": _rest(mine, theirs),
    }
    return "; ".join(f"{what} {bits:+.1f}" for what, bits in parts.items() if bits)
