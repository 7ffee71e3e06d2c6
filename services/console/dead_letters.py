"""Dead letters on the console: grouped, one shown, edited, checked, replayed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import FastAPI, Path
from pydantic import BaseModel, ConfigDict, Field

from services.api.authorised_lookup import Scope
from services.api.problems import described
from services.console.access import Access, Operations, Operator, Records
from services.console.resources import Console
from services.dead_letters import DeadLetter, Selection, load, read, shape
from services.dead_letters.marking import lines_of
from services.ingest.clocks import now
from services.ingest.gate import NotJudged
from services.ingest.replay import Replay, assess, replay, would_change
from services.problems import Problem
from services.redaction import Veil, may_be_marked

CONFIDENTIAL = Scope.CONFIDENTIAL
MOST = 500
"""Dead letters of one list, and of one replay."""
_PROBLEMS = described(400, 401, 403, 404, 409, 422, 429, 503)
LetterId = Annotated[str, Path(pattern="^[0-9a-f-]{4,36}$")]


class Mended(BaseModel):
    """Bytes in the place of a dead letter's own."""

    model_config = ConfigDict(extra="forbid")

    data: str | None = Field(default=None, max_length=400_000, description="Base64; absent: its own bytes.")


class Replaying(Mended):
    """Which dead letters are read again: those of `ids`, or all that wait of a feed for one reason."""

    ids: tuple[str, ...] = Field(default=(), max_length=MOST)
    system: str | None = Field(default=None, max_length=40)
    feed: str | None = Field(default=None, max_length=40)
    reason: str | None = Field(default=None, max_length=2_000, description="Without values, as groups show it.")
    why: str = Field(min_length=3, max_length=500, description="Kept in the audit log; name no person.")
    release: bool = Field(default=False, description="Though it would change more outcomes than may change unseen.")


def route(app: FastAPI) -> None:
    """Add the routes."""

    @app.get("/console/api/dead-letters", responses=_PROBLEMS)
    async def groups(access: Operations, system: str | None = None) -> dict[str, Any]:
        """Those that wait, by feed and reason."""
        every = [group for group in (await access.flow()).dead_letters if system in (None, group.system)]
        return {"groups": [group.model_dump(mode="json") for group in every]}

    @app.get("/console/api/dead-letters/list", responses=_PROBLEMS)
    async def listed(access: Records, system: str, feed: str, reason: str) -> dict[str, Any]:
        """Each of a group, without its bytes."""
        await access.remember(access.reading("console dead-letters list"), [], f"{system}.{feed}")
        letters = [
            letter
            for letter in await _existing(access, Selection(system=system, pending=True))
            if letter.feed == feed and shape(letter.reason) == reason
        ]
        return {"letters": [_head(letter) for letter in letters[:MOST]], "more": max(0, len(letters) - MOST)}

    @app.get("/console/api/dead-letters/{id}", responses=_PROBLEMS)
    async def one(access: Records, id: LetterId) -> dict[str, Any]:
        """One with its bytes, beside what the interface says they are.

        Of a record that may be confidential by law who lacks the right sees what an operator needs: where it was met
        and why it was refused, without values. He may have it read again, as it is.
        """
        letter = await _letter(access, id)
        await access.remember(access.reading("console dead-letters show"), [f"dead-letter/{letter.id}"])
        facts = _head(letter) | {"group": shape(letter.reason), "reason": letter.reason}
        if _covered(access, letter):
            return facts | {"data": None, "lines": [], "needs": CONFIDENTIAL}
        raw = _bytes(access.console, letter)
        lines = lines_of(_feed(access.console, letter), letter, raw)
        return facts | {"data": b64encode(raw).decode(), "lines": [line._asdict() for line in lines], "needs": None}

    @app.post("/console/api/dead-letters/{id}/check", responses=_PROBLEMS)
    async def check(access: Records, id: LetterId, mended: Mended) -> dict[str, Any]:
        """What reading it again would come to. Nothing is sent."""
        letter = await _letter(access, id)
        data = _data(mended)
        covered = _covered(access, letter)
        if covered and data is not None:
            raise _needs_the_right(letter)
        await access.remember(access.reading("console dead-letters check"), [f"dead-letter/{letter.id}"])
        if covered:
            (letter,) = [each async for each in load(access.console.bus, [letter])]
            result = assess(access.console.systems, letter, access.console.spool, now)
            return _outcome(result, covered=True) | {"lines": []}
        result = assess(access.console.systems, letter, access.console.spool, now, data)
        raw = data if data is not None else _bytes(access.console, letter)
        lines = lines_of(_feed(access.console, letter), replace(letter, reason=result.why or ""), raw)
        return _outcome(result) | {"lines": [line._asdict() for line in lines]}

    @app.post("/console/api/dead-letters/replay", responses=_PROBLEMS)
    async def replayed(access: Operator, asked: Replaying) -> dict[str, Any]:
        """Read again and publish."""
        return await _replay(access, asked)


async def _replay(access: Access, asked: Replaying) -> dict[str, Any]:
    console = access.console
    data = _data(asked)
    if not asked.ids and not (asked.system and asked.feed and asked.reason):
        raise Problem(422, "which", "Name dead letters by their ids, or a group by system, feed and reason.")
    letters = [
        letter
        for letter in await _existing(access, Selection(asked.ids, asked.system, pending=not asked.ids))
        if asked.feed in (None, letter.feed) and asked.reason in (None, shape(letter.reason))
    ][:MOST]
    if data is not None and len(letters) != 1:
        raise Problem(422, "which", "Mended bytes are those of one dead letter.")
    if data is not None and _covered(access, letters[0]):
        raise _needs_the_right(letters[0])
    verb = "console dead-letters replay mended" if data is not None else "console dead-letters replay"
    verb = f"{verb} released" if asked.release else verb
    await access.remember(access.reading(verb), [f"dead-letter/{letter.id}" for letter in letters], asked.why)
    if not asked.release:  # whom it would change is told, so that stands in the audit log as well
        await _refuse_much(console, letters, data)
    producer = await console.bus.producer()
    try:
        done = replay(console.systems, load(console.bus, letters), producer, console.spool, now, mended=data)
        results = [_outcome(result, covered=_covered(access, result.dead_letter)) async for result in done]
    finally:
        await producer.close()
    await console.watch.observe()
    return {"results": results}


async def _refuse_much(console: Console, letters: list[DeadLetter], data: bytes | None) -> None:
    """Raise Problem where replaying would change more outcomes than may change unseen; it says which."""
    if (gate := console.gate()) is None:
        return

    async def assessed() -> AsyncIterator[Replay]:
        async for letter in load(console.bus, letters):
            yield assess(console.systems, letter, console.spool, now, data)

    try:
        waiting = await would_change(assessed(), gate)
    except NotJudged as error:
        raise Problem(503, "not-judged", f"What it would change cannot be told: {error}.") from None
    finally:
        await gate.close()
    if waiting is not None:
        detail = f"Nothing was sent: {waiting.in_words()}, and at most {waiting.limit} may change unseen."
        raise Problem(409, "held", detail)


async def _existing(access: Access, selection: Selection, *, whole: bool = False) -> list[DeadLetter]:
    """The dead letters selected of those that exist for the caller, as they may be told."""
    console = access.console
    if access.confidential:
        return await read(console.bus, selection, whole=whole)
    return await Veil(console.bus, console.reads, console.systems).letters(selection, whole=whole)


def _covered(access: Access, letter: DeadLetter) -> bool:
    """Whether the bytes of a dead letter may not be told to the caller."""
    return not access.confidential and may_be_marked(access.console.systems.get(letter.system))


async def _letter(access: Access, id: str) -> DeadLetter:
    """One, with its bytes where these may be told. Raises Problem where there is none for the caller."""
    letters = await _existing(access, Selection((id,)), whole=True)
    if len(letters) != 1:
        raise Problem(404, "not-found", "There is no such dead letter, or several begin so.")
    return letters[0]


def _needs_the_right(letter: DeadLetter) -> Problem:
    detail = f"A record of {letter.system} may be confidential by law: its bytes need the scope {CONFIDENTIAL}."
    return Problem(403, "scope", detail)


def _bytes(console: Console, letter: DeadLetter) -> bytes:
    try:
        return letter.bytes_of(console.spool)
    except OSError:
        raise Problem(404, "not-spooled", "Its bytes are not in the spool of this machine.") from None


def _feed(console: Console, letter: DeadLetter) -> Any:
    system = console.systems.get(letter.system)
    return next((feed for feed in system.feeds if feed.name == letter.feed), None) if system is not None else None


def _data(mended: Mended) -> bytes | None:
    if mended.data is None:
        return None
    try:
        return b64decode(mended.data, validate=True)
    except NotBase64:
        raise Problem(422, "data", "The bytes are no base64.") from None


def _head(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "system": letter.system,
        "feed": letter.feed,
        "batch": letter.batch,
        "place": letter.place,
        "record": letter.record,
        "reason": shape(letter.reason),
        "at": letter.at.isoformat(),
        "bytes": letter.size,
        "replayed": letter.replayed.isoformat() if letter.replayed is not None else None,
    }


def _outcome(result: Replay, *, covered: bool = False) -> dict[str, Any]:
    why = shape(result.why) if covered and result.why is not None else result.why
    return {"id": result.dead_letter.id, "outcome": result.outcome, "why": why, "events": result.events}
