"""A person's word on two records: yes, no, undone, and the latest of several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from domain import reference
from populations import START, Person, World, make, passport

from schemas import codec
from schemas.events import AnyEvent, Decision, Departure, Evidence, Operation, RecordRef, Revision
from schemas.identifiers import Identifier, Scheme
from schemas.ids import event_id
from schemas.moments import Moment
from services.domain import resolve
from services.domain.facts import fact_of
from services.domain.history import canonical
from services.domain.pools import Pool


def record(world: World, person: Person, name: str, *more: Identifier, plain: bool = False) -> AnyEvent:
    """A record of somebody, by passport and more."""
    return make(
        Departure,
        world,
        record=name,
        known=START,
        occurred_at=Moment.instant(START),
        subject=world.subject(person, *more) if plain else world.subject(person, passport(person), *more),
        evidence=Evidence.BOOKING,
    )


def word(world: World, one: str, other: str, same: bool, day: int) -> Decision:
    """A decision known so many days after START."""
    return make(
        Decision,
        world,
        system="REVIEW",
        record=world.number("D"),
        known=START + timedelta(day),
        one=RecordRef(system="I94", record=one),
        other=RecordRef(system="I94", record=other),
        same=same,
        by="reviewer",
        why="looked",
    )


def undone(event: Decision, day: int) -> Decision:
    """The decision taken back."""
    identity = event_id(event.system, event.record, "", 2, event.revision.digest, 1)
    revision = Revision(number=2, digest=event.revision.digest)
    known = START + timedelta(day)
    update = {"id": identity, "revision": revision, "published_at": known, "operation": Operation.RETRACT}
    return event.model_copy(update=update)


def groups(events: Sequence[AnyEvent], day: int | None = None) -> set[frozenset[str]]:
    """The records of each person; the second implementation must say the same."""
    facts = [fact_of(codec.encode(event)) for event in events]
    known_at = None if day is None else int((START + timedelta(day)).timestamp() * 1_000_000)
    actual = resolve.persons(Pool(facts).facts.values(), known_at)
    assert {frozenset(one.records) for one in actual} == reference.persons(facts, known_at)
    return {frozenset(name for _, name in one.records) for one in actual}


APART = {frozenset("a"), frozenset("b")}
ONE = {frozenset("ab")}


def test_yes_joins_and_undoing_parts() -> None:
    """Two who share nothing, one by a word, as long as it stands; nothing of it was known before."""
    world = World(1)
    records = [record(world, world.person(), name) for name in "ab"]
    yes = word(world, "a", "b", True, 5)
    assert groups(records) == APART
    assert groups([*records, yes]) == ONE
    assert groups([*records, yes], 4) == APART
    assert groups([*records, yes, undone(yes, 9)]) == APART
    assert groups([*records, yes, undone(yes, 9)], 8) == ONE
    (history,) = resolve.persons([fact_of(codec.encode(event)) for event in [*records, yes]])
    assert [link.by for link in history.links] == [f"decision {yes.id}"]


def test_yes_outweighs_a_veto() -> None:
    """Two A-numbers forbid a join to all but a person."""
    world = World(1)
    someone = world.person()
    numbers = {"a": "A087654321", "b": "A091234567"}  # no slip of a digit makes one of the other
    records = [record(world, someone, name, Identifier.of(Scheme.A_NUMBER, numbers[name])) for name in "ab"]
    assert groups(records) == APART
    assert groups([*records, word(world, "a", "b", True, 5)]) == ONE


@pytest.mark.parametrize("plain", [True, False])
def test_no_parts_two_records_with_one_claim(plain: bool) -> None:
    """Each is a node of its own once somebody named it; undone, they are one again."""
    world = World(1)
    someone = world.person()
    records = [record(world, someone, name, plain=plain) for name in "ab"]
    no = word(world, "a", "b", False, 5)
    assert groups(records) == ONE
    assert groups([*records, no]) == APART
    assert groups([*records, no], 4) == ONE
    assert groups([*records, no, undone(no, 9)]) == ONE


def test_others_of_the_claim_stay_with_one_of_them() -> None:
    """A third record with the claim goes with one side, never with both, and nobody is lost."""
    world = World(1)
    someone = world.person()
    records = [record(world, someone, name) for name in "abcd"]
    actual = groups([*records, word(world, "a", "b", False, 5)])
    assert sorted(len(one) for one in actual) == [1, 3]
    assert {name for one in actual for name in one} == set("abcd")
    reported = [*records, word(world, "a", "b", True, 5)]
    assert groups(reported) == {frozenset("abcd")}
    (history,) = resolve.persons([fact_of(codec.encode(event)) for event in reported])
    assert sorted((link.by[:8], link.weight) for link in history.links) == [("decision", 100), ("the same", 99)]


@pytest.mark.parametrize("names", list(permutations("abx")))
def test_a_yes_goes_before_the_same_claim(names: tuple[str, str, str]) -> None:
    """A word binds more than two records' being spelt alike, whatever their handles."""
    twin, other, stranger = names
    world = World(1)
    someone = world.person()
    records = [record(world, someone, twin), record(world, someone, other), record(world, world.person(), stranger)]
    words = [word(world, twin, stranger, True, 5), word(world, stranger, other, False, 6)]
    assert groups([*records, *words]) == {frozenset({twin, stranger}), frozenset({other})}


def test_the_latest_word_holds() -> None:
    """By the moment of knowing, in whatever order they come; the one before holds again when it is taken back."""
    world = World(1)
    records = [record(world, world.person(), name) for name in "ab"]
    yes, no = word(world, "a", "b", True, 5), word(world, "b", "a", False, 7)
    again = word(world, "a", "b", True, 9)
    for order in permutations([yes, no, again, undone(again, 11)]):
        events = [*order, *records]
        assert [groups(events, day) for day in (4, 6, 8, 10, 12)] == [APART, ONE, APART, ONE, APART]
        assert groups(events) == APART


def test_words_at_one_moment() -> None:
    """The greater id holds, in whatever order they come."""
    world = World(1)
    records = [record(world, world.person(), name) for name in "ab"]
    for _ in range(6):
        words = [word(world, "a", "b", same, 5) for same in (True, False)]
        last = max(words, key=lambda one: one.id.bytes)
        for order in permutations(words):
            assert groups([*records, *order]) == (ONE if last.same else APART)


@pytest.mark.law(1, planted="of several decisions the one that came last")
def test_order_of_arrival_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted bug: of two words the one that came last."""
    world = World(1)
    records = [record(world, world.person(), name) for name in "ab"]
    words = [word(world, "a", "b", True, 5), word(world, "a", "b", False, 7)]
    monkeypatch.setattr(resolve, "sorted", lambda items, key=None: list(items), raising=False)
    with pytest.raises(AssertionError):
        assert [groups([*records, *order]) for order in permutations(words)] == [APART, APART]


def test_a_no_binds_whoever_else_is_there() -> None:
    """Friends of the two cannot bring them together, and a yes to a third does not either."""
    world = World(1)
    one, other, third = (world.person() for _ in range(3))
    shared = [Identifier.of(Scheme.RECEIPT, f"EAC{number:010d}") for number in (1, 2)]
    records = [
        record(world, one, "a", shared[0]),
        record(world, third, "b", *shared),
        record(world, other, "c", shared[1]),
    ]
    no = word(world, "a", "c", False, 5)
    actual = groups([*records, no])
    assert len(actual) == 2
    assert not any({"a", "c"} <= group for group in actual)
    actual = groups([*records, no, word(world, "a", "b", True, 6), word(world, "b", "c", True, 7)])
    assert len(actual) == 2
    assert not any({"a", "c"} <= group for group in actual)


def test_a_word_on_a_record_nobody_has() -> None:
    """It waits: when the record comes, it counts."""
    world = World(1)
    first, second = (record(world, world.person(), name) for name in "ab")
    yes = word(world, "a", "b", True, 5)
    assert groups([first, yes]) == {frozenset("a")}
    assert groups([yes]) == set()
    assert groups([first, yes, second]) == ONE


def test_the_person_keeps_the_earliest_id() -> None:
    """By the moment of knowing of any of its versions, not by order."""
    world = World(1)
    records = [
        record(world, world.person(), name).model_copy(update={"published_at": START + timedelta(day)})
        for name, day in (("a", 3), ("b", 1))
    ]
    facts = [fact_of(codec.encode(event)) for event in [*records, word(world, "a", "b", True, 5)]]
    (history,) = resolve.persons(facts)
    assert history.person == facts[1].handle.hex()
    assert [canonical(one) for one in resolve.persons(facts[::-1])] == [canonical(history)]
