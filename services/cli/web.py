"""The web server of a command, which says where it listens."""

from __future__ import annotations

import asyncio
import resource
from socket import socket
from typing import TYPE_CHECKING

import structlog
import uvicorn

from links.tasks import cancel
from services.cli.context import MISUSED, Refusal
from services.connections import BoundedConfig, Limits
from services.metrics.asgi import Measured

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from services.settings import WebSettings

_OTHER_FILES = 256
"""Open files beside connections: the bus, the store, the logs."""


class Server(uvicorn.Server):
    """A port that was left to the machine is known to nobody before it listens."""

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, and say where. Raises Refusal."""
        try:
            await super().startup(sockets=sockets)
        except SystemExit:  # the library would end the process with a code of its own
            raise Refusal(f"cannot listen at {self.config.host}:{self.config.port}; --port takes another") from None
        for server in self.servers:
            for each in server.sockets:
                host, port = each.getsockname()[:2]
                url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
                structlog.get_logger("web").info("listening", url=url)


async def serve_until(stop: asyncio.Event, web: Server) -> None:
    """Serve until told to stop, also where that was before the server takes signals itself. Raises Refusal."""

    async def pass_on() -> None:
        await stop.wait()
        web.should_exit = True

    passing = asyncio.create_task(pass_on())
    try:
        await web.serve()
    finally:
        await cancel(passing)


def server(app: ASGIApp, host: str, port: int, *, grace: float, limits: WebSettings) -> Server:
    """A server with the limits that all of ours have. `grace`: seconds to stop the process in. Raises Refusal."""
    _files(limits.connections)
    return Server(
        BoundedConfig(
            Measured(app),
            Limits(
                limits.connections,
                limits.head_seconds,
                limits.body_grace_seconds,
                limits.body_rate,
                limits.idle_seconds,
                limits.answer_seconds,
            ),
            host=host,
            port=port,
            log_config=None,
            access_log=False,  # a path may name a person; the applications write their own lines, which do not
            server_header=False,
            # whoever is not named cannot say for whom it asks: the audit log would hold an address of its choice
            proxy_headers=bool(limits.proxies),
            forwarded_allow_ips=list(limits.proxies),
            timeout_graceful_shutdown=max(1, int(grace / 2)),  # the rest is for what is closed behind it
        )
    )


def _files(connections: int) -> None:
    """Have the process allowed as many open files as its connections need. Raises Refusal."""
    needed = connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise Refusal(
                f"web.connections = {connections} needs {needed} open files and the process may have {hard}: "
                "raise the limit (ulimit -n, LimitNOFILE), or lower web.connections",
                MISUSED,
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
