"""Heads: the last row of a log and its seal, given out by itself to where the log's keepers cannot take it back.

A chain that was cut off, emptied, or put back to an earlier state is still a chain; what is missing shows by a head
that was given out before. Heads go to a topic of the bus that keeps every message, and into the log of the process.
Each carries an HMAC by the key that seals the rows: a forged head stops nothing.

An operator who accepts a log as it is (`visabus audit accept`) begins a new `epoch`: heads of earlier ones count no
more.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import orjson
import structlog
from sqlalchemy.engine import make_url

from bus.contract import Bus, BusDown, BusError, Message, Topic
from schemas.topics import AUDIT_HEADS, PARTITIONS
from services.audit.rows import AuditBroken, AuditDown
from services.keyring import Keyring
from services.logs import describe
from services.unreadable import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.audit.log import AuditLog, Clock

NOT_YET = "it was not compared yet with the heads that were given out; that needs the bus"
PATIENCE = 5.0
"""Seconds between two tries to reach the bus, and for one of them."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Head:
    """A row that was given out. `place`: of the log, `log`: the seal of its first row."""

    place: str
    log: str
    epoch: int
    sequence: int
    seal: str
    at: str
    key: str = ""
    mac: str = ""

    def body(self) -> bytes:
        """All but the HMAC, spelt one way."""
        return orjson.dumps([self.place, self.log, self.epoch, self.sequence, self.seal, self.at, self.key])

    def message(self, ring: Keyring) -> Message:
        """The head as it is given out."""
        fields = {name: getattr(self, name) for name in self.__slots__} | {"key": ring.id}
        fields["mac"] = ring.mac(Head(**fields).body())
        headers = (
            ("ce_specversion", b"1.0"),
            ("ce_id", f"{self.log[:16]}/{self.epoch}/{self.sequence}".encode()),
            ("ce_source", b"urn:visabus:audit"),
            ("ce_type", b"visabus.audit-head"),
            ("content-type", b"application/json"),
        )
        return Message(AUDIT_HEADS, self.place.encode(), orjson.dumps(fields), headers)


def place_of(url: str) -> str:
    """What stands for the place of a log on the bus: a digest of its address without user and password."""
    parsed = make_url(url)
    place = (parsed.get_backend_name(), parsed.host, parsed.port, parsed.database)
    return hashlib.sha256(repr(place).encode()).hexdigest()[:32]


def head_of(value: bytes | None, ring: Keyring) -> Head | None:
    """The head in a message; None if it was not made by a key of the ring."""
    try:
        head = Head(**orjson.loads(value or b""))
        genuine = isinstance(head.sequence, int) and ring.holds(head.key, head.body(), head.mac)
    except UNREADABLE:
        return None
    return head if genuine else None


async def given_out(bus: Bus, ring: Keyring, place: str) -> list[Head]:
    """The heads of the log at this place that count, the newest last. Raises BusError."""
    await bus.declare([Topic(AUDIT_HEADS, PARTITIONS[AUDIT_HEADS])])
    heads: list[Head] = []
    forged = 0
    async for delivery in bus.read(AUDIT_HEADS):
        if delivery.key != place.encode():
            continue
        head = head_of(delivery.value, ring)
        if head is not None and head.place == place:
            heads.append(head)
        else:
            forged += 1
    if forged:
        _log.warning("heads of the audit log that none of our keys made: they do not count", count=forged)
    epoch = max((head.epoch for head in heads), default=0)
    return sorted((head for head in heads if head.epoch == epoch), key=lambda head: head.sequence)


def difference(heads: Sequence[Head], seals: dict[int, str]) -> str | None:
    """Why a log with these seals is not the one whose heads were given out; None if it is.

    `seals` are those of its first row, of its last one and of the newest head's.
    """
    if not heads:
        return None
    newest, last = heads[-1], max(seals, default=0)
    if not seals:
        return f"it has no row, and row {newest.sequence} was given out: the log was emptied"
    if seals.get(1) != newest.log:
        return f"it is another log than the one whose row {newest.sequence} was given out: the log was replaced"
    if last < newest.sequence:
        return (
            f"row {newest.sequence}: its seal was given out, and it is missing; row {last} is the last: "
            "the log was cut off, or put back"
        )
    if seals.get(newest.sequence) != newest.seal:
        return (
            f"row {newest.sequence}: is another than the one whose seal was given out: "
            "the log was sealed again, or put back"
        )
    return None


class HeadKeeper:
    """Compares a log with the heads given out before anything is written, and gives out new ones."""

    def __init__(
        self, log: AuditLog, url: str, ring: Keyring, open_bus: Callable[[], Awaitable[Bus]], clock: Clock
    ) -> None:
        self._log, self._ring, self._open_bus, self._clock = log, ring, open_bus, clock
        self._place = place_of(url)
        self._epoch = 0
        self._last: Head | None = None
        self._answered = False  # the bus, when it was asked last, and the log with it

    async def compare(self) -> None:
        """Compare the log with what is known outside; a difference leaves it withheld. Raises BusError, AuditDown."""
        async with self._bus() as bus:
            heads = await given_out(bus, self._ring, self._place)
        seals = await self._log.seals([1, *(head.sequence for head in heads[-1:])])
        self._answered = True
        wrong = difference(heads, seals) or "; ".join(await self._log.wrong())
        if wrong:
            self._log.withhold(AuditBroken(wrong))
            return
        self._log.withhold(None)
        if heads:
            self._epoch, self._last = heads[-1].epoch, heads[-1]

    async def give(self) -> None:
        """Give out the last row, if there is a new one since the last head. Raises BusError, AuditDown."""
        if self._log.broken:
            return
        before = self._last
        seals = await self._log.seals([1, *([before.sequence] if before is not None else [])])
        wrong = difference([before] if before is not None else [], seals)
        if wrong is not None:
            self._log.withhold(AuditBroken(wrong))
            return
        sequence = max(seals)
        if before is not None and sequence == before.sequence:
            return
        await self.send(sequence, seals, self._epoch)

    async def send(self, sequence: int, seals: dict[int, str], epoch: int) -> None:
        """Give out a row. Raises BusError."""
        at = self._clock().astimezone(UTC).isoformat(timespec="seconds")
        head = Head(self._place, seals[1], epoch, sequence, seals[sequence], at)
        _log.info("audit head", position=head.sequence, digest=head.seal)
        async with self._bus() as bus:
            await bus.declare([Topic(AUDIT_HEADS, PARTITIONS[AUDIT_HEADS])])
            producer = await bus.producer()
            try:
                await producer.send([head.message(self._ring)])
            finally:
                await producer.close()
        self._last, self._epoch = head, epoch

    async def accept(self) -> tuple[int, str]:
        """Take the log as it is for the whole one, from now on, and give out its last row.

        Raises BusError, AuditDown.
        """
        async with self._bus() as bus:
            heads = await given_out(bus, self._ring, self._place)
        seals = await self._log.seals([1])
        last = max(seals)
        await self.send(last, seals, (heads[-1].epoch if heads else 0) + 1)
        return last, seals[last]

    async def start(self) -> bool:
        """Compare; where the bus does not answer the log takes no row until it does. Whether it was compared."""
        self._log.withhold(AuditDown(f"the audit log: {NOT_YET}"))
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                return await self._tried(self.compare)
        return False

    async def run(self, seconds: float, *, compared: bool) -> None:
        """Compare, if that was not done, as soon as the bus answers; then give out heads, until cancelled."""
        while True:
            compared = compared or await self._tried(self.compare)
            if compared:
                await self._tried(self.give)
            await asyncio.sleep(seconds if compared else min(seconds, PATIENCE))

    async def close(self) -> None:
        """Give out the last head, if the bus takes it soon. One that did not answer is not waited for."""
        if not self._answered:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._tried(self.give)

    async def _tried(self, work: Callable[[], Awaitable[None]]) -> bool:
        try:
            await work()
            self._answered = True
        except (BusError, AuditDown) as error:
            why = str(error) if isinstance(error, AuditDown) else type(error).__name__
            _log.warning("no head of the audit log could be compared or given out", why=why)
            self._answered = False
            return False
        except Exception as error:  # told, and tried again: a log whose heads are not given out proves nothing
            _log.error("no head of the audit log could be compared or given out", **describe(error))
            self._answered = False
            return False
        return True

    @asynccontextmanager
    async def _bus(self) -> AsyncIterator[Bus]:
        try:
            bus = await self._open_bus()
        except OSError as error:
            raise BusDown(type(error).__name__) from error
        try:
            yield bus
        finally:
            await bus.close()
