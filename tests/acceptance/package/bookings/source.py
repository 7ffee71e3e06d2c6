"""BOOKINGS as the simulator has it: a service on loopback that answers with what was written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.simulator.clock import iso
from services.simulator.log import PersonLog, reported_at
from services.simulator.source import Counts, Run, Served, Source, Surroundings, Writer

STAMP = "2026-10-31T07:00:00Z"
PAGE = 50


class BookingsWriter:
    """Writes the items of the service."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._items: list[dict[str, Any]] = []

    def write(self, log: PersonLog) -> None:
        """Write a visit for two admissions of three."""
        for index, stay in enumerate(log.person.stays):
            if not stay.number or reported_at(stay.arrival) > self._run.span.records_end or index % 3 == 2:
                continue
            key = f"B{len(self._items) + 1}"
            item = {"id": key, "version": 1, "number": stay.number, "day": iso(stay.arrival.day), "changed": STAMP}
            item["passport"] = {"number": stay.passport.number, "state": stay.passport.state}
            self._items.append(item)
            passport = f"passport:{stay.passport.state}:{stay.passport.number}"
            log.add(self._run.system, key, {f"i94:{stay.number}", passport})

    def finish(self) -> Counts:
        """Complete the items."""
        self._run.place.write_text(json.dumps(self._items))
        return {"read": len(self._items), "published": len(self._items), "filtered": 0}


def items_in(place: Path) -> list[dict[str, Any]]:
    """Return what was written."""
    result: list[dict[str, Any]] = json.loads(place.read_text())
    return result


class Bookings(Source):
    """A system that answers."""

    system = "BOOKINGS"
    place = "bookings.json"

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return BookingsWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer for as long as the context lasts."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(items_in(place)))
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield Served({"BOOKINGS.pages": {"url": address, "user": "visabus", "secret": "a secret of the test"}})
        finally:
            server.shutdown()
            server.server_close()


def handler(items: list[dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    """What answers for these items."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.answer({"access_token": "good", "expires_in": 3600})

        def do_GET(self) -> None:
            if self.headers["authorization"] != "Bearer good":
                self.send_error(401)
                return
            query = parse_qs(urlsplit(self.path).query)
            since, at = query["since"][0], int(query.get("cursor", ["0"])[0])
            results = [item for item in items if item["changed"] >= since]
            page: dict[str, Any] = {"items": results[at : at + PAGE], "as_of": STAMP}
            if at + PAGE < len(results):
                page["next_cursor"] = str(at + PAGE)
            self.answer(page)

        def answer(self, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    return Handler


SOURCE = Bookings()
