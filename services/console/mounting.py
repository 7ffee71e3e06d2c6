"""The console beside the look-ups, under one address."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/console"


class Beside:
    """ASGI application: what lies below `/console` goes there, all else to the look-ups."""

    def __init__(self, lookups: ASGIApp, console: ASGIApp) -> None:
        self._lookups, self._console = lookups, console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        below = scope["type"] == "http" and (path == PREFIX or path.startswith(f"{PREFIX}/"))
        await (self._console if below else self._lookups)(scope, receive, send)
