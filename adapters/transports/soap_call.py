"""One operation of a SOAP service: a request by its WSDL, the answer as one XML element, or why there is none.

zeep builds the requests, and nothing else: what it makes of answers leaves out what it does not know (unknown
elements, substitution groups, values such as 24:00:00) without an error. So an answer comes raw: its envelope (SOAP
1.1 or 1.2, whichever comes) is opened here, its one element is checked by name and handed on to a format, which checks
it by the schema. The WSDL is a file beside the adapter, and everything that it names has to lie there; the endpoint's
address comes from the settings. Only document/literal services; attachments (MTOM, SOAP with Attachments) are not
read.

A fault is told by its kind: one of the request (`Client`, `Sender`) raises RequestRefused, any other SourceDown. A
fault's text is the service's own, so reasons have it without numbers, which might be a person's.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from lxml import etree

from adapters.core import Credentials, SourceDown
from adapters.formats.xml_message import local_name
from adapters.formats.xml_safe import OutOfBounds, check_bounds, safe_parser
from adapters.transports.http_client import unanswered
from adapters.transports.tls_options import TlsOptions

if TYPE_CHECKING:
    import httpx

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
LONGEST_WAIT = 3600.0
"""Seconds that a source may ask to be left alone for; a greater number is taken for a mistake."""
_OURS = frozenset({"Client", "Sender"})
"""Codes of faults, by their local names, that lay the blame on the request."""
_AT_ONCE = 65_536
"""Bytes of an answer up to which a thread would cost more than reading it."""
_NUMBER = re.compile(r"[A-Z]*\d[\w-]*", re.ASCII)

Security = Literal["basic", "username-token"]
"""How credentials are sent: HTTP basic authentication, or a WS-Security UsernameToken with its password as a digest."""


class RequestRefused(Exception):
    """The service did not take the request: a fault of the kind `Client` or `Sender`. The text has its code."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, ready to be sent."""

    envelope: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class SoapCall:
    """An operation of a service at an address. `answer`: `{namespace}name` of the element that answers."""

    wsdl: Path
    operation: str
    answer: str
    url: str
    credentials: Credentials | None = None
    security: Security = "basic"
    timeout: float = 30.0
    limit: int = 16 * 2**20
    tls: TlsOptions = field(default_factory=TlsOptions)
    _client: httpx.AsyncClient | None = None

    async def __call__(self, **values: Any) -> bytes:
        """The answer's element, in its namespaces. Raises SourceDown, RequestRefused."""
        request = await asyncio.to_thread(built, self.wsdl, self.operation, values, self._token)
        status, headers, body = await self._sent(request)
        if len(body) <= _AT_ONCE:
            return self._opened(status, headers, body)
        return await asyncio.to_thread(self._opened, status, headers, body)

    async def close(self) -> None:
        """Let go of the service."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @property
    def where(self) -> str:
        """Host and port, for reasons."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def _token(self) -> tuple[str, str] | None:
        if self.credentials is None or self.security != "username-token":
            return None
        return self.credentials.user, self.credentials.secret

    async def _sent(self, request: Request) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the answer. Raises SourceDown."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=self.timeout, follow_redirects=False, verify=self.tls.context(self.where)
            )
        headers = dict(request.headers)
        if self.credentials is not None and self.security == "basic":
            both = f"{self.credentials.user}:{self.credentials.secret}"
            headers["Authorization"] = f"Basic {b64encode(both.encode()).decode()}"
        pieces: list[bytes] = []
        size = 0
        try:
            async with (
                asyncio.timeout(self.timeout),  # all of it: an answer that trickles is none
                self._client.stream("POST", self.url, content=request.envelope, headers=headers) as answer,
            ):
                async for piece in answer.aiter_bytes():
                    pieces.append(piece)
                    size += len(piece)
                    if size > self.limit:
                        raise SourceDown(f"{self.where}: an answer of more than {self.limit} bytes")
                return answer.status_code, answer.headers, b"".join(pieces)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unanswered(self.where, error) from None
        except TimeoutError:
            raise SourceDown(f"{self.where} did not answer within {self.timeout:g} s") from None

    def _opened(self, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
        """The element in the envelope's body. Raises SourceDown, RequestRefused."""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind.startswith("multipart/"):
            raise SourceDown(f"{self.where} answered with attachments (MTOM), which are not read")
        asked = _retry_after(headers.get("retry-after")) if status in (429, 503) else 0.0
        wish = f"; it asks to be left alone for {asked:g} s" if asked else ""
        if status not in (200, 400, 500):  # faults come with these: SOAP 1.1 over HTTP 6.2, SOAP 1.2 part 2, 7.5.2.2
            raise SourceDown(f"{self.where} answered {status}{wish}", retry_after=asked)
        if not body.strip():
            raise SourceDown(f"{self.where} answered {status} with nothing in it")
        try:
            element = element_of(body)
        except ValueError as error:
            raise SourceDown(f"{self.where} answered {status} with no SOAP: {error}") from None
        if status != 200:
            raise SourceDown(f"{self.where} answered {status} without a fault")
        if element.tag != self.answer:
            raise SourceDown(
                f"{self.where} answered with {local_name(str(element.tag))!r}, {local_name(self.answer)} expected"
            )
        return etree.tostring(element, encoding="utf-8", with_tail=False)


def element_of(envelope: bytes) -> etree._Element:
    """The one element in the body of an envelope. Raises ValueError for what is none; for a fault as its kind says.

    A fault of the request raises RequestRefused, any other SourceDown.
    """
    try:
        check_bounds(envelope)
        root = etree.fromstring(envelope, safe_parser())
    except OutOfBounds as error:
        raise ValueError(str(error)) from None
    except (etree.LxmlError, ValueError) as error:
        raise ValueError(f"not well-formed ({type(error).__name__})") from None
    document: Any = root.getroottree().docinfo
    if document.doctype:
        raise ValueError("a document type declaration; none is read")
    space = next((each for each in (SOAP_11, SOAP_12) if root.tag == f"{{{each}}}Envelope"), None)
    if space is None:
        raise ValueError(f"the root is {local_name(str(root.tag))!r}, no envelope of SOAP 1.1 or 1.2")
    for header in root.iterfind(f"{{{space}}}Header/*"):
        if header.get(f"{{{space}}}mustUnderstand", "").strip() in ("1", "true"):
            raise ValueError(f"a header {local_name(str(header.tag))!r} that has to be understood, and is not")
    body = root.find(f"{{{space}}}Body")
    elements = [] if body is None else list(body)
    if len(elements) != 1:
        raise ValueError(f"{len(elements)} elements in the body, one expected")
    element: etree._Element = elements[0]
    if element.tag == f"{{{space}}}Fault":
        raise _fault(element)
    return element


def _fault(fault: etree._Element) -> Exception:
    """What a fault says, by its kind. Some servers write the children of one version into the envelope of another."""
    codes = [_code(each) for each in fault.iterfind("{*}faultcode")]
    codes += [_code(each) for each in fault.iterfind("{*}Code//{*}Value")]
    reason = next(fault.iterfind("{*}faultstring"), next(fault.iterfind("{*}Reason/{*}Text"), None))
    said = " ".join("".join(map(str, reason.itertext())).split()) if reason is not None else ""
    words = f": {_NUMBER.sub('...', said)[:200]}" if said else ""
    if not codes or not codes[0]:
        return SourceDown(f"a fault without a code, so of what carries the service{words}")
    code = "/".join(filter(None, codes))
    if codes[0].partition(".")[0] in _OURS:
        return RequestRefused(f"the request was refused ({code}){words}")
    return SourceDown(f"the service failed ({code}){words}")


def _code(value: etree._Element) -> str:
    """The local name of a code, without the prefix."""
    return (value.text or "").strip().rpartition(":")[2][:60]


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
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), LONGEST_WAIT)


# --- requests ----------------------------------------------------------------------------------------------------


def built(wsdl: Path, operation: str, values: Mapping[str, Any], token: tuple[str, str] | None = None) -> Request:
    """A request by the WSDL, with a UsernameToken if there is one. Raises ValueError for values that do not fit it."""
    zeep, wsse = _zeep("zeep"), _zeep("zeep.wsse.username")
    document, transport, settings = _loaded(wsdl)
    security = wsse.UsernameToken(*token, use_digest=True, zulu_timestamp=True) if token is not None else None
    client = zeep.Client(document, wsse=security, transport=transport, settings=settings)
    try:
        result = client.service[operation](**values)
    except (zeep.exceptions.Error, TypeError, AttributeError) as error:
        raise ValueError(f"{operation} of {wsdl.name}: {error}") from None
    if not isinstance(result, Request):
        raise TypeError(f"{operation} of {wsdl.name} gave no request")
    return result


@lru_cache(maxsize=64)  # reading one takes some hundredths of a second, and a connection is opened for each poll
def _loaded(wsdl: Path) -> tuple[Any, Any, Any]:
    """A WSDL with all that it names, and the transport and settings to build requests with. Raises ValueError."""
    zeep, wsdls = _zeep("zeep"), _zeep("zeep.wsdl")
    folder = wsdl.resolve().parent

    transport_class: Any = zeep.Transport

    class Building(transport_class):  # type: ignore[misc]  # the library has few types
        """Loads files beside the WSDL, and hands back what should be sent."""

        def load(self, url: str) -> bytes:
            path = Path(url).resolve()
            if path.parent != folder:
                raise ValueError(f"{wsdl.name} names {url!r}, which does not lie beside it")
            return path.read_bytes()

        def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> Request:
            return Request(
                etree.tostring(envelope, xml_declaration=True, encoding="utf-8"),
                {str(name): str(value) for name, value in headers.items()},
            )

    settings = zeep.Settings(
        strict=True, raw_response=True, forbid_external=True, forbid_dtd=True, forbid_entities=True
    )
    transport = Building(timeout=1.0, operation_timeout=1.0)
    return wsdls.Document(str(wsdl.resolve()), transport, settings=settings), transport, settings


def _zeep(name: str) -> Any:
    """A module of the library, which is imported by who needs it and has few types."""
    return import_module(name)
