"""What the console works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.core import System
from bus.contract import Bus
from services.api.limits import Limits
from services.api.tokens import Trust
from services.audit import Audit, Clock
from services.authority import Admission
from services.console.open_flow import OpenFlow
from services.console.watch import Watch
from services.dead_letters import Spool
from services.ingest.gate import Gate
from services.receipts import Index
from services.store.reads import SqlReads


@dataclass(frozen=True, slots=True)
class Console:
    """All parts, opened by the command that serves the console."""

    trust: Trust
    limits: Limits
    audit: Audit
    clock: Clock
    bus: Bus
    reads: SqlReads
    watch: Watch
    open_flow: OpenFlow
    systems: Mapping[str, System]
    spool: Spool
    receipts: Index
    gate: Callable[[], Gate | None]  # holds replays that would change much; none where the settings want none
    admission: Callable[[], Admission]  # what of the bus counts
    unsigned: Callable[[str], str | None]  # why an order to a feed of that system cannot be signed here
    bus_name: str  # tells one bus from another, for the index of receipts
