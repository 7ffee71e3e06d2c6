"""Requests to a service over HTTP: who asks (OAuth 2, basic), how often it may ask, and why there is no answer.

A token is fetched once and again when it ends or is refused (client credentials, RFC 6749 section 4.4). Requests keep
their distance: gateways that state a rate for a second divide the second and refuse the second of two requests that
come together (Apigee, policy SpikeArrest). Of a day's quota what was used is counted; the day is that of UTC.

`Retry-After` of a refusal is kept: `SourceDown` carries it and the host waits. A date in it is read by the clock of the
server that wrote it. Nothing here tries again, but a request whose token was refused, once.
"""

from __future__ import annotations

import asyncio
import gzip
import math
import time
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urljoin, urlsplit

import orjson

from adapters.core import Credentials, SourceDown
from adapters.transports.tls_options import TlsOptions
from links.reasons import Reason, failure_of

if TYPE_CHECKING:
    import httpx

LONGEST_WAIT = 3600.0
"""Seconds that a source may ask to be left alone for; a greater number is taken for a mistake."""
_MOVED = (301, 302, 303, 307, 308)
UNSAID_LIFE = 300.0
"""Seconds for which a token is used whose answer does not say how long it lives."""


@dataclass(frozen=True, slots=True)
class Access:
    """How a service is asked.

    `token`: where tokens are given, a path or an address; without it credentials are sent as HTTP basic
    authentication. `credentials_in`: whether they stand in the header of the request for a token or in its body (RFC
    6749 section 2.3.1 allows both). `patience`: seconds for a whole answer, `timeout` for each wait in it. `limit`:
    bytes of an answer. `per_second` and `per_day`: how many requests are allowed, 0 for any number.
    """

    token: str | None = None
    scope: str = ""
    credentials_in: Literal["header", "body"] = "header"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0
    patience: float = 300.0
    limit: int = 16 * 2**20
    per_second: float = 0.0
    per_day: int = 0
    tls: TlsOptions = field(default_factory=TlsOptions)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. `link` is the address of the next page, where the answer tells one; `clock` the moment
    that the server says it is."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str
    link: str | None
    clock: datetime

    @property
    def shape(self) -> str:
        """What a body that cannot be read looks like, in words."""
        body = self.content.strip()
        if not body:
            return "nothing"
        if "html" in self.headers.get("content-type", "").lower() or body[:1] == b"<":
            return "HTML, as a proxy or a sign-in page does"
        return "something that is cut short or no JSON"


class NoAnswer(SourceDown):
    """The request reached the service, and its answer did not come, or not whole."""


class QuotaUsed(Exception):
    """What the service allows for this day is used up. The message says until when."""


@dataclass(slots=True)
class _Used:
    """What was asked of a service by one user: when the next request may go, and how many went on a day."""

    next_at: float = 0.0
    day: str = ""
    count: int = 0


_TOKENS: dict[tuple[str, str, str, str], tuple[str, float]] = {}
"""Tokens of this process with their end: a connection is opened for each poll, a token lives longer."""
_USED: dict[tuple[str, str], _Used] = {}
"""By address and user, of this process; what a position knows of an earlier one is taken in."""


@dataclass(slots=True)
class HttpClient:
    """A service at an address. `client` is the library's; it is made at the first request."""

    url: str
    access: Access
    credentials: Credentials | None
    _client: httpx.AsyncClient | None = None

    @property
    def where(self) -> str:
        """Host and port, for messages."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    async def close(self) -> None:
        """Let go of the service."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def get(self, address: str, parameters: Mapping[str, str] | None, headers: Mapping[str, str]) -> Answer:
        """The answer to a request, whatever its status. Raises SourceDown, QuotaUsed."""
        for attempt in (1, 2):
            given = {**self.access.headers, **await self._authorisation(fresh=attempt == 2), **headers}
            await self._turn()
            # httpx takes the query off an address that comes with no parameters at all in a mapping
            try:
                answer = await self._send("GET", address, params=parameters or None, headers=given)
            finally:
                self._rest()
            if answer.status != 401 or self.access.token is None:
                break
        return answer

    def down(self, answer: Answer, what: str = "") -> SourceDown:
        """Why an answer is none, with how long the source asks to be left alone."""
        asked = retry_after(answer.headers.get("retry-after"), answer.clock) if answer.status != 200 else 0.0
        wish = f"; it asks to be left alone for {asked:g} s" if asked else ""
        why = {401: ": it does not take these credentials", 429: ": too many requests"}.get(answer.status, "")
        if answer.status in _MOVED and (host := urlsplit(answer.headers.get("location", "")).hostname):
            why = f": it points to {host}, and is not followed"
        code = {401: Reason.CREDENTIALS, 403: Reason.NOT_AUTHORISED}.get(answer.status)
        where = f"{self.where}: {code}: it" if code is not None else self.where
        return SourceDown(f"{where} answered {answer.status}{what}{why}{wish}", retry_after=asked, code=code)

    # --- how often ----------------------------------------------------------------------------------------------

    @property
    def used(self) -> tuple[str, int]:
        """The present day, and how many requests went on it."""
        used = self._used()
        return used.day, used.count

    def count_from(self, day: str, count: int) -> None:
        """Take in what an earlier process has asked on a day."""
        used = self._used()
        if day == used.day:
            used.count = max(used.count, count)

    def check(self) -> None:
        """Raises QuotaUsed if no further request is allowed today."""
        used, allowed = self._used(), self.access.per_day
        if allowed and used.count >= allowed:
            raise QuotaUsed(f"the {allowed} requests of {used.day} that {self.where} allows are used up")

    def _used(self) -> _Used:
        user = self.credentials.user if self.credentials is not None else ""
        used = _USED.setdefault((self.url, user), _Used())
        today = _today()
        if used.day != today:
            used.day, used.count = today, 0
        return used

    async def _turn(self) -> None:
        """Wait until the next request may go, and count it. Raises QuotaUsed."""
        self.check()
        used = self._used()
        used.count += 1
        if (wait := used.next_at - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    def _rest(self) -> None:
        """Keep the next request off. It is counted from the answer: when a request arrived only the service knows."""
        if self.access.per_second > 0:
            self._used().next_at = time.monotonic() + 1 / self.access.per_second

    # --- HTTP -----------------------------------------------------------------------------------------------------

    async def _send(self, method: str, address: str, **given: Any) -> Answer:
        """An answer with its body. Raises SourceDown."""
        import httpx

        access = self.access
        if self._client is None:
            headers = {"Accept-Encoding": "gzip"}
            self._client = httpx.AsyncClient(
                timeout=access.timeout, follow_redirects=False, headers=headers, verify=access.tls.context(self.where)
            )
        try:
            async with asyncio.timeout(access.patience), self._client.stream(method, address, **given) as answer:
                body = bytearray()
                async for piece in answer.aiter_raw():
                    body += piece
                    self._fits(body)
                content = _decoded(bytes(body), answer.headers.get("content-encoding", ""), access.limit)
                self._fits(content)
                link = answer.links.get("next", {}).get("url")
                clock = _date(answer.headers.get("date")) or datetime.now(UTC)
                return Answer(answer.status_code, answer.headers, content, str(answer.url), link, clock)
        except TimeoutError:
            raise NoAnswer(f"{self.where} has not answered within {access.patience:g} s") from None
        except httpx.TimeoutException as error:
            if isinstance(error, httpx.ConnectTimeout):
                raise unanswered(self.where, error) from None
            raise NoAnswer(f"{self.where} does not answer: {type(error).__name__}") from None
        except (httpx.RemoteProtocolError, httpx.ReadError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise NoAnswer(f"{self.where} broke off its answer: {type(error).__name__}") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise unanswered(self.where, error) from None

    def _fits(self, body: bytes | bytearray) -> None:
        """Raises NoAnswer for a body that is too large."""
        if len(body) > self.access.limit:
            raise NoAnswer(f"{self.where}: an answer of more than {self.access.limit} bytes")

    async def _authorisation(self, *, fresh: bool) -> dict[str, str]:
        """The header that says who asks. Raises SourceDown."""
        who, access = self.credentials, self.access
        if who is None:
            return {}
        if access.token is None:
            return {"Authorization": _basic(who.user, who.secret)}
        address = urljoin(self.url + "/", access.token)
        key = (address, who.user, who.secret, access.scope)
        token, ends = _TOKENS.get(key, ("", 0.0))
        if fresh or time.monotonic() >= ends:
            _TOKENS.pop(key, None)
            token, lives = await self._new_token(address, who)
            # used a little less long than it lives: the answer took its time, and the request that carries it will
            _TOKENS[key] = token, time.monotonic() + lives - min(30.0, lives / 5)
        return {"Authorization": f"Bearer {token}"}

    async def _new_token(self, address: str, who: Credentials) -> tuple[str, float]:
        """A token, and how many seconds it lives. Raises SourceDown."""
        form = {"grant_type": "client_credentials"} | ({"scope": self.access.scope} if self.access.scope else {})
        headers: dict[str, str] = {}
        if self.access.credentials_in == "body":
            form |= {"client_id": who.user, "client_secret": who.secret}
        else:  # RFC 6749 section 2.3.1 has them encoded as in a form
            headers["Authorization"] = _basic(quote(who.user, safe=""), quote(who.secret, safe=""))
        answer = await self._send("POST", address, data=form, headers=headers)
        if answer.status not in (200, 201):
            raise self.down(answer, " to the request for a token")
        try:
            body = orjson.loads(answer.content)
            token = body["access_token"]
        except (ValueError, KeyError, TypeError):
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise SourceDown(f"{self.where} gave no token: it answered with {answer.shape}")
        return token, _seconds(body.get("expires_in"))


def unanswered(where: str, error: Exception) -> SourceDown:
    """Why no request could be made, by an error of httpx."""
    failure = failure_of(error)
    if failure is None:
        return SourceDown(f"{where} cannot be reached: {type(error).__name__}")
    return SourceDown(f"{where} cannot be reached: {failure}", code=failure.reason)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _decoded(body: bytes, coding: str, limit: int) -> bytes:
    """A body without its coding, at most a byte more than the limit.

    Of gzip every member is read (RFC 1952 section 2.2), and one that is cut is an error: httpx 0.28 passes the first
    member on, or its beginning, as if it were all. Raises EOFError, BadGzipFile, zlib.error.
    """
    if coding.lower() not in ("gzip", "x-gzip"):
        return body  # what was not asked for shows as no JSON
    with gzip.GzipFile(fileobj=BytesIO(body)) as stream:
        return stream.read(limit + 1)


def _basic(user: str, secret: str) -> str:
    return f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"


def _seconds(said: object) -> float:
    """How long a token lives: a number, or the text of one, as some services write it."""
    try:
        lives = float(said) if isinstance(said, int | float | str) else UNSAID_LIFE
    except (ValueError, OverflowError):
        return UNSAID_LIFE
    return min(lives, 86_400.0) if math.isfinite(lives) and lives > 0 else UNSAID_LIFE


def _date(text: str | None) -> datetime | None:
    """A date of HTTP (RFC 9110 section 5.6.7), None if it is none."""
    if text is None:
        return None
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)  # -0000 is UTC as well


def retry_after(text: str | None, clock: datetime) -> float:
    """Seconds, or a date (RFC 9110 section 10.2.3) as the server's own clock has it."""
    if text is None:
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        at = _date(text)
        seconds = (at - clock).total_seconds() if at is not None else 0.0
    return min(max(0.0, seconds), LONGEST_WAIT) if not math.isnan(seconds) else 0.0
