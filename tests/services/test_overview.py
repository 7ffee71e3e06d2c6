"""The flow as it stands: the state of each feed and correlator, dead letters that wait, and what wants attention."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.core import BadRecord, Origin
from bus.embedded import EmbeddedBus
from schemas.operations import CorrelatorStatus, FeedState, FeedStatus, Overview, StoreStatus
from schemas.outcomes import Outcome
from services.cli.status import lines, of_system
from services.dead_letters import Selection, Spool, dead_letter, read
from services.feeds import Checkpoint, Condition, Counters
from services.feeds.ownership import ALIVE_SECONDS
from services.feeds.status import feeds_of
from services.overview import Observer, Waiting, problems_of
from services.overview.gather import correlators_of
from services.store.contract import Beat
from services.wiring import topics

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SILENT = NOW - timedelta(seconds=ALIVE_SECONDS + 1)
HELD = Checkpoint(epoch=1, owner="a", process="host/7", released=False, at=NOW)
AWAY = Condition(down_since=NOW - timedelta(hours=1), down_why="address: connection refused")


@pytest.mark.parametrize(
    ("checkpoint", "state", "why"),
    [
        (HELD, FeedState.RUNNING, None),
        (replace(HELD, condition=AWAY), FeedState.DOWN, AWAY.down_why),
        (replace(HELD, stopped="refused"), FeedState.STOPPED, "refused"),
        (replace(HELD, stopped="refused", condition=AWAY), FeedState.STOPPED, "refused"),
        (replace(HELD, at=SILENT), FeedState.LOST, None),
        (replace(HELD, at=SILENT, stopped="refused"), FeedState.LOST, "refused"),
        (replace(HELD, released=True, at=SILENT), FeedState.ENDED, None),
        (replace(HELD, released=True, stopped="refused"), FeedState.STOPPED, "refused"),
        (replace(HELD, released=True, condition=AWAY), FeedState.DOWN, AWAY.down_why),
        (None, FeedState.NEVER, None),
    ],
)
def test_the_state_of_a_feed(checkpoint: Checkpoint | None, state: FeedState, why: str | None) -> None:
    held = {} if checkpoint is None else {"I94/nightly": checkpoint}
    (feed,) = feeds_of(held, ["I94/nightly"], NOW)
    assert (feed.system, feed.feed, feed.state, feed.why, feed.configured) == ("I94", "nightly", state, why, True)
    assert feed.holder == ("host/7" if checkpoint is not None and not checkpoint.released else None)


def test_a_feed_that_was_read_once_is_shown_without_settings() -> None:
    counters = Counters(7, 3, 2, {"crew": 2}, 4, {"sex": 1})
    begun = replace(HELD, counters=counters, batch="b", records=5)
    ended, begun_feed = feeds_of({"A/x": replace(HELD, records=5), "B/y": begun}, [], NOW)
    assert not ended.configured
    assert (ended.batch, ended.batch_records) == (None, 0)
    counted = (begun_feed.read, begun_feed.published, begun_feed.dead_lettered, begun_feed.filtered)
    assert counted == (7, 3, 2, 2)
    assert (begun_feed.lost_values, begun_feed.batch, begun_feed.batch_records) == (1, "b", 5)


def test_a_correlator_that_says_nothing_is_gone() -> None:
    heard = [NOW - timedelta(seconds=ago) for ago in (1, 29, 31)]
    beats = [Beat(f"h/{at}", int(at.timestamp() * 1_000_000), 0, ("t/0",), None) for at in heard]
    assert [each.alive for each in correlators_of(beats, NOW)] == [True, True, False]


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[EmbeddedBus]:
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()


async def test_dead_letters_wait_until_they_are_replayed(bus: EmbeddedBus, tmp_path: Path) -> None:
    producer, spool, waiting = await bus.producer(), Spool(tmp_path / "spool"), Waiting()
    origin = Origin("I94", "nightly", "file", 1)
    for place, reason in (("line 1", "SEX 'Q' is wrong"), ("line 2", "SEX 'Z' is wrong"), ("line 3", "too short")):
        await producer.send([dead_letter(BadRecord(reason, place=place, raw=b"x"), origin, spool)])
        await waiting.follow(bus)
    assert [(each.reason, each.waiting) for each in waiting.by_reason()] == [("SEX ... is wrong", 2), ("too short", 1)]
    first, *_ = await read(bus, Selection(reason="'Q'"))
    await producer.send([first.replay_mark(1)])
    for follower in (waiting, Waiting()):  # as it comes, and from the beginning
        await follower.follow(bus)
        assert [(each.reason, each.waiting) for each in follower.by_reason()] == [
            ("SEX ... is wrong", 1),
            ("too short", 1),
        ]
    assert first.id not in {each.example for each in waiting.by_reason()}
    await producer.close()


async def test_an_empty_bus_without_a_store_says_what_to_do(bus: EmbeddedBus) -> None:
    overview = await Observer(bus, None, ["I94.nightly"]).observe(NOW)
    assert [(feed.system, feed.state) for feed in overview.feeds] == [("I94", FeedState.NEVER)]
    assert overview.problems == ("there is no store: `visabus correlate` makes it",)


STORE = StoreStatus(
    persons=2,
    outcomes={Outcome.IN_STATUS: 1},
    without_outcome=1,
    backlog=0,
    undelivered=0,
    quarantined=0,
    overdue=0,
    known_through=None,
)
RUNNING = CorrelatorStatus(process="h/1", alive=True, heard_at=NOW, behind=0, partitions=(), committed_at=None)
QUIET = Overview(
    at=NOW,
    feeds=(FeedStatus(system="I94", feed="nightly", state=FeedState.RUNNING, configured=True),),
    correlators=(RUNNING,),
    lag=0,
    store=STORE,
    coverage=(),
    dead_letters=(),
    problems=(),
)


def _feed(state: FeedState, **more: object) -> Overview:
    feed = FeedStatus.model_validate({"system": "I94", "feed": "nightly", "state": state, "configured": True} | more)
    return QUIET.model_copy(update={"feeds": (feed,)})


def test_a_quiet_flow_has_no_problems() -> None:
    assert list(problems_of(QUIET)) == []
    assert "all is running" in next(lines(QUIET))


@pytest.mark.parametrize(
    ("overview", "problem"),
    [
        (QUIET.model_copy(update={"correlators": ()}), "no correlator runs (last heard of: never)"),
        (
            QUIET.model_copy(update={"correlators": (RUNNING.model_copy(update={"alive": False}),)}),
            "no correlator runs (last heard of: 2026-11-30T12:00:00+00:00)",
        ),
        (_feed(FeedState.STOPPED, why="half is refused"), "I94.nightly is stopped: half is refused"),
        (_feed(FeedState.DOWN, why="credentials", since=NOW), "the source of I94.nightly is down since 2026-11-30"),
        (_feed(FeedState.LOST, holder="h/7", heard_at=SILENT), "I94.nightly is held by h/7"),
        (_feed(FeedState.RUNNING, deferred=3), "I94.nightly: 3 pieces"),
        (
            QUIET.model_copy(update={"store": STORE.model_copy(update={"quarantined": 2})}),
            "2 pools of records could not be resolved",
        ),
        (
            QUIET.model_copy(update={"store": STORE.model_copy(update={"overdue": 2})}),
            "2 persons' answers should have changed",
        ),
    ],
)
def test_what_wants_attention_is_told(overview: Overview, problem: str) -> None:
    (line,) = problems_of(overview)
    assert line.startswith(problem)
    assert f"  ! {line}" in list(lines(overview.model_copy(update={"problems": (line,)})))


def test_one_system_alone() -> None:
    assert of_system(QUIET, None) == QUIET
    assert of_system(QUIET, "i94").feeds == QUIET.feeds
    assert of_system(QUIET, "SEVIS").feeds == ()
