"""A REST service that answers in pages of JSON, polled by what changed since the last poll.

A poll asks for what changed since `overlap` before the highest change taken, page by page; one page is one batch. The
clocks of a source's servers differ, and rows commit late: so the overlap is read again each time. Records of which the
same bytes were taken before (their digests are remembered, at most `window` of them) are passed over, so each is
counted once; one that was forgotten is read again, which changes nothing: its events have the same ids.

Position: the highest change taken, the digests, the page that comes next and from when its poll asks (a poll goes on
where it broke off), and through when the source vouched. What the source vouches for is told once the last page of a
poll is done. A page's records and its other members (next page, clock) come from the feed's format.

`Retry-After` of an answer 429 or 503 is kept: `SourceDown` carries it and the host waits. A token is fetched once and
again when it ends or is refused (OAuth 2, client credentials, RFC 6749 section 4.4).
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import orjson

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
from adapters.transports.offline import opened
from schemas.ids import digest

if TYPE_CHECKING:
    import httpx

LONGEST_WAIT = 3600.0
"""Seconds that a source may ask to be left alone for; a greater number is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class CursorPages:
    """Each page tells the cursor of the next in a member; absent or null in the last."""

    parameter: str = "cursor"
    member: str = "next_cursor"


@dataclass(frozen=True, slots=True)
class NumberedPages:
    """Pages are counted; a page with less than `size` records is the last."""

    parameter: str = "page"
    first: int = 1
    size_parameter: str = "size"
    size: int = 100


@dataclass(frozen=True, slots=True)
class LinkedPages:
    """Each page tells the address of the next in its header `Link` (RFC 8288), relation `next`."""


@dataclass(frozen=True, slots=True)
class RestPoll:
    """The transport. `path` stands behind the address of the settings.

    `since`: the parameter that asks for what changed since a moment; `changed`: the member of a record that tells its
    last change; without both, every poll reads all. `clock`: the member of a page through when the source vouches, and
    `begin` from when on. `token`: where tokens are given, a path or an address; without it, credentials are sent as
    HTTP basic authentication.
    """

    path: str
    pages: CursorPages | NumberedPages | LinkedPages = field(default_factory=CursorPages)
    since: str | None = None
    changed: str | None = None
    clock: str | None = None
    begin: str = "1970-01-01T00:00:00Z"
    token: str | None = None
    scope: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    overlap: float = 900.0
    window: int = 2_000
    timeout: float = 30.0
    limit: int = 16 * 2**20  # bytes of a page

    def __post_init__(self) -> None:
        if (self.since is None) != (self.changed is None):
            raise ValueError("since and changed come together")
        if self.window < 0 or self.overlap < 0:
            raise ValueError("window and overlap from zero on")

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Connection:
        """The service at an address. Raises ValueError without a format or credentials, SourceDown for the address."""
        if format is None:
            raise ValueError("pages need a format")
        if self.token is not None and credentials is None:
            raise ValueError("tokens need credentials: user and secret of the feed")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceDown("the address cannot be used: http:// or https:// expected")
        return RestService(url.rstrip("/"), format, self, credentials)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """One page as a file; what it vouches for if it is the last. Raises OSError, ValueError without a format."""
        if format is None:
            raise ValueError("pages need a format")
        header: Mapping[str, Any] = {}
        refused = False
        with opened(source) as stream:
            for read in format.read(stream):
                header = read.fields if isinstance(read, Header) else header
                refused = refused or isinstance(read, BadRecord)
                yield read
        more = isinstance(self.pages, CursorPages) and header.get(self.pages.member)
        through = _moment(header.get(self.clock)) if self.clock is not None else None
        if through is not None and not more and not refused:
            yield closing_of(self.begin, through)


def closing_of(since: str, through: datetime) -> Closing:
    """The end of a poll: the source vouches from one moment to another."""
    fields = {"since": since, "through": _iso(through)}
    return Closing("end of poll", b"", fields)


@dataclass(slots=True)
class _Place:
    """The position, unpacked."""

    high: str = ""  # the highest change taken
    seen: dict[str, None] = field(default_factory=dict)  # digests of records, oldest first
    since: str = ""  # from when the poll that broke off asks
    page: str = ""  # which page of it comes next
    through: str = ""  # as last vouched for
    clock: str = ""  # of the first page of the poll that broke off
    etag: str = ""

    @classmethod
    def of(cls, position: Json | None) -> _Place:
        known: dict[str, Any] = dict(position or {})
        known["seen"] = dict.fromkeys(known.get("seen", ()))
        return cls(**known)

    def position(self, window: int) -> Json:
        while len(self.seen) > window:
            del self.seen[next(iter(self.seen))]
        return {
            "high": self.high,
            "seen": list(self.seen),
            "since": self.since,
            "page": self.page,
            "through": self.through,
            "clock": self.clock,
            "etag": self.etag,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. `link` is the address of the next page, where the answer tells one."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str
    link: str | None


@dataclass(slots=True)
class RestService:
    """An opened service."""

    url: str
    format: Format
    options: RestPoll
    credentials: Credentials | None
    _client: httpx.AsyncClient | None = None

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each page with anything new; what the source vouches for with the last. Raises SourceDown."""
        options, place = self.options, _Place.of(position)
        if not place.page:
            place.since, place.clock = self._since(place), ""
        met = set[str]()
        while True:
            answer = await self._get(place)
            if answer is None:  # nothing has changed
                return
            reads = list(self.format.read(BytesIO(answer.content)))
            header = next((read.fields for read in reads if isinstance(read, Header)), None)
            if header is None:  # a proxy's page, half an answer: what it should have held comes again later
                raise SourceDown(f"{self._where} answered with no page of this interface")
            if options.clock is not None and not place.page:
                place.clock = str(header.get(options.clock) or "")
            records = sum(not isinstance(read, Note) for read in reads)
            page, name = self._next(answer, header, place.page, records), place.page or "first"
            fresh = [read for read in reads if self._is_fresh(read, place)]
            if page and page in met:
                raise SourceDown("its pages do not end: one of them came twice")
            met.add(page)
            place.page = page
            if not page and (closing := self._closing(place, reads)) is not None:
                fresh.append(closing)
            place.etag = answer.headers.get("etag", "") if not page and name == "first" else ""
            if any(not isinstance(read, Note) for read in fresh) or isinstance(fresh[-1] if fresh else None, Closing):
                content = digest(b"".join(read.raw for read in fresh))
                title = f"changes since {place.since or 'ever'}, page {name} {content}"[:200]
                yield Batch(title, _reader(fresh), place.position(options.window), content=content)
            if not page:
                return

    async def close(self) -> None:
        """Let go of the service."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _since(self, place: _Place) -> str:
        if self.options.since is None:
            return ""
        if not place.high:
            return _iso(_known(self.options.begin))
        return _iso(_known(place.high) - timedelta(seconds=self.options.overlap))

    def _is_fresh(self, read: Read, place: _Place) -> bool:
        """Whether it was not taken before; it is from now on."""
        if isinstance(read, Note):
            return True
        mark = digest(read.raw.strip(b", \t\r\n"))
        if mark in place.seen:
            return False
        place.seen[mark] = None
        if isinstance(read, Record) and self.options.changed is not None:
            changed = _moment(read.fields.get(self.options.changed))
            if changed is not None and changed <= datetime.now(UTC) + timedelta(days=1):
                place.high = max(place.high, _iso(changed))
        return True

    def _closing(self, place: _Place, reads: list[Read]) -> Closing | None:
        through = _moment(place.clock)
        before = place.through or _iso(_known(self.options.begin))
        if through is None or _iso(through) <= before:
            return None
        place.through = _iso(through)
        return closing_of(before, through)

    # --- pages ------------------------------------------------------------------------------------------------

    def _next(self, answer: Answer, header: Mapping[str, Any], page: str, records: int) -> str:
        """Which page comes next; empty behind the last. Raises SourceDown for a link that leads elsewhere."""
        pages = self.options.pages
        if isinstance(pages, CursorPages):
            return str(header.get(pages.member) or "")
        if isinstance(pages, NumberedPages):
            return str(int(page or pages.first) + 1) if records >= pages.size else ""
        if answer.link is None:
            return ""
        result = urljoin(answer.url, answer.link)
        if urlsplit(result)[:2] != urlsplit(self.url)[:2]:
            raise SourceDown("a link to the next page leads to another host")
        return result

    def _request(self, place: _Place) -> tuple[str, dict[str, str]]:
        """Address and parameters of the page that comes next."""
        options, pages = self.options, self.options.pages
        address = urljoin(self.url + "/", options.path.lstrip("/"))
        parameters = dict(options.parameters)
        if options.since is not None and place.since:
            parameters[options.since] = place.since
        if isinstance(pages, LinkedPages):
            return (place.page, {}) if place.page else (address, parameters)
        if isinstance(pages, NumberedPages):
            parameters |= {pages.parameter: place.page or str(pages.first), pages.size_parameter: str(pages.size)}
        elif place.page:
            parameters[pages.parameter] = place.page
        return address, parameters

    # --- HTTP -------------------------------------------------------------------------------------------------

    async def _get(self, place: _Place) -> Answer | None:
        """The page that comes next, None if the source says that nothing has changed. Raises SourceDown."""
        address, parameters = self._request(place)
        for attempt in (1, 2):
            headers = await self._authorisation(fresh=attempt == 2)
            if place.etag and not place.page and not parameters.get(self.options.since or ""):
                headers["If-None-Match"] = place.etag
            # httpx takes the query off an address that comes with no parameters at all in a mapping
            answer = await self._send("GET", address, params=parameters or None, headers=headers)
            if answer.status != 401 or self.options.token is None:
                break
        if answer.status == 304:
            return None
        if answer.status in (400, 404, 410) and place.page:
            # a cursor does not live for ever: begin the poll anew, what is known already is passed over
            place.page, place.since, place.clock = "", self._since(place), ""
            return await self._get(place)
        if answer.status != 200:
            raise self._down(answer)
        return answer

    async def _send(self, method: str, address: str, **given: Any) -> Answer:
        """An answer with its body. Raises SourceDown."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self.options.timeout, follow_redirects=False)
        try:
            async with self._client.stream(method, address, **given) as answer:
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > self.options.limit:
                        raise SourceDown(f"{self._where}: a page of more than {self.options.limit} bytes")
                link = answer.links.get("next", {}).get("url")
                return Answer(answer.status_code, answer.headers, body, str(answer.url), link)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceDown(f"{self._where} cannot be reached: {type(error).__name__}") from None

    @property
    def _where(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    def _down(self, answer: Answer) -> SourceDown:
        asked = _retry_after(answer.headers.get("retry-after")) if answer.status in (429, 503) else 0.0
        wish = f"; it asks to be left alone for {asked:g} s" if asked else ""
        return SourceDown(f"{self._where} answered {answer.status}{wish}", retry_after=asked)

    async def _authorisation(self, *, fresh: bool) -> dict[str, str]:
        """The header that says who asks. Raises SourceDown."""
        if self.credentials is None:
            return {}
        both = f"{quote(self.credentials.user, safe='')}:{quote(self.credentials.secret, safe='')}"
        if self.options.token is None:
            both = f"{self.credentials.user}:{self.credentials.secret}"
        basic = f"Basic {b64encode(both.encode()).decode()}"  # RFC 6749 section 2.3.1 has them encoded for forms
        if self.options.token is None:
            return {"Authorization": basic}
        address = urljoin(self.url + "/", self.options.token)
        key = (address, self.credentials.user, self.credentials.secret, self.options.scope)
        token, ends = _TOKENS.get(key, ("", 0.0))
        if fresh or time.monotonic() >= ends:
            data = {"grant_type": "client_credentials"} | ({"scope": self.options.scope} if self.options.scope else {})
            answer = await self._send("POST", address, data=data, headers={"Authorization": basic})
            if answer.status != 200:
                raise self._down(answer)
            try:
                body = orjson.loads(answer.content)
                token, lives = str(body["access_token"]), float(body.get("expires_in", 300))
            except (ValueError, KeyError, TypeError):
                raise SourceDown(f"{self._where} gave no token") from None
            _TOKENS[key] = token, time.monotonic() + max(0.0, lives - 30)
        return {"Authorization": f"Bearer {token}"}


_TOKENS: dict[tuple[str, str, str, str], tuple[str, float]] = {}
"""Tokens of this process with their end: a connection is opened for each poll, a token lives longer."""


def _reader(reads: list[Read]) -> Any:
    async def records() -> AsyncIterator[Read]:
        for read in reads:
            yield read

    return records


def _retry_after(text: str | None) -> float:
    """Seconds, or an HTTP date (RFC 9110 section 10.2.3)."""
    if text is None:
        return 0.0
    if text.strip().isdecimal():
        return min(float(text), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), LONGEST_WAIT)


def _known(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


def _moment(value: object) -> datetime | None:
    """A moment with an offset, if it is one and far enough from the ends of time to count with."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None and 1900 < at.year < 9990 else None
