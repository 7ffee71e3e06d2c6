"""What an open page and metrics cost: `python tests/benchmarks/page_open.py --slice 10 --turns 10 --memory 600`.

An installation takes RATE events a second (1,000) all the time. In each turn it is left alone, Prometheus asks the
correlator for its metrics, and the page is open in Chromium, for a slice of some seconds each, and then the same in
reverse order: what drifts with the machine or with the growing view costs all three alike. Told is the CPU that the
correlator uses for an event that it took (by the clock of its process, to the nanosecond), which other load on the
machine changes less than its time, against the quiet slices of the same turn: the mean over all turns with its
95 % interval. A bound is met or missed where the whole interval is on one side of it, else more turns are needed.

At the end the page stays open for MEMORY seconds: the longest task of its main thread in the whole run, and how its
memory (what is left once all is collected) changed from one minute to the next. Exits with 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from statistics import mean, stdev
from urllib.request import ProxyHandler, build_opener
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

from browsing import Installation, Seen, chromium, installation, signed_in
from playwright.sync_api import Browser

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

QUIET, METRICS, PAGE = "quiet", "metrics asked for", "page open"
KINDS = (QUIET, METRICS, PAGE)
BOUNDS = {METRICS: 0.01, PAGE: 0.02}
LONGEST_MILLISECONDS = 200
WARM_SECONDS = 5.0
MINUTE = 60.0
TICK = 0.1
SCRAPE_SECONDS = 10.0
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
    """The CPU seconds that a process has used, by its own clock (`clock_getcpuclockid` of glibc, CPUCLOCK_SCHED)."""
    return time.clock_gettime((~process << 3) | 2)


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


@dataclass
class Spent:
    """CPU of the correlator, and the events that it took with it."""

    seconds: float = 0.0
    events: int = 0

    @property
    def micro(self) -> float:
        """Microseconds an event."""
        return self.seconds / max(1, self.events) * 1e6


@contextmanager
def counted(at: Installation, spent: Spent) -> Iterator[None]:
    """Add what the correlator does while the context lasts."""
    correlator = at.children[0].pid
    (before, _), used = taken(at), cpu(correlator)
    yield
    (after, _), now = taken(at), cpu(correlator)
    spent.seconds += now - used
    spent.events += after - before


class Page:
    """What was seen of the page in all its slices."""

    def __init__(self) -> None:
        self.longest = 0.0

    @contextmanager
    def open(self, browser: Browser, at: Installation) -> Iterator[Seen]:
        """The page, once what is made once is made."""
        with signed_in(browser, at) as seen:
            seen.page.evaluate(_BLOCKED)
            seen.page.wait_for_timeout(WARM_SECONDS * 1000)
            seen.page.evaluate("window.__blocked = []")
            yield seen
            self.longest = max(self.longest, seen.page.evaluate("Math.max(0, ...window.__blocked)"))


def turn(at: Installation, browser: Browser, page: Page, port: int, seconds: float) -> dict[str, Spent]:
    """Each kind of slice once, and once more in reverse order."""
    spent = {kind: Spent() for kind in KINDS}
    for kind in (*KINDS, *reversed(KINDS)):
        if kind == PAGE:
            with page.open(browser, at) as seen, counted(at, spent[kind]):
                seen.page.wait_for_timeout(seconds * 1000)
        elif kind == METRICS:
            with scraped(port), counted(at, spent[kind]):
                time.sleep(seconds)
        else:
            with counted(at, spent[kind]):
                time.sleep(seconds)
    return spent


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half of its 95 % interval; endless for one value."""
    half = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else inf
    return mean(values), half


def verdict(low: float, high: float, bound: float) -> str:
    """Whether what lies between two values is under a bound."""
    return "met" if high < bound else "MISSED" if low >= bound else "not known: more turns, or a quieter machine"


def remembered(at: Installation, browser: Browser, page: Page, seconds: float) -> list[tuple[int, int]]:
    """Bytes and nodes of the page, minute by minute, while it stays open."""
    sizes = []
    with page.open(browser, at) as seen:
        sizes.append(size(seen))
        left = seconds
        while left > 0:
            seen.page.wait_for_timeout(min(left, MINUTE) * 1000)
            left -= MINUTE
            sizes.append(size(seen))
    return sizes


def steady(sizes: Sequence[tuple[int, int]]) -> bool:
    """Whether the second half of the time brought no growth beyond that of one redrawn page.

    The first half fills the charts of the last hour, whose points are bounded.
    """
    bytes_, nodes = ([each[part] for each in sizes[len(sizes) // 2 :]] for part in (0, 1))
    return bytes_[-1] <= 1.1 * bytes_[0] and nodes[-1] <= 1.1 * nodes[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slice", type=float, default=10.0, help="seconds of each slice, six a turn")
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--rate", type=int, default=1_000, help="events a second")
    parser.add_argument("--memory", type=float, default=600.0, help="seconds for which the page stays open at the end")
    asked = parser.parse_args()
    port, page = free_port(), Page()
    turns: list[dict[str, Spent]] = []
    with (
        tempfile.TemporaryDirectory() as place,
        installation(Path(place), settings={"VISABUS_METRICS__CORRELATE": str(port)}) as at,
        chromium() as browser,
    ):
        stream = Stream(at.environment["VISABUS_BUS_URL"], asked.rate)
        stream.start()
        time.sleep(5)
        for number in range(1, asked.turns + 1):
            turns.append(turn(at, browser, page, port, asked.slice))
            words = ", ".join(f"{kind} {spent.micro:.1f}" for kind, spent in turns[-1].items())
            print(f"turn {number}: {words} us an event; behind: {taken(at)[1]} of {stream.sent} messages", flush=True)
        sizes = remembered(at, browser, page, asked.memory)
        behind_at_the_end = taken(at)[1]
        stream.over.set()
        stream.join(30)
    verdicts = []
    for kind, bound in BOUNDS.items():
        share, half = interval([each[kind].micro / each[QUIET].micro - 1 for each in turns])
        verdicts.append(verdict(share - half, share + half, bound))
        print(f"{kind}: {share:+.2%} of CPU an event (+-{half:.2%}), wanted under {bound:.0%}: {verdicts[-1]}")
    verdicts.append(verdict(page.longest, page.longest, LONGEST_MILLISECONDS))
    print(f"longest task of the page: {page.longest:.0f} ms, wanted under {LONGEST_MILLISECONDS}: {verdicts[-1]}")
    verdicts.append("met" if steady(sizes) else "MISSED")
    words = " ".join(f"{bytes_ / 1e6:.2f}/{nodes}" for bytes_, nodes in sizes)
    print(f"memory of the page by the minute, MB/nodes: {words}: steady over {asked.memory:.0f} s: {verdicts[-1]}")
    print(f"behind at the end: {behind_at_the_end} of {stream.sent} messages")
    sys.exit(1 if "MISSED" in verdicts else 0)


if __name__ == "__main__":
    main()
