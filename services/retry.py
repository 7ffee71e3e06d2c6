"""The retry policies, by name. Nothing else in the services loops over failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_any,
)
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_chain, wait_random, wait_random_exponential

from links.reasons import is_final

OnFailure = Callable[[RetryCallState], None]
"""Called with each failure before the wait."""


class _Stopped(stop_base):
    """Give up as soon as the event is set."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def __call__(self, retry_state: RetryCallState) -> bool:
        return self._event.is_set()


class _AwayFor(stop_base):
    """Give up once something has been away for so many seconds."""

    def __init__(self, away: Callable[[], float], deadline: float) -> None:
        self._away = away
        self._deadline = deadline

    def __call__(self, retry_state: RetryCallState) -> bool:
        return self._away() >= self._deadline


def _may_pass(down: type[Exception] | tuple[type[Exception], ...]) -> retry_if_exception:
    """Try again after such an error, unless it says that this cannot help."""
    return retry_if_exception(lambda error: isinstance(error, down) and not is_final(error))


class _RarelyWhereFinal(wait_base):
    """Wait as for an open breaker where an error says that trying again soon cannot help."""

    def __init__(self, other: wait_base, rare: wait_base) -> None:
        self._other = other
        self._rare = rare

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome is not None else None
        return (self._rare if is_final(error) else self._other)(retry_state)


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

    After `failures` in a row its breaker is open: ten times the cap lies between two attempts, as after an error that
    is final. With `attempts` it is given up after that many, or at once where the error is final.
    """
    short = wait_random_exponential(multiplier=min(0.5, cap), max=cap)
    ends: list[stop_base] = [_Stopped(stop)]
    if attempts is not None:
        ends.append(stop_after_attempt(attempts))
    rare = wait_random(5 * cap, 10 * cap)
    return AsyncRetrying(
        retry=retry_if_exception_type(down) if attempts is None else _may_pass(down),
        wait=_AsAsked(_RarelyWhereFinal(wait_chain(*[short] * failures, rare), rare)),
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
    away: Callable[[], float] | None = None,
) -> AsyncRetrying:
    """The bus is down: jitter up to 10 s until `deadline`; then the last error is raised and the process ends.

    An error that is final is raised at once. `away` says for how many seconds it has been away, where an attempt may
    work for long before it fails: without it the deadline counts from the beginning of the first attempt.
    """
    return AsyncRetrying(
        retry=_may_pass(down),
        wait=wait_random_exponential(multiplier=0.1, max=10),
        stop=stop_any(_Stopped(stop), stop_after_delay(deadline) if away is None else _AwayFor(away, deadline)),
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
