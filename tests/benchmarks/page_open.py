"""What an open page and metrics cost: `python tests/benchmarks/page_open.py [SECONDS] [TURNS] [RATE]`.

An installation takes RATE events a second (1,000) while nobody watches, while Prometheus asks the correlator for its
metrics, and while the page is open in Chromium, SECONDS (20) each, TURNS (2) times in turn. Told are the
CPU that the correlator uses for an event that it took, which other load on the machine changes less than its time,
against the quiet time of the same turn; how far it was behind at the end; and of the page the longest task of its main
thread and how much it grew.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.request import ProxyHandler, build_opener
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

from browsing import Installation, Seen, chromium, installation, signed_in

from bus.contract import Message
from bus.events import message_of
from bus.open import open_bus
from schemas.events import Arrival, Revision, Subject
from schemas.identifiers import Identifier, Scheme
from schemas.ids import event_id
from schemas.moments import Moment
from schemas.topics import EVENT_TOPICS
from services.store import open_store
from services.store.contract import behind

TICK = 0.1
SCRAPE_SECONDS = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")
_DIRECT = build_opener(ProxyHandler({}))
_BLOCKED = """
window.__blocked = [];
new PerformanceObserver((list) => { for (const task of list.getEntries()) window.__blocked.push(task.duration); })
  .observe({ entryTypes: ['longtask'] });
"""


def message(number: int) -> Message:
    """An arrival of somebody who is not known yet."""
    record, content = f"bench {number}", f"{number:016x}"
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
    fin = Identifier(scheme=Scheme.FIN, value=f"{number:09d}", issuer="OBIM")
    return message_of(
        Arrival(
            id=UUID(str(event_id("I94", record, "", 1, content, 1))),
            system="I94",
            record=record,
            place="line 1",
            batch="bench",
            revision=Revision(number=1, digest=content),
            mapping_version=1,
            occurred_at=Moment.instant(at),
            recorded_at=at,
            published_at=datetime.now(UTC),
            subject=Subject(identifiers=(fin,)),
            class_of_admission="B2",
            admitted_until=(at + timedelta(days=180)).date(),
        )
    )


class Stream(threading.Thread):
    """Sends events at a steady rate until it is stopped."""

    def __init__(self, url: str, rate: int) -> None:
        super().__init__(daemon=True)
        self.url, self.rate = url, rate
        self.sent = 0
        self.over = threading.Event()

    def run(self) -> None:
        """Send."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        bus = await open_bus(self.url)
        producer = await bus.producer()
        began = time.monotonic()
        try:
            while not self.over.is_set():
                due = int((time.monotonic() - began) * self.rate)
                for start in range(self.sent, due, self.rate):
                    await producer.send([message(number) for number in range(start, min(due, start + self.rate))])
                self.sent = max(self.sent, due)
                await asyncio.sleep(TICK)
        finally:
            await producer.close()
            await bus.close()


def cpu(process: int) -> float:
    """The CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def _taken(url: str, store: str) -> tuple[int, int]:
    bus, opened = await open_bus(url), await open_store(store, migrate=False)
    try:
        positions = await opened.reads.positions()
        return sum(positions.values()), behind(await bus.ends(EVENT_TOPICS), positions)
    finally:
        await bus.close()
        await opened.close()


def taken(at: Installation) -> tuple[int, int]:
    """How many messages the view has, and how many it lacks."""
    places = at.environment["VISABUS_BUS_URL"], at.environment["VISABUS_STORE_URL"]
    with ThreadPoolExecutor(1) as apart:  # the browser's loop runs in this thread
        return apart.submit(lambda: asyncio.run(_taken(*places))).result()


@contextmanager
def scraped(port: int) -> Iterator[None]:
    """Ask for metrics as often as Prometheus is set to in `deploy/monitoring`."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(SCRAPE_SECONDS):
            with suppress(OSError):
                _DIRECT.open(f"http://127.0.0.1:{port}/metrics", timeout=5).read()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def size(seen: Seen) -> tuple[int, int]:
    """Bytes and nodes of the page, without what can be collected."""
    protocol = seen.page.context.new_cdp_session(seen.page)
    for _ in range(3):
        protocol.send("HeapProfiler.collectGarbage")
    heap = protocol.send("Runtime.getHeapUsage")["usedSize"]
    nodes = protocol.send("Memory.getDOMCounters")["nodes"]
    protocol.detach()
    return int(heap), int(nodes)


def measured(at: Installation, seconds: float, wait: Callable[[float], object]) -> float:
    """The CPU of the correlator for an event that it took, in microseconds, over some time."""
    correlator = at.children[0].pid
    used, (before, _) = cpu(correlator), taken(at)
    wait(seconds)
    return (cpu(correlator) - used) / max(1, taken(at)[0] - before) * 1e6


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    rate = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000
    port = free_port()
    costs: dict[str, list[float]] = {"quiet": [], "metrics asked for": [], "page open": []}
    with (
        tempfile.TemporaryDirectory() as place,
        installation(Path(place), settings={"VISABUS_METRICS__CORRELATE": str(port)}) as at,
        chromium() as browser,
    ):
        stream = Stream(at.environment["VISABUS_BUS_URL"], rate)
        stream.start()
        time.sleep(5)
        for _ in range(turns):
            costs["quiet"].append(measured(at, seconds, time.sleep))
            with scraped(port):
                costs["metrics asked for"].append(measured(at, seconds, time.sleep))
            with signed_in(browser, at) as seen:
                seen.page.evaluate(_BLOCKED)
                seen.page.wait_for_timeout(5_000)  # what is made once is made
                heap, nodes = size(seen)
                seen.page.evaluate("window.__blocked = []")
                costs["page open"].append(
                    measured(at, seconds, lambda span, seen=seen: seen.page.wait_for_timeout(span * 1000))
                )
                longest = seen.page.evaluate("Math.max(0, ...window.__blocked)")
                after, nodes_after = size(seen)
                print(f"page: longest task {longest:.0f} ms, {after - heap:+,} bytes, {nodes_after - nodes:+} nodes")
            print(f"behind: {taken(at)[1]} of {stream.sent} messages")
        stream.over.set()
        stream.join(30)
    quiet = costs["quiet"]
    for name, each in costs.items():
        ratio = median(one / other - 1 for one, other in zip(each, quiet, strict=True))
        print(f"{name:<18} {median(each):7.1f} us of CPU an event, {ratio:+.2%}")


if __name__ == "__main__":
    main()
