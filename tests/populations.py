"""Synthetic canonical events: small random worlds in which everything that correlation has to bear really happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from schemas import codec
from schemas.events import (
    Action,
    AnyEvent,
    Arrival,
    Coverage,
    Decision,
    Departure,
    Evidence,
    Extension,
    Inspection,
    Mode,
    Name,
    Operation,
    RecordRef,
    Request,
    Revision,
    Subject,
)
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment

E = TypeVar("E", bound=Any)
START = datetime(2024, 1, 1, tzinfo=UTC)
ZONES = ("America/New_York", "America/Los_Angeles", "Pacific/Guam", "UTC")
FAMILIES = ("GARCIA", "SMITH", "NGUYEN", "IVANOVA", "MUELLER")
GIVEN = ("ANA", "JOHN", "LINH", "OLGA", "KARL")


@dataclass
class Person:
    """A made-up person and the numbers that name them."""

    name: Name
    birth: str
    sex: str
    citizenship: str
    passports: list[str]
    a_number: str | None
    i94: list[str] = field(default_factory=list)


class World:
    """Makes events. Records and numbers are unique inside one world; `rng` alone decides."""

    def __init__(self, seed: int, first: int = 0) -> None:
        self.rng = Random(seed)
        self.count = first

    def person(self, *, twin_of: Person | None = None) -> Person:
        """Somebody; a twin shares the family name, the date of birth and the citizenship."""
        rng = self.rng
        self.count += 1
        if twin_of is not None:
            return Person(
                Name(family=twin_of.name.family, given=f"{rng.choice(GIVEN)}B"),
                twin_of.birth,
                twin_of.sex,
                twin_of.citizenship,
                [self.number("P")],
                None,
            )
        born = date(1950, 1, 1) + timedelta(days=rng.randrange(20_000))
        return Person(
            Name(family=rng.choice(FAMILIES), given=rng.choice(GIVEN)),
            born.isoformat(),
            rng.choice("FM"),
            rng.choice(("MEX", "GBR", "VNM", "RUS", "DEU")),
            [self.number("P")],
            None,
        )

    def number(self, prefix: str, width: int = 8) -> str:
        """The next number with a prefix."""
        self.count += 1
        return f"{prefix}{self.count:0{width}d}"

    def subject(self, person: Person, *identifiers: Identifier, names: bool = True) -> Subject:
        """What a record says of somebody."""
        return Subject(
            names=(person.name,) if names else (),
            birth=person.birth if names else None,
            sex=person.sex if names else None,
            citizenship=(person.citizenship,) if names else (),
            identifiers=identifiers,
        )


def passport(person: Person, which: int = -1) -> Identifier:
    """One of the person's passports."""
    return Identifier.of(Scheme.PASSPORT, person.passports[which], person.citizenship)


def make(kind: type[E], world: World, *, record: str, known: datetime, number: int = 1, **fields: object) -> E:
    """An event of a kind, with what an adapter and ingest would have put into it."""
    system = str(fields.pop("system", "I94"))
    place = str(fields.pop("place", "record 1"))
    part = str(fields.pop("part", ""))
    mark = digest(repr((record, number, sorted(fields.items(), key=lambda item: item[0]))).encode())
    return kind(
        id=event_id(system, record, part, number, mark, 1),
        system=system,
        record=record,
        place=place,
        part=part,
        revision=Revision(number=number, digest=mark),
        mapping_version=1,
        batch="b1",
        published_at=known,
        **fields,
    )


def bytes_of(events: list[AnyEvent]) -> list[bytes]:
    """The events as they lie on the bus."""
    return [codec.encode(event) for event in events]


def world_of(
    seed: int, persons: int = 4, *, torn: bool = False, first: int = 0
) -> tuple[list[AnyEvent], dict[str, int]]:
    """A random world's events in the order of their making, and how often it holds what it is about.

    Counted: merges (two passports tied later), vetoes (a shared number with two A-numbers), retractions, corrections,
    decisions, splits (a tie that is retracted), late (known long after it happened), copies (one id, two stamps),
    likenesses (a record joined by its score alone), shared (one number on the records of several people), repeats (an
    arrival that a second system tells, under the same key of its own), queues (somebody of one name and date of birth
    is admitted minutes later). A torn world also holds people joined and parted long after their records are known.
    `first`: where its numbers begin, so that several worlds have none in common.
    """
    world = World(seed, first)
    rng = world.rng
    counts = dict.fromkeys(
        (
            "merges", "vetoes", "retractions", "corrections", "decisions", "splits", "late", "copies", "likenesses",
            "shared", "repeats", "queues",
        ),
        0,
    )  # fmt: skip
    events: list[AnyEvent] = []
    people: list[Person] = []
    for index in range(persons):
        person = world.person(twin_of=people[0] if index == 1 and rng.random() < 0.5 else None)
        people.append(person)
        at = START + timedelta(days=rng.randrange(200), seconds=rng.randrange(86_400))
        for _ in range(rng.randint(1, 3)):
            events += _visit(world, person, at, counts)
            at += timedelta(days=rng.randint(5, 300))
            if rng.random() < 0.3:
                person.passports.append(world.number("P"))
                if rng.random() < 0.8:
                    events.append(_tie(world, person, at, counts))
    if rng.random() < 0.6 and len(people) > 2:
        events += _veto(world, people[0], people[2], counts)
    if rng.random() < 0.5:
        events += _split(world, people[0], people[-1], counts)
    for person in people:
        if rng.random() < 0.4:
            events += _likenesses(world, person, counts)
    if rng.random() < 0.4:
        events += _shared(world, people, counts)
    if rng.random() < 0.3:
        events += _queue(world, people[-1], counts)
    if rng.random() < 0.5:
        events += _decisions(world, events, counts)
    if torn:
        events += _torn(world, people, counts)
    events.append(
        make(
            Coverage,
            world,
            record=world.number("C"),
            known=START + timedelta(days=rng.randrange(600)),
            scope="departure:air",
            since=START - timedelta(days=1),
            through=START + timedelta(days=rng.randrange(700)),
        )
    )
    for event in list(events):
        if rng.random() < 0.1 and event.published_at is not None:
            counts["copies"] += 1
            later = event.published_at + timedelta(hours=rng.randint(-30, 30))
            events.append(event.model_copy(update={"published_at": later, "batch": "b2", "place": "record 9"}))
    events += _repeats(world, [one for one in events if isinstance(one, Arrival) and one.revision.number == 1], counts)
    return events, counts


def _known(world: World, at: datetime, counts: dict[str, int]) -> datetime:
    if world.rng.random() < 0.2:
        counts["late"] += 1
        return at + timedelta(days=world.rng.randint(20, 120))
    return at + timedelta(hours=world.rng.randint(1, 30))


def _visit(world: World, person: Person, at: datetime, counts: dict[str, int]) -> list[AnyEvent]:
    rng = world.rng
    zone = rng.choice(ZONES)
    i94 = Identifier.of(Scheme.I94, world.number("", 11))
    person.i94.append(i94.value)
    record = world.number("T")
    until = (at + timedelta(days=rng.choice((30, 90, 180)))).date()
    arrival = make(
        Arrival,
        world,
        record=record,
        known=_known(world, at, counts),
        occurred_at=Moment.instant(at, zone),
        subject=world.subject(person, i94, passport(person)),
        class_of_admission=rng.choice(("B1", "B2", "WT", "WB", "F1")),
        inspection=rng.choice((Inspection.ADMITTED,) * 9 + (Inspection.REFUSED,)),
        admitted_until=until,
        port="JFK",
        mode=Mode.AIR,
    )
    events: list[AnyEvent] = [arrival]
    if rng.random() < 0.2:
        counts["corrections"] += 1
        known = arrival.published_at + timedelta(days=rng.randint(1, 30))
        other = arrival.admitted_until + timedelta(days=10)
        events.append(again(arrival, number=2, published_at=known, admitted_until=other))
    if rng.random() < 0.12:
        counts["retractions"] += 1
        known = arrival.published_at + timedelta(days=rng.randint(2, 60))
        events.append(again(arrival, number=3, published_at=known, operation=Operation.RETRACT))
    if rng.random() < 0.7:
        left = at + timedelta(days=rng.randint(1, 200), hours=rng.randrange(24))
        events.append(
            make(
                Departure,
                world,
                record=world.number("T"),
                known=_known(world, left, counts),
                occurred_at=Moment.whole_day(left.date(), zone) if rng.random() < 0.2 else Moment.instant(left, zone),
                subject=world.subject(person, *((i94,) if rng.random() < 0.5 else (passport(person),))),
                evidence=rng.choice((Evidence.MANIFEST_CLOSED, Evidence.INSPECTED, Evidence.BOOKING)),
                mode=Mode.AIR,
                port="LAX",
            )
        )
    if rng.random() < 0.4:
        events += _application(world, person, i94, until, counts)
    return events


def _repeats(world: World, arrivals: list[Arrival], counts: dict[str, int]) -> Iterator[AnyEvent]:
    """What a second system tells of some arrivals; some of it is taken back."""
    rng = world.rng
    for arrival in {one.record: one for one in arrivals}.values():
        if rng.random() < 0.75:
            continue
        counts["repeats"] += 1
        at, known = arrival.occurred_at, arrival.published_at + timedelta(hours=rng.randint(-20, 200))
        repeat = make(
            Arrival,
            world,
            system="TECS",
            record=arrival.record,
            known=known,
            occurred_at=Moment.instant(at.start() + timedelta(minutes=rng.randint(-30, 30)), at.zone),
            subject=arrival.subject.model_copy(update={"identifiers": arrival.subject.identifiers[1:]}),  # no I-94
            class_of_admission=rng.choice((None, arrival.class_of_admission)),
            inspection=arrival.inspection,
            origin=rng.choice((None, RecordRef(system=arrival.system, record=arrival.record))),
            port=rng.choice((None, "JFK")),
        )
        yield repeat
        if rng.random() < 0.2:
            yield again(repeat, number=2, published_at=known + timedelta(days=1), operation=Operation.RETRACT)


def again(event: E, *, number: int, **fields: object) -> E:
    """A later version of an event's record."""
    mark = digest(repr((number, sorted(fields.items()))).encode())
    identity = event_id(event.system, event.record, event.part, number, mark, 1)
    return event.model_copy(update={"id": identity, "revision": Revision(number=number, digest=mark), **fields})


def _application(world: World, person: Person, i94: Identifier, until: date, counts: dict[str, int]) -> list[AnyEvent]:
    rng = world.rng
    receipt = Identifier.of(Scheme.RECEIPT, "EAC" + world.number("", 10))
    filed = datetime.combine(until, datetime.min.time(), UTC) + timedelta(days=rng.randint(-20, 5), hours=12)
    adjust = rng.random() < 0.2
    steps: list[AnyEvent] = []
    for index, action in enumerate(
        (Action.FILED, rng.choice((None, Action.APPROVED, Action.DENIED, Action.WITHDRAWN)))
    ):
        if action is None:
            continue
        at = filed + timedelta(days=index * rng.randint(1, 120))
        steps.append(
            make(
                Extension,
                world,
                system="CLAIMS3",
                record=world.number("R"),
                known=_known(world, at, counts),
                occurred_at=Moment.whole_day(at.date(), "America/New_York"),
                subject=world.subject(person, receipt, i94, names=rng.random() < 0.7),
                receipt=receipt.value,
                form="I-485" if adjust else "I-539",
                asks=Request.ADJUST if adjust else Request.EXTEND,
                action=action,
                filed_on=filed.date(),
                granted_until=until + timedelta(days=180) if action is Action.APPROVED and not adjust else None,
            )
        )
    return steps


def _tie(world: World, person: Person, at: datetime, counts: dict[str, int]) -> AnyEvent:
    """A record that shows the old passport and the new one."""
    counts["merges"] += 1
    return make(
        Departure,
        world,
        record=world.number("T"),
        known=_known(world, at, counts),
        occurred_at=Moment.instant(at),
        subject=world.subject(person, passport(person), passport(person, -2)),
        evidence=Evidence.BOOKING,
    )


def booking(world: World, person: Person, visa: Identifier) -> Departure:
    """A booked departure that says of a person nothing but name, date of birth, citizenship and a visa."""
    return make(
        Departure,
        world,
        record=world.number("T"),
        known=START,
        occurred_at=Moment.instant(START),
        subject=world.subject(person, visa),
        evidence=Evidence.BOOKING,
    )


def encounter(world: World, person: Person, at: datetime, *identifiers: Identifier, record: str = "") -> AnyEvent:
    """Somebody is met under these numbers; known at once."""
    return make(
        Departure,
        world,
        record=record or world.number("T"),
        known=at,
        occurred_at=Moment.instant(at),
        subject=world.subject(person, *identifiers),
        evidence=Evidence.BOOKING,
    )


def _veto(world: World, one: Person, other: Person, counts: dict[str, int]) -> list[AnyEvent]:
    """Two people under one receipt, each with an A-number of their own: never one person."""
    counts["vetoes"] += 1
    at = START + timedelta(days=world.rng.randrange(400))
    shared = Identifier.of(Scheme.RECEIPT, "WAC" + world.number("", 10))
    return [
        encounter(world, person, at, shared, Identifier.of(Scheme.A_NUMBER, world.number("A", 9)), passport(person))
        for person in (one, other)
    ]


def _split(world: World, one: Person, other: Person, counts: dict[str, int]) -> list[AnyEvent]:
    """A record ties two people by mistake and is taken back later."""
    counts["splits"] += 1
    at = START + timedelta(days=world.rng.randrange(300))
    wrong = encounter(world, one, at, Identifier.of(Scheme.I94, one.i94[0]), Identifier.of(Scheme.I94, other.i94[0]))
    known = at + timedelta(days=world.rng.randint(1, 200))
    if world.rng.random() < 0.8:  # with one's names it would be no tie: the other's contradict them
        wrong = wrong.model_copy(update={"subject": Subject(identifiers=wrong.subject.identifiers)})
    return [wrong, again(wrong, number=2, published_at=known, operation=Operation.RETRACT)]


def _queue(world: World, person: Person, counts: dict[str, int]) -> list[AnyEvent]:
    """Two people of one name and date of birth, each with a passport, in one line: minutes apart, or hours."""
    counts["queues"] += 1
    rng, events = world.rng, []
    at = START + timedelta(days=rng.randrange(400))
    namesake = replace(person, passports=[world.number("P")])
    for one, seconds in ((person, 0), (namesake, rng.choice((300, 899, 900, 901, 4 * 3600)))):
        events.append(
            make(
                Arrival,
                world,
                record=world.number("Q"),
                known=_known(world, at, counts),
                occurred_at=Moment.instant(at + timedelta(seconds=seconds)),
                subject=world.subject(one, Identifier.of(Scheme.I94, world.number("", 11)), passport(one)),
                class_of_admission="B2",
                admitted_until=(at + timedelta(days=180)).date(),
                port="JFK",
                mode=Mode.AIR,
            )
        )
    return events


def _likenesses(world: World, person: Person, counts: dict[str, int]) -> list[AnyEvent]:
    """Records that share no number with the person's others, and spell the name or write the date otherwise."""
    rng, results = world.rng, []
    for _ in range(rng.randint(1, 3)):
        counts["likenesses"] += 1
        family, given = person.name.family, person.name.given
        spelt = rng.choice(
            (
                (family, given),
                (given, family),
                (f"{family}E", given),
                (family[:-1], given),
                (family, f"{given} B"),
                (family.replace("UE", "U"), given),
            )
        )
        stranger = replace(person, name=Name(family=spelt[0], given=spelt[1]))
        if rng.random() < 0.2:
            stranger.birth = f"{person.birth[:8]}{(int(person.birth[8:]) % 28) + 1:02d}"
        at = START + timedelta(days=rng.randrange(500))
        receipt = Identifier.of(Scheme.RECEIPT, "LIN" + world.number("", 10))
        results.append(encounter(world, stranger, at, receipt))
        if rng.random() < 0.2:
            known = at + timedelta(days=rng.randint(1, 90))
            results.append(again(results[-1], number=2, published_at=known, operation=Operation.RETRACT))
    return results


def between_two(seed: int) -> list[AnyEvent]:
    """People with two passports that no record tells together, and records that may be of either and not of both.

    Numbers and records are none of `world_of`.
    """
    world = World(seed)
    world.count, rng, events = 1_000_000, world.rng, []
    for _ in range(3):
        person = world.person()
        person.passports.append(world.number("P"))
        swapped = replace(person, name=Name(family=person.name.given, given=person.name.family))
        receipts = (Identifier.of(Scheme.RECEIPT, "LIN" + world.number("", 10)) for _ in range(2))
        meetings = [(person, passport(person, which)) for which in (0, 1)] + list(
            zip((person, swapped), receipts, strict=True)
        )
        events += [encounter(world, one, START + timedelta(days=rng.randrange(400)), by) for one, by in meetings]
    return events


def _shared(world: World, people: list[Person], counts: dict[str, int]) -> list[AnyEvent]:
    """One number on the records of all of them and of some strangers: more than a low cap admits."""
    counts["shared"] += 1
    shared = Identifier.of(Scheme.RECEIPT, "SRC" + world.number("", 10))
    crowd = [*people, world.person(), world.person()]
    return [encounter(world, one, START + timedelta(days=world.rng.randrange(400)), shared) for one in crowd]


def _decisions(world: World, events: list[AnyEvent], counts: dict[str, int]) -> list[AnyEvent]:
    """A person's word on two records, in half of the cases undone later."""
    rng = world.rng
    arrivals = [event for event in events if isinstance(event, Arrival)]
    if len({event.record for event in arrivals}) < 2:
        return []
    counts["decisions"] += 1
    one, other = rng.sample(sorted({event.record for event in arrivals}), 2)
    known = START + timedelta(days=rng.randrange(500))
    said = _said(world, one, other, known, same=rng.random() < 0.5)
    if rng.random() < 0.5:
        return [said]
    undone = again(said, number=2, published_at=known + timedelta(days=30), operation=Operation.RETRACT)
    return [said, undone]


def _torn(world: World, people: list[Person], counts: dict[str, int]) -> list[AnyEvent]:
    """Late ties that are taken back later, by a record and by a decision; and a late "no" between one's own records."""
    rng, events = world.rng, []
    at = START + timedelta(days=rng.randint(300, 600))
    one, other = rng.sample(people, 2)
    numbers = [Identifier.of(Scheme.I94, someone.i94[0]) for someone in (one, other)]
    if rng.random() < 0.8:
        counts["splits"] += 1
        wrong = encounter(world, one, at, *numbers)
        events += [wrong, again(wrong, number=2, published_at=_later(world, at), operation=Operation.RETRACT)]
    seen = [encounter(world, person, START, number) for person, number in zip((one, other), numbers, strict=True)]
    twice = encounter(world, one, START, numbers[0], passport(one))
    for mine, theirs, same in ((*seen, True), (seen[0], twice, False)):
        if rng.random() < 0.5:
            counts["decisions"] += 1
            said = _said(world, mine.record, theirs.record, at, same=same)
            events.append(said)
            if same or rng.random() < 0.5:
                events.append(again(said, number=2, published_at=_later(world, at), operation=Operation.RETRACT))
    return [*seen, twice, *events]


def _later(world: World, at: datetime) -> datetime:
    return at + timedelta(days=world.rng.randint(1, 200))


def _said(world: World, one: str, other: str, known: datetime, *, same: bool) -> Decision:
    """A person's word on two records."""
    return make(
        Decision,
        world,
        system="REVIEW",
        record=world.number("D"),
        known=known,
        one=RecordRef(system="I94", record=one),
        other=RecordRef(system="I94", record=other),
        same=same,
        by="reviewer",
        why="looked at both files",
    )
