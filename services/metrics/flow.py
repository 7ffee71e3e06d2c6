"""The flow as a whole as metrics: of an overview, whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schemas.operations import Overview, RebuildState
from services.metrics.feeds import feed_metrics


class FlowCollector(Collector):
    """The last overview; without one only the sign that there is none."""

    def __init__(self, overview: Callable[[], Overview | None]) -> None:
        self._overview = overview

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the last overview."""
        overview = self._overview()
        yield GaugeMetricFamily(
            "visabus_flow_up", "1 if bus and store could be read when they were read last.", float(overview is not None)
        )
        if overview is not None:
            yield from flow_metrics(overview)


def flow_metrics(overview: Overview) -> Iterator[Metric]:
    """Yield the metrics of an overview."""
    yield _gauge("visabus_flow_timestamp_seconds", "When the flow was read.", overview.at.timestamp())
    yield from feed_metrics(overview.feeds)
    alive = sum(each.alive for each in overview.correlators)
    yield _gauge("visabus_correlators", "Correlators that run.", alive)
    if overview.lag is not None:
        yield _gauge("visabus_lag_messages", "Messages of the bus that the store has not.", overview.lag)
    if overview.store is not None:
        store = overview.store
        yield _gauge("visabus_store_backlog_batches", "Batches of events not resolved.", store.backlog)
        yield _gauge("visabus_store_undelivered_batches", "Batches of changes not published.", store.undelivered)
        yield _gauge("visabus_store_quarantined_pools", "Pools that could not be resolved.", store.quarantined)
        yield _gauge("visabus_store_overdue_persons", "Persons whose answer should have changed.", store.overdue)
        persons = GaugeMetricFamily("visabus_store_persons", "Persons, by the outcome told last.", labels=["outcome"])
        for outcome, count in store.outcomes.items():
            persons.add_metric([outcome.value], count)
        persons.add_metric([""], store.without_outcome)
        yield persons
    yield from _rebuild(overview)
    coverage = GaugeMetricFamily(
        "visabus_coverage_timestamp_seconds", "Up to when a system has told all.", labels=["system", "scope"]
    )
    for reach in overview.coverage:
        coverage.add_metric([reach.system, reach.scope], reach.through.timestamp())
    yield coverage
    waiting: dict[tuple[str, str], int] = {}
    for group in overview.dead_letters:
        waiting[group.system, group.feed] = waiting.get((group.system, group.feed), 0) + group.waiting
    letters = GaugeMetricFamily(
        "visabus_dead_letters_waiting", "Dead letters that were not replayed.", labels=["system", "feed"]
    )
    for labels, count in waiting.items():
        letters.add_metric(labels, count)
    yield letters


def _rebuild(overview: Overview) -> Iterator[Metric]:
    """A rebuild; zeros where none is under way."""
    rebuild = overview.rebuild
    begun = rebuild is not None and rebuild.state is not RebuildState.BUILT
    yield _gauge("visabus_rebuild_under_way", "1 from the beginning of a rebuild until it is done.", float(begun))
    failed = rebuild is not None and rebuild.state in (RebuildState.FAILED, RebuildState.LOST)
    yield _gauge("visabus_rebuild_failed", "1 if a rebuild gave up, or its process is gone.", float(failed))
    done, total = (rebuild.done, rebuild.total or 0) if rebuild is not None else (0, 0)
    yield _gauge("visabus_rebuild_done", "Events read into the new view, or persons compared.", float(done))
    yield _gauge("visabus_rebuild_total", "Of how many; 0 where that is not known.", float(total))
    moved = (rebuild.moved_at or rebuild.begun_at).timestamp() if rebuild is not None else 0.0
    yield _gauge("visabus_rebuild_moved_timestamp_seconds", "When a rebuild last came further.", moved)


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value)
