"""`visabus demo`: all of it on one machine, from native files to an answered request, checked against the truth."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.children import Children
from services.cli.context import FAILED, MISUSED, Given, Refusal
from services.cli.population import HELP, queues_of, sources_of
from services.cli.serving import Answering, answering, door, push_keys

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from bus.contract import Bus
    from services.cli.children import Child
    from services.evaluation import Comparison
    from services.feeds import Counters
    from services.settings import Settings
    from services.simulator import Source, Truth
    from services.simulator.push import PushKey
    from services.store import Store

SCOPES = ("status:read", "timeline:read")
OPERATOR = (*SCOPES, "operations:read", "records:read", "operations:write", "confidential:read")
"""Of the page: the travellers are made up, so it may show all of them."""
PURPOSE = "overstay-review"
TOKEN_SECONDS = 43_200
_POLL_SECONDS = 0.25
_START_SECONDS = 60.0
_SHOWN = 5
_KEPT = ("VISABUS_TEST_", "VISABUS_SYSTEM_PACKAGES")
"""Of the environment what holds in a demo too; all other settings are the demo's own."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End after the first answer instead of serving on.")] = False,
    persons: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many travellers.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Equal seeds make equal populations.")] = 1,
    bus: Annotated[str | None, typer.Option(metavar="URL", help="An empty bus; embedded if not given.")] = None,
    store: Annotated[str | None, typer.Option(metavar="URL", help="An empty store; embedded if not given.")] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep all files here; otherwise they are removed.")
    ] = None,
    systems: Annotated[str | None, typer.Option(metavar="NAMES", help=HELP)] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(metavar="SYSTEM=URL", help="An empty queue, for a system that can send by queue, such as APIS."),
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SYSTEM=URL",
            help="An empty server of the system's own kind (SFTP, database, Kafka), in place of its double.",
        ),
    ] = None,
) -> None:
    """Simulate travellers, read their records, join them into persons with a status, and check that against the truth.

    Each part is a process of its own, as in production; all are ended with the demo. Then requests to paste.

    ```
    visabus demo
    visabus demo --once --persons 10000
    visabus demo --bus kafka://127.0.0.1:9092 --store postgresql://visabus@127.0.0.1/visabus
    visabus demo --queue APIS=amqp://127.0.0.1/apis
    visabus demo --server 'BCI=sftp://user@host/empty-directory?known_hosts=FILE&key=FILE'
    ```
    """
    from rich.console import Console

    given = context.find_object(Given) or Given()
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise Refusal(f"{keep} is not empty; a demo keeps its files in a new directory", MISUSED)
    sources = sources_of(systems)
    queues, servers = queues_of(queue, sources), queues_of(server, sources, "--server")
    with ExitStack() as stack:
        directory = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="visabus-demo-")))
        where = (bus or given.bus, store or given.store)
        plan = Plan(directory.resolve(), persons, seed, sources, *where, queues, servers, once, *_free_ports(2))
        code = asyncio.run(_until_stopped(plan, Console()))
    if code:
        raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for, and the ports that this run has."""

    directory: Path
    persons: int
    seed: int
    sources: dict[str, Source]
    bus: str | None
    store: str | None
    queues: dict[str, str]
    servers: dict[str, str]
    once: bool
    port: int
    door_port: int

    @property
    def data(self) -> Path:
        """Return where the processes keep what they keep."""
        return self.directory / "data"

    @property
    def elsewhere(self) -> str:
        """Return the options that say where bus and store are, where they are not in the data directory."""
        return "".join(
            f" --{name} {url}" for name, url in (("bus", self.bus), ("store", self.store)) if url is not None
        )

    @property
    def population(self) -> Path:
        """Return where the simulator writes."""
        return self.directory / "population"

    def environment(self, keys: dict[str, PushKey]) -> dict[str, str]:
        """Return the processes' environment: the demo's settings and no others."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("VISABUS_") or name.startswith(_kept(self.bus, self.store))
        }
        return (
            kept
            | {
                "VISABUS_DATA_DIR": str(self.data),
                "VISABUS_BUS_URL": self.bus or f"embedded://{self.data}/bus.db",
                "VISABUS_STORE_URL": self.store or f"sqlite+aiosqlite:///{self.data}/store.db",
                "VISABUS_AUDIT_URL": f"sqlite+aiosqlite:///{self.data}/audit.db",
                "VISABUS_API__HOST": "127.0.0.1",
                "VISABUS_API__PORT": str(self.port),
            }
            | {f"VISABUS_DOOR__{name.upper()}": json.dumps(value) for name, value in door(keys, self.door_port).items()}
        )


def _kept(bus: str | None, store: str | None) -> tuple[str, ...]:
    """Names of the environment that hold: how to speak to a Kafka and a PostgreSQL only where there are such."""
    return (*_KEPT, *(("VISABUS_KAFKA__",) if bus else ()), *(("VISABUS_STORE__",) if store else ()))


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]


async def _until_stopped(plan: Plan, console: Console) -> int:
    """Run the demo until its end, SIGINT or SIGTERM, and leave nothing running."""
    from services.cli.signals import stop_on_signals

    stop = stop_on_signals(None)  # to leave nothing running takes the time that it takes
    shown = asyncio.Event()
    work = asyncio.create_task(_demo(plan, console, shown))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if work.done():
        return work.result()
    work.cancel()
    await asyncio.wait({work})
    console.print("Stopped; no process is left.")
    return 0 if shown.is_set() else FAILED


async def _demo(plan: Plan, console: Console, shown: asyncio.Event) -> int:
    from services.cli.evaluate import compared, refuse_used
    from services.settings import load
    from services.simulator import simulate

    keys = push_keys(plan.sources.values())
    environment = plan.environment(keys)
    settings = load(environment=environment)
    await refuse_used(settings)
    async with Children(plan.directory / "logs", environment) as children:
        # the processes that read and answer get ready while the records are written
        correlator = await children.start("correlate", "correlate")
        receiver = await children.start("door", "door", "--stamp", "recorded") if keys else None
        with console.status(f"Writing the records of {plan.persons:,} travellers"):
            truth = await asyncio.to_thread(
                simulate,
                plan.population,
                persons=plan.persons,
                seed=plan.seed,
                systems=plan.sources,
                known=plan.sources,
            )
        flow = await _answered(plan, settings, truth, children, console, Started(correlator, receiver, keys))
        api = await children.start("serve", "serve", "--console")
        comparison = await compared(settings, truth)
        await _ready(plan.port, children, api)
        sound = _summary(console, truth, flow, comparison)
        requests = _requests(truth)
        token = _token(settings)
        _paste(plan, token, requests)
        shown.set()
        if plan.once:
            answered = await _ask(console, plan, token, requests[0])
            return 0 if sound and answered else FAILED
        console.print(f"Serving at http://127.0.0.1:{plan.port} (operations: /docs) until Ctrl-C.")
        page = f"http://127.0.0.1:{plan.port}/console/#token={_token(settings, OPERATOR)}&purpose={PURPOSE}"
        typer.echo(f"Commands see it by --data: visabus status --data {plan.data}{plan.elsewhere}")
        typer.echo(f"The page for operators: {page}")
        if sys.stdout.isatty():
            webbrowser.open(page)
        while True:
            children.check(api, correlator)
            await asyncio.sleep(_POLL_SECONDS)


async def _answered(
    plan: Plan, settings: Settings, truth: Truth, children: Children, console: Console, started: Started
) -> Flow:
    """Have the systems answer for as long as their records are read. Raises Refusal."""
    import httpx

    from services.simulator import SourceUnavailable

    url = f"http://127.0.0.1:{plan.door_port}"
    sources = plan.sources.values()
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
        systems = answering(
            sources, plan.population, keys=started.keys, http=http, queues=plan.queues, servers=plan.servers
        )
        try:
            async with systems as answers:
                return await _flow(plan, settings, truth, children, console, started, answers)
        except SourceUnavailable as error:
            raise Refusal(str(error), MISUSED) from None


@dataclass(frozen=True, slots=True)
class Flow:
    """What went through."""

    counters: dict[str, Counters]  # by system
    events: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Started:
    """What runs before there is anything to read."""

    correlator: Child
    door: Child | None
    keys: dict[str, PushKey]


async def _flow(
    plan: Plan,
    settings: Settings,
    truth: Truth,
    children: Children,
    console: Console,
    started: Started,
    answers: Answering,
) -> Flow:
    """Ingest, push and correlate, all at once, until all is in the view."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from services.store import open_store
    from services.wiring import open_bus

    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began = perf_counter()
    bus = await open_bus(settings)
    store = await open_store(settings.store_url)
    try:
        await answers.ask(settings)
        feeds = {"VISABUS_FEEDS": json.dumps(answers.feeds)}
        ingest = await children.start("ingest", "ingest", "--once", "--stamp", "recorded", environment=feeds)
        push = asyncio.create_task(_push(plan, children, started, answers))
        running = Running(ingest, started.correlator, push)
        try:
            with Progress(*columns, console=console) as progress:
                counters = await _watched(progress, bus, store, truth, children, running)
        finally:
            push.cancel()
            await asyncio.wait({push})
        await children.finished(ingest)
        events = sum(each.events for each in counters.values())
        return Flow(counters, events, perf_counter() - began)
    finally:
        await store.close()
        await bus.close()


async def _push(plan: Plan, children: Children, started: Started, answers: Answering) -> None:
    """Have the systems send what they send by themselves, once the push handler listens. Raises Refusal."""
    from services.simulator import SourceUnavailable

    if started.door is not None:
        await _ready(plan.door_port, children, started.door)
    try:
        await answers.send()
    except SourceUnavailable as error:
        log = f"\n{started.door.last_words()}" if started.door is not None else ""
        raise Refusal(f"{error}{log}") from None


@dataclass(frozen=True, slots=True)
class Running:
    """What is under way at the same time."""

    ingest: Child
    correlator: Child
    push: asyncio.Task[None]

    @property
    def ended(self) -> bool:
        """Return whether nothing more comes. Raises what the push ended with."""
        if self.push.done():
            self.push.result()
        return self.ingest.process.returncode is not None and self.push.done()


class Bars:
    """How far reading and correlating are: totals, and of the systems those that are being read."""

    def __init__(self, progress: Progress, expected: Mapping[str, int]) -> None:
        self._progress = progress
        self._expected = expected
        self._systems = progress.add_task("systems read", total=len(expected))
        self._records = progress.add_task("records read", total=sum(expected.values()))
        self._events = progress.add_task("events in the view", total=None)
        self._reading = {
            system: progress.add_task(f"  {system}", total=total, visible=False) for system, total in expected.items()
        }

    def show(self, read: Mapping[str, int], taken: int, published: int) -> None:
        """Show how many records of each system are read, and how many of the events published are in the view."""
        done = sum(read[system] >= total for system, total in self._expected.items())
        self._progress.update(self._systems, completed=done)
        self._progress.update(self._records, completed=sum(read.values()))
        self._progress.update(self._events, completed=taken, total=published)
        for system, task in self._reading.items():
            count, total = read[system], self._expected[system]
            self._progress.update(task, completed=count, visible=0 < count < total)


async def _watched(
    progress: Progress, bus: Bus, store: Store, truth: Truth, children: Children, running: Running
) -> dict[str, Counters]:
    """Show how far reading and correlating are, until both are done; the counters as they ended."""
    from schemas.topics import EVENT_TOPICS
    from services.correlator.process import caught_up
    from services.feeds import Checkpoints, Counters

    positions = Checkpoints()
    systems = truth.counts["systems"]
    bars = Bars(progress, {system: counts["read"] for system, counts in systems.items()})
    while True:
        ended = running.ended
        children.check(running.correlator)
        await positions.read(bus)
        counters = {system: Counters() for system in systems}
        for key, saved in positions.held.items():
            system = key.partition("/")[0]
            counters[system] = counters.get(system, Counters()).plus(saved.counters)
        published = sum((await bus.ends(EVENT_TOPICS)).values())
        taken = sum((await store.reads.positions()).values())
        bars.show({system: counters[system].read for system in systems}, taken, published)
        if ended and (running.ingest.process.returncode != 0 or await caught_up(bus, store)):
            return counters
        await asyncio.sleep(_POLL_SECONDS)


async def _ready(port: int, children: Children, child: Child) -> None:
    """Wait until a process answers at its port. Raises Refusal."""
    import httpx

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while True:
                    children.check(child)
                    with suppress(httpx.TransportError):  # not listening yet
                        if (await client.get("/readyz")).is_success:
                            return
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise Refusal(
                f"{child.name} is not ready after {_START_SECONDS:.0f} seconds:\n{child.last_words()}"
            ) from None


def _summary(console: Console, truth: Truth, flow: Flow, comparison: Comparison) -> bool:
    """Say what came of it; whether everything is as it should be."""
    from rich.table import Table

    systems = Table("system", "read", "published", "dead-lettered", "filtered", "as simulated", title="records")
    whole = True
    for system, expected in truth.counts["systems"].items():
        counters = flow.counters[system]
        filtered = sum(counters.filtered.values())
        counted = (counters.read, counters.published, counters.dead_lettered, filtered)
        same = counted == (expected["read"], expected["published"], 0, expected["filtered"]) and counters.balanced()
        whole &= same
        verdict = (
            "yes" if same else f"NO: {expected['read']} = {expected['published']} + {expected['filtered']} filtered"
        )
        systems.add_row(system, *(f"{number:,}" for number in counted), verdict)
    outcomes = Table("outcome", "in the view", "in truth", title=f"stays as of {truth.as_of:%Y-%m-%d %H:%M} UTC")
    for outcome, number in comparison.outcomes.items():
        if number or truth.counts["outcomes"].get(outcome):
            outcomes.add_row(outcome, f"{number:,}", f"{truth.counts['outcomes'].get(outcome, 0):,}")
    console.print(systems)
    empty = [system for system in truth.counts["systems"] if not flow.counters[system].read]
    console.print(
        f"{systems.row_count} systems" + (f", of which without a record: {', '.join(empty)}" if empty else "")
    )
    console.print(outcomes)
    console.print(
        f"{comparison.persons:,} persons in the view, {truth.counts['persons']:,} in truth; "
        f"{flow.events:,} events in {flow.seconds:.1f} s, {flow.events / flow.seconds:,.0f} a second"
    )
    console.print(
        f"{comparison.right:,} of {comparison.stays:,} stays have their true outcome, {comparison.exact:,} also its "
        f"dates and class; admissions {'close' if comparison.closes else 'DO NOT CLOSE'} at {comparison.admissions:,}; "
        f"{comparison.merged} persons wrongly merged, {comparison.missing} records lost, "
        f"{comparison.strangers} stays that never were"
    )
    _tell_wrong(console, comparison)
    return whole and comparison.sound and not comparison.merged


def _tell_wrong(console: Console, comparison: Comparison) -> None:
    from services.cli.evaluate import described

    for wrong in comparison.wrong[:_SHOWN]:
        console.print(described(wrong), markup=False, highlight=False)


@dataclass(frozen=True, slots=True)
class Example:
    """A request worth making."""

    what: str
    path: str


def _requests(truth: Truth) -> list[Example]:
    """Return requests by I-94 number and by passport, and one for the time line of a traveller with several stays."""
    suspected = traveller = None
    returning = ""
    for person in truth.persons():
        last = person.stays[-1]
        if suspected is None and last.outcome == "OVERSTAY_SUSPECTED":
            suspected = last.number
        passports = [name for each in person.records for name in each.identifiers if name.startswith("passport:")]
        if traveller is None and last.outcome in ("PENDING", "IN_STATUS") and passports:
            traveller = passports[-1].split(":")
        if not returning and len(person.stays) > 2 and last.number:
            returning = last.number
        if suspected and traveller and returning:
            break
    as_of = truth.as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    examples = []
    if suspected:
        examples.append(Example("a suspected overstay, by I-94 number", f"/v1/status/i94/{suspected}?as_of={as_of}"))
    if traveller:
        _, state, number = traveller
        examples.append(
            Example("a traveller who is present, by passport", f"/v1/status/passport/{state}/{number}?as_of={as_of}")
        )
    if returning:
        examples.append(Example("the time line of several stays", f"/v1/timeline/i94/{returning}?as_of={as_of}"))
    return examples


def _token(settings: Settings, scopes: Sequence[str] = SCOPES) -> str:
    from services.api import development

    return development.token(
        settings.api,
        settings.data_dir,
        subject="demo",
        client="visabus-demo",
        scopes=scopes,
        purposes=[PURPOSE],
        now=datetime.now(UTC),
        ttl=TOKEN_SECONDS,
    )


def _paste(plan: Plan, token: str, requests: list[Example]) -> None:
    """The requests as lines for a shell; not wrapped, so that they can be pasted."""
    typer.echo(f"\nTOKEN={token}")
    for example in requests:
        url = shlex.quote(f"http://127.0.0.1:{plan.port}{example.path}")
        typer.echo(f"# {example.what}")
        typer.echo(f'curl -sS -H "Authorization: Bearer $TOKEN" -H "Visabus-Purpose: {PURPOSE}" {url}')
    typer.echo("")


async def _ask(console: Console, plan: Plan, token: str, example: Example) -> bool:
    """Make one of the requests and show the answer; whether it was answered."""
    import httpx

    headers = {"Authorization": f"Bearer {token}", "Visabus-Purpose": PURPOSE}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{plan.port}", trust_env=False, timeout=30) as client:
        response = await client.get(example.path, headers=headers)
    console.print(f"{example.what}: HTTP {response.status_code}")
    console.print_json(response.text)
    return response.is_success
