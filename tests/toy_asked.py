"""A small source that is asked, for tests, and a process that runs it: `python -m toy_asked DIR BUS BUG`.

What it says about a person follows from the number: see `Oracle`. Whom it was asked about is kept in a file.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toy_source import mapping, settings

from adapters.core import BadRecord, Credentials, Feed, Format, Question, Questions, Read, Record, SourceDown, System
from adapters.transports.asked import AskedSource, Pace, Reply
from bus.contract import Bus
from bus.embedded import EmbeddedBus
from services.ingest import Outcome, Source, recorded, run
from services.questions import Asking, Book, Priority, question_of
from services.wiring import topics

FEED = "TOY/persons"
QUICK = Pace(at_once=3, first=0.02, longest=0.05, linger=1.0, failures=50)


def identifier(number: int) -> str:
    return f"a_number/USCIS/A{number:09}"


@dataclass
class Oracle:
    """The source. Of three numbers in ten it says nothing at first, a part at first, or what cannot be read."""

    directory: Path
    seconds: float = 0.0

    async def ask(self, identifier: str) -> Reply:
        number = int(identifier[-9:])
        with (self.directory / "asked").open("a") as file:
            file.write(f"{number}\n")
        before = self.times()[number]
        await asyncio.sleep(self.seconds)
        good = Record("answer", b"good %d" % number, {"word": "good", "key": str(number)})
        away = Record("answer", b"skip %d" % number, {"word": "skip", "key": str(number)})
        match number % 10:
            case 3 if before < 3:
                raise SourceDown("no answer")
            case 5 if before < 3:
                return Reply([good, away], whole=False)
            case 7:
                return Reply([BadRecord("unreadable", place="answer", raw=b"bad %d" % number)])
        return Reply([good])

    def times(self) -> Counter[int]:
        """How often it was asked about each."""
        path = self.directory / "asked"
        return Counter(map(int, path.read_text().split())) if path.exists() else Counter()

    async def close(self) -> None:
        return


@dataclass(frozen=True)
class Asked:
    """The transport."""

    pace: Pace = QUICK
    seconds: float = 0.0
    schemes: tuple[str, ...] = ("a_number",)

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> AskedSource:
        return AskedSource(Oracle(Path(url), self.seconds), self.pace)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        return iter(())


def feed_of(directory: Path, transport: Asked) -> Source:
    feed = Feed("persons", transport, mapping)
    return Source(System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (feed,)), feed, str(directory))


async def once(directory: Path, bus: Bus, transport: Asked | None = None) -> Outcome:
    """One run, until nothing more is to be asked now."""
    source = feed_of(directory, transport or Asked())
    (outcome,) = await run(settings(directory), [source], once=True, bus=bus, clock=recorded)
    return outcome


async def put(bus: Bus, numbers: Sequence[int], priority: Priority = Priority.CHANGED, **given: Any) -> list[Asking]:
    """Ask about persons."""
    at = given.pop("at", datetime(2026, 1, 1, tzinfo=UTC))
    asked_now = [question_of(FEED, identifier(number), priority, at, **given) for number in numbers]
    producer = await bus.producer()
    await producer.send([each.message() for each in asked_now])
    await producer.close()
    return asked_now


async def book_of(bus: Bus) -> Book:
    """All that stands in the topic."""
    book = Book(bus, await bus.producer())
    await book.follow()
    return book


def plant(bug: str) -> None:
    """Make the stage wrong in a way that the tests have to see."""
    if bug == "early":  # a question is closed when its answer comes, not when the answer is durable
        batch = AskedSource._batch

        async def early(self: AskedSource, questions: Questions, question: Question, task: Any) -> Any:
            result = await batch(self, questions, question, task)
            if result is not None:
                await questions.answered(question)
            return result

        AskedSource._batch = early  # type: ignore[method-assign]  # on purpose
    elif bug == "part":  # a part of an answer is taken for all of it
        close = AskedSource._close

        async def whole(self: AskedSource, questions: Questions, question: Question, *, whole: bool) -> None:
            await close(self, questions, question, whole=True)

        AskedSource._close = whole  # type: ignore[method-assign]  # on purpose
    elif bug == "forgets":  # a position that does not say what was answered
        remembering = AskedSource._batch

        async def forgetting(self: AskedSource, *given: Any) -> Any:
            result = await remembering(self, *given)
            return result and replace(result, after={"answered": []})

        AskedSource._batch = forgetting  # type: ignore[method-assign]  # on purpose


async def _process(directory: Path, bus_file: Path) -> bool:
    bus = await EmbeddedBus.open(bus_file)
    await bus.declare(topics())
    outcome = await once(directory, bus)
    await bus.close()
    return outcome.error is None


if __name__ == "__main__":
    plant(sys.argv[3])
    sys.exit(0 if asyncio.run(_process(Path(sys.argv[1]), Path(sys.argv[2]))) else 1)
