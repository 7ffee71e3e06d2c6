"""`visabus ask follow` under SIGKILL: what it had not asked yet is asked, and nothing is asked twice."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest
from oracle.histories import World, sealed

from bus.events import message_of
from schemas.codec import decode
from schemas.ids import event_id
from schemas.topics import QUESTIONS
from services.correlator.process import run
from services.failpoints import VARIABLE
from services.questions.topic import Asking, parse
from services.settings import load
from services.wiring import open_bus, topics

PERSONS = 60
COMMAND = "from services.cli import app; app()"
ANEW = (
    "import uuid, services.questions.follow as f;"
    " f._id = lambda *_: uuid.uuid4().hex; f.Follower._is_open = lambda *_: False; "
)
"""A bug: a question has no id of its own, and what is open is not looked at."""


def doubtful(number: int) -> list[bytes]:
    """Somebody whose date is over and of whom no departure is known, with an A-number."""
    world = World(Random(number))
    world.arrive(date(2026, 1, 12), "B2", date(2026, 5, 1), port="JFK")
    world.fact("visa_issued", date(2025, 12, 1))
    for event in world.events:
        event["record"] = f"{number:04} {event['record']}"
        event["subject"]["names"] = [{"family": f"{'QWRTZPLKJHGF'[number % 12]}{number:03}".translate(LETTERS)}]
        event["subject"]["birth"] = f"{1950 + number}-0{number % 9 + 1}-{number % 27 + 1:02}"
        event["subject"]["identifiers"] = [
            {"scheme": "passport", "issuer": "GBR", "value": f"P{8_000_000 + number * 7919}"},
            {"scheme": "a_number", "issuer": "USCIS", "value": f"A{200_000_000 + number * 104_729}"},
        ]
        sealed(event)
        event["id"] = str(event_id(event["system"], event["record"], event["part"], 1, event["revision"]["digest"], 1))
    return [json.dumps(event).encode() for event in world.events]


LETTERS = str.maketrans("0123456789", "AEIOUBCDMN")


async def view_of(data: Path) -> None:
    """A bus with the changes of a view, which stands in its store."""
    settings = load(environment={}, data_dir=data)
    bus = await open_bus(settings)
    try:
        await bus.declare(topics())
        producer = await bus.producer()
        await producer.send([message_of(decode(raw)) for number in range(PERSONS) for raw in doubtful(number)])
        await producer.close()
    finally:
        await bus.close()
    await run(settings, once=True, stop=asyncio.Event())


async def followed(data: Path, point: str = "", after: float | None = None, bug: str = "") -> int:
    """The command's end, killed at a point or some seconds after its start."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", bug + COMMAND, "--data", str(data), "ask", "follow", "--once", "--most-open", "1000"),
        env=dict(os.environ) | ({VARIABLE: point} if point else {}),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if after is not None:
        await asyncio.sleep(after)  # somewhere on its way: nothing to wait for
        if running.returncode is None:
            running.kill()
    return await running.wait()


async def asked(data: Path) -> Counter[tuple[str, str, str]]:
    """Every question on the bus, with its id and how often it stands there.

    The bus keeps the last message of a key: a question asked again stands there under its newer id.
    """
    bus = await open_bus(load(environment={}, data_dir=data))
    try:
        questions = [parse(each.key or b"", each.value) async for each in bus.read(QUESTIONS, {})]
    finally:
        await bus.close()
    return Counter((each.feed, each.identifier, each.id) for each in questions if isinstance(each, Asking))


@pytest.mark.slow
@pytest.mark.law(2, "the process that asks on its own, killed: each question is there once, as without a kill")
async def test_killed_again_and_again_each_question_is_there_once(tmp_path: Path) -> None:
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    await view_of(quiet)
    shutil.copytree(quiet, killed)
    assert await followed(quiet) == 0
    expected = await asked(quiet)
    assert len(expected) == PERSONS
    assert set(expected.values()) == {1}

    assert await followed(killed, point="ask.sent:1:SIGKILL") == -signal.SIGKILL
    between = await asked(killed)
    assert between, "killed behind what it had written and before its place among the changes was kept"
    rng = Random(20261130)
    for _ in range(2):
        await followed(killed, after=rng.uniform(0.3, 3))
    assert await followed(killed) == 0
    assert await asked(killed) == expected


@pytest.mark.slow
@pytest.mark.law(2, planted="a process that asks anew what it had asked before it was killed")
async def test_asking_twice_is_caught_by_a_kill(tmp_path: Path) -> None:
    await view_of(tmp_path)
    assert await followed(tmp_path, point="ask.sent:1:SIGKILL", bug=ANEW) == -signal.SIGKILL
    before = await asked(tmp_path)
    assert await followed(tmp_path, bug=ANEW) == 0
    assert before
    assert before.keys().isdisjoint(await asked(tmp_path)), "each was asked a second time, under another id"
