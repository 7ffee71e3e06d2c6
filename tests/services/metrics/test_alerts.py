"""Every alert fires by its cause in a real installation, and none fires while all is well.

What the processes export before and after the cause is given to Prometheus's own tool, which evaluates the rules over
three days. Times in the metrics are moved along to the tool's clock, which begins at zero.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from killing import wait_until
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from rebuilding import Silent
from starlette.types import Message, Receive, Scope, Send
from toy_border import NAME as BORDER
from toy_border import border
from toy_source import settings, toy

from bus.embedded import EmbeddedBus
from services.api import problems
from services.audit import AuditDown
from services.correlator import process
from services.feeds import Word, give
from services.ingest import now, recorded, run
from services.metrics.asgi import Measured
from services.metrics.flow import FlowCollector
from services.metrics.instruments import REGISTRY
from services.overview import Observer
from services.rebuild.reporting import Reporter
from services.rebuild.target import begin
from services.settings import Settings
from services.store import Store, open_store
from services.store.tables import PERSON, QUARANTINE
from services.wiring import topics

DEPLOYED = Path(__file__).parents[3] / "deploy" / "monitoring"
RULES = yaml.safe_load((DEPLOYED / "alerts.yml").read_text())["groups"][0]["rules"]
ALERTS = {rule["alert"] for rule in RULES}
MINUTES = 3 * 24 * 60 + 120
"""The longest bound of a rule, and some."""

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass
class Installation:
    """A bus, a store and a feed, in the hands of a test."""

    path: Path
    settings: Settings
    bus: EmbeddedBus
    store: Store
    down: list[str] = field(default_factory=list)

    def file(self, name: str, *lines: str) -> None:
        (self.path / "in" / name).write_text("".join(f"{line}\n" for line in lines))

    async def ingest(self) -> None:
        await run(self.settings, [toy(self.path / "in")], once=True, bus=self.bus, clock=recorded)

    async def correlate(self, *, hold: bool = False) -> None:
        await process.run(self.settings, once=True, hold=hold, stop=asyncio.Event())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ingest and a correlator as they always run."""
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(
                run(self.settings, [toy(self.path / "in", down=self.down)], stop=stop, bus=self.bus, clock=recorded)
            ),
            asyncio.create_task(process.run(self.settings, once=False, stop=stop)),
        ]
        try:
            await _until(self.caught_up)
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def caught_up(self) -> bool:
        overview = await self.observer().observe(datetime.now(UTC))
        read = bool(overview.feeds) and overview.feeds[0].caught_up_at is not None
        idle = overview.store is not None and overview.store.backlog == overview.store.undelivered == 0
        return read and idle and overview.lag == 0 and bool(overview.correlators)

    def observer(self) -> Observer:
        return Observer(self.bus, self.store.reads, ["TOY.lines"], self.store.home)

    async def series(self) -> Series:
        """All that is exported now."""
        overview = await self.observer().observe(datetime.now(UTC))
        return _series(FlowCollector(lambda: overview).collect()) | _series(REGISTRY.collect())


def _series(metrics: Iterable[Metric]) -> Series:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in metrics
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


@pytest.fixture
async def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Installation]:
    known = {"TOY": toy(tmp_path).system, BORDER: border(tmp_path).system}
    monkeypatch.setattr("adapters.registry.systems", lambda: known)
    (tmp_path / "in").mkdir()
    quick = settings(tmp_path, breaker_failures=1, refuse_min=200, poll_seconds=0.1)
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    await bus.declare(topics())
    store = await open_store(quick.store_url)
    yield Installation(tmp_path, quick, bus, store)
    await store.close()
    await bus.close()


def firing(path: Path, before: Series, after: Series, *, moving: bool) -> set[str]:
    """Return the alerts that fire at some time of three days behind the change from `before` to `after`.

    Counters go on as they went from one to the other, minute by minute; gauges stay. With `moving` the times in the
    metrics go on with the clock, as those of processes that go on working do.
    """
    lines = []
    now = time.time()
    for (name, labels), value in after.items():
        text = ", ".join(f'{key}="{label}"' for key, label in (*labels, ("instance", "here")))
        first, step = value, 0.0
        if name.endswith("_timestamp_seconds"):
            first, step = value - now, 60.0 if moving else 0.0
        elif name.endswith(("_total", "_count", "_sum", "_bucket")) or name == "visabus_lag_messages":
            first = before.get((name, labels), 0.0)
            step = value - first
        lines.append({"series": f"{name}{{{text}}}", "values": f"{first}{step:+}x{MINUTES}"})
    asked = [
        {"expr": 'group by (alertname) (ALERTS{alertstate="firing"})', "eval_time": f"{minute}m", "exp_samples": []}
        for minute in (5, 30, 24 * 60 + 1, 27 * 60, MINUTES)
    ]
    test = {
        "rule_files": [str(DEPLOYED / "alerts.yml")],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": lines, "promql_expr_test": asked}],
    }
    (path / "test.json").write_text(json.dumps(test))
    result = subprocess.run(["promtool", "test", "rules", path / "test.json"], capture_output=True, text=True)
    return set(re.findall(r'alertname=\\?"(\w+)', result.stdout + result.stderr))


def test_the_rules_are_sound() -> None:
    subprocess.run(["promtool", "check", "rules", DEPLOYED / "alerts.yml"], check=True, capture_output=True)


async def test_nothing_fires_while_all_is_well(installation: Installation) -> None:
    installation.file("a.txt", "good 1", "skip 2", "through 3")
    async with installation.running():
        before = await installation.series()
        installation.file("b.txt", *(f"good {number}" for number in range(5, 105)), "bad x")
        await _until(installation.caught_up)
        after = await installation.series()
    after = {
        key: value for key, value in after.items() if key[0] != "visabus_dead_letters_waiting"
    }  # for hours, at rest
    shifted = _recent_coverage(after)
    assert firing(installation.path, before, shifted, moving=True) == set()


def _recent_coverage(series: Series) -> Series:
    """The toy vouches for days long ago."""
    return {key: time.time() if key[0].startswith("visabus_coverage") else value for key, value in series.items()}


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    await asyncio.sleep(0.3)
    await wait_until(condition, every=0.05)


Cause = Callable[[Installation], Awaitable[tuple[Series, Series, bool]]]
CAUSES: dict[str, Cause] = {}


def cause(*alerts: str) -> Callable[[Cause], Cause]:
    """What makes these alerts fire."""

    def noted(make: Cause) -> Cause:
        CAUSES.update(dict.fromkeys(alerts, make))
        return make

    return noted


@cause("VisabusFlowUnreadable")
async def _unreadable(installation: Installation) -> tuple[Series, Series, bool]:
    return {}, _series(FlowCollector(lambda: None).collect()), True


@cause("VisabusCorrelatorGone", "VisabusFeedNotRead")
async def _ended(installation: Installation) -> tuple[Series, Series, bool]:
    installation.file("a.txt", "good 1")
    await installation.ingest()
    await installation.correlate()
    series = await installation.series()
    return series, series, True


@cause("VisabusLagGrowing")
async def _no_correlator(installation: Installation) -> tuple[Series, Series, bool]:
    await installation.correlate()
    before = await installation.series()
    installation.file("a.txt", *(f"good {number}" for number in range(1, 300)))
    await installation.ingest()
    return before, await installation.series(), True


@cause("VisabusDeadlinesLate", "VisabusQuarantine")
async def _stuck(installation: Installation) -> tuple[Series, Series, bool]:
    person = {"person": b"p", "pool": 1, "sequence": 0, "next_change_at": int(time.time()) - 120, "doc": b"x"}
    async with installation.store.engine.begin() as connection:
        await connection.execute(PERSON.insert().values(person))
        await connection.execute(QUARANTINE.insert().values(pool=1, why="resolve.py:1"))
    series = await installation.series()
    return series, series, True


@cause("VisabusChangesWaiting")
async def _held(installation: Installation) -> tuple[Series, Series, bool]:
    installation.file("a.txt", "good 1")
    await installation.ingest()
    await installation.correlate(hold=True)
    if not await installation.store.reads.undelivered():  # who was only seen has no outcome, and so no change
        from services.store.tables import CHANGE

        async with installation.store.engine.begin() as connection:
            await connection.execute(CHANGE.insert().values(blob=b""))
    series = await installation.series()
    return series, series, True


@cause("VisabusFeedStopped")
async def _stopped(installation: Installation) -> tuple[Series, Series, bool]:
    installation.file("a.txt", *("bad x" for _ in range(300)))
    await installation.ingest()
    series = await installation.series()
    return series, series, True


@cause("VisabusFeedPaused")
async def _paused(installation: Installation) -> tuple[Series, Series, bool]:
    installation.file("a.txt", "good 1")
    await installation.ingest()
    await give(installation.bus, "TOY/lines", Word.PAUSE, by="os:op", why="being mended", now=datetime.now(UTC))
    series = await installation.series()
    return series, series, True


@cause("VisabusBatchWaits")
async def _waiting(installation: Installation) -> tuple[Series, Series, bool]:
    held = installation.settings.ingest.model_copy(update={"hold_above": 0})
    at = installation.settings.model_copy(update={"ingest": held})
    for name, line in (("001.txt", "arrive 1"), ("002.txt", "leave 1 9")):
        installation.file(name, line)
        await run(at, [border(installation.path / "in")], once=True, bus=installation.bus, clock=now)
        await installation.correlate()
    series = await installation.series()
    return series, series, True


@cause("VisabusSourceDown")
async def _down(installation: Installation) -> tuple[Series, Series, bool]:
    installation.down += ["batches"] * 3
    feed = toy(installation.path / "in", down=installation.down)
    await run(installation.settings, [feed], once=True, bus=installation.bus, clock=recorded)
    series = await installation.series()
    return series, series, True


@cause("VisabusSystemSilent", "VisabusCoverageOld")
async def _silent(installation: Installation) -> tuple[Series, Series, bool]:
    installation.file("a.txt", "good 1", "through 3")
    await installation.ingest()
    await installation.correlate()
    series = _recent_coverage(await installation.series())
    return series, series, False


@cause("VisabusRefusals", "VisabusDeadLettersWait")
async def _refused(installation: Installation) -> tuple[Series, Series, bool]:
    installation.file("a.txt", "good 1")
    await installation.ingest()
    before = await installation.series()
    installation.file("b.txt", *(f"good {number}" for number in range(2, 30)), "bad x", "refuse 3")
    await installation.ingest()
    return before, await installation.series(), True


@cause("VisabusRebuildStuck")
async def _stuck_rebuild(installation: Installation) -> tuple[Series, Series, bool]:
    """One that says that it runs, and comes no further: it waits for a live view that no correlator writes."""
    new = await begin(installation.settings.store_url)
    reporter = Reporter(Silent())
    reporter.at(1, 2)
    reporter.waits("the live view has to get to where the new one is")
    await installation.store.home.report(new.number, reporter.body())
    series = await installation.series()
    return series, series, False


@cause("VisabusAuditFailing", "VisabusRequestsFail")
async def _failing(installation: Installation) -> tuple[Series, Series, bool]:
    class Request:
        scope: Scope = {"type": "http", "state": {"request": "r"}, "path": "/"}  # noqa: RUF012 - read only

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(AttributeError):  # the handler counts first; the rest needs a real request
            await problems._no_audit(Request(), AuditDown("gone"))  # type: ignore[arg-type]
        await send({"type": "http.response.start", "status": 503, "headers": []})

    async def nothing(message: Message | None = None) -> Message:
        return {}

    before = _series(REGISTRY.collect())
    for _ in range(5):
        await Measured(failing)({"type": "http", "path": "/"}, nothing, nothing)  # type: ignore[arg-type]
    return before, _series(REGISTRY.collect()), True


def test_every_alert_has_a_cause() -> None:
    assert CAUSES.keys() == ALERTS


@pytest.mark.parametrize("alert", sorted(ALERTS))
async def test_an_alert_fires_by_its_cause(alert: str, installation: Installation) -> None:
    before, after, moving = await CAUSES[alert](installation)
    assert alert in firing(installation.path, before, after, moving=moving)


def _names(text: str) -> Iterator[str]:
    return (match[0] for match in re.finditer(r"visabus_[a-z0-9_]+", text))


async def test_rules_and_dashboard_ask_for_what_is_exported(installation: Installation) -> None:
    installation.file("a.txt", "good 1", "through 3")
    installation.file("b.txt", "bad x")
    async with installation.running():
        exported = {name for name, _ in await installation.series()}
    dashboard = json.loads((DEPLOYED / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    # a histogram with labels shows its series with the first observation
    exported |= {f"visabus_http_request_seconds_{part}" for part in ("count", "bucket", "sum")}
    unknown = {name for text in (*asked, *(rule["expr"] for rule in RULES)) for name in _names(text)} - exported
    assert unknown == set()


async def test_a_registry_takes_each_collector(installation: Installation) -> None:
    """No two families have one name, and the text is what Prometheus reads."""
    overview = await installation.observer().observe(datetime.now(UTC) + timedelta(seconds=1))
    registry = CollectorRegistry()
    registry.register(FlowCollector(lambda: overview))
    assert [each.name for each in registry.collect()]
