"""The log for those who only read it: nothing is made, nothing can be written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from services.audit import limits
from services.audit.chain import Chain, Known
from services.audit.log import as_audit_down
from services.audit.opening import chain_at
from services.audit.rows import AuditDown, Row
from services.keyring import Keyring


class Reading:
    """A log that is read. A file of SQLite is opened read-only; of PostgreSQL's transactions each is read-only."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def rows(self) -> AsyncGenerator[Row]:
        """The log from its beginning, as one state. Raises AuditDown."""
        with as_audit_down():
            async with aclosing(self._chain.rows()) as rows:
                async for row in rows:
                    yield row

    async def wrong(self) -> list[str]:
        """What of its table and triggers is not as this program makes it. Raises AuditDown."""
        try:
            with as_audit_down():
                async with asyncio.timeout(limits.DEADLINE):
                    return await self._chain.wrong()
        except TimeoutError:
            raise AuditDown("the audit log did not answer in time") from None


@asynccontextmanager
async def open_reading(url: str, ring: Keyring) -> AsyncIterator[Reading]:
    """The log at an address, for reading. Raises AuditDown."""
    chain = chain_at(url, Known(ring), lambda *_: [], reading=True)
    try:
        yield Reading(chain)
    finally:
        await chain.close()
