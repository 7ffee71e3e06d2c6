"""BCI's batches from a real SFTP server through the host: crashes and lost links cost repeats and never a record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sshd_local import Sshd, sshd
from systems.bci.build import batch, crossing
from toy_source import world

from adapters.core import Credentials
from adapters.registry import systems
from bus.contract import Bus
from services import failpoints
from services.ingest import Outcome, Source, recorded, run
from services.settings import load

BATCHES, CROSSINGS = 5, 4


class Crash(BaseException):
    """Stands for a death of the process."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("ssh")) as running:
        yield running


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    for number in range(BATCHES):
        keys = [f"BC{number:06}{each:06}" for each in range(CROSSINGS)]
        data = batch(*(crossing(id=key) for key in keys), sequence=number + 1)
        (folder / f"BCI.D2025031{number}.S{number:06}.xml").write_bytes(data)
    return folder


async def once(
    server: Sshd, drop: Path, bus: Bus, data: Path, action: failpoints.Action = failpoints.ignore, **options: Any
) -> Outcome:
    quick: dict[str, Any] = {"fence_seconds": 0.05, "poll_seconds": 0.02, "retry_cap_seconds": 0.01, "chunk_records": 2}
    given = load(environment={}, data_dir=data, ingest=quick)
    known = {"known_hosts": str(server.known_hosts), "key": str(server.key), "unchanged": 0, "resolution": 0}
    bci = systems()["BCI"]
    feed = bci.feed("batches").configured(known | options)
    source = Source(bci, feed, server.url(drop), Credentials(server.user, ""))
    with failpoints.armed(action):
        return (await run(given, [source], once=True, bus=bus, clock=recorded))[0]


@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
async def test_a_crash_or_a_lost_link_at_each_step_loses_no_record(
    server: Sshd, drop: Path, bus: Bus, tmp_path: Path, point: str
) -> None:
    nth = 0
    while True:
        nth += 1
        hits = 0

        async def fail(at: str, nth: int = nth) -> None:
            nonlocal hits
            hits += at == point
            if at == point and hits == (nth + 1) // 2:
                if nth % 2:
                    raise Crash
                server.kill_sessions()

        outcome = await once(server, drop, bus, tmp_path / f"machine{nth % 3}", fail)
        if outcome.error is None and hits < (nth + 1) // 2:
            break
    events = (await world(bus)).events
    assert nth > 1
    assert {event.record for event in events} == {
        f"BC{number:06}{each:06}" for number in range(BATCHES) for each in range(CROSSINGS)
    }
    counters = outcome.counters
    assert (counters.read, counters.published) == (BATCHES * CROSSINGS, BATCHES * CROSSINGS)


async def test_why_a_source_is_down_is_told_in_words(server: Sshd, drop: Path, bus: Bus, tmp_path: Path) -> None:
    stranger, impostor = server.directory / "stranger", tmp_path / "known_hosts"
    key = " ".join((server.directory / "impostor.pub").read_text().split()[:2])
    impostor.write_text(f"[127.0.0.1]:{server.port} {key}\n")
    for options, words in (
        ({"key": str(stranger)}, f"does not let user '{server.user}' in: key or password is refused"),
        ({"known_hosts": str(impostor)}, "shows another host key than known_hosts has for it"),
        ({"known_hosts": ""}, "known_hosts is not set"),
    ):
        outcome = await once(server, drop, bus, tmp_path / "data", **options)
        assert outcome.error is not None
        assert words in outcome.error
    assert (await world(bus)).events == []
    assert (await once(server, drop, bus, tmp_path / "data")).error is None
