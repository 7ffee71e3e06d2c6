"""`visabus answer`: the same answers as bus, correlator and export give; what it says of lines that are no event."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from domain.stories import Story
from populations import bytes_of, world_of
from typer.testing import CliRunner, Result

from bus.events import message_of
from schemas.codec import decode
from services.answering import answer_line, answers, match_line, read
from services.cli import app
from services.correlator.process import run
from services.domain.history import history_of
from services.export import lines
from services.matches import possible
from services.settings import load
from services.store import open_store
from services.wiring import open_bus, topics

pytestmark = pytest.mark.usefixtures("logs")
D, END = date(2025, 1, 10), date(2025, 7, 9)
AS_OF = int(datetime(2025, 3, 1, tzinfo=UTC).timestamp())


def visabus(*arguments: object, events: bytes = b"") -> Result:
    """The command with events on its standard input."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=events)


async def _published(data: Path, raws: list[bytes]) -> dict[str, list[bytes]]:
    """What bus, correlator and export make of events: the answers by case, and the possible matches."""
    settings = load(environment={}, data_dir=data)
    bus = await open_bus(settings)
    try:
        await bus.declare(topics())
        producer = await bus.producer()
        try:
            await producer.send([message_of(decode(raw)) for raw in raws])
        finally:
            await producer.close()
    finally:
        await bus.close()
    await run(settings, once=True, stop=asyncio.Event())
    store = await open_store(settings.store_url)
    expected: dict[str, list[bytes]] = {}
    try:
        for name, known_at in (("now", None), ("then", AS_OF * 1_000_000)):
            async with aclosing(lines(store.reads, known_at=known_at)) as written:
                coverage = await store.reads.coverage(known_at)
                histories = [history_of(line) async for line in written if not line.startswith(b'{"complete"')]
            expected[name] = [answer_line(history, AS_OF, coverage) for history in histories]
        async with aclosing(possible(store.reads)) as matches:
            expected["matches"] = sorted([match_line(match) async for match in matches])
    finally:
        await store.close()
    return expected


async def test_answers_are_those_of_bus_correlator_and_export(tmp_path: Path) -> None:
    """Byte by byte for two hundred random persons, by all that is known and by what was known earlier."""
    events, counts = world_of(17, persons=200)
    raws = bytes_of(events)
    expected = await _published(tmp_path, raws)
    known = read(raws)
    assert not known.bad
    assert list(answers(known, AS_OF)) == expected["now"]
    assert list(answers(known, AS_OF, AS_OF * 1_000_000)) == expected["then"]
    assert sorted(match_line(match) for match in known.matches()) == expected["matches"]
    assert len(expected["now"]) > 150 < len(raws)
    assert expected["now"] != expected["then"]
    assert expected["matches"]
    assert {counts[word] > 0 for word in ("retractions", "corrections", "merges", "likenesses")} == {True}


def test_a_person_has_everything_that_an_answer_rests_on() -> None:
    story = Story().admitted(D, until=END).left(END)
    result = visabus("answer", "-", "--json", "--as-of", "2025-08-01", events=b"\n".join(bytes_of(story.events)))
    assert result.exit_code == 0
    (body,) = map(json.loads, result.stdout.splitlines())
    assert body["outcome"] == "DEPARTED_IN_TIME"
    assert (body["rule"], body["citation"], body["authorised_until"]) == (
        "departure",
        "8 CFR 215.8, 231.2",
        "2025-07-09",
    )
    assert body["since"] == "2025-07-09T16:00:00Z" == body["stays"][0]["departed"]
    assert body["records"] == sorted([event.system, event.record] for event in story.events)
    assert body["evidence"] == sorted(story.ids)
    assert len(body["person"]) == 32


def test_as_of_and_known_at_are_instants() -> None:
    story = Story().admitted(D, until=END).left(END)
    raws = b"\n".join(bytes_of(story.events))
    before = json.loads(visabus("answer", "-", "--json", "--as-of", "2025-02-01", events=raws).stdout)
    assert (before["outcome"], before["stays"][0]["departed"]) == ("IN_STATUS", None)
    nobody = json.loads(visabus("answer", "-", "--json", "--as-of", "2024-02-01", events=raws).stdout)
    assert (nobody["outcome"], nobody["stays"]) == (None, [])
    assert visabus("answer", "-", "--json", "--known-at", "2025-02-01T00:00:00Z", events=raws).stdout == ""
    assert visabus("answer", "-", "--as-of", "tomorrow", events=raws).exit_code == 2


def test_bad_lines_are_named_and_the_others_answered(tmp_path: Path) -> None:
    raws = bytes_of(Story().admitted(D, until=END).events)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join([b"no JSON", raws[0], b"", b'{"schema_version": 2, "kind": "arrival"}']) + b"\n")
    result = visabus("answer", file, "--json")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert f"{file}: line 1: no JSON" in result.stderr
    assert f"{file}: line 4: " in result.stderr
    missing = visabus("answer", tmp_path / "none.jsonl")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "none.jsonl cannot be read: No such file or directory" in missing.stderr


def test_a_birth_in_the_future_is_left_out_and_told() -> None:
    """The value costs itself; the admission is answered."""
    bodies = [orjson.loads(raw) for raw in bytes_of(Story().admitted(D, until=END).left(END).events)]
    bodies[1]["subject"]["birth"] = "2036-02-03"
    result = visabus("answer", "-", "--json", "--as-of", "2025-08-01", events=b"\n".join(map(orjson.dumps, bodies)))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["outcome"] == "DEPARTED_IN_TIME"
    assert "line 2: a birth after what the record tells of is left out" in result.stderr


def test_what_lies_after_its_own_record_is_refused() -> None:
    """A decision of 2036 that was recorded in 2025 hides no stay that is over; a few days are a clock's."""
    story = Story().admitted(D, until=END).extended(END, date(2036, 7, 1), until=date(2037, 1, 1))
    bodies = [orjson.loads(raw) for raw in bytes_of(story.events)]
    bodies[-1]["recorded_at"] = "2025-08-01T00:00:00Z"
    lines = list(map(orjson.dumps, bodies))
    result = visabus("answer", "-", "--json", "--as-of", "2025-08-02", events=b"\n".join(lines))
    assert result.exit_code == 1
    assert json.loads(result.stdout)["outcome"] == "PENDING"
    assert "line 3" in result.stderr
    assert "extension on 2036-07-01, after its record was made on 2025-08-01" in result.stderr
    arrival = {**bodies[0], "recorded_at": (D - timedelta(9)).isoformat() + "T00:00:00Z"}
    assert [bad.number for bad in read([orjson.dumps(arrival)]).bad] == [1]
    assert not read([orjson.dumps({**arrival, "recorded_at": (D - timedelta(3)).isoformat() + "T00:00:00Z"})]).bad


def test_older_versions_are_read_and_what_has_no_moment_of_knowing() -> None:
    body = orjson.loads(bytes_of(Story().admitted(D, until=END).events)[0])
    del body["published_at"]
    shown = orjson.dumps(body)
    moment = body.pop("occurred_at")
    first = orjson.dumps({**body, "schema_version": 1, "occurred_at": moment["at"], "zone": moment["zone"]})
    assert list(answers(read([first]), AS_OF)) == list(answers(read([shown]), AS_OF)) != []


def test_words_for_people() -> None:
    text = visabus(
        "answer", "-", "--as-of", "2025-08-01", events=bytes_of(Story().admitted(D, until=END).events)[0]
    ).stdout
    assert "DEPARTURE_UNKNOWN since 2025-07-10T04:00:00Z" in text
    assert "2025-01-10T17:00:00Z as B2, until 2025-07-09" in text
    assert "INA 222(g)" in text


def test_ten_thousand_events_take_a_few_seconds() -> None:
    raws = bytes_of(world_of(5, persons=1300)[0])
    assert len(raws) > 10_000
    began = time.process_time()
    known = read(raws)
    assert len(list(answers(known, AS_OF))) > 800
    assert known.matches()
    assert time.process_time() - began < 10
