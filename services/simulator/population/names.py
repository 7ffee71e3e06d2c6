"""Where the people come from: citizenships with the names that are borne there, as often as they are.

`names.csv` has the frequent names of each citizenship with their bearers in 100,000. Where the sources count, these are
counts: family names of GBR, BEL, CHN, KOR, VNM, ESP, MEX, PRT, BRA and all names of CHL, COL and KEN. Elsewhere the
names stand in the order of their frequency, the first one has the published share of its bearers, and the others follow
Zipf's law. The lists come in part from Faker (MIT licence, see `names.LICENSE`), names in other scripts romanised, in
part from statistics that `docs/evaluation.md` names. A person with none of the frequent names has a rare one: it is put
together from the beginning of one name and the end of another, so that rare names are many and each is borne by few.
"""

from __future__ import annotations

import csv
from bisect import bisect
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate

from services.simulator.population.plans import Person
from services.simulator.rng import Rng

_ALL = 100_000


class Names:
    """Names with their bearers in 100,000."""

    def __init__(self, bearers: Mapping[str, int]) -> None:
        self.frequent = tuple(bearers)
        self._sums = tuple(accumulate(bearers.values()))

    def draw(self, rng: Rng) -> str:
        """Return a name, as often as it is borne."""
        roll = rng.random.random() * max(_ALL, self._sums[-1])
        place = bisect(self._sums, roll)
        return self.frequent[place] if place < len(self.frequent) else self._rare(rng)

    def _rare(self, rng: Rng) -> str:
        begin, end = (rng.one(self.frequent).replace(" ", "").replace("-", "") for _ in range(2))
        return begin[: (len(begin) + 1) // 2] + end[len(end) // 2 :]


@dataclass(frozen=True, slots=True)
class Origin:
    """A citizenship: how many travellers have it, and how often a birth is put on 1 January or 1 July by custom."""

    code: str
    weight: int
    waiver: bool
    january: float = 0.0
    july: float = 0.0

    @property
    def families(self) -> Names:
        """Return the family names."""
        return _table()[self.code, "family"]

    @property
    def women(self) -> Names:
        """Return the given names of women."""
        return _table()[self.code, "women"]

    @property
    def men(self) -> Names:
        """Return the given names of men."""
        return _table()[self.code, "men"]


@cache
def _table() -> dict[tuple[str, str], Names]:
    bearers: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in csv.DictReader((files(__package__) / "names.csv").read_text(encoding="ascii").splitlines()):
        bearers[row["country"], row["part"]][row["name"]] = int(row["per_100000"])
    return {key: Names(each) for key, each in bearers.items()}


ORIGINS: tuple[Origin, ...] = (
    Origin("GBR", 20, True),
    Origin("IRL", 4, True),
    Origin("AUS", 6, True),
    Origin("D", 12, True),
    Origin("AUT", 2, True),
    Origin("FRA", 10, True),
    Origin("BEL", 3, True),
    Origin("NLD", 4, True),
    Origin("POL", 4, True),
    Origin("JPN", 16, True),
    Origin("KOR", 10, True),
    Origin("ESP", 7, True),
    Origin("CHL", 3, True),
    Origin("PRT", 3, True),
    Origin("MEX", 24, False),
    Origin("COL", 8, False),
    Origin("ARG", 6, False),
    Origin("BRA", 14, False),
    Origin("IND", 14, False, january=0.02, july=0.005),
    Origin("CHN", 14, False),
    Origin("PHL", 5, False),
    Origin("VNM", 4, False, january=0.03),
    Origin("NGA", 4, False, january=0.015),
    Origin("KEN", 2, False, january=0.02),
    Origin("ETH", 2, False, january=0.08),
    Origin("EGY", 3, False, january=0.02),
    Origin("SAU", 3, False, january=0.02, july=0.05),
    Origin("TUR", 3, False, january=0.06, july=0.01),
    Origin("PAK", 3, False, january=0.06),
    Origin("BGD", 3, False, january=0.06),
    Origin("IRQ", 2, False, january=0.05, july=0.2),
    Origin("SDN", 1, False, january=0.3),
    Origin("AFG", 1, False, january=0.3),
    Origin("SOM", 1, False, january=0.3),
)
"""The shares of births by custom are estimates. Germany's register of foreigners had 416,420 persons born on 1 January
in 2020, most of them from Syria, Turkey and Afghanistan; Iraq registers unknown days as 1 July."""
BY_CODE = {origin.code: origin for origin in ORIGINS}
WAIVER = tuple(origin for origin in ORIGINS if origin.waiver)
VISA = tuple(origin for origin in ORIGINS if not origin.waiver)
TWO_FAMILY_NAMES = frozenset({"ESP", "MEX", "COL", "ARG", "CHL"})
"""Citizenships with the family names of father and mother."""
ONE_GIVEN_NAME = frozenset({"CHN", "KOR", "VNM"})
"""Citizenships whose names in the table are whole: no second given name is added."""
LONG = "WOLFESCHLEGELSTEINHAUSENBERGERDORFF-VON UND ZU LICHTENSTEIN-HOHENFELS"
"""A family name that the I-94 field cuts; forms on paper hold it whole."""


def plain(person: Person) -> bool:
    """Return whether names and date of birth are whole, so that they alone can tell who it is.

    A family name that is the given name, too, as in IBRAHIM IBRAHIM, says no more than a single name.
    """
    return person.given not in ("", person.family) and not person.birth.endswith("00") and LONG not in person.family


def telling(person: Person) -> bool:
    """Return whether the names alone tell who it is: they are plain, and the family name is none that many bear."""
    origin = BY_CODE.get(person.citizenship)
    return plain(person) and origin is not None and person.family not in origin.families.frequent


def on_paper(name: str) -> str:
    """Return the name as people write it on a form: upper and lower case."""
    return name.title()
