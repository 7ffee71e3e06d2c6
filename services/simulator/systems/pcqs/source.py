"""PCQS as the simulator has it: a SOAP service on loopback that answers about the person whom it is asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from services.simulator.clock import iso_stamp
from services.simulator.population.rates import table
from services.simulator.soap import Asked, SoapFault, element, soap_service
from services.simulator.source import Run, Served, Source, Surroundings, Writer
from services.simulator.systems.pcqs import rates
from services.simulator.systems.pcqs.writer import SOURCES, PcqsWriter, lines_of

NAMESPACE = "urn:visabus:pcqs:1"
FEED = "PCQS.persons"
QUICK = {"at_once": 8, "first": 0.02, "longest": 0.1, "linger": 5.0, "failures": 1_000}
"""How a simulation asks: it does not wait as long as a real installation does."""
HOUR = 3_600
NOBODY: dict[str, Any] = {"away": "", "failed": False, "records": {}}


class Answers:
    """The service: of some persons a source, or the whole of it, does not answer at first."""

    def __init__(self, place: Path) -> None:
        self._clock, lines = lines_of(place)
        self.persons: dict[str, dict[str, Any]] = {str(line["person"]): dict(line) for line in lines}
        self._times: Counter[str] = Counter()

    def of(self, asked: Asked) -> str:
        """Return the answer about a person; of one who is not known every source holds nothing. Raises SoapFault."""
        number = next((asked[name] for name in ("ANumber", "ReceiptNumber", "SevisId") if name in asked), "")
        if not number:
            raise SoapFault("Client", "nobody is named")
        line = self.persons.get(number, NOBODY)
        self._times[number] += 1
        times = self._times[number]
        if line["failed"] and times == 1:
            raise SoapFault("Server", "the time is over")
        first = times == 1 + bool(line["failed"])
        at = f"{iso_stamp(self._clock - HOUR + times)}Z"
        parts = []
        for source in SOURCES:
            records = [xml for _, xml in line["records"].get(source, ())]
            away = first and line["away"] == source
            status = "UNAVAILABLE" if away else "FOUND" if records else "NONE"
            head = {"person": number, "source": source, "status": status, "answeredAt": at}
            parts.append(element("SourceAnswer", head, "" if away else "".join(records)))
        return element("QueryPersonResponse", {"xmlns": NAMESPACE, "person": number}, "".join(parts))


class Pcqs(Source):
    """Federated answers."""

    system = "PCQS"
    place = "pcqs"
    derived = True
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return PcqsWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer questions, about the persons that were written."""
        answers = Answers(place)
        async with soap_service(answers.of) as address:
            feed = {"url": address, "user": "visabus", "secret": "simulated", "options": QUICK}
            yield Served({FEED: feed}, questions={FEED: [f"a_number/USCIS/{number}" for number in answers.persons]})


SOURCE = Pcqs()
