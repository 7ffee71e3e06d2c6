"""Rows of a view, polled by when they last changed, and swept over by key for what that misses.

**Forward**: rows from a floor on, in the order of `order` (last change) and `key`. The floor lies `overlap` behind the
highest order taken, but above the rows that had to be forgotten. Of those between floor and high at most `window` are
remembered, each with a digest of its content: so a row that committed late into that stretch is taken, and no other
is taken twice.

**Sweep**: the key range in slices. For each slice the position holds the sum of the digests of the rows taken from it.
A slice that sums up otherwise in the view has a row that was missed, or changed without moving forward, or whose former
content was no longer remembered: all its rows are taken again, which changes nothing for those that are known (their
events have the same ids) and mends the rest. There are at most `slices` of them; they grow wider instead.

What the owner's clock vouches for is told (a note) when a sweep that began after it was read has come to the end: only
then is it sure that nothing before it was missed.

So the position is bounded. A row that is physically deleted is not noticed: interfaces have to void rows instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.core import Batch, Credentials, Json, Read
from adapters.transports.databases import down, open_engine, outages, plain, reading
from adapters.transports.rows import Row, as_record, closing_of, is_order
from schemas.ids import digest

if TYPE_CHECKING:
    from adapters.transports.database_poll import DatabasePoll

_SUM = 2**64
_LEAST = -(2**63)
"""The least key there can be. Keys below zero are none of any interface, but a row is not lost for its key."""
_OPEN = """
SELECT pg_snapshot_xmin(now.seen)::text::bigint AS held, pg_snapshot_xmax(now.seen)::text::bigint AS next,
    oldest.since, oldest.place
FROM (SELECT pg_current_snapshot() AS seen) AS now LEFT JOIN (
    SELECT xact_start::text AS since, datname AS place FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1) AS oldest ON true
"""
"""The least transaction that may still commit, and, where it may be seen, the oldest that has written and is open."""


def open_view(url: str, options: DatabasePoll, credentials: Credentials | None = None) -> PolledView:
    """The view in the database at a URL as SQLAlchemy has it. Raises SourceDown for a URL that is none."""
    engine, address = open_engine(url, credentials)
    return PolledView(engine, address, options)


@dataclass(frozen=True, slots=True)
class _Taken:
    order: str
    digest: str


@dataclass(slots=True)
class _Memory:
    """The position, unpacked."""

    options: DatabasePoll
    high: str = ""
    forgotten: tuple[str, int] = ("", 0)  # order and key of the last row that the window had no room for
    seen: dict[int, _Taken] = field(default_factory=dict)
    width: int = 64
    sums: dict[int, int] = field(default_factory=dict)
    cursor: int = 0  # the slice to sweep next
    vouched: str | None = None  # the owner's clock when this sweep began
    through: str | None = None  # and as last told

    @classmethod
    def of(cls, position: Json | None, options: DatabasePoll) -> _Memory:
        known: dict[str, Any] = position or {}
        order, key = known.get("forgotten", ("", 0))
        return cls(
            options,
            known.get("high", ""),
            (order, key),
            {int(key): _Taken(order, mark) for key, order, mark in known.get("seen", ())},
            known.get("width", 64),
            {int(part): int(total, 16) for part, total in known.get("sums", {}).items()},
            known.get("cursor", 0),
            known.get("vouched"),
            known.get("through"),
        )

    def position(self) -> Json:
        self._forget()
        return {
            "high": self.high,
            "forgotten": list(self.forgotten),
            "seen": [[key, taken.order, taken.digest] for key, taken in sorted(self.seen.items())],
            "width": self.width,
            "sums": {str(part): f"{total:x}" for part, total in sorted(self.sums.items())},
            "cursor": self.cursor,
            "vouched": self.vouched,
            "through": self.through,
        }

    def floor(self) -> tuple[str, int]:
        """Order and key behind which rows are read (again)."""
        return max((self._back(), -1), self.forgotten)

    def known(self, key: int, order: str, mark: str) -> bool:
        return self.seen.get(key) == _Taken(order, mark)

    def take(self, key: int, order: str, mark: str) -> None:
        """A row goes out: into the sum of its slice, in place of its former content as far as that is remembered."""
        before = self.seen.get(key)
        part = self.slice_of(key)
        changed = int(mark, 16) - (int(before.digest, 16) if before else 0)
        self.set_sum(part, self.sums.get(part, 0) + changed)
        self.seen[key] = _Taken(order, mark)
        self.high = max(self.high, order)

    def remember(self, key: int, order: str, mark: str) -> None:
        """A row that the sweep took, if the forward path is to meet it."""
        if (order, key) > self.floor():
            self.seen[key] = _Taken(order, mark)

    def slice_of(self, key: int) -> int:
        return max(key, 0) // self.width

    def begin_of(self, part: int) -> int:
        """The least key of a slice."""
        return part * self.width if part else _LEAST

    def set_sum(self, part: int, total: int) -> None:
        """The sum of a slice. Too many slices are joined two by two: sums add."""
        self.sums[part] = total % _SUM
        while len(self.sums) > self.options.slices:
            joined: dict[int, int] = {}
            for each, amount in self.sums.items():
                joined[each // 2] = (joined.get(each // 2, 0) + amount) % _SUM
            self.sums, self.width, self.cursor = joined, self.width * 2, self.cursor // 2

    def _back(self) -> str:
        return self.options.ordered.back(self.high, self.options.overlap) if self.high else ""

    def _forget(self) -> None:
        """Rows behind the overlap, and those beyond the window; the floor rises above the latter."""
        back = self._back()
        kept = sorted((taken.order, key) for key, taken in self.seen.items() if taken.order >= back)
        over = len(kept) - self.options.window
        if over > 0:
            self.forgotten = max(self.forgotten, kept[over - 1])
            kept = kept[over:]
        self.seen = {key: self.seen[key] for _, key in kept}


@dataclass(slots=True)
class PolledView:
    """An opened view. One call of `batches` is one poll: clock, forward, some slices, the clock's note."""

    engine: AsyncEngine
    address: str  # without its password
    options: DatabasePoll
    lag: list[str] = field(default_factory=list)  # rows that are held up, in words

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each page with anything new. Raises SourceDown."""
        if self._quiet():
            return
        memory = _Memory.of(position, self.options)
        if memory.cursor == 0:
            memory.vouched = await self._clock()
        latest = self.options.ordered.latest(await self._source_time())
        async for batch in self._forward(memory, latest):
            yield batch
        async for batch in self._sweep(memory, latest):
            yield batch
        before = memory.through or self.options.since
        if memory.cursor == 0 and memory.vouched is not None and memory.vouched > before:
            memory.through = memory.vouched
            yield _batch(f"poll through {memory.through}", [closing_of(before, memory.through)], memory)
        elif memory.position() != _Memory.of(position, self.options).position():
            yield _batch(f"poll at slice {memory.cursor}", [], memory)

    async def close(self) -> None:
        """Let go of the database."""
        await self.engine.dispose()

    def _quiet(self) -> bool:
        if self.options.quiet is None:
            return False
        begin, end, zone = self.options.quiet
        at = self.options.now().astimezone(ZoneInfo(zone)).time()
        first, last = time.fromisoformat(begin), time.fromisoformat(end)
        return first <= at < last if first <= last else at >= first or at < last

    # --- forward ----------------------------------------------------------------------------------------------

    async def _forward(self, memory: _Memory, latest: str) -> AsyncIterator[Batch]:
        order, key, spelled = self.options.order, self.options.key, self.options.ordered.spelled
        floor: tuple[Any, Any] = memory.floor()
        held = await self._held()
        while rows := await self._page(
            f"({order} > :order OR ({order} = :order AND {key} > :key))"
            + ("" if held is None else f" AND {order} < :held"),
            {"order": self._bind(floor[0]), "key": floor[1]} | ({} if held is None else {"held": held}),
            f"{order}, {key}",
        ):
            reads: list[Read] = []
            marks: list[str] = []
            for row in rows:
                number, at, mark = row[key], spelled(row[order]), _mark(row)
                # what does not order, or is dated ahead, is left to the sweep
                if at and at <= latest and not memory.known(number, at, mark):
                    reads.append(self._record(row))
                    marks.append(mark)
                    memory.take(number, at, mark)
            floor = spelled(rows[-1][order]), rows[-1][key]
            if reads:
                yield _batch(f"rows to {rows[-1][order]} {floor[1]} {_name(marks)}", reads, memory)
            if not floor[0] or len(rows) < self.options.page:
                return  # nothing that orders lies behind it

    # --- sweep ------------------------------------------------------------------------------------------------

    async def _sweep(self, memory: _Memory, latest: str) -> AsyncIterator[Batch]:
        """Some slices from the cursor on; it stands at 0 again once the last was met."""
        budget = self.options.sweep
        while budget > 0:
            part = await self._next_slice(memory)
            if part is None:
                memory.cursor = 0
                return
            memory.cursor = part
            total, count = await self._sum(memory, part)
            budget -= count
            if total == memory.sums.get(part, 0):
                memory.cursor = part + 1
                continue
            async for batch in self._retake(memory, part, latest):
                yield batch

    async def _next_slice(self, memory: _Memory) -> int | None:
        key, view = self.options.key, self.options.view
        rows = await self._rows(
            f"SELECT min({key}) AS least FROM {view} WHERE {key} >= :least",  # noqa: S608
            {"least": memory.begin_of(memory.cursor)},
        )
        least = rows[0]["least"]
        return memory.slice_of(least) if isinstance(least, int) else None

    async def _slice(self, first: int, beyond: int) -> AsyncIterator[list[Row]]:
        key = self.options.key
        bound = {"first": first, "beyond": beyond}
        while rows := await self._page(f"{key} >= :first AND {key} < :beyond", bound, key):
            yield rows
            if len(rows) < self.options.page:
                return
            bound["first"] = rows[-1][key] + 1

    async def _sum(self, memory: _Memory, part: int) -> tuple[int, int]:
        total = count = 0
        async for rows in self._slice(memory.begin_of(part), (part + 1) * memory.width):
            total += sum(int(_mark(row), 16) for row in rows)
            count += len(rows)
        return total % _SUM, count

    async def _retake(self, memory: _Memory, part: int, latest: str) -> AsyncIterator[Batch]:
        """All rows of a slice but those just remembered; its sum is what was met."""
        total = 0
        pending: Batch | None = None
        width = memory.width
        async for rows in self._slice(memory.begin_of(part), (part + 1) * width):
            reads: list[Read] = []
            marks: list[str] = []
            for row in rows:
                number, mark = row[self.options.key], _mark(row)
                at = self.options.ordered.spelled(row[self.options.order])
                total += int(mark, 16)
                good = bool(at) and at <= latest
                if good and memory.known(number, at, mark):
                    continue
                reads.append(self._record(row))
                marks.append(mark)
                if good:
                    memory.remember(number, at, mark)
            if pending is not None:
                yield pending
            # The position stays before the slice until its last page: a restart reads it again as a whole.
            pending = _batch(f"slice from {part * width} to {rows[-1][self.options.key]} {_name(marks)}", reads, memory)
        memory.set_sum(part, total)
        memory.cursor = memory.slice_of(part * width) + 1
        if pending is not None:
            yield Batch(pending.name, pending.records, memory.position())

    # --- the database -----------------------------------------------------------------------------------------

    async def _page(self, where: str, bound: dict[str, Any], order: str) -> list[Row]:
        columns = ", ".join(self.options.columns)
        if self.engine.dialect.name == "sqlite":  # whose columns hold anything: keep to what sorts as it should
            where += f" AND typeof({self.options.key}) = 'integer'"
            if order != self.options.key:
                where += f" AND typeof({self.options.order}) = '{self.options.ordered.sqlite}'"
        statement = f"SELECT {columns} FROM {self.options.view} WHERE {where} ORDER BY {order} LIMIT :page"  # noqa: S608
        rows = await self._rows(statement, {**bound, "page": self.options.page})
        for row in rows:
            if isinstance(number := row[self.options.key], str) and number.isdecimal():
                row[self.options.key] = int(number)  # a view may have it as a numeric
        return rows

    async def _clock(self) -> str | None:
        """Through when the owner vouches for the view, read before any row is."""
        if self.options.clock is None:
            return None
        view, _, column = self.options.clock.rpartition(".")
        rows = await self._rows(f"SELECT max({column}) AS through FROM {view}", {})  # noqa: S608
        return rows[0]["through"] if is_order(rows[0]["through"]) else None

    async def _source_time(self) -> datetime:
        rows = await self._rows("SELECT CURRENT_TIMESTAMP AS at", {})
        at = datetime.fromisoformat(str(rows[0]["at"]))
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

    async def _rows(self, statement: str, bound: dict[str, Any]) -> list[Row]:
        """Raises SourceDown."""
        try:
            async with asyncio.timeout(self.options.timeout + 5), self.connect() as connection:
                typed = [bindparam(name, value, BigInteger) for name, value in bound.items() if isinstance(value, int)]
                result = await connection.execute(text(statement).bindparams(*typed), bound)
                names = tuple(result.keys())
                return [dict(zip(names, map(plain, row), strict=True)) for row in result]
        except outages() as error:
            raise down(self.address, error) from None

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection that cannot write, in a transaction that ends with it."""
        return reading(self.engine, self.options.timeout)

    def _bind(self, order: str) -> Any:
        """The value of `order` as the driver wants it."""
        return self.options.ordered.bound(order, self.engine.dialect.name)

    async def _held(self) -> int | None:
        """The least transaction of PostgreSQL that may still commit, where rows are ordered by transactions.

        One that has written anything and stays open holds up all rows behind it, in whatever database of the server.
        """
        self.lag = []
        if not self.options.transactions:
            return None
        (row,) = await self._rows(_OPEN, {})
        if row["held"] < row["next"]:
            place = f", in the database {row['place']} since {row['since']}" if row["since"] is not None else ""
            self.lag = [f"{self.options.view}: rows of transactions from {row['held']} on wait: one is open{place}"]
        return int(row["held"])

    def deferred(self) -> list[str]:
        """What holds up rows that are there."""
        return self.lag

    def _record(self, row: Row) -> Read:
        return as_record(row, self.options.key)


def _batch(name: str, reads: Sequence[Read], memory: _Memory) -> Batch:
    async def records() -> AsyncIterator[Read]:
        for read in reads:
            yield read

    return Batch(name, records, memory.position())


def _mark(row: Row) -> str:
    return digest(orjson.dumps(row))


def _name(marks: Sequence[str]) -> str:
    """Pages with other contents have other names: a host that resumes in one must not skip what it never saw."""
    return digest("".join(marks).encode())
