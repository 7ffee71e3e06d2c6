"""A door whose bus goes away says so once, with the reason, and once when it takes messages again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from toy_door import fail, opened, settings

from bus.contract import Bus
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
