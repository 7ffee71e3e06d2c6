"""Dates of birth as they are compared: `1980-02-03`, `1980-02`, `1980` or nothing."""

from __future__ import annotations

from functools import lru_cache
from operator import ne

from services.domain.frequencies import ANY_DAY, day_bits

BIRTH_SAME, BIRTH_SWAPPED, BIRTH_DIGIT, BIRTH_CENTURY, BIRTH_PART, BIRTH_MONTH = 14.4, 5.8, 3.9, 5.0, 6.0, 3.5
BIRTH_CUSTOM = 2.0
"""One year, of which one has a day that is given by custom to who does not know it: that day says nothing."""
BIRTH_OTHER = -7.0
BIRTH_GENERATION = 1.5
"""One digit of the year apart, as mistyped dates are, and as many years as parents are older than their children."""
CUSTOM_BITS = 3.0
"""A day that is the birthday of eight times as many as another day is one of custom."""
GENERATION = (14, 45)
"""Years between one birthday of a parent and a child who has the name, and the day."""
ELDERS = 90
"""Years at most between two other birthdays of namesakes of one family: a grandparent's, and a grandchild's."""
OLDEST = "1905"
"""Years before are no traveller's: 1900 is typed in where none is known."""


@lru_cache(maxsize=16_384)
def birth_score(one: str, other: str, country: str = "") -> float:
    """Bits of two dates of birth. A day that is given by custom in the country says what its frequency says."""
    if not one or not other:
        return 0.0
    if len(one) != 10 or len(other) != 10:
        short = min(len(one), len(other))
        if one[:short] != other[:short]:
            return BIRTH_OTHER
        return BIRTH_PART + (BIRTH_MONTH if short > 4 else 0.0)
    too_often = ANY_DAY - day_bits(one[5:], country)
    if one == other:
        return round(BIRTH_SAME - too_often, 1)
    if one[:4] == other[:4] and (_unknown_day(one, country) or _unknown_day(other, country)):
        return BIRTH_CUSTOM
    if one[:4] == other[:4] and one[5:7] == other[8:] and one[8:] == other[5:7]:
        return BIRTH_SWAPPED
    if a_generation_apart(one, other):
        return round(BIRTH_GENERATION - too_often, 1) if _wrong(one, other) == 1 else BIRTH_OTHER
    if one[2:] == other[2:]:
        return round(BIRTH_CENTURY - too_often, 1)
    if _wrong(one, other) == 1 or _transposed(one, other) or _a_day_apart(one, other):
        return round(BIRTH_DIGIT - (too_often if one[5:] == other[5:] else 0.0), 1)
    return BIRTH_OTHER


def _unknown_day(date: str, country: str) -> bool:
    """Whether a day is given so often by custom in a country that it tells the year alone."""
    return ANY_DAY - day_bits(date[5:], country) >= CUSTOM_BITS


def births_agree(one: str, other: str) -> bool:
    """Whether one date may be the other one mistyped, or known in part."""
    return not one or not other or one == other or birth_score(one, other) > 0


@lru_cache(maxsize=16_384)
def a_generation_apart(one: str, other: str) -> bool:
    """Whether the two are one day of the year, and as far apart as parents and children are."""
    if len(one) != 10 or len(other) != 10 or one[5:] != other[5:]:
        return False
    return GENERATION[0] <= abs(int(one[:4]) - int(other[:4])) <= GENERATION[1]


@lru_cache(maxsize=16_384)
def of_two_generations(one: str, other: str) -> bool:
    """Whether neither day can be the other mistyped, and they are as far apart as a child and its elders are.

    Of a date that is known in part the year says so, where more than a digit of it is another.
    """
    if not one or not other or birth_score(one, other) > 0:
        return False
    if (len(one) != 10 or len(other) != 10) and _wrong(one[:4], other[:4]) < 2:
        return False
    return min(one, other) >= OLDEST and GENERATION[0] <= abs(int(one[:4]) - int(other[:4])) <= ELDERS


def a_digit_of_the_year(one: str, other: str) -> bool:
    """Whether two days are one but for a digit of the year."""
    return len(one) == len(other) == 10 and one[4:] == other[4:] and _wrong(one, other) == 1


def _wrong(one: str, other: str) -> int:
    return sum(map(ne, one, other))


def _a_day_apart(one: str, other: str) -> bool:
    """Whether the two are neighbours within a month."""
    return one[:8] == other[:8] and abs(int(one[8:]) - int(other[8:])) == 1


def _transposed(one: str, other: str) -> bool:
    """Whether two digits beside each other have changed places."""
    mine, theirs = one.replace("-", ""), other.replace("-", "")
    wrong = [at for at in range(8) if mine[at] != theirs[at]]
    if len(wrong) != 2 or wrong[1] != wrong[0] + 1:
        return False
    return mine[wrong[0]] == theirs[wrong[1]] and mine[wrong[1]] == theirs[wrong[0]]
