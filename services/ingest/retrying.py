"""Doing a step again and again while the bus or the local disk is down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import structlog

from bus.contract import BusDown, UnknownTopic
from links.reasons import is_final
from services import retry
from services.dead_letters import SpoolDown
from services.outages import Outage

T = TypeVar("T")
_PASSING = (BusDown, SpoolDown, UnknownTopic)  # topics that are being made anew
log = structlog.get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Patience:
    """Repeats a step that failed because the bus, its topics or the disk were away, for `deadline` seconds at most."""

    deadline: float
    outage: Outage = field(
        default_factory=lambda: Outage(partial(log.warning, "held up"), partial(log.info, "not held up any more"))
    )

    async def __call__(self, stop: asyncio.Event, step: Callable[[], Awaitable[T]]) -> T:
        """Return what the step returns. After the deadline, or once `stop` is set, what it raises: that all is away."""
        try:
            result = await step()  # the policy costs more than most steps, and most steps succeed
        except _PASSING as error:
            if stop.is_set() or is_final(error):
                raise
            self.outage.met(error, 1)
        else:
            self.outage.over()
            return result

        async def attempt() -> T:
            return await step()

        policy = retry.bus(_PASSING, stop=stop, deadline=self.deadline, on_failure=self.outage.failed)
        result = await policy(attempt)
        self.outage.over()
        return result
