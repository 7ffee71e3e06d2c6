"""What a perfect matcher would say: each true person's records through the same rules, and who holds which claim."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.ids import handle
from services.domain.coverage import Coverage
from services.domain.facts import Claim, Fact
from services.domain.records import active
from services.domain.resolve import answer, history_of_records
from services.evaluation.pairs import Claims
from services.simulator.truth.records import TruePerson


@dataclass(slots=True)
class Census:
    """Whose each record of the view is, by its handle: in the view (`homes`) and in truth (`owners`)."""

    homes: array[int] = field(default_factory=lambda: array("q"))
    owners: array[int] = field(default_factory=lambda: array("q"))  # -1: a record that the truth does not have
    missing: Counter[str] = field(default_factory=Counter)  # by system: records of the truth that the view has not
    _places: dict[bytes, int] = field(default_factory=dict)

    def add_viewed(self, record: tuple[str, str], home: int) -> None:
        """A record of a person of the view."""
        self._places[handle(*record)] = len(self.homes)
        self.homes.append(home)
        self.owners.append(-1)

    def add_true(self, person: TruePerson) -> None:
        """The records of a true person."""
        for each in person.records:
            place = self._places.get(handle(each.system, each.record))
            if place is None:
                self.missing[each.system] += 1
            else:
                self.owners[place] = person.number

    def place(self, record: bytes) -> int | None:
        """Return where in the arrays a record is; None where the view does not have it."""
        return self._places.get(record)

    def merged(self) -> int:
        """True persons that the view joined to another one, each once."""
        inside: dict[int, set[int]] = defaultdict(set)
        for home, owner in zip(self.homes, self.owners, strict=True):
            inside[home].add(owner)
        return sum(len(owners) - 1 for owners in inside.values())


@dataclass(slots=True)
class Astray:
    """Which records are not where most records of their person are, or are where another person's prevail."""

    _census: Census
    _main: dict[int, int]  # true person -> person of the view
    _master: dict[int, int]  # the reverse

    @classmethod
    def of(cls, census: Census) -> Astray:
        """From all records."""
        main: dict[int, int] = {}
        master: dict[int, int] = {}
        for (owner, home), _ in Counter(zip(census.owners, census.homes, strict=True)).most_common():
            main.setdefault(owner, home)
            master.setdefault(home, owner)
        return cls(census, main, master)

    def lost(self, system: str, record: str) -> bool:
        """Return whether that record is astray, or not in the view."""
        place = self._census.place(handle(system, record))
        if place is None:
            return True
        owner, home = self._census.owners[place], self._census.homes[place]
        return self._main[owner] != home or self._master[home] != owner


@dataclass(frozen=True, slots=True)
class Due:
    """What the view should say of a stay."""

    outcome: str
    since: int
    authorised_until: str | None
    admission_class: str | None


@dataclass(slots=True)
class Oracle:
    """Gathers pool by pool what each true person's records say. A person in several pools waits for the last one."""

    census: Census
    as_of: int
    coverage: Coverage
    claims: Claims
    due: dict[str, Due] = field(default_factory=dict)  # by id of the stay
    _wanted: Counter[int] = field(default_factory=Counter)  # true person -> records that were not read yet
    _held: dict[int, list[Fact]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wanted = Counter(self.census.owners)

    def add(self, facts: Iterable[Fact]) -> None:
        """Add all facts of a pool. Records that were taken back belong to no person."""
        records, _ = active(facts)
        by_owner: dict[int, list[Fact]] = defaultdict(list)
        claimed: dict[tuple[int, Claim], tuple[int, set[str]]] = {}
        for key, parts in records.items():
            place, claim = self.census.place(key), parts[0].claim
            if place is None or claim is None:
                continue
            owner = self.census.owners[place]
            by_owner[owner] += parts
            self._wanted[owner] -= 1
            texts = claimed.setdefault((owner, claim), (self.census.homes[place], set()))[1]
            texts.update(*(part.identifiers for part in parts))
        for (owner, claim), (home, texts) in claimed.items():
            self.claims.add(owner, home, claim, texts)
        for owner, mine in by_owner.items():
            held = self._held.pop(owner, []) + mine
            if self._wanted[owner]:
                self._held[owner] = held
            else:
                self._resolve(held)

    def _resolve(self, facts: list[Fact]) -> None:
        history = history_of_records(facts)
        for stay in history.stays if history else ():
            given = answer(stay, self.as_of, self.coverage)
            if given is not None:
                due = Due(given.outcome, given.since, stay.authorised_until, stay.admission_class)
                self.due[stay.id] = due
