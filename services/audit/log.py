"""The log as its writers see it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from typing import Protocol

import orjson
import structlog

from links.reasons import failure_of
from services.audit import limits
from services.audit.chain import Known
from services.audit.keys import AuditKeys
from services.audit.opening import chain_at
from services.audit.rows import BEGIN, FIRST, AuditBroken, AuditDown, Entry, Result, Row
from services.engines import DATABASE

_BATCH = 256
_log = structlog.get_logger()


class Audit(Protocol):
    """Where requests are remembered."""

    async def write(self, entry: Entry) -> None:
        """Remember; once this returns the row is durable. Raises AuditDown."""

    async def ping(self) -> None:
        """Raises AuditDown where a row could not be written."""

    def name(self, text: str) -> str:
        """The keyed hash under which `text` is looked for in the log."""


class Clock(Protocol):
    """The present, from whoever runs this."""

    def __call__(self) -> datetime:
        """Now, with its offset."""


class AuditLog:
    """See `Audit`. `open_audit` makes it.

    Rows of callers who wait together are written by one commit, each before its caller is answered.
    """

    def __init__(self, url: str, keys: AuditKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._chain = chain_at(url, Known(keys.seal), self._rows)
        self._mine = asyncio.Lock()  # spares the writers of one process the wait at the database
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._flush: asyncio.Task[None] | None = None
        self._withheld: AuditDown | None = None

    def name(self, text: str) -> str:
        return self._keys.name(text)

    async def write(self, entry: Entry) -> None:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_all())
        try:
            async with asyncio.timeout(limits.DEADLINE):
                await written
        except TimeoutError:
            raise AuditDown("the audit log did not answer in time") from None

    async def _flush_all(self) -> None:
        """Write what waits, together: one commit to disk serves all who came while the last one was under way."""
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            batch = [(entry, written) for entry, written in batch if not written.done()]  # gave up waiting
            error: Exception | None = None
            try:
                await self._append([entry for entry, _ in batch], keep=True)
            except Exception as raised:  # whatever it is, those who wait must hear of it: it ends their requests
                error = raised
            for _, written in batch:
                if not written.done():
                    written.set_result(None) if error is None else written.set_exception(error)

    async def ping(self) -> None:
        await self._append([Entry("", "", "", "", "", "", Result.FAILED)], keep=False)

    async def _append(self, entries: Sequence[Entry], *, keep: bool) -> None:
        """Write entries behind the last row. Without `keep` they are taken back again. Raises AuditDown."""
        if self._withheld is not None:
            raise self._withheld
        try:
            async with asyncio.timeout(limits.DEADLINE), self._mine:
                with as_audit_down():
                    await self._chain.append(entries, keep=keep)
        except TimeoutError:
            raise AuditDown("the audit log did not answer in time") from None
        except AuditBroken as error:
            self.withhold(error)
            raise

    @property
    def broken(self) -> bool:
        """Whether it takes no row until an operator acts."""
        return isinstance(self._withheld, AuditBroken)

    def withhold(self, why: AuditDown | None) -> None:
        """Take no row from now on, because of this; None: take them again. A broken log stays so."""
        if self.broken:
            return
        self._withheld = why
        if isinstance(why, AuditBroken):
            _log.error("the audit log is broken: nothing is answered until an operator acts", why=str(why))

    async def seals(self, sequences: Sequence[int]) -> dict[int, str]:
        """The seals of these rows, as far as they are there, and of the last one. Raises AuditDown."""
        with as_audit_down():
            async with asyncio.timeout(limits.DEADLINE):
                return await self._chain.seals(sequences)

    async def wrong(self) -> list[str]:
        """What of its table and triggers is not as this program makes it. Raises AuditDown."""
        with as_audit_down():
            async with asyncio.timeout(limits.DEADLINE):
                return await self._chain.wrong()

    async def rows(self) -> AsyncGenerator[Row]:
        """The log from its beginning, as one state. Raises AuditDown."""
        with as_audit_down():
            async with aclosing(self._chain.rows()) as rows:
                async for row in rows:
                    yield row

    async def close(self) -> None:
        """Let go of the connections, once what waits is written."""
        if self._flush is not None:
            await self._flush
        await self._chain.close()

    async def prepare(self) -> None:
        """Make the log where there is none. Raises AuditDown.

        Where it stands nothing is made, so that a role which may only insert and select can write it.
        """
        first = self._row(Entry(str(uuid.uuid4()), "", "", "", BEGIN, "", Result.DONE), 1, FIRST)
        try:
            async with asyncio.timeout(limits.DEADLINE), self._mine:
                with as_audit_down():
                    await self._chain.prepare(first)
        except TimeoutError:
            raise AuditDown("the audit log did not answer in time") from None

    def _rows(self, entries: Sequence[Entry], sequence: int, head: str) -> list[Row]:
        """The rows of entries, sealed to the last row."""
        rows = []
        for entry in entries:
            row = self._row(entry, sequence + 1, head)
            sequence, head = row.sequence, row.hash
            rows.append(row)
        return rows

    def _row(self, entry: Entry, sequence: int, head: str) -> Row:
        return Row(
            sequence=sequence,
            at=self._clock().astimezone(UTC).isoformat(timespec="microseconds"),
            request=entry.request,
            subject=entry.subject,
            client=entry.client,
            source=entry.source,
            token=entry.token,
            purpose=entry.purpose,
            verb=entry.verb,
            looked_up=entry.looked_up,
            as_of=entry.as_of,
            known_at=entry.known_at,
            result=entry.result.value,
            reason=entry.reason,
            persons=orjson.dumps([self.name(f"person/{person}") for person in entry.persons]).decode(),
            key="",
            previous=head,
        ).sealed(self._keys.seal)


@contextmanager
def as_audit_down() -> Iterator[None]:
    """Whatever the database or the way to it does wrong is AuditDown."""
    try:
        yield
    except AuditDown:
        raise
    except DATABASE as error:
        raise AuditDown(f"the audit log is gone: {failure_of(error) or type(error).__name__}") from error


async def open_audit(url: str, keys: AuditKeys, clock: Clock) -> AuditLog:
    """The audit log at an SQLAlchemy URL, made if need be. Raises AuditDown."""
    log = AuditLog(url, keys, clock)
    try:
        await log.prepare()
    except AuditDown:
        await log.close()
        raise
    return log
