"""What a command asks of what may be told without the right to what the law keeps confidential."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from services.addresses import exists

if TYPE_CHECKING:
    from bus.contract import Bus
    from services.redaction import Veil
    from services.settings import Settings


async def open_veil(settings: Settings, bus: Bus, opened: AsyncExitStack) -> Veil:
    """Return it over the bus and the store, if there is one that can be read; the bus tells all, and takes longer."""
    from adapters.registry import systems
    from services.redaction import Veil
    from services.store import open_store
    from services.store.contract import StoreDown

    reads = None
    if exists(settings.store_url):
        try:
            store = await open_store(settings.store_url, migrate=False)
            opened.push_async_callback(store.close)
            reads = store.reads
        except StoreDown:
            reads = None
    return Veil(bus, reads, systems())
