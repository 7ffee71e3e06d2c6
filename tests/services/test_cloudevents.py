"""CloudEvents in binary mode, with the CloudEvents SDK as the oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from opening import events_of
from toy_source import mapping

from adapters.core import Origin, Record
from schemas.cloudevents import event_of, headers_of, traceparent_of
from schemas.codec import Undecodable, encode
from schemas.events import AnyEvent, stamped

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def event() -> AnyEvent:
    record = Record("line 1", b"good 1", {"word": "good", "key": "1"})
    events = mapping(record, Origin("TOY", "lines", "a.txt", 1))
    (only,) = events_of(events)
    return stamped(only, datetime(2026, 11, 25, 12, 30, 1, 250_000, tzinfo=UTC))


def test_the_sdk_reads_what_we_write(event: AnyEvent) -> None:
    headers, value = headers_of(event, TRACE), encode(event)
    assert len(dict(headers)) == len(headers)
    read = from_binary(KafkaMessage(headers=dict(headers), key=None, value=value), JSONFormat())
    attributes: dict[str, Any] = read.get_attributes()
    assert read.get_specversion() == "1.0"
    assert read.get_id() == str(event.id)
    assert read.get_source() == "urn:visabus:system:TOY"
    assert read.get_type() == "visabus.status"
    assert read.get_datacontenttype() == "application/json"
    assert read.get_dataschema() == "urn:visabus:schema:status:2"
    assert read.get_time() == event.published_at
    assert attributes.get("subject") is None
    data: Any = read.get_data()
    assert data["id"] == str(event.id)


def test_there_and_back(event: AnyEvent) -> None:
    headers = headers_of(event, TRACE)
    assert event_of(headers, encode(event)) == event
    assert traceparent_of(headers) == TRACE
    assert traceparent_of(headers_of(event)) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"somebody's number",
        TRACE.upper().encode(),
        TRACE.encode() + b"\n",
        b"ff" + TRACE[2:].encode(),
        b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-" + b"0" * 16 + b"-01",
    ],
)
def test_what_is_no_trace_context_is_passed_over(content: bytes) -> None:
    assert traceparent_of([("traceparent", content)]) is None
    assert traceparent_of([("traceparent", TRACE.encode()), ("traceparent", TRACE.encode())]) is None


def test_time_is_rfc_3339_whatever_the_zone(event: AnyEvent) -> None:
    assert dict(headers_of(event))["ce_time"] == b"2026-11-25T12:30:01.250000Z"
    elsewhere = stamped(event, datetime(2026, 11, 25, 7, tzinfo=timezone(timedelta(hours=-5))))
    assert dict(headers_of(elsewhere))["ce_time"] == b"2026-11-25T07:00:00-05:00"


def test_no_header_holds_the_record_key(event: AnyEvent) -> None:
    marked = event.model_copy(update={"record": "X9999999"})
    assert not any(b"X9999999" in content for _, content in headers_of(marked))


@pytest.mark.parametrize(
    ("name", "content", "reported"),
    [
        ("ce_specversion", b"0.3", "ce_specversion"),
        ("ce_id", b"another", "ce_id"),
        ("ce_type", b"visabus.arrival", "ce_type"),
        ("ce_source", b"urn:visabus:system:I94", "ce_source"),
        ("ce_id", None, "ce_id"),
        ("ce_specversion", None, "ce_specversion"),
    ],
)
def test_headers_that_disagree_with_the_value_are_refused(
    event: AnyEvent, name: str, content: bytes | None, reported: str
) -> None:
    changed = {**dict(headers_of(event)), name: content}
    headers = [(key, each) for key, each in changed.items() if each is not None]
    with pytest.raises(Undecodable, match=reported):
        event_of(headers, encode(event))


def test_nobody_publishes_an_event_without_a_stamp(event: AnyEvent) -> None:
    with pytest.raises(ValueError, match="stamped"):
        headers_of(event.model_copy(update={"published_at": None}))
