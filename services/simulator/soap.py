"""A SOAP service on loopback as owners of systems have one: records by their last change, answered page by page.

From the interface pages alone. Records are kept as lines `changed TAB key TAB xml`, in that order; a page names the
last record of the one before, so what changes meanwhile shifts nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from services.simulator.clock import DAY, iso_stamp
from services.simulator.http_service import Handler, served
from services.simulator.spill_buffer import SpillBuffer

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
RECORDS = "records"
_BEHIND = "\U0010ffff"
PAGE = 200
"""Records in a page."""
Asked = Mapping[str, str]
"""The elements of a request, by their names."""


class SoapFault(Exception):
    """What the service answers in place of an answer; `code` is `Client` or `Server`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class ChangeLog:
    """The records of a service while they are written."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._spill_buffer = SpillBuffer(directory)
        self.records = 0

    def add(self, changed: int, key: str, xml: str) -> None:
        """Keep a record as it is since an instant."""
        self.records += 1
        self._spill_buffer.add(f"{changed // (7 * DAY):07}", f"{iso_stamp(changed)}Z\t{key}\t{xml}\n".encode())

    def finish(self, as_of: int) -> None:
        """Write the records in the order of their change, behind the clock of the service."""
        with (self._directory / RECORDS).open("wb") as file:
            file.write(f"{iso_stamp(as_of)}Z\n".encode())
            for _, data in self._spill_buffer.take():
                file.writelines(sorted(data.splitlines(keepends=True)))


@dataclass(frozen=True, slots=True)
class Records:
    """What a service holds, in the order of change. `clock`: all that changed up to it is there."""

    namespace: str
    answer: str
    clock: str
    lines: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, place: Path, namespace: str, answer: str) -> Records:
        """Return the records that lie in a place."""
        clock, *lines = (place / RECORDS).read_text().splitlines()
        return cls(namespace, answer, clock, tuple(tuple(line.split("\t", 2)) for line in lines))

    def page(self, asked: Asked) -> str:
        """Return the answer to `Since` and `Page`. Raises SoapFault."""
        changed, _, key = asked.get("Page", "").partition(" ")
        if "Page" in asked and not key:
            raise SoapFault("Client", "no such page")
        lines = self.lines
        begin = bisect_right(lines, (changed, key, _BEHIND)) if key else bisect_left(lines, (asked["Since"][:19],))
        some = lines[begin : begin + PAGE]
        more = {"nextPage": " ".join(some[-1][:2])} if begin + PAGE < len(lines) else {}
        return element(
            self.answer, {"xmlns": self.namespace, "asOf": self.clock, **more}, "".join(xml for *_, xml in some)
        )


@asynccontextmanager
async def soap_service(answer: Callable[[Asked], str]) -> AsyncIterator[str]:
    """Answer for as long as the context lasts; the address. `answer` raises SoapFault."""

    class Service(Handler):
        def do_POST(self) -> None:
            request = etree.fromstring(self.rfile.read(int(self.headers["Content-Length"])))
            body = request.find(f"{{{SOAP}}}Body/*")
            asked = {} if body is None else {str(etree.QName(each).localname): each.text or "" for each in body}
            try:
                status, answered = 200, answer(asked)
            except SoapFault as fault:
                code, text = f"s:{fault.code}", escape(str(fault))
                answered = f"<s:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring></s:Fault>"
                status = 500
            envelope = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{answered}</s:Body></s:Envelope>'
            self.send(status, "text/xml; charset=utf-8", envelope)

    async with served(Service) as address:
        yield f"{address}/"


def element(name: str, attributes: Mapping[str, str], content: str = "") -> str:
    """Return an element with those attributes that have a value, around what is XML already."""
    said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value)
    return f"<{name}{said}>{content}</{name}>" if content else f"<{name}{said}/>"


def texts(values: Iterable[tuple[str, str]]) -> str:
    """Return elements with texts, those that have some."""
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values if value)
