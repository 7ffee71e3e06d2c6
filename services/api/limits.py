"""How often a caller may ask, of the API and of the page for operators alike, and an alarm on many who find no one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.api.tokens import Caller
from services.buckets import Alarm, Buckets
from services.metrics.instruments import ENUMERATION, LIMITED
from services.problems import Problem
from services.settings import ApiSettings

ALARM_SECONDS = 600.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts requests by the subject of their token."""

    buckets: Buckets
    enumeration: Alarm

    @classmethod
    def of(cls, settings: ApiSettings, elapsed: Callable[[], float]) -> Limits:
        """Those of the settings; seconds are counted by `elapsed`."""
        alarm = Alarm(settings.not_found_alarm, ALARM_SECONDS, elapsed)
        return cls(Buckets(settings.rate, settings.burst, elapsed), alarm)

    def allow(self, caller: Caller) -> None:
        """Count a request of a caller. Raises Problem (429) where there were too many."""
        if seconds := self.buckets.take(caller.subject):
            LIMITED.inc()
            detail = "Too many look-ups of this subject."
            raise Problem(429, "rate", detail, headers={"Retry-After": str(seconds)})

    def not_found(self, caller: Caller, request: str) -> None:
        """Count a look-up that found no one; the audit row of the request named in the alarm says whose it was."""
        if self.enumeration.count(caller.subject):
            ENUMERATION.inc()
            _log.warning(
                "many look-ups of one subject find no one",
                request=request,
                client=caller.client,
                count=self.enumeration.most,
                seconds=self.enumeration.seconds,
                total=self.enumeration.total,
            )
