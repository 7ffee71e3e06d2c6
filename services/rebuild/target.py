"""What the engines of a rebuild share: the new store beside the live one, and who fills it.

An engine is handed a `NewStore` and writes into its tables by any way that is quick: by `NewStore.open()`, or by
connections of its own (on PostgreSQL with `search_path` set to `NewStore.schema`). When it is done,

- `position` has a row for each partition that it read: `next` behind the last message read, its `tail` (the digest of
  that message, `bus.tails.tail_of`), the latest stamps `known` and `open_known`, and an epoch of at least 1;
- `work` is empty, `config` has the one row that `Transaction.configuration` wrote;
- `code`, `announced` and `sequence` of persons may be what the engine likes, and `change` may be empty: the switch
  carries over what the live edition told last.

Correlators then go on from these positions: a `rebuild` reads what came meanwhile with them, whichever engine began.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from bus.durable import make_closed
from services.domain.facts import MICRO
from services.domain.fingerprint import fingerprint
from services.settings import Settings
from services.store import Store, open_store
from services.store.editions import FIRST, Edition, State, file_of, schema_of

ENGINES = {"correlators": "services.rebuild.correlators", "spark": "services.rebuild.spark"}
"""Modules with a class `Fill` that is an `Engine`, by the name that `--engine` gives."""


class NoRebuild(Exception):
    """A rebuild cannot be begun, gone on with, switched or dropped; the text says what to do."""


class Progress(Protocol):
    """Is told how far an engine is; it may be told as often as the engine likes."""

    def at(self, done: int, total: int | None, stage: str = "read") -> None:
        """So many of so many events (None: not known) are through a stage."""

    def waits(self, why: str) -> None:
        """It does not go on just now: why not, in words."""


@dataclass(frozen=True, slots=True)
class NewStore:
    """An edition that is being built."""

    url: str  # of the home: the address in the settings
    number: int
    fingerprint: str
    place: str  # where it stands, for the eye: a file or a schema
    schema: str | None  # on PostgreSQL

    async def open(self) -> Store:
        """Open it, brought to the present layout. Its writer is fenced once it is live or given up."""
        return await open_store(self.url, edition=self.number)


class Engine(Protocol):
    """Fills a new store."""

    async def fill(self, new: NewStore, settings: Settings, progress: Progress, stop: asyncio.Event) -> None:
        """Return when the new store has all that the bus held when this began, or when `stop` is set.

        It goes on where a run before, by any engine, was killed; what is read twice changes nothing.
        """


def engine_of(name: str, **options: object) -> Engine:
    """Return an engine. Raises NoRebuild where it is not installed."""
    try:
        module = import_module(ENGINES[name])
    except ImportError as error:
        raise NoRebuild(f"the engine {name} is not installed ({error.name}): pip install 'visabus[{name}]'") from None
    return cast(Engine, module.Fill(**options))


async def begin(url: str, *, begun: bool = False) -> NewStore:
    """Make the new edition beside the live one, or take up the one that was begun, by this program's rules.

    With `begun` only the latter. Raises NoRebuild, StoreDown.
    """
    live = await open_store(url)
    try:
        mine = fingerprint()
        standing = [each for each in await live.home.all() if each.state is State.BUILDING]
        if begun and not standing:
            last = f" (edition {live.edition} is live)" if live.edition != FIRST else ""
            raise NoRebuild(f"no rebuild is under way{last}: `visabus rebuild` begins one")
        edition = standing[0] if standing else await live.home.begin(mine, int(time.time() * MICRO))
        if edition.fingerprint != mine:
            raise NoRebuild(
                f"a rebuild by other rules is under way (configuration {edition.fingerprint}, this program has {mine}):"
                " go on with that program, or give it up with `visabus rebuild --discard`"
            )
        return await _made(live, url, edition)
    finally:
        await live.close()


async def _made(live: Store, url: str, edition: Edition) -> NewStore:
    """Make the place of an edition, where it is not there yet."""
    file = file_of(url, edition.number)
    if file is not None:
        make_closed(file)
        return NewStore(url, edition.number, edition.fingerprint or "", str(file), None)
    async with live.home.engine.connect() as connection:
        home = str((await connection.execute(text("SELECT current_schema()"))).scalar())
        schema = schema_of(home, edition.number)
        there = text("SELECT to_regnamespace(quote_ident(:name))::text")
        if (await connection.execute(there, {"name": schema})).scalar() is None:
            quoted = schema.replace('"', '""')
            try:
                await connection.execute(text(f'CREATE SCHEMA "{quoted}"'))
                await connection.commit()
            except ProgrammingError as error:
                raise NoRebuild(
                    f"the schema {schema} cannot be made: GRANT CREATE ON DATABASE to the user of the store, or have it"
                    f' made by who may: CREATE SCHEMA "{quoted}" AUTHORIZATION that user'
                ) from error
    return NewStore(url, edition.number, edition.fingerprint or "", f"schema {schema}", schema)
