"""Event loops of tests: a connection that was closed, and waits for the other side's goodbye, ends with its loop.

Several libraries (asyncpg whom the server refuses, aiokafka) close a connection over TLS and do not wait until the
server has said goodbye. A process ends meanwhile, and a long-lived one drops it after asyncio's 30 seconds; a test's
loop is closed before, and the garbage collector would tell the socket as unclosed to whatever test runs by then. What
was never closed is told as before.
"""

from __future__ import annotations

import asyncio
from asyncio.sslproto import SSLProtocol
from typing import Any


class Loop(asyncio.SelectorEventLoop):
    """The usual loop, but for its end."""

    _transports: Any

    def close(self) -> None:
        """Drop what was closed already."""
        if not self.is_closed() and asyncio._get_running_loop() is None:
            for transport in [each for each in self._transports.values() if _was_closed(each)]:
                transport.abort()
            self.call_soon(self.stop)
            self.run_forever()
        super().close()


def _was_closed(transport: asyncio.Transport) -> bool:
    protocol = transport.get_protocol()
    above = getattr(protocol, "_app_transport", None) if isinstance(protocol, SSLProtocol) else None
    return transport.is_closing() or (above is not None and above._closed)


class Policy(asyncio.DefaultEventLoopPolicy):
    """Gives such loops to `asyncio.run` and to pytest alike."""

    _loop_factory = Loop
