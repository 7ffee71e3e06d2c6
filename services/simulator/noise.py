"""What goes wrong in records: how often, and the one place that draws it, apart from all other draws, and counts it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from services.simulator import misspelling
from services.simulator.clock import DAY, changes, local
from services.simulator.population import names
from services.simulator.population.names import plain
from services.simulator.population.numbers import Numbers
from services.simulator.population.plans import Crossing, Passport, Person, Span, Stay
from services.simulator.rng import Rng

LONGEST_DELAY = 120
"""The most days by which a record or a file comes late."""
RETRACTED = 0.5
"""Share of no-shows left on a manifest that the carrier takes back later."""
CUT, CUT_SHARE = 10, 0.5
"""Letters of a name that a partner's reservations hold; share of copies that come out of such."""
ABROAD = 0.25
"""Share of other passports that another state issued: the record has that citizenship, too."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How often each kind of mistake happens, as shares; all 0 is a clean population.

    Shares of records unless stated otherwise. Where a record cannot show the mistake that was drawn for it, the next
    one that can shows it, so the shares hold over all.
    """

    misspelt: float = 0.03
    """A letter or two in a name, names swapped, or a digit of the date of birth."""
    transliterated: float = 0.05
    """A name in another permitted spelling."""
    day_and_month: float = 0.005
    """Day and month of birth swapped."""
    other_passport: float = 0.015
    """Another passport of the person: renewed, or of another state."""
    twins: float = 0.005
    """Of persons: another person's family name, date of birth and country, with another given name or one of two."""
    nothing_shared: float = 0.05
    """No document or number that another record of the person has. Not arrivals in I-94 or rows of CLAIMS 3."""
    shared_passport: float = 0.002
    """Of persons: the passport number of a person who is not related."""
    wrong_passport: float = 0.005
    """Of passport numbers: a wrong digit or, in one of ten, another person's number. The next six kinds are alike."""
    wrong_i94: float = 0.005
    """Of I-94 numbers, except on arrivals in I-94."""
    wrong_visa: float = 0.005
    """Of visa numbers."""
    wrong_sevis: float = 0.005
    """Of SEVIS IDs beside a name and a date of birth, after the creation of the record."""
    wrong_alien: float = 0.005
    """Of A-numbers."""
    wrong_fin: float = 0.002
    """Of FINs beside a name and a date of birth, after the enrolment."""
    wrong_receipt: float = 0.003
    """Of receipt numbers."""
    placeholder: float = 0.002
    """Of passport, visa, I-94 and A-numbers: zeros, nines or a word in place of the number."""
    swapped_passport: float = 0.03
    """Of stays of families who travel together: at the inspection on arrival each has the other's passport."""
    custom_birth: float = 1.0
    """Of persons whose day of birth is not known (a share by country): 1 January or 1 July in its place."""
    glued: float = 0.02
    """A name without its blanks, hyphens or particles, or with a blank for a hyphen. Of names that have any: often."""
    wrong_year: float = 0.003
    """A wrong digit in the year of birth."""
    copies: float = 0.4
    """Of travellers on a manifest: again by the airline's partner, minutes to days later, with names cut or respelt."""
    other_time: float = 0.5
    """Of departures that a manifest or biometrics report besides I-94: minutes to two hours earlier."""
    no_show: float = 0.005
    """Of stays: on an outbound manifest without having boarded; half of them are taken back later."""
    corrected: float = 0.02
    """Of records in I-94: first with a wrong name or date of birth, corrected the next night."""
    missing_departure: float = 0.03
    """Of departures: no system reports it."""
    duplicate: float = 0.1
    """Sent twice. Not rows of CLAIMS 3, whose table holds each row once."""
    out_of_order: float = 0.2
    """Reported up to 120 days late. Not manifests, which carry their own time of creation."""
    late_file: float = 0.02
    """Of nightly files and batches: written up to 120 days late."""

    def scaled(self, factor: float) -> Noise:
        """Return the rates times the factor, none above 1. Raises ValueError."""
        if not 0 <= factor < float("inf"):
            raise ValueError(f"noise of {factor}")
        return Noise(**{name: min(1.0, rate * factor) for name, rate in asdict(self).items()})

    def rated(self, rates: Mapping[str, float]) -> Noise:
        """With these kinds as often as told, the others as they are. Raises ValueError."""
        for kind, share in rates.items():
            if kind not in KINDS:
                raise ValueError(f"no kind of mistake is {kind!r}; of {', '.join(KINDS)}")
            if not 0 <= share <= 1:
                raise ValueError(f"{kind} of {share}: a share lies between 0 and 1")
        return replace(self, **rates)

    @property
    def silent(self) -> bool:
        """Return whether nothing goes wrong."""
        return not any(asdict(self).values())


CLEAN = Noise().scaled(0)
KINDS = tuple(each.name for each in fields(Noise))
OF_PERSONS = frozenset({"twins", "shared_passport", "missing_departure", "swapped_passport", "custom_birth"})
"""Kinds that are no single record's."""


PLACEHOLDERS: dict[str, tuple[str, ...]] = {
    "passport": ("000000000", "999999999", "123456789", "111111111", "XXXXXXXXX", "UNKNOWN", "NONE"),
    "i94": ("00000000000", "99999999999"),
    "visa": ("00000000", "99999999"),
    "alien": ("A000000000", "A999999999"),
}
"""What is written by scheme where the number is not known."""
OTHERS, RECENT = 0.1, 300
"""Share of mistyped numbers that are another person's; how many of the latest numbers are kept for that."""


@dataclass(slots=True)
class Description:
    """What one record says of a person. `bare`: neither documents nor numbers. `kinds`: the mistakes in the record."""

    person: Person
    passport: Passport
    bare: bool = False
    kinds: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Mistakes:
    """Draws what goes wrong. Where a rate is 0 it draws nothing at all."""

    noise: Noise
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    _rng: Rng = field(init=False)
    _owed: Counter[str] = field(default_factory=Counter)
    _numbers: Numbers = field(default_factory=Numbers)
    _lately: dict[str, Person] = field(default_factory=dict)  # citizenship -> the last one without a mistake
    _second: tuple[int, Passport] = (0, Passport("", ""))  # number of a person, and the other passport
    _recent: dict[str, deque[str]] = field(default_factory=dict)  # by scheme
    _swapped: tuple[int, frozenset[int]] = (0, frozenset())  # number of the other of a family, and indexes of stays

    def __post_init__(self) -> None:
        self._rng = Rng(f"noise {self.seed}")

    def due(self, kind: str, *, possible: bool = True) -> bool:
        """Return whether it goes wrong here. What is not possible here goes wrong at the next place where it is."""
        rate = getattr(self.noise, kind)
        if not rate:
            return False
        self._owed[kind] += self._rng.chance(rate)
        if not possible or not self._owed[kind]:
            return False
        self._owed[kind] -= 1
        self.counts[kind] += 1
        return True

    def person(self, person: Person, span: Span) -> tuple[Person, tuple[str, ...]]:
        """Return the person with what is wrong with the whole of it, and the kinds of that."""
        if self.noise.silent:
            return person, ()
        kinds: list[str] = []
        person = self._by_custom(self._swap(person, kinds), kinds)
        other = self._lately.get(person.citizenship)
        fits = other is not None and plain(person)
        if other is not None and self.due("twins", possible=fits and _differ(person, other)):
            person = replace(person, family=other.family, birth=other.birth)
            kinds.append("twins")
        elif other is not None and self.due("shared_passport", possible=fits and person.birth != other.birth):
            person = _holding(person, other.stays[0].passport)
            kinds.append("shared_passport")
        elif plain(person):
            self._lately[person.citizenship] = person
        stays = tuple(self._unseen(stay, span, kinds) for stay in person.stays)
        return replace(person, stays=stays), tuple(kinds)

    def _swap(self, person: Person, kinds: list[str]) -> Person:
        """Return the person with the other's passport shown on arrival, where two of a family have them swapped."""
        number, places = self._swapped
        if number != person.number:
            together = [index for index, stay in enumerate(person.stays) if stay.family_passport is not None]
            places = frozenset(index for index in together if self.due("swapped_passport"))
            self._swapped = person.number + 1, places
        if not places:
            return person
        kinds.append("swapped_passport")
        stays = tuple(
            replace(stay, shown_passport=stay.family_passport) if index in places else stay
            for index, stay in enumerate(person.stays)
        )
        return replace(person, stays=stays)

    def _by_custom(self, person: Person, kinds: list[str]) -> Person:
        """Return the person with the date of birth that the custom of the country gives."""
        origin = names.BY_CODE[person.citizenship]
        rate = self.noise.custom_birth
        if not rate or not (origin.january or origin.july) or not plain(person):
            return person
        roll = self._rng.random.random()
        if roll >= rate * (origin.january + origin.july):
            return person
        self.counts["custom_birth"] += 1
        kinds.append("custom_birth")
        day = "0101" if roll < rate * origin.january else "0701"
        return replace(person, birth=person.birth[:4] + day)

    def _unseen(self, stay: Stay, span: Span, kinds: list[str]) -> Stay:
        if stay.departure is None or not stay.seen or stay.departure.at > span.records_end:
            return stay
        if not self.due("missing_departure"):
            return stay
        kinds.append("missing_departure")
        return replace(stay, seen=False)

    def describe(
        self,
        person: Person,
        stay: Stay,
        *,
        named: bool = True,
        bare: bool = False,
        documented: bool = True,
        at_inspection: bool = False,
    ) -> Description:
        """Return what a record says. `named`: it has a name; `bare`: it can go without documents and numbers.

        `documented`: it has the passport if it is not bare. `at_inspection`: the passport is the one that was shown
        when the person arrived.
        """
        if self.noise.silent:
            return Description(person, stay.passport)
        kinds: list[str] = []
        spelt = self.misspell(person, kinds, possible=named)
        passport = (stay.shown_passport if at_inspection else None) or stay.passport
        left_out = self.due("nothing_shared", possible=bare and plain(person))
        if left_out:
            kinds.append("nothing_shared")
        if self.due("other_passport", possible=named and documented and not left_out and plain(person)):
            passport = self._other(person)
            spelt = replace(spelt, citizenship=passport.state)
            kinds.append("other_passport")
        description = Description(spelt, passport, left_out, kinds)
        if documented and not left_out:
            number = self.number("passport", passport.number, description, possible=named)
            description.passport = replace(passport, number=number)
        return description

    def number(self, scheme: str, value: str, description: Description, *, possible: bool = True) -> str:
        """Return a number as a record has it; a mistake in it is added to the description.

        `possible` is False where the number is all that the record has, or is the record's own.
        """
        if self.noise.silent or not value or not possible:
            return value
        if self.due(f"wrong_{scheme}"):
            description.kinds.append(f"wrong_{scheme}")
            return self._mistyped(scheme, value)
        if scheme in PLACEHOLDERS and self.due("placeholder"):
            description.kinds.append("placeholder")
            return self._rng.one(PLACEHOLDERS[scheme])
        self._recent.setdefault(scheme, deque(maxlen=RECENT)).append(value)
        return value

    def _mistyped(self, scheme: str, value: str) -> str:
        """Return a mistyped number: another person's now and then, else one with a wrong digit."""
        others = [each for each in self._recent.get(scheme, ()) if each != value and each[0] == value[0]]
        if others and self._rng.chance(OTHERS):
            return self._rng.one(others)
        return misspelling.number(value, self._rng)

    def misspell(self, person: Person, kinds: list[str], *, possible: bool = True) -> Person:
        """Return the person as one record spells it: at most one mistake, its kind added to `kinds`."""
        respelt = misspelling.transliterated(person.family), misspelling.transliterated(person.given)
        swapped = misspelling.day_and_month(person.birth)
        if self.due("misspelt", possible=possible and plain(person)):
            kinds.append("misspelt")
            family, given, birth = self.wrong(person.family, person.given, person.birth)
            return replace(person, family=family, given=given, birth=birth)
        if self.due("transliterated", possible=possible and respelt != (person.family, person.given)):
            kinds.append("transliterated")
            return replace(person, family=respelt[0], given=respelt[1])
        if self.due("day_and_month", possible=possible and swapped != person.birth):
            kinds.append("day_and_month")
            return replace(person, birth=swapped)
        if self.due("wrong_year", possible=possible and plain(person)):
            kinds.append("wrong_year")
            return replace(person, birth=misspelling.year(person.birth, self._rng))
        joined = misspelling.separable(person.family), misspelling.separable(person.given)
        if self.due("glued", possible=possible and any(joined) and names.LONG not in person.family):
            kinds.append("glued")
            family = misspelling.glued(person.family, self._rng) if joined[0] else person.family
            given = misspelling.glued(person.given, self._rng) if joined[1] and not joined[0] else person.given
            return replace(person, family=family, given=given)
        return person

    def wrong(self, family: str, given: str, birth: str) -> tuple[str, str, str]:
        """Return names and birth with a wrong letter, names swapped, or a wrong digit of the birth if that is whole."""
        roll = self._rng.random.random()
        if roll < 0.35 or (roll >= 0.7 and birth.endswith("00")):
            return misspelling.typo(family, self._rng), given, birth
        if roll < 0.6:
            return family, misspelling.typo(given, self._rng), birth
        if roll < 0.7:
            return given, family, birth
        return family, given, misspelling.digit(birth, self._rng)

    def _other(self, person: Person) -> Passport:
        """Return the person's other passport: one, whatever record shows it."""
        if self._second[0] != person.number:
            states = [origin.code for origin in names.ORIGINS if origin.code != person.citizenship]
            state = self._rng.one(states) if self._rng.chance(ABROAD) else person.citizenship
            number = self._numbers.passport("").number
            self._second = person.number, Passport(state, f"N{number[1:]}")
        return self._second[1]

    def other_time(self, departure: Crossing, *, possible: bool) -> Crossing | None:
        """Return the crossing as another clock has it: earlier. None where both have the same time."""
        if self.noise.silent:
            return None
        at = departure.at - 60 * self._rng.between(2, 100)
        day, second = local(departure.zone, at)
        set_anew = changes(day, departure.zone) or changes(departure.day, departure.zone)
        if not self.due("other_time", possible=possible and not set_anew):
            return None
        return replace(departure, day=day, second=second, at=at, again=False)

    def late(self, room: int, *, possible: bool = True) -> int:
        """Return by how many days a record comes late; never more than `room`."""
        if not self.due("out_of_order", possible=possible and room > 0):
            return 0
        return self._rng.between(1, min(LONGEST_DELAY, room))

    def file_delay(self) -> int:
        """Return by how many seconds a file is made late."""
        return DAY * self._rng.between(1, LONGEST_DELAY) if self.due("late_file") else 0

    def lag(self, room: int) -> int:
        """Return by how many minutes a copy comes later: minutes, hours or days, at most `room`."""
        return min(room, self._rng.between(2, self._rng.one((30, 600, 7_200))))

    def copied(self, family: str, given: str, kinds: tuple[str, ...]) -> tuple[str, str]:
        """Names as a copy has them: cut, or in another permitted spelling. What is spelt otherwise already stays so."""
        cut = family[:CUT].strip(), given[:CUT].strip()
        if self._rng.chance(CUT_SHARE) and cut != (family, given):
            return cut
        if "misspelt" in kinds or "transliterated" in kinds:
            return family, given
        return misspelling.transliterated(family), misspelling.transliterated(given)

    def days(self, high: int) -> int:
        """Return a number of days from 1 to `high`."""
        return self._rng.between(1, high)

    def retracted(self) -> bool:
        """Return whether a no-show is taken back later."""
        return self._rng.chance(RETRACTED)

    def injected(self) -> dict[str, int]:
        """Return how often each kind was put in."""
        return {kind: self.counts[kind] for kind in KINDS}


def _differ(one: Person, other: Person) -> bool:
    """Whether each has a given name that the other has not. One may be common to both: MARIA ELENA, MARIA JOSE."""
    mine, theirs = set(one.given.split()), set(other.given.split())
    return bool(mine - theirs and theirs - mine)


def _holding(person: Person, passport: Passport) -> Person:
    """Return the person with that passport in place of the first one."""
    first = person.stays[0].passport
    stays = tuple(replace(stay, passport=passport) if stay.passport == first else stay for stay in person.stays)
    return replace(person, stays=stays)
