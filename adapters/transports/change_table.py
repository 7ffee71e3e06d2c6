"""A table of changes that triggers of the source write, polled: change capture where no Debezium is near.

A row says which table and key, what was done (`c`, `u`, `d`, `r` of a first load), and the row after it as JSON; it has
a number that only grows. `docs/change-table.md` has the SQL of table and triggers. Each row becomes a message of the
shape of Debezium's, so that one format and one mapping serve both.

A transaction that is open has drawn numbers that nobody sees yet. PostgreSQL: rows are read in the order of their
transactions, up to the least that may still commit; what holds them up is named as left for later. MariaDB and SQLite:
numbers that are missing are remembered with the time at which they were, and looked for at every poll until they are
there or `patience` seconds have passed (a transaction that was rolled back leaves such a gap for good); while there are
`gaps` of them, nothing behind the last is read. Before a row of the owner's clock, which says that all before it was
committed, what is missing is looked for once more.

Position: `at` (transaction and number, or the number alone), `high`, `missing`. The owner purges what was read, and
writes through which number: what was purged before it was read is told by a refused record.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.core import BadRecord, Batch, Credentials, Format, Json, Read, SourceDown
from adapters.messages import CHANGE_TABLE, CLOCK, Message, TakesMessages, line_of
from adapters.transports.databases import down, open_engine, outages, plain, reading
from adapters.transports.offline import opened
from adapters.transports.slices import at_once
from schemas.ids import digest

COLUMNS = ("change_id", "changed_at", "table_name", "op", "row_key", "after")
_SQLITE = b"SQLite format 3\0"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChangeTable:
    """The transport. `table`: its name; `purged`: where the owner writes through which number rows were purged.

    `patience`: seconds that a missing number is looked for; it is longer than any transaction of the source.
    """

    table: str = "visabus_change"
    purged: str = "visabus_change_purged"
    page: int = 500
    timeout: float = 30.0
    patience: float = 86_400.0
    gaps: int = 200

    def __post_init__(self) -> None:
        if not all(name.isidentifier() for each in (self.table, self.purged) for name in each.split(".")):
            raise ValueError(f"{self.table} and {self.purged} are no names of tables")
        if min(self.page, self.gaps) < 1:
            raise ValueError("a page of at least one row, at least one gap")

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Changes:
        """The table in the database at a URL. Raises ValueError without a format for messages, SourceDown."""
        engine, address = open_engine(url, credentials)
        return Changes(engine, address, _needed(format), self)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """A SQLite database with the table, or a file of messages. Raises OSError, ValueError."""
        with opened(source) as stream:
            head = stream.read(len(_SQLITE))
            stream.seek(0)
            if head != _SQLITE:
                yield from _needed(format).read(stream)
                return
        yield from self._database(source, _needed(format))

    def _database(self, source: Path | bytes, format: Format) -> Iterator[Read]:
        try:
            with closing(_connect(source)) as connection:
                connection.text_factory = lambda data: data.decode("utf-8", "replace")
                statement = f"SELECT {', '.join(COLUMNS)} FROM {self.table} ORDER BY change_id"  # noqa: S608
                for values in connection.execute(statement):
                    yield from _reads(dict(zip(COLUMNS, values, strict=True)), format)
        except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
            why = str(error) or "its sizes are damaged"
            yield BadRecord(f"no database with changes: {why}", place="the file", raw=b"")


@dataclass(slots=True)
class _Place:
    """Where reading stands. `missing`: numbers that were not there, from and to, since when (seconds since 1970)."""

    at: tuple[int, int] = (0, 0)
    high: int = 0
    missing: list[tuple[int, int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, position: Json | None) -> _Place:
        before: dict[str, Any] = position or {}
        transaction, number = before.get("at", (0, 0))
        missing = [(first, last, since) for first, last, since in before.get("missing", ())]
        return cls((transaction, number), before.get("high", 0), missing)

    def position(self) -> Json:
        return {"at": list(self.at), "high": self.high, "missing": [list(each) for each in self.missing]}


@dataclass(slots=True)
class Changes:
    """An opened table. One call of `batches` is one poll."""

    engine: AsyncEngine
    address: str  # without its password
    format: Format
    options: ChangeTable
    _left: list[str] = field(default_factory=list)

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each page of changes. Raises SourceDown."""
        self._left = []
        place = _Place.of(position)
        lost = await self._lost(place, fresh=position is None)
        if lost is not None:
            yield lost
        pages = self._by_transaction if self.engine.dialect.name == "postgresql" else self._by_number
        async for batch in pages(place):
            yield batch

    def deferred(self) -> Sequence[str]:
        """What waits for open transactions."""
        return tuple(self._left)

    async def close(self) -> None:
        """Let go of the database."""
        await self.engine.dispose()

    async def _lost(self, place: _Place, *, fresh: bool) -> Batch | None:
        """A batch that says what was purged before it was read. A feed that begins now begins behind it."""
        rows = await self._rows(f"SELECT max(through) AS through FROM {self.options.purged}", {})  # noqa: S608
        through = rows[0]["through"]
        if not isinstance(through, int) or through <= place.high:
            return None
        why = f"changes {place.high + 1} to {through} were purged before they were read"
        place.high = through
        place.missing = [each for each in place.missing if each[1] > through]
        place.at = max(place.at, (place.at[0], through))
        if fresh:
            return None

        async def records() -> AsyncIterator[Read]:
            yield BadRecord(why, place=f"change {through}", raw=orjson.dumps({"lost": why}))

        return Batch(f"purged through {through}", records, place.position(), content=digest(why.encode()))

    # --- PostgreSQL -------------------------------------------------------------------------------------------

    async def _by_transaction(self, place: _Place) -> AsyncIterator[Batch]:
        now = await self._rows(
            "SELECT pg_snapshot_xmin(seen)::text::bigint AS held, pg_snapshot_xmax(seen)::text::bigint AS next"
            " FROM (SELECT pg_current_snapshot() AS seen) AS now",
            {},
        )
        held, latest = now[0]["held"], now[0]["next"]
        if place.at[0] > latest:
            raise SourceDown(
                f"{self.address}: transactions are numbered anew (restored, or another server): its table of changes"
                " is made anew and the feed begins again"
            )
        where = "(txid > :txid OR (txid = :txid AND change_id > :number)) AND txid < :held"
        while rows := await self._page(
            where, {"txid": place.at[0], "number": place.at[1], "held": held}, "txid, change_id", ("txid",)
        ):
            place.at = rows[-1]["txid"], rows[-1]["change_id"]
            place.high = max(place.high, *(row["change_id"] for row in rows))
            yield self._batch(rows, place)
        count = f"SELECT count(*) AS n FROM {self.options.table} WHERE txid >= :held"  # noqa: S608
        waiting = await self._rows(count, {"held": held})
        if waiting[0]["n"]:
            self._left.append(f"{waiting[0]['n']} changes wait for an open transaction of the server")

    # --- MariaDB, SQLite --------------------------------------------------------------------------------------

    async def _by_number(self, place: _Place) -> AsyncIterator[Batch]:
        now = await self._now()
        sought: int | None = None  # before which row of the clock what is missing was looked for
        async for batch in self._late(place, now):
            yield batch
        while len(place.missing) < self.options.gaps:
            rows = await self._page("change_id > :number", {"number": place.at[1]}, "change_id")
            if not rows:
                break
            before = _before_clock(rows)
            if before == 0 and sought != rows[0]["change_id"]:
                sought = rows[0]["change_id"]
                if sought > place.at[1] + 1:
                    place.missing.append((place.at[1] + 1, sought - 1, now))
                    place.at = 0, sought - 1
                async for batch in self._late(place, now):
                    yield batch
                continue
            rows = self._passed(place, rows[: before or 1 if before is not None else len(rows)], now)
            if not rows:
                break
            place.high = place.at[1]
            yield self._batch(rows, place)
        if place.missing:
            count = sum(last - first + 1 for first, last, _ in place.missing)
            self._left.append(f"{count} changes are missing: open transactions, or some that were rolled back")

    def _passed(self, place: _Place, rows: list[Row], now: int) -> list[Row]:
        """The rows up to which there is room for what is missing between them; the place moves behind the last."""
        taken: list[Row] = []
        for row in rows:
            number = row["change_id"]
            if number > place.at[1] + 1:
                if len(place.missing) >= self.options.gaps:
                    break
                place.missing.append((place.at[1] + 1, number - 1, now))
            place.at = 0, number
            taken.append(row)
        return taken

    async def _late(self, place: _Place, now: int) -> AsyncIterator[Batch]:
        """What has come of the numbers that were missing; those that were missing for too long are let go."""
        for gap in list(place.missing):
            first, last, since = gap
            bound = {"first": first, "last": last}
            rows = await self._page("change_id >= :first AND change_id <= :last", bound, "change_id")
            place.missing.remove(gap)
            still, at = [], first
            for row in rows:
                if row["change_id"] > at:
                    still.append((at, row["change_id"] - 1, since))
                at = row["change_id"] + 1
            if at <= last:
                still.append((at, last, since))
            place.missing += [each for each in still if now - since < self.options.patience or rows]
            place.missing.sort()
            if rows:
                yield self._batch(rows, place)

    async def _now(self) -> int:
        """The database's clock, in seconds since 1970."""
        rows = await self._rows("SELECT CURRENT_TIMESTAMP AS at", {})
        at = datetime.fromisoformat(str(rows[0]["at"]))
        return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp())

    # --- rows -------------------------------------------------------------------------------------------------

    def _batch(self, rows: list[Row], place: _Place) -> Batch:
        content = digest("\n".join(f"{row[name]}" for row in rows for name in COLUMNS).encode())

        async def records() -> AsyncIterator[Read]:
            async for read in at_once(read for row in rows for read in _reads(row, self.format)):
                yield read

        first, last = rows[0]["change_id"], rows[-1]["change_id"]
        return Batch(f"changes {first} to {last} {content}", records, place.position(), content=content)

    async def _page(self, where: str, bound: dict[str, Any], order: str, more: tuple[str, ...] = ()) -> list[Row]:
        names = ", ".join((*COLUMNS, *more))
        statement = f"SELECT {names} FROM {self.options.table} WHERE {where} ORDER BY {order} LIMIT :page"  # noqa: S608
        return await self._rows(statement, {**bound, "page": self.options.page})

    async def _rows(self, statement: str, bound: dict[str, Any]) -> list[Row]:
        """Raises SourceDown."""
        try:
            async with (
                asyncio.timeout(self.options.timeout + 5),
                reading(self.engine, self.options.timeout) as connection,
            ):
                typed = [bindparam(name, value, BigInteger) for name, value in bound.items()]
                result = await connection.execute(text(statement).bindparams(*typed), bound)
                return [{name: plain(value) for name, value in row.items()} for row in result.mappings()]
        except outages() as error:
            raise down(self.address, error) from None


def _needed(format: Format | None) -> Format:
    if not isinstance(format, TakesMessages):
        raise ValueError("changes need a format that takes messages")
    return format


def _connect(source: Path | bytes) -> sqlite3.Connection:
    if isinstance(source, bytes):
        connection = sqlite3.connect(":memory:")
        connection.deserialize(source)
        return connection
    return sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)


def _reads(row: Row, format: Format) -> Iterator[Read]:
    """What a change is, by its number."""
    place = f"change {row['change_id']}"
    for read in format.read(BytesIO(_line(row))):
        if isinstance(read, BadRecord):
            yield BadRecord(read.reason, place=place, raw=read.raw, record=read.record)
        else:
            yield replace(read, place=place)


def _before_clock(rows: Sequence[Row]) -> int | None:
    """How many rows stand before the first of the owner's clock; None if there is none."""
    return next((at for at, row in enumerate(rows) if str(row["table_name"]).lower() == CLOCK), None)


def _line(row: Row) -> bytes:
    """A change as a message. What is no JSON stays text, and is refused where it is read."""
    source = {
        "connector": CHANGE_TABLE,
        "table": row["table_name"],
        "sequence": row["change_id"],
        "ts_us": _micros(row["changed_at"]),
    }
    value = {"op": row["op"], "after": _json(row["after"]), "source": source}
    key = row["row_key"]
    return line_of(
        Message(orjson.dumps(value, default=str), key.encode("utf-8", "replace") if isinstance(key, str) else None)
    )


def _json(content: object) -> object:
    """The JSON of a column; as it is written, so that numbers of many digits stay what they are."""
    if not isinstance(content, str):
        return None if content is None else str(content)
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return content
    return orjson.Fragment(content)


def _micros(value: Any) -> int | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds
