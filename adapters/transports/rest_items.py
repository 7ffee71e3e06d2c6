"""A REST service that is asked item by item, where a listing of it tells which items have changed.

The listing is polled as `adapters.transports.rest_poll` does: its records are entries, each names an item. Each entry
that is new has its item asked, one request each, in the order of the listing; of several entries of one page for one
item the last is enough. What comes back is put into a page of answers for the feed's format, `together` of them at a
time, and that is a batch:

    {"answers": [{"listed": the entry, "status": 200, "answer": the body}, ...]}

A status that `results` names is the result of its item, such as 404 and 422: the mapping is handed it with the body, if
that is JSON. A service as a whole is down if it cannot be reached, refuses the credentials, asks to be left alone, or
fails for several items in a row. An item that alone fails (500, a body that is no JSON) is asked again later, ever less
often; after `attempts` its last status is handed to the mapping. While one waits, nothing is vouched for.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from adapters.core import BadRecord, Batch, Connection, Credentials, Format, Json, Note, Read, Record, SourceDown
from adapters.transports.http_client import Answer, HttpClient, NoAnswer, QuotaUsed
from adapters.transports.needed_format import needed
from adapters.transports.rest_poll import Page, Place, RestPoll, RestService, mark_of, reader
from schemas.ids import digest

LONGEST_NAME = 80
MOST_WAITING = 200
"""So many items may wait to be asked again."""
IN_A_ROW = 3
"""So many items in a row fail where the service as a whole is down."""
_DOWN = frozenset({401, 403, 407, 429, 503})


@dataclass(frozen=True, slots=True)
class RestItems(RestPoll):
    """The transport: that of the listing, whose options it has, and the items.

    `listing`: the format of the listing. `item`: the path of an item, with `{}` for its name; `named`: the member of an
    entry that names it. Where there is a file instead of a service it has a page of answers, or the body of one.
    """

    listing: Format | None = None
    item: str = ""
    named: str = "id"
    results: tuple[int, ...] = (404, 410, 422)
    together: int = 25
    attempts: int = 6
    again: float = 60.0

    def __post_init__(self) -> None:
        RestPoll.__post_init__(self)
        if "{}" not in self.item or self.listing is None:
            raise ValueError("items need a listing, and a path with {} for the item's name")
        if self.together < 1 or self.attempts < 1:
            raise ValueError("together and attempts from one on")

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Connection:
        """The service at an address. Raises ValueError without a format or credentials, SourceDown for the address."""
        client = self.client(url, format, credentials)
        return ItemService(
            client, RestService(client, needed(self.listing, "pages"), self), needed(format, "pages"), self
        )

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """A page of answers as a file, or the body of one answer. Raises OSError, ValueError without a format."""
        data = source if isinstance(source, bytes) else source.read_bytes()
        reads = list(RestPoll.offline(self, data, format))
        if len(reads) == 1 and isinstance(reads[0], BadRecord) and (body := _object(data)) is not None:
            reads = list(RestPoll.offline(self, b'{"answers": [{"status": 200, "answer": ' + body + b"}]}", format))
        return iter(reads)


@dataclass(slots=True)
class ItemPlace(Place):
    """The position, unpacked. `waiting`: by name the entry of an item that failed, how often, and when it is due."""

    waiting: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class ItemService:
    """An opened service."""

    client: HttpClient
    listing: RestService
    format: Format
    options: RestItems
    _left: list[str] = field(default_factory=list)
    _saved: Json = None
    _row: list[str] = field(default_factory=list)  # items that failed one behind the other

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for some items each; what the source vouches for with the last. Raises SourceDown."""
        place = ItemPlace.of(position)
        place.waiting = dict(place.waiting)
        self.client.count_from(place.day, place.used)
        self._left, self._row, self._saved = [], [], self._position(place)
        first = True
        try:
            async for page in self.listing.pages(place):
                if first:  # the service answers
                    first = False
                    async for batch in self._asked_again(place):
                        yield batch
                entries, passed = self._entries(page, place)
                async for batch in self._asked(entries, place, page):
                    yield batch
                refused = [read for read in passed if isinstance(read, BadRecord)]
                for read in passed:
                    self.listing.is_fresh(read, place, page)
                closings = self.listing.turn(place, page, whole=not place.waiting)
                for batch in self._batch(place, [*refused, *closings], done=not place.page):
                    yield batch
            if first:
                async for batch in self._asked_again(place):
                    yield batch
        except SourceDown:  # those that failed last are excused
            place.waiting |= {each: [place.waiting[each][0], 0, _now()] for each in self._row if each in place.waiting}
            for batch in self._batch(place, ()):
                yield batch
            raise
        except QuotaUsed as error:
            self._left.append(f"{error}: the poll goes on tomorrow")
        for batch in self._batch(place, (), done=bool(self.options.per_day)):
            yield batch
        if place.waiting:
            self._left.append(f"{len(place.waiting)} items whose answers failed are asked again later")

    async def close(self) -> None:
        """Let go of the service."""
        await self.client.close()

    def deferred(self) -> Sequence[str]:
        """What the last call of `batches` left, and why."""
        return [*self.listing.deferred(), *self._left]

    # --- what is to be asked --------------------------------------------------------------------------------------

    def _entries(self, page: Page, place: ItemPlace) -> tuple[list[Record], list[Read]]:
        """The entries whose items are to be asked, and what need not be: refused, or named again later in the page."""
        entries: dict[str, Record] = {}
        passed: list[Read] = []
        for read in page.reads:
            if isinstance(read, Note) or mark_of(read) in place.seen:
                continue
            name = _name(read, self.options.named)
            if isinstance(read, BadRecord) or name is None:
                why = f"an entry of the listing without {self.options.named}"
                passed.append(read if isinstance(read, BadRecord) else BadRecord(why, place=read.place, raw=read.raw))
                continue
            if name in entries:
                passed.append(entries.pop(name))
            entries[name] = read
        return list(entries.values()), passed

    async def _asked(self, entries: Sequence[Record], place: ItemPlace, page: Page) -> AsyncIterator[Batch]:
        """The answers to some entries. Raises SourceDown, QuotaUsed behind a batch of those that came before."""
        answers: list[bytes] = []
        for entry in entries:
            name = _name(entry, self.options.named) or ""
            try:
                answer = await self._ask(name, entry.raw.strip(b", \t\r\n"), place, in_a_row=IN_A_ROW)
            except (SourceDown, QuotaUsed):
                for batch in self._batch(place, self._reads(answers)):
                    yield batch
                raise
            self.listing.is_fresh(entry, place, page)
            answers += [answer] if answer is not None else []
            if len(answers) == self.options.together:
                for batch in self._batch(place, self._reads(answers)):
                    yield batch
                answers = []
        for batch in self._batch(place, self._reads(answers)):
            yield batch

    async def _asked_again(self, place: ItemPlace) -> AsyncIterator[Batch]:
        """The answers to items that failed before and are due. Raises SourceDown, QuotaUsed."""
        self._row.clear()
        for name, (entry, _, due) in list(place.waiting.items()):
            if datetime.fromisoformat(due) > datetime.now(UTC):
                continue
            answer = await self._ask(name, entry.encode(), place)
            for batch in self._batch(place, self._reads([answer] if answer is not None else []), done=True):
                yield batch
        self._row.clear()

    # --- one item -------------------------------------------------------------------------------------------------

    async def _ask(self, name: str, entry: bytes, place: ItemPlace, *, in_a_row: int = 0) -> bytes | None:
        """What a page of answers has for an item; None if it waits to be asked again. Raises SourceDown, QuotaUsed."""
        address = urljoin(self.client.url + "/", self.options.item.replace("{}", quote(name, safe="")).lstrip("/"))
        answer: Answer | None = None
        try:
            answer = await self.client.get(address, None, {"Accept": "application/json"})
            if answer.status in _DOWN:
                raise self.client.down(answer)
            failure = self.client.down(answer, f" with {answer.shape}" if answer.status == 200 else "")
        except NoAnswer as error:
            failure = error
        status, body = (0, None) if answer is None else (answer.status, _object(answer.content))
        if (status == 200 and body is not None) or status in self.options.results:
            self._row.clear()
            place.waiting.pop(name, None)
            return _text(entry, status, body)
        self._row.append(name)
        if in_a_row and len(self._row) >= in_a_row:
            raise SourceDown(f"{failure}, for {in_a_row} items in a row", retry_after=failure.retry_after)
        failures = place.waiting[name][1] + 1 if name in place.waiting else 1
        if failures >= self.options.attempts:
            del place.waiting[name]
            return _text(entry, status, None)
        if name not in place.waiting and len(place.waiting) >= MOST_WAITING:
            raise SourceDown(f"{failure}, and {MOST_WAITING} items wait to be asked again")
        due = datetime.now(UTC) + timedelta(seconds=self.options.again * 4 ** (failures - 1))
        place.waiting[name] = [entry.decode(errors="replace"), failures, due.isoformat()]
        return None

    def _reads(self, answers: Sequence[bytes]) -> list[Read]:
        if not answers:
            return []
        return list(self.format.read(BytesIO(b'{"answers": [\n' + b",\n".join(answers) + b"\n]}")))

    # --- batches --------------------------------------------------------------------------------------------------

    def _position(self, place: ItemPlace) -> Json:
        if self.options.per_day:
            place.day, place.used = self.client.used
        return place.position(self.options.window)

    def _batch(self, place: ItemPlace, reads: Sequence[Read], *, done: bool = False) -> Iterator[Batch]:
        """A batch, if there is anything to read, or to save: that a poll is done, that an item failed."""
        after = self._position(place)
        if reads or (done and after != self._saved) or after["waiting"] != self._saved["waiting"]:
            content = digest(b"".join(read.raw for read in reads))
            yield Batch(
                f"changes since {place.since or 'ever'}, items {content}", reader(reads), after, content=content
            )
            self._saved = after


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _name(read: Read, member: str) -> str | None:
    """The item that an entry names; None if it names none."""
    name = read.fields.get(member) if isinstance(read, Record) else None
    fits = isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isascii() and name.isprintable()
    return str(name) if fits and name not in (".", "..") else None


def _object(body: bytes) -> bytes | None:
    """A body that is an object of JSON, without a mark before it; None if it is none."""
    try:
        text = body.removeprefix(BOM_UTF8).strip()
        return text if isinstance(json.loads(text.decode(errors="surrogateescape")), dict) else None
    except (ValueError, RecursionError):
        return None


def _text(entry: bytes, status: int, body: bytes | None) -> bytes:
    return b'{"listed": ' + entry + b', "status": %d, "answer": ' % status + (body or b"null") + b"}"
