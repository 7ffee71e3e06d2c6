"""Blocks: what claims that are compared by score have in common. Claims that share none are never compared.

Five of four kinds, each of which outlasts mistakes that break the others. Two hold the date of birth (day and month in
one order) with the sound of the family or of the given name; they are of one kind, so a family name meets a given name
where the fields were swapped. Two hold the consonants of the whole name, in no order and without blanks: one with the
year in its century and the citizenship, for dates of which the day or month is wrong, one with the day and month, for
those of which the year is. Particles are left out of the former, which makes them optional, and kept in the latter,
which makes it the same whatever is written together. The fifth holds the initials as they sound, in either order, with
the month of birth and the citizenship: it outlasts a wrong consonant and a wrong day together, and a day that is not
known.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from services.domain.facts import Claim, key_hash
from services.domain.frequencies import customary
from services.domain.names import PARTICLES, PREFIXES, VARIANTS, Name, consonants, name_of, sound

SOUND_CUT = 4
"""Consonants of a name that a block with the date of birth holds: systems cut names."""
STEM_LEAST = 4
"""Letters that a name keeps where a particle at its beginning is left out."""
KINDS: tuple[tuple[int, ...], ...] = ((0, 2), (1,), (3,), (4,))
"""The places of a claim's blocks that are of one kind: a block of one place may be another claim's of the other."""
Blocks = tuple[int, int, int, int, int]
Texts = tuple[str, str, str, str, str]
NO_BLOCKS: Blocks = (0, 0, 0, 0, 0)
_MOST = 20_000
Spoken = tuple[tuple[tuple[str, str], ...], str, tuple[str, ...]]
"""What of a claim its blocks are made of: names, date of birth, citizenship. A person's claims mostly differ in numbers
alone, so what is worked out for one is the others' as well."""
_kept: dict[Spoken, Blocks] = {}


def spoken(claim: Claim) -> Spoken:
    """What of a claim its blocks are made of."""
    return claim.names, claim.birth, claim.citizenship


def blocks_of(claim: Claim) -> Blocks:
    """The blocks as keys of 64 bits; 0 where the claim says too little for one."""
    said = spoken(claim)
    held = _kept.get(said)
    if held is None:
        first, second, third, fourth, fifth = _texts_of(*said)
        held = block_key(first), block_key(second), block_key(third), block_key(fourth), block_key(fifth)
        _keep(said, held)
    return held


def keep(claim: Claim, blocks: Blocks) -> None:
    """Remember a claim's blocks, which were worked out before."""
    _keep(spoken(claim), blocks)


def _keep(said: Spoken, blocks: Blocks) -> None:
    if len(_kept) >= _MOST:
        _kept.clear()
    _kept[said] = blocks


def block_key(text: str) -> int:
    """The key of a block's text; 0 of none."""
    return (key_hash(text) or 1) if text else 0


@lru_cache(maxsize=20_000)
def texts_of(claim: Claim) -> Texts:
    """The blocks as texts; "" where the claim says too little for one."""
    return _texts_of(*spoken(claim))


def _texts_of(names: tuple[tuple[str, str], ...], birth: str, citizenships: tuple[str, ...]) -> Texts:
    name = next((name for each in names if any(name := name_of(*each))), None)
    if name is None or len(birth) < 4:
        return "", "", "", "", ""
    by_family = by_given = by_year = by_day = by_month = ""
    family, given, heard, every = _spoken(name)
    citizenship = ",".join(sorted({*citizenships}))
    if len(birth) == 10:
        year, one, other = birth[:4], birth[5:7], birth[8:]
        day = one + other if one <= other else other + one
        # of those who were given their birthday, there are too many for one block
        by_custom = customary(birth[5:])
        place = f"{year}{day}{citizenship}" if by_custom else f"{year}{day}"
        by_family = f"n/{place}/{family}" if family else ""
        by_given = f"n/{place}/{given}" if given else ""
        if len(heard) > 1 and not by_custom:
            by_day = f"d/{day}/{every}"
    if len(birth) >= 7 and not customary(birth[5:]):
        initials = "".join(sorted((family[:1], given[:1])))
        by_month = f"i/{birth[:7]}/{initials}/{citizenship}"
    if len(heard) > 1:
        by_year = f"y/{birth[2:4]}/{heard}/{citizenship}"
    return by_family, by_year, by_given, by_day, by_month


@lru_cache(maxsize=50_000)
def _spoken(name: Name) -> tuple[str, str, str, str]:
    """What blocks hold of a name: the sounds of the family and given name, the consonants without and with particles.

    A claim is asked once a record and a name is many claims', so the name's part is kept.
    """
    return (*_sounds(name), _consonants(name), _every_consonant(name))


def _sounds(name: Name) -> tuple[str, str]:
    """The sounds of the family name (of several, the least) and of the first given name; "" where there is none.

    A single name is a family name, whichever field it stands in.
    """
    families, givens = ([token for token in part if token not in PARTICLES] or list(part) for part in name)
    if not families:
        families, givens = givens, []
    return min(map(_heard, families)), _heard(givens[0]) if givens else ""


def _heard(token: str) -> str:
    return sound(_stem(token))[:SOUND_CUT]


@lru_cache(maxsize=50_000)
def _stem(token: str) -> str:
    """The token without a particle that is written together with it, of which systems make a word of its own."""
    if token in VARIANTS:
        return token
    for length in range(min(6, len(token) - STEM_LEAST), 1, -1):
        if token[:length] in PREFIXES:
            return token[length:]
    return token


def _consonants(name: Name) -> str:
    """The consonants of the whole name, sorted; without particles, also where they are written to the name."""
    families, givens = name
    heard = (consonants(_stem(token)) for token in (*families, *givens) if token not in PARTICLES)
    return "".join(sorted("".join(heard)))


def _every_consonant(name: Name) -> str:
    """The consonants of the whole name, sorted."""
    return "".join(sorted("".join(map(_of_field, name))))


def _of_field(tokens: Sequence[str]) -> str:
    """The consonants of a family or given name as if it were written together: of two equal ones at a seam one is left.

    SEONG GOONG is SEONGGOONG, whose letters that stand twice count once.
    """
    heard = "".join(map(consonants, tokens))
    seams = (consonants(one[-1]) for one, other in pairwise(tokens) if one[-1] == other[0])
    for consonant in seams:
        heard = heard.replace(consonant, "", 1)
    return heard
