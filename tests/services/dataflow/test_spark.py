"""The dataflow on Spark: the same view for any number of partitions, by whatever way components are found."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from sqlite3 import IntegrityError
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
import pytest
from correlation import NOW, export, reference
from dataflows import PLAN, Prepared, Unjudging, deliveries, exports, rebuilt, several, skewed
from spark_session import kafka_jars, opened

from bus.contract import Delivery, Message, Partition
from bus.events import message_of
from schemas.codec import decode
from schemas.topics import ARRIVALS, DEAD_LETTERS
from services import wiring
from services.clock import wall_clock
from services.correlator.correlator import Correlator
from services.correlator.process import run
from services.dataflow.linking import components
from services.dataflow.loading import finish, load, load_coverage, load_cutoffs, prepare
from services.dataflow.plan import Plan
from services.dataflow.resolving import Resolving, Rows
from services.dataflow.spark import driver_grouping, steps, tasks
from services.dataflow.spark.flow import Flow
from services.dataflow.spark.sources import MESSAGES, table_of
from services.dataflow.spark.workdir import Workdir
from services.domain import caps
from services.domain.fingerprint import fingerprint
from services.rebuild import spark as engine
from services.rebuild.spark import Fill
from services.rebuild.target import NewStore, NoRebuild, begin
from services.settings import Settings
from services.store import Store, open_store
from services.store.contract import OtherConfiguration, StoreDown

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SETS = int(os.environ.get("VISABUS_TEST_SETS", "0")) or 3
"""Random worlds; `make test-long` asks for more."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 + 20 * SETS)]
TOGETHER = 10
"""Worlds in one run, at most: a run takes Spark as long for ten as for one."""
PARTS = (1, 2, 7)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    jars = ",".join(map(str, sorted(kafka_jars().glob("*.jar"))))
    with opened(tmp_path_factory.mktemp("spark"), **{"spark.jars": jars}) as session:
        yield session


@dataclass
class Run:
    """One rebuild of a fresh store."""

    session: SparkSession
    directory: Path
    parts: int
    cap: int = 2
    bug: str | None = None
    alone: int = steps.ALONE
    links_alone: int = 0  # whatever the driver can hold, Spark groups it, where nothing else is said

    async def view(self, raws: list[bytes]) -> list[list[bytes]]:
        """The views that stand afterwards: what may be told to all, and everything."""
        self.directory.mkdir()
        flow = self.flow(raws)
        store = await open_store(f"sqlite:///{self.directory}/store.db")
        try:
            await prepare(store, PLAN)
            coverage = await load_coverage(store, flow.coverage())
            await load_cutoffs(store, flow.cutoffs, flow.others)
            for part, rows in flow.resolve(Resolving(flow.cutoffs, flow.others, coverage, NOW), None):
                await load(store, part, rows)
            await finish(store, flow.ends(), "")
            return await exports(store)
        finally:
            await store.close()

    def flow(self, raws: list[bytes]) -> Flow:
        """A run up to the pools."""
        self.session.conf.set("spark.sql.shuffle.partitions", str(self.parts))
        workdir = Workdir(self.session, str(self.directory / "steps"))
        assert workdir.standing() is None
        plan = Plan(uuid4().hex, 1, "", NOW, self.parts, self.cap)
        workdir.begin(plan)
        flow = Flow(self.session, workdir, plan, Prepared(self.cap, self.bug), self.alone, self.links_alone, 0)
        flow.key(lambda: self.messages(raws), Unjudging())
        flow.group()
        return flow

    def messages(self, raws: list[bytes]) -> DataFrame:
        """The events in so many partitions."""
        rows = [(*one.partition, one.position, one.key, one.value, []) for one in deliveries(raws)]
        schema = "topic string, part int, position bigint, key binary, value binary, " + HEADERS
        return self.session.createDataFrame(rows, schema).repartition(self.parts)


async def by_one_process(path: Path, raws: list[bytes]) -> list[list[bytes]]:
    """The views by the dataflow in one process, which is held to the correlator's; of all events that of `persons`."""
    store = await open_store(f"sqlite:///{path}")
    try:
        await rebuilt(store, raws)
        assert await export(store) == reference(raws)
        return await exports(store)
    finally:
        await store.close()


HEADERS = "headers array<struct<key:string,value:binary>>"


def test_columns_are_those_of_messages() -> None:
    assert MESSAGES.names == ["topic", "part", "position", "key", "value", "headers"]


def test_an_export_has_what_messages_have() -> None:
    """Empty keys, values and headers as well."""
    topic = Partition("visabus.arrival", 3)
    made = [
        Delivery(topic, at, None if at % 5 == 0 else b"a key", None if at % 7 == 0 else b"%d" % at, HEAD[: at % 3])
        for at in range(40)
    ]
    batches = iter(table_of(made).to_batches(max_chunksize=7))
    assert list(tasks._deliveries(batches)) == made
    assert table_of([]).schema == MESSAGES


HEAD = (("ce_id", b"an id"), ("ce_type", b""))


@pytest.mark.law(1, "on Spark with 1, 2 and 7 partitions the view of random worlds is that of the pure function")
async def test_the_view_depends_on_the_events_alone(
    session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: pytest.RecordProperty
) -> None:
    for first in range(0, SETS, TOGETHER):
        cap = 2 if first // TOGETHER % 3 < 2 else 64
        monkeypatch.setattr(caps, "CAP", cap)
        raws = several(range(first, min(SETS, first + TOGETHER))) + skewed(120, 80)
        expected = await by_one_process(tmp_path / f"{first}.db", raws)
        Random(first).shuffle(raws)
        for place, parts in enumerate(PARTS):
            # in turn: components by stars, as where there are more than the driver can hold; by the driver; all by it,
            # and rows in files
            way = (place + first // TOGETHER) % 3
            edges, links = (0 if way == 0 else steps.ALONE), (driver_grouping.LINKS if way == 2 else 0)
            run = Run(session, tmp_path / f"{first} in {parts}", parts, cap, alone=edges, links_alone=links)
            assert await run.view(raws + raws[: len(raws) // 5]) == expected, (first, parts)
    record_property("told", f"{SETS} worlds with {PARTS} partitions")


@pytest.mark.law(1, planted="on Spark a cap by arrival")
async def test_a_cap_by_arrival_is_caught(
    session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "CAP", 2)
    raws = several(range(6))
    Random(1).shuffle(raws)
    expected = await by_one_process(tmp_path / "expected.db", raws)
    assert await Run(session, tmp_path / "run", 2, bug="a cap by arrival").view(raws) != expected


@pytest.mark.law(1, planted="on Spark a group that is not ordered")
async def test_an_unordered_group_is_caught(
    session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that comes in two pieces is refused by the store."""
    monkeypatch.setattr(steps, "members", unordered)
    with pytest.raises(IntegrityError):
        await Run(session, tmp_path / "run", 2, 64).view(several(range(2)))


def unordered(rows: DataFrame, pools: DataFrame, parts: int) -> DataFrame:
    """`steps.members` whose rows come by event, not by pool."""
    return MEMBERS(rows, pools, parts).sortWithinPartitions("body")


MEMBERS = steps.members


@pytest.mark.law(1, planted="on Spark a pool that is not closed")
def test_stars_find_what_one_process_finds(session: SparkSession, tmp_path: Path) -> None:
    """Chains, stars and rings at random: the least of each component, as `components` has it, and not in one round."""
    rng = Random(3)
    session.conf.set("spark.sql.shuffle.partitions", "2")
    edges = [(at, at + 1) for at in range(12)]
    edges += [(rng.randrange(-500, 500), rng.randrange(-500, 500)) for _ in range(300)]
    edges = sorted({(one, other) for one, other in edges if one != other})
    table = session.createDataFrame(edges, "one bigint, other bigint").repartition(3)
    number = 0

    def kept(_name: str, rows: DataFrame) -> DataFrame:
        nonlocal number
        number += 1
        rows.write.parquet(f"{tmp_path}/{number}")
        return session.read.parquet(f"{tmp_path}/{number}")

    pools = {row.node: row.pool for row in steps.pools_of(table, kept, session, alone=0).collect()}
    assert pools == components(edges)
    first = {row.one: row.other for row in session.read.parquet(f"{tmp_path}/1").collect()}
    assert first != pools


# --- the whole engine ----------------------------------------------------------------------------------------------


class Heard:
    """Hears how far it is."""

    def __init__(self) -> None:
        self.stages: set[str] = set()

    def at(self, done: int, total: int | None, stage: str = "read") -> None:
        """So far."""
        assert total is None or 0 <= done <= total
        self.stages.add(stage)


async def installed(tmp_path: Path, bus: str, store: str) -> tuple[Settings, list[list[bytes]]]:
    """An installation whose bus holds some worlds and two messages that may not count, and what it answers."""
    settings = Settings(data_dir=tmp_path / "data", bus_url=bus, store_url=store)
    events = [decode(raw) for raw in several(range(4))]
    messages = [message_of(event) for event in events]
    messages.insert(9, replace(messages[0], key=b"another"))
    messages.append(Message(ARRIVALS, b"a key", b"no event", ()))
    await wiring.send(settings, messages)
    await run(settings, once=True, stop=asyncio.Event())
    live = await open_store(settings.store_url)
    try:
        return settings, await exports(live)
    finally:
        await live.close()


async def filled(settings: Settings, **options: object) -> tuple[Store, NewStore]:
    """A new edition beside the live one, filled by Spark."""
    new = await begin(settings.store_url)
    # the processes of Spark's are those of other tests, which gave them another cap
    await Fill(prepare=Prepared(caps.CAP), **options).fill(new, settings, Heard(), asyncio.Event())
    return await new.open(), new


async def letters(settings: Settings) -> Counter[str]:
    """How often each dead letter was sent, by its place."""
    async with wiring.declared_bus(settings) as bus:
        return Counter([orjson.loads(one.value or b"")["place"] async for one in bus.read(DEAD_LETTERS)])


@pytest.mark.kafka
@pytest.mark.postgres
async def test_a_store_is_filled_from_kafka(
    session: SparkSession, tmp_path: Path, own_kafka: str, postgres: str
) -> None:
    """Read by Spark's own source and written by its tasks: as the correlators have it, and by the driver alone."""
    settings, expected = await installed(tmp_path, f"kafka://{own_kafka}", postgres.replace("+asyncpg", ""))
    opened, _ = await filled(settings, session=session, jars=kafka_jars(), parts=3)
    await same(settings, opened, expected)


async def same(settings: Settings, opened: Store, expected: list[list[bytes]]) -> None:
    """The view, the positions and the dead letters are those of the correlators."""
    live = await open_store(settings.store_url)
    try:
        assert await exports(opened) == expected
        taken = {place: position for place, position in (await live.reads.positions()).items() if position}
        assert await opened.reads.positions() == taken
        async with opened.writer.begin() as mine:
            tails, (stands, _) = await mine.tails(), await mine.configuration("", "")
        async with live.writer.begin() as theirs:
            assert tails == {place: tail for place, tail in (await theirs.tails()).items() if place in taken}
        assert stands == fingerprint()
        assert await opened.reads.known_through() == await live.reads.known_through()
        assert await opened.reads.backlog() == 0
    finally:
        await live.close()
        await opened.close()
    assert sorted((await letters(settings)).values()) == [2, 2]  # of the live store, and of this one
    assert not (settings.data_dir / "rebuild" / "edition-2" / "steps").exists()


async def test_a_store_is_filled_from_files(session: SparkSession, tmp_path: Path) -> None:
    """As from a bus, but for positions: whoever goes on reads the bus from its beginning."""
    settings, expected = await installed(
        tmp_path, f"embedded:///{tmp_path}/data/bus.db", f"sqlite+aiosqlite:///{tmp_path}/s.db"
    )
    raws = [*several(range(4)), b"{}", b""]
    (tmp_path / "one.jsonl").write_bytes(b"\n".join(raws[::2]))
    (tmp_path / "two.jsonl").write_bytes(b"\n".join(raws[1::2]))
    opened, _ = await filled(settings, session=session, files=[f"{tmp_path}/*.jsonl"])
    try:
        assert await exports(opened) == expected
        assert await opened.reads.positions() == {}
    finally:
        await opened.close()
    assert sorted((await letters(settings)).values()) == [1, 1, 1]


async def test_a_run_that_was_killed_goes_on(
    session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the parts stand when it is killed: until it goes on no correlator takes the store for a whole one."""
    settings, expected = await installed(
        tmp_path, f"embedded:///{tmp_path}/data/bus.db", f"sqlite+aiosqlite:///{tmp_path}/s.db"
    )
    loaded: list[int] = []

    async def killed(store: Store, part: int, rows: Rows) -> None:
        if len(loaded) == 2:
            raise StoreDown("gone")
        await load(store, part, rows)
        loaded.append(part)

    with monkeypatch.context() as planted:
        planted.setattr(engine, "load", killed)
        with pytest.raises(StoreDown):
            await filled(settings, session=session, parts=4)
    half = await (await begin(settings.store_url)).open()
    correlator = Correlator(half.writer, None, None, clock=wall_clock, stop=asyncio.Event())  # type: ignore[arg-type]
    with pytest.raises(OtherConfiguration):
        await correlator.check()
    await half.close()
    monkeypatch.setattr(Flow, "group", once_more(Flow.group))
    opened, _ = await filled(settings, session=session, parts=4)
    await same(settings, opened, expected)


def once_more(group: Callable[[Flow], None]) -> Callable[[Flow], None]:
    """`Flow.group` of which nothing is left to do."""

    def grouping(self: Flow) -> None:
        before = self.workdir.steps()
        group(self)
        assert self.workdir.steps() == before

    return grouping


async def test_the_order_to_stop_is_followed(session: SparkSession, tmp_path: Path) -> None:
    settings, _ = await installed(
        tmp_path, f"embedded:///{tmp_path}/data/bus.db", f"sqlite+aiosqlite:///{tmp_path}/s.db"
    )
    stop = asyncio.Event()
    stop.set()
    new = await begin(settings.store_url)
    await Fill(session=session).fill(new, settings, Heard(), stop)
    opened = await new.open()
    try:
        assert await opened.reads.positions() == {}
    finally:
        await opened.close()


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRebuild, match="NAME=VALUE"):
        Fill(spark=["spark.executor.memory"])
    with pytest.raises(NoRebuild, match="no jars"):
        Fill(jars=tmp_path)


async def test_files_are_refused_where_signatures_are_asked_for(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, signing={"keys": tmp_path})
    with pytest.raises(NoRebuild, match="no signatures"):
        await Fill(files=["x.jsonl"]).fill(await begin(settings.store_url), settings, Heard(), asyncio.Event())
