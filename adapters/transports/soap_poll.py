"""A SOAP service that is polled for what changed since the last poll; `soap_call` has how it is called.

A poll asks for what changed since `overlap` before the highest change taken, page by page; one page is one batch. The
answer's element holds the records; its attributes say whether more follow (`next_page`) and through when the source
vouches (`clock`), which is told once the last page of a poll is done. Position: `watermark`. A poll goes on where it
broke off; where the service refuses the request for a page (it may know it no more), the poll begins anew, and what
was taken is passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.core import BadRecord, Batch, Connection, Credentials, Format, Header, Json, Note, Read, SourceDown
from adapters.transports.needed_format import needed
from adapters.transports.offline import opened
from adapters.transports.soap_call import RequestRefused, Security, SoapCall, element_of
from adapters.transports.tls_options import TlsOptions
from adapters.transports.watermark import Watermark
from schemas.ids import digest

_AT_ONCE = 65_536
"""Bytes of a page up to which a thread would cost more than reading it."""


def usable(url: str) -> str:
    """An address of an endpoint. Raises SourceDown."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceDown("the address cannot be used: http:// or https:// expected")
    return url


def offline_answer(source: Path | bytes, limit: int) -> bytes | BadRecord:
    """An answer as a file: an envelope, or what stands in its body alone. Raises OSError."""
    with opened(source) as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        data = stream.read(size if size <= limit else 4096)
    if size > limit:
        return BadRecord(f"an answer of {size} bytes, at most {limit}", place="byte 0", raw=data)
    if b"Envelope" not in data[:4096]:
        return data
    from lxml import etree

    try:
        return etree.tostring(element_of(data), encoding="utf-8", with_tail=False)
    except (ValueError, SourceDown, RequestRefused) as error:
        return BadRecord(str(error), place="line 1", raw=data)


@dataclass(frozen=True, slots=True)
class SoapPoll(TlsOptions):
    """The transport. `wsdl`: a file beside the adapter; `answer`: `{namespace}name` of the element that answers.

    `since` and `page`: elements of the request, for what changed since a moment, and for the page that comes next;
    without `since` every poll reads all. `changed`: where a record tells its last change, such as `@changedAt`.
    `next_page` and `clock`: attributes of the answer. `values`: further elements of the request.
    """

    wsdl: Path
    operation: str
    answer: str
    since: str | None = None
    changed: str | None = None
    page: str | None = None
    next_page: str = "nextPage"
    clock: str | None = None
    begin: str = "1970-01-01T00:00:00Z"
    values: Mapping[str, Any] = field(default_factory=dict)
    security: Security = "basic"
    overlap: float = 900.0
    window: int = 2_000
    timeout: float = 60.0
    limit: int = 16 * 2**20  # bytes of an answer

    def __post_init__(self) -> None:
        if (self.since is None) != (self.changed is None):
            raise ValueError("since and changed come together")
        if self.window < 0 or self.overlap < 0:
            raise ValueError("window and overlap from zero on")

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Connection:
        """The service at an address. Raises ValueError without a format, SourceDown for the address."""
        self.check(url)
        call = SoapCall(
            self.wsdl,
            self.operation,
            self.answer,
            usable(url),
            credentials,
            self.security,
            timeout=self.timeout,
            limit=self.limit,
            tls=self,
        )
        return SoapService(call, needed(format, "answers"), self)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """One answer as a file; what it vouches for if no page follows. Raises OSError, ValueError without a format."""
        kept = needed(format, "answers")
        data = offline_answer(source, self.limit)
        if isinstance(data, BadRecord):
            yield data
            return
        place = Watermark()
        refused = False
        more = ""
        for read in kept.read(BytesIO(data)):
            refused = refused or isinstance(read, BadRecord)
            if isinstance(read, Header):
                more = str(read.fields.get(self.next_page) or "")
                place.clock = str(read.fields.get(self.clock) or "") if self.clock is not None else ""
            yield read
        closing = place.closing(self.begin) if not more and not refused else None
        if closing is not None:
            yield closing


@dataclass(slots=True)
class SoapService:
    """An opened service."""

    call: SoapCall
    format: Format
    options: SoapPoll

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each page with anything new; what the source vouches for with the last. Raises SourceDown."""
        options, place = self.options, Watermark.of(position)
        if not place.page:
            place.begin(options.begin, options.overlap)
        met = set[str]()
        anew = False
        while True:
            try:
                reads = await self._page(place)
            except RequestRefused as error:
                if not place.page or anew:
                    raise SourceDown(f"{self.call.where}: {error}") from None
                anew = True
                met.clear()
                place.begin(options.begin, options.overlap)
                continue
            header = next((read.fields for read in reads if isinstance(read, Header)), None)
            if header is None:
                raise SourceDown(f"{self.call.where} answered with no page of this interface")
            if options.clock is not None and not place.page:
                place.clock = str(header.get(options.clock) or "")
            fresh = [read for read in reads if place.take(read, self._content(read), self._changed(read))]
            name, following = place.page or "first", str(header.get(options.next_page) or "") if options.page else ""
            if following and following in met:
                raise SourceDown("its pages do not end: one of them came twice")
            met.add(following)
            place.page = following
            if not following and (closing := place.closing(options.begin)) is not None:
                fresh.append(closing)
            if any(not isinstance(read, Header) for read in fresh):
                content = digest(b"".join(read.raw for read in fresh))
                title = f"changes since {place.since}, page {name} {content}"[:200]
                yield Batch(title, reader(fresh), place.position(options.window), content=content)
            if not following:
                return

    async def close(self) -> None:
        """Let go of the service."""
        await self.call.close()

    async def _page(self, place: Watermark) -> list[Read]:
        """What stands in the page that comes next. Raises SourceDown, RequestRefused."""
        data = await self.call(**self._values(place))
        if len(data) <= _AT_ONCE:
            return list(self.format.read(BytesIO(data)))
        return await asyncio.to_thread(lambda: list(self.format.read(BytesIO(data))))

    def _values(self, place: Watermark) -> dict[str, Any]:
        values = dict(self.options.values)
        if self.options.since is not None:
            values[self.options.since] = place.since
        if self.options.page is not None and place.page:
            values[self.options.page] = place.page
        return values

    def _content(self, read: Read) -> bytes:
        """What a record says: of the last in a page without the end of the answer, which stands behind it."""
        local = self.call.answer.rpartition("}")[2].encode()
        raw = read.raw.rstrip()
        begin = raw.rfind(b"</") if raw.endswith(local + b">") else -1
        return (raw if begin < 0 else raw[:begin]).strip()

    def _changed(self, read: Read) -> object:
        if self.options.changed is None or isinstance(read, BadRecord | Note):
            return None
        value = read.fields.get(self.options.changed)
        return value[0] if isinstance(value, tuple) and value else value


def reader(reads: list[Read]) -> Callable[[], AsyncIterator[Read]]:
    """What a batch reads again and again."""

    async def records() -> AsyncIterator[Read]:
        for read in reads:
            yield read

    return records
