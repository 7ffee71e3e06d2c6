"""An operator's day: each task of docs/operators-day.md, done with the command that stands there."""

from __future__ import annotations

import json
import re
import resource
import shlex
import subprocess
import sysconfig
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from systems.i94 import build
from typer.testing import CliRunner

from services.cli import app
from services.domain import resolve as domain_resolve

ROOT = Path(__file__).parents[2]
VISABUS = Path(sysconfig.get_path("scripts")) / "visabus"
PAGE = (ROOT / "docs" / "operators-day.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| `(.+?)` \| (.+) \|$", PAGE, re.MULTILINE)
COMMANDS = {int(number): command for number, _, command, _ in ROWS}
BAD_DAY = 20259914  # of a month that is none


def name(sequence: int) -> str:
    """The name of a file."""
    return f"I94.D20250314.S{sequence:06}"


def arrival(number: int) -> bytes:
    """Somebody comes, and may stay until September."""
    return build.detail(
        build.ARRIVAL, TXN_NUMBER=number, I94_NUMBER=f"{number % 10**9:09d}A1", PASSPORT_NUMBER=f"P{number}"
    )


def departure(number: int, day: int = 20251020) -> bytes:
    """Who came under this number leaves, too late."""
    changes = {"I94_NUMBER": f"{number % 10**9:09d}A1", "PASSPORT_NUMBER": f"P{number}"}
    made = {"TXN_NUMBER": number + 10**9, "LAST_UPDATED": 20251101000000}
    return build.detail(build.DEPARTURE, EVENT_DATE=day, **made, **changes)


@dataclass
class Day:
    """An installation, and an operator in front of it."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    stdout: str = ""  # of the last command, without its log

    def drop(self, sequence: int, *details: bytes) -> Path:
        """A file of the owner's is put into place."""
        file = self.path / "in" / name(sequence)
        file.write_bytes(build.night(list(details), sequence))
        return file

    def run(self, command: str, code: int = 0) -> str:
        """Do what a command line says, and return what is seen."""
        arguments = shlex.split(command)[1:]
        done = CliRunner().invoke(app, arguments, env={"COLUMNS": "300", **self.environment})
        assert done.exit_code == code, f"{command}: {done.exit_code}: {done.output} {done.exception!r}"
        self.stdout = done.stdout
        return done.output

    def task(self, number: int, code: int = 0, **words: str) -> str:
        """Do a task with the command of the page."""
        command = COMMANDS[number]
        for word, value in words.items():
            assert word in command
            command = command.replace(word, shlex.quote(value))
        return self.run(command, code)

    def through(self) -> None:
        """Have all read and resolved."""
        self.run("visabus ingest --once")
        self.run("visabus correlate --once")

    def feed(self) -> str:
        """The state of the feed."""
        self.run("visabus feeds list --system I94 --json")
        state: str = json.loads(self.stdout)["state"]
        return state

    def letter(self) -> str:
        """The id of the dead letter that waits."""
        self.run("visabus dead-letters list --json --each --confidential --why see")
        (id,) = (json.loads(line)["id"] for line in self.stdout.splitlines())
        return str(id)


WHY = "asked by the owner"


@pytest.fixture
def day(tmp_path: Path) -> Day:
    """Two persons, one of whom left; one record was refused. Everything is read and resolved."""
    (tmp_path / "in").mkdir()
    feeds = {"I94.nightly": {"url": (tmp_path / "in").as_uri()}}
    opened = Day(tmp_path, {"VISABUS_DATA_DIR": str(tmp_path / "data"), "VISABUS_FEEDS": json.dumps(feeds)})
    opened.drop(1, arrival(20000000001), arrival(20000000002), departure(20000000001))
    opened.drop(2, arrival(20000000003), departure(20000000002, BAD_DAY))
    opened.through()
    return opened


def test_the_page_has_twenty_tasks_and_each_is_tried() -> None:
    assert list(COMMANDS) == list(range(1, 21))
    source = Path(__file__).read_text()
    tried = {int(number) for number in re.findall(r"day\.task\(\s*(\d+)", source)}
    assert tried == set(COMMANDS)


def test_is_it_all_running(day: Day) -> None:
    said = day.task(1, code=1)
    assert "no correlator runs" in said
    assert "1 dead letter waits" in said
    assert "I94" in said


class _ClosedDoor(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(401)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written to standard error."""


@pytest.fixture
def closed_door() -> Iterator[str]:
    """A service that refuses every password."""
    server = HTTPServer(("127.0.0.1", 0), _ClosedDoor)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_wrong_password(day: Day, closed_door: str) -> None:
    feeds = {"ELIS.cases": {"url": closed_door, "user": "visabus", "secret": "wrong"}}
    day.environment |= {"VISABUS_FEEDS": json.dumps(feeds), "VISABUS_INGEST__BREAKER_FAILURES": "1"}
    day.run("visabus ingest --once", code=1)
    said = day.task(2, code=1, SYSTEM="ELIS")
    assert "ELIS.cases" in said
    assert "credentials" in said
    assert "wrong" not in said.replace("wrong optional", "")


def test_what_became_of_a_record(day: Day) -> None:
    said = day.task(3, KEY="20000000001", TEXT=WHY)
    assert name(1) in said
    assert "DEPARTED_LATE" in said


def test_one_lost_record_is_mended(day: Day) -> None:
    key = str(20000000002 + 10**9)
    said = day.task(4, KEY=key, TEXT=WHY)
    assert "refused" in said
    assert name(2) in said
    id = day.letter()
    assert id[:8] in said
    shown = day.task(5, ID=id, TEXT=WHY)
    assert re.search("EVENT-DATE", shown)
    mended = day.path / "mended.dat"
    mended.write_bytes(departure(20000000002, 20250901))
    assert "publish" in day.task(6, ID=id, FILE=str(mended), TEXT=WHY)
    day.run("visabus correlate --once")
    assert "DEPARTED_IN_TIME" in day.run(f"visabus trace I94 {key} --why see")
    assert "dead letter waits" not in day.task(1, code=1)


def test_a_replay_that_would_change_more_than_it_may_is_shown_first(day: Day) -> None:
    day.environment["VISABUS_INGEST__HOLD_ABOVE"] = "0"
    id = day.letter()
    mended = day.path / "mended.dat"
    mended.write_bytes(departure(20000000002, 20250901))
    command = f"visabus dead-letters replay --id {id} --with {mended} --confidential --why {shlex.quote(WHY)}"
    assert "would change 1 outcomes" in day.run(command)
    said = day.run(f"{command} --yes", code=1)
    assert "nothing was sent" in said
    assert "--release sends it all the same" in said
    assert day.letter() == id
    assert "published" in day.run(f"{command} --yes --release")


def test_a_bad_file_of_3000_records_and_the_mended_one(day: Day) -> None:
    numbers = range(20000001000, 20000004000)
    day.drop(3, *(departure(number, BAD_DAY) for number in numbers))
    day.drop(4, arrival(20000000009))
    day.run("visabus ingest --once", code=1)
    said = day.task(7, code=1)
    assert "I94.nightly is stopped" in said
    assert name(3) in said
    assert "is no moment" in said
    day.drop(3, *(departure(number) for number in numbers))
    assert "I94.nightly" in day.task(8)
    assert day.feed() == "ended"
    assert name(4) in day.run(f"visabus receipts show {name(4)} --confidential --why see")


def test_a_file_that_would_change_very_much(day: Day) -> None:
    numbers = range(20000001000, 20000001300)
    day.drop(3, *(arrival(number) for number in numbers))
    day.through()
    day.environment["VISABUS_INGEST__HOLD_ABOVE"] = "100"
    day.drop(4, *(departure(number) for number in numbers))
    day.drop(5, arrival(20000000009))
    day.run("visabus ingest --once", code=1)
    assert day.feed() == "waiting"
    said = day.task(9)
    assert f"{name(4)} waits since" in said
    assert "would change 300 outcomes (at most 100 may)" in said
    day.task(10, TEXT=WHY)
    day.run("visabus ingest --once")
    assert "rejected by an operator" in day.run(f"visabus receipts show {name(4)} --confidential --why see")
    assert name(5) in day.run(f"visabus receipts show {name(5)} --confidential --why see")
    left_out = day.run(f"visabus trace I94 {numbers[0] + 10**9} --confidential --why see")
    assert "rejected by an operator" in left_out
    assert re.search(rf"rejected by os:.+ at 2\S+Z: {WHY}", left_out)


def test_a_bad_file_is_withdrawn(day: Day) -> None:
    assert "retracted: 3 records, 5 events" in day.task(11, FILE=name(1), TEXT=WHY)
    day.run("visabus correlate --once")
    assert "DEPARTED_LATE" not in day.run("visabus trace I94 20000000001 --why see")


def test_a_feed_is_held_and_let_go_on(day: Day) -> None:
    day.task(12, TEXT=WHY)
    day.drop(3, arrival(20000000009))
    day.run("visabus ingest --once", code=1)
    said = day.task(1, code=1)
    assert "I94.nightly is paused since" in said
    assert WHY in said
    day.task(13, TEXT=WHY)
    day.run("visabus ingest --once")
    assert day.feed() == "ended"


def test_from_a_file_on_it_is_read_again(day: Day) -> None:
    before = day.run("visabus export --digest")
    assert f"would be read again, from {name(2)} on: 1 batches" in day.task(14, FILE=name(2), TEXT=WHY)
    assert "I94.nightly: 7 read" in day.run("visabus ingest --once")  # five and the two once more
    day.run("visabus correlate --once")
    assert day.run("visabus export --digest") == before


def test_what_would_be_read_and_what_was(day: Day) -> None:
    day.drop(3, arrival(20000000009), departure(20000000009, BAD_DAY))
    said = day.task(15)
    assert "would read 2 records of 1 whole batches behind its position" in said
    assert "refused 1: " in said
    day.task(16, FILE=name(2), TEXT=WHY)
    receipt = json.loads(day.stdout)
    assert (receipt["read"], receipt["published"], receipt["dead_lettered"]) == (2, 1, 1)


def test_a_dead_correlator(day: Day) -> None:
    day.drop(3, arrival(20000000009))
    day.run("visabus ingest --once")
    said = day.task(17, code=1)
    assert "no correlator runs (last heard of:" in said
    day.run("visabus correlate --once")
    assert "DEPARTURE_UNKNOWN" in day.run("visabus trace I94 20000000009 --why see")


def test_a_full_disk(day: Day) -> None:
    """A limit on the size of files stands for the end of the disk: what writes beyond it is refused."""
    day.drop(3, *(arrival(number) for number in range(20000001000, 20000001400)))
    bus = day.path / "data" / "bus.db"
    room = bus.stat().st_size + 40_000
    environment = {**day.environment, "VISABUS_DEADLINES__BUS_OUTAGE": "2", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [VISABUS, "ingest", "--once"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "held up" in done.stdout + done.stderr
    day.task(18, code=1)
    day.through()
    assert day.feed() == "ended"
    day.run("visabus feeds list --json")
    feed = json.loads(day.stdout)
    assert feed["read"] == feed["published"] + feed["dead_lettered"] + feed["filtered"] == 405


def test_a_poisoned_pool(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    day.drop(3, arrival(20000000009))
    day.run("visabus ingest --once")
    whole = domain_resolve._history

    def failing(members: list[bytes], *others: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(domain_resolve, "_history", failing)
    day.run("visabus correlate --once", code=1)
    said = day.task(19, code=1)
    assert re.search(r"[12] pools of records could not be resolved", said)
    monkeypatch.setattr(domain_resolve, "_history", whole)
    day.run("visabus correlate --once")
    assert "could not be resolved" not in day.task(1, code=1)


def test_settings_before_a_restart(day: Day) -> None:
    assert "I94.nightly" in day.task(20)
    day.environment["VISABUS_INGEST__HOLD_ABOVE"] = "many"
    assert "ingest.hold_above" in day.task(20, code=2)


def test_facts_are_told_as_json(day: Day) -> None:
    def facts_of(command: str, code: int = 0) -> dict[str, object]:
        day.run(f"visabus {command} --json", code)
        (line,) = day.stdout.splitlines()
        facts: dict[str, object] = json.loads(line)
        return facts

    again = facts_of("feeds rewind I94.nightly --why see")
    assert (again["batches"], again["counted"], again["ordered"]) == (2, 5, False)
    replayed = facts_of(f"dead-letters replay --id {day.letter()} --confidential --why see", code=1)
    assert (replayed["outcome"], replayed["batch"], replayed["events"]) == ("refused", name(2), 0)
    assert facts_of(f"receipts show {name(1)} --confidential --why see")["read"] == 3
    assert facts_of("audit verify")["wrong"] == []
    day.task(3, KEY="20000000001", TEXT=WHY)
    day.run("visabus audit find record/I94/20000000001 --why see --json")
    rows = [json.loads(line) for line in day.stdout.splitlines()]
    assert [(row["verb"], row["reason"]) for row in rows] == [("trace", WHY), ("audit find", "see")]
