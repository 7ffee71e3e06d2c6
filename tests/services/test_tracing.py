"""A trace goes from the legacy record over the headers of the bus to the change that it made, and names nobody."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from toy_border import NAME, border
from toy_source import settings

from bus.contract import Delivery, Message, Partition
from bus.embedded import EmbeddedBus
from schemas.cloudevents import TRACEPARENT, traceparent_of
from schemas.topics import CHANGES, CONFIDENTIAL_CHANGES, EVENT_TOPICS
from services import tracing
from services.correlator import process
from services.ingest import host, now, run
from services.settings import Settings, SettingsError, load
from services.tracing import Tracing, tracing_of
from services.wiring import topics

PERSONS = 4


@dataclass
class Flow:
    """An installation in the hands of a test, and the spans that it made."""

    folder: Path
    settings: Settings
    bus: EmbeddedBus
    spans: InMemorySpanExporter

    async def pass_through(self, *lines: str, name: str = "001.txt") -> None:
        (self.folder / name).write_text("\n".join(lines))
        await run(self.settings, [border(self.folder)], once=True, bus=self.bus, clock=now)
        await process.run(self.settings, once=True, stop=asyncio.Event())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans.get_finished_spans() if span.name == name]

    async def contexts(self, *names: str) -> list[str | None]:
        return [traceparent_of(each.headers) for topic in names async for each in self.bus.read(topic)]


@pytest.fixture
async def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Flow]:
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.setattr("adapters.registry.systems", lambda: {NAME: border(folder).system})
    spans = InMemorySpanExporter()

    def traced(_: Settings, __: str) -> Tracing:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(spans))
        return Tracing(provider, 1.0)

    monkeypatch.setattr(Tracing, "close", lambda self: self.provider.force_flush())  # the spans are of both processes
    for module in (host, process):
        monkeypatch.setattr(module, "tracing_of", traced)
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    await bus.declare(topics())
    yield Flow(folder, settings(tmp_path), bus, spans)
    await bus.close()


def ids(spans: list[ReadableSpan]) -> set[int]:
    return {span.context.trace_id for span in spans if span.context is not None}


async def test_a_record_can_be_followed_to_the_change_that_it_made(flow: Flow) -> None:
    await flow.pass_through(*(f"arrive {number}" for number in range(1, PERSONS + 1)), "bad x")
    records, appended, changes = (flow.named(f"visabus.{name}") for name in ("record", "append", "change"))
    assert len(records) == len(appended) == len(changes) == PERSONS
    assert len(ids(records)) == PERSONS
    assert ids(records) == ids(appended) == ids(changes)
    by_span = {span.context.span_id: span for span in (*records, *appended) if span.context is not None}
    for change in changes:
        assert change.parent is not None
        append = by_span[change.parent.span_id]
        assert append.name == "visabus.append"
        assert append.parent is not None
        assert by_span[append.parent.span_id].name == "visabus.record"
    on_the_bus = [each for each in await flow.contexts(*EVENT_TOPICS, CHANGES) if each is not None]
    assert {int(each.split("-")[1], 16) for each in on_the_bus} == ids(records)
    assert len(on_the_bus) == 2 * PERSONS


async def test_no_span_names_a_record_or_a_person(flow: Flow) -> None:
    await flow.pass_through(*(f"arrive 90000{number}" for number in range(1, PERSONS + 1)))
    spans = flow.spans.get_finished_spans()
    assert len(spans) == 3 * PERSONS
    said = {(name, str(value)) for span in spans for name, value in (span.attributes or {}).items()}
    assert {name for name, _ in said} == {
        "visabus.system",
        "visabus.feed",
        "visabus.events",
        "visabus.position",
        "messaging.destination.name",
        "messaging.destination.partition.id",
    }
    assert not [each for each in said if "90000" in each[1]]


async def test_a_context_that_is_lost_on_the_way_is_seen(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: the header is left out."""
    monkeypatch.setattr(tracing, "_with", lambda headers, _: headers)
    with pytest.raises(AssertionError):
        await test_a_record_can_be_followed_to_the_change_that_it_made(flow)


async def test_a_later_change_by_the_same_record_is_no_part_of_its_trace(flow: Flow) -> None:
    await flow.pass_through("arrive 1")
    await flow.pass_through("leave 1 9", name="002.txt")
    changes = flow.named("visabus.change")
    assert len(ids(changes)) == len(changes) == 2


def plain(share: float, seed: int = 1) -> Tracing:
    return Tracing(TracerProvider(), share, random.Random(seed))


EVENT = Message("visabus.arrival", b"k", b"{}", (("ce_id", b"00000000-0000-0000-0000-000000000001"),))
SENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_only_a_share_of_the_records_is_traced() -> None:
    some = plain(0.1)
    traced = [one for _ in range(2_000) for one in some.published("I94", "x", [EVENT]) if one.headers != EVENT.headers]
    assert 120 < len(traced) < 280
    assert plain(0.0).published("I94", "x", [EVENT]) == [EVENT]
    assert plain(1.0).published("I94", "x", []) == []


@pytest.mark.parametrize("flags", ["01", "00"])
def test_the_context_of_a_sender_goes_on_as_it_says(flags: str) -> None:
    context = SENT[:-2] + flags
    pushed = Message(EVENT.topic, EVENT.key, EVENT.value, (*EVENT.headers, (TRACEPARENT, context.encode())))
    (sent,) = plain(0.0).published("IDENT", "push", [pushed])
    after = traceparent_of(sent.headers)
    assert after is not None
    assert after.split("-")[1] == context.split("-")[1]
    assert (after == context) is (flags == "00")  # not sampled there: nothing is added here


def test_what_is_no_context_is_passed_over() -> None:
    broken = Message(EVENT.topic, EVENT.key, EVENT.value, (*EVENT.headers, (TRACEPARENT, b"00-nonsense")))
    one = plain(1.0)
    one.taken([delivery_of(broken)], 0)
    assert one.changed({"evidence": ["00000000-0000-0000-0000-000000000001"]}, CHANGES) is None


def delivery_of(message: Message) -> Delivery:
    return Delivery(Partition(message.topic, 0), 7, message.key, message.value, message.headers)


def test_what_a_correlator_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST", 10)
    one = plain(1.0)
    for number in range(30):
        id = f"00000000-0000-0000-0000-{number:012d}".encode()
        message = Message(EVENT.topic, EVENT.key, EVENT.value, (("ce_id", id), (TRACEPARENT, SENT.encode())))
        one.taken([delivery_of(message)], 1)
    assert one.changed({"evidence": ["00000000-0000-0000-0000-000000000001"]}, CHANGES) is None
    assert one.changed({"evidence": ["00000000-0000-0000-0000-000000000029"]}, CHANGES) is not None


@pytest.mark.parametrize("id", [b"no id", b"\xff\xfe", b""])
def test_a_message_that_was_refused_ends_nothing(id: bytes) -> None:
    message = Message(EVENT.topic, EVENT.key, EVENT.value, (("ce_id", id), (TRACEPARENT, SENT.encode())))
    one = plain(1.0)
    one.taken([delivery_of(message)], 1)
    assert not one._contexts


@pytest.mark.law(6, "whether a change has a trace context does not depend on what was told to who may know all")
def test_a_confidential_change_before_takes_no_context_away() -> None:
    def context_of_the_plain_change(*before: str) -> bool:
        one = plain(1.0)
        headers = (*EVENT.headers, (TRACEPARENT, SENT.encode()))
        one.taken([delivery_of(Message(EVENT.topic, EVENT.key, EVENT.value, headers))], 1)
        change = {"evidence": ["00000000-0000-0000-0000-000000000001"]}
        for topic in before:
            one.changed(change, topic)
        return one.changed(change, CHANGES) is not None

    assert context_of_the_plain_change() is context_of_the_plain_change(CONFIDENTIAL_CHANGES) is True
    assert not context_of_the_plain_change(CHANGES)


def spans_of_a_change(topic: str) -> set[str]:
    """The names of the spans in the trace of an open record, once a change that rests on it was told."""
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    one = Tracing(provider, 1.0)
    headers = (*EVENT.headers, (TRACEPARENT, SENT.encode()))
    one.taken([delivery_of(Message(EVENT.topic, EVENT.key, EVENT.value, headers))], 1)
    one.changed({"evidence": ["00000000-0000-0000-0000-000000000001"]}, topic)
    return {span.name for span in spans.get_finished_spans()}


@pytest.mark.law(6, "no trace of an open record says that something of its person is confidential")
def test_a_change_to_who_may_know_all_has_no_span() -> None:
    assert spans_of_a_change(CONFIDENTIAL_CHANGES) == {"visabus.append"}
    assert spans_of_a_change(CHANGES) == {"visabus.append", "visabus.change"}


@pytest.mark.law(6, planted="a span of each change, to whomever it is told")
def test_a_span_of_a_confidential_change_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "CHANGES", CONFIDENTIAL_CHANGES)
    assert spans_of_a_change(CONFIDENTIAL_CHANGES) != {"visabus.append"}


def test_without_a_collector_nothing_is_traced_and_nothing_loaded() -> None:
    assert tracing_of(load(environment={}), "ingest") is None
    loaded = "import sys, services.ingest, services.correlator.process; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_the_extra_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    wanted = load(environment={}, tracing={"endpoint": "http://127.0.0.1:4318/v1/traces"})
    with pytest.raises(SettingsError, match=r"pip install 'visabus\[otel\]'"):
        tracing_of(wanted, "ingest")


def test_a_collector_that_is_away_costs_no_record() -> None:
    one = tracing_of(load(environment={}, tracing={"endpoint": "http://127.0.0.1:9/v1/traces", "share": 1}), "ingest")
    assert one is not None
    (sent,) = one.published("I94", "x", [EVENT])
    assert traceparent_of(sent.headers) is not None
    one.provider.shutdown()
