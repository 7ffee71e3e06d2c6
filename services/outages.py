"""A bus, store or disk that is away: told when it goes and why, where the reason changes, and when it is back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from tenacity import RetryCallState

AGAIN_SECONDS = 60.0
"""How often it is told again while it lasts."""


class Line(Protocol):
    """Writes a line of the log."""

    def __call__(self, **values: object) -> object:
        """Write it with these values."""


@dataclass(slots=True)
class Outage:
    """What one task waits for."""

    gone: Line  # says that something is away
    back: Line  # and that it is there again
    _since: float | None = None
    _logged: float = 0.0
    _why: str = ""

    def met(self, error: BaseException | None, attempt: int) -> None:
        """Tell of a failure, if it is news."""
        now, why = time.monotonic(), str(error)
        if self._since is None:
            self._since = now
        elif why == self._why and now - self._logged < AGAIN_SECONDS:
            return
        self._logged, self._why = now, why
        reason = getattr(error, "code", None)
        code = str(reason) if reason is not None else type(error).__name__
        self.gone(code=code, why=why, attempt=attempt)

    def failed(self, state: RetryCallState) -> None:
        """Tell the same of an attempt, as a policy of retrying has it."""
        self.met(state.outcome.exception() if state.outcome is not None else None, state.attempt_number)

    def seconds(self) -> float:
        """Return for how long it has been away; 0.0 where it is there."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def over(self) -> None:
        """Tell that it is back, if it was away."""
        if self._since is not None:
            self.back(seconds=round(time.monotonic() - self._since, 1))
            self._since, self._why = None, ""
