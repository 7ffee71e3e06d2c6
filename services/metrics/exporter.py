"""A port on which Prometheus reads the metrics of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server
from prometheus_client.registry import Collector

from services.metrics.instruments import REGISTRY


class PortTaken(Exception):
    """Nothing can listen there; the text says where."""


@contextmanager
def exported(host: str, port: int | None, *collectors: Collector) -> Iterator[int | None]:
    """Serve the metrics, with those of further collectors, while the context lasts; yield the port.

    Without a port nothing is served. A thread of its own answers. Raises PortTaken.
    """
    if port is None:
        yield None
        return
    for collector in collectors:
        REGISTRY.register(collector)
    try:
        try:
            server, thread = start_http_server(port, host, REGISTRY)
        except OSError as error:
            raise PortTaken(f"the metrics cannot be served on {host}:{port}: {error.strerror}") from None
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
    finally:
        for collector in collectors:
            REGISTRY.unregister(collector)
