"""Logs that cannot tell who somebody is: a canary in every place where one could be."""

from __future__ import annotations

import ast
import io
import json
import logging
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import services
from services.engines import open_engine
from services.logs import ALLOWED, configure
from services.repeated_lines import MOST, BoundedHandler, Repeats

CANARY = "SKYWALKER"


@pytest.fixture
def stream(logs: None) -> io.StringIO:
    """Logs as JSON lines in memory; everything as it was afterwards."""
    written = io.StringIO()
    configure("debug", "json", written)
    return written


@pytest.mark.law(7, "logs name no person")
@pytest.mark.parametrize("form", ["json", "console"])
def test_no_canary_gets_through(stream: io.StringIO, form: str) -> None:
    configure("debug", form, stream)
    log = structlog.get_logger("test")
    log.info("batch done", batch="a.txt", read=3, name=CANARY, passport=CANARY, record={"family": CANARY})
    log.info("batch done", filtered={CANARY: CANARY}, batch={"family": CANARY}, place=[{"family": CANARY}])
    log.bind(subject=CANARY).warning("refused")
    structlog.contextvars.bind_contextvars(person=CANARY)
    log.warning("refused")
    structlog.contextvars.clear_contextvars()
    try:
        raise ValueError(f"cannot read {CANARY}")
    except ValueError as error:
        log.exception("feed stopped")
        log.error("feed stopped", exc_info=error)
        log.error("feed stopped", exc_info=sys.exc_info(), stack_info=True)
        logging.getLogger("library").exception("failed on %s", CANARY)
        logging.getLogger("library").error("failed on %s", error)
    logging.getLogger("library").error("Task exception was never retrieved\nexception=ValueError('%s')", CANARY)
    logging.getLogger("library").warning("failed", extra={"family": CANARY})
    text = stream.getvalue()
    assert CANARY not in text
    assert len(text.splitlines()) >= 10


def test_what_is_allowed_is_written_and_what_was_dropped_is_named(stream: io.StringIO) -> None:
    structlog.get_logger("test").info("batch done", system="I94", batch="a.txt", read=3, filtered={"x": 1}, family="X")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["system"]) == ("batch done", "info", "I94")
    assert (line["read"], line["filtered"], line["dropped"]) == (3, {"x": 1}, ["family"])


def test_a_line_has_its_moment_in_utc(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        structlog.get_logger("test").info("batch done")
        logging.getLogger("library").warning("failed")
    finally:
        monkeypatch.undo()
        time.tzset()
    for line in stream.getvalue().splitlines():
        at = json.loads(line)["timestamp"]
        assert at.endswith("Z")
        assert abs((datetime.fromisoformat(at) - datetime.now(UTC)).total_seconds()) < 3_600


def test_an_exception_shows_its_type_and_its_way(stream: io.StringIO) -> None:
    try:
        int("x")
    except ValueError:
        structlog.get_logger("test").exception("feed stopped")
    line = json.loads(stream.getvalue())
    assert line["error"] == "ValueError"
    assert line["frames"][-1].startswith("test_logs.py:")


def test_other_libraries_show_their_template(stream: io.StringIO) -> None:
    logging.getLogger("library").warning("failed on %s", CANARY)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["logger"]) == ("failed on ...", "library")


def test_an_error_in_a_template_shows_its_type_and_why(stream: io.StringIO) -> None:
    error = ConnectionRefusedError(CANARY)
    logging.getLogger("library").warning("Unable connect to node with id %s: %r (%5.2f)", 1, error, 0.5)
    line = json.loads(stream.getvalue())
    assert line["event"] == "Unable connect to node with id ...: ConnectionRefusedError (...)"
    assert line["code"] == "refused"


def shout(moments: int) -> None:
    """A library says three things at each of so many moments, ten a second; one of them fills its lines itself."""
    library = logging.getLogger("library.inner")
    for at in range(moments):
        for record in (
            library.makeRecord(library.name, logging.ERROR, "", 0, "no connection to %s", (at,), None),
            library.makeRecord(library.name, logging.WARNING, "", 0, "tried again", (), None),
            library.makeRecord(library.name, logging.WARNING, "", 0, f"attempt {at}", (), None),
        ):
            record.created = at / 10
            library.handle(record)


@pytest.mark.law(2, "a library that says the same thousands of times says it once a minute, with the number")
def test_what_is_said_again_and_again_is_counted(stream: io.StringIO) -> None:
    shout(1_000)  # 100 s
    (handler,) = (each for each in logging.getLogger().handlers if isinstance(each, BoundedHandler))
    handler.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) <= 2 * 2 * (MOST + 1)
    for event in ("no connection to ...", "tried again"):
        several = [line for line in lines if line["event"] == event]
        assert [line.get("count", 1) for line in several] == [1, 599, 1, 399], "first of each minute, and the others"
    assert sum(line.get("count", 1) for line in lines) == 3_000, "all are accounted for"


@pytest.mark.law(2, planted="a log that a library floods")
def test_a_flood_is_seen(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Repeats, "passed", lambda _self, record: iter([record]))
    with pytest.raises(AssertionError):
        test_what_is_said_again_and_again_is_counted(stream)


def test_lines_of_this_project_are_all_written(stream: io.StringIO) -> None:
    for _ in range(50):
        structlog.get_logger("test").info("batch done", read=3)
    assert len(stream.getvalue().splitlines()) == 50


@pytest.mark.law(7, planted="a log that lets a person's data through")
def test_the_planted_bug_is_seen(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary does get through where a key is let in that should not be."""
    monkeypatch.setattr("services.logs.ALLOWED", ALLOWED | {"family"})
    structlog.get_logger("test").info("refused", family=CANARY)
    assert CANARY in stream.getvalue()


def test_no_key_of_the_list_is_a_persons() -> None:
    personal = {"name", "names", "family", "given", "birth", "passport", "visa", "record", "raw", "reason", "token"}
    assert not ALLOWED & personal


def _calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            owner = owner.func if isinstance(owner, ast.Call) else owner  # get_logger(...).info
            called = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if called in ("log", "_log", "logger", "get_logger") and node.func.attr in (
                "debug",
                "info",
                "warning",
                "error",
                "exception",
                "critical",
            ):
                yield node


def _all_calls() -> list[tuple[Path, ast.Call]]:
    top = Path(services.__file__).parents[1]
    calls = [
        (path, call)
        for package in ("services", "bus", "adapters", "links", "schemas")
        for path in sorted((top / package).rglob("*.py"))
        for call in _calls(path)
    ]
    assert len(calls) > 100
    return calls


_LOGGING_ITSELF = {"exc_info", "extra", "stack_info", "stacklevel"}


def _dropped(path: Path, call: ast.Call) -> list[str]:
    unknown = [each.arg for each in call.keywords if each.arg and each.arg not in ALLOWED | _LOGGING_ITSELF]
    return [f"{path.name}:{call.lineno}: {name}" for name in unknown]


def test_our_lines_tell_what_they_are_given() -> None:
    """A key that is not on the list is dropped: `the settings cannot be read again` told for long without its why."""
    assert [wrong for path, call in _all_calls() for wrong in _dropped(path, call)] == []


def test_a_line_that_would_not_tell_why_is_seen() -> None:
    """The planted bug."""
    (call,) = (node for node in ast.walk(ast.parse("log.error('x', reason=1, why=2)")) if isinstance(node, ast.Call))
    assert _dropped(Path("a.py"), call) == ["a.py:1: reason"]


def test_the_first_argument_of_our_log_calls_is_a_constant() -> None:
    """The text itself is not filtered, so nothing may be put into it."""
    calls = _all_calls()
    offending = [f"{path.name}:{call.lineno}" for path, call in calls if not isinstance(call.args[0], ast.Constant)]
    assert offending == []


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_name_of_others_makes_no_line_and_moves_no_cursor(form: str) -> None:
    stream = io.StringIO()
    configure("info", form, stream)
    name = "a.txt\n2026-11-30T00:00:00Z [error    ] all is lost\u2028\x85\x9b31m\x1b[2J"
    structlog.get_logger("x").info("batch done", batch=name, systems=[name], lost={name: 1})
    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
    assert "all is lost" in line


@pytest.mark.law(7, "no error of a database quotes the values of a statement, which a traceback would print")
@pytest.mark.parametrize("url", ["sqlite:///:memory:", "postgresql://user@127.0.0.1:9/none"])
async def test_no_error_of_a_database_quotes_a_value(url: str) -> None:
    engine = open_engine(url, "store", server_settings={}, connect_seconds=1, command_seconds=1, busy_seconds=1)
    assert engine.sync_engine.hide_parameters
    if engine.dialect.name == "sqlite":
        with pytest.raises(OperationalError) as raised:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT missing WHERE :name"), {"name": CANARY})
        assert CANARY not in str(raised.value)
    await engine.dispose()
