"""The stage for a source that tells nothing by itself: it is asked about one after another, whoever stands in a topic.

Who is asked comes from the host (`Questions`), which has it from a topic of the bus. Some are asked at once, never more
than `at_once`, and two never within `pause` seconds. An answer is one batch; its question is closed once the host has
saved the position behind it, so after all its events are durable: whoever dies in between asks again, or finds in the
position that it was answered. A question without an answer, or with a part of one, is asked again later: after `first`
seconds, twice as long each time, `longest` at most, not in step with others. A source that leaves `failures` questions
in a row without an answer is down.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Protocol

from adapters.core import Batch, Json, Question, Questions, Read, SourceDown
from links.tasks import cancel
from schemas.ids import digest

WINDOW = 500
"""Answered questions that a position names."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a source said about one. `whole`: it need not be asked again."""

    reads: Sequence[Read]
    whole: bool = True


class Respondent(Protocol):
    """An opened source that is asked."""

    async def ask(self, identifier: str) -> Reply:
        """What it says. Raises SourceDown if it says nothing now."""

    async def close(self) -> None:
        """Let go of the source."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a source is asked; see above. `interval`: seconds in which one is not asked about again.

    `linger`: so many seconds a poll waits for questions that were left for later.
    """

    at_once: int = 4
    pause: float = 0.0
    interval: float = 6 * 3600.0
    first: float = 60.0
    longest: float = 6 * 3600.0
    failures: int = 5
    linger: float = 0.0

    def __post_init__(self) -> None:
        if min(self.at_once, self.failures) < 1 or not 0 < self.first <= self.longest:
            raise ValueError("at_once and failures of at least one, first of more than zero and at most longest")

    def backoff(self, tries: int) -> float:
        """In how many seconds to ask again after so many tries without a whole answer."""
        return min(self.longest, self.first * 2.0 ** min(tries, 30)) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret


@dataclass(slots=True)
class AskedSource:
    """The connection."""

    respondent: Respondent
    pace: Pace
    _questions: Questions | None = None
    _later: int = 0
    _saved: dict[str, bool] = field(
        default_factory=dict
    )  # questions in the position it began at, and if answered whole
    _given: dict[str, bool] = field(default_factory=dict)  # those of this run, which the host may not have saved yet
    _running: dict[asyncio.Task[Reply], Question] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)  # of those given, the ones that the host has not saved
    _closed: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _free: float = 0.0  # when the next may be asked, by the loop's clock
    _failures: int = 0

    def ask_from(self, questions: Questions) -> None:
        """Ask what stands there."""
        self._questions = questions

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each answer, as they come. Raises SourceDown, ValueError if nothing says whom to ask."""
        if self._questions is None:
            raise ValueError("nothing says whom to ask about: the host gives the questions")
        questions = self._questions
        self._saved = dict((position or {}).get("answered", ()))
        self._failures = 0
        waiting: deque[Question] = deque()
        try:
            while True:
                if not waiting:
                    waiting.extend(await self._due(questions))
                if not waiting and not self._running and not await self._lingers(questions):
                    break
                while waiting and len(self._running) < self.pace.at_once:
                    question = waiting.popleft()
                    self._running[asyncio.create_task(self._ask(question))] = question
                if not self._running:
                    continue
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    batch = await self._batch(questions, self._running.pop(task), task)
                    if batch is not None:
                        yield batch
        finally:
            await self._cancel()
        self._later = await questions.later(self.pace.interval)

    def deferred(self) -> Sequence[str]:
        """What was left for later."""
        return [f"{self._later} questions, to be asked again"] if self._later else []

    async def close(self) -> None:
        """Let go of the source."""
        await self._cancel()
        await self.respondent.close()

    async def _due(self, questions: Questions) -> list[Question]:
        """What is to be asked now.

        What is under way, or given and not yet saved, is passed over. What was saved by a process that died before it
        could say so, is said now.
        """
        running = {_mark(question) for question in self._running.values()}
        results = []
        for question in await questions.due(self.pace.interval):
            mark = _mark(question)
            if mark in running or mark in self._given:
                continue
            if mark in self._saved:
                await self._close(questions, question, whole=self._saved[mark])
            else:
                results.append(question)
        return results

    async def _lingers(self, questions: Questions) -> bool:
        """Whether a question left for later was waited for."""
        if not self.pace.linger:
            return False
        while self._open:
            self._closed.clear()
            await self._closed.wait()
        earliest = await questions.earliest(self.pace.interval)
        if earliest is None or earliest > self.pace.linger:
            return False
        await asyncio.sleep(earliest)
        return True

    async def _ask(self, question: Question) -> Reply:
        clock = asyncio.get_running_loop().time
        async with self._turn:
            await asyncio.sleep(self._free - clock())
            self._free = clock() + self.pace.pause
        return await self.respondent.ask(question.identifier)

    async def _batch(self, questions: Questions, question: Question, task: asyncio.Task[Reply]) -> Batch | None:
        """The answer as a batch; none if there was no answer. Raises SourceDown after too many of those."""
        try:
            reply = task.result()
        except SourceDown as error:
            self._failures += 1
            await questions.postpone(question, max(error.retry_after, self.pace.backoff(question.tries)))
            if error.retry_after or self._failures >= self.pace.failures:
                raise
            return None
        self._failures = 0
        mark = _mark(question)
        self._given[mark] = reply.whole
        self._open.add(mark)
        names = list(islice(reversed(self._given.items()), WINDOW))[::-1]
        names = [*(each for each in self._saved.items() if each[0] not in self._given), *names]
        content = digest(b"".join(read.raw for read in reply.reads))
        done = partial(self._close, questions, question, whole=reply.whole)
        return Batch(f"question {mark}", _reader(reply.reads), {"answered": names[-WINDOW:]}, done, content)

    async def _close(self, questions: Questions, question: Question, *, whole: bool) -> None:
        """Say what became of a question whose answer is durable."""
        if whole:
            await questions.answered(question)
        else:
            await questions.postpone(question, self.pace.backoff(question.tries))
        self._open.discard(_mark(question))
        self._closed.set()

    async def _cancel(self) -> None:
        await cancel(*self._running)
        self._running.clear()


def _mark(question: Question) -> str:
    """A question in a position: with the times it was asked, for a part of an answer is one of several."""
    return f"{question.id} {question.tries}"


def _reader(reads: Sequence[Read]) -> Callable[[], AsyncIterator[Read]]:
    async def records() -> AsyncIterator[Read]:
        for read in reads:
            yield read

    return records
