"""A queue spoken to by AMQP 0-9-1 (RabbitMQ and others): one message is one batch.

A message is acknowledged once the host has saved the position behind it, so after all its events are durable: until
then it belongs to the broker, which delivers it again if this process, the connection or the broker itself dies.

Position: the digests of the last `window` messages that are done, the names that some of them had (`names`), and
`again`, how many came although they were done. Such a message (delivered again, or sent twice) is told (a note, with
the name under which it was read), acknowledged and not read: what was read is counted once. An older one is read
again, which changes nothing but the counters: its records keep their ids.

Address: `amqp://host:5672/queue`, or `/virtual-host/queue`; `amqps` for TLS, with the authorities and
the client certificate of the options `ssl_...`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from adapters.core import BadRecord, Batch, Credentials, Format, Json, Read, Resent, SourceDown
from adapters.transports.needed_format import needed
from adapters.transports.offline import opened
from adapters.transports.slices import by_few
from adapters.transports.tls_options import TlsOptions
from links.probe import answers, speaks_tls, tls_failure
from links.reasons import Failure, Reason, failure_of
from links.tls import Tls
from schemas.ids import digest

if TYPE_CHECKING:
    from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue

log = logging.getLogger(__name__)
_REACH = 4.0
"""Seconds at most for the question why a broker cannot be used."""
_VAGUE = (Reason.CLOSED, Reason.TIMEOUT, Reason.TLS, Reason.TLS_NONE)
_NO_AMQP = b"AMQP\x00\xff\xff\xff"
"""A protocol header of no version: a broker answers with the header that it takes (AMQP 0-9-1, section 4.2.2)."""


@dataclass(frozen=True, slots=True)
class AmqpQueue(TlsOptions):
    """The transport. `timeout`: seconds that the broker may take for one answer; `limit`: bytes of a message."""

    window: int = 200
    timeout: float = 30.0
    heartbeat: int = 30
    limit: int = 128 * 2**20

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError("a window of at least one message")
        self.tls()

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> QueueConsumer:
        """The queue at a URL. Raises ValueError if there is no format, SourceDown for a URL that is none."""
        format = needed(format, "messages")
        address = Address.of(url)
        if credentials is not None:
            address = replace(address, login=credentials.user, password=credentials.secret)
        if not address.tls and self.tls() != Tls():
            raise SourceDown(f"{address}: settings: amqp takes no certificates; amqps does", code=Reason.SETTINGS)
        return QueueConsumer(address, format, self)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """One message as a file. Raises OSError, ValueError if there is no format."""
        with opened(source) as stream:
            yield from needed(format, "messages").read(stream)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the queue is. `password` is told to the broker and nobody else."""

    host: str
    port: int
    login: str
    password: str = field(repr=False)
    virtual_host: str
    queue: str
    tls: bool

    @classmethod
    def of(cls, url: str) -> Address:
        """The address that a URL spells. Raises SourceDown for one that is none."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise SourceDown("the address cannot be used: no URL") from None
        if parts.query or parts.fragment:
            raise SourceDown(
                "the address cannot be used: settings: what stands behind its queue would be left out; say it in the"
                " options of the feed",
                code=Reason.SETTINGS,
            )
        path = [unquote(step) for step in parts.path.split("/")[1:]]
        if parts.scheme not in ("amqp", "amqps") or len(path) not in (1, 2) or not path[-1]:
            raise SourceDown("the address cannot be used: amqp://host/queue or amqp://host/virtual-host/queue expected")
        tls = parts.scheme == "amqps"
        return cls(
            parts.hostname or "localhost",
            port or (5671 if tls else 5672),
            unquote(parts.username or "guest"),
            unquote(parts.password or "guest"),
            path[0] if len(path) == 2 else "/",
            path[-1],
            tls,
        )

    def __str__(self) -> str:
        return f"queue {self.queue!r} at {self.host}:{self.port}"


@dataclass(slots=True)
class QueueConsumer:
    """An opened queue. It is connected from the first look until it is closed."""

    address: Address
    format: Format
    options: AmqpQueue
    _connection: AbstractConnection | None = None

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each message that is ready now. Raises SourceDown."""
        before: dict[str, Any] = position or {}
        done = deque[str](before.get("done", ()), self.options.window)
        names = dict(before.get("names", {}))
        again = before.get("again", 0)
        queue = await self._open()
        while (message := await self._next(queue)) is not None:
            known = digest(message.body)
            name = (message.message_id or known)[:200]
            acknowledge = self._acknowledge(message)
            if known not in done:
                done.append(known)
                named = message.message_id is not None
                names = {each: called for each, called in names.items() if each in done}
                if named:
                    names[known] = name
                after = {"done": list(done), "names": names, "again": again}
                yield Batch(name, self._reader(message.body), after, acknowledge, content=known, named=named)
                continue
            again += 1
            after = {"done": list(done), "names": names, "again": again}
            log.info("a message came again; not read again")
            yield Batch(name, _resent(name, names.get(known, known)), after, acknowledge, content=f"{known}-{again}")

    async def close(self) -> None:
        """Let go of the broker; what was not acknowledged goes back to the queue."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with self._as_source_down("cannot be closed"):
                await connection.close()

    async def _open(self) -> AbstractQueue:
        """The queue, which has to be there. Raises SourceDown."""
        at, timeout = self.address, self.options.timeout
        with self._as_source_down("cannot be reached"):
            async with asyncio.timeout(timeout):
                if self._connection is None:
                    self._connection = await self._connected()
                channel = await self._connection.channel()
                return await channel.get_queue(at.queue, ensure=True)

    async def _connected(self) -> AbstractConnection:
        """A connection. Raises SourceDown, which says why there is none."""
        import aio_pika
        from aio_pika.exceptions import AMQPError

        at, timeout = self.address, self.options.timeout
        context = None
        if at.tls:
            context = self.options.context(at)
            # asked before: the library waits for an answer that a server without TLS, or without trust, never gives
            if (refusal := await tls_failure(at.host, at.port, context, min(timeout, _REACH))) is not None:
                if refusal.reason in _VAGUE and await answers(at.host, at.port, _NO_AMQP, _REACH / 4):
                    refusal = Failure(Reason.TLS_NONE)
                raise SourceDown.by(at, refusal)
        try:
            return await aio_pika.connect(
                host=at.host,
                port=at.port,
                login=at.login,
                password=at.password,
                virtualhost=at.virtual_host,
                ssl=at.tls,
                ssl_context=context,
                timeout=timeout,
                heartbeat=self.options.heartbeat,
            )
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            failure = failure_of(error)
            if (failure is None or failure.reason in _VAGUE) and not at.tls and await speaks_tls(at.host, at.port, 1.0):
                failure = Failure(Reason.TLS_NEEDED)
            if failure is None:
                raise
            raise SourceDown.by(at, failure) from None

    async def _next(self, queue: AbstractQueue) -> AbstractIncomingMessage | None:
        """The next message, none if none is ready. Raises SourceDown."""
        with self._as_source_down("went away"):
            async with asyncio.timeout(self.options.timeout):
                return await queue.get(no_ack=False, fail=False)

    def _acknowledge(self, message: AbstractIncomingMessage) -> Callable[[], Awaitable[None]]:
        async def acknowledge() -> None:
            with self._as_source_down("went away"):
                await message.ack()

        return acknowledge

    @contextmanager
    def _as_source_down(self, what: str) -> Iterator[None]:
        """Whatever the broker or the way to it does wrong is SourceDown, without the words of the library."""
        from aio_pika.exceptions import AMQPError
        from pamqp.exceptions import PAMQPException

        try:
            yield
        # RuntimeError: what the library says of a channel or connection that is closed
        except (AMQPError, PAMQPException, OSError, TimeoutError, RuntimeError) as error:
            failure = failure_of(error)
            if failure is not None and failure.reason.final:
                raise SourceDown.by(self.address, failure) from None
            code = failure.reason if failure is not None else None
            said = f"{code}: {type(error).__name__}" if code is not None else type(error).__name__
            raise SourceDown(f"{self.address} {what}: {said}", code=code) from None

    def _reader(self, body: bytes) -> Callable[[], AsyncIterator[Read]]:
        async def records() -> AsyncIterator[Read]:
            if len(body) > self.options.limit:
                reason = f"a message of {len(body)} bytes, at most {self.options.limit}"
                yield BadRecord(reason, place="byte 0", raw=body)  # all of it: once acknowledged it is nowhere else
                return
            async for read in by_few(self.format.read(BytesIO(body))):
                yield read

        return records


def _resent(name: str, before: str) -> Callable[[], AsyncIterator[Read]]:
    async def records() -> AsyncIterator[Read]:
        yield Resent(place=name, raw=b"", fields={"read as": before})

    return records
