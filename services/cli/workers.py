"""`visabus ingest --workers N`: the feeds shared out among processes, which one command starts, watches and ends."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import PIPE

import structlog

from services import retry
from services.cli import children
from services.cli.context import FAILED, MISUSED, Given
from services.settings import Settings
from services.stopping import LATE_SECONDS

STEADY_SECONDS = 60.0
"""How long a worker has run until its end counts as the first failure again."""
PORT = "VISABUS_METRICS__INGEST"
log = structlog.get_logger("ingest")


def shared_out(feeds: Sequence[str], workers: int) -> list[list[str]]:
    """Return which feeds each worker reads: in turns, none without any. The order of the feeds decides, not their size.

    Feeds of one system go to different workers as far as there are workers: its big and its small ones are known, if at
    all, to its owner only.
    """
    groups = [list(feeds[first::workers]) for first in range(workers)]
    return [group for group in groups if group]


@dataclass(slots=True)
class Workers:
    """The processes of one `visabus ingest`, each with feeds of its own.

    A worker that ends is started again, later after each failure. All end with the process that started them, however
    that ends: each reads its standard input, which ends then.
    """

    settings: Settings
    given: Given
    options: Sequence[str]  # of `visabus ingest`, for each worker
    once: bool
    take_over: bool
    stop: asyncio.Event

    async def run(self, groups: Sequence[Sequence[str]], workers: int) -> int:
        """Run a worker for each group of feeds (`NAME[=URL]`) until `stop`, or with `once` to its end.

        Of `workers`, those for which there is no group map for the others. Returns the exit code: that of the worker
        that failed worst, where none is started again.
        """
        each, more = divmod(workers - len(groups), len(groups))
        mapping = [each + (number < more) for number in range(len(groups))]
        codes = await asyncio.gather(
            *(self._keep(number, feeds, mapping[number]) for number, feeds in enumerate(groups))
        )
        return max(codes)

    async def _keep(self, number: int, feeds: Sequence[str], mappers: int) -> int:
        failures, take_over = 0, self.take_over
        ingest = self.settings.ingest
        while True:
            began = time.monotonic()
            code = await self._live(number, feeds, mappers, take_over=take_over)
            if self.once or self.stop.is_set():
                return code
            if code == MISUSED:  # what it was started with is wrong, and stays so
                self.stop.set()
                return code
            failures = 1 if time.monotonic() - began >= STEADY_SECONDS else failures + 1
            seconds = retry.backoff(failures, ingest.breaker_failures, ingest.retry_cap_seconds)
            log.error("worker ended", worker=number, code=code, feeds=len(feeds), wait=round(seconds, 1))
            await retry.wait(seconds, self.stop)
            if self.stop.is_set():
                return FAILED
            take_over = False  # what another one took since then is its own

    async def _live(self, number: int, feeds: Sequence[str], mappers: int, *, take_over: bool) -> int:
        """Return the exit code of one worker, which `stop` ends."""
        arguments = [*before(self.given), "ingest", "--with-parent", *self.options]
        arguments += ["--take-over"] if take_over else []
        arguments += ["--mappers", str(mappers)] if mappers else []
        arguments += [part for feed in feeds for part in ("--feed", feed)]
        port = self.settings.metrics.ingest
        environment = dict(os.environ) | ({PORT: str(port + number)} if port else {})
        process = await asyncio.create_subprocess_exec(
            str(children.VISABUS), *arguments, stdin=PIPE, env=environment, start_new_session=True
        )
        log.info("worker begins", worker=number, pid=process.pid, feeds=len(feeds))
        ended, stopped = asyncio.create_task(process.wait()), asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
            code = await children.end(process, self.settings.deadlines.stop + LATE_SECONDS + children.GRACE_SECONDS)
            return code if code >= 0 else FAILED
        finally:
            ended.cancel()
            stopped.cancel()
            if process.stdin is not None:
                process.stdin.close()


def before(given: Given) -> list[str]:
    """Return the options before a command, as they were given to this one."""
    named = {"--settings": given.settings, "--bus": given.bus, "--store": given.store, "--data": given.data}
    return [part for option, value in named.items() if value is not None for part in (option, str(value))]
