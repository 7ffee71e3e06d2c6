"""What of an overview wants somebody's attention, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from schemas.operations import FeedState, FeedStatus, Overview, RebuildState, RebuildStatus

_MOST_DEAD_LETTERS = 3
LEAST_BYTES = 50_000_000
"""A disk with less room is told of as full: a transaction of the store may need as much."""
_RECENT = timedelta(days=1)
"""How long a name that was used again, and an order that was not obeyed, are told of."""


def problems_of(overview: Overview) -> Iterator[str]:
    """Yield the problems, the gravest first."""
    if overview.store is None:
        yield "there is no store: `visabus correlate` makes it"
    elif not any(each.alive for each in overview.correlators):
        last = overview.correlators[0].heard_at.isoformat(timespec="seconds") if overview.correlators else "never"
        yield f"no correlator runs (last heard of: {last}): the view falls behind; start `visabus correlate`"
    if overview.free_bytes is not None and overview.free_bytes < LEAST_BYTES:
        yield full_disk(overview.free_bytes)
    for feed in overview.feeds:
        name = f"{feed.system}.{feed.feed}"
        if feed.state is FeedState.STOPPED:
            yield f"{name} is stopped: {(feed.why or '').removeprefix(f'{name} stopped: ')}"
        elif feed.state is FeedState.WAITING:
            yield f"{name} waits for a person: {feed.why}"
        elif feed.state is FeedState.LOST:
            heard = feed.heard_at.isoformat(timespec="seconds") if feed.heard_at is not None else "never"
            yield f"{name} is held by {feed.holder}, which was last heard of at {heard}: start that process anew"
        elif feed.state is FeedState.DOWN:
            since = f" since {feed.since.isoformat(timespec='seconds')}" if feed.since is not None else ""
            yield f"the source of {name} is down{since}: {feed.why}"
        elif feed.state is FeedState.PAUSED:
            yield f"{name} is paused{_by(feed)}: {feed.why}; `visabus feeds resume {name}` lets it go on"
        if feed.deferred:
            why = f"; the first: {feed.deferred_why}" if feed.deferred_why is not None else ""
            yield f"{name}: {_pieces_of(feed.deferred)} left for later{why}"
        if feed.used_again_at is not None and overview.at - feed.used_again_at < _RECENT:
            yield (
                f"{name}: {feed.used_again_why} had come before with other content ({feed.used_again} times so far): "
                "ask the sender which of them holds"
            )
        if feed.not_rewound_at is not None and overview.at - feed.not_rewound_at < _RECENT:
            yield f"{name} is not read again: {feed.not_rewound}"
    if overview.rebuild is not None and (wrong := _of_rebuild(overview.rebuild)) is not None:
        yield wrong
    if overview.store is not None and overview.store.quarantined:
        yield (
            f"{overview.store.quarantined} pools of records could not be resolved, their persons are missing: "
            "the program failed at them; mend it and start a correlator"
        )
    if overview.store is not None and overview.store.overdue:
        yield f"{overview.store.overdue} persons' answers should have changed over a minute ago: correlators are behind"
    for group in overview.dead_letters[:_MOST_DEAD_LETTERS]:
        yield (
            f"{group.system}.{group.feed}: {_count_of(group.waiting)}: {group.reason} "
            f"(`visabus dead-letters show {group.example[:8]}`)"
        )


def full_disk(free: int) -> str:
    """What is said of a disk with so little room."""
    return f"the disk of the data directory is full ({free / 1e6:.0f} MB are free): make room, processes wait for it"


_AGAIN = "`visabus rebuild` goes on with it, `visabus rebuild --discard` gives it up"


def _of_rebuild(rebuild: RebuildStatus) -> str | None:
    """What is wrong with a rebuild; the live view is as it was in any case."""
    name = f"the rebuild of edition {rebuild.edition}"
    if rebuild.state is RebuildState.FAILED:
        return f"{name} gave up: {rebuild.why}; {_AGAIN}"
    if rebuild.state is RebuildState.LOST:
        heard = rebuild.heard_at.isoformat(timespec="seconds") if rebuild.heard_at is not None else "never"
        return f"{name} is not under way: its process was last heard of at {heard}; {_AGAIN}"
    if rebuild.state is RebuildState.STUCK and rebuild.moved_at is not None:
        why = f": {rebuild.why}" if rebuild.why is not None else ""
        return f"{name} has come no further since {rebuild.moved_at.isoformat(timespec='seconds')}{why}"
    return None


def _by(feed: FeedStatus) -> str:
    since = f" since {feed.paused_at.isoformat(timespec='seconds')}" if feed.paused_at is not None else ""
    return f"{since} by {feed.paused_by}" if feed.paused_by is not None else since


def _pieces_of(count: int) -> str:
    return "1 piece of its source is" if count == 1 else f"{count} pieces of its source are"


def _count_of(count: int) -> str:
    return "1 dead letter waits" if count == 1 else f"{count} dead letters wait"
