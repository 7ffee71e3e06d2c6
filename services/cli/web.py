"""The web server of a command, which says where it listens."""

from __future__ import annotations

from socket import socket
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from services.cli.context import Refusal

if TYPE_CHECKING:
    from fastapi import FastAPI


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


def server(app: FastAPI, host: str, port: int, *, grace: float, **limits: Any) -> Server:
    """A server with the limits that all of ours have."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,  # a path may name a person; the applications write their own lines, which do not
            server_header=False,
            h11_max_incomplete_event_size=32_768,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=int(grace),
            **limits,
        )
    )
