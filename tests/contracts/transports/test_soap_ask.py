"""A SOAP service that is asked about one person at a time, over a real HTTP server on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from adapters.core import Asked, BadRecord, Credentials, Question, Record, SourceDown
from adapters.systems.pcqs.adapter import ASK, FORMAT
from adapters.transports.asked import AskedSource
from adapters.transports.soap_ask import SoapRespondent
from services.simulator.soap import SoapFault, soap_service

SPACE = "urn:visabus:pcqs:1"
ALIEN = "a_number/USCIS/A099000117"


def answer(person: str, *statuses: str) -> str:
    parts = (
        f'<SourceAnswer person="{person}" source="CIS2" status="{status}" answeredAt="2026-03-02T15:10:14Z"/>'
        for status in statuses
    )
    return f'<QueryPersonResponse xmlns="{SPACE}" person="{person}">{"".join(parts)}</QueryPersonResponse>'


@dataclass
class Topic:
    """Questions in memory."""

    open: dict[str, Question]
    postponed: list[tuple[str, float]] = field(default_factory=list)

    async def due(self, interval: float) -> list[Question]:
        return list(self.open.values())

    async def answered(self, question: Question) -> None:
        self.open.pop(question.id, None)

    async def postpone(self, question: Question, seconds: float) -> None:
        self.postponed.append((question.id, seconds))
        self.open.pop(question.id, None)

    async def earliest(self, interval: float) -> float | None:
        return None

    async def later(self, interval: float) -> int:
        return len(self.postponed)


def of(url: str, **options: Any) -> AskedSource:
    return replace(ASK, **options).open(url, FORMAT, Credentials("visabus", "secret"))


def respondent(source: AskedSource) -> SoapRespondent:
    assert isinstance(source.respondent, SoapRespondent)
    return source.respondent


Said = Callable[[Any], str]


async def asked(said: Said, identifier: str = ALIEN, **options: Any) -> Any:
    async with soap_service(said) as url:
        source = of(url, **options)
        try:
            return await respondent(source).ask(identifier)
        finally:
            await source.close()


@pytest.mark.parametrize(
    ("identifier", "name", "value"),
    [
        (ALIEN, "ANumber", "A099000117"),
        ("receipt/USCIS/EAC9909900117", "ReceiptNumber", "EAC9909900117"),
        ("sevis/ICE/N0099000117", "SevisId", "N0099000117"),
    ],
)
async def test_a_person_is_asked_about_by_each_number(identifier: str, name: str, value: str) -> None:
    requests = []

    def said(request: Any) -> str:
        requests.append(dict(request))
        return answer(value, "NONE")

    reply = await asked(said, identifier)
    assert requests[0][name] == value
    assert reply.whole
    assert [read.fields["@status"] for read in reply.reads if isinstance(read, Record)] == ["NONE"]


async def test_an_answer_without_a_part_is_not_whole() -> None:
    reply = await asked(lambda _: answer("A099000117", "FOUND", "UNAVAILABLE"))
    assert not reply.whole
    assert len([read for read in reply.reads if isinstance(read, Record)]) == 2


async def test_an_answer_about_another_person_is_none() -> None:
    with pytest.raises(SourceDown, match="about another than was asked"):
        await asked(lambda _: answer("A099000118", "NONE"))
    with pytest.raises(SourceDown, match="nothing of this interface"):
        await asked(lambda _: f'<QueryPersonResponse xmlns="{SPACE}" person="A099000117">x</QueryPersonResponse>')


async def test_a_question_that_is_refused_is_kept_and_not_asked_again() -> None:
    def said(_: Any) -> str:
        raise SoapFault("Client", "A099000117 is not known here")

    reply = await asked(said)
    (read,) = reply.reads
    assert isinstance(read, BadRecord)
    assert read.reason == "the request was refused (Client): ... is not known here"
    assert (read.raw, reply.whole) == (ALIEN.encode(), True)
    for wrong in ("i94/CBP/990990001A1", "what is this", "a_number/USCIS/A1"):
        (read,) = (await asked(said, wrong)).reads
        assert isinstance(read, BadRecord)
        assert "no a_number or receipt or sevis" in read.reason


async def test_a_service_that_fails_is_down() -> None:
    def said(_: Any) -> str:
        raise SoapFault("Server", "the time is over")

    with pytest.raises(SourceDown, match="the time is over"):
        await asked(said)
    with pytest.raises(SourceDown, match="did not answer"):
        await asked(lambda _: time.sleep(0.5) or "", timeout=0.2)
    with pytest.raises(SourceDown, match="cannot be"):
        of("nothing")
    with pytest.raises(SourceDown, match="cannot be reached"):
        await respondent(of("http://127.0.0.1:1/")).ask(ALIEN)


async def test_slow_answers_are_waited_for_several_at_a_time() -> None:
    """Twelve questions, six at once: none is answered before six are asked."""
    six = threading.Barrier(6)

    def said(request: Any) -> str:
        six.wait(60)
        return answer(request["ANumber"], "NONE")

    topic = Topic({f"q{number}": Question(f"q{number}", f"a_number/USCIS/A{number:09}") for number in range(12)})
    async with soap_service(said) as url:
        source = of(url, at_once=6)
        source.ask_from(topic)
        batches = []
        async for batch in source.batches(None):
            assert batch.done is not None
            await batch.done()
            batches.append(batch)
        await source.close()
    assert len(batches) == 12
    assert not any("A0000000" in batch.name for batch in batches), "names go into logs and receipts"


async def test_several_calls_of_a_hundred_fail_and_all_are_answered_in_the_end() -> None:
    seen: dict[str, int] = {}

    def said(request: Any) -> str:
        number = request["ANumber"]
        seen[number] = seen.get(number, 0) + 1
        if int(number[1:]) % 12 == 5 and seen[number] == 1:
            raise SoapFault("Server", "the time is over")
        return answer(number, "NONE")

    topic = Topic({f"q{number}": Question(f"q{number}", f"a_number/USCIS/A{number:09}") for number in range(40)})
    async with soap_service(said) as url:
        source = of(url)
        source.ask_from(topic)
        count = len([batch async for batch in source.batches(None)])
        await source.close()
    assert (count, len(topic.postponed)) == (37, 3)
    assert all(30 <= seconds <= 60 for _, seconds in topic.postponed)
    assert source.deferred() == ["3 questions, to be asked again"]


def test_the_transport_says_by_what_it_can_be_asked() -> None:
    assert isinstance(ASK, Asked)
    assert ASK.schemes == ("a_number", "receipt", "sevis")
    with pytest.raises(ValueError, match="at least one"):
        of("http://127.0.0.1:1/", at_once=0)
