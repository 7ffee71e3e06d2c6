"""Schemas by their ids from a schema registry over HTTP (Confluent's interface, which others speak too).

A schema never changes under its id, so each is fetched once in the life of a process.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import orjson

from adapters.core import SourceDown
from adapters.formats.avro import SchemaId, parsed
from adapters.transports.http_client import unanswered
from adapters.transports.tls_options import TlsOptions

if TYPE_CHECKING:
    import httpx

KEPT = 1_000
"""Schemas that are remembered."""
DEEPEST = 20
"""So far are references of schemas followed."""
LONGEST = 4 * 2**20
"""Bytes of an answer."""
_SCHEMAS: OrderedDict[tuple[str, SchemaId], Any] = OrderedDict()
"""Those of this process by registry and id: a connection is opened for each poll, a schema lives for ever."""


class UnknownSchema(ValueError):
    """The registry has no schema of Avro under an id."""


@dataclass(slots=True)
class SchemaRegistry:
    """A registry at an address, which may have user and password in it. `timeout`: seconds for an answer."""

    url: str = field(repr=False)
    timeout: float = 30.0
    tls: TlsOptions = field(default_factory=TlsOptions)
    _client: httpx.AsyncClient | None = None

    async def schema(self, known: SchemaId) -> Any:
        """The schema of an id, as the library wants it. Raises UnknownSchema, SourceDown."""
        key = self.url, known
        if key in _SCHEMAS:
            _SCHEMAS.move_to_end(key)
            return _SCHEMAS[key]
        path = f"schemas/guids/{known}" if isinstance(known, UUID) else f"schemas/ids/{known}"
        answer = await self._get(path, f"schema {known}")
        names: dict[str, Any] = {}
        schema = await self._parsed(answer, names, f"schema {known}", DEEPEST)
        _SCHEMAS[key] = schema
        while len(_SCHEMAS) > KEPT:
            _SCHEMAS.popitem(last=False)
        return schema

    async def close(self) -> None:
        """Let go of the registry."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _parsed(self, answer: dict[str, Any], names: dict[str, Any], what: str, deep: int) -> Any:
        """A schema with those that it refers to. Raises UnknownSchema, SourceDown."""
        kind = answer.get("schemaType") or "AVRO"
        if kind != "AVRO":
            raise UnknownSchema(f"{what} is of type {str(kind)[:20]}, not of Avro")
        if not deep:
            raise UnknownSchema(f"{what}: its references do not end")
        for each in answer.get("references") or ():
            subject, version = quote(str(each["subject"]), safe=""), quote(str(each["version"]), safe="")
            inner = await self._get(f"subjects/{subject}/versions/{version}", f"{what}, reference {subject}")
            await self._parsed(inner, names, what, deep - 1)
        try:
            return parsed(orjson.loads(answer["schema"]), names)
        except (ValueError, KeyError, TypeError) as error:
            raise UnknownSchema(f"{what} cannot be used: {error}"[:200]) from None

    async def _get(self, path: str, what: str) -> dict[str, Any]:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=self.timeout, follow_redirects=False, verify=self.tls.context(f"schema registry {self.where}")
            )
        try:
            answer = await self._client.get(f"{self.url.rstrip('/')}/{path}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unanswered(f"schema registry {self.where}", error) from None
        body = _body(answer.content) if len(answer.content) <= LONGEST else None
        if answer.status_code == 404 and body is not None and "error_code" in body:
            raise UnknownSchema(f"{what} is unknown to the schema registry")
        if answer.status_code != 200:
            raise SourceDown(f"schema registry {self.where} answered {answer.status_code}")
        if body is None or "schema" not in body:
            raise SourceDown(f"schema registry {self.where} answered with no schema")
        return body

    @property
    def where(self) -> str:
        """Host and port, for people."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _body(content: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None
