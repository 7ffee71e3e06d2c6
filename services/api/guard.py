"""What stands around every request: its number, its bounds, its headers, its line in the log, and the last word.

The last word: no success leaves a path that tells of persons unless the audit log has its row. A route without
an authorised look-up is answered with an error instead.
"""

from __future__ import annotations

import time
import uuid
from urllib.parse import parse_qsl

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.problems import Problem

OPEN = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs"})
"""The paths that need no token and tell of nobody."""
MAX_PATH = 512
MAX_QUERY = 512
MAX_BODY = 4_096
MAX_AT_ONCE = 256
"""Requests that tell of persons, at one time; health is answered beside them."""
CLOSED: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
)
"""Of every answer, of look-ups and of the page for operators alike."""
POLICY = b"default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = (*CLOSED, (b"content-security-policy", POLICY))
BUSY = Problem(503, "busy", "Too many requests at the same time.", headers={"Retry-After": "1"})
_log = structlog.get_logger()


class Guard:
    """ASGI middleware; see above."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = str(uuid.uuid4())
        state = scope.setdefault("state", {})
        state["request"] = request
        passage = _Passage(self._app, scope, receive, send, request)
        if scope["path"] in OPEN:
            await passage.run()
        elif self._inside >= MAX_AT_ONCE:
            await passage.turn_away(BUSY)
        else:
            self._inside += 1
            try:
                await passage.run()
            finally:
                self._inside -= 1


class _Passage:
    """One request on its way through."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, request: str) -> None:
        self._app, self._scope, self._receive, self._send = app, scope, receive, send
        self._request = request
        self._status = 0
        self._read = 0
        self._withheld = False

    async def run(self) -> None:
        began = time.perf_counter()
        problem = _out_of_bounds(self._scope)
        if problem is not None:
            await self._tell(problem)
        else:
            await self._pass()
        self._note(began)

    async def turn_away(self, problem: Problem) -> None:
        """Answer without looking at it."""
        began = time.perf_counter()
        await self._tell(problem)
        self._note(began)

    async def _pass(self) -> None:
        try:
            await self._app(self._scope, self._bounded, self._checked)
        except Problem as error:
            await self._tell(error)
        except Exception as error:  # a bug of ours: its text may hold somebody's data and must not reach anyone
            _log.error("a request failed", exc_info=error, request=self._request, route=_route(self._scope))
            if self._status:
                raise ConnectionAbortedError("the answer broke off") from None
            await self._tell(Problem(500, "bug", "The request could not be answered."))

    async def _bounded(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > MAX_BODY:
            raise _too_large()
        return message

    async def _checked(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            state = self._scope["state"]
            if message["status"] < 400 and self._scope["path"] not in OPEN and not state.get("audited"):
                _log.error("an answer without a row in the audit log was withheld", route=_route(self._scope))
                self._withheld = True
                await self._tell(Problem(500, "not-audited", "The request could not be answered."))
                return
            self._status = message["status"]
            given = [(name, value) for name, value in message["headers"] if name.lower() not in _OURS]
            number = (b"visabus-request", self._request.encode())
            message = {**message, "headers": [*given, *HEADERS, number]}
        elif self._withheld:
            return
        await self._send(message)

    async def _tell(self, problem: Problem) -> None:
        self._scope["state"].setdefault("reason", problem.kind)
        withheld, self._withheld = self._withheld, False
        await problem.response(self._request)(self._scope, self._receive, self._checked)
        self._withheld = withheld

    def _note(self, began: float) -> None:
        state = self._scope["state"]
        said = {name: state[key] for name, key in (("reason_code", "reason"), ("code", "code")) if key in state}
        _log.info(
            "request",
            request=self._request,
            method=self._scope["method"] if self._scope["method"] in _METHODS else "other",
            route=_route(self._scope),
            status=self._status,
            milliseconds=round((time.perf_counter() - began) * 1_000, 1),
            **said,
        )


_OURS = frozenset(name for name, _ in HEADERS)
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def _route(scope: Scope) -> str:
    """The route's template: the path itself names a person."""
    return str(getattr(scope.get("route"), "path", "none"))


def _too_large() -> Problem:
    return Problem(413, "body", f"A body has {MAX_BODY} bytes at most.")


def _out_of_bounds(scope: Scope) -> Problem | None:
    path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    if len(path) > MAX_PATH or len(query) > MAX_QUERY:
        return Problem(414, "too-long", f"A path has {MAX_PATH} bytes at most, and so has a query.")
    sizes = [value for name, value in scope["headers"] if name == b"content-length"]
    if any(not size.isdigit() or len(size) > 9 or int(size) > MAX_BODY for size in sizes):
        return _too_large()
    names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
    if len(names) != len(set(names)):
        return Problem(400, "repeated", "A parameter is given more than once.")
    return None
