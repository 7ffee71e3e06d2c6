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
from services.domain import caps
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
    return [result async for result in possible(store.reads)]


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
    results = {"one": B, "other": A, "same": word == "YES", "by": "reviewer", "why": "looked"}
    return make(Decision, World(1), system="REVIEW", record=f"REVIEW {word}", known=at, **results)


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
    results = [said(word, day) for day, word in enumerate(words.split(), 1)]
    result = await listed(store, [met(world, "a", ANN), met(world, "b", NEAR), *results])
    assert len(result) == possible_still


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


P, Q = (Identifier.of(Scheme.PASSPORT, number, "GBR") for number in ("P7654321", "P1234987"))
V = Identifier.of(Scheme.VISA, "A1234567", "USA")
ELSE = replace(ANN, birth="1991-11-17")
"""Ann Smith by a date of birth that is not Ann's mistyped."""


async def test_one_passport_under_dates_that_do_not_agree(store: Store) -> None:
    """Too little to join the two, too much to say nothing; the list tells what they share."""
    world = World(1)
    (result,) = await listed(store, [met(world, "a", ANN, P), met(world, "b", ELSE, P)])
    assert {result.one.record[1], result.other.record[1]} == {"a", "b"}
    assert result.score == 20.1
    assert result.by == (
        "both have passport/GBR/P7654321 +14.0; names +8.7; date of birth -7.0; sex, citizenship, documents +4.4"
    )


@pytest.mark.parametrize(
    ("other", "documents"),
    [
        (ELSE, [Q]),  # a passport of their own
        (replace(ELSE, name=Name(family="NGUYEN", given="OLGA")), [P]),  # lent to a stranger
        (ANN, [P]),  # one person
    ],
)
async def test_no_match_by_document(store: Store, other: Person, documents: list[Identifier]) -> None:
    world = World(1)
    assert await listed(store, [met(world, "a", ANN, P), met(world, "b", other, *documents)]) == []


async def test_a_document_of_two_who_differ_in_all_else_is_listed_where_it_is_asked_for(store: Store) -> None:
    """It was mistyped, or given out again: not for the reviewers' list, but for who looks after the documents."""
    world = World(1)
    other = replace(ELSE, name=Name(family="NGUYEN", given="OLGA"))
    assert await listed(store, [met(world, "a", ANN, P), met(world, "b", other, P)]) == []
    (result,) = [each async for each in possible(store.reads, documents=True)]
    assert result.by.startswith("both have passport/GBR/P7654321")
    assert result.vetoes


async def test_two_of_whom_one_thing_is_said_that_is_nearly_enough(store: Store) -> None:
    """A common name and a birthday by custom, no number: two records make one claim and are listed."""
    world = World(1)
    man = replace(ANN, name=Name(family="AHMADI", given="MOHAMMAD"), birth="1985-01-01", sex="M", citizenship="AFG")
    (result,) = await listed(store, [encounter(world, man, START, record=name) for name in ("a", "b")])
    assert {result.one.record[1], result.other.record[1]} == {"a", "b"}


async def test_several_documents_count_once_and_are_all_named(store: Store) -> None:
    world = World(1)
    (result,) = await listed(store, [met(world, "a", ANN, P, V), met(world, "b", ELSE, P, V)])
    assert result.by.startswith("both have passport/GBR/P7654321, visa/DOS/A1234567 +14.0; ")
    assert result.score == 20.1


async def test_what_forbids_a_join_is_told_with_what_speaks_for_it(store: Store) -> None:
    """The wrong passport was scanned of a couple; a number was mistyped into another one's."""
    world = World(1)
    bo = replace(ANN, name=Name(family="JONES", given="BO"), sex="M")
    (result,) = await listed(store, [met(world, "a", ANN, P), met(world, "b", bo, P)])
    assert result.by.startswith("both have passport/GBR/P7654321 +14.0; names -10.0; date of birth +14.4")
    assert result.vetoes == ("given names of two people under one document",)


async def test_two_who_share_a_number_for_one_are_listed_whatever_speaks_against_it(store: Store) -> None:
    world = World(1)
    other = replace(ANN, name=Name(family="NGUYEN", given="OLGA"), birth="1991-11-17", sex="M", citizenship="VNM")
    number = Identifier.of(Scheme.I94, "300000001A1")
    (result,) = await listed(store, [met(world, "a", ANN, P, number), met(world, "b", other, Q, number)])
    assert result.by.startswith("both have i94/CBP/300000001A1 +30.0; names -10.0; date of birth -7.0")
    assert result.vetoes == (
        "sex and date of birth both different",
        "given names and dates of birth of two people",
    )


async def test_names_in_each_others_field_meet(store: Store) -> None:
    """A family name that stands as a given name is compared with it, in the store's columns too."""
    world = World(1)
    swapped = replace(ANN, name=Name(family="ANN", given="SMITT"), citizenship="MEX")
    (result,) = await listed(store, [met(world, "a", ANN), met(world, "b", swapped)])
    assert result.vetoes == ()


async def test_a_word_on_those_who_share_a_passport(store: Store) -> None:
    world = World(1)
    assert await listed(store, [met(world, "a", ANN, P), met(world, "b", ELSE, P), said("no", 1)]) == []
    assert len(await listed(store, [said("undo", 2)])) == 1
    assert await listed(store, [said("yes", 3)]) == []


async def test_a_pair_that_two_ways_find_is_listed_once_with_its_document(store: Store) -> None:
    """By their claims' likeness too; two A-numbers keep them apart."""
    world = World(1)
    numbers = [Identifier.of(Scheme.A_NUMBER, f"A20000000{digit}") for digit in (1, 2)]
    (result,) = await listed(store, [met(world, "a", ANN, P, numbers[0]), met(world, "b", NEAR, P, numbers[1])])
    assert result.by.startswith("both have passport/GBR/P7654321 +14.0; ")


async def test_who_had_the_passport_before_a_correction_has_it_no_more(store: Store) -> None:
    world = World(1)
    first = met(world, "b", ELSE, P)
    assert len(await listed(store, [met(world, "a", ANN, P), first])) == 1
    corrected = world.subject(ELSE, Q, *first.subject.identifiers[:1])
    assert await listed(store, [again(first, number=2, subject=corrected)]) == []


async def test_a_passport_counts_for_those_whom_its_cap_admits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third of one number is compared under it with nobody."""
    monkeypatch.setattr(caps, "CAP", 2)
    world = World(1)
    people = [ANN, ELSE, replace(ANN, birth="1962-05-26")]
    events = [met(world, name, person, P) for name, person in zip("abc", people, strict=True)]
    events = [event.model_copy(update={"published_at": START + timedelta(day)}) for day, event in enumerate(events)]
    (result,) = await listed(store, events)
    assert {result.one.record[1], result.other.record[1]} == {"a", "b"}


async def test_who_is_beyond_the_cap_of_one_block_is_met_in_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seniors fill the block of family name and date of birth; that of given name and date has room."""
    monkeypatch.setattr(caps, "CAP", 2)
    world = World(1)
    names = [Name(family="SMITH", given=given) for given in ("KARL", "OLGA", "ANN", "ANN")]
    people = [replace(ANN, name=name) for name in names[:3]] + [replace(ANN, name=names[3], citizenship="MEX")]
    events = [met(world, name, person) for name, person in zip("abcd", people, strict=True)]
    events = [event.model_copy(update={"published_at": START + timedelta(day)}) for day, event in enumerate(events)]
    (result,) = await listed(store, events)
    assert {result.one.record[1], result.other.record[1]} == {"c", "d"}
