"""HTTP connections of which none costs the others: for the API and the push door alike.

uvicorn closes idle connections and waits for all else as long as the other side likes. Here a request's head has so
many seconds, a body a least rate, an answer that is not fetched so many seconds, and the number of connections an upper
limit. At the limit a new connection takes the place of the one that has kept silent for longest; requests in work keep
theirs. What was closed, and why, is counted and told in the log, at most once in ten seconds for each reason.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.metrics.instruments import CLOSED

HEAD_BYTES = 32_768
"""Bytes of a request's head."""
QUIET_SECONDS = 10.0
_STALL = 0.5
"""Seconds by which a timer is late when the process was held up."""
_LINGER = 5.0
"""Seconds for the last bytes of a connection that is closed to be fetched."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may cost."""

    connections: int = 1_000
    head_seconds: float = 10.0
    body_grace_seconds: float = 5.0
    body_rate: float = 1_000.0  # bytes a second, once the grace is over
    idle_seconds: float = 15.0
    answer_seconds: float = 20.0


class Ended(StrEnum):
    """Why a connection was closed by this side before its request was answered, or its answer fetched."""

    HEAD = "head-slow"
    BODY = "body-slow"
    ANSWER = "answer-not-fetched"
    UNREAD = "body-after-answer"
    CROWD = "connections"


class _Phase(StrEnum):
    HEAD = "head"  # the first byte of a head is awaited on a new connection, or a head is under way
    BODY = "body"
    UNREAD = "unread"  # answered, and the other side still sends
    WORK = "work"
    IDLE = "idle"


@dataclass(slots=True)
class Closures:
    """Counts what was closed; a line at the first, and one for all that follow within ten seconds."""

    counts: dict[str, int] = field(default_factory=dict)
    _since: dict[str, int] = field(default_factory=dict)

    def count(self, reason: Ended) -> None:
        """One more."""
        CLOSED.labels(reason.value).inc()
        self.counts[reason] = self.counts.get(reason, 0) + 1
        if reason in self._since:
            self._since[reason] += 1
            return
        self._since[reason] = 0
        self._say(reason, 1)
        asyncio.get_running_loop().call_later(QUIET_SECONDS, self._later, reason)

    def _later(self, reason: Ended) -> None:
        if more := self._since.pop(reason):
            self._say(reason, more)

    def _say(self, reason: Ended, count: int) -> None:
        structlog.get_logger("web").warning(
            "connections closed", reason_code=reason.value, count=count, total=self.counts[reason]
        )


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings, with the limits of its connections and those that wait."""

    def __init__(self, app: Any, limits: Limits, **given: Any) -> None:
        self.limits = limits
        self.closures = Closures()
        # in the order in which they fell silent; those that never asked anything go first
        self.new: dict[BoundedProtocol, None] = {}
        self.idle: dict[BoundedProtocol, None] = {}
        super().__init__(
            app,
            http=BoundedProtocol,
            ws="none",
            h11_max_incomplete_event_size=HEAD_BYTES,
            timeout_keep_alive=max(1, round(limits.idle_seconds)),
            **given,
        )


class BoundedProtocol(H11Protocol):
    """One connection."""

    config: BoundedConfig

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._phase = _Phase.IDLE
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._cycle: object = None  # whose body is under way
        self._since = self._due = 0.0
        self._got = 0

    # what asyncio and uvicorn tell

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library's own
        super().connection_made(transport)
        self._enter(_Phase.HEAD)
        if len(self.connections) > self.config.limits.connections:
            (self._longest_silent() or self)._end(Ended.CROWD, b"503 Service Unavailable")

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._fetched()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        self._got += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._fetched()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch()

    # what follows from it

    def _watch(self) -> None:
        theirs = self.conn.their_state
        if self.transport.is_closing():
            self._forget()
            self._stall(_LINGER)
        elif theirs is h11.IDLE:
            silent = self.timeout_keep_alive_task is not None
            self._enter(_Phase.IDLE if silent else _Phase.HEAD)
        elif theirs is h11.SEND_BODY:
            answered = self.cycle.response_complete
            self._enter(_Phase.UNREAD if answered else _Phase.BODY)
        else:
            self._enter(_Phase.WORK)

    def _enter(self, phase: _Phase) -> None:
        if phase is self._phase and self._cycle is self.cycle:
            return
        self._forget()
        self._phase, self._cycle = phase, self.cycle
        limits, now = self.config.limits, self.loop.time()
        if phase is _Phase.HEAD:
            self.config.new[self] = None
            self._due = now + limits.head_seconds
            self._timer = self.loop.call_at(self._due, self._head_late)
        elif phase is _Phase.BODY:
            self._since, self._got, self._due = now, 0, now + limits.body_grace_seconds
            self._timer = self.loop.call_at(self._due, self._body_checked)
        elif phase is _Phase.UNREAD:
            self._timer = self.loop.call_later(limits.body_grace_seconds, self._end, Ended.UNREAD)
        elif phase is _Phase.IDLE:
            self.config.idle[self] = None

    def _forget(self) -> None:
        self.config.new.pop(self, None)
        self.config.idle.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _longest_silent(self) -> BoundedProtocol | None:
        for waiting in (self.config.new, self.config.idle):
            for one in waiting:
                if one is not self:
                    return one
        return None

    def _head_late(self) -> None:
        if self._held_up() > _STALL:
            self._due = self.loop.time() + self.config.limits.head_seconds
            self._timer = self.loop.call_at(self._due, self._head_late)
        else:
            self._end(Ended.HEAD, b"408 Request Timeout")

    def _held_up(self) -> float:
        """Seconds for which this process itself was held up: the other side may have sent in time."""
        return self.loop.time() - self._due

    def _body_checked(self) -> None:
        limits, now = self.config.limits, self.loop.time()
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._since = now - limits.body_grace_seconds + 1.0  # the application does not read: no fault of theirs
            self._got = 0
        if self._held_up() > _STALL:
            self._since += self._held_up() + 1.0
        until = self._since + limits.body_grace_seconds + self._got / limits.body_rate
        if until > now:
            self._due = until
            self._timer = self.loop.call_at(until, self._body_checked)
        else:
            self._end(Ended.BODY, b"" if self.cycle.response_started else b"408 Request Timeout")

    def _end(self, reason: Ended, status: bytes = b"") -> None:
        self.config.closures.count(reason)
        if status:
            head = b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n"
            self.transport.write(head + b"retry-after: 1\r\n\r\n")
        self.transport.close()
        self._watch()

    def _stall(self, seconds: float | None = None) -> None:
        if self._stalled is None:
            wait = self.config.limits.answer_seconds if seconds is None else seconds
            self._stalled = self.loop.call_later(wait, self._not_fetched)

    def _fetched(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _not_fetched(self) -> None:
        if self.transport.get_write_buffer_size():
            self.config.closures.count(Ended.ANSWER)
        self.transport.abort()
