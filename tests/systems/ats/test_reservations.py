"""Carriers' reservations, and the feeds of UPAX beside the first: Avro, and a topic of a real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from fastavro import writer
from foreign_kafka import ForeignTopic
from formats.pnrgov.build import DOCS, HEAD, INFANT, LEG, OF_INFANT, TIF, interchange, message, reservation
from systems.ats import build
from toy_source import settings, world

from adapters.core import Feed
from adapters.decode import Decoded, decode_file
from adapters.formats.avro import parsed
from adapters.registry import systems
from adapters.systems.ats.adapter import SCHEMA
from bus.contract import Bus
from bus.embedded import EmbeddedBus
from schemas.events import Departure, Evidence, Operation
from services.ingest import Source, recorded, run
from services.wiring import topics

ATS = systems()["ATS"]


def decoded(data: bytes, feed: str = "reservations") -> list[Decoded]:
    return list(decode_file(ATS, data, feed=feed))


def departures(data: bytes) -> list[Departure]:
    results = decoded(data)
    assert not [str(each.refused) for each in results if each.refused is not None]
    return [event for each in results for event in each.events if isinstance(event, Departure)]


def outcome(data: bytes) -> tuple[list[str], list[str]]:
    """Reasons of refusals, and rules that left something out."""
    results = decoded(data)
    return (
        [each.refused.reason for each in results if each.refused is not None],
        [each.filtered for each in results if each.filtered is not None],
    )


def test_a_reservation_is_never_more_than_a_booking() -> None:
    (event,) = departures(interchange(message(reservation())))
    assert event.evidence is Evidence.BOOKING
    assert event.record == "XA0123 20260301 JFK QX7RTA/1"
    assert (event.port, event.mode, event.carrier, event.conveyance) == ("JFK", "air", "XA", "XA0123")
    assert event.occurred_at.at == datetime(2026, 3, 2, 0, 0, tzinfo=UTC), "local to the airport"
    numbers = {each.text for each in event.subject.identifiers}
    assert numbers == {"passport/GBR/099123456", "booking/XA/QX7RTA"}
    assert event.subject.birth == "1977-08-23"
    assert event.revision.number == 2_026_022_814_120_117_001


def test_a_later_interchange_wins_and_names_a_traveller_by_his_number() -> None:
    first = interchange(message(reservation()))
    later = interchange(message(reservation(TIF.replace("IRENE MRS", "IRENA MRS"))), number="0118")
    (before,), (after,) = departures(first), departures(later)
    assert before.record == after.record
    assert after.revision.number > before.revision.number


OTHER_DAY = LEG.replace("010326", "150226").replace("HK", "HX")
TAKEN_OUT = "ABI+4+:::::0GA+LHR++XA'DAT+T:010226:1455'SAC+++{0}'" + LEG


@pytest.mark.parametrize(
    ("legs", "operation"),
    [
        (OTHER_DAY + LEG, Operation.ASSERT),
        (LEG.replace("HK", "HX") + OTHER_DAY.replace("HX", "HK"), Operation.RETRACT),
        (LEG + TAKEN_OUT.format("X"), Operation.ASSERT),
        (TAKEN_OUT.format("A"), Operation.ASSERT),
        (TAKEN_OUT.format("A") + TAKEN_OUT.format("X"), Operation.RETRACT),
    ],
)
def test_the_leg_of_the_flight_counts_and_what_its_history_made_of_it(legs: str, operation: Operation) -> None:
    (event,) = departures(interchange(message(reservation(leg=legs))))
    assert event.operation is operation


BABY = "SSR+INFT:HK:1:XA:::JFK:YUL:MARLOWE/TOBY 20SEP25+::1'"


def people(*segments: str) -> dict[str, tuple[str, str | None, list[str]]]:
    """By record: given name, birth, passports."""
    return {
        event.record.rpartition("QX7RTA/")[2]: (
            event.subject.names[0].given,
            event.subject.birth,
            [each.value for each in event.subject.identifiers if each.scheme == "passport"],
        )
        for event in departures(interchange(message(reservation(*segments))))
    }


def test_a_family_may_stand_in_one_segment() -> None:
    several = "TIF+MARLOWE+IRENE MRS:A:1+MILES:A:2+TOBY:IN:1'"
    one, other = DOCS, DOCS.replace("099123456", "099123457").replace("IRENE ANNE", "MILES").replace("/F/", "/M/")
    assert people(several, one, other) == {
        "1": ("IRENE ANNE", "1977-08-23", ["099123456"]),
        "2": ("MILES", "1977-08-23", ["099123457"]),
        "MARLOWE/TOBY": ("TOBY", None, []),
    }


def test_several_travellers_with_one_document() -> None:
    """A child in the passport of its mother: each has it, and each is known by himself."""
    child = DOCS.replace("23AUG77", "20SEP19").replace("IRENE ANNE", "TOBY")
    assert people(TIF, DOCS, "TIF+MARLOWE+TOBY:C:2'", child) == {
        "1": ("IRENE ANNE", "1977-08-23", ["099123456"]),
        "2": ("TOBY", "2019-09-20", ["099123456"]),
    }


def test_an_infant_that_is_told_by_a_request_alone() -> None:
    """Without a seat, a segment and a document of its own; the request stands there for each leg."""
    back = BABY.replace("JFK:YUL", "YUL:JFK")
    assert people(TIF, DOCS, BABY, back) == {
        "1": ("IRENE ANNE", "1977-08-23", ["099123456"]),
        "MARLOWE/TOBY": ("TOBY", "2025-09-20", []),
    }
    assert people(TIF, DOCS, BABY, INFANT)["2"] == ("TOBY", "2025-09-20", [])
    assert list(people(TIF, DOCS, BABY.replace("TOBY 20SEP25", "NO DAY"))) == ["1"]


def test_an_infant_whose_requests_are_all_cancelled_is_taken_back() -> None:
    """By the name under which it was told, also where the adult goes on travelling; one leg that is left keeps it."""
    cancelled = BABY.replace(":HK:", ":XX:")
    there, gone = (departures(interchange(message(reservation(TIF, DOCS, each)))) for each in (BABY, cancelled))
    assert [each.operation for each in gone] == [Operation.ASSERT, Operation.RETRACT]
    assert [each.record for each in gone] == [each.record for each in there]
    legs = departures(interchange(message(reservation(TIF, DOCS, cancelled, BABY.replace("JFK:YUL", "YUL:JFK")))))
    assert [each.operation for each in legs] == [Operation.ASSERT, Operation.ASSERT]
    assert list(people(TIF, DOCS, cancelled, INFANT)) == ["1", "2"], "one of a TIF goes by that"


TWIN = BABY.replace("TOBY", "TINA").replace("::1'", "::2'")


def test_twins_are_two() -> None:
    """Also where one of them, or both by other names, have segments of their own."""
    assert list(people(TIF, DOCS, BABY, TWIN)) == ["1", "MARLOWE/TOBY", "MARLOWE/TINA"]
    assert list(people(TIF, DOCS, TWIN, BABY, INFANT)) == ["1", "2", "MARLOWE/TINA"]
    short = "TIF+MARLOWE+T:IN:3'TIF+MARLOWE+T:IN:4'"
    assert list(people(TIF, DOCS, BABY, TWIN, short)) == ["1", "3", "4"]


def test_several_without_number_and_name_are_refused_each() -> None:
    reasons, _ = outcome(interchange(message(reservation("TIF++'TIF++'"))))
    assert reasons == ["neither number nor name of the traveller"] * 2


def test_those_of_one_number_or_one_name_are_told_apart() -> None:
    """An infant goes by the number of the adult who carries it; what comes later for one does not replace another."""
    adult, infant = departures(interchange(message(reservation(TIF, DOCS, INFANT.replace(":2'", ":1'")))))
    assert (adult.record[-8:], infant.record[-19:]) == ("QX7RTA/1", "QX7RTA/MARLOWE/TOBY")
    assert list(people("TIF+MARLOWE+J:A:1'TIF+MARLOWE+J:A:1'")) == ["MARLOWE/J", "MARLOWE/J/2"]
    assert list(people("TIF+MARLOWE+IRENE'" + DOCS)) == ["MARLOWE/IRENE"], "by the name that was booked"


@pytest.mark.parametrize("state", ["HX", "XX", "UN", "HL", "TL"])
def test_a_seat_that_is_not_held_takes_the_booking_back(state: str) -> None:
    (event,) = departures(interchange(message(reservation(leg=LEG.replace("HK", state)))))
    assert event.operation is Operation.RETRACT


@pytest.mark.parametrize(
    ("ends", "rule"), [("YUL+JFK", "ats.inbound"), ("JFK+LAX", "ats.domestic"), ("LHR+YUL", "ats.foreign")]
)
def test_flights_that_do_not_leave_are_left_out(ends: str, rule: str) -> None:
    assert outcome(interchange(message(reservation(), head=HEAD.replace("JFK+YUL", ends)))) == ([], [rule])


def test_an_airport_of_no_table_is_refused() -> None:
    reasons, _ = outcome(interchange(message(reservation(), head=HEAD.replace("YUL+XA", "QQQ+XA"))))
    assert "whether the flight crosses the border is not known" in reasons[0]


def test_a_test_is_left_out() -> None:
    data = interchange(message(reservation())).replace(b"+0117'UNH", b"+0117++PNRGOV++++1'UNH")
    assert outcome(data) == ([], ["ats.test"])


def test_an_infant_is_a_traveller_with_a_document_of_his_own() -> None:
    adult, infant = departures(interchange(message(reservation(TIF, OF_INFANT, DOCS, INFANT))))
    assert "passport/GBR/099777888" in {each.text for each in infant.subject.identifiers}
    assert "passport/GBR/099777888" not in {each.text for each in adult.subject.identifiers}
    assert (adult.record, infant.record) == ("XA0123 20260301 JFK QX7RTA/1", "XA0123 20260301 JFK QX7RTA/2")


def test_a_traveller_without_a_number_is_known_by_name() -> None:
    (event,) = departures(interchange(message(reservation("TIF+MARLOWE+IRENE'"))))
    assert event.record == "XA0123 20260301 JFK QX7RTA/MARLOWE/IRENE"


def test_an_optional_value_that_is_wrong_costs_itself() -> None:
    wrong = DOCS.replace("/P/GBR/", "/P/QQQ/").replace("23AUG77/F", "99AUG77/W")
    result = next(each for each in decoded(interchange(message(reservation(TIF, wrong)))) if each.events)
    reasons = " ".join(lost.reason for lost in result.lost)
    assert "issuer 'QQQ' is no state" in reasons
    assert "no day of the calendar" in reasons
    assert "not F, M or X" in reasons


def test_a_seat_without_a_name_is_nobody() -> None:
    data = interchange(message(reservation("TIF+TBA+C:A:7'", "TIF+TBA+D:A:8'")))
    assert outcome(data) == ([], ["ats.unnamed", "ats.unnamed"])


def test_parts_of_a_flight_in_several_files_give_each_reservation_once() -> None:
    other = reservation(src="SRC'RCI+XA:AB12CD'")
    files = [
        interchange(message(reservation(), part="01:C", count=2)),
        interchange(message(other, part="02:F", count=2), number="0118"),
    ]
    assert [departures(each)[0].record[-8:] for each in files] == ["QX7RTA/1", "AB12CD/1"]


# --- UPAX by Avro, and from a topic ------------------------------------------------------------------------------


def test_messages_of_avro_say_what_those_of_json_say() -> None:
    messages = [build.message(), build.vetting(build.UNMATCHED), build.vetting()]
    stream = BytesIO()
    writer(stream, parsed(SCHEMA), [build.as_avro(each) for each in messages])
    by_avro = [event for each in decoded(stream.getvalue(), "upax-avro") for event in each.events]
    by_json = [event for each in decoded(build.file(*messages), "upax") for event in each.events]
    without = {"place", "id", "revision"}
    assert [event.model_dump(exclude=without) for event in by_avro] == [
        event.model_dump(exclude=without) for event in by_json
    ]


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()


async def test_a_topic_through_the_host(kafka: str, bus: Bus, tmp_path: Path) -> None:
    """Read once, resumed behind what was read, and a tombstone said nothing."""
    topic = ForeignTopic(kafka)
    await topic.create(2)
    for number in range(20):
        body = build.file(build.message(recordId=f"UPX{number:010}")).strip()
        await topic.send(body, partition=number % 2, key=f"UPX{number:010}".encode())
    feed: Feed = ATS.feed("upax")
    source, quick = Source(ATS, feed, topic.url), settings(tmp_path)
    (first,) = await run(quick, [source], once=True, bus=bus, clock=recorded)
    assert first.error is None
    await topic.send(None, key=b"UPX0000000001")
    await topic.send(build.file(build.message(version=2)).strip(), b"{")
    (second,) = await run(quick, [source], once=True, bus=bus, clock=recorded)
    assert second.error is None
    counters = second.counters.as_json()
    assert (counters["read"], counters["published"], counters["dead_lettered"]) == (22, 21, 1)
    results = await world(bus)
    assert len({event.record for event in results.events}) == 21
    (letter,) = results.dead_letters
    assert letter["place"].startswith("partition 0 offset 12")
    await asyncio.sleep(0)
