"""Feeds on the console: held, let go on, read again."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import FastAPI, Path
from pydantic import BaseModel, ConfigDict, Field

from adapters.core import Pushed
from services.api.problems import described
from services.console.access import Access, Holder
from services.feeds import Checkpoints, Word, give
from services.ingest.sources import names_files
from services.problems import Problem

_PROBLEMS = described(400, 401, 403, 404, 409, 422, 429, 503)


class Action(StrEnum):
    """What can be ordered."""

    PAUSE = "pause"
    RESUME = "resume"
    REWIND = "rewind"
    RELEASE = "release"
    REJECT = "reject"


class Ordering(BaseModel):
    """Why; and, to read again, that it is really meant."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(min_length=3, max_length=400, description="Shown to others and kept in the audit log.")
    yes: bool = Field(default=False, description="To read again: do it, having seen what that is.")
    before: str | None = Field(default=None, max_length=400, description="To read again: from this file on alone.")
    waiting: str | None = Field(
        default=None, max_length=100, description="To decide on a batch that waits: its id, as it was seen."
    )


def route(app: FastAPI) -> None:
    """Add the routes."""

    @app.post("/console/api/feeds/{system:path}/{feed}/{action}", responses=_PROBLEMS)
    async def order(
        access: Holder, system: str, feed: Annotated[str, Path(max_length=60)], action: Action, asked: Ordering
    ) -> dict[str, Any]:
        """Hold a feed, let it go on, have it read again, or decide on its batch that waits."""
        if not asked.why.isprintable() or not asked.why.strip():
            raise Problem(422, "why", "Why is one line that can be read.")
        word, key = Word(action), _key(access, system, feed, action)
        outcome: dict[str, Any] = {"feed": f"{system}.{feed}", "done": word is not Word.REWIND or asked.yes}
        before, about = asked.before or None, asked.before or ""
        if word is Word.REWIND:
            outcome["again"] = await _again(access, system, feed, key, before)
        elif before is not None:
            raise Problem(422, "before", "A file is named to read a feed again.")
        if word in (Word.RELEASE, Word.REJECT):
            about = await _waiting(access, key, asked.waiting)
        elif asked.waiting is not None:
            raise Problem(422, "waiting", "A batch that waits is named to send it or to leave it out.")
        verb = f"console feeds {word}" if outcome["done"] else f"console feeds {word} (dry run)"
        await access.remember(verb, [f"feed/{key}"], f"{system}.{feed}: {asked.why}")
        if outcome["done"]:
            console = access.console
            await give(
                console.bus,
                key,
                word,
                by=access.caller.subject,
                why=asked.why,
                now=console.clock(),
                about=about,
            )
            await console.watch.observe()
        return outcome


def _key(access: Access, system: str, feed: str, action: Action) -> str:
    """The key of a feed. Raises Problem where there is none, or none that can be ordered so."""
    console = access.console
    known = console.systems.get(system)
    its = next((each for each in known.feeds if each.name == feed), None) if known is not None else None
    if its is None:
        raise Problem(404, "not-found", "There is no such feed.")
    if action is Action.REWIND and isinstance(its.transport, Pushed):
        raise Problem(409, "pushed", "The feed is pushed: its owner has to send again what is to be read again.")
    if (missing := console.unsigned(system)) is not None:
        raise Problem(409, "no-key", f"An order that is not signed would be passed over. {missing}.")
    return f"{system}/{feed}"


async def _waiting(access: Access, key: str, seen: str | None) -> str:
    """The id of the batch that waits. Raises Problem where none does, or another than was seen."""
    checkpoints = Checkpoints()
    await checkpoints.read(access.console.bus)
    checkpoint = checkpoints.held.get(key)
    if checkpoint is None or checkpoint.waiting is None:
        raise Problem(409, "nothing-waits", "No batch of this feed waits for a word.")
    if seen is not None and seen != checkpoint.waiting.id:
        raise Problem(409, "another-waits", "Another batch waits by now than the one that was seen: look at it first.")
    return checkpoint.waiting.id


async def _again(access: Access, system: str, feed: str, key: str, before: str | None) -> dict[str, Any]:
    """What reading it again comes to, by the receipts and the counters. Raises Problem where it was never read."""
    console = access.console
    if before is not None and not names_files(console.systems[system].feed(feed)):
        raise Problem(409, "no-files", "The feed is none of files: it is read again from its beginning.")
    checkpoints = Checkpoints()
    await checkpoints.read(console.bus)
    checkpoint = checkpoints.last.get(key)
    if checkpoint is None:
        raise Problem(409, "never-read", "The feed was never read: there is nothing to read again.")
    await console.receipts.follow(console.bus, console.bus_name)
    extent = console.receipts.extent(system, feed, before)
    if before is not None and not extent.batches:
        raise Problem(404, "not-found", "The feed has no receipt of such a file.")
    counted = {"records_counted": checkpoint.counters.read, "events_counted": checkpoint.counters.events}
    # of a batch the records are not told to everybody (`services.redaction`), and two such answers differ by one batch
    records = extent.records if before is None else None
    return {"batches": extent.batches, "records": records, "first": extent.first, "last": extent.last} | counted
