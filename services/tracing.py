"""Traces by OpenTelemetry, an extra: what one record went through, from its file over the bus to the change it made.

A share of the records is traced, each as a trace of its own; a push that brings a W3C trace context goes on in that.
The context travels in the header `traceparent` of each event and change. Spans say system, feed, kind, topic and
position. No span names a record or a person: a key may be a document number.

Three spans: the record as ingest maps it, its events as a correlator takes them in, the change that tells of them. A
correlator remembers the context of what it took in for the changes that it tells itself; a change that another one
tells has none.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bus.contract import Delivery, Message
from schemas.cloudevents import TRACEPARENT, traceparent_of
from schemas.topics import CHANGES
from services.settings import Settings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

MOST = 50_000
"""Events whose context a correlator remembers."""
NAME = "visabus"


@dataclass(slots=True)
class Tracing:
    """Makes spans and carries their context along."""

    provider: TracerProvider
    share: float
    draw: random.Random = field(default_factory=random.Random)
    _tracer: Any = field(init=False)
    _contexts: OrderedDict[bytes, str] = field(default_factory=OrderedDict)
    """By the id of an event its context, until a change has told of it."""

    def __post_init__(self) -> None:
        self._tracer = self.provider.get_tracer(NAME)

    def close(self) -> None:
        """Send what was not sent yet."""
        self.provider.shutdown()

    def published(self, system: str, feed: str, messages: Sequence[Message]) -> list[Message]:
        """Return the messages of one record with the context of its span, if it is one that is traced."""
        parent = traceparent_of(messages[0].headers) if messages else None
        if not messages or (parent is None and self.draw.random() >= self.share):
            return list(messages)
        attributes = {"visabus.system": system, "visabus.feed": feed, "visabus.events": len(messages)}
        context = self._span("visabus.record", "PRODUCER", parent, attributes)
        if context is None:
            return list(messages)
        return [replace(one, headers=_with(one.headers, context)) for one in messages]

    def taken(self, deliveries: Iterable[Delivery], began: int) -> None:
        """Note that events were taken in, in a transaction that began then (nanoseconds since 1970)."""
        for one in deliveries:
            parent = traceparent_of(one.headers)
            if parent is None:
                continue
            attributes = {
                "messaging.destination.name": one.partition.topic,
                "messaging.destination.partition.id": str(one.partition.number),
                "visabus.position": one.position,
            }
            context = self._span("visabus.append", "CONSUMER", parent, attributes, began)
            event = _event_of(one)
            if context is not None and event is not None:
                self._contexts[event] = context
                if len(self._contexts) > MOST:
                    self._contexts.popitem(last=False)

    def changed(self, change: Mapping[str, Any], topic: str) -> str | None:
        """Return the context for a change, if an event that it rests on was traced and has made none before.

        Of a change to who may know all there is no span: in the trace of an open record it would say that something
        of its person is confidential.
        """
        if topic != CHANGES or not self._contexts:
            return None
        evidence = [UUID(each).bytes for each in change.get("evidence", ())]
        known = [self._contexts.pop(key) for key in evidence if key in self._contexts]
        if not known:
            return None
        return self._span("visabus.change", "PRODUCER", known[-1], {"messaging.destination.name": topic})

    def _span(
        self, name: str, kind: str, parent: str | None, attributes: Mapping[str, Any], began: int | None = None
    ) -> str | None:
        """Make a span that ends now and return its context; None where whoever began the trace left it out."""
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        propagator = TraceContextTextMapPropagator()
        context = propagator.extract({TRACEPARENT: parent}) if parent is not None else None
        span = self._tracer.start_span(
            name, context=context, kind=SpanKind[kind], attributes=dict(attributes), start_time=began
        )
        span.end()
        if not span.get_span_context().trace_flags.sampled:
            return None
        carrier: dict[str, str] = {}
        propagator.inject(carrier, context=set_span_in_context(span))
        return carrier[TRACEPARENT]


def _event_of(one: Delivery) -> bytes | None:
    """The id of the event in a message; None in one that was refused because it has none."""
    try:
        return next((UUID(value.decode("ascii")).bytes for name, value in one.headers if name == "ce_id"), None)
    except ValueError:
        return None


def _with(headers: tuple[tuple[str, bytes], ...], context: str) -> tuple[tuple[str, bytes], ...]:
    return (*(each for each in headers if each[0] != TRACEPARENT), (TRACEPARENT, context.encode()))


def tracing_of(settings: Settings, process: str) -> Tracing | None:
    """What traces in a process, if the settings name a collector. Raises SettingsError where the extra is missing."""
    endpoint = settings.tracing.endpoint
    if endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        raise SettingsError(["tracing.endpoint: needs the extra: pip install 'visabus[otel]'"]) from None
    provider = TracerProvider(resource=Resource.create({"service.name": f"{NAME}-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return Tracing(provider, settings.tracing.share)
