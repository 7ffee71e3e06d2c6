"""Files that are read again when they change, without a restart: keys of the issuer, tokens that were revoked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")
PAUSE = 1.0
"""Seconds between two looks at a file."""


class Watched(Generic[T]):
    """What a file holds. A new version that is wrong or cannot be read leaves the last good one in force: told once."""

    def __init__(self, path: Path, parse: Callable[[bytes], T], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read it. Raises OSError, and ValueError from parsing."""
        self._path, self._parse, self._clock = path, parse, clock
        self._state = self._stat()
        self._value = parse(path.read_bytes())
        self._compared = clock()

    def get(self) -> T:
        """What it holds now, or held when it was last good."""
        now = self._clock()
        if now - self._compared >= PAUSE:
            self._compared = now
            self._compare()
        return self._value

    def _compare(self) -> None:
        log = structlog.get_logger("api")
        try:
            state = self._stat()
            if state == self._state:
                return
            self._state = state  # told once for each change, not once a second
            self._value = self._parse(self._path.read_bytes())
        except (OSError, ValueError) as error:
            if self._state != _GONE or not isinstance(error, OSError):
                log.error("a file cannot be read again: what it held before stays in force", **self._described(error))
            self._state = _GONE if isinstance(error, OSError) else self._state
        else:
            log.info("a file changed and was read again", path=self._path.name)

    def _described(self, error: Exception) -> dict[str, str]:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return {"path": self._path.name, "why": reason or type(error).__name__}

    def _stat(self) -> tuple[int, int, int]:
        state = self._path.stat()
        return (state.st_mtime_ns, state.st_size, state.st_ino)


_GONE = (-1, -1, -1)
