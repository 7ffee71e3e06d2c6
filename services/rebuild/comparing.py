"""Comparing two editions at one point of the bus: byte for byte by digest, and person by person by what is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from services.domain.coverage import Coverage
from services.domain.history import Answer, canonical, history_of
from services.domain.resolve import status
from services.rebuild.catching_up import Met
from services.store.reads import SqlReads

NONE = "none"
"""In the place of an outcome: a person without an admission, or one that an edition does not know."""
_MANY = 1_000
"""Persons after which it is told how far it is."""
Row = tuple[bytes, str | None, bytes]  # person, outcome told last, canonical history


@dataclass(frozen=True, slots=True)
class Difference:
    """A person whose answer is another one. `before` or `after` is None where an edition does not know the person."""

    person: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(slots=True)
class Comparison:
    """What comparing two editions came to. All but `equal` is of the view without what is confidential."""

    live_digest: str | None = None  # as `visabus export --digest`; None where persons are missing from a view
    new_digest: str | None = None
    equal: bool = True  # byte for byte, with what is confidential
    live_persons: int = 0
    new_persons: int = 0
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)  # (outcome before, after) -> persons
    same_answer: int = 0  # persons with another history and the same answer
    quarantined: int = 0  # pools of the new edition that could not be resolved

    @property
    def answers_changed(self) -> int:
        """Persons whose answer is another one."""
        return self.changed.total()

    def as_json(self) -> dict[str, Any]:
        """Return it as the command prints and the home keeps it."""
        return {
            "equal": self.equal,
            "digest": {"live": self.live_digest, "new": self.new_digest},
            "persons": {"live": self.live_persons, "new": self.new_persons},
            "answers_changed": self.answers_changed,
            "by_outcome": [
                {"from": before, "to": after, "persons": count}
                for (before, after), count in sorted(self.changed.items(), key=lambda item: (-item[1], item[0]))
            ],
            "same_answer_other_history": self.same_answer,
            "quarantined": self.quarantined,
        }


async def compare(
    met: Met,
    now: int,
    *,
    differing: Callable[[Difference], None] | None = None,
    advance: Callable[[int], None] | None = None,
) -> Comparison:
    """Compare both views; answers are those of `now` (seconds).

    `differing` is given each person whose answer is another one, `advance` the number of persons compared so far; what
    that raises ends it.
    """
    missing = len(await met.live.quarantined(confidential=True))
    result = Comparison(quarantined=len(await met.new.quarantined(confidential=True)))
    coverage = (await met.live.coverage(), await met.new.coverage())
    digests = sha256(), sha256()
    for digest, covered in zip(digests, coverage, strict=True):
        digest.update(canonical({"complete": covered.scopes}) + b"\n")
    result.equal = coverage[0].scopes == coverage[1].scopes
    count = 0
    async with aclosing(_pairs(met.live.view(), met.new.view())) as pairs:
        async for before, after in pairs:
            count += 1
            if before is not None:
                digests[0].update(before[2] + b"\n")
                result.live_persons += 1
            if after is not None:
                digests[1].update(after[2] + b"\n")
                result.new_persons += 1
            same = before is not None and after is not None and before[2] == after[2]
            result.equal &= same
            if not same or coverage[0] != coverage[1]:
                _judge(result, before, after, coverage, now, differing, same=same)
            if advance is not None and count % _MANY == 0:
                advance(count)
    if advance is not None:
        advance(count)
    result.live_digest = None if missing else digests[0].hexdigest()
    result.new_digest = None if result.quarantined else digests[1].hexdigest()
    result.equal &= not missing and not result.quarantined
    if result.equal and (await _veils(met.live) or await _veils(met.new)):
        again = 0
        whole = _pairs(met.live.view(confidential=True), met.new.view(confidential=True))
        async with aclosing(whole) as pairs:
            async for before, after in pairs:
                again += 1
                if before is None or after is None or before[2] != after[2]:
                    result.equal = False
                    break
                if advance is not None and again % _MANY == 0:
                    advance(count)
    return result


async def _veils(reads: SqlReads) -> bool:
    """Whether an edition holds anything confidential."""
    return await reads.veiled() > 0


def _judge(
    result: Comparison,
    before: Row | None,
    after: Row | None,
    coverage: tuple[Coverage, Coverage],
    now: int,
    differing: Callable[[Difference], None] | None,
    *,
    same: bool,
) -> None:
    answers = [_answer(row, covered, now) for row, covered in zip((before, after), coverage, strict=True)]
    if answers[0] == answers[1]:
        result.same_answer += not same
        return
    outcomes = [NONE if each is None or each["outcome"] is None else str(each["outcome"]) for each in answers]
    result.changed[outcomes[0], outcomes[1]] += 1
    if differing is not None:
        person = before if before is not None else after
        if person is not None:
            differing(Difference(person[0].hex(), *answers))


def _answer(row: Row | None, coverage: Coverage, now: int) -> dict[str, Any] | None:
    """What is answered about a person; of a history that this program does not read the outcome told last."""
    if row is None:
        return None
    try:
        answer = status(history_of(row[2]), now, coverage)
    except msgspec.DecodeError:
        return {"outcome": row[1]}
    return _parts_of(answer)


def _parts_of(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {"outcome": None}
    return {
        "outcome": answer.outcome,
        "reason": answer.reason,
        "rule": answer.rule,
        "since": answer.since,
        "stay": answer.stay.id,
        "authorised_until": answer.stay.authorised_until,
    }


async def _pairs(
    live: AsyncGenerator[Row, None], new: AsyncGenerator[Row, None]
) -> AsyncGenerator[tuple[Row | None, Row | None], None]:
    """The rows of both, by person."""
    async with aclosing(live), aclosing(new):
        before, after = await anext(live, None), await anext(new, None)
        while before is not None or after is not None:
            if after is None or (before is not None and before[0] < after[0]):
                yield before, None
                before = await anext(live, None)
            elif before is None or after[0] < before[0]:
                yield None, after
                after = await anext(new, None)
            else:
                yield before, after
                before, after = await anext(live, None), await anext(new, None)


def in_words(comparison: dict[str, Any]) -> Iterator[str]:
    """Yield what a comparison came to, in lines."""
    persons, digest = comparison["persons"], comparison["digest"]
    if comparison["equal"]:
        yield f"the new view is that of today, byte for byte: {persons['new']:,} persons, digest {digest['new']}"
        return
    yield f"persons: {persons['live']:,} live, {persons['new']:,} new"
    yield f"digest of the live view: {digest['live'] or 'none, persons are missing from it'}"
    yield f"digest of the new view:  {digest['new'] or 'none, persons are missing from it'}"
    if digest["live"] is not None and digest["live"] == digest["new"]:
        yield "what may be told to all is the same; the difference is in what the law keeps confidential"
    yield f"persons whose answer changes: {comparison['answers_changed']:,}"
    for each in comparison["by_outcome"]:
        yield f"  {each['persons']:>9,}  {each['from']} -> {each['to']}"
    if comparison["same_answer_other_history"]:
        yield f"persons with the same answer and another history: {comparison['same_answer_other_history']:,}"
    if comparison["quarantined"]:
        yield f"pools of the new view that could not be resolved: {comparison['quarantined']:,}"
