"""A REST service that answers in pages of JSON, polled by what changed since the last poll.

A poll asks for what changed since `overlap` before the highest change taken, page by page; one page is one batch. The
clocks of a source's servers differ, and rows commit late: so the overlap is read again each time. Records of which the
same bytes were taken before (their digests are remembered, at most `window` of them) are passed over, so each is
counted once; one that was forgotten is read again, which changes nothing: its events have the same ids.

Pages that are counted shift while they are read: an item that changes leaves a gap, and what stood behind it moves to a
page that was read already. So behind each such page the one before it is read again, for what has moved there since; if
it has nothing that was there, the poll begins anew.

Position: the highest change taken, the digests, the page that comes next and from when its poll asks (a poll goes on
where it broke off), and through when the source vouched. What the source vouches for is told once the last page of a
poll is done. A page's records and its other members (next page, clock) come from the feed's format.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urljoin, urlsplit

from adapters.core import (
    BadRecord,
    Batch,
    Closing,
    Connection,
    Credentials,
    Format,
    Header,
    Json,
    Note,
    Read,
    Record,
    SourceDown,
)
from adapters.transports.http_client import Access, Answer, HttpClient, QuotaUsed
from adapters.transports.needed_format import needed
from adapters.transports.offline import opened
from adapters.transports.tls_options import TlsOptions
from adapters.transports.watermark import iso, moment
from schemas.ids import digest

LONGEST_CURSOR = 4_000
"""Bytes of a cursor, which stands in an address and in every position."""
FIRST = "first"
"""The name of the first page."""
_NOT_THERE = (400, 404, 410, 416, 422)
CLOCKS = timedelta(days=1)
"""How far behind the present a change, or a clock, may lie; what lies further is a mistake."""


@dataclass(frozen=True, slots=True)
class CursorPages:
    """Each page tells the cursor of the next in a member; absent or null in the last. `shifts`: cursors are offsets."""

    parameter: str = "cursor"
    member: str = "next_cursor"
    shifts: bool = False


@dataclass(frozen=True, slots=True)
class NumberedPages:
    """Pages are counted.

    The last is the one with which `total` is reached, where a member tells how many records all pages have; else a page
    with less than `size` records of a service that was seen to give as many, and otherwise an empty page, or one that
    is not there: a service may allow fewer records on a page than it is asked for.
    """

    parameter: str = "page"
    first: int = 1
    size_parameter: str = "size"
    size: int = 100
    total: str = ""
    shifts: bool = True


@dataclass(frozen=True, slots=True)
class LinkedPages:
    """Each page tells the address of the next in its header `Link` (RFC 8288), relation `next`."""

    shifts: bool = True


@dataclass(frozen=True, slots=True)
class RestPoll(TlsOptions):
    """The transport. `path` stands behind the address of the settings.

    `since`: the parameter that asks for what changed since a moment; `changed`: the member of a record that tells its
    last change; without both, every poll reads all. `ordered`: whether records come in the order of their change.
    `clock`: the member of a page through when the source vouches, and `begin` from when on. `rest`: the seconds that
    lie at least between two polls. `token` to `per_day`: see `Access`.
    """

    path: str
    pages: CursorPages | NumberedPages | LinkedPages = field(default_factory=CursorPages)
    since: str | None = None
    changed: str | None = None
    ordered: bool = False
    clock: str | None = None
    begin: str = "1970-01-01T00:00:00Z"
    parameters: Mapping[str, str] = field(default_factory=dict)
    overlap: float = 900.0
    window: int = 2_000
    rest: float = 0.0
    token: str | None = None
    scope: str = ""
    credentials_in: Literal["header", "body"] = "header"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0
    patience: float = 300.0
    limit: int = 16 * 2**20  # bytes of a page
    per_second: float = 0.0
    per_day: int = 0

    def __post_init__(self) -> None:
        if (self.since is None) != (self.changed is None):
            raise ValueError("since and changed come together")
        if min(self.window, self.overlap, self.rest, self.per_second, self.per_day) < 0:
            raise ValueError("window, overlap, rest, per_second and per_day from zero on")
        if self.credentials_in not in ("header", "body"):
            raise ValueError("credentials_in is header or body")

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Connection:
        """The service at an address. Raises ValueError without a format or credentials, SourceDown for the address."""
        return RestService(self.client(url, format, credentials), needed(format, "pages"), self)

    def client(self, url: str, format: Format | None, credentials: Credentials | None) -> HttpClient:
        """What asks the service. Raises ValueError without a format or credentials, SourceDown for the address."""
        needed(format, "pages")
        if self.token is not None and credentials is None:
            raise ValueError("tokens need credentials: user and secret of the feed")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceDown("the address cannot be used: http:// or https:// expected")
        self.check(url)
        access = Access(
            self.token,
            self.scope,
            self.credentials_in,
            self.headers,
            self.timeout,
            self.patience,
            self.limit,
            self.per_second,
            self.per_day,
            self,
        )
        return HttpClient(url.rstrip("/"), access, credentials)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """One page as a file; what it vouches for if it is the last. Raises OSError, ValueError without a format."""
        header: Mapping[str, Any] = {}
        refused, records = False, 0
        with opened(source) as stream:
            for read in needed(format, "pages").read(stream):
                header = read.fields if isinstance(read, Header) else header
                refused = refused or isinstance(read, BadRecord)
                records += isinstance(read, Record)
                yield read
        more = isinstance(self.pages, CursorPages) and header.get(self.pages.member)
        if isinstance(self.pages, NumberedPages) and isinstance(total := header.get(self.pages.total), int):
            more = records < total
        through = moment(header.get(self.clock)) if self.clock is not None else None
        if through is not None and not more and not refused:
            yield closing_of(self.begin, through)


def closing_of(since: str, through: datetime) -> Closing:
    """The end of a poll: the source vouches from one moment to another."""
    fields = {"since": since, "through": iso(through)}
    return Closing("end of poll", b"", fields)


@dataclass(slots=True)
class Place:
    """The position, unpacked."""

    high: str = ""  # the highest change taken by a poll that came to its end
    top: str = ""  # the highest change met in the present poll
    seen: dict[str, None] = field(default_factory=dict)  # digests of records, oldest first
    since: str = ""  # from when the poll that broke off asks
    page: str = ""  # which page of it comes next
    through: str = ""  # as last vouched for
    clock: str = ""  # of the first page of the poll that broke off
    etag: str = ""
    behind: str = ""  # the page before the one that comes next
    records: int = 0  # on the pages of this poll up to that one
    full: bool = False  # whether the service was seen to give as many records on a page as it is asked for
    day: str = ""  # of which requests are counted, where a day has a quota
    used: int = 0

    @classmethod
    def of(cls, position: Json | None) -> Self:
        """What a position says; what another version of this module wrote into it is left out."""
        known: dict[str, Any] = {
            name: value for name, value in (position or {}).items() if name in cls.__dataclass_fields__
        }
        known["seen"] = dict.fromkeys(known.get("seen", ()))
        return cls(**known)

    def position(self, window: int) -> Json:
        """The position, with at most `window` digests: the newest."""
        while len(self.seen) > window:
            del self.seen[next(iter(self.seen))]
        known = {name: getattr(self, name) for name in self.__dataclass_fields__}
        copies = {name: dict(value) for name, value in known.items() if isinstance(value, dict)}
        return {**known, **copies, "seen": list(self.seen)}


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was read. `following`: the page behind it, empty behind the last."""

    name: str
    reads: Sequence[Read]
    header: Mapping[str, Any]
    answer: Answer
    following: str

    @property
    def records(self) -> int:
        """How many records it has, refused ones as well."""
        return sum(not isinstance(read, Note) for read in self.reads)


_POLLED: dict[tuple[str, str, str], float] = {}
"""When the last poll of a path came to its end, by address, user and path, of this process."""


@dataclass(slots=True)
class RestService:
    """An opened service."""

    client: HttpClient
    format: Format
    options: RestPoll
    _left: list[str] = field(default_factory=list)
    _anew: bool = False  # whether a poll began anew already

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each page with anything new; what the source vouches for with the last. Raises SourceDown."""
        options, place = self.options, Place.of(position)
        saved = place.position(options.window)
        async for page in self.pages(place):
            fresh = [read for read in page.reads if self.is_fresh(read, place, page)]
            title = f"changes since {place.since or 'ever'}, page {page.name}"
            fresh += self.turn(place, page)
            after = place.position(options.window)
            if not any(not isinstance(read, Note) or isinstance(read, Closing) for read in fresh):
                if place.page or after == saved:
                    continue
                fresh = []  # nothing to say, but that the poll is done
            content = digest(b"".join(read.raw for read in fresh))
            yield Batch(f"{title} {content}"[:200], reader(fresh), after, content=content)
            saved = after
        if options.per_day and (after := place.position(options.window)) != saved:  # how much of the quota is used
            yield Batch("nothing new", reader(()), after)

    async def close(self) -> None:
        """Let go of the service."""
        await self.client.close()

    def deferred(self) -> Sequence[str]:
        """What the last call of `batches` left, and why."""
        return self._left

    # --- a poll -------------------------------------------------------------------------------------------------

    async def pages(self, place: Place) -> AsyncIterator[Page]:
        """The pages of a poll, from where it broke off. `turn` has to be called behind each. Raises SourceDown."""
        options, client = self.options, self.client
        self._left.clear()
        client.count_from(place.day, place.used)
        key = (client.url, client.credentials.user if client.credentials else "", options.path)
        if not place.page:
            if options.rest and time.monotonic() < _POLLED.get(key, -options.rest) + options.rest:
                return
            self._begin(place)
        met = set[str]()
        while True:
            try:
                page = await self._page(place)
            except QuotaUsed as error:
                self._left.append(f"{error}: the poll goes on tomorrow")
                return
            finally:
                if options.per_day:
                    place.day, place.used = client.used
            if page is None:  # nothing has changed
                break
            met = set() if page.name == FIRST else met
            if page.following in met:
                raise SourceDown("its pages do not end: one of them came twice")
            met |= {page.name, page.following}
            yield page
            if not place.page:
                break
        _POLLED[key] = time.monotonic()

    def _begin(self, place: Place) -> None:
        """Begin a poll."""
        self._end(place)
        place.since = self._since(place)

    @staticmethod
    def _end(place: Place) -> None:
        """Forget what belongs to a poll that is under way."""
        place.since = place.clock = place.top = place.page = place.behind = ""
        place.records = 0

    def _again(self, place: Place) -> None:
        """Begin the poll anew: what was taken is passed over."""
        if self.options.ordered and place.top:
            place.high = max(place.high, place.top)
        self._begin(place)

    def turn(self, place: Place, page: Page, *, whole: bool = True) -> list[Closing]:
        """Move on behind a page that is done. What the source vouches for, where the poll ends with it and is whole."""
        if page.following:
            place.page, place.behind = page.following, page.name
            place.records += page.records
            return []
        place.high = max(place.high, place.top)
        place.etag = page.answer.headers.get("etag", "") if page.name == FIRST else ""
        closing = self._closing(place, page) if whole else None
        self._end(place)
        return [] if closing is None else [closing]

    def _since(self, place: Place) -> str:
        if self.options.since is None:
            return ""
        if not place.high:
            return iso(datetime.fromisoformat(self.options.begin))
        return iso(datetime.fromisoformat(place.high) - timedelta(seconds=self.options.overlap))

    def is_fresh(self, read: Read, place: Place, page: Page) -> bool:
        """Whether it was not taken before; it is from now on."""
        if isinstance(read, Note):
            return True
        if (mark := mark_of(read)) in place.seen:
            return False
        place.seen[mark] = None
        if isinstance(read, Record) and self.options.changed is not None:
            changed = moment(read.fields.get(self.options.changed))
            if changed is not None and changed <= _present(page) + CLOCKS:
                place.top = max(place.top, iso(changed))
        return True

    def _closing(self, place: Place, page: Page) -> Closing | None:
        if self.options.clock is None:
            return None
        through = moment(place.clock)
        before = place.through or iso(datetime.fromisoformat(self.options.begin))
        if through is None or through > _present(page) + CLOCKS:
            self._left.append(f"its {self.options.clock} is no moment up to now: nothing is vouched for")
            return None
        if iso(through) <= before:
            return None
        place.through = iso(through)
        return closing_of(before, through)

    # --- pages ------------------------------------------------------------------------------------------------

    async def _page(self, place: Place) -> Page | None:
        """The page that comes next, None if the source says that nothing has changed. Raises SourceDown, QuotaUsed."""
        try:
            page = await self._fetched(place, place.page)
            if page is not None and place.behind and self.options.pages.shifts:
                page = replace(page, reads=(*await self._moved(place), *page.reads))
        except _Gone as gone:  # a cursor does not live for ever
            if self._anew:
                raise SourceDown(f"{self.client.where}: {gone}, and again") from None
            self._anew = True
            self._again(place)
            page = await self._fetched(place, "")
        if page is not None and page.name == FIRST and self.options.clock is not None:
            clock = moment(page.header.get(self.options.clock))
            place.clock = iso(clock) if clock is not None else ""
        return page

    async def _moved(self, place: Place) -> list[Read]:
        """What has moved to the page behind which the next one was read. Raises SourceDown, QuotaUsed, _Gone."""
        earlier = await self._fetched(place, "" if place.behind == FIRST else place.behind)
        records = [read for read in earlier.reads if not isinstance(read, Note)] if earlier is not None else []
        late: list[Read] = [read for read in records if mark_of(read) not in place.seen]
        if len(late) == len(records) and (late or isinstance(self.options.pages, NumberedPages)):
            raise _Gone("its pages shift faster than they are read")
        return late

    async def _fetched(self, place: Place, name: str) -> Page | None:
        """A page, None if nothing has changed. Raises SourceDown, QuotaUsed, _Gone."""
        answer = await self._get(place, name)
        if answer.status == 304 and not name:
            return None
        nothing = Page(name or FIRST, (), {}, answer, "")
        if answer.status == 204:
            return nothing
        if name and answer.status in _NOT_THERE:
            if isinstance(self.options.pages, NumberedPages):
                return nothing
            raise _Gone(f"a page of a poll that broke off is not there any more ({answer.status})")
        if answer.status != 200:
            raise self.client.down(answer)
        reads = list(self.format.read(BytesIO(answer.content)))
        header = next((read.fields for read in reads if isinstance(read, Header)), None)
        if header is None:  # a proxy's page, half an answer: what it should have held comes again later
            raise SourceDown(f"{self.client.where} answered with no page of this interface: {answer.shape}")
        page = replace(nothing, reads=reads, header=header)
        return replace(page, following=self._next(place, page))

    def _next(self, place: Place, page: Page) -> str:
        """Which page comes next; empty behind the last. Raises SourceDown for a link that leads elsewhere."""
        pages = self.options.pages
        if isinstance(pages, CursorPages):
            cursor = page.header.get(pages.member)
            if cursor and not (isinstance(cursor, str | int) and _can_be_sent(str(cursor))):
                raise SourceDown(f"{self.client.where} gave a cursor that cannot be sent back")
            return str(cursor) if cursor else ""
        if isinstance(pages, NumberedPages):
            number = pages.first if page.name == FIRST else int(page.name)
            place.full = place.full or page.records >= pages.size
            total = page.header.get(pages.total) if pages.total else None
            if isinstance(total, int):
                last = place.records + page.records >= total
            else:
                last = place.full and page.records < pages.size
            return "" if last or not page.records else str(number + 1)
        if page.answer.link is None:
            return ""
        result = urljoin(page.answer.url, page.answer.link)
        if urlsplit(result)[:2] != urlsplit(self.client.url)[:2]:
            raise SourceDown("a link to the next page leads to another host")
        return result

    async def _get(self, place: Place, name: str) -> Answer:
        """The answer to the request for a page; without a name for the first. Raises SourceDown, QuotaUsed."""
        options, pages = self.options, self.options.pages
        address = urljoin(self.client.url + "/", options.path.lstrip("/"))
        parameters = dict(options.parameters)
        headers: dict[str, str] = {}
        if options.since is not None and place.since:
            parameters[options.since] = place.since
        elif place.etag and not name and not place.page:
            headers["If-None-Match"] = place.etag
        if isinstance(pages, LinkedPages) and name:
            return await self.client.get(name, None, headers)
        if isinstance(pages, NumberedPages):
            parameters |= {pages.parameter: name or str(pages.first), pages.size_parameter: str(pages.size)}
        elif isinstance(pages, CursorPages) and name:
            parameters[pages.parameter] = name
        return await self.client.get(address, parameters, headers)


class _Gone(Exception):
    """The poll cannot go on where it broke off, or where it is."""


def _can_be_sent(cursor: str) -> bool:
    try:
        return len(cursor.encode()) <= LONGEST_CURSOR
    except UnicodeEncodeError:
        return False


def mark_of(read: Read) -> str:
    """By what a record is known again: its bytes, without what stands between it and the next."""
    return digest(read.raw.strip(b", \t\r\n"))


def reader(reads: Sequence[Read]) -> Any:
    """The records of a batch."""

    async def records() -> AsyncIterator[Read]:
        for read in reads:
            yield read

    return records


def _present(page: Page) -> datetime:
    """The present, by the clock of the server or by this one, whichever is later."""
    return max(datetime.now(UTC), page.answer.clock)
