"""The command line: what it prints where, how it ends, and that it never shows a traceback for a foreseen error."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from toy_source import Folder, mapping, world
from typer.main import get_command
from typer.testing import CliRunner, Result

from adapters.core import Feed, Read, System
from adapters.transports.file_drop import FileDrop
from bus.contract import BusDown
from bus.embedded import EmbeddedBus
from services.cli import COMMANDS, app, needed
from services.cli.context import places_first

pytestmark = pytest.mark.usefixtures("logs")


class Words:
    """The toy's lines as a format."""

    def read(self, stream: object) -> list[Read]:
        lines: list[bytes] = list(stream)  # type: ignore[call-overload]
        folder = Folder(Path(), [])
        return [folder._read(line.rstrip(b"\n"), f"line {number}") for number, line in enumerate(lines, start=1)]


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry with the toy in it and nothing else."""
    feed = Feed("lines", transport=FileDrop(unchanged=0), format=Words(), mapping=mapping)  # type: ignore[arg-type]
    system = System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (feed,))
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": system})


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\nskip 2\nthrough 3\ntwo 4\n")
    return folder


def visabus(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def test_a_refused_ingest_looks_for_cycles_again() -> None:
    assert visabus("ingest").exit_code == 2
    assert gc.isenabled()


def test_help_teaches() -> None:
    for command in ([], ["adapters"], ["decode"], ["ingest"], ["topics", "create"], ["kafka", "start"]):
        result = visabus(*command, "--help")
        assert result.exit_code == 0
        assert "Usage" in result.stdout


@pytest.mark.parametrize("command", [["status"], ["feeds", "list"], ["receipts", "list"], ["dead-letters", "replay"]])
def test_examples_in_a_help_stand_on_lines_of_their_own(command: list[str]) -> None:
    said = visabus(*command, "--help").stdout.splitlines()
    examples = [line for line in said if line.strip().startswith(f"visabus {' '.join(command)}")]
    assert len(examples) == 2
    assert all(line.count("visabus") == 1 for line in examples)


def test_adapters_lists_systems_and_feeds() -> None:
    result = visabus("adapters")
    assert result.exit_code == 0
    assert "TOY.lines" in result.stdout


def test_decode_gives_events_on_stdout_and_totals_on_stderr(lines: Path) -> None:
    result = visabus("decode", "TOY", lines / "a.txt")
    assert result.exit_code == 0
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["record"] for event in events] == ["1", "coverage 3", "4", "4"]
    assert result.stderr == ("3 read = 2 readable, 0 refused, 1 left out by toy.skip; events: 1 coverage, 3 status\n")


def test_decode_tells_what_is_refused_and_where(lines: Path) -> None:
    (lines / "b.txt").write_text("bad x\ngood 1\nrefuse 2\n")
    result = visabus("decode", "TOY", lines / "b.txt")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[:2] == [
        "b.txt: line 1: unreadable",
        "b.txt: line 3: refused by the mapping",
    ]


def test_decode_tells_the_refused_as_json(lines: Path) -> None:
    (lines / "b.txt").write_text("bad x\n")
    result = visabus("decode", "TOY", lines / "b.txt", "--refused")
    refused, totals = (json.loads(line) for line in result.stderr.splitlines())
    assert refused == {
        "file": "b.txt",
        "place": "line 1",
        "record": None,
        "reason": "unreadable",
        "raw": b"bad x".hex(),
    }
    assert totals["totals"]["refused"] == 1


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["decode", "NONE", __file__], "no system NONE; `visabus adapters` lists them"),
        (["decode", "TOI", __file__], "no system TOI; did you mean TOY?"),
        (["decode", "BUS", __file__], "BUS has no adapter"),
        (["decode", "TOY.none", __file__], "TOY has no feed none; it has lines"),
        (["receipts", "list", "--system", "TOI"], "no system TOI; did you mean TOY?"),
        (["dead-letters", "list", "--system", "TOY.lines"], "TOY.lines is a feed, and its system is TOY"),
        (["dead-letters", "replay", "--system", "NONE"], "no system NONE"),
        (["status", "--system", "NONE"], "no system NONE"),
        (["retract", "--batch", "b", "--system", "NONE"], "no system NONE"),
        (["decode", "TOY", __file__, "--feed", "none"], "TOY has no feed none; it has lines"),
        (["decode", "TOY", "/nowhere"], "does not exist"),
        (["--settings", "/nowhere.toml", "ingest"], "/nowhere.toml: No such file"),
        (["--bus", "redis://x", "topics", "create"], "bus_url: starts with embedded:///"),
        (["--bus", "kafka://u:hunter2@x:1", "topics", "create"], "bus_url: user and password do not belong"),
        (["--data", __file__, "topics", "create"], f"data_dir: {__file__} cannot be made: File exists"),
        (["--data", __file__, "status"], f"{__file__} is a file and no directory"),
        (["ingest"], "the settings name no feed; add --feed"),
        (["ingest", "--feed", "TOY.lines"], "feeds.TOY.lines: not among the feeds of the settings"),
        (["ingest", "--feed", "TOY.none=file:///x"], "TOY has no feed 'none'; it has lines"),
        (["ingest", "--feed", "NONE.x=file:///x"], "no system NONE; `visabus adapters` lists them"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2_and_a_line(arguments: list[str], output: str, tmp_path: Path) -> None:
    result = visabus("--data", tmp_path, *arguments)
    assert result.exit_code == 2
    assert output in result.stderr
    assert "Traceback" not in result.output
    assert "hunter2" not in result.output


def test_a_place_that_nothing_can_be_written_to_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = visabus("schemas", "write", tmp_path / "file/below")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("visabus: ")
    assert result.stderr.endswith("Not a directory\n")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ("export --digest", "store"),
        ("report --year 2026", "store"),
        ("matches list", "store"),
        ("matches decide I94/1 APIS/2 --same --by a --why b", "bus"),
        ("matches undo I94/1 APIS/2 --by a --why b", "bus"),
        ("dead-letters list", "bus"),
        ("dead-letters show 3f2a", "bus"),
        ("dead-letters replay --id 3f2a", "bus"),
        ("audit verify", "audit log"),
    ],
)
def test_who_looks_in_the_wrong_place_is_told_and_makes_nothing(arguments: str, what: str, tmp_path: Path) -> None:
    """A directory misspelt must not say that all is well, nor take a decision that nobody will read."""
    elsewhere = tmp_path / "misspelt"
    result = visabus("--data", elsewhere, *arguments.split())
    assert result.exit_code == 1
    assert f"visabus: there is no {what} at {elsewhere}" in result.stderr
    assert not elsewhere.exists()


def test_a_bus_that_is_down_ends_with_1_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*arguments: object, **options: object) -> None:
        raise BusDown("kafka at 127.0.0.1:1 does not answer")

    monkeypatch.setattr("bus.open.open_bus", down)
    result = visabus("--data", tmp_path, "topics", "create")
    assert result.exit_code == 1
    assert result.stderr == "visabus: kafka at 127.0.0.1:1 does not answer\n"


def test_topics_create_is_idempotent(tmp_path: Path) -> None:
    for _ in range(2):
        result = visabus("--data", tmp_path, "topics", "create")
        assert result.exit_code == 0
    assert "visabus.positions  1  compacted" in result.stdout


async def _events(file: Path) -> list[str]:
    bus = await EmbeddedBus.open(file)
    try:
        return [str(event.published_at) for event in (await world(bus)).events]
    finally:
        await bus.close()


def test_ingest_once_publishes_and_says_so(lines: Path, tmp_path: Path) -> None:
    result = visabus(
        *("--data", tmp_path / "data", "ingest", "--once", "--stamp", "recorded"),
        *("--feed", f"TOY.lines=file://{lines}"),
    )
    assert result.exit_code == 0, result.output
    assert "TOY.lines: 3 read = 2 published, 0 dead letters, 1 left out" in result.stderr
    stamps = asyncio.run(_events(tmp_path / "data/bus.db"))
    assert "2026-01-01 00:01:00+00:00" in stamps


def test_ingest_once_tells_what_it_left_for_later(lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Feed("lines", transport=FileDrop(), format=Words(), mapping=mapping)  # type: ignore[arg-type]
    system = System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (feed,))
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": system})
    for number in range(6):
        (lines / f"b{number}.txt").write_text("good 1\n")
    result = visabus("--data", tmp_path / "data", "ingest", "--once", "--feed", f"TOY.lines=file://{lines}")
    assert result.exit_code == 0
    output = result.stderr.splitlines()[-7:]
    assert output[0] == "TOY.lines: 0 read = 0 published, 0 dead letters, 0 left out"
    assert output[1] == "  left for later: a.txt: it is taken once it has lain unchanged for 30 s"
    assert output[6] == "  left for later: 2 more"


def test_ingest_runs_until_it_is_told_to_stop(lines: Path, tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("visabus")
    arguments = [command, "--data", tmp_path, "ingest", "--feed", f"I94.nightly=file://{lines}"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "feed begins" in running.stderr.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.5)
        running.terminate()
        assert running.wait(10) == 0
        assert "I94.nightly: 0 read = 0 published" in running.stderr.read()


def test_ingest_ends_with_1_where_a_feed_is_stopped(lines: Path, tmp_path: Path) -> None:
    (lines / "b.txt").write_text("bad\n" * 300)
    result = visabus("--data", tmp_path / "data", "ingest", "--once", "--feed", f"TOY.lines=file://{lines}")
    assert result.exit_code == 1
    assert "TOY.lines stopped: 200 of the first 200 records of b.txt" in result.stderr.replace("\n", " ")


def test_every_module_registers_itself() -> None:
    folder = Path(sys.modules["services.cli"].__file__ or "").parent
    modules = {path.stem for path in folder.glob("*.py") if "\ndef register(" in path.read_text(encoding="utf-8")}
    assert set(COMMANDS) == modules


def test_starting_up_imports_nothing_heavy() -> None:
    script = "import sys, services.cli; print(*sorted(sys.modules))"
    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydantic_settings", "sqlalchemy", "aiokafka", "fastapi", "structlog", "schemas.events"} & set(seen)


def test_ingest_loads_neither_a_database_nor_kafka_where_it_uses_none() -> None:
    script = "import sys, services.ingest, services.ingest.door, bus.open; print(*sorted(sys.modules))"
    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "aiokafka", "services.store"} & set(seen)


def test_the_installed_command_runs() -> None:
    command = Path(sys.executable).with_name("visabus")
    result = subprocess.run([command, "adapters"], capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "I94.nightly" in result.stdout


def test_records_that_the_program_failed_at_are_told_by_every_command_that_would_leave_them_out(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ("--data", tmp_path / "data")
    assert visabus(*data, "ingest", "--once", "--feed", f"TOY.lines=file://{lines}").exit_code == 0
    with monkeypatch.context() as patched:
        patched.setattr("services.correlator.resolve.persons", lambda *_: 1 / 0)
        for command in (("correlate", "--once"), ("export",), ("export", "--digest")):
            result = visabus(*data, *command)
            assert (result.exit_code, result.stdout) == (1, "")
            assert "could not be resolved" in result.stderr
            assert "ZeroDivisionError in <lambda>" in result.stderr
    assert visabus(*data, "correlate", "--once").exit_code == 0
    assert len(visabus(*data, "export").stdout.splitlines()) > 2


@pytest.mark.parametrize(
    ("arguments", "commands"),
    [
        ("ingest --once", ["ingest"]),
        ("--data export dead-letters list", ["dead_letters", "export"]),
        ("ingest --help", list(COMMANDS)),
        ("--help", list(COMMANDS)),
        ("ingset", list(COMMANDS)),
    ],
)
def test_a_process_loads_the_commands_that_it_may_run(arguments: str, commands: list[str]) -> None:
    assert needed(arguments.split()) == commands


def test_what_a_command_makes_is_its_users_alone(lines: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    mask = os.umask(0)
    try:
        done = visabus("--data", data, "ingest", "--once", "--feed", f"TOY.lines=file://{lines}")
        assert done.exit_code == 0, done.output
        assert visabus("--data", data, "correlate", "--once").exit_code == 0
        assert visabus("--data", data, "export").exit_code == 0
        assert visabus("--data", data, "receipts", "list").exit_code == 0
    finally:
        os.umask(mask)
    made = [data, *data.rglob("*")]
    names = {"bus.db", "store.db", "audit.db", "receipts.db", "audit.key", "audit-seal.key"}
    assert names <= {each.name for each in made}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o710, 0o720, 0o704])
def test_a_data_directory_that_is_open_to_others_is_refused(lines: Path, tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    done = visabus("--data", data, "ingest", "--once", "--feed", f"TOY.lines=file://{lines}")
    assert done.exit_code == 1
    assert f"(mode {mode:o})" in done.output
    assert f"chmod -R go= {data}" in done.output
    assert [*data.iterdir()] == []
    subprocess.run(["chmod", "-R", "go=", str(data)], check=True)
    assert visabus("--data", data, "ingest", "--once", "--feed", f"TOY.lines=file://{lines}").exit_code == 0


@pytest.mark.parametrize("name", ["bus.db", "store.db-wal", "audit.db"])
def test_a_database_that_is_open_in_a_closed_directory_is_closed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch(0o600)
    (tmp_path / name).chmod(0o640)
    done = visabus("--data", tmp_path, "receipts", "list")
    assert f"{name} had mode 640 and was closed" in done.stderr
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_database_elsewhere_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bus.db").touch(0o600)
    (tmp_path / "bus.db").chmod(0o640)
    done = visabus("--data", tmp_path / "data", "--bus", f"embedded://{tmp_path}/bus.db", "receipts", "list")
    assert done.exit_code == 1
    assert "bus.db is open to others" in done.output
    assert (tmp_path / "bus.db").stat().st_mode & 0o777 == 0o640


def test_status_tells_what_is_running_and_what_is_not(lines: Path, tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    missing = visabus(*data, "status")
    assert (missing.exit_code, "`visabus ingest` makes it" in missing.stderr) == (1, True)
    (lines / "b.txt").write_text("bad x\ngood 5\n")
    visabus(*data, "ingest", "--once", "--feed", f"TOY.lines=file://{lines}")
    visabus(*data, "correlate", "--once")
    result = visabus(*data, "status", "--json")
    assert result.exit_code == 1  # no correlator runs, and a dead letter waits
    overview = json.loads(result.stdout)
    (feed,) = overview["feeds"]
    assert (feed["state"], feed["read"], feed["dead_lettered"], feed["last_batch"]) == ("ended", 5, 1, "b.txt")
    assert feed["caught_up_at"] is not None
    assert (overview["lag"], overview["store"]["backlog"]) == (0, 0)
    assert overview["store"]["persons"] > 0
    assert [(each["system"], each["waiting"]) for each in overview["dead_letters"]] == [("TOY", 1)]
    text = visabus(*data, "status", "--system", "toy").stdout
    assert "TOY.lines" in text
    assert "no correlator runs" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--store", "postgresql://u:hunter2@db/x", "export", "--digest"],
        ["--store", "postgresql://u@db/x?password=hunter2", "correlate", "--once"],
        ["ingest", "--once", "--feed", "TOY.lines=sftp://u:hunter2@host/in"],
        ["serve", "--jwks-url", "https://u:hunter2@issuer.example/keys"],
    ],
    ids=" ".join,
)
def test_a_password_on_the_command_line_is_refused_with_where_it_goes(tmp_path: Path, arguments: list[str]) -> None:
    done = visabus("--data", tmp_path / "data", *arguments)
    assert done.exit_code == 2
    assert "a password on the command line can be read by every user of this machine" in done.output
    assert "hunter2" not in done.output
    assert not (tmp_path / "data").exists()


def test_no_page_shows_a_password_in_an_address() -> None:
    root = Path(__file__).parents[2]
    pages = [root / "README.md", *root.glob("docs/*.md"), *root.glob("adapters/**/*.md"), *root.glob("deploy/**/*")]
    shown = re.compile(r"[a-z+]{2,}://[^\s/@:`]+:[^\s/@`]+@[a-z0-9{]", re.IGNORECASE)
    bad = [page.name for page in pages if page.is_file() and shown.search(page.read_text(errors="replace"))]
    assert bad == []
    assert shown.search("postgresql://u:p@h/x")


@pytest.mark.parametrize(
    "words",
    [
        ["--data", "DATA", "feeds", "list", "--json"],
        ["feeds", "list", "--json", "--data", "DATA"],
        ["feeds", "list", "--data=DATA", "--json"],
        ["feeds", "--data", "DATA", "list", "--json"],
    ],
)
def test_where_things_are_stands_before_or_behind_the_command(tmp_path: Path, lines: Path, words: list[str]) -> None:
    data = tmp_path / "data"
    assert visabus("ingest", "--once", "--feed", f"TOY.lines={lines.as_uri()}", "--data", data).exit_code in (0, 1)
    result = visabus(*(word.replace("DATA", str(data)) for word in words))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["read"] == 3


def test_where_things_are_that_is_said_last_counts(tmp_path: Path, lines: Path) -> None:
    """An alias names one installation, the command another: it is that one which is changed."""
    data, other = tmp_path / "data", tmp_path / "demo"  # the name of a command is a name of a directory, too
    assert visabus("ingest", "--once", "--feed", f"TOY.lines={lines.as_uri()}", "--data", data).exit_code in (0, 1)
    result = visabus("--data", other, "feeds", "list", "--json", "--data", data)
    assert json.loads(result.stdout)["read"] == 3
    assert not other.exists()
    assert places_first(get_command(app), ["--data", "demo", "demo", "--bus", "B", "--data", "D"]) == [
        *("--data", "demo", "--data", "D", "demo", "--bus", "B")
    ]


def test_an_option_of_the_command_by_that_name_is_its_own(tmp_path: Path) -> None:
    store = f"sqlite+aiosqlite:///{tmp_path}/other.db"
    assert visabus("demo", "--store", store, "--bus", "nothing://", "--once").exit_code != 0
    assert "No such option" not in visabus("demo", "--store", store, "--bus", "nothing://", "--once").output
    assert "No such option" in visabus("status", "--dat", tmp_path).output
    assert visabus("status", "--", "--data", tmp_path).exit_code == 2


# what gives no facts: it runs until it is stopped, does one thing, or writes a form of its own (JSON lines, digests)
_WITHOUT_JSON = {
    *("correlate", "door", "serve", "metrics", "demo", "ask follow", "kafka start", "kafka stop"),
    *("ask about", "audit create", "audit rotate", "audit accept", "feeds pause", "feeds resume", "feeds release"),
    *("feeds reject", "keys make", "keys rotate", "matches decide", "matches undo", "token", "simulate"),
    *("decode", "export", "receipts export", "schemas check", "schemas write"),
}


def _options(command: Any, *path: str) -> Iterator[tuple[str, set[str]]]:
    for name, below in getattr(command, "commands", {}).items():
        yield from _options(below, *path, name)
    if not hasattr(command, "commands"):
        yield " ".join(path), {option for each in command.params for option in each.opts}


def test_each_command_that_prints_facts_prints_them_as_json() -> None:
    assert {name for name, options in _options(get_command(app)) if "--json" not in options} == _WITHOUT_JSON
