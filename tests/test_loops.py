"""What the tests' event loops do at their end: what was closed is dropped, what was not is told."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from certificates import Authority


@contextmanager
def silent(authority: Authority) -> Iterator[int]:
    """A server that speaks TLS, and says neither a word nor goodbye."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.certify("server"))
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with context.wrap_socket(connection, server_side=True):
                over.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("closed", [True, False])
def test_what_was_closed_ends_with_its_loop(closed: bool, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=authority.ca)

    async def connect(port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        if closed:
            writer.close()

    gc.collect()
    with silent(authority) as port, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        asyncio.run(connect(port))
        gc.collect()
    assert any("unclosed" in str(each.message) for each in warned) is not closed
