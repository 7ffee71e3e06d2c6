"""A bad batch withdrawn whole on the console: shown first, done with a reason."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from services.api.authorised_lookup import Scope
from services.api.problems import described
from services.console.access import Access, Holder
from services.problems import Problem
from services.redaction import marked_by_law, may_be_marked
from services.retraction import UNTOLD, Withdrawal, withdraw, withdrawal

_PROBLEMS = described(400, 401, 403, 404, 409, 422, 503)


class Withdrawing(BaseModel):
    """Which batch, why, and that it is really meant."""

    model_config = ConfigDict(extra="forbid")

    system: str = Field(min_length=1, max_length=40)
    batch: str = Field(min_length=1, max_length=400)
    why: str = Field(min_length=3, max_length=400, description="Kept in the audit log; name no person.")
    yes: bool = Field(default=False, description="Do it, having seen what that is.")


def route(app: FastAPI) -> None:
    """Add the route."""

    @app.post("/console/api/retract", responses=_PROBLEMS)
    async def retract(access: Holder, asked: Withdrawing) -> dict[str, Any]:
        """What withdrawing a batch would come to; with `yes` it is done."""
        console = access.console
        if not asked.why.isprintable() or not asked.why.strip():
            raise Problem(422, "why", "Why is one line that can be read.")
        known = console.systems.get(asked.system)
        if known is None or (marked_by_law(known) and not access.confidential):
            raise _none()
        if (missing := console.unsigned(asked.system)) is not None:
            raise Problem(409, "no-key", f"A retraction that is not signed would be refused. {missing}.")
        verb = "console retract batch" if asked.yes else "console retract batch (dry run)"
        await access.remember(access.reading(verb), [f"batch/{asked.system}/{asked.batch}"], asked.why)
        done = await withdrawal(console.bus, asked.batch, asked.system, console.admission())
        if not done.systems:
            raise _none()
        if asked.yes:
            await _send(access, done)
        if not access.confidential and may_be_marked(known):
            return {"done": asked.yes, "needs": Scope.CONFIDENTIAL, **UNTOLD}
        return {"done": asked.yes, "needs": None, **done.counts}


def _none() -> Problem:
    return Problem(404, "not-found", "No event on the bus is of such a file, poll or message of that system.")


async def _send(access: Access, done: Withdrawal) -> None:
    producer = await access.console.bus.producer()
    try:
        await withdraw(producer, done.events, access.console.clock())
    finally:
        await producer.close()
    await access.console.watch.observe()
