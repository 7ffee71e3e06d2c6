"""Topics and keys."""

from __future__ import annotations

from hypothesis import given, settings
from strategies import KINDS, events

from schemas import topics
from schemas.events import AnyEvent, Kind
from schemas.topics import COMPACTED, CONTROL, EVENT_TOPICS, PARTITIONS, key_of, topic_of

DECLARED = {value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}


def test_every_topic_is_declared_with_its_partitions() -> None:
    assert set(PARTITIONS) == DECLARED
    assert all(count >= 1 for count in PARTITIONS.values())


def test_events_are_never_compacted() -> None:
    """Compaction would rewrite what was known when."""
    assert not COMPACTED & set(EVENT_TOPICS)
    assert COMPACTED <= DECLARED


def test_control_has_one_partition() -> None:
    """Coverage and decisions of all records are read in the order in which they were sent."""
    assert PARTITIONS[CONTROL] == 1


@settings(max_examples=40, deadline=None)
@given(event=events)
def test_an_event_has_a_topic_and_its_records_key(event: AnyEvent) -> None:
    assert topic_of(event) in EVENT_TOPICS
    assert (topic_of(event) == CONTROL) == (event.kind in (Kind.COVERAGE, Kind.DECISION))
    assert key_of(event).decode() == f"{event.system}/{event.record}"


@settings(max_examples=20, deadline=None)
@given(event=events)
def test_all_revisions_and_parts_of_a_record_share_a_key(event: AnyEvent) -> None:
    revision = event.revision.model_copy(update={"number": event.revision.number // 2})
    other = event.model_copy(update={"revision": revision, "part": "other", "operation": "retract"})
    assert key_of(other) == key_of(event)


def test_every_kind_goes_somewhere() -> None:
    assert set(topics._OF_KIND) == set(KINDS)
    assert set(topics._OF_KIND.values()) == set(EVENT_TOPICS)
