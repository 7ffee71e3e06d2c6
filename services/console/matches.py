"""Possible matches on the console: side by side, and a person's word on them."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field

from bus.events import message_of
from schemas.events import RecordRef
from services.api.problems import described
from services.console.access import Operator, Records
from services.matches import decision, possible
from services.problems import Problem

_PROBLEMS = described(400, 401, 403, 422, 429, 503)


class Word(BaseModel):
    """A person's word on two records."""

    model_config = ConfigDict(extra="forbid")

    one: RecordRef
    other: RecordRef
    same: bool
    why: str = Field(min_length=3, max_length=500, description="What it rests on; name no person.")


def route(app: FastAPI) -> None:
    """Add the routes."""

    @app.get("/console/api/matches", responses=_PROBLEMS)
    async def matches(access: Records, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
        """Persons whose records are alike, but not enough to be joined."""
        results = []
        async with aclosing(possible(access.console.reads)) as some:
            async for one in some:
                results.append(one)
                if len(results) >= limit:
                    break
        persons = dict.fromkeys(side.person for result in results for side in (result.one, result.other))
        await access.remember("console matches list", list(persons))
        return {"matches": [asdict(result) for result in results]}

    @app.post("/console/api/matches", responses=_PROBLEMS)
    async def decide(access: Operator, word: Word) -> dict[str, Any]:
        """Say whether two records are one person's."""
        by = access.caller.subject
        at = access.console.clock()
        try:
            event = decision(word.one, word.other, same=word.same, by=by, why=word.why, at=at)
        except ValueError as error:
            raise Problem(422, "decision", str(error).splitlines()[-1].strip()) from None
        about = [f"record/{ref.system}/{ref.record}" for ref in (word.one, word.other)]
        verb = f"console matches decide {'same' if word.same else 'different'}"
        await access.remember(verb, about, word.why)
        producer = await access.console.bus.producer()
        try:
            await producer.send([message_of(event)])
        finally:
            await producer.close()
        return {"decided": "same" if word.same else "different"}
