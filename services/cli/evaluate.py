"""`visabus evaluate`: how right the view is on a synthetic population whose truth is known."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.context import FAILED, MISUSED, Given, Refusal, start_logs
from services.cli.population import HELP, NoiseOption, RateOption, noise_of, sources_of
from services.cli.serving import answering, door, push_handler, push_keys

if TYPE_CHECKING:
    from services.evaluation import Comparison, ViewStay, Without, Wrong
    from services.evaluation.oracle import Due
    from services.settings import Settings
    from services.simulator import Noise, Source, Truth
    from services.simulator.push import PushKey


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    context: typer.Context,
    persons: Annotated[int, typer.Option(min=1, max=5_000_000, help="How many travellers.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Equal seeds make equal populations.")] = 1,
    noise: NoiseOption = 0.0,
    rate: RateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    bus: Annotated[str | None, typer.Option(metavar="URL", help="An empty bus; embedded if not given.")] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="An empty store; embedded if not given.")] = None,
    systems: Annotated[str | None, typer.Option(metavar="NAMES", help=HELP)] = None,
    splink: Annotated[bool, typer.Option("--splink", help="Have Splink match the same claims, too.")] = False,
    each: Annotated[
        bool, typer.Option("--without-each", help="Take each system away in turn, and say which answers get worse.")
    ] = False,
) -> None:
    """Simulate, ingest, correlate and compare with the truth. Exit with 1 if a stay is wrong.

    With mistakes in the records a status is compared with what a perfect matcher would say of the same events. What
    really happened is reported beside it, and only sums that do not close and lost records make the command fail.
    With --without-each it fails, too, where an answer gets worse and does not say so; all facts are held in memory.

    ```
    visabus evaluate --persons 10000 --seed 7 --json
    visabus evaluate --persons 10000 --seed 7 --noise 1 --splink
    visabus evaluate --persons 10000 --rate shared_passport=0.05
    visabus evaluate --persons 300 --without-each
    ```
    """
    from services.evaluation import splink_baseline

    if splink and not splink_baseline.present():
        raise Refusal("Splink is not installed; install visabus with its extra `splink`", MISUSED)
    given = context.find_object(Given) or Given()
    sources, mistakes = sources_of(systems), noise_of(noise, rate)
    with tempfile.TemporaryDirectory(prefix="visabus-evaluate-") as directory:
        path = Path(directory).resolve()
        asked = Asked(persons, seed, mistakes, sources, splink, each)
        run = asyncio.run(evaluated(path, asked, bus or given.bus, store or given.store))
    typer.echo(json.dumps(run.as_json()) if as_json else run.as_text())
    if not run.comparison.sound or any(each.unsaid for each in run.without):
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be evaluated."""

    persons: int
    seed: int
    noise: Noise
    sources: dict[str, Source]
    splink: bool = False
    each: bool = False  # whether each system is taken away in turn


class Stages:
    """The stages of an evaluation and the seconds of each, shown on a terminal as they pass."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), TimeElapsedColumn())
        self.seconds: dict[str, float] = {}
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> Stages:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    @contextmanager
    def stage(self, name: str, of: str = "") -> Iterator[None]:
        """Time what is done inside as a stage of this name."""
        task = self._progress.add_task(f"{name:10} {of}", total=1)
        began = perf_counter()
        yield
        self.seconds[name] = perf_counter() - began
        self._progress.update(task, completed=1)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of an evaluation."""

    persons: int
    comparison: Comparison
    events: int
    seconds: dict[str, float]  # by stage
    splink: dict[str, Any] | None = None
    without: tuple[Without, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        total = self.seconds["ingest"] + self.seconds["correlate"]
        return {
            **self.comparison.as_json(self.persons),
            "splink": self.splink,
            **({"without": {each.system: each.as_json() for each in self.without}} if self.without else {}),
            "events": self.events,
            "seconds": round(total, 3),
            "stages": {name: round(value, 3) for name, value in self.seconds.items()},
        }

    def as_text(self) -> str:
        """For people."""
        body = self.as_json()
        without = body.pop("without", {})
        lines = [f"{name}: {json.dumps(value)}" for name, value in body.items() if value not in (None, {})]
        lines += [f"without {system}: {json.dumps(value)}" for system, value in without.items()]
        lines += [f"beyond the truth: a stay by {report}" for report in self.comparison.twice]
        return "\n".join(lines + [f"wrong: {described(wrong)}" for wrong in self.comparison.wrong])


def described(wrong: Wrong) -> str:
    """Return a wrong stay in words, with the explanation that the view gives."""
    due, viewed = wrong.due, wrong.viewed
    head = f"{wrong.stay.system} {wrong.stay.record} ({wrong.stay.kind}): {_dated(due)}"
    if viewed is None:
        return f"{head}; the view has no such stay"
    differs = "has" if viewed.outcome != due.outcome else "has, with other dates or class,"
    why = f"{viewed.reason} [{viewed.rule}: {viewed.citation}] by {', '.join(viewed.evidence)}"
    return f"{head}; the view {differs} {_dated(viewed)}: {why}"


def _dated(stay: Due | ViewStay) -> str:
    since = datetime.fromtimestamp(stay.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"{stay.outcome} as {stay.admission_class} since {since}, authorised until {stay.authorised_until or 'no day'}"
    )


async def evaluated(directory: Path, asked: Asked, bus: str | None, store: str | None) -> Run:
    """Evaluate once in this process. Raises Refusal where the bus given is not empty."""
    from services.correlator import process
    from services.evaluation import splink_baseline
    from services.memory import collect_rarely
    from services.settings import load
    from services.simulator import SourceUnavailable, simulate

    collect_rarely()
    with Stages() as stages:
        with stages.stage("simulate"):
            truth = simulate(
                directory,
                persons=asked.persons,
                seed=asked.seed,
                systems=asked.sources,
                known=asked.sources,
                noise=asked.noise,
            )
        sources = list(asked.sources.values())
        keys = push_keys(sources)
        settings = load(
            data_dir=directory,
            bus_url=bus or f"embedded://{directory}/bus.db",
            store_url=store or f"sqlite+aiosqlite:///{directory}/store.db",
            door=door(keys),
            log={"level": "warning"},
        )
        start_logs(settings)
        await refuse_used(settings)
        with stages.stage("ingest"):
            try:
                events = await _ingest(settings, directory, sources, keys)
            except SourceUnavailable as error:
                raise Refusal(str(error)) from None
        with stages.stage("correlate", f"{events:,} events"):
            await process.run(settings, once=True, stop=asyncio.Event())
        with stages.stage("compare"):
            comparison = await compared(settings, truth, keep_claims=asked.splink)
        baseline = None
        if asked.splink:
            with stages.stage("splink"):
                baseline = splink_baseline.judged(comparison.claims)
        without: tuple[Without, ...] = ()
        if asked.each:
            with stages.stage("without each"):
                without = await without_each(settings, truth)
    return Run(asked.persons, comparison, events, stages.seconds, baseline, without)


async def without_each(settings: Settings, truth: Truth) -> tuple[Without, ...]:
    """Take each system away from the view of a store in turn, and return what is lost; all facts are held at once."""
    from schemas.ids import handle
    from services.evaluation import Complementary
    from services.store import open_store

    owners = {handle(each.system, each.record): person.number for person in truth.persons() for each in person.records}
    store = await open_store(settings.store_url)
    try:
        coverage = await store.reads.coverage()
        async with aclosing(store.reads.all_pools(confidential=True)) as pools:
            facts = [fact async for pool in pools for fact in pool.facts.values()]
    finally:
        await store.close()
    view = Complementary(facts, owners, int(truth.as_of.timestamp()), coverage)
    return tuple(view.without(system) for system in view.systems)


async def _ingest(settings: Settings, population: Path, sources: list[Source], keys: dict[str, PushKey]) -> int:
    """Read and take all that the systems tell; return the number of events. Raises Refusal, SourceUnavailable."""
    from services.ingest import recorded, run
    from services.ingest import sources as feeds_of
    from services.settings import FeedSettings

    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(push_handler(settings, [each for each in sources if each.pushes]))
        systems = await stack.enter_async_context(answering(sources, population, keys=keys, http=http))
        feeds = {name: FeedSettings(**each) for name, each in systems.feeds.items()}
        fed = settings.model_copy(update={"feeds": feeds})
        await systems.ask(fed)
        outcomes = await run(fed, feeds_of(fed, list(feeds)), once=True, clock=recorded)
        for outcome in outcomes:
            if outcome.error is not None:
                raise Refusal(f"{outcome.name}: {outcome.error}")
            if outcome.deferred:
                raise Refusal(f"{outcome.name} was not read to its end: {outcome.deferred[0]}")
            if outcome.counters.dead_lettered:
                typer.echo(f"visabus: {unread(outcome.name, outcome.counters.dead_lettered)}", err=True)
        await systems.send()
    return await published(settings)


def unread(feed: str, records: int) -> str:
    """Return that records of a feed cannot be read, and which commands tell why."""
    system, _, name = feed.partition(".")
    why = f"visabus simulate DIR, then visabus decode {system} --feed {name} --refused DIR/..."
    return f"{feed}: {records} records cannot be read; to see why: {why}"


async def published(settings: Settings) -> int:
    """Return how many events the bus holds."""
    from schemas.topics import EVENT_TOPICS
    from services.wiring import open_bus

    bus = await open_bus(settings)
    try:
        return sum((await bus.ends(EVENT_TOPICS)).values())
    finally:
        await bus.close()


async def refuse_used(settings: Settings) -> None:
    """A population mixed with what bus or store hold already cannot be compared with its truth. Raises Refusal."""
    from schemas.topics import EVENT_TOPICS
    from services.store import open_store
    from services.wiring import declared_bus

    async with declared_bus(settings) as bus:
        held = sum((await bus.ends(EVENT_TOPICS)).values())
    if held:
        raise Refusal(f"the bus holds {held} events already; give an empty one", MISUSED)
    store = await open_store(settings.store_url)
    try:
        taken = sum((await store.reads.positions()).values())
    finally:
        await store.close()
    if taken:
        raise Refusal(f"the store holds {taken} events already; give an empty one", MISUSED)


async def compared(settings: Settings, truth: Truth, *, keep_claims: bool = False) -> Comparison:
    """Compare the view of a store with the truth."""
    from services.evaluation import compare
    from services.store import open_store

    store = await open_store(settings.store_url)
    try:
        coverage = await store.reads.coverage()
        async with (
            aclosing(store.reads.histories(confidential=True)) as histories,
            aclosing(store.reads.all_pools(confidential=True)) as pools,
        ):
            facts = (pool.facts.values() async for pool in pools)
            return await compare(truth, histories, facts, coverage, keep_claims=keep_claims)
    finally:
        await store.close()
