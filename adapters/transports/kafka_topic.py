"""A topic of a foreign Kafka, read by partition and offset from a position that is ours; nothing is ever committed.

A batch is some messages of one partition. Position: `at`, the next offset of each partition, and `id`, the topic's.
What the topic lost before it was read is told by a refused record in its place, and reading goes on behind it:

- messages that were deleted at a partition's front, of those that were known to come and of partitions that were added;
- a topic that was made anew under its name: what of the old one was not read;
- a partition cut back behind the position (a leader elected that lacked the newest): it is read from its front again,
  which changes nothing but the counters.

Only what transactions have committed is read, unless `read_committed` is off; what waits behind an open transaction is
named as left for later. A compressed batch that unpacks to more than `unpacked` bytes is not unpacked: the source is
down, in words, until the option allows it. A message without a value (a tombstone) is a record, if the mapping takes
the message's `key`, with the key and `TOMBSTONE`, and otherwise a note. A format that `TakesMessages` is given key and
headers of each message, and those without a value too. What is too large or no message of the format is refused alone.

The order of messages is that of their partition. So what a message vouches for (the clock of captured rows) holds in a
topic of one partition only; in another it is a note that says so. Whoever writes by key lets all clients choose
partitions alike: librdkafka's do as the others with `partitioner=murmur2_random` only.

Address: `kafka://host:port[,host:port]/topic`. User and secret of the feed log in by SASL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import orjson

from adapters.core import (
    BadRecord,
    Batch,
    Closing,
    Credentials,
    Emptied,
    Format,
    Json,
    Met,
    Note,
    Outside,
    Read,
    Record,
    SourceDown,
)
from adapters.formats.avro import Avro, SchemaId, framed
from adapters.formats.json_values import NoJson, record_of, value_of
from adapters.messages import Message, TakesMessages, line_of
from adapters.transports import rows
from adapters.transports.kafka_client import Bounds, Gone, TopicClient, TopicState
from adapters.transports.offline import opened
from adapters.transports.schema_registry import SchemaRegistry, UnknownSchema
from adapters.transports.slices import at_once, by_few
from adapters.transports.tls_options import TlsOptions
from links.oauth import Tokens, token_provider
from links.reasons import Reason
from schemas.ids import digest

TOMBSTONE = "@tombstone"
"""The field, true, of a record whose message has a key and no value."""
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
_NO_FORMAT = "messages need a format, or the reader's schema of Avro"
_UNORDERED = "a clock that vouches for nothing: the topic has several partitions, and others may be behind this one"
_EMPTIED = (
    "a table was emptied (TRUNCATE) and the topic has several partitions: a row that was written before and is read"
    " after it stays; compare the table with what stands, and let the connector's topics have one partition"
)
_FEW = 20
"""So many messages are read at once: a thread would cost more."""
_WAIT = 1.0
"""Seconds that the broker is waited for before it is asked where reading stands."""
Decode = Callable[[Any], Iterable[Read]]
"""A message of the client's to what is in its value."""


@dataclass(frozen=True, slots=True)
class KafkaTopic(TlsOptions):
    """The transport. `timeout`: seconds that the broker or the registry may take; `limit`: bytes of a message;
    `unpacked`: bytes that a compressed batch of messages may unpack to.

    With `avro` messages are in the framing of a schema registry, which `registry` is the address of, and there is no
    format. `key`: the field that a record has the message's key in, as text or as the JSON that it is.
    """

    key: str = ""
    key_as: Literal["text", "json"] = "text"
    avro: Avro | None = None
    registry: str = field(default="", repr=False)
    read_committed: bool = True
    messages: int = 500
    limit: int = 16 * 2**20
    unpacked: int = 64 * 2**20
    timeout: float = 30.0
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    oauth_token_url: str | None = None
    oauth_scope: str | None = None

    def __post_init__(self) -> None:
        if self.messages < 1:
            raise ValueError("a batch of at least one message")
        if self.security_protocol not in _PROTOCOLS:
            raise ValueError(f"security_protocol is one of {', '.join(_PROTOCOLS)}")
        if self.security_protocol.startswith("SASL_") != (self.sasl_mechanism is not None):
            raise ValueError(f"{self.security_protocol} and sasl_mechanism {self.sasl_mechanism} do not go together")
        if self.sasl_mechanism not in (None, *_MECHANISMS):
            raise ValueError(f"sasl_mechanism is one of {', '.join(_MECHANISMS)}")
        tls = (self.ssl_cafile, self.ssl_certfile, self.ssl_keyfile)
        if any(tls) and not self.security_protocol.endswith("SSL"):
            raise ValueError(f"TLS settings with security_protocol {self.security_protocol}")
        if bool(self.ssl_certfile) != bool(self.ssl_keyfile):
            raise ValueError("ssl_certfile and ssl_keyfile go together")
        if self.ssl_password is not None and not self.ssl_keyfile:
            raise ValueError("ssl_password goes with ssl_keyfile")
        if (self.sasl_mechanism == "OAUTHBEARER") != (self.oauth_token_url is not None):
            raise ValueError("sasl_mechanism OAUTHBEARER and oauth_token_url go together")

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> TopicConsumer:
        """The topic at a URL. Raises ValueError for what is missing in the settings, SourceDown for the address."""
        if (format is None) == (self.avro is None):
            raise ValueError(_NO_FORMAT)
        if self.avro is not None and not self.registry:
            raise ValueError("Avro needs the address of its schema registry: the option registry")
        if self.sasl_mechanism is not None and credentials is None:
            raise ValueError(f"{self.security_protocol} needs user and secret of the feed")
        address = Address.of(url)
        return TopicConsumer(address, format, self, self._options(address, credentials))

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """A file that has messages in it: of Avro an object container file. Raises OSError, ValueError."""
        if format is None and self.avro is None:
            raise ValueError(_NO_FORMAT)
        with opened(source) as stream:
            if format is not None:
                yield from format.read(stream)
            elif self.avro is not None:
                yield from self.avro.offline(stream)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A record of Avro again, from the JSON that was kept of it."""
        try:
            yield record_of(value_of(raw), raw, met.place, met.ordinal or 0, {})
        except NoJson:
            yield BadRecord(
                "no JSON of a record of Avro: its message is read again from its topic", place=met.place, raw=raw
            )

    def render(self, raw: bytes) -> Iterator[str]:
        """The fields of a record of Avro. Raises ValueError if it is none."""
        return rows.render(raw)

    def field_names(self) -> Sequence[str]:
        """The fields of a record of Avro."""
        return self.avro.field_names() if self.avro is not None else ()

    def _options(self, address: Address, credentials: Credentials | None) -> dict[str, Any]:
        """What every client takes. Raises SourceDown for certificates that cannot be read."""
        options: dict[str, Any] = {
            "bootstrap_servers": list(address.servers),
            "security_protocol": self.security_protocol,
        }
        context = None
        if self.security_protocol.endswith("SSL"):
            context = self.context(address)
            options["ssl_context"] = context
        if self.sasl_mechanism is not None and credentials is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
            if self.oauth_token_url is not None:
                tokens = Tokens(
                    self.oauth_token_url, credentials.user, credentials.secret, self.oauth_scope or "", context
                )
                options["sasl_oauth_token_provider"] = token_provider(tokens)
            else:
                options["sasl_plain_username"] = credentials.user
                options["sasl_plain_password"] = credentials.secret
        return options


@dataclass(frozen=True, slots=True)
class Address:
    """Where the topic is."""

    servers: tuple[str, ...]
    topic: str

    @classmethod
    def of(cls, url: str) -> Address:
        """The address that a URL spells. Raises SourceDown for one that is none."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise SourceDown("the address cannot be used: no URL") from None
        topic, servers = unquote(parts.path.removeprefix("/")), tuple(filter(None, parts.netloc.split(",")))
        if "@" in parts.netloc:
            raise SourceDown("the address cannot be used: user and secret of the feed do not belong in it")
        hosts = [server.rpartition(":") for server in servers]
        if parts.query or parts.fragment:
            raise SourceDown(
                "the address cannot be used: settings: what stands behind its topic would be left out; say it in the"
                " options of the feed",
                code=Reason.SETTINGS,
            )
        if parts.scheme != "kafka" or not topic or "/" in topic or not hosts:
            raise SourceDown("the address cannot be used: kafka://host:port/topic expected")
        if not all(host and port.isdecimal() and int(port) < 2**16 for host, _, port in hosts):
            raise SourceDown("the address cannot be used: a server is host:port")
        return cls(servers, topic)

    def __str__(self) -> str:
        return f"topic {self.topic!r} at {', '.join(self.servers)}"


@dataclass(slots=True)
class _Place:
    """Where reading stands."""

    id: str
    at: dict[int, int]
    fresh: bool  # nothing was read before

    @classmethod
    def of(cls, position: Json | None) -> _Place:
        before: dict[str, Any] = position or {}
        at = {int(number): int(offset) for number, offset in before.get("at", {}).items()}
        return cls(str(before.get("id", "")), at, not before)

    def position(self) -> Json:
        return {"id": self.id, "at": {str(number): self.at[number] for number in sorted(self.at)}}


@dataclass(slots=True)
class TopicConsumer:
    """An opened topic. Each call of `batches` has a client of its own, whose set of topics never changes."""

    address: Address
    format: Format | None
    options: KafkaTopic
    client_options: dict[str, Any] = field(repr=False)
    _client: TopicClient | None = None
    _registry: SchemaRegistry | None = None
    _left: list[str] = field(default_factory=list)
    _several: bool = False  # whether there is more than one partition

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """What the partitions had when it was called, and what came while it was read. Raises SourceDown."""
        self._left = []
        place = _Place.of(position)
        client = await self._opened()
        topic = await client.state()
        self._several = len(topic.partitions) > 1
        for lost in self._begun(place, topic):
            yield lost
        bounds = await client.bounds(topic.partitions)
        for number, known in bounds.items():
            for lost in self._bounded(place, number, known):
                yield lost
            if known.last > known.end:
                self._left.append(f"partition {number}: {known.last - known.end} offsets behind an open transaction")
        unread = {number: known.end for number, known in bounds.items() if place.at[number] < known.end}
        if unread:
            client.seek({number: place.at[number] for number in unread})
            async for batch in self._read(client, place, unread):
                yield batch

    def deferred(self) -> Sequence[str]:
        """What waits for a transaction that is open."""
        return tuple(self._left)

    async def close(self) -> None:
        """Let go of the broker and the registry."""
        client, self._client = self._client, None
        registry, self._registry = self._registry, None
        try:
            if client is not None:
                await client.close()
        finally:
            if registry is not None:
                await registry.close()

    async def _opened(self) -> TopicClient:
        """A new client. Raises SourceDown."""
        if self._client is not None:
            await self._client.close()
        options = self.options
        self._client = client = TopicClient(
            str(self.address),
            self.address.topic,
            self.client_options,
            committed=options.read_committed,
            timeout=options.timeout,
            unpacked=options.unpacked,
        )
        await client.open()
        return client

    # --- what is gone -----------------------------------------------------------------------------------------

    def _begun(self, place: _Place, topic: TopicState) -> Iterator[Batch]:
        """Compare the topic with the one that the position is of."""
        if place.fresh or not place.id or not topic.id or place.id == topic.id:
            place.id = topic.id
            return
        place.id, place.at, place.fresh = topic.id, {}, True
        why = "the topic was made anew, or is another: what of the one before was not read is gone"
        yield _lost(place, f"{topic.name} made anew", "the topic", why)

    def _bounded(self, place: _Place, number: int, known: Bounds) -> Iterator[Batch]:
        """Compare where reading stands in a partition with what is there."""
        at = place.at.setdefault(number, known.begin if place.fresh else 0)
        if at > known.last:
            why = f"partition {number} ends at offset {known.last}, and was read up to {at}: read again from its front"
            place.at[number] = known.begin
            yield _lost(place, f"partition {number} cut back to {known.last}", f"partition {number}", why)
        elif at < known.begin:
            yield self._gone(place, number, known.begin)

    def _gone(self, place: _Place, number: int, begin: int) -> Batch:
        """What was deleted at the front of a partition."""
        at, place.at[number] = place.at[number], begin
        why = f"offsets {at} to {begin - 1} of partition {number} were deleted before they were read"
        return _lost(place, f"partition {number}, offsets {at} to {begin - 1}", f"partition {number} offset {at}", why)

    # --- messages ---------------------------------------------------------------------------------------------

    async def _read(self, client: TopicClient, place: _Place, unread: dict[int, int]) -> AsyncIterator[Batch]:
        """The messages up to the offsets of `unread`. Raises SourceDown."""
        quiet = 0.0
        while unread:
            try:
                several = await client.messages(self.options.messages, _WAIT)
            except Gone as error:  # deleted while the others were read
                begins = await client.begins(tuple(error.offsets))
                for number, begin in begins.items():
                    if begin <= place.at[number]:
                        raise SourceDown(f"{self.address}: partition {number} ends before it was read") from None
                    yield self._gone(place, number, begin)
                    client.move(number, begin)
                continue
            for number, messages in several.items():
                place.at[number] = messages[-1].offset + 1
                yield self._batch(place, number, messages)
            moved = bool(several)
            for number, end in list(unread.items()):
                reached = await client.reached(number)  # behind markers and what compaction took, too
                moved = moved or reached > place.at[number]
                place.at[number] = max(place.at[number], reached)
                if reached >= end:
                    del unread[number]
            quiet = 0.0 if moved else quiet + _WAIT
            if quiet >= self.options.timeout:
                raise SourceDown(f"{self.address}: nothing came for {quiet:g} s, though there is more")

    def _batch(self, place: _Place, number: int, messages: list[Any]) -> Batch:
        first, last = messages[0].offset, messages[-1].offset
        size = sum(len(message.value or b"") for message in messages)
        content = digest(f"{place.id} {number} {first} {last} {len(messages)} {size}".encode())
        name = f"{self.address.topic} partition {number}, offsets {first} to {last}"
        return Batch(name[-200:], partial(self._records, messages), place.position(), content=content)

    async def _records(self, messages: list[Any]) -> AsyncIterator[Read]:
        """What is in the messages. Raises SourceDown."""
        decode = _by_format(self.format) if self.format is not None else await self._by_avro(messages)
        reads = (read for message in messages for read in self._of(message, decode))
        async for read in at_once(reads) if len(messages) <= _FEW else by_few(reads):
            yield read

    def _of(self, message: Any, decode: Decode) -> Iterator[Read]:
        """What is in one message, by its place, with what stands beside it."""
        place = f"partition {message.partition} offset {message.offset}"
        beside = {
            "partition": message.partition,
            "offset": message.offset,
            "timestamp": message.timestamp,
            "headers": {name: content.decode("utf-8", "replace") for name, content in message.headers if content},
        }
        try:
            key = self._key(message.key)
        except NoJson as error:
            yield BadRecord(f"its key is no JSON: {error}", place=place, raw=message.value or message.key)
            return
        if message.value is None and not isinstance(self.format, TakesMessages):
            if message.key is None or not self.options.key:
                yield Outside(place, message.key or b"", {"what": "a message without a value"})
            else:
                yield Record(place, message.key, {self.options.key: key, TOMBSTONE: True}, {"message": beside}, 1)
            return
        if message.value is not None and len(message.value) > self.options.limit:
            reason = f"a message of {len(message.value)} bytes, at most {self.options.limit}"
            yield BadRecord(reason, place=place, raw=message.value)
            return
        for read in decode(message):
            inside = f"{place}, {read.place}" if read.place else place
            if isinstance(read, BadRecord):
                yield BadRecord(read.reason, place=inside, raw=read.raw, record=read.record)
            elif isinstance(read, Closing) and self._several:
                yield Note(inside, read.raw, {"what": _UNORDERED})
            elif isinstance(read, Emptied) and self._several:
                yield replace(read, place=inside)
                yield BadRecord(_EMPTIED, place=inside, raw=read.raw)
            elif isinstance(read, Note):
                yield replace(read, place=inside)
            else:
                fields = {**read.fields, self.options.key: key} if self.options.key else read.fields
                yield replace(read, place=inside, fields=fields, header={**read.header, "message": beside})

    def _key(self, key: bytes | None) -> Any:
        """The key as the mapping has it. Raises NoJson."""
        if key is None or not self.options.key:
            return None
        return value_of(key) if self.options.key_as == "json" else key.decode("utf-8", "replace")

    async def _by_avro(self, messages: list[Any]) -> Decode:
        """What reads the messages by their writers' schemas. Raises SourceDown."""
        avro, schemas = self.options.avro, await self._schemas(messages)

        def decode(message: Any) -> Iterable[Read]:
            try:
                known, body = framed(message.value, message.headers)
                schema = schemas[known]
                if isinstance(schema, UnknownSchema):
                    raise schema
                if avro is not None:
                    yield avro.record(avro.decode(body, schema), "", 1)
            except ValueError as error:
                yield BadRecord(str(error), place="", raw=message.value)

        return decode

    async def _schemas(self, messages: list[Any]) -> dict[SchemaId, Any]:
        """The writers' schemas of messages, each or why there is none. Raises SourceDown."""
        if self._registry is None:
            self._registry = SchemaRegistry(self.options.registry, self.options.timeout, self.options)
        schemas: dict[SchemaId, Any] = {}
        for message in messages:
            try:
                known = framed(message.value or b"", message.headers).schema
            except ValueError:  # refused where its body would be read
                continue
            if known not in schemas:
                try:
                    schemas[known] = await self._registry.schema(known)
                except UnknownSchema as error:
                    schemas[known] = error
        return schemas


def _by_format(format: Format) -> Decode:
    """What reads messages by a format. One without a byte is no tombstone, and a format may have no word for it."""
    if isinstance(format, TakesMessages):
        return lambda message: format.read(BytesIO(line_of(Message(message.value, message.key, message.headers))))
    empty = BadRecord("an empty message", place="byte 0", raw=b"")
    return lambda message: format.read(BytesIO(message.value)) if message.value else (empty,)


def _lost(place: _Place, name: str, where: str, why: str) -> Batch:
    """A batch that tells of a loss, at the position behind it."""

    async def records() -> AsyncIterator[Read]:
        yield BadRecord(why, place=where, raw=orjson.dumps({"lost": why}))

    return Batch(name, records, place.position(), content=digest(why.encode()))
