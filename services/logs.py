"""Logs that cannot tell who a person is.

Only keys of an allow-list are written; every other key is dropped, whatever it holds, and only its name is told. An
exception shows its type and where it was raised, never its text, which may repeat the input. Records of other
libraries show their template with the types of errors, never other arguments, and are bounded (`repeated_lines`). The
first argument of a log call of ours is a constant.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from links.reasons import failure_of
from services.repeated_lines import BoundedHandler, template_of

ALLOWED: frozenset[str] = frozenset(
    # structlog's own, and where it comes from
    "event level timestamp logger dropped error frames pid host service version"
    # what was worked on: systems, feeds, batches, topics and places in them; never a record, a person or a value
    " system feed batch feeds systems topic partition offset position epoch group edition stage rule kind"
    # counts and times
    " read published events dead_lettered filtered lost refused records messages persons count bytes size lag"
    " seconds milliseconds attempt attempts wait rate share at since through total"
    # ids of keys that came and went, systems that have none, processes, and the operator who gave an order
    " added removed without worker by"
    # the API and the processes
    " method route status scope purpose client request trace port url path signal code reason_code"
    " fingerprint digest revision mapping_version schema_version"
    # the text of an error that we wrote ourselves from the values above, and of no other
    " why".split()
)
"""A key gets in here only if no value under it can hold a name, a birth date, a document number or a secret."""

_LONGEST = 300
_PLACE = re.compile(r"%(?:\(\w*\))?[-#0 +]*(?:\d+|\*)?(?:\.\d+)?[a-zA-Z]")
"""Where a template is filled in."""


def keep_allowed(logger: Any, method: str, event: EventDict) -> EventDict:
    """Drop what is not on the list, and say which keys were dropped."""
    kept: MutableMapping[str, Any] = {
        key: _short(value) for key, value in event.items() if key in ALLOWED or key.startswith("_")
    }
    dropped = sorted(key for key in event if key not in ALLOWED and not key.startswith("_"))
    if dropped:
        kept["dropped"] = dropped
    return kept


def _short(value: Any) -> Any:
    """Long texts are cut; structures that could smuggle keys past the list are replaced by their type."""
    if isinstance(value, str):
        return _one_line(value if len(value) <= _LONGEST else value[:_LONGEST] + "...")
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(each, str | int) for each in value):
        return [_short(each) for each in value]
    if isinstance(value, dict) and all(isinstance(each, int | float) for each in value.values()):
        return {_short(str(key)): each for key, each in value.items()}
    return type(value).__name__


def _one_line(text: str) -> str:
    """Spell what a terminal or a reader of lines would obey: names of files and messages are their senders' choice."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def without_text(logger: Any, method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and the places it passed."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    if isinstance(given, BaseException):
        error: BaseException | None = given
    elif isinstance(given, tuple):
        error = given[1]
    else:
        error = sys.exc_info()[1]
    if error is not None:
        event.update(describe(error))
    return event


def describe(error: BaseException) -> dict[str, Any]:
    """Return what may be logged of an exception: its type, and the places it passed."""
    passed = traceback.extract_tb(error.__traceback__)[-8:]
    frames = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in passed]
    return {"error": type(error).__name__, "frames": frames}


def only_template(logger: Any, method: str, event: EventDict) -> EventDict:
    """A record of another library: the first line of its template, with the types of errors and dots for the rest.

    `code` says why where an error among its arguments tells; `count` how often it came again within a minute.
    """
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        given = event.pop("positional_args", ())
        arguments = given if isinstance(given, tuple) else ()
        shown = iter([type(each).__name__ if isinstance(each, BaseException) else "..." for each in arguments])
        template = template_of(record)
        event["event"] = _PLACE.sub(lambda _: next(shown, "..."), template) if given else template
        event["logger"] = record.name
        failures = [failure_of(each) for each in arguments if isinstance(each, BaseException)]
        if codes := [str(failure.reason) for failure in failures if failure is not None]:
            event["code"] = codes[0]
        if repeated := getattr(record, "repeated", 0):
            event["count"] = repeated
    return event


class _StandardError:
    """Standard error as it is at the moment of writing: a process may be given another."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    @property
    def closed(self) -> bool:
        return sys.stderr.closed


def configure(level: str = "info", form: str = "console", stream: TextIO | None = None) -> None:
    """Set up logging for this process. Everything goes to standard error: standard output belongs to results."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_text,
    ]
    render: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=(stream or sys.stderr).isatty(), pad_event_to=0)
    )
    handler = BoundedHandler(stream or cast("TextIO", _StandardError()))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[only_template, *shared],
            pass_foreign_args=True,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, keep_allowed, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("aiokafka", "kafka", "httpx", "aiosqlite", "asyncio", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
