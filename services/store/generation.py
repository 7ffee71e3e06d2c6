"""How often connections were made anew: a database that one comes back to may have lost what it had."""

from __future__ import annotations

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class Generation:
    """Counts the connections that an engine makes.

    A failover that loses the last transactions breaks every connection. So whoever remembers what stands in a database
    forgets it when the number has changed; a few connections more at the start cost a few readings.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.number = 0
        event.listen(engine.sync_engine, "connect", self._connected)

    def _connected(self, _connection: object, _record: object) -> None:
        self.number += 1
