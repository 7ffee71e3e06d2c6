"""Doing a step again and again while the bus or the local disk is down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from tenacity import RetryCallState

from bus.contract import BusDown, UnknownTopic
from links.reasons import is_final
from services import retry
from services.dead_letters import SpoolDown

T = TypeVar("T")
_PASSING = (BusDown, SpoolDown, UnknownTopic)  # topics that are being made anew
log = structlog.get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Patience:
    """Repeats a step that failed because the bus, its topics or the disk were away, for `deadline` seconds at most."""

    deadline: float

    async def __call__(self, stop: asyncio.Event, step: Callable[[], Awaitable[T]]) -> T:
        """Return what the step returns. After the deadline, or once `stop` is set, what it raises: that all is away."""
        try:
            return await step()  # the policy costs more than most steps, and most steps succeed
        except _PASSING as error:
            if stop.is_set() or is_final(error):
                raise
            self._log(error, 1)

        async def attempt() -> T:
            return await step()

        policy = retry.bus(_PASSING, stop=stop, deadline=self.deadline, on_failure=self._on_failure)
        return await policy(attempt)

    def _on_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        self._log(error, state.attempt_number + 1)

    @staticmethod
    def _log(error: BaseException | None, attempt: int) -> None:
        # these errors name servers, topics and files of this side, and no record
        log.warning("held up", code=type(error).__name__, why=str(error), attempt=attempt)
