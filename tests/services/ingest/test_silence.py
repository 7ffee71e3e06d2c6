"""Receipts and logs hold nothing of the persons whom the records of any system speak of."""

from __future__ import annotations

import io
import logging
import re
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from systems.cases import Case, cases

from adapters.core import Origin
from adapters.registry import systems
from bus.contract import Message
from schemas.codec import decode
from schemas.topics import EVENT_TOPICS
from services.authority.guard import Guard
from services.dead_letters import Spool
from services.ingest import receipts
from services.ingest.clocks import now
from services.ingest.receipts import receipt
from services.ingest.tally import Limits, Tally
from services.keyring import Keyring
from services.logs import configure
from services.receipts import without_numbers

RING = Keyring.of(b"r" * 32)
BY_SYSTEM: dict[str, list[Case]] = {}
for each in cases():
    BY_SYSTEM.setdefault(each.system, []).append(each)
pytestmark = pytest.mark.usefixtures("logs")


def tallied(case: Case, spool: Path) -> tuple[Tally, list[Message]]:
    """A case read as ingest reads it."""
    system = systems()[case.system]
    feed = system.feed(case.feed) if case.feed is not None else system.feeds[0]
    origin = Origin(system.name, feed.name, case.folder.name, system.mapping_version)
    tally = Tally(origin, feed.mapping, now, Spool(spool), Limits(1.0, 10**9), Guard.of(system), mark="1")
    return tally, tally.messages([*feed.offline(case.input())])


@cache
def patterns(words: frozenset[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Z0-9])(?:{'|'.join(re.escape(word) for word in sorted(words))})(?![A-Z0-9])")


def persons(messages: list[Message]) -> frozenset[str]:
    """What the events tell of persons: their numbers, names and births."""
    words: set[str] = set()
    for message in messages:
        if message.topic not in EVENT_TOPICS:
            continue
        event: Any = decode(message.value or b"")
        subject = getattr(event, "subject", None)
        if subject is None:
            continue
        words |= {identifier.value.upper() for identifier in subject.identifiers if len(identifier.value) >= 6}
        words |= {
            part.upper() for name in subject.names for part in (name.family, name.given) if part and len(part) > 3
        }
        # of one born on the day of a file the day stands there by right
        if subject.birth is not None and len(str(subject.birth)) == 10 and str(subject.birth) < "2020":
            words |= {str(subject.birth), str(subject.birth).replace("-", "")}
    return frozenset(words)


def leaks(text: str, words: frozenset[str]) -> list[str]:
    return patterns(words).findall(text.upper()) if words else []


@pytest.mark.parametrize("system", sorted(BY_SYSTEM))
def test_receipts_and_logs_tell_of_nobody(system: str, tmp_path: Path) -> None:
    stream = io.StringIO()
    configure("debug", "json", stream)
    known: set[str] = set()
    for case in BY_SYSTEM[system]:
        tally, messages = tallied(case, tmp_path)
        words = persons(messages)
        known |= words
        body = orjson.loads(receipt(tally, RING).value or b"")
        assert body.pop("batch") == case.folder.name
        del body["records"], body["left_out"]
        assert (case.name, leaks(orjson.dumps(body).decode(), words)) == (case.name, [])
    logging.getLogger("planted").warning("a line of %s", "somebody")
    lines = stream.getvalue()
    assert "a line of" in lines
    assert leaks(lines, frozenset(known)) == []
    assert known


def test_a_receipt_that_hides_nothing_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "without_numbers", lambda place, ring: place)
    monkeypatch.setattr(receipts, "without_persons", lambda fields, ring: fields)
    caught = set()
    for case in cases():
        tally, messages = tallied(case, tmp_path)
        body = orjson.loads(receipt(tally, RING).value or b"")
        if leaks(orjson.dumps([body["notes"], body["refused"], body["lost_values"]]).decode(), persons(messages)):
            caught.add(case.system)
    assert caught


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("line 1234567", "line 1234567"),
        ("record 3, byte 123456789", "record 3, byte 123456789"),
        ("partition 3 offset 99000000001", "partition 3 offset 99000000001"),
        ("row 3, 2026-11-30T12", "row 3, 2026-11-30T12"),
        ("/a/b[2]/c", "/a/b[2]/c"),
    ],
)
def test_counts_and_dates_stay(place: str, kept: str) -> None:
    assert without_numbers(place, RING) == kept


@pytest.mark.parametrize(
    "number", ["099000117", "A099000117", "N0099000117", "P7654321", "99000000001", "IOE0912345678"]
)
def test_the_number_of_a_row_is_a_keyed_digest(number: str) -> None:
    place = without_numbers(f"row {number} of its page", RING)
    assert number not in place
    assert re.fullmatch(r"row #[0-9a-f]{12} of its page", place)
    assert without_numbers(f"row {number} of its page", Keyring.of(b"x" * 32)) != place
