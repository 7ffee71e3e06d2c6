"""Which pairs are listed as possible matches, over a real store: by what stands now, never by what stood once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from correlation import Driver
from populations import START, Person, World, again, bytes_of, encounter, make

from schemas.events import AnyEvent, Decision, Name, Operation, RecordRef
from schemas.identifiers import Identifier, Scheme
from services.matches import Possible, decision, possible, undone
from services.store import Store, open_store

ANN = Person(Name(family="SMITH", given="ANN"), "1980-02-03", "F", "GBR", [], None)
NEAR = replace(ANN, birth="1980-02-04")
A, B = (RecordRef(system="I94", record=name) for name in "ab")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    opened = await open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    await opened.close()


async def listed(store: Store, events: list[AnyEvent]) -> list[Possible]:
    """The possible matches once the store knows these events, too."""
    driver = Driver(store.writer)
    await driver.append(bytes_of(events))
    await driver.finish()
    return [found async for found in possible(store.reads)]


def met(world: World, name: str, person: Person, *identifiers: Identifier) -> AnyEvent:
    """A record of somebody, under a number of its own beside what is given."""
    number = Identifier.of(Scheme.RECEIPT, f"LIN{ord(name[0]):010d}")
    return encounter(world, person, START, number, *identifiers, record=name)


def said(word: str, day: int) -> Decision:
    """What was told on that day: by the command ("no", "yes", "undo") or by another system ("NO", "YES")."""
    at = START + timedelta(day)
    if word == "undo":
        return undone(A, B, by="J. Doe", why="mistaken", at=at)
    if word.islower():
        return decision(A, B, same=word == "yes", by="J. Doe", why="seen", at=at)
    told = {"one": B, "other": A, "same": word == "YES", "by": "reviewer", "why": "looked"}
    return make(Decision, World(1), system="REVIEW", record=f"REVIEW {word}", known=at, **told)


@pytest.mark.parametrize(
    ("words", "possible_still"),
    [
        ("", True),
        ("no", False),
        ("yes", False),
        ("no undo", True),
        ("yes undo", True),
        ("no yes", False),
        ("no yes undo", True),
        ("no undo no", False),
        ("no NO undo", False),  # the other system's no stands
        ("NO no undo", False),
        ("no YES undo", False),  # joined
        ("NO yes", False),
    ],
)
async def test_the_word_that_stands_decides(store: Store, words: str, possible_still: bool) -> None:
    """A no that was undone or replaced hides nobody."""
    world = World(1)
    told = [said(word, day) for day, word in enumerate(words.split(), 1)]
    found = await listed(store, [met(world, "a", ANN), met(world, "b", NEAR), *told])
    assert len(found) == possible_still


async def test_of_two_words_the_later_holds_again_when_its_successor_is_taken_back(store: Store) -> None:
    world = World(1)
    no, yes = said("NO", 1), said("YES", 2)
    assert await listed(store, [met(world, "a", ANN), met(world, "b", NEAR), no, yes]) == []
    assert await listed(store, [again(yes, number=2, operation=Operation.RETRACT)]) == []
    assert len(await listed(store, [again(no, number=2, operation=Operation.RETRACT)])) == 1


async def test_what_a_record_said_before_its_correction_makes_no_match(store: Store) -> None:
    world = World(1)
    first = met(world, "b", NEAR)
    assert len(await listed(store, [met(world, "a", ANN), first])) == 1
    elsewhere = world.subject(replace(NEAR, birth="1961-11-27"), *first.subject.identifiers)
    assert await listed(store, [again(first, number=2, subject=elsewhere)]) == []
