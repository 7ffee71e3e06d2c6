"""The retry policies, by name. Nothing else in the services loops over failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_any,
)
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_chain, wait_random, wait_random_exponential

OnFailure = Callable[[RetryCallState], None]
"""Called with each failure before the wait."""


class _Stopped(stop_base):
    """Give up as soon as the event is set."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def __call__(self, retry_state: RetryCallState) -> bool:
        return self._event.is_set()


class _AsAsked(wait_base):
    """Wait at least as long as the source asks to be left alone for: `retry_after` of its exception."""

    def __init__(self, least: wait_base) -> None:
        self._least = least

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome is not None else None
        return max(self._least(retry_state), float(getattr(error, "retry_after", 0.0)))


async def wait(seconds: float, stop: asyncio.Event) -> None:
    """Wait, at most until `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _sleep(stop: asyncio.Event) -> Callable[[float], Awaitable[None]]:
    return lambda seconds: wait(seconds, stop)


def backoff(failures: int, breaker: int, cap: float) -> float:
    """Return how long to wait after that many failures in a row, as `source` does: ten times `cap` behind `breaker`."""
    return min(cap, 0.5 * 2 ** min(failures, 20)) if failures <= breaker else 10 * cap


def source(
    down: type[Exception],
    *,
    stop: asyncio.Event,
    failures: int,
    cap: float,
    attempts: int | None = None,
    on_failure: OnFailure | None = None,
) -> AsyncRetrying:
    """A source that is down: full jitter up to `cap`, without end.

    After `failures` in a row its breaker is open: ten times the cap lies between two attempts. With `attempts` it is
    given up after that many.
    """
    short = wait_random_exponential(multiplier=min(0.5, cap), max=cap)
    ends: list[stop_base] = [_Stopped(stop)]
    if attempts is not None:
        ends.append(stop_after_attempt(attempts))
    return AsyncRetrying(
        retry=retry_if_exception_type(down),
        wait=_AsAsked(wait_chain(*[short] * failures, wait_random(5 * cap, 10 * cap))),
        stop=stop_any(*ends),
        sleep=_sleep(stop),
        before_sleep=on_failure,
        reraise=True,
    )


def bus(
    down: type[Exception] | tuple[type[Exception], ...],
    *,
    stop: asyncio.Event,
    deadline: float,
    on_failure: OnFailure | None = None,
) -> AsyncRetrying:
    """The bus is down: jitter up to 10 s until `deadline`; then the last error is raised and the process ends."""
    return AsyncRetrying(
        retry=retry_if_exception_type(down),
        wait=wait_random_exponential(multiplier=0.1, max=10),
        stop=stop_any(_Stopped(stop), stop_after_delay(deadline)),
        sleep=_sleep(stop),
        before_sleep=on_failure,
        reraise=True,
    )


def transaction(*, stop: asyncio.Event) -> AsyncRetrying:
    """A database transaction that lost against another one: again, soon, and not in step with the other."""
    from services.store.writer import Conflict  # here, so that who has no store need not load one

    return AsyncRetrying(
        retry=retry_if_exception_type(Conflict),
        wait=wait_random_exponential(multiplier=0.02, max=1),
        stop=stop_any(_Stopped(stop), stop_after_attempt(50)),
        reraise=True,
    )
