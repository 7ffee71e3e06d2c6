"""ELIS as the simulator has it: a REST service on loopback with a listing of receipts, and a case for each."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.rest import Asked, Reply, RestRecords, feed, rest_service
from services.simulator.source import Run, Served, Source, Surroundings, Writer
from services.simulator.systems.elis import rates
from services.simulator.systems.elis.writer import ElisWriter

PATH, TOKEN = "/case-status", "/oauth/accesstoken"
RECEIPT = re.compile(r"[A-Z]{3}[0-9]{10}")
UNLIMITED = {"per_second": 0.0, "per_day": 0, "rest": 0.0}


class Cases:
    """The cases that were written."""

    def __init__(self, place: Path) -> None:
        records = RestRecords.of(place)
        lines = [(changed, key, json.loads(text)) for changed, key, text in records.lines]
        self._listing = RestRecords(
            records.clock, tuple((changed, key, json.dumps(each["listed"])) for changed, key, each in lines)
        )
        self._cases = {
            each["listed"]["receiptNumber"]: each["answer"] for *_, each in lines if each["answer"] is not None
        }

    def answer(self, path: str, asked: Asked) -> Reply:
        """Return a page of the listing, or a case."""
        if path == PATH:
            return self._listing.page("receipts", asked["changedSince"], asked.get("cursor", ""))
        receipt = path.removeprefix(f"{PATH}/")
        if not RECEIPT.fullmatch(receipt):
            return 422, '[{"code": "422", "message": "malformed receipt"}]'
        if receipt not in self._cases:
            return 404, '{"errors": [{"status": 404, "title": "Not Found", "traceId": "0"}]}'
        return 200, json.dumps(self._cases[receipt], ensure_ascii=False)


class Elis(Source):
    """Applications filed online."""

    system = "ELIS"
    place = "elis"
    brings = frozenset({"online"})
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return ElisWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer polls, as often as they come."""
        async with rest_service(TOKEN, Cases(place).answer) as address:
            yield Served({"ELIS.cases": feed(address, **UNLIMITED)})


SOURCE = Elis()
