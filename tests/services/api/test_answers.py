"""What look-ups say: instants, coverage, several persons under one number, persons of the past."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import bytes_of, world_of

from schemas.events import Action, Operation, RecordRef, Request
from schemas.identifiers import Identifier
from schemas.ids import handle
from schemas.view import StatusView, TimelineView
from services.api.answers import (
    By,
    ByIdentifier,
    ByPerson,
    Known,
    When,
    days_over,
    ids_of,
    status_view,
    sureness,
    timeline_view,
    visible,
)
from services.domain.coverage import complete
from services.domain.facts import MICRO, fact_of
from services.domain.history import Answer, Interval, Link, Stay
from services.domain.pools import Pool
from services.domain.resolve import persons

PATH = "/v1/status/i94/123456789A1"
TIMELINE = "/v1/timeline/i94/123456789A1"


def only(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    StatusView.model_validate(response.json())
    (person,) = response.json()["persons"]
    return person


@pytest.mark.law(4, "the answer of the API")
async def test_a_stay_in_status(world: Any) -> None:
    arrival = world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28))
    world.reads.take(arrival)
    person = only(await world.ask(PATH))
    present = person["present"]
    assert present["outcome"] == "IN_STATUS"
    assert present["authorised_until"] == "2027-02-28"
    assert present["days_over"] == 0
    assert present["days_left"] == (date(2027, 2, 28) - date(2026, 11, 25)).days
    assert present["since"] == "2026-09-01T17:00:00Z"
    assert present["rule"] == "visitor"
    assert present["citation"] == "8 CFR 214.2(b)(1)-(2)"
    assert present["evidence"] == [
        {
            "id": str(arrival.id),
            "system": "I94",
            "record": "A1",
            "kind": "arrival",
            "occurred_on": "2026-09-01",
            "occurred_at": "2026-09-01T17:00:00Z",
            "known_at": "2026-01-01T00:01:00Z",
        }
    ]
    assert person["person"] == handle("I94", "A1").hex()
    assert person["identity"]["identifiers"] == ["i94/CBP/123456789A1"]


async def test_nothing_is_known_beyond_the_present(world: Any) -> None:
    """Whatever a wrong clock stamped on an event."""
    world.reads.take(
        world.make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9), known=datetime(2036, 1, 1, tzinfo=UTC))
    )
    freshness = (await world.ask(PATH)).json()["freshness"]
    assert freshness["known_through"] < "2027"


@pytest.mark.law(8, "the same in the answer of the API")
async def test_absence_is_evidence_only_where_departures_are_complete(world: Any) -> None:
    world.reads.take(world.make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)))
    assert only(await world.ask(PATH))["present"]["outcome"] == "DEPARTURE_UNKNOWN"
    world.reads.take(*world.make.coverage(datetime(2026, 11, 1, tzinfo=UTC), "air", "sea"))
    assert only(await world.ask(PATH))["present"]["outcome"] == "DEPARTURE_UNKNOWN"
    world.reads.take(*world.make.coverage(datetime(2026, 10, 1, tzinfo=UTC), "land"))
    response = await world.ask(PATH)
    present = only(response)["present"]
    assert present["outcome"] == "OVERSTAY_SUSPECTED"
    assert present["since"] == "2026-07-10T04:00:00Z"
    assert present["days_over"] == (date(2026, 11, 25) - date(2026, 7, 9)).days
    freshness = response.json()["freshness"]
    assert freshness["absence_known_through"] == "2026-10-01T00:00:00Z"
    assert freshness["coverage"]["I94"]["departure:air"] == "2026-11-01T00:00:00Z"
    assert freshness["provisional"] is False


@pytest.mark.law(5, "through the API")
async def test_as_of_and_known_at(world: Any) -> None:
    make = world.make
    world.reads.take(
        make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9), known=datetime(2026, 1, 11, tzinfo=UTC)),
        make.filing("F1", date(2026, 7, 1), known=datetime(2026, 7, 3, tzinfo=UTC)),
        make.filing(
            "F2",
            date(2026, 9, 1),
            action=Action.APPROVED,
            until=date(2026, 12, 31),
            known=datetime(2026, 9, 2, tzinfo=UTC),
        ),
        make.departure("D1", date(2026, 11, 10), known=datetime(2026, 11, 12, tzinfo=UTC)),
        *make.coverage(datetime(2026, 11, 11, tzinfo=UTC), known=datetime(2026, 11, 12, tzinfo=UTC)),
    )

    async def outcome(**query: str) -> str | None:
        text = "&".join(f"{name}={value}" for name, value in query.items())
        present = only(await world.ask(f"{PATH}?{text}"))["present"]
        return present and present["outcome"]

    assert await outcome() == "DEPARTED_IN_TIME"
    assert await outcome(as_of="2026-11-01T00:00:00Z") == "IN_STATUS"
    assert await outcome(as_of="2025-11-01T00:00:00Z") is None
    # by what was known in August, the application was pending; in June, nothing was known of it
    assert await outcome(as_of="2026-08-01T00:00:00Z", known_at="2026-08-01T00:00:00Z") == "PENDING"
    assert await outcome(as_of="2026-08-01T00:00:00Z", known_at="2026-06-01T00:00:00Z") == "DEPARTURE_UNKNOWN"
    assert await outcome(as_of="2026-11-25T00:00:00-05:00".replace("+", "%2B")) == "DEPARTED_IN_TIME"
    before = await world.ask(f"{PATH}?known_at=2026-01-01T00:00:00Z")
    assert before.status_code == 404
    later = await world.ask(f"{PATH}?known_at=2026-11-20T00:00:00Z")
    assert later.json()["freshness"]["provisional"] is True
    on_the_stamp = await world.ask(f"{PATH}?known_at=2026-11-12T00:00:00Z")
    assert on_the_stamp.json()["freshness"]["provisional"] is False


async def test_a_departure_after_as_of_is_not_yet_told(world: Any) -> None:
    make = world.make
    world.reads.take(make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)), make.departure("D1", date(2026, 7, 20)))
    person = only(await world.ask(f"{PATH}?as_of=2026-07-15T12:00:00Z"))
    assert person["stays"][0]["departed"] is None
    assert person["present"]["outcome"] == "DEPARTURE_UNKNOWN"
    assert person["present"]["days_over"] == 6
    late = only(await world.ask(PATH))
    assert late["stays"][0]["departed"] == "2026-07-20T04:00:00Z"
    assert late["present"]["outcome"] == "DEPARTED_LATE"
    assert late["present"]["days_over"] == 11
    assert late["present"]["days_left"] is None


async def test_a_shared_document_number_gives_all_candidates(world: Any) -> None:
    make = world.make
    one = make.subject("111111111A1", passport="123456789", name="One")
    other = make.subject("222222222A1", passport="123456789", name="Other", birth="1990-05-05")
    world.reads.take(
        make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28), subject=one),
        make.arrival("A2", date(2026, 9, 2), date(2027, 2, 28), subject=other),
    )
    response = await world.ask("/v1/status/passport/gbr/12-3456789")
    assert response.status_code == 200
    assert sorted(person["person"] for person in response.json()["persons"]) == sorted(
        handle("I94", record).hex() for record in ("A1", "A2")
    )
    row = (await world.rows())[-1]
    assert row.persons.count('"') == 4
    timeline = await world.ask("/v1/timeline/passport/GBR/123456789")
    assert len(timeline.json()["persons"]) == 2


async def test_an_id_of_the_past_finds_the_person_of_today(world: Any) -> None:
    make = world.make
    one, other = make.subject("111111111A1", name="One"), make.subject("222222222A1", name="Other")
    world.reads.take(
        make.arrival("A1", date(2026, 3, 1), date(2026, 8, 28), subject=one),
        make.arrival("A2", date(2026, 9, 2), date(2027, 2, 28), subject=other),
    )
    second = handle("I94", "A2").hex()
    assert only(await world.ask(f"/v1/persons/{second}"))["person"] == second
    world.reads.take(
        make.decision(RecordRef(system="I94", record="A1"), RecordRef(system="I94", record="A2"), same=True)
    )
    merged = only(await world.ask(f"/v1/persons/{second}"))
    assert merged["person"] == handle("I94", "A1").hex()
    assert merged["identity"]["links"][0]["sure"] == "decided"
    assert [stay["outcome"] for stay in merged["stays"]] == ["CLOSED_UNOBSERVED", "IN_STATUS"]
    timeline = await world.ask(f"/v1/persons/{second}/timeline")
    assert TimelineView.model_validate(timeline.json()).persons[0].person == merged["person"]


async def test_the_timeline_has_every_interval(world: Any) -> None:
    make = world.make
    world.reads.take(
        make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)),
        make.departure("D1", date(2026, 8, 1)),
        make.arrival("A2", date(2026, 10, 1), date(2027, 3, 31)),
    )
    response = await world.ask(TIMELINE)
    assert response.status_code == 200, response.text
    (person,) = response.json()["persons"]
    first, second = person["stays"]
    results = [
        (piece["outcome"], piece["since"], piece["until"], piece["holds"], piece["absence_known"])
        for stay in (first, second)
        for piece in stay["intervals"]
    ]
    assert results == [
        ("IN_STATUS", "2026-01-10T17:00:00Z", "2026-07-10T04:00:00Z", "past", None),
        ("DEPARTURE_UNKNOWN", "2026-07-10T04:00:00Z", "2026-08-01T04:00:00Z", "past", False),
        ("DEPARTED_LATE", "2026-08-01T04:00:00Z", None, "present", None),
        ("IN_STATUS", "2026-10-01T17:00:00Z", "2027-04-01T04:00:00Z", "present", None),
        ("DEPARTURE_UNKNOWN", "2027-04-01T04:00:00Z", None, "future", False),
    ]
    world.reads.take(*make.coverage(datetime(2026, 7, 20, tzinfo=UTC)))
    covered = (await world.ask(TIMELINE)).json()["persons"][0]["stays"]
    over = [piece for stay in covered for piece in stay["intervals"] if piece["absence"]]
    assert [(piece["outcome"], piece["absence_known"]) for piece in over] == [
        ("OVERSTAY_SUSPECTED", True),
        ("DEPARTURE_UNKNOWN", False),
    ]


async def test_duration_of_status_never_runs_out(world: Any) -> None:
    make = world.make
    arrival = make.arrival("A1", date(2026, 1, 10), None)
    diplomat = arrival.model_copy(update={"class_of_admission": "A1", "admitted_until": "D/S"})
    world.reads.take(diplomat, make.filing("F1", date(2026, 7, 1)))
    response = await world.ask(TIMELINE)
    assert response.status_code == 200
    intervals = response.json()["persons"][0]["stays"][0]["intervals"]
    assert [(piece["outcome"], piece["until"]) for piece in intervals] == [("IN_STATUS", None)]


async def test_a_record_taken_back_is_as_if_never_sent(world: Any) -> None:
    make = world.make
    world.reads.take(make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)), make.departure("D1", date(2026, 7, 1)))
    assert only(await world.ask(PATH))["present"]["outcome"] == "DEPARTED_IN_TIME"
    world.reads.take(make.departure("D1", date(2026, 7, 1), operation=Operation.RETRACT))
    assert only(await world.ask(PATH))["present"]["outcome"] == "DEPARTURE_UNKNOWN"


async def test_an_adjustment_leaves_nobody_over(world: Any) -> None:
    make = world.make
    world.reads.take(
        make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9)),
        make.filing("F1", date(2026, 6, 1), asks=Request.ADJUST),
        make.filing("F2", date(2026, 8, 1), asks=Request.ADJUST, action=Action.APPROVED),
    )
    present = only(await world.ask(PATH))["present"]
    assert (present["outcome"], present["days_over"]) == ("ADJUSTED", 0)
    assert {each["system"] for each in present["evidence"]} == {"I94", "C3"}


def test_words_for_weights() -> None:
    weights = ((100, False), (99, False), (40, False), (28, False), (20, False), (18, False), (23, True), (45, True))
    links = [Link(("I94", "1"), ("I94", "2"), "", weight, scored) for weight, scored in weights]
    assert [sureness(link).value for link in links] == [
        "decided",
        "decided",
        "certain",
        "certain",
        "document",
        "document",
        "probable",
        "probable",
    ]


@settings(max_examples=200, deadline=None)
@given(
    since=st.integers(1_577_836_800, 1_893_456_000),
    later=st.timedeltas(timedelta(0), timedelta(days=4_000)),
    zone=st.sampled_from(["UTC", "America/New_York", "Pacific/Guam", "America/Adak"]),
)
def test_days_over_start_at_one_and_only_grow(since: int, later: timedelta, zone: str) -> None:
    over = Interval(since, "OVERSTAY_SUSPECTED", "", "", "", (), absence=True)
    stay = Stay("", since - 1, zone, None, None, None, None, None, None, (), (), (over,))
    message = Answer("OVERSTAY_SUSPECTED", "", "", "", (), since, stay)
    days = days_over(message, since + int(later.total_seconds()))
    assert days >= 1
    assert abs(days - 1 - later.days) <= 1
    assert days_over(message, since) == 1
    assert days <= days_over(message, since + int(later.total_seconds()) + 86_400)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    confidential=st.booleans(),
    as_of=st.integers(1_500_000_000, 1_900_000_000),
    known_at=st.none() | st.integers(1_500_000_000, 1_900_000_000),
)
def test_whoever_is_in_the_view_is_found_by_every_number_and_every_id(
    seed: int, confidential: bool, as_of: int, known_at: int | None
) -> None:
    events, _ = world_of(seed)
    facts = tuple(fact_of(raw) for raw in bytes_of(events))
    results = tuple(Pool(fact for fact in facts if fact.kind != "coverage").facts.values())
    known = Known(results, complete(fact for fact in facts if fact.kind == "coverage"), None)
    when = When(as_of, None if known_at is None else known_at * MICRO)
    for history in persons(visible(results, confidential=confidential), when.known_at):
        asked: list[By] = [ByPerson(handle(*record)) for record in history.records]
        asked += [ByIdentifier(Identifier.parse(text)) for text in history.identifiers]
        for by in asked:
            status = status_view(by, when, known, confidential=confidential)
            timeline = timeline_view(by, when, known, confidential=confidential)
            assert history.person in ids_of(status)
            assert ids_of(status) == ids_of(timeline)
            assert StatusView.model_validate_json(status.model_dump_json()) == status
            (mine,) = (each for each in status.persons if each.person == history.person)
            (lines,) = (each for each in timeline.persons if each.person == history.person)
            present = [
                (piece.outcome, piece.since)
                for stay in lines.stays
                for piece in stay.intervals
                if piece.holds == "present" and mine.present is not None and stay.id == mine.present.stay
            ]
            # what holds now is the same in both, and every word of it has its evidence
            assert present == ([(mine.present.outcome, mine.present.since)] if mine.present else [])
            assert mine.present is None or mine.present.evidence
