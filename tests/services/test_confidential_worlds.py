"""By every way out who lacks the right is told, byte for byte, what a world without the confidential records tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import confidential_worlds
import pytest
from confidential_worlds import answers_of, folded, heard, numbers_of, worlds_of
from hypothesis import given, settings
from hypothesis import strategies as st

from services.api import authorised_lookup
from services.audit import limits
from services.correlator import changes
from services.correlator import compare as comparing
from services.correlator import resolve as resolving
from services.correlator.open_caps import OpenBlocks
from services.domain import caps
from services.domain.coverage import Coverage
from services.domain.facts import Fact
from services.domain.history import History
from services.matches import Possible, possible
from services.store.reads import SqlReads
from services.store.writer import PersonRow


@pytest.fixture(scope="module", autouse=True)
def _patient() -> Iterator[None]:
    """On a machine at work an answer that is late is no other answer: none is given up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "DEADLINE", 120.0)
        patch.setattr(authorised_lookup, "READING", 120.0)
        yield


async def same_in_every_way(seed: int, *, share: float = 0.3) -> None:
    """The law, of one pair of worlds."""
    worlds = worlds_of(seed, share=share)
    paths = numbers_of(worlds)
    with TemporaryDirectory() as directory:
        async with (
            heard(Path(directory, "one"), worlds.whole) as one,
            heard(Path(directory, "two"), worlds.open) as two,
        ):
            mine, others = await answers_of(one, paths, Random(seed)), await answers_of(two, paths, Random(seed))
            for way, what in others.items():
                assert mine[way] == what, way
            assert not two.confidential
            assert folded(one.plain) == folded(two.plain)


async def alike(seed: int) -> None:
    """What subscribers are told is, byte for byte, as if hidden records had been taken back openly, or never come."""
    worlds = worlds_of(seed, late=bool(seed % 2))
    with TemporaryDirectory() as directory:
        one, two = Path(directory, "one"), Path(directory, "two")
        async with heard(one, worlds.whole) as mine, heard(two, worlds.taken_back) as others:
            assert mine.plain == others.plain


@pytest.mark.law(7, "API, export, report, matches and changes without the right: those of a world without the records")
@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20))
async def test_what_is_told_is_that_of_a_world_without_the_confidential_records(seed: int) -> None:
    await same_in_every_way(seed)


@pytest.mark.law(7, "the plain topic, byte for byte: a hidden record is one that was taken back, or never came")
@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20))
async def test_the_plain_topic_is_that_of_a_world_without_them(seed: int) -> None:
    await alike(seed)


@pytest.mark.law(7, "the same where a key admits two claims: caps are counted by right")
@pytest.mark.slow
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20))
async def test_a_cap_does_not_tell_of_confidential_records(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(caps, "CAP", 2)
        await same_in_every_way(seed)


@pytest.mark.law(7, "the plain topic, byte for byte, where a key admits two claims and marks come with their records")
@pytest.mark.slow
@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20).map(lambda number: 2 * number))
async def test_a_cap_takes_no_step_on_the_plain_topic(seed: int) -> None:
    """Of a record that was taken back the claim still counts under its number, so marks that come late are left out."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(caps, "CAP", 2)
        await alike(seed)


def hides_by_fact(facts: Collection[Fact]) -> Collection[Fact]:
    """`open_facts` that hides each marked fact by itself, before it is asked which version counts."""
    return [fact for fact in facts if not fact.handling]


def hides_nothing(facts: Collection[Fact]) -> Collection[Fact]:
    """Tells all."""
    return facts


def one_numbering(
    histories: Sequence[History],
    before: Iterable[PersonRow],
    pool: int,
    coverage: Coverage,
    now: int,
    due: Mapping[bytes, bytes],
) -> changes.ViewUpdate:
    """`view_update` that counts what it tells in both views by one number of each person."""
    update = changes.view_update(histories, before, pool, coverage, now, due)
    numbered = {row.person: row.sequence for row in update.rows}
    counted = _COUNTED.setdefault(pool, dict.fromkeys(numbered, 0))
    for person, sequence in numbered.items():
        counted[person] = max(counted.get(person, 0) + 1, sequence)
    update.rows = [row._replace(sequence=counted[row.person]) for row in update.rows]
    return update


_COUNTED: dict[int, dict[bytes, int]] = {}


async def all_listed(reads: SqlReads, **_: object) -> AsyncIterator[Possible]:
    """`possible` that lists matches of confidential records."""
    async for match in possible(reads, confidential=True):
        yield match


async def counts_nothing_anew(*_: object) -> None:
    """`recount` that lets hidden records count under numbers and blocks."""


def blocks_of_all(*_: object) -> OpenBlocks:
    """`open_blocks` that admits to the blocks of open records what it admits to those of all."""
    return OpenBlocks()


LOW_CAP = {
    "one cap for all": (resolving, "recount", counts_nothing_anew),
    "one cap of a block for all": (comparing, "open_blocks", blocks_of_all),
}


@pytest.mark.slow
@pytest.mark.law(7, planted="one cap for all, of numbers or of blocks")
@pytest.mark.parametrize("bug", LOW_CAP)
async def test_a_cap_that_tells_is_caught(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "CAP", 2)
    where, name, value = LOW_CAP[bug]
    monkeypatch.setattr(where, name, value)
    for seed in range(40):
        try:
            await same_in_every_way(seed, share=0.5)
        except AssertionError:
            return
    pytest.fail(f"{bug}: not noticed")


BUGS = {
    "hidden before the version is known that counts": (resolving, "open_facts", hides_by_fact),
    "nothing is hidden": (resolving, "open_facts", hides_nothing),
    "one numbering": (resolving, "view_update", one_numbering),
    "a match is listed": (confidential_worlds, "possible", all_listed),
}


@pytest.mark.slow
@pytest.mark.law(7, planted="hidden before the version that counts, nothing hidden, one numbering, a match listed")
@pytest.mark.parametrize("bug", BUGS)
async def test_a_world_that_tells_is_caught(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, value = BUGS[bug]
    monkeypatch.setattr(where, name, value)
    for seed in range(40):
        try:
            await same_in_every_way(seed, share=0.5)
        except AssertionError:
            return
    pytest.fail(f"{bug}: not noticed")
