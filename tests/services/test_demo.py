"""The demo and the evaluation as a user runs them: whole processes, checked against the truth."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress
from servers import Unavailable, start_kafka, stop_kafka
from typer.testing import CliRunner

from services.cli import app
from services.cli.demo import Bars, Flow, _summary
from services.cli.population import sources_of
from services.cli.serving import answering
from services.domain.coverage import complete
from services.evaluation import compare
from services.feeds import Counters
from services.simulator import Served, Source, Surroundings, Truth, simulate, sources

VISABUS = Path(sysconfig.get_path("scripts")) / "visabus"
PERSONS = "300"
SECONDS = 240
SYSTEMS = tuple(sources())


def visabus(*arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([VISABUS, *arguments], capture_output=True, text=True, timeout=SECONDS, env=environment())
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done


def environment() -> dict[str, str]:
    """Wide enough that no line is broken."""
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}


def running(mark: str) -> list[str]:
    """Processes whose command line or environment has the mark."""
    processes = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            output = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in output and process.name != str(os.getpid()):
            processes.append(process.name)
    return processes


def digest(data: Path, *options: str) -> str:
    return visabus("--data", str(data), *options, "export", "--digest").stdout.strip()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("demo") / "kept"
    done = visabus("demo", "--once", "--persons", PERSONS, "--keep", str(directory))
    return directory, done.stdout


@pytest.mark.law(6, "the demo fails where they do not add up")
@pytest.mark.slow
def test_the_demo_checks_itself_and_answers(embedded: tuple[Path, str]) -> None:
    directory, output = embedded
    counts = json.loads((directory / "population" / "truth" / "counts.json").read_text())
    assert f"{PERSONS} persons in the view, {PERSONS} in truth" in output
    assert f"{counts['stays']} of {counts['stays']} stays have their true outcome" in output
    assert "HTTP 200" in output
    for system in SYSTEMS:
        assert counts["systems"][system]["read"] > 0
        assert re.search(rf"^│ {system} .* │ yes ", output, re.MULTILINE)
    assert re.search(r"^TOKEN=\S+$", output, re.MULTILINE)
    assert output.count('curl -sS -H "Authorization: Bearer $TOKEN"') == 3
    assert running(str(directory)) == []


@pytest.fixture
def empty_kafka(tmp_path: Path) -> Iterator[str]:
    """A Kafka of this test alone: the one that tests share holds the events of others."""
    directory = tmp_path / "kafka"
    try:
        address = start_kafka(directory)
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"not run, a server is missing: {error}")
    yield address
    stop_kafka(directory)


@pytest.mark.law(1, "the two installations side by side")
@pytest.mark.slow
@pytest.mark.kafka
def test_kafka_and_postgresql_give_the_same_view(empty_kafka: str, postgres: str, tmp_path: Path) -> None:
    bus, one, other = f"kafka://{empty_kafka}", tmp_path / "one", tmp_path / "other"
    common = ("--once", "--persons", PERSONS, "--systems", ",".join(SYSTEMS))
    options = ("--bus", bus, "--store", postgres)
    visabus("demo", *common, "--keep", str(one))
    visabus("demo", *common, "--keep", str(other), *options)
    assert digest(other / "data", *options) == digest(one / "data")
    again = visabus("demo", "--once", "--persons", PERSONS, *options, code=2)
    assert "give an empty one" in again.stderr


@pytest.mark.slow
@pytest.mark.rabbitmq
def test_manifests_come_by_queue_where_there_is_one(rabbitmq: str, tmp_path: Path) -> None:
    queue = f"{rabbitmq}/%2F/demo-{tmp_path.name}"
    few = ("demo", "--once", "--persons", "40", "--systems", "I94,CLAIMS3,APIS")
    output = visabus(*few, "--queue", f"APIS={queue}").stdout
    assert re.search(r"^│ APIS .* │ yes ", output, re.MULTILINE)


@pytest.mark.slow
def test_a_queue_that_cannot_be_filled_is_told(tmp_path: Path) -> None:
    output = visabus("demo", "--once", "--persons", "1", "--queue", "APIS=amqp://127.0.0.1:1/apis", code=2).stderr
    assert "the queue cannot be filled" in output


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_stops_it_leaves_no_process(number: signal.Signals, tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    demo = subprocess.Popen(
        [VISABUS, "demo", "--persons", "50", "--keep", str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    assert demo.stdout is not None
    output = []
    for line in demo.stdout:
        output.append(line)
        if number is signal.SIGTERM and (directory / "logs" / "ingest.log").exists():
            break  # in the middle of it
        if "Serving at" in line:
            break
    assert len(running(str(directory))) > 1
    demo.send_signal(number)
    rest, _ = demo.communicate(timeout=120)
    assert "no process is left" in rest, "".join(output) + rest
    assert running(str(directory)) == []


@pytest.mark.slow
def test_evaluation_of_a_clean_population(tmp_path: Path) -> None:
    body = json.loads(visabus("evaluate", "--persons", "100", "--seed", "4", "--json").stdout)
    assert body["status"]["accuracy"] == body["status"]["exact"] == 1
    assert body["identity"]["precision"] == body["identity"]["recall"] == 1
    assert body["report"]["closes"]
    assert body["splink"] is None
    assert body["noise"] == {}


@pytest.mark.slow
def test_evaluation_with_mistakes_in_the_records() -> None:
    body = json.loads(visabus("evaluate", "--persons", "100", "--seed", "4", "--noise", "1", "--json").stdout)
    assert set(body) == {
        *("identity", "status", "report", "arrivals", "lost", "noise", "splink", "events", "seconds", "stages")
    }
    assert body["lost"] == {}
    assert set(body["identity"]) == {"precision", "recall", "hard", "wrong_merges_per_100k"}
    assert set(body["identity"]["hard"]) == {"precision", "recall"}
    assert set(body["status"]) == {"accuracy", "exact", "real_world"}
    assert 0.8 < body["identity"]["recall"] <= 1
    assert body["status"]["real_world"] < body["status"]["accuracy"] <= 1
    assert body["report"]["closes"]
    assert {"misspelt", "twins", "no_show", "late_file"} < set(body["noise"])
    for kind in body["noise"].values():
        assert set(kind) == {"injected", "errors"}
    assert body["noise"]["copies"]["injected"] > body["noise"]["misspelt"]["injected"] > 0
    assert body["events"] > 1_000
    assert body["seconds"] == pytest.approx(body["stages"]["ingest"] + body["stages"]["correlate"], abs=0.01)


def test_noise_is_a_factor_from_zero() -> None:
    visabus("evaluate", "--noise", "-1", code=2)


def test_splink_has_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.evaluation.splink_baseline.present", lambda: False)
    result = CliRunner().invoke(app, ["evaluate", "--splink"])
    assert result.exit_code == 2
    assert "extra `splink`" in result.output


def test_a_demo_keeps_its_files_in_a_new_directory(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    assert "not empty" in visabus("demo", "--keep", str(tmp_path), code=2).stderr


FILES = {"I94": "i94/*", "APIS": "apis/*", "SEVIS": "sevis/*", "IDENT": "ident/*"}


@pytest.mark.slow
def test_simulated_files_are_readable_to_the_last_record(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    every = ("--systems", "I94,CLAIMS3,APIS,SEVIS,IDENT")
    output = visabus("simulate", str(directory), "--persons", "200", "--years", "1", *every).stdout
    assert "200 persons" in output
    systems = json.loads((directory / "truth" / "counts.json").read_text())["systems"]
    for system, pattern in FILES.items():
        feed = ("--feed", "files") if system == "APIS" else ()
        decoded = visabus("decode", system, "--refused", *feed, *sorted(str(path) for path in directory.glob(pattern)))
        totals = json.loads(decoded.stderr.splitlines()[-1])["totals"]
        counts = systems[system]
        assert (totals["read"], totals["published"], totals["refused"]) == (counts["read"], counts["published"], 0)
        assert sum(totals["filtered"].values()) == counts["filtered"]
    assert visabus("simulate", str(directory), code=2).stderr.rstrip().endswith("already")


@pytest.mark.slow
def test_only_connected_systems_are_simulated() -> None:
    assert tuple(sources_of(None)) == SYSTEMS
    assert tuple(sources_of("apis, claims3,I94")) == ("APIS", "CLAIMS3", "I94")
    assert "'NIIS'" in visabus("demo", "--once", "--systems", "I94,CLAIMS3,NIIS", code=2).stderr
    assert "CLAIMS3 and I94 are always written" in visabus("evaluate", "--systems", "APIS", code=2).stderr


def test_progress_shows_totals_and_the_systems_that_are_being_read() -> None:
    with Progress(console=Console(file=StringIO()), auto_refresh=False) as progress:
        bars = Bars(progress, {"A": 2, "B": 3, "C": 0})
        bars.show({"A": 2, "B": 1, "C": 0}, taken=4, published=9)
        shown = {task.description.strip(): (task.completed, task.total) for task in progress.tasks if task.visible}
    assert shown == {"systems read": (2, 3), "records read": (3, 5), "events in the view": (4, 9), "B": (1, 3)}


@pytest.mark.parametrize("option", ["--queue", "--server"])
def test_an_address_is_that_of_a_system(option: str) -> None:
    for text in ("BCI", "BCI=", "NIIS=sftp://127.0.0.1"):
        result = CliRunner().invoke(app, ["demo", option, text])
        assert result.exit_code == 2
        assert f"{option}: '{text}' is not SYSTEM=URL" in result.output


async def test_addresses_reach_the_systems(tmp_path: Path) -> None:
    seen: dict[str, Surroundings] = {}

    class Asked(Source):
        system, place = "ASKED", "asked"

        @asynccontextmanager
        async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
            seen[self.system] = surroundings
            yield Served({"ASKED.feed": {"url": surroundings.server}})

    addresses = {"queues": {"ASKED": "amqp://q"}, "servers": {"ASKED": "sftp://s", "ELSE": "sftp://e"}}
    async with answering([Asked()], tmp_path, keys={}, **addresses) as answers:
        assert answers.feeds == {"ASKED.feed": {"url": "sftp://s"}}
    assert seen["ASKED"].queue == "amqp://q"


def flow_of(truth: Truth) -> Flow:
    """What ingest counts where nothing goes wrong."""
    counters = {
        system: Counters(
            written["read"], written["published"], 0, {"a-rule": written["filtered"]}, written["published"]
        )
        for system, written in truth.counts["systems"].items()
    }
    return Flow(counters, 1_000, 1.0)


@pytest.mark.law(2, planted="a table without a system")
async def test_a_record_that_is_not_accounted_for_fails_the_demo(tmp_path: Path) -> None:
    truth = simulate(tmp_path / "run", persons=20, years=1)
    comparison = await compare(truth, nothing(), nothing(), complete([]))
    blameless = replace(comparison, exact=comparison.stays, right=comparison.stays, lost={}, admissions=0)
    output = StringIO()
    console = Console(file=output, width=200)
    flow = flow_of(truth)
    assert _summary(console, truth, flow, blameless)
    assert "NO:" not in output.getvalue()
    assert not _summary(console, truth, flow, comparison)
    lost = flow.counters["I94"].plus(Counters(read=-1, published=-1))
    assert not _summary(console, truth, replace(flow, counters={**flow.counters, "I94": lost}), blameless)
    assert "NO:" in output.getvalue()


async def nothing() -> AsyncIterator[bytes]:
    for data in ():
        yield data
