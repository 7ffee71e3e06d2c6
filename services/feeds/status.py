"""Feeds as they are told of, of their checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from schemas.operations import FeedState, FeedStatus, WaitingStatus
from services.feeds.checkpoints import Checkpoint
from services.feeds.orders import Order

HEARTBEAT_SECONDS = 5.0
"""How often a process says that it still holds its feeds."""

ALIVE_SECONDS = 4 * HEARTBEAT_SECONDS
"""A process that has said nothing for so long no longer runs."""


def feeds_of(
    checkpoints: Mapping[str, Checkpoint],
    configured: Iterable[str],
    now: datetime,
    paused: Mapping[str, Order] | None = None,
) -> tuple[FeedStatus, ...]:
    """Return the feeds of the settings, all that were ever read and all that are held, by system and name."""
    named, held = set(configured), paused or {}
    feeds = (_feed(key, checkpoints.get(key), key in named, now) for key in sorted({*checkpoints, *named, *held}))
    return tuple(_held(feed, held.get(f"{feed.system}/{feed.feed}")) for feed in feeds)


def _held(feed: FeedStatus, order: Order | None) -> FeedStatus:
    """Return the feed with the order to hold it: it stands above all but the loss of the process that would obey."""
    if order is None:
        return feed
    who = {"paused_at": order.at, "paused_by": order.by}
    if feed.state is FeedState.LOST:
        return feed.model_copy(update=who)
    why = order.why if feed.why is None else f"{order.why}; when it was held: {feed.why}"
    return feed.model_copy(update=who | {"state": FeedState.PAUSED, "why": why})


def _feed(key: str, checkpoint: Checkpoint | None, configured: bool, now: datetime) -> FeedStatus:
    system, _, feed = key.rpartition("/")
    if checkpoint is None:
        return FeedStatus(system=system, feed=feed, state=FeedState.NEVER, configured=configured)
    counters, condition = checkpoint.counters, checkpoint.condition
    state = _state(checkpoint, now)
    why = {FeedState.STOPPED: checkpoint.stopped, FeedState.DOWN: condition.down_why}.get(state)
    return FeedStatus(
        system=system,
        feed=feed,
        state=state,
        why=why or checkpoint.stopped or condition.down_why,
        since=condition.down_since,
        configured=configured,
        read=counters.read,
        published=counters.published,
        dead_lettered=counters.dead_lettered,
        filtered=sum(counters.filtered.values()),
        events=counters.events,
        lost_values=sum(counters.lost.values()),
        batch=checkpoint.batch,
        batch_records=checkpoint.records if checkpoint.batch is not None else 0,
        last_batch=condition.last_batch,
        last_batch_at=condition.last_batch_at,
        caught_up_at=condition.caught_up_at,
        deferred=condition.deferred,
        deferred_why=condition.deferred_why if condition.deferred else None,
        used_again=condition.used_again,
        used_again_why=condition.used_again_why,
        used_again_at=condition.used_again_at,
        not_rewound=condition.not_rewound,
        not_rewound_at=condition.not_rewound_at,
        waiting=_waiting(checkpoint),
        position=checkpoint.position,
        holder=None if checkpoint.released else checkpoint.process or checkpoint.owner,
        heard_at=checkpoint.at,
    )


def _waiting(checkpoint: Checkpoint) -> WaitingStatus | None:
    waiting = checkpoint.waiting
    if waiting is None:
        return None
    return WaitingStatus(
        batch=waiting.batch,
        since=waiting.at,
        records=waiting.records,
        limit=waiting.limit,
        changed=waiting.changed,
        appeared=waiting.appeared,
        changes=dict(waiting.changes),
        id=waiting.id,
    )


def _state(checkpoint: Checkpoint, now: datetime) -> FeedState:
    silent = checkpoint.at is None or (now - checkpoint.at).total_seconds() > ALIVE_SECONDS
    if not checkpoint.released and silent:
        return FeedState.LOST
    if checkpoint.stopped is not None:
        return FeedState.WAITING if checkpoint.waiting is not None else FeedState.STOPPED
    if checkpoint.condition.down_since is not None:
        return FeedState.DOWN
    return FeedState.ENDED if checkpoint.released else FeedState.RUNNING
