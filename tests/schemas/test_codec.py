"""Events to bytes and back, by the models and by the correlator's quick reader, which must agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KINDS, events, json_values, spoiled

from schemas.codec import MAX_BYTES, Undecodable, decode, encode
from schemas.events import AnyEvent, Coverage, Decision, PersonEvent, Status, stamped
from schemas.identifiers import Scheme
from services.domain.facts import BY_LAW, NUMBERS, Fact, fact_of

MICROSECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
READERS: list[Callable[[bytes], object]] = [decode, fact_of]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read(kind: str, data: st.DataObject) -> None:
    event = data.draw(KINDS[kind])
    assert decode(encode(event)) == event
    assert encode(decode(encode(event))) == encode(event)


@settings(max_examples=25, deadline=None)
@given(event=events)
def test_absent_fields_are_not_written(event: AnyEvent) -> None:
    body = orjson.loads(encode(event))
    assert None not in body.values()
    assert body["schema_version"] == 2
    assert body["kind"] == event.kind


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_quick_reader_agrees(kind: str, data: st.DataObject) -> None:
    event = data.draw(KINDS[kind])
    fact = fact_of(encode(event))
    _same_envelope(fact, event)
    if isinstance(event, PersonEvent):
        _same_moment(fact, event)
        _same_subject(fact, event)
    else:
        assert (fact.claim, fact.numbers, fact.start, fact.day) == (None, (), 0, 0)
    assert {name: value for name, value in fact.body.items() if name != "after_its_record"} == _body(event)


def _same_envelope(fact: Fact, event: AnyEvent) -> None:
    assert event.published_at is not None
    assert fact.id == event.id.bytes
    assert fact.uuid == str(event.id)
    assert fact.retract == (event.operation == "retract")
    assert (fact.kind, fact.system, fact.record, fact.part) == (event.kind, event.system, event.record, event.part)
    assert fact.version == (event.revision.number, event.revision.digest, event.mapping_version)
    assert fact.known == _micros(event.published_at)
    assert fact.copy == f"{event.batch}\n{event.place}"


def _same_moment(fact: Fact, event: PersonEvent) -> None:
    moment = event.occurred_at
    assert fact.start == (moment.start() - EPOCH) // (EPOCH.resolution * MICROSECOND)
    assert fact.day == moment.local_day().toordinal()
    assert fact.whole_day == (moment.day is not None)
    assert fact.zone == moment.zone


def _same_subject(fact: Fact, event: PersonEvent) -> None:
    assert fact.claim is not None
    subject = event.subject
    assert fact.origin == (None if event.origin is None else (event.origin.system, event.origin.record))
    by_law = {BY_LAW[event.fact]} if isinstance(event, Status) and event.fact in BY_LAW else set()
    assert fact.handling == tuple(sorted({*event.handling, *by_law}))
    assert set(fact.identifiers) == {one.text for one in subject.identifiers}
    left_out = {one.text for one in subject.identifiers if one.scheme in NUMBERS}
    assert set(fact.numbers) <= left_out
    assert (fact.claim.birth, fact.claim.sex) == (subject.birth or "", subject.sex or "")
    assert fact.claim.citizenship == tuple(sorted(set(subject.citizenship)))
    spelt = {(" ".join(name.family.upper().split()), " ".join(name.given.upper().split())) for name in subject.names}
    assert fact.claim.names == tuple(sorted(spelt))


def _body(event: AnyEvent) -> dict[str, Any]:
    """What the kind adds, read off the model."""
    shared = PersonEvent.model_fields.keys() | {"kind", "since", "through", "one", "other"}
    body = event.model_dump(mode="json", exclude=set(shared), exclude_none=True)
    if isinstance(event, Status) and event.fact.startswith("sevis_") and event.recorded_at is not None:
        body["recorded_at"] = _micros(event.recorded_at)
    if isinstance(event, Coverage):
        body |= {"since": _micros(event.since), "through": _micros(event.through)}
    if isinstance(event, Decision):
        body |= {"one": list(event.one.model_dump().values()), "other": list(event.other.model_dump().values())}
    return body


def _micros(at: datetime) -> int:
    return (at - EPOCH) // EPOCH.resolution


def test_numbers_are_schemes() -> None:
    assert set(Scheme) >= NUMBERS


@settings(max_examples=150, deadline=None)
@given(data=st.binary() | json_values().map(orjson.dumps))
def test_bytes_that_are_no_event(data: bytes) -> None:
    for read in READERS:
        with pytest.raises(Undecodable):
            read(data)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_spoiled_event_is_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    body = orjson.loads(encode(data.draw(events)))
    raw = orjson.dumps(data.draw(spoiled(body)))
    for read in READERS:
        _refused_or_read(read, raw)


SPELLING = ("String should", "Extra inputs")
"""Of what the models refuse, the quick reader lets through unknown fields, and codes and texts of another form."""


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_what_the_models_refuse_the_quick_reader_refuses(data: st.DataObject) -> None:
    body = orjson.loads(encode(data.draw(events)))
    raw = orjson.dumps(data.draw(spoiled(body)))
    try:
        decode(raw)
    except Undecodable as error:
        if not any(word in str(error) for word in SPELLING):
            with pytest.raises(Undecodable):
                fact_of(raw)


@settings(max_examples=50, deadline=None)
@given(event=events, data=st.data())
def test_a_torn_event_is_refused(event: AnyEvent, data: st.DataObject) -> None:
    raw = encode(event)
    cut = data.draw(st.integers(0, len(raw) - 1))
    for read in READERS:
        with pytest.raises(Undecodable):
            read(raw[:cut])


@settings(max_examples=50, deadline=None)
@given(event=events, data=st.data())
def test_a_flipped_byte_is_refused_or_read_and_nothing_else(event: AnyEvent, data: st.DataObject) -> None:
    raw = bytearray(encode(event))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for read in READERS:
        _refused_or_read(read, bytes(raw))


def _refused_or_read(read: Callable[[bytes], object], raw: bytes) -> None:
    try:
        read(raw)
    except Undecodable:
        return


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"1", b'"x"', b"\xff", b'\xef\xbb\xbf{"kind":"status"}', b"[" * 200_000, b"{}"],
    ids=["empty", "null", "list", "number", "text", "no UTF-8", "byte order mark", "deep", "nothing in it"],
)
def test_what_is_no_object(data: bytes) -> None:
    for read in READERS:
        with pytest.raises(Undecodable):
            read(data)


def test_nesting_without_end() -> None:
    for read in READERS:
        with pytest.raises(Undecodable):
            read(b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}")


def test_what_is_too_large_is_not_parsed() -> None:
    with pytest.raises(Undecodable, match="bytes, at most"):
        decode(b" " * (MAX_BYTES + 1))


@settings(max_examples=20, deadline=None)
@given(event=events)
def test_an_event_that_nobody_stamped(event: AnyEvent) -> None:
    bare = event.model_copy(update={"published_at": None})
    with pytest.raises(ValueError, match="stamped"):
        encode(bare)
    body = orjson.loads(encode(event))
    del body["published_at"]
    for read in READERS:
        with pytest.raises(Undecodable):
            read(orjson.dumps(body))
    known = datetime(2026, 11, 25, tzinfo=UTC)
    assert stamped(bare, known) == event.model_copy(update={"published_at": known})


@settings(max_examples=20, deadline=None)
@given(event=events)
def test_the_reason_does_not_repeat_what_stood_there(event: AnyEvent) -> None:
    body = orjson.loads(encode(event)) | {"record": ["SECRET-1"], "system": "secret-2"}
    with pytest.raises(Undecodable) as caught:
        decode(orjson.dumps(body))
    assert "secret" not in str(caught.value).lower()
