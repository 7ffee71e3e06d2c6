"""Feeds as metrics, made when they are asked for: reading and sending pay nothing for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schemas.operations import FeedState, FeedStatus

_LABELS = ("system", "feed")


class FeedCollector(Collector):
    """Feeds of a process, or of the whole bus."""

    def __init__(self, feeds: Callable[[], Iterable[FeedStatus]]) -> None:
        self._feeds = feeds

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of all feeds."""
        yield from feed_metrics(list(self._feeds()))


def feed_metrics(feeds: Iterable[FeedStatus]) -> Iterator[Metric]:
    """Yield the metrics of feeds. Counters are of all runs: they go on where a process starts anew."""
    some = list(feeds)
    records = CounterMetricFamily(
        "visabus_feed_records", "Records read, by what became of them.", labels=(*_LABELS, "outcome")
    )
    for feed in some:
        for outcome in ("published", "dead_lettered", "filtered"):
            records.add_metric((feed.system, feed.feed, outcome), getattr(feed, outcome))
    yield records
    yield _counter("visabus_feed_events", "Events published.", some, lambda feed: feed.events)
    yield _counter("visabus_feed_lost_values", "Optional values that were wrong.", some, lambda feed: feed.lost_values)
    yield _gauge("visabus_feed_source_up", "1 unless the source is known to be down.", some, _up)
    yield _gauge("visabus_feed_stopped", "1 if the feed is stopped.", some, _stopped)
    yield _gauge("visabus_feed_paused", "1 if an operator holds the feed.", some, _paused)
    yield _gauge("visabus_feed_waiting", "1 if a batch of the feed waits for a person.", some, _waiting)
    yield _gauge("visabus_feed_held", "1 if a process that runs holds the feed.", some, _held)
    yield _gauge("visabus_feed_deferred", "Pieces that were left for later.", some, lambda feed: feed.deferred)
    yield _times("visabus_feed_last_batch", "When the last batch was done.", some, lambda feed: feed.last_batch_at)
    yield _times(
        "visabus_feed_caught_up", "When its source last had nothing more.", some, lambda feed: feed.caught_up_at
    )
    yield _times("visabus_feed_heard", "When its process last said something.", some, lambda feed: feed.heard_at)


def _up(feed: FeedStatus) -> float:
    return float(feed.state is not FeedState.DOWN and feed.since is None)


def _stopped(feed: FeedStatus) -> float:
    return float(feed.state is FeedState.STOPPED)


def _paused(feed: FeedStatus) -> float:
    return float(feed.paused_at is not None)


def _waiting(feed: FeedStatus) -> float:
    return float(feed.waiting is not None)


def _held(feed: FeedStatus) -> float:
    return float(feed.holder is not None and feed.state is not FeedState.LOST)


def _counter(name: str, help_: str, feeds: Iterable[FeedStatus], value: Callable[[FeedStatus], float]) -> Metric:
    family = CounterMetricFamily(name, help_, labels=_LABELS)
    for feed in feeds:
        family.add_metric((feed.system, feed.feed), value(feed))
    return family


def _gauge(name: str, help_: str, feeds: Iterable[FeedStatus], value: Callable[[FeedStatus], float]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=_LABELS)
    for feed in feeds:
        family.add_metric((feed.system, feed.feed), value(feed))
    return family


def _times(name: str, help_: str, feeds: Iterable[FeedStatus], at: Callable[[FeedStatus], datetime | None]) -> Metric:
    family = GaugeMetricFamily(f"{name}_timestamp_seconds", help_, labels=_LABELS)
    for feed in feeds:
        if (moment := at(feed)) is not None:
            family.add_metric((feed.system, feed.feed), moment.timestamp())
    return family
