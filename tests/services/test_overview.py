"""The flow as it stands: the state of each feed and correlator, dead letters that wait, and what wants attention."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from adapters.core import BadRecord, Origin
from bus.embedded import EmbeddedBus
from schemas.operations import CorrelatorStatus, FeedState, FeedStatus, Overview, StoreStatus
from schemas.outcomes import Outcome
from services.cli import app
from services.cli.status import lines, of_system
from services.dead_letters import Selection, Spool, dead_letter, read
from services.domain.facts import MICRO
from services.feeds import Checkpoint, Condition, Counters
from services.feeds.ownership import ALIVE_SECONDS
from services.feeds.status import feeds_of
from services.overview import Observer, Waiting, problems_of
from services.overview.gather import correlators_of
from services.overview.rebuilds import rebuild_of
from services.store.contract import Beat
from services.store.editions import PROGRESS, Edition, State
from services.wiring import topics

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SILENT = NOW - timedelta(seconds=ALIVE_SECONDS + 11)  # longer than a feed or a rebuild may be
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


def said(at: datetime = NOW, moved: datetime = NOW, **more: object) -> dict[str, object]:
    """What the process of a rebuild keeps: it has read a quarter."""
    body = {"process": "h/9", "stage": "read", "done": 250, "total": 1000, "rate": 50.0}
    times = {"at": int(at.timestamp() * MICRO), "moved": int(moved.timestamp() * MICRO)}
    return body | times | {"waits": None, "ended": None, "failed": None} | more


def _rebuilding(progress: Mapping[str, object] | None) -> Overview:
    noted = None if progress is None else {PROGRESS: progress}
    begun = int((NOW - timedelta(hours=1)).timestamp() * MICRO)
    edition = Edition(2, State.BUILDING, "rules", begun, None, noted)
    return QUIET.model_copy(update={"rebuild": rebuild_of([Edition(1, State.LIVE), edition], NOW)})


def test_a_quiet_flow_has_no_problems() -> None:
    assert list(problems_of(QUIET)) == []
    assert "all is running" in next(lines(QUIET))


@pytest.mark.parametrize("state", [FeedState.ENDED, FeedState.NEVER])
def test_what_nobody_reads_is_not_said_to_run(state: FeedState) -> None:
    assert list(problems_of(_feed(state))) == []
    assert "nothing wants attention, but no feed is read now" in next(lines(_feed(state)))


def test_a_rebuild_is_shown_with_its_rate_and_the_time_left() -> None:
    overview = _rebuilding(said())
    assert list(problems_of(overview)) == []
    assert "Rebuild: edition 2, running, read 250 of 1,000 (25%), 50/s, 0:15 left, by h/9" in list(lines(overview))


def test_a_rebuild_that_is_done_waits_for_its_switch_and_is_no_trouble() -> None:
    overview = _rebuilding(said(at=SILENT, moved=SILENT, ended="built", stage="compare", done=9, total=9))
    assert list(problems_of(overview)) == []
    assert "Rebuild: edition 2, built, compare 9 of 9 (100%), by h/9" in list(lines(overview))


def test_why_pieces_are_left_for_later_is_told() -> None:
    (line,) = problems_of(_feed(FeedState.RUNNING, deferred=1, deferred_why="it is not whole yet"))
    assert line == "I94.nightly: 1 piece of its source is left for later; the first: it is not whole yet"


def test_what_a_feed_says_of_itself_is_said_once() -> None:
    (line,) = problems_of(_feed(FeedState.STOPPED, why="I94.nightly stopped: half is refused"))
    assert line == "I94.nightly is stopped: half is refused"


@pytest.mark.parametrize(
    ("overview", "problem"),
    [
        (QUIET.model_copy(update={"correlators": ()}), "no correlator runs (last heard of: never)"),
        (
            QUIET.model_copy(update={"correlators": (RUNNING.model_copy(update={"alive": False}),)}),
            "no correlator runs (last heard of: 2026-11-30T12:00:00+00:00)",
        ),
        (
            QUIET.model_copy(update={"free_bytes": 3_000_000}),
            "the disk of the data directory is full (3 MB are free)",
        ),
        (_feed(FeedState.STOPPED, why="half is refused"), "I94.nightly is stopped: half is refused"),
        (_feed(FeedState.DOWN, why="credentials", since=NOW), "the source of I94.nightly is down since 2026-11-30"),
        (_feed(FeedState.LOST, holder="h/7", heard_at=SILENT), "I94.nightly is held by h/7"),
        (_feed(FeedState.RUNNING, deferred=3), "I94.nightly: 3 pieces"),
        (
            _rebuilding(said(at=SILENT)),
            "the rebuild of edition 2 is not under way: its process was last heard of at 2026-11-30T11:5",
        ),
        (
            _rebuilding(said(moved=NOW - timedelta(minutes=11), waits="the live view has to come first")),
            "the rebuild of edition 2 has come no further since 2026-11-30T11:49:00+00:00: the live view has to",
        ),
        (_rebuilding(said(failed="the disk is full")), "the rebuild of edition 2 gave up: the disk is full"),
        (_rebuilding(None), "the rebuild of edition 2 is not under way: its process was last heard of at never"),
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


@pytest.mark.parametrize(("free", "named"), [(1_000, True), (10**9, False)])
def test_where_nothing_can_be_opened_a_full_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, named: bool
) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "bus.db").write_bytes(b"no database")
    (tmp_path / "data" / "bus.db").chmod(0o600)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    done = CliRunner().invoke(app, ["status", "--data", str(tmp_path / "data")])
    assert done.exit_code == 1
    assert ("the disk of the data directory is full" in done.output) == named
