"""The engine `spark`: a new store is filled by Apache Spark, all events at once.

The ends of the bus are fixed at the beginning; what comes later is read by correlators, which go on from the positions
that this leaves. What each step gave is kept in a working directory, so a run that was killed goes on.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from bus.contract import Bus
from bus.open import embedded_path
from schemas.topics import EVENT_TOPICS
from services import wiring
from services.dataflow.loading import finish, load, load_coverage, load_cutoffs, prepare
from services.dataflow.plan import Plan, new_id
from services.dataflow.resolving import Resolving
from services.dataflow.spark import sources
from services.dataflow.spark.flow import Flow, NotShared
from services.dataflow.spark.session import open_session
from services.dataflow.spark.tasks import FileJudge, Judge, Prepare, nothing
from services.dataflow.spark.workdir import Workdir
from services.dead_letters import Spool, dead_message
from services.domain import caps
from services.rebuild.target import NewStore, NoRebuild, Progress
from services.settings import Settings
from services.store import Store
from services.store.contract import behind

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

EVENTS_IN_PART = 25_000
"""Events that a task resolves: their rows are held until they are written in one transaction."""
_LEAST_PARTS, _MOST_PARTS = 4, 4_000
_LETTERS = 500
_WATCH_SECONDS = 0.5
T = TypeVar("T")
log = structlog.get_logger(__name__)


class Fill:
    """Fills a new store by Spark. See `services.rebuild.target.Engine`."""

    def __init__(
        self,
        *,
        master: str | None = "local[*]",
        workdir: str | None = None,
        jars: Path | None = None,
        files: Sequence[str] = (),
        parts: int | None = None,
        spark: Sequence[str] = (),
        prepare: Prepare = nothing,
        session: SparkSession | None = None,
    ) -> None:
        """`master`: None where spark-submit says it. `workdir`: a place that driver and executors share.

        `jars`: those of Spark's source of Kafka; without them the driver reads the bus. `files`: of canonical events,
        in the place of the bus. `parts`: into so many the pools are cut. `spark`: more settings of Spark, NAME=VALUE.
        `session`: one that is open, and is left open. Raises NoRebuild.
        """
        self._master = master
        self._workdir = workdir
        self._jars = jars
        self._files = tuple(files)
        self._parts = parts
        self._prepare = prepare
        self._session = session
        self._more: dict[str, str] = {}
        for each in spark:
            name, given, value = each.partition("=")
            if not given:
                raise NoRebuild(f"{each!r} is no setting of Spark: write NAME=VALUE, spark.executor.memory=4g")
            self._more[name] = value
        if jars is not None:
            paths = sorted(map(str, jars.glob("*.jar")))
            if not paths:
                raise NoRebuild(f"there are no jars in {jars}: deploy/spark/jars {jars} fetches them")
            self._more["spark.jars"] = ",".join(filter(None, (self._more.get("spark.jars"), *paths)))

    async def fill(self, new: NewStore, settings: Settings, progress: Progress, stop: asyncio.Event) -> None:
        """See `services.rebuild.target.Engine.fill`. Raises NoRebuild, BusDown, StoreDown."""
        if self._files and settings.signing.keys is not None:
            raise NoRebuild("files of events have no signatures, and signing.keys asks for them: rebuild from the bus")
        async with AsyncExitStack() as opened:
            store = await new.open()
            opened.push_async_callback(store.close)
            bus = await opened.enter_async_context(wiring.declared_bus(settings))
            if not self._files and await _mostly_filled(store, bus, new.fingerprint):
                return  # the little that is missing is read by correlators
            run = _Run(self, new, settings, progress, stop, store, bus)
            with suppress(_Stopped):
                await run.all()

    def session(self, spill: Path) -> SparkSession:
        """Start Spark, unless it runs. Raises NoRebuild."""
        if self._session is not None:
            return self._session
        try:
            return open_session(self._master, spill, self._more)
        except Exception as error:  # Java that is missing, a master that is not there: the text is Spark's own
            raise NoRebuild(f"Spark cannot be started: {str(error).splitlines()[0]}") from None


class _Stopped(Exception):
    """The order to stop came."""


async def _mostly_filled(store: Store, bus: Bus, fingerprint: str) -> bool:
    """Whether the store is whole up to positions behind which less than half of the bus lies."""
    async with store.writer.begin() as tx:
        stands, _ = await tx.configuration("", "") if await store.reads.positions() else ("", "")
    if stands != fingerprint:
        return False
    ends = await bus.ends(EVENT_TOPICS)
    return behind(ends, await store.reads.positions()) * 2 < sum(ends.values())


class _Run:
    """One run."""

    def __init__(
        self,
        engine: Fill,
        new: NewStore,
        settings: Settings,
        progress: Progress,
        stop: asyncio.Event,
        store: Store,
        bus: Bus,
    ) -> None:
        self._engine = engine
        self._new = new
        self._settings = settings
        self._progress = progress
        self._stop = stop
        self._store = store
        self._bus = bus
        self._again = False  # whether a run that was killed left some of it
        self._home = settings.data_dir.absolute() / "rebuild" / f"edition-{new.number}"

    async def all(self) -> None:
        """All steps that are not done."""
        began = time.monotonic()
        session = await self._in_thread(lambda: self._engine.session(self._home / "spill"))
        try:
            workdir = Workdir(session, self._engine._workdir or str(self._home / "steps"))
            plan = await self._planned(workdir, session.sparkContext.defaultParallelism)
            session.conf.set("spark.sql.shuffle.partitions", str(plan.parts))
            flow = Flow(session, workdir, plan, self._engine._prepare)
            file = self._embedded(session, workdir, plan)
            if file is not None:  # tasks read the embedded bus themselves
                await self._step(session, plan, "key", lambda: flow.key_log(file, self._judge(plan)))
            else:
                messages = await self._messages(session, workdir, plan)
                await self._step(session, plan, "key", lambda: flow.key(messages, self._judge(plan)))
            await self._letters(flow, workdir)
            await self._step(session, plan, "group", flow.group)
            coverage = await load_coverage(self._store, flow.coverage())
            await load_cutoffs(self._store, flow.cutoffs, flow.others)
            await self._resolve(session, flow, Resolving(flow.cutoffs, flow.others, coverage, plan.now))
            begins = {(span.topic, span.part): span.begin for span in plan.spans}
            await finish(self._store, flow.ends(), self._new.fingerprint, begins)
            log.info("the store is filled", seconds=round(time.monotonic() - began, 1))
            workdir.remove()
        finally:
            if session is not self._engine._session:
                await asyncio.to_thread(session.stop)

    async def _planned(self, workdir: Workdir, cores: int) -> Plan:
        """The plan to go on with, or a new one; the store is ready for it."""
        plan = workdir.standing()
        mine = plan is not None and (plan.edition, plan.fingerprint) == (self._new.number, self._new.fingerprint)
        if plan is not None and mine and await prepare(self._store, plan.id):
            self._again = True
            return plan
        spans = () if self._engine._files else await sources.spans_of(self._bus, EVENT_TOPICS)
        plan = Plan(
            new_id(),
            self._new.number,
            self._new.fingerprint,
            int(time.time()),
            self._engine._parts or _parts(sum(span.end - span.begin for span in spans), cores),
            caps.CAP,
            spans,
            self._engine._files,
        )
        workdir.begin(plan)
        await prepare(self._store, plan.id)
        return plan

    def _embedded(self, session: SparkSession, workdir: Workdir, plan: Plan) -> Path | None:
        """The file of an embedded bus that tasks on this machine read."""
        if plan.files or not session.sparkContext.master.startswith("local"):
            return None
        return embedded_path(self._settings.bus_url) if workdir.directory is not None else None

    async def _messages(self, session: SparkSession, workdir: Workdir, plan: Plan) -> Callable[[], DataFrame]:
        """What gives the messages. The bus is read here where it is not Kafka, or Spark has no source for it."""
        if plan.files:
            return lambda: sources.from_files(session, plan.files)
        kafka = wiring.kafka_settings(self._settings)
        if kafka is not None and self._engine._jars is not None:
            return lambda: sources.from_kafka(session, kafka, plan.spans)
        directory = Path(workdir.root) / "messages"
        if not workdir.is_done("messages"):
            if "://" in workdir.root:
                raise NoRebuild("the driver writes what it reads from the bus into a directory: name one by --workdir")
            done = 0

            def advance(more: int) -> None:
                nonlocal done
                done += more
                self._progress.at(done, plan.messages, "read")
                if self._stop.is_set():
                    raise _Stopped

            await asyncio.to_thread(_empty, directory)
            await sources.export(self._bus, plan.spans, directory, advance)
            workdir.done("messages")
        return lambda: sources.from_export(session, str(directory))

    def _judge(self, plan: Plan) -> Judge | FileJudge:
        if plan.files:
            return FileJudge(plan.now)
        keys = self._settings.signing.keys
        return Judge(plan.now, None if keys is None else str(keys))

    async def _letters(self, flow: Flow, workdir: Workdir) -> None:
        """Keep what could not be read as dead letters; their ids are derived, so twice is as once."""
        if workdir.is_done("letters"):
            return
        spool = Spool(self._settings.data_dir / "spool")
        refusals = await self._in_thread(lambda: flow.refusals())
        producer = await self._bus.producer()
        count = 0
        try:
            while some := list(islice(refusals, _LETTERS)):
                await producer.send(
                    [dead_message(one.topic, one.part, one.position, one.value, one.reason, spool) for one in some]
                )
                count += len(some)
        finally:
            await producer.close()
        if count:
            log.warning("messages that are no events, or may not count, are dead letters", count=count)
        workdir.done("letters")

    async def _resolve(self, session: SparkSession, flow: Flow, resolving: Resolving) -> None:
        if self._new.schema is not None:  # PostgreSQL takes rows from many at a time
            write = (self._new.url, self._new.number)
            again = self._again
            await self._step(session, flow.plan, "resolve", lambda: flow.resolve(resolving, write, again=again))
            return
        parts = await self._step(session, flow.plan, "resolve", lambda: flow.resolve(resolving, None))
        for done, (part, rows) in enumerate(parts, 1):
            if self._stop.is_set():
                raise _Stopped
            await load(self._store, part, rows)
            self._progress.at(done, flow.plan.parts, "load")

    async def _step(self, session: SparkSession, plan: Plan, stage: str, work: Callable[[], T]) -> T:
        with _watched(session, plan.messages or None, stage, self._progress):
            return await self._in_thread(work, session)

    async def _in_thread(self, work: Callable[[], T], session: SparkSession | None = None) -> T:
        """Do what blocks in a thread; on the order to stop Spark's jobs are given up."""
        if self._stop.is_set():
            raise _Stopped
        working = asyncio.create_task(asyncio.to_thread(work))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done() and session is not None:
                session.sparkContext.cancelAllJobs()
                with suppress(Exception):
                    await working
                raise _Stopped
            return await working
        except (PySparkException, Py4JError) as error:
            raise NoRebuild(f"Spark gave up: {_first_line(error)}; the same command goes on where it was") from None
        except NotShared as error:
            raise NoRebuild(str(error)) from None
        finally:
            stopping.cancel()


def _first_line(error: Exception) -> str:
    """The line that says what failed in a task, or the first one."""
    lines = str(error).splitlines() or [type(error).__name__]
    return next((line.strip() for line in lines if "Failed: " in line), lines[0])


def _parts(messages: int, cores: int) -> int:
    """Into so many parts the pools are cut: each core is given as many, or the others wait for the last."""
    parts = max(_LEAST_PARTS, min(_MOST_PARTS, -(-messages // EVENTS_IN_PART)))
    return -(-parts // cores) * cores


def _empty(directory: Path) -> None:
    """Make a directory; what a run that was killed left in it is taken away."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in directory.iterdir():
        file.unlink()


@contextmanager
def _watched(session: SparkSession, total: int | None, stage: str, progress: Progress) -> Iterator[None]:
    """Tell how far Spark's jobs are: their tasks that are done, as a share of the events."""
    over = threading.Event()
    tracker = session.sparkContext.statusTracker()

    def watch() -> None:
        while not over.wait(_WATCH_SECONDS):
            infos = [tracker.getStageInfo(number) for number in tracker.getActiveStageIds()]
            tasks = sum(info.numTasks for info in infos if info is not None)
            done = sum(info.numCompletedTasks for info in infos if info is not None)
            if tasks:
                progress.at(done * (total or tasks) // tasks, total or tasks, stage)

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
