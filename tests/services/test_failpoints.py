"""Failpoints: every one has its place, each context its own action, and a process is armed by its environment."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services import failpoints

SERVICES = Path(failpoints.__file__).parent


def test_every_failpoint_is_reached_somewhere_and_every_place_is_named() -> None:
    places = [
        point
        for path in SERVICES.rglob("*.py")
        for point in re.findall(r'failpoints\.reach\("(.*?)"\)', path.read_text())
    ]
    assert set(places) == failpoints.POINTS


async def test_two_tasks_of_one_process_meet_their_own_fates() -> None:
    met: list[str] = []

    async def meet(point: str) -> None:
        met.append(point)

    async def work(point: str) -> None:
        await asyncio.sleep(0)
        await failpoints.reach(point)

    with failpoints.armed(meet):
        armed = asyncio.create_task(work("ingest.sent"))
    await asyncio.gather(armed, work("ingest.saved"))
    assert met == ["ingest.sent"]


SCRIPT = """
import asyncio
from services import failpoints

async def main():
    for number in range(3):
        print(number, flush=True)
        await failpoints.reach("append.begin")

asyncio.run(main())
"""


def _run(value: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, failpoints.VARIABLE: value}
    return subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)


def test_a_child_process_is_killed_where_its_environment_says() -> None:
    done = _run("append.begin:2:SIGKILL")
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "0\n1\n")
    assert _run("").stdout == "0\n1\n2\n"


@pytest.mark.parametrize("value", ["no.such:1:SIGKILL", "append.begin:x:SIGKILL", "append.begin:1:NONE", "x"])
def test_a_failpoint_that_is_misspelt_is_refused(value: str) -> None:
    assert _run(value).returncode == 1
