"""A correlator process that meets its fate at a named point: `python -m correlating POINT NTH kill|stop [once]`.

Settings come from the environment, as for `visabus correlate`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from services.cli.signals import stop_on_signals
from services.correlator.process import run
from services.logs import configure
from services.settings import load

POINTS = (
    "append.begin",
    "append.written",
    "append.committed",
    "compare.written",
    "resolve.locked",
    "resolve.written",
    "resolve.committed",
    "outbox.sent",
)
FATES = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


async def main(point: str, nth: int, fate: str, once: bool) -> None:
    """Correlate; at the n-th passing of the point, be killed or stopped."""
    passed = 0

    async def meet(at: str) -> None:
        nonlocal passed
        passed += at == point
        if passed == nth and at == point:
            os.kill(os.getpid(), FATES[fate])

    settings = load()
    configure(settings.log.level, settings.log.form)
    await run(settings, once=once, stop=stop_on_signals(), pause=meet)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], "once" in sys.argv[4:]))
