"""A door whose bus goes away says so once, with the reason, and once when it takes messages again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from toy_door import fail, opened, settings

from bus.contract import Bus
from services.feeds import Orders
from services.ingest.gate import Gate
from services.logs import configure


@pytest.mark.law(2, "a door whose bus goes away: one line that says why, one when it takes messages again")
async def test_a_door_tells_of_its_bus_once(tmp_path: Path, bus: Bus, logs: None) -> None:
    stream = io.StringIO()
    configure("info", "json", stream)
    async with opened(tmp_path, bus, settings(rate=1_000, burst=1_000)) as rig:
        fail(rig, *["down"] * 5)
        statuses = [(await rig.push(b"good %d" % number)).status_code for number in range(7)]
    assert statuses == [503] * 5 + [200] * 2
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    logged = [
        (line["event"], line.get("why")) for line in lines if line["event"] in ("nothing can be taken", "taken again")
    ]
    assert logged == [("nothing can be taken", "not there"), ("taken again", None)]


async def test_a_door_that_cannot_read_the_view_says_so(tmp_path: Path, bus: Bus, logs: None) -> None:
    """What is judged by the view is not taken unseen where there is none to see, and the log says why."""
    stream = io.StringIO()
    configure("info", "json", stream)
    store = tmp_path / "store.db"
    store.write_text("a file of something else, as while a backup is restored")
    async with opened(tmp_path, bus, settings(rate=1_000, burst=1_000)) as rig:
        judging = Gate(0, f"sqlite+aiosqlite:///{store}", Orders(), None)
        rig.handler.gate = judging
        statuses = [(await rig.push(b"good 1")).status_code for _ in range(2)]
        rig.handler.gate = None
        statuses.append((await rig.push(b"good 1")).status_code)
        await judging.close()
    assert statuses == [503, 503, 200]
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    logged = [line["why"] for line in lines if line["event"] == "nothing can be taken"]
    assert len(logged) == 1
    assert logged[0].startswith("the store cannot be read (")
    assert [line["event"] for line in lines].count("taken again") == 1
