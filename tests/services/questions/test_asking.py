"""A source that is asked: whom, in which order, how often, and what becomes of an answer that is none or a part."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from toy_asked import FEED, Asked, Oracle, book_of, identifier, once, put
from toy_source import world

from adapters.core import Question, SourceDown
from adapters.transports.asked import AskedSource, Pace, Reply
from bus.contract import Bus, Message
from bus.embedded import EmbeddedBus
from schemas.topics import QUESTIONS
from services.failpoints import VARIABLE
from services.questions import FeedQuestions, Priority, State
from services.questions.topic import key_of
from services.wiring import topics

TESTS = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()


async def violations(bus: Bus, numbers: range) -> list[str]:
    """What is wrong once all was asked."""
    wrong = []
    seen = await world(bus)
    seen_numbers = {int(event.record) for event in seen.events if hasattr(event, "record")}
    if missing := {number for number in numbers if number % 10 != 7} - seen_numbers:
        wrong.append(f"{len(missing)} answers lost")
    left = [each for each, _ in (await book_of(bus)).open(FEED)]
    if left:
        wrong.append(f"{len(left)} questions open")
    counters = seen.checkpoints[FEED]["counters"]
    if counters["read"] != counters["published"] + counters["dead_lettered"] + sum(counters["filtered"].values()):
        wrong.append(f"counters {counters}")
    if counters["dead_lettered"] != sum(number % 10 == 7 for number in numbers):
        wrong.append(f"{counters['dead_lettered']} dead letters")
    return wrong


# --- whole runs --------------------------------------------------------------------------------------------------


async def test_each_is_asked_until_the_answer_is_whole(bus: Bus, tmp_path: Path) -> None:
    await put(bus, range(20))
    outcome = await once(tmp_path, bus)
    assert (outcome.error, outcome.deferred) == (None, ())
    assert await violations(bus, range(20)) == []
    times = Oracle(tmp_path).times()
    assert {number % 10: count for number, count in times.items()} == {
        digit: 3 if digit in (3, 5) else 1 for digit in range(10)
    }
    assert outcome.counters.filtered == {"toy.skip": 4}


async def test_an_answered_question_is_not_asked_again_and_a_new_one_is(bus: Bus, tmp_path: Path) -> None:
    await put(bus, [1, 2])
    await once(tmp_path, bus)
    await once(tmp_path, bus)
    assert Oracle(tmp_path).times() == {1: 1, 2: 1}
    await put(bus, [2], Priority.BY_HAND, at=datetime.now(UTC))
    await once(tmp_path, bus)
    assert Oracle(tmp_path).times() == {1: 1, 2: 2}


async def test_whom_the_source_answered_lately_is_left_for_later_unless_a_person_asks(bus: Bus, tmp_path: Path) -> None:
    """No storm: an answer changes a status, the change asks again, and so on."""
    await put(bus, [1])
    await once(tmp_path, bus)
    for _ in range(5):
        await put(bus, [1], at=datetime.now(UTC))
        outcome = await once(tmp_path, bus)
    assert Oracle(tmp_path).times() == {1: 1}
    assert outcome.deferred == ("1 questions, to be asked again",)
    quick = Asked(Pace(at_once=1, first=0.01, longest=0.01, interval=0.05))
    await asyncio.sleep(0.06)
    await once(tmp_path, bus, quick)
    assert Oracle(tmp_path).times() == {1: 2}


async def test_no_more_are_asked_at_once_than_allowed_and_never_two_within_the_pause(bus: Bus, tmp_path: Path) -> None:
    running = most = 0
    begun: list[float] = []

    class Slow(Oracle):
        async def ask(self, identifier: str) -> Reply:
            nonlocal running, most
            begun.append(asyncio.get_running_loop().time())
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.05)
            running -= 1
            return Reply([])

    await put(bus, range(12))
    source = AskedSource(Slow(tmp_path), Pace(at_once=4, pause=0.01))
    source.ask_from(questions_of(await book_of(bus)))
    assert len([batch async for batch in source.batches(None)]) == 12
    assert most == 4
    assert min(later - before for before, later in pairwise(begun)) > 0.008
    await source.close()


async def test_a_source_that_answers_nobody_is_down_and_asked_on_when_it_is_back(bus: Bus, tmp_path: Path) -> None:
    class Away(Oracle):
        away = True

        async def ask(self, identifier: str) -> Reply:
            if self.away:
                raise SourceDown("away")
            return await super().ask(identifier)

    await put(bus, [1, 2, 4, 6, 8])
    respondent = Away(tmp_path)
    source = AskedSource(respondent, Pace(at_once=2, first=0.01, longest=0.01, failures=3, linger=1.0))
    source.ask_from(questions_of(await book_of(bus)))
    with pytest.raises(SourceDown, match="away"):
        _ = [batch async for batch in source.batches(None)]
    respondent.away = False
    count = 0
    async for batch in source.batches(None):
        assert batch.done is not None
        asyncio.get_running_loop().call_soon(asyncio.ensure_future, batch.done())  # as the host does, a little later
        count += 1
    assert count == 5


async def test_one_without_an_answer_holds_up_no_other(bus: Bus, tmp_path: Path) -> None:
    await put(bus, [1, 3, 13, 2])
    source = AskedSource(Oracle(tmp_path), Pace(at_once=1))
    source.ask_from(questions_of(await book_of(bus)))
    assert len([batch async for batch in source.batches(None)]) == 2
    assert source.deferred() == ["2 questions, to be asked again"]


async def test_a_source_that_asks_to_be_left_alone_is(bus: Bus, tmp_path: Path) -> None:
    class Busy(Oracle):
        async def ask(self, identifier: str) -> Reply:
            raise SourceDown("busy", retry_after=30.0)

    await put(bus, [1])
    source = AskedSource(Busy(tmp_path), Pace(first=1.0, longest=1.0, linger=1.0))
    book = await book_of(bus)
    source.ask_from(questions_of(book))
    with pytest.raises(SourceDown):
        _ = [batch async for batch in source.batches(None)]
    earliest = await questions_of(book).earliest(0.0)
    assert earliest is not None
    assert 25 < earliest <= 30


async def test_a_bug_of_the_source_is_raised_and_asks_nobody_on(bus: Bus, tmp_path: Path) -> None:
    class Wrong(Oracle):
        async def ask(self, identifier: str) -> Reply:
            raise KeyError("a bug")

    await put(bus, [1])
    source = AskedSource(Wrong(tmp_path), Pace())
    with pytest.raises(ValueError, match="nothing says whom to ask"):
        _ = [batch async for batch in source.batches(None)]
    source.ask_from(questions_of(await book_of(bus)))
    with pytest.raises(KeyError):
        _ = [batch async for batch in source.batches(None)]


def test_a_pace_that_makes_no_sense_is_refused() -> None:
    for wrong in ({"at_once": 0}, {"failures": 0}, {"first": 0.0}, {"first": 9.0, "longest": 1.0}):
        with pytest.raises(ValueError, match="at least one"):
            Pace(**wrong)  # type: ignore[arg-type]  # one of several types
    waits = [Pace(first=1, longest=600).backoff(tries) for tries in (0, 3, 50)]
    assert 0.5 <= waits[0] <= 1 <= 4 <= waits[1] <= 8 < 300 <= waits[2] <= 600


# --- the topic ---------------------------------------------------------------------------------------------------


def questions_of(book: object, clock: datetime | None = None) -> FeedQuestions:
    async def wait(step: object) -> None:
        await step()  # type: ignore[operator]  # a coroutine function

    given = {} if clock is None else {"clock": lambda: clock}
    return FeedQuestions(book, FEED, wait, **given)  # type: ignore[arg-type]  # a book


async def test_the_most_urgent_is_asked_first_and_of_those_the_oldest(bus: Bus) -> None:
    await put(bus, [5], Priority.CHANGED, at=NOW - timedelta(days=9))
    await put(bus, [4], Priority.DOUBTFUL, at=NOW - timedelta(days=1))
    await put(bus, [3], Priority.DOUBTFUL, at=NOW - timedelta(days=2))
    await put(bus, [2], Priority.BY_HAND, at=NOW)
    await put(bus, [1], Priority.BY_HAND, at=NOW + timedelta(seconds=1))
    due = await questions_of(await book_of(bus), NOW).due(0.0)
    assert [each.identifier for each in due] == [identifier(number) for number in (2, 3, 4, 5)]


async def test_a_question_asked_anew_counts_once_and_under_its_last_id(bus: Bus) -> None:
    await put(bus, [1], at=NOW - timedelta(days=1), id="one")
    await put(bus, [1], at=NOW - timedelta(hours=1), id="two")
    questions = questions_of(await book_of(bus), NOW)
    assert await questions.due(0.0) == [Question("two", identifier(1))]
    await questions.answered(Question("one", identifier(1)))
    assert len(await questions.due(0.0)) == 1, "the answer was to another question"
    await questions.answered(Question("two", identifier(1)))
    assert await questions.due(0.0) == []


async def test_what_was_postponed_comes_again_with_its_tries_in_another_process_too(bus: Bus) -> None:
    await put(bus, [1], at=NOW, id="one")
    await questions_of(await book_of(bus), NOW).postpone(Question("one", identifier(1), 2), 60.0)
    later = questions_of(await book_of(bus), NOW + timedelta(seconds=61))
    assert await later.due(3600.0) == [Question("one", identifier(1), 3)]
    assert await questions_of(await book_of(bus), NOW).due(0.0) == []
    assert await questions_of(await book_of(bus), NOW).earliest(0.0) == 60.0


async def test_messages_of_others_are_passed_over_and_a_question_can_be_taken_back(bus: Bus) -> None:
    await put(bus, [1, 2], at=NOW)
    producer = await bus.producer()
    strange = [(b"what is this", b"{}"), (key_of("question", FEED, "x"), b"[]"), (b"question", b"{}")]
    await producer.send([Message(QUESTIONS, key, value) for key, value in strange])
    await producer.send([Message(QUESTIONS, key_of("question", FEED, identifier(1)), None)])
    assert [each.identifier for each in await questions_of(await book_of(bus), NOW).due(0.0)] == [identifier(2)]


async def test_what_was_answered_long_ago_is_let_go_of(bus: Bus) -> None:
    await put(bus, [1], at=NOW, id="one")
    book = await book_of(bus)
    await questions_of(book, NOW).answered(Question("one", identifier(1)))
    await questions_of(book, NOW + timedelta(hours=1)).due(7200.0)
    assert len(book.entries[FEED]) == 1
    await questions_of(book, NOW + timedelta(hours=3)).due(7200.0)
    assert book.entries[FEED] == {}
    await put(bus, [1], at=NOW + timedelta(hours=4), id="two")
    assert len(await questions_of(book, NOW + timedelta(hours=5)).due(7200.0)) == 1


def test_a_state_and_a_question_survive_the_bus() -> None:
    state = State(FEED, identifier(1), "one", NOW, 3, NOW)
    from services.questions.topic import parse

    message = state.message()
    assert parse(message.key or b"", message.value) == state


# --- kills ---------------------------------------------------------------------------------------------------------


async def process(folder: Path, bus: Path, point: str = "", nth: int = 1, bug: str = "sound") -> int | None:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "toy_asked", str(folder), str(bus), bug),
        env={**os.environ, "PYTHONPATH": str(TESTS)} | ({VARIABLE: f"{point}:{nth}:SIGKILL"} if point else {}),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await running.wait()


async def asked_and_killed(folder: Path, numbers: range, point: str, nth: int, bug: str = "sound") -> list[str]:
    """Ask until all is answered, killed at each `nth` passing of a point; what is wrong then."""
    file = folder / "bus.db"
    opened = await EmbeddedBus.open(file)
    await opened.declare(topics())
    await put(opened, numbers)
    await opened.close()
    kills = 0
    while (code := await process(folder, file, point, nth, bug)) != 0:
        assert code == -signal.SIGKILL
        kills += 1
        assert kills < 60
    assert kills >= 2
    opened = await EmbeddedBus.open(file)
    try:
        return await violations(opened, numbers)
    finally:
        await opened.close()


@pytest.mark.slow
@pytest.mark.law(2, "a source that is asked, killed at each named point")
@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
async def test_killed_at_a_named_point_no_answer_is_lost_and_no_question_stays_open(tmp_path: Path, point: str) -> None:
    assert await asked_and_killed(tmp_path, range(20), point, 4) == []
    assert max(Oracle(tmp_path).times().values()) <= 3 + 10, "who was answered is not asked on and on"


@pytest.mark.slow
@pytest.mark.law(2, planted="a question closed before its answer is durable")
async def test_closing_a_question_too_early_is_caught_by_a_kill(tmp_path: Path) -> None:
    assert any("lost" in each for each in await asked_and_killed(tmp_path, range(20), "ingest.decoded", 4, "early"))


@pytest.mark.slow
async def test_a_part_taken_for_the_whole_is_caught(bus: Bus, tmp_path: Path) -> None:
    """UNAVAILABLE is not NONE: who was answered in part is asked again."""
    await put(bus, range(20))
    assert await process(tmp_path, tmp_path / "bus.db", bug="part") == 0
    assert Oracle(tmp_path).times()[5] == 1, "planted"
    await put(bus, [25])
    assert await process(tmp_path, tmp_path / "bus.db") == 0
    assert Oracle(tmp_path).times()[25] == 3


@pytest.mark.slow
async def test_a_position_that_forgets_what_was_answered_is_caught_by_a_kill(tmp_path: Path) -> None:
    """Killed between the saved position and the closed question, nobody is counted twice."""
    read = {}
    for bug in ("sound", "forgets"):
        folder = tmp_path / bug
        folder.mkdir()
        assert await asked_and_killed(folder, range(0, 20, 2), "ingest.saved", 2, bug) == []
        opened = await EmbeddedBus.open(folder / "bus.db")
        read[bug] = (await world(opened)).checkpoints[FEED]["counters"]["read"]
        await opened.close()
    assert read["sound"] == 10 < read["forgets"]
