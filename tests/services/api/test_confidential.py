"""Who lacks the right is told exactly what would be told if there were nothing confidential: nothing betrays it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.events import Action, Handling, Operation, RecordRef, Request
from schemas.events import Fact as Said
from schemas.identifiers import Identifier, Scheme
from schemas.ids import handle
from services.api.answers import ByIdentifier, Known, When, status_view, timeline_view
from services.domain.coverage import NOTHING
from services.domain.facts import Fact, fact_of

MARK = (Handling.ASYLUM,)
RIGHT = "status:read timeline:read confidential:read"
PATHS = ("/v1/status/i94/123456789A1", "/v1/timeline/i94/123456789A1")


def plain(world: Any) -> None:
    world.reads.take(
        world.make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)),
        *world.make.coverage(datetime(2026, 11, 1, tzinfo=UTC)),
    )


def comparable(response: Any) -> Any:
    """The answer but for the stamp of the whole system, which every event of anyone moves."""
    body = response.json()
    if "freshness" in body:
        body["freshness"].pop("known_through")
    for own in ("instance",):
        body.pop(own, None)
    return response.status_code, body


@pytest.mark.parametrize("mark", list(Handling))
async def test_a_pending_application_is_seen_by_the_right_only(world: Any, mark: Handling) -> None:
    plain(world)
    before = [comparable(await world.ask(path)) for path in PATHS]
    world.reads.take(world.make.filing("F1", date(2026, 6, 1), asks=Request.ADJUST, handling=(mark,)))
    assert [comparable(await world.ask(path)) for path in PATHS] == before
    message = (await world.ask(PATHS[0], world.token(RIGHT))).json()
    assert message["persons"][0]["present"]["outcome"] == "PENDING"
    assert before[0][1]["persons"][0]["present"]["outcome"] == "OVERSTAY_SUSPECTED"
    rows = await world.rows()
    assert [row.verb for row in rows][-1] == "status:read confidential:read"


@pytest.mark.parametrize("mark", [MARK, ()], ids=["marked", "by law"])
async def test_a_grant_is_seen_by_the_right_only(world: Any, mark: tuple[Handling, ...]) -> None:
    plain(world)
    before = [comparable(await world.ask(path)) for path in PATHS]
    world.reads.take(world.make.status("S1", date(2026, 5, 1), Said.ASYLUM_GRANTED, handling=mark))
    assert [comparable(await world.ask(path)) for path in PATHS] == before
    message = (await world.ask(PATHS[0], world.token(RIGHT))).json()
    assert message["persons"][0]["present"]["outcome"] == "ADJUSTED"


@pytest.mark.parametrize("fact", [Said.ASYLUM_PENDING, Said.TPS])
async def test_a_protection_is_confidential_whoever_tells_it(world: Any, fact: Said) -> None:
    """Its source need not mark it."""
    plain(world)
    before = [comparable(await world.ask(path)) for path in PATHS]
    world.reads.take(world.make.status("S1", date(2026, 5, 1), fact, until=date(2027, 5, 1)))
    assert [comparable(await world.ask(path)) for path in PATHS] == before
    message = (await world.ask(PATHS[0], world.token(RIGHT))).json()
    assert message["persons"][0]["present"]["outcome"] == ("IN_STATUS" if fact is Said.TPS else "PENDING")


async def test_a_record_known_first_does_not_give_the_person_its_id(world: Any) -> None:
    early = datetime(2025, 1, 1, tzinfo=UTC)
    world.reads.take(
        world.make.status("S1", date(2025, 1, 1), Said.ASYLUM_PENDING, handling=MARK, known=early),
        world.make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)),
    )
    secret = handle("GLOBAL", "S1").hex()
    assert secret in (await world.ask(PATHS[0], world.token(RIGHT))).text
    assert secret not in (await world.ask(PATHS[0])).text
    assert comparable(await world.ask(f"/v1/persons/{secret}")) == comparable(
        await world.ask(f"/v1/persons/{'0' * 32}")
    )
    assert (await world.ask(f"/v1/persons/{secret}", world.token(RIGHT))).status_code == 200
    assert secret not in (await world.rows())[1].persons


async def test_a_number_that_only_a_confidential_record_knows_finds_nobody(world: Any) -> None:
    subject = world.make.subject(a_number="A012345678")
    world.reads.take(
        world.make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)),
        world.make.status("S1", date(2026, 2, 1), Said.ASYLUM_PENDING, handling=MARK, subject=subject),
    )
    path = "/v1/status/a_number/A012345678"
    assert comparable(await world.ask(path)) == comparable(await world.ask("/v1/status/a_number/A999999999"))
    assert (await world.ask(path, world.token(RIGHT))).status_code == 200
    assert "012345678" not in (await world.ask(PATHS[0])).text


def _facts(*events: Any) -> list[Fact]:
    return [fact_of(encode(event)) for event in events]


@st.composite
def marked(draw: Any, maker: Any) -> list[Any]:
    """Confidential events of all kinds about the person, and decisions on their records."""
    events = []
    for _ in range(draw(st.integers(1, 4))):
        record = draw(st.sampled_from(["A1", "F1", "S1", "S2"]))
        day = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 320)))
        known = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 500)))
        more = {
            "handling": draw(st.lists(st.sampled_from(list(Handling)), min_size=1, max_size=2).map(tuple)),
            "operation": draw(st.sampled_from(list(Operation))),
            "known": known,
            "subject": maker.subject(a_number=draw(st.sampled_from([None, "A012345678"]))),
        }
        kind = draw(st.sampled_from(["arrival", "departure", "filing", "status"]))
        if kind == "arrival":
            events.append(maker.arrival(record, day, None, **more))
        elif kind == "departure":
            events.append(maker.departure(record, day, **more))
        elif kind == "filing":
            action = draw(st.sampled_from(list(Action)))
            events.append(maker.filing(record, day, action=action, asks=draw(st.sampled_from(list(Request))), **more))
        else:
            events.append(maker.status(record, day, draw(st.sampled_from(list(Said))), **more))
    for event in events:
        if draw(st.booleans()) and event.record != "A1":
            one = RecordRef(system="I94", record="A1")
            other = RecordRef(system=event.system, record=event.record)
            if (other.system, other.record) not in {("C3", "F0"), ("I94", "A1")}:
                events.append(maker.decision(one, other, same=draw(st.booleans())))
    return events


@pytest.mark.law(7, "without the right, confidential records change nothing in any answer")
@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(data=st.data(), as_of=st.integers(1_767_000_000, 1_800_000_000))
def test_answers_are_a_function_of_what_may_be_told(new_maker: Any, data: Any, as_of: int) -> None:
    maker = new_maker()
    base = _facts(
        maker.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)),
        maker.arrival(
            "A9", date(2026, 9, 10), date(2027, 2, 9), subject=maker.subject("999999999A1", passport="P12345")
        ),
        maker.filing("F0", date(2026, 6, 20)),
    )
    secrets = _facts(*data.draw(marked(maker)))
    # all versions of a record that are drawn are marked, the last one too: nothing of it may be told
    hidden = {(fact.system, fact.record) for fact in secrets if fact.handling}
    rest = [fact for fact in base if (fact.system, fact.record) not in hidden]
    by = ByIdentifier(Identifier.of(Scheme.I94, "123456789A1"))
    for view in (status_view, timeline_view):
        for known_at in (None, 1_780_000_000_000_000):
            when = When(as_of, known_at)
            message = view(by, when, Known(tuple(base + secrets), NOTHING, None), confidential=False)
            assert message == view(by, when, Known(tuple(rest), NOTHING, None), confidential=True)
