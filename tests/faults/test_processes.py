"""Random worlds by one to four correlator processes: whatever the order, copies, batches and pauses, one view.

`make test-long` correlates 500; VISABUS_TEST_SEED repeats those of a run.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from converging import Order
from correlation import known_of, reference
from crew import Crew, Hand, Installation, correlated, differing, expected, installed, shared_out
from killing import new_seed
from pipeline import VISABUS
from planted import BUGS
from populations import START, World, bytes_of, encounter, world_of
from servers import fresh_database

from bus.log_tables import partition_of
from schemas.events import AnyEvent
from schemas.identifiers import Identifier, Scheme
from schemas.topics import DEPARTURES, PARTITIONS, key_of
from services.correlator.correlator import SHARED_BYTES
from services.domain import caps, identity
from services.domain.facts import Fact, fact_of
from services.domain.resolve import persons

SETS = int(os.environ.get("VISABUS_TEST_SETS", "50"))
"""Worlds, half of them in each database."""
LEAST = {"merge": 0.30, "veto": 0.10, "split": 0.10, "late": 0.30, "cap": 0.15, "several": 0.40}
"""The least share of worlds in which people are joined, kept apart by a veto, parted; in which something is known long
after it happened, a cap of two bites, and more than one process appended."""
RESTS = {"append.committed": (0, 0.03), "compare.written": (0, 0.01), "resolve.locked": (0, 0.01)}
"""Above all between the writing of a claim and the look for its like, in which others write and look."""
ROUNDS, TOGETHER = 10, 0.25
"""Races for a link, and the seconds that a claim is written before it is committed: both are by then."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240 + 20 * SETS)]


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """Processes for all tests of this module."""
    results = Crew(tmp_path_factory.mktemp("crew") / "correlators.log")
    yield results
    results.dismiss()


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> str | None:
    """The PostgreSQL server, or none for SQLite."""
    return str(request.getfixturevalue("postgres_server")) if request.param == "postgresql" else None


@asynccontextmanager
async def fresh(data: Path, server: str | None) -> AsyncIterator[Installation]:
    """An installation where nothing happened yet."""
    if server is None:
        async with installed(data) as results:
            yield results
    else:
        async with fresh_database(server) as url, installed(data, url) as results:
            yield results


# --- what happens in a world ------------------------------------------------------------------------------------------


def homes(facts: Sequence[Fact], known_at: int | None = None) -> dict[tuple[str, str], int]:
    """Whose each record is."""
    history_lines = persons(facts, known_at)
    return {record: number for number, history in enumerate(history_lines) for record in history.records}


def apart(one: dict[tuple[str, str], int], other: dict[tuple[str, str], int]) -> bool:
    """Whether some records are one person's in `one` and not in `other`."""
    both = [record for record in one if record in other]
    return len({(one[record], other[record]) for record in both}) > len({one[record] for record in both})


def happened(raws: Sequence[bytes]) -> dict[str, list[int]]:
    """When people were joined ("merge") and parted ("split", and the kind of what did it): the moments of knowing."""
    facts = [fact for fact in map(fact_of, raws) if fact.kind != "coverage"]
    results: dict[str, list[int]] = {"merge": [], "split": [], "split by retraction": [], "split by decision": []}
    before: dict[tuple[str, str], int] = {}
    for moment in sorted({fact.known for fact in facts}):
        now = homes(facts, moment)
        if apart(now, before):
            results["merge"].append(moment)
        if apart(before, now):
            results["split"].append(moment)
            for fact in facts:
                if fact.known == moment and fact.kind == "decision":
                    results["split by decision"].append(moment)
                elif fact.known == moment and fact.retract:
                    results["split by retraction"].append(moment)
        before = now
    return results


def vetoed(raws: Sequence[bytes]) -> bool:
    """Whether a veto is all that keeps some people apart."""
    facts = [fact for fact in map(fact_of, raws) if fact.kind != "coverage"]
    with pytest.MonkeyPatch.context() as patched:
        true = len(persons(facts))
        patched.setattr(identity.Cluster, "vetoes", lambda *_: iter(()))
        return len(persons(facts)) < true


def capped(raws: Sequence[bytes]) -> bool:
    """Whether a cap of two bites."""
    free = reference(raws)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(caps, "CAP", 2)
        return reference(raws) != free


def commanded(installation: Installation, moment: int) -> list[bytes]:
    """What the command `visabus export` writes, now and as known then."""
    then = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).isoformat()
    environment = {**os.environ, **installation.environment}
    return [
        subprocess.run([VISABUS, "export", *options], env=environment, capture_output=True, check=True).stdout
        for options in ([], ["--known-at", then])
    ]


# --- the law ----------------------------------------------------------------------------------------------------------


async def run(crew: Crew, installation: Installation, seed: int) -> tuple[list[str], set[str]]:
    """A seed's world by one to four processes, in a third of all cases under a cap of two, in half of them by shards.

    Returns what is wrong then, and what there is in that world.
    """
    events, counts = world_of(seed, torn=True)
    raws, rng, low = bytes_of(events), Random(seed), under_low_cap(seed)
    seen = {word for word, results in (("late", counts["late"]), ("cap", low and capped(raws))) if results}
    with pytest.MonkeyPatch.context() as patched:
        if low:
            patched.setattr(caps, "CAP", 2)
        steps = happened(raws)
        seen |= {word for word, moments in steps.items() if moments}
        if vetoed(raws):
            seen.add("veto")
        order = {"cap": caps.CAP, "rests": RESTS, "shared": 0 if sharded(seed) else SHARED_BYTES}
        appended = await correlated(crew, installation, raws, order, 1 + seed % 4, rng)
        if sum(count > 0 for count in appended) > 1:
            seen.add("several")
        moments = [results[0] - 1 for results in steps.values() if results] + rng.sample(known_of(raws), 2)
        return await differing(installation, raws, moments), seen


def sharded(seed: int) -> bool:
    """Whether the processes of a seed's world resolve by shards whatever there is."""
    return seed % 8 >= 4


def under_low_cap(seed: int) -> bool:
    """Whether a seed's world is read under a cap of two."""
    return seed % 3 == 2


@pytest.mark.law(
    1,
    "50 random worlds (500 with `make test-long`), half of them on each database: one to four "
    "correlator processes, one of which may come late, held up at random between writing a claim and "
    "looking, a third under a cap of two, half of them resolving by shards. The export, the export as known "
    "before people were joined and parted, and the changes added up, against the pure function",
)
async def test_any_number_of_processes_gives_the_one_view(
    server: str | None, crew: Crew, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """The export, now and as known before people were joined and parted, is what a pure reading of the events gives."""
    first = new_seed()
    seeds = range(first, first + SETS // 2)
    counted: Counter[str] = Counter()
    failed: dict[int, list[str]] = {}
    for seed in seeds:
        async with fresh(tmp_path / str(seed), server) as installation:
            wrong, seen = await run(crew, installation, seed)
        counted.update(seen)
        if wrong:
            failed[seed] = wrong
    tell(f"{len(seeds)} worlds, seeds {seeds[0]} to {seeds[-1]}: {dict(sorted(counted.items()))}")
    assert not failed
    assert all(counted[word] >= least * len(seeds) for word, least in LEAST.items()), counted
    assert counted["split by retraction"]
    assert counted["split by decision"]


@pytest.mark.law(1, "and by `visabus export` itself")
async def test_the_command_writes_what_the_events_say(crew: Crew, tmp_path: Path) -> None:
    raws = bytes_of(world_of(3, torn=True)[0])
    moment = happened(raws)["split"][0] - 1
    async with installed(tmp_path / "data") as installation:
        await correlated(crew, installation, raws, {}, 2, Random(3))
        history_lines = commanded(installation, moment)
    assert history_lines == [b"".join(line + b"\n" for line in expected(raws, known_at)) for known_at in (None, moment)]
    assert history_lines[0] != history_lines[1]


@pytest.mark.law(1, "one larger world on Kafka and PostgreSQL")
async def test_three_processes_on_kafka(
    own_kafka: str, postgres: str, crew: Crew, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    seed = new_seed()
    raws = bytes_of(world_of(seed, persons=12, torn=True)[0])
    async with installed(tmp_path / "data", postgres, f"kafka://{own_kafka}") as installation:
        appended = await correlated(crew, installation, raws, {"rests": RESTS}, 3, Random(seed))
        tell(f"seed {seed}, {len(raws)} events, batches {appended}")
        assert await differing(installation, raws, Random(seed).sample(known_of(raws), 4)) == []


# --- bugs, planted ----------------------------------------------------------------------------------------------------


@pytest.mark.law(
    1,
    planted="in whole processes: order of arrival; cap by arrival; the least stamp ignored; no resolving after "
    "a retraction; a change not told",
)
@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug != "compare before commit"])
async def test_a_planted_bug_is_caught(bug: str, crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that have it give another view than the events do, or other changes, in one of a few worlds.

    Retractions come last: whoever hears one together with what it takes back needs not be told that something changed.
    """
    cap = 2 if bug == "cap by arrival" else caps.CAP
    monkeypatch.setattr(caps, "CAP", cap)
    for seed in range(8):
        raws = bytes_of(world_of(seed, torn=True)[0])
        retractions = [raw for raw in raws if fact_of(raw).retract]
        rest = [raw for raw in raws if raw not in retractions]
        async with installed(tmp_path / str(seed)) as installation:
            for some in (rest, retractions):
                await correlated(crew, installation, some, {"cap": cap, "bug": bug}, 2, Random(seed))
            if await differing(installation, raws, []):
                return
    pytest.fail("nothing noticed it")


def one_each(world: World, hands: Sequence[Hand]) -> list[AnyEvent]:
    """Records of one person that share no number, each of them in a partition of another process."""
    person, results = world.person(), []
    for hand in hands:
        held = {part.number for part in hand.holds if part.topic == DEPARTURES}
        assert held
        event = None
        while event is None or partition_of(key_of(event), PARTITIONS[DEPARTURES]) not in held:
            event = encounter(world, person, START, Identifier.of(Scheme.RECEIPT, "LIN" + world.number("", 10)))
        results.append(event)
    return results


async def raced(crew: Crew, data: Path, database: str, bug: str | None) -> int:
    """Two processes write one claim each before either commits, again and again; how many people are two then."""
    written = {"append.written": (TOGETHER, TOGETHER)}
    world, history_lines = World(7), list[bytes]()
    async with installed(data, database) as installation:
        with crew.at_work(2) as hands:
            for hand in hands:
                hand.begin(Order(installation.environment, rests=written, bug=bug))
            for _ in range(ROUNDS):
                await shared_out(hands, installation)
                raws = bytes_of(one_each(world, hands))
                history_lines += raws
                await installation.send(raws)
                await installation.resolved(hands)
            for hand in hands:
                await hand.end()
        view = expected(history_lines)
        assert len(view) == 1 + ROUNDS
        return len(await installation.exported()) - len(view)


@pytest.mark.law(1, "two processes that have both written a claim before either commits")
async def test_a_link_is_found_by_the_one_that_compares_last(crew: Crew, tmp_path: Path, postgres: str) -> None:
    assert await raced(crew, tmp_path / "data", postgres, None) == 0


@pytest.mark.law(1, planted="comparing claims before they are committed")
async def test_comparing_before_committing_loses_links(crew: Crew, tmp_path: Path, postgres: str) -> None:
    """Planted. On PostgreSQL: SQLite has one writer at a time, and nothing to race."""
    assert await raced(crew, tmp_path / "data", postgres, "compare before commit") > ROUNDS / 2
