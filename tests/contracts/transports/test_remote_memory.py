"""Sets told apart by their sketches, and a memory of files in which each is read once in whatever order they come."""

from __future__ import annotations

from random import Random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.transports.drop_memory import Done
from adapters.transports.remote_memory import RemoteMemory, State
from adapters.transports.set_sketch import CAPACITY, Sketch, number_of

NUMBERS = st.integers(0, 2**64 - 1)


@given(st.sets(NUMBERS, max_size=60), st.sets(NUMBERS, max_size=30), st.sets(NUMBERS, max_size=30))
def test_the_difference_of_two_sets_is_exact(common: set[int], mine: set[int], others: set[int]) -> None:
    one, other = Sketch(common | mine), Sketch.of(Sketch(common | others).text())
    assert one.difference(other) == ((common | mine) - (common | others), (common | others) - (common | mine))


def test_large_sets_are_told_apart_or_known_not_to_be() -> None:
    rng = Random(1)
    common = [rng.getrandbits(64) for _ in range(20_000)]
    kept = Sketch(common)
    assert len(kept.text()) < 7_000
    for count in (0, 1, 50, CAPACITY, 5_000):
        new = {rng.getrandbits(64) for _ in range(count // 2)}
        gone = set(common[: count - count // 2])
        present = Sketch.of(kept.text())
        for number in new:
            present.add(number)
        for number in gone:
            present.remove(number)
        result = present.difference(kept)
        assert result == ((new, gone) if count <= CAPACITY else None)


def test_names_that_are_no_utf8_have_numbers() -> None:
    assert number_of("N\udcfc") != number_of("N\udcfd")


@pytest.mark.parametrize("seed", range(40))
def test_each_file_is_read_once_in_whatever_order_they_come(seed: int) -> None:
    """Files come late below others, with old times; some change or go away; what one listing misses the next has."""
    rng = Random(seed)
    directory: dict[str, State] = {}
    reads: list[tuple[str, State]] = []
    due: set[tuple[str, State]] = set()
    position = None
    for round_ in range(100):
        for _ in range(rng.randrange(8)):
            name = f"N{rng.randrange(400):03}"
            directory[name] = State(round_, rng.randrange(3) * 10**9)
            due.add((name, directory[name]))
        if directory and rng.random() < 0.3:
            del directory[rng.choice(sorted(directory))]
        listing = {name: state for name, state in directory.items() if rng.random() > 0.02}
        again = {name: state for name, state in directory.items() if name not in listing or rng.random() > 0.02}
        memory = RemoteMemory.of(position, 3)
        names, known = memory.to_examine(listing)
        assert known
        if memory.crowded:
            memory.forget_gone(again)
        for name in names:
            if rng.random() < 0.1:  # it waits for its end, or changed while it was fetched
                continue
            reads.append((name, listing[name]))
            memory.add(Done(name, *listing[name], f"{name} {listing[name]}"))
            position = orjson.loads(orjson.dumps(memory.position()))
            assert len(position["done"]) <= 60
            if rng.random() < 0.05:  # the process dies; what was not done comes again
                break
    memory = RemoteMemory.of(position, 3)
    names, _ = memory.to_examine(directory)
    reads += [(name, directory[name]) for name in names]
    assert len(set(reads)) == len(reads), "a file was read twice"
    assert {(name, state) for name, state in due if directory.get(name) == state} <= set(reads), "a file was lost"
