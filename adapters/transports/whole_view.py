"""How a view is read whole.

A read goes to a file of this machine first, and counts once as many rows came as the view has: only then are its rows
passed on. So a batch can be read again, and a connection that breaks off, or a driver that ends early without an error,
gives no shorter table.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.core import Batch, Credentials, Json, Read, SourceDown
from adapters.transports.databases import down, open_engine, outages, plain, reading
from adapters.transports.rows import as_row, end_of, iso, parse

if TYPE_CHECKING:
    from adapters.transports.database_extract import DatabaseExtract

_PAGE = 20
"""Rows that are fetched together: what they hold is known only then."""
_PIECE = 2**19
"""Bytes that are written, or read again, together."""
_LONGER = 5.0
"""Seconds: the server's own limit comes first."""


def open_whole(url: str, options: DatabaseExtract, credentials: Credentials | None = None) -> WholeView:
    """The view in the database at a URL as SQLAlchemy has it. Raises SourceDown for a URL that is none."""
    engine, address = open_engine(url, credentials)
    return WholeView(engine, address, options)


@dataclass(slots=True)
class WholeView:
    """An opened view. One call of `batches` is one read of all its rows, unless the last one is too young."""

    engine: AsyncEngine
    address: str  # without its password
    options: DatabaseExtract
    held: list[IO[bytes]] = field(default_factory=list)

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """One batch. Its position is when the view was read. Raises SourceDown."""
        at = self.options.now()
        if position is not None and at - parse(position["at"]) < timedelta(seconds=self.options.every):
            return
        file = await asyncio.to_thread(tempfile.TemporaryFile)
        self.held.append(file)
        rows = await self._fetch(file)

        async def records() -> AsyncIterator[Read]:
            place = 0
            number = 0
            while lines := await asyncio.to_thread(_lines, file, place):
                for line in lines:
                    number += 1
                    place += len(line)
                    raw = line.rstrip(b"\n")
                    yield as_row(orjson.loads(raw), f"row {number}", raw)
            yield end_of(rows)

        yield Batch(f"{self.options.view} at {iso(at)}", records, {"at": iso(at)})

    async def close(self) -> None:
        """Let go of the database and of what was read."""
        for file in self.held:
            file.close()
        self.held = []
        await self.engine.dispose()

    async def _fetch(self, file: IO[bytes]) -> int:
        """All rows into the file; their number. Raises SourceDown."""
        columns, view = ", ".join(self.options.columns), self.options.view
        rows = 0
        try:
            # what the server is asked may take its time, and an answer to it so much longer
            async with asyncio.timeout(None) as patience:
                self._give(patience)
                async with reading(self.engine, self.options.timeout, snapshot=True) as connection:
                    count = (await connection.execute(text(f"SELECT count(*) FROM {view}"))).scalar_one()  # noqa: S608
                    self._give(patience)
                    # nothing else may run on this connection from here on: MariaDB would end the rows and say nothing
                    result = await connection.stream(
                        text(f"SELECT {columns} FROM {view}"),  # noqa: S608
                        execution_options={"yield_per": _PAGE},
                    )
                    lines: list[bytes] = []
                    size = 0
                    async for page in result.mappings().partitions(_PAGE):
                        rows += len(page)
                        lines += map(_line, page)
                        size += sum(map(len, lines[-len(page) :]))
                        if size >= _PIECE:
                            await asyncio.to_thread(_write, file, lines)
                            lines, size = [], 0
                        self._give(patience)
                    await asyncio.to_thread(_write, file, lines)
        except outages() as error:
            raise down(self.address, error) from None
        if rows != count:
            raise SourceDown(f"{self.address}: {view} has {count} rows, and {rows} came")
        return rows

    def _give(self, patience: asyncio.Timeout) -> None:
        """Wait for the next answer so long at most."""
        patience.reschedule(asyncio.get_running_loop().time() + self.options.timeout + _LONGER)


def _write(file: IO[bytes], lines: list[bytes]) -> None:
    file.writelines(lines)


def _line(row: Mapping[Any, Any]) -> bytes:
    return orjson.dumps({name: plain(value) for name, value in row.items()}, option=orjson.OPT_APPEND_NEWLINE)


def _lines(file: IO[bytes], place: int) -> list[bytes]:
    file.seek(place)
    return file.readlines(_PIECE)
