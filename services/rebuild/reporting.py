"""How far a rebuild is, kept beside the edition that it builds, for those who did not start it.

`visabus status`, the page and the metrics read it (`services.overview.rebuilds`). A process that was killed leaves its
last word, which grows old.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from bus.contract import BusDown
from services.domain.facts import MICRO
from services.processes import process_name
from services.rate import Rate
from services.rebuild.catching_up import Stopped
from services.rebuild.target import NewStore, NoRebuild, Progress
from services.retry import wait
from services.settings import Settings
from services.store import open_store
from services.store.contract import StoreDown
from services.store.editions import Home

SECONDS = 2.0
"""How often it is written down."""
WINDOW_SECONDS = 60.0
"""The rate is that of so long."""


class Reporter:
    """Takes down what is told of a rebuild, and passes it on to who shows it."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._process = process_name()
        self._stage, self._done, self._total = "begin", 0, None
        self._waits: str | None = None
        self._moved = _now()
        self._rate = Rate(WINDOW_SECONDS)

    _total: int | None

    def at(self, done: int, total: int | None, stage: str = "read") -> None:
        """So many of so many (None: not known) are through a stage."""
        if stage != self._stage:
            self._rate.clear()
        if (stage, done) != (self._stage, self._done):
            self._moved, self._waits = _now(), None
        self._stage, self._done, self._total = stage, done, total
        self._rate.at(time.monotonic(), done)
        self._shown.at(done, total, stage)

    def waits(self, why: str) -> None:
        """It does not go on: why not, in words."""
        if why != self._waits:
            self._shown.waits(why)
        self._waits = why

    def body(self, *, ended: str | None = None, failed: str | None = None) -> dict[str, Any]:
        """What is kept. `ended`: what it came to. `failed`: why it gave up."""
        rate = self._rate.a_second()
        return {
            "at": _now(),
            "moved": self._moved,
            "process": self._process,
            "stage": self._stage,
            "done": self._done,
            "total": self._total,
            "rate": None if rate is None else round(rate, 1),
            "waits": self._waits,
            "ended": ended,
            "failed": failed,
        }


def _now() -> int:
    return int(time.time() * MICRO)


@asynccontextmanager
async def reported(settings: Settings, new: NewStore, shown: Progress) -> AsyncIterator[Reporter]:
    """Write down how far a rebuild is as long as the context lasts, and how it ended."""
    live = await open_store(settings.store_url)
    reporter, stop = Reporter(shown), asyncio.Event()
    writing = asyncio.create_task(_write(live.home, new.number, reporter, stop))
    ended: dict[str, str] = {"ended": "built"}
    try:
        yield reporter
    except (Stopped, asyncio.CancelledError):
        ended = {"failed": "its command was stopped"}
        raise
    except NoRebuild as error:
        ended = {"failed": str(error)}
        raise
    except (BusDown, StoreDown) as error:
        ended = {"failed": str(error)}
        raise
    except Exception as error:  # of an unforeseen one the class alone: its text may quote a record
        ended = {"failed": type(error).__name__}
        raise
    finally:
        stop.set()
        await asyncio.gather(writing, return_exceptions=True)
        with suppress(StoreDown):  # the command itself says how it ended
            await live.home.report(new.number, reporter.body(**ended))
        await live.close()


async def _write(home: Home, number: int, reporter: Reporter, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(StoreDown):  # a rebuild waits for its store, and so does what is told of it
            await home.report(number, reporter.body())
        await wait(SECONDS, stop)
