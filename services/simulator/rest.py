"""A REST service on loopback as owners of systems have one: tokens of OAuth 2, records by their last change in pages.

From the interface pages alone. Records are kept in files as pages of the interface are, in the order of their change; a
cursor names the last record of the page before, so what changes meanwhile shifts nothing.
"""

from __future__ import annotations

import json
from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from services.simulator.clock import DAY, iso_stamp
from services.simulator.http_service import Handler, served
from services.simulator.spill_buffer import SpillBuffer

USER, SECRET = "visabus", "a secret & more"
PAGE, FILE = 100, 1_000
"""Records in a page that is answered, and in a file."""
_BEHIND = "\U0010ffff"
_TOKEN = "simulated"  # noqa: S105
Asked = Mapping[str, str]
"""The parameters of a request."""
Reply = tuple[int, str]
"""Status and body, which is JSON."""


class RestLog:
    """The records of a service while they are written; `items` is the member of a page that has them."""

    def __init__(self, directory: Path, items: str = "items") -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._items = items
        self._spill_buffer = SpillBuffer(directory)
        self.records = 0

    def add(self, changed: int, key: str, record: Mapping[str, Any]) -> None:
        """Keep a record as it is since an instant."""
        self.records += 1
        text = json.dumps(record, ensure_ascii=False)
        self._spill_buffer.add(f"{changed // (7 * DAY):07}", f"{iso_stamp(changed)}\t{key}\t{text}\n".encode())

    def finish(self, as_of: int) -> None:
        """Write the records in the order of their change, behind the last of them the clock of the service."""
        held: list[str] = []
        files = 0
        for _, data in self._spill_buffer.take():
            held += [line.decode().split("\t", 2)[2] for line in sorted(data.splitlines())]
            while len(held) > FILE:
                files += 1
                self._write(files, held[:FILE], {"nextCursor": str(files)})
                del held[:FILE]
        self._write(files + 1, held, {"asOf": f"{iso_stamp(as_of)}Z"})

    def _write(self, number: int, texts: list[str], rest: Mapping[str, str]) -> None:
        lines = ",\n".join(texts)
        page = f'{{"{self._items}": [\n{lines}\n], {json.dumps(rest)[1:]}\n'
        (self._directory / f"page-{number:06}.json").write_text(page, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class RestRecords:
    """What a service holds, in the order of change. `clock`: all that changed up to it is there.

    `lines` have for each record when it changed, what tells it from others of that moment, and its text.
    """

    clock: str
    lines: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, place: Path) -> RestRecords:
        """Return the records that lie in a place."""
        lines: list[tuple[str, str, str]] = []
        clock = ""
        for file in sorted(place.glob("page-*.json")):
            page = json.loads(file.read_bytes())
            clock = page.get("asOf", clock)
            for each in next(value for value in page.values() if isinstance(value, list)):
                changed = each["modifiedAt"] if "modifiedAt" in each else each["listed"]["changedAt"]
                lines.append((changed[:19], f"{len(lines):09}", json.dumps(each, ensure_ascii=False)))
        return cls(clock, tuple(lines))

    def page(self, items: str, since: str, cursor: str = "") -> Reply:
        """Return the page of what changed since a moment, or behind a cursor; its records stand in the member named."""
        changed, _, key = cursor.partition(" ")
        if cursor and not key:
            return 400, '{"message": "no such cursor"}'
        lines = self.lines
        begin = bisect_right(lines, (changed, key, _BEHIND)) if key else bisect_left(lines, (since[:19], "", ""))
        some = lines[begin : begin + PAGE]
        more = {"nextCursor": " ".join(some[-1][:2])} if begin + PAGE < len(lines) else {}
        rest = json.dumps({"asOf": self.clock} | more)
        return 200, f'{{"{items}": [{", ".join(text for *_, text in some)}], {rest[1:]}'


@asynccontextmanager
async def rest_service(token: str, answer: Callable[[str, Asked], Reply]) -> AsyncIterator[str]:
    """Answer for as long as the context lasts; the address. `token` is the path where tokens are given."""

    class Service(Handler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            known = f"Basic {b64encode(f'{quote(USER)}:{quote(SECRET)}'.encode()).decode()}"
            body = (form.get("client_id"), form.get("client_secret")) == ([USER], [SECRET])
            good = self.path == token and form.get("grant_type") == ["client_credentials"]
            if not good or not (body or self.headers.get("Authorization") == known):
                self.reply(401, '{"error": "invalid_client"}')
                return
            # as a public service answers: how long it lives is a text
            granted = {"access_token": _TOKEN, "token_type": "BearerToken", "expires_in": "1799", "status": "approved"}
            self.reply(200, json.dumps(granted))

        def do_GET(self) -> None:
            if self.headers.get("Authorization") != f"Bearer {_TOKEN}":
                self.reply(401, '{"message": "unauthorized"}')
                return
            parts = urlsplit(self.path)
            self.reply(*answer(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}))

        def reply(self, status: int, body: str) -> None:
            self.send(status, "application/json", body)

    async with served(Service) as address:
        yield address


def served_pages(
    records: RestRecords, path: str, *, items: str = "items", since: str = "modifiedSince"
) -> Callable[[str, Asked], Reply]:
    """Return what answers with the pages of a path, and with 404 elsewhere."""

    def answer(asked_path: str, asked: Asked) -> Reply:
        if asked_path != path:
            return 404, '{"message": "no such path"}'
        return records.page(items, asked.get(since, ""), asked.get("cursor", ""))

    return answer


def feed(address: str, **options: Any) -> dict[str, Any]:
    """Return the settings of a feed from such a service."""
    return {"url": address, "user": USER, "secret": SECRET} | ({"options": options} if options else {})
