"""What tasks read of an embedded bus."""

from __future__ import annotations

import pytest

from services.dataflow.plan import Span, cut

SPANS = [Span("a", 0, 5, 30), Span("a", 1, 0, 1), Span("b", 0, 0, 44)]


@pytest.mark.parametrize("tasks", [1, 2, 3, 7, 70, 1_000])
def test_tasks_share_the_messages_evenly(tasks: int) -> None:
    """Each message is read once, in order, and no task has more than its share."""
    lists = cut(SPANS, tasks)
    read = [(topic, part, at) for pieces in lists for topic, part, begin, end in pieces for at in range(begin, end)]
    assert read == [(span.topic, span.part, at) for span in SPANS for at in range(span.begin, span.end)]
    assert len(lists) <= tasks
    assert max(sum(end - begin for *_, begin, end in pieces) for pieces in lists) == -(-70 // min(tasks, 70))


def test_nothing_is_read_of_nothing() -> None:
    assert cut([], 4) == [[]]
