"""Ingest over the embedded bus: nothing lost, every record counted once, whatever fails and whenever."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import toy_source
from toy_source import check, expected, once, receipts, settings, toy, world

from adapters.core import SourceDown
from bus.contract import Bus, BusDown, Message, Placed, Producer
from bus.embedded import EmbeddedBus, EmbeddedProducer
from schemas.events import AnyEvent
from schemas.topics import POSITIONS
from services import failpoints
from services.dead_letters import Spool
from services.feeds import FeedHeld, FeedLost
from services.ingest import Outcome, feed_run, host, recorded, run
from services.ingest.feed_run import FeedRun
from services.settings import Deadlines, Settings

LINES = """good 1
two 2
bad x
skip 3
refuse 4
good 5
bug 6
nothing 7
through 9
good 8"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "in"
    directory.mkdir()
    (directory / "a.txt").write_text(LINES)
    (directory / "b.txt").write_text("good 11\nskip 12\nbad y")
    return directory


async def read_to(bus: Bus, position: str) -> None:
    """Wait until the feed stands there."""
    for _ in range(500):
        await asyncio.sleep(0.02)
        checkpoint = (await world(bus)).checkpoints.get("TOY/lines", {})
        if (checkpoint.get("position") or {}).get("name") == position:
            return
    raise AssertionError(f"never at {position}")


class Crash(BaseException):
    """Stands for a death of the process."""


async def test_every_record_is_published_kept_or_left_out_by_a_rule(bus: Bus, folder: Path) -> None:
    outcomes = await once(folder, bus)
    seen = await world(bus)
    assert check(folder, seen) == []
    assert [outcome.error for outcome in outcomes] == [None]
    assert outcomes[0].counters.balanced()
    assert set(seen.ids().values()) == {1}
    assert seen.checkpoints["TOY/lines"]["position"]["name"] == "b.txt"
    assert seen.checkpoints["TOY/lines"]["released"] is True


async def test_a_second_run_reads_nothing_again(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    await once(folder, bus)
    seen = await world(bus)
    assert check(folder, seen) == []
    assert set(seen.ids().values()) == {1}


async def test_dead_letters_tell_reason_place_and_bytes(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    dead_letters = {
        dead_letter["place"]: dead_letter
        for dead_letter in (await world(bus)).dead_letters
        if dead_letter["batch"] == "a.txt"
    }
    assert {place: dead_letter["reason"] for place, dead_letter in dead_letters.items()} == {
        "line 3": "unreadable",
        "line 5": "refused by the mapping",
        "line 7": "adapter error: KeyError",
        "line 8": "adapter error: neither an event nor a rule that leaves the record out",
    }
    assert dead_letters["line 3"]["raw"] == "YmFkIHg="
    assert dead_letters["line 5"]["record"] == "4"


async def test_large_bytes_go_to_the_spool(bus: Bus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("huge 1\ngood 2")
    await once(folder, bus)
    (dead_letter,) = (await world(bus)).dead_letters
    assert dead_letter["raw"] is None
    spool = Spool(settings(folder).data_dir / "spool")
    assert spool.load(dead_letter["spooled"]) == b"huge 1" * 300_000


@pytest.mark.law(2, "no room")
async def test_a_full_disk_holds_the_feed_up_and_loses_nothing(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\nhuge 1\ngood 2")
    full = iter([True, True])

    def write(path: Path, data: bytes) -> None:
        if next(full, False):
            raise OSError(28, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr("services.dead_letters.spool.write", write)
    await once(folder, bus)
    assert check(folder, await world(bus)) == []


async def test_the_receipt_of_a_batch(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    receipt = (await receipts(bus, folder))["a.txt"]
    assert receipt["read"] == 9
    assert receipt["published"] + receipt["dead_lettered"] + sum(receipt["filtered"].values()) == 9
    assert receipt["refused"][0] == {"place": "line 3", "reason": "unreadable"}
    assert receipt["reasons"]["refused by the mapping"] == 1
    # four records of the file are refused: it vouches for nothing
    assert (receipt["coverage"], receipt["coverage_withheld"]) == ([], 1)


@pytest.mark.law(2, "a crash at each named step")
@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
@pytest.mark.parametrize("chunk", [1, 3, 100])
async def test_a_crash_at_each_step_costs_no_record(bus: Bus, folder: Path, point: str, chunk: int) -> None:
    """Die at the first, second, ... passing of the point, each time in a run that goes on from the last."""
    nth = 0
    while True:
        nth += 1
        hits = 0

        async def crash(at: str, nth: int = nth) -> None:
            nonlocal hits
            hits += at == point
            if hits == nth:
                raise Crash

        outcomes = await once(folder, bus, crash, chunk_records=chunk)
        if outcomes[0].error is None:
            break
        seen = await world(bus)
        assert _sum(seen.checkpoints["TOY/lines"]["counters"])
    assert nth > 1
    assert check(folder, seen := await world(bus)) == []
    receipt = (await receipts(bus, folder))["a.txt"]
    assert len(receipt["refused"]) == receipt["dead_lettered"] == 4
    assert seen.checkpoints["TOY/lines"]["part"]["read"] == 0


def _sum(counters: dict[str, object]) -> bool:
    filtered = counters["filtered"]
    assert isinstance(filtered, dict)
    return counters["read"] == counters["published"] + counters["dead_lettered"] + sum(filtered.values())


async def test_a_source_that_goes_down_at_each_record_in_turn(bus: Bus, folder: Path) -> None:
    places = ["batches", *(f"a.txt:{number}" for number in range(1, 11)), "b.txt:1", "b.txt:3"]
    source = toy(folder, down=places)
    outcomes = await run(
        settings(folder, chunk_records=1, breaker_failures=50), [source], once=True, bus=bus, clock=recorded
    )
    assert outcomes[0].error is None
    assert check(folder, await world(bus)) == []


async def test_a_source_that_stays_down_ends_a_single_run_and_holds_up_no_other(bus: Bus, folder: Path) -> None:
    dead = toy(folder, name="dead", down=["batches"] * 100)
    outcomes = await run(settings(folder), [dead, toy(folder)], once=True, bus=bus, clock=recorded)
    assert outcomes[0].error is not None
    assert "could not be reached" in outcomes[0].error
    assert outcomes[1].error is None
    assert check(folder, await world(bus)) == []


class Flaky:
    """The embedded bus's producer behind a line that breaks before or after the messages got through."""

    def __init__(self, inner: Producer, fails: Sequence[str]) -> None:
        self._inner = inner
        self._fails = list(fails)
        self.sent: list[Message] = []

    async def send(self, messages: Sequence[Message]) -> Placed:
        fate = self._fails.pop(0) if self._fails else "well"
        self.sent += messages
        if fate == "before":
            raise BusDown("the line is cut")
        placed = await self._inner.send(messages)
        if fate == "after":
            raise BusDown("no answer")
        return placed

    async def close(self) -> None:
        await self._inner.close()


@pytest.mark.law(3, "what is sent again is the same, stamp included")
async def test_a_bus_that_is_down_gets_the_same_bytes_again(
    bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky = Flaky(await bus.producer(), ["well", "before", "after", "well", "after", "before", "before", "after"])

    async def producer() -> Flaky:
        return flaky

    monkeypatch.setattr(bus, "producer", producer)
    outcomes = await run(settings(folder), [toy(folder)], once=True, bus=bus)
    assert outcomes[0].error is None
    assert check(folder, await world(bus)) == []
    bodies: dict[bytes, set[bytes | None]] = {}
    for message in flaky.sent:
        identity = dict(message.headers).get("ce_id")
        if identity is not None and message.topic != "visabus.dead-letters":
            bodies.setdefault(identity, set()).add(message.value)
    assert {len(each) for each in bodies.values()} == {1}


@pytest.mark.law(2, "a feed that fails as none should: told where it stands, and tried again until it is mended")
async def test_an_unexpected_error_is_told_where_the_feed_stands_and_it_is_tried_again(
    bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transport fails as no transport should; the other feed goes on meanwhile, and once mended this one does too."""
    other = folder.parent / "other"
    other.mkdir()
    (other / "a.txt").write_text("good 90")
    mended = asyncio.Event()
    sound = toy_source.Folder.batches

    def broken(self: toy_source.Folder, position: Any) -> Any:
        if self.directory == folder and not mended.is_set():
            raise ValueError("year 20250 is out of range")
        return sound(self, position)

    monkeypatch.setattr(toy_source.Folder, "batches", broken)
    stop = asyncio.Event()
    feeds = [toy(folder), toy(other, name="other")]
    running = asyncio.create_task(run(settings(folder), feeds, stop=stop, bus=bus, clock=recorded))
    await wait_until_saved(bus, "TOY/lines", lambda checkpoint: checkpoint["stopped"] is not None)
    await wait_until_saved(bus, "TOY/other", lambda checkpoint: checkpoint["counters"]["read"] == 1)
    checkpoint = (await world(bus)).checkpoints["TOY/lines"]
    assert checkpoint["stopped"] == "TOY.lines stopped: ValueError; it is tried again"
    assert not running.done()
    mended.set()
    await wait_until_saved(bus, "TOY/lines", lambda checkpoint: (checkpoint["position"] or {}).get("name") == "b.txt")
    await wait_until_saved(bus, "TOY/lines", lambda checkpoint: checkpoint["stopped"] is None)
    stop.set()
    assert [outcome.error for outcome in await running] == [None, None]
    assert [each for each in check(folder, await world(bus)) if "nobody told" not in each] == []


@pytest.mark.law(2, planted="a feed that an unexpected error ends for good, while its process lives")
async def test_a_feed_that_dies_without_a_sign_is_seen(bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was: the error goes through, and neither tells where the feed stands nor is tried again."""
    stop = asyncio.Event()
    tries = 0

    def broken(_self: toy_source.Folder, _position: Any) -> Any:
        nonlocal tries
        tries += 1
        raise ValueError("year 20250 is out of range")

    async def through(_self: FeedRun, work: Callable[[], Awaitable[bool]]) -> bool:
        return await work()

    monkeypatch.setattr(toy_source.Folder, "batches", broken)
    monkeypatch.setattr(FeedRun, "_patiently", through)
    running = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded))
    await asyncio.sleep(0.5)
    stop.set()
    await running
    assert tries == 1
    assert (await world(bus)).checkpoints["TOY/lines"]["stopped"] is None


Lines = list[tuple[str, str]]


async def lines_of_an_outage(bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lines:
    """What is logged of a source that goes away, and comes back with one more file."""
    written: Lines = []

    def take(level: str) -> Callable[..., None]:
        return lambda _self, event, **fields: written.append((level, f"{event} {fields.get('why', '')}".strip()))

    class Log:
        info, warning, error = take("info"), take("warning"), take("error")

        def bind(self, **_: object) -> Log:
            return self

    monkeypatch.setattr(feed_run.structlog, "get_logger", lambda _name: Log())
    stop = asyncio.Event()
    down = True
    sound = toy_source.Folder.batches

    def batches(self: toy_source.Folder, position: Any) -> Any:
        if down:
            raise SourceDown("its certificate has expired")
        return sound(self, position)

    monkeypatch.setattr(toy_source.Folder, "batches", batches)
    running = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded))
    await asyncio.sleep(0.3)
    down = False
    await read_to(bus, "b.txt")
    await asyncio.sleep(0.2)
    stop.set()
    await running
    return written


def wrong_lines(written: Lines) -> list[str]:
    """What the log should say and does not."""
    wanted = {
        "source down with why": ("warning", "source down its certificate has expired"),
        "source back": ("info", "source back"),
    }
    wrong = [name for name, line in wanted.items() if line not in written]
    wrong += ["back is told more than once"] if written.count(("info", "source back")) > 1 else []
    return wrong + ([] if written.count(("info", "batch done")) == 2 else ["a line for each batch"])


@pytest.mark.law(2, "a source that goes says why, one that is back says so once, and each batch has its line")
async def test_the_log_says_when_a_source_goes_and_comes_and_what_was_read(
    bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wrong_lines(await lines_of_an_outage(bus, folder, monkeypatch)) == []


@pytest.mark.law(2, planted="nothing said of a source that goes, of one that is back, of a batch that was read")
@pytest.mark.parametrize(
    ("method", "missing"),
    [
        ("_log_source_down", ["source down with why", "source back"]),
        ("_log_batches", ["a line for each batch"]),
    ],
)
async def test_a_log_that_says_nothing_is_seen(
    bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch, method: str, missing: list[str]
) -> None:
    monkeypatch.setattr(FeedRun, method, lambda _self, _given: None)
    assert wrong_lines(await lines_of_an_outage(bus, folder, monkeypatch)) == missing


async def test_a_feed_that_was_stopped_goes_on_once_its_batch_is_mended(bus: Bus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("bad 4\n" * 40)
    stop = asyncio.Event()
    quick = settings(folder, refuse_min=10)
    running = asyncio.create_task(run(quick, [toy(folder)], stop=stop, bus=bus, clock=recorded))
    await wait_until_saved(bus, "TOY/lines", lambda checkpoint: checkpoint["stopped"] is not None)
    (folder / "a.txt").write_text("good 3")
    await wait_until_saved(
        bus, "TOY/lines", lambda checkpoint: checkpoint["counters"]["read"] == 1 and checkpoint["stopped"] is None
    )
    stop.set()
    assert (await running)[0].error is None


async def wait_until_saved(bus: Bus, key: str, so: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until the checkpoint of a feed is so."""
    async with asyncio.timeout(60):
        while True:
            checkpoint = (await world(bus)).checkpoints.get(key)
            if checkpoint is not None and so(checkpoint):
                return
            await asyncio.sleep(0.02)


async def test_a_source_refused_wholesale_is_stopped_before_its_batch(bus: Bus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\nbad 2")
    (folder / "b.txt").write_text("good 3\n" * 3 + "bad 4\n" * 40)
    (folder / "c.txt").write_text("good 5")
    sound = tmp_path / "sound"
    sound.mkdir()
    (sound / "a.txt").write_text("good 6")
    outcomes = await run(
        settings(folder, refuse_min=10), [toy(folder), toy(sound, name="other")], once=True, bus=bus, clock=recorded
    )
    assert outcomes[0].error is not None
    assert "of b.txt are refused, most often because: unreadable; nothing behind 'b.txt' is read" in outcomes[0].error
    assert outcomes[1] == Outcome("TOY.other", outcomes[1].counters)
    seen = await world(bus)
    checkpoint = seen.checkpoints["TOY/lines"]
    assert (checkpoint["position"]["name"], checkpoint["batch"], checkpoint["records"]) == ("a.txt", None, 0)
    assert checkpoint["stopped"] == outcomes[0].error
    assert checkpoint["counters"]["read"] == 2
    assert len(seen.dead_letters) < 10  # stopped, not drained

    # mended: the batch is read from its start and nothing counts twice
    (folder / "b.txt").write_text("good 3")
    await once(folder, bus)
    assert (await world(bus)).checkpoints["TOY/lines"]["counters"]["read"] == 4


async def test_a_format_with_a_bug_stops_its_feed_in_front_of_the_rest(bus: Bus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\ngood 2\nbreak\ngood 3")
    (outcome,) = await once(folder, bus)
    assert outcome.error is not None
    assert "adapter error: RuntimeError" in outcome.error
    (dead_letter,) = (await world(bus)).dead_letters
    assert (dead_letter["place"], dead_letter["counted"]) == ("after record 2", False)
    assert outcome.counters.read == 2

    (folder / "a.txt").write_text("good 1\ngood 2\ngood 3")
    await once(folder, bus)
    assert check(folder, await world(bus)) == []


async def test_a_batch_cut_otherwise_is_read_and_counted_whole(bus: Bus, folder: Path) -> None:
    async def crash(at: str) -> None:
        if at == "ingest.saved":
            raise Crash

    await once(folder, bus, crash)
    (folder / "a.txt").rename(folder / "aa.txt")
    await once(folder, bus)
    checkpoint = (await world(bus)).checkpoints["TOY/lines"]
    assert checkpoint["counters"]["read"] == 12


async def test_a_file_that_changes_while_nobody_reads_is_read_from_its_start(bus: Bus, folder: Path) -> None:
    async def crash(at: str) -> None:
        if at == "ingest.saved":
            raise Crash

    await once(folder, bus, crash)
    (folder / "a.txt").write_text("good 101\ngood 102\n" + LINES)
    await once(folder, bus)
    seen, wanted = await world(bus), expected(folder)
    assert wanted["ids"] == set(seen.ids())
    assert seen.checkpoints["TOY/lines"]["counters"] == wanted["counters"]


@pytest.mark.law(5, "the moment of knowing comes from the clock handed in")
async def test_stamps_are_the_sources_own_when_history_is_loaded(bus: Bus, folder: Path, tmp_path: Path) -> None:
    await once(folder, bus)
    other = await EmbeddedBus.open(tmp_path / "other.db")
    await once(folder, other, chunk_records=1)
    one, two = await world(bus), await world(other)
    await other.close()

    def stamps(events: list[AnyEvent]) -> dict[str, str]:
        return {str(event.id): str(event.published_at) for event in events}

    assert stamps(one.events) == stamps(two.events)
    assert "2026-01-01 00:05:00+00:00" in stamps(one.events).values()


async def taken_up_again(bus: Bus, folder: Path) -> bool:
    """Whether a host takes a feed up again that another process took over, read, and let go."""
    stop = asyncio.Event()
    first = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded))
    await read_to(bus, "b.txt")
    (folder / "c.txt").write_text("good 20\nbad z")
    (second,) = await once(folder, bus)
    assert second.error is None
    assert (await world(bus)).checkpoints["TOY/lines"]["epoch"] >= 2
    await asyncio.sleep(0.5)  # the first one looks every 0.05 s who holds the feed
    (folder / "d.txt").write_text("good 21")
    reading = asyncio.create_task(read_to(bus, "d.txt"))
    await asyncio.wait({reading, first}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    again = reading.done()
    reading.cancel()
    stop.set()
    (outcome,) = await asyncio.wait_for(first, 60)
    assert again == (outcome.error is None)
    seen = await world(bus)
    assert not again or check(folder, seen) == []
    assert seen.checkpoints["TOY/lines"]["epoch"] == 2 + again
    return again


@pytest.mark.law(2, "a host whose feed was taken over takes it up again once it is free")
async def test_a_feed_that_was_taken_over_and_let_go_is_taken_up_again(bus: Bus, folder: Path) -> None:
    assert await taken_up_again(bus, folder)


@pytest.mark.law(2, planted="a host that leaves a feed alone for good once another process had it")
async def test_a_host_that_gives_a_feed_up_is_seen(bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(self: host._Keeper) -> None:
        raise FeedLost("another process took it over")

    monkeypatch.setattr(host._Keeper, "_take_up", gone)
    assert not await taken_up_again(bus, folder)


async def left_alone(bus: Bus, folder: Path, *, take_over: bool = False) -> bool:
    """Whether a host that starts beside another one leaves it its feed, and takes it up when that one ends."""
    stops = [asyncio.Event(), asyncio.Event()]
    first = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stops[0], bus=bus, clock=recorded))
    await read_to(bus, "b.txt")
    second = asyncio.create_task(
        run(settings(folder), [toy(folder)], take_over=take_over, stop=stops[1], bus=bus, clock=recorded)
    )
    await asyncio.sleep(0.3)
    (folder / "c.txt").write_text("good 20\nbad z")
    await read_to(bus, "c.txt")
    alone = (await world(bus)).checkpoints["TOY/lines"]["epoch"] == 1
    stops[0].set()
    await first
    (folder / "d.txt").write_text("good 21")
    await read_to(bus, "d.txt")
    stops[1].set()
    assert (await second)[0].error is None
    assert check(folder, await world(bus)) == []
    return alone


@pytest.mark.law(2, "a host that starts leaves the feeds of one that runs alone, and takes them up when it ends")
async def test_a_host_that_starts_waits_for_one_that_runs(bus: Bus, folder: Path) -> None:
    assert await left_alone(bus, folder)


@pytest.mark.law(2, planted="a host that takes feeds over without being asked to")
async def test_a_host_that_takes_over_unasked_is_seen(bus: Bus, folder: Path) -> None:
    assert not await left_alone(bus, folder, take_over=True)


async def test_a_try_does_not_take_a_feed_from_a_host_that_runs(bus: Bus, folder: Path) -> None:
    """As `ingest --once` runs it; a wrong address is no matter then."""
    stop = asyncio.Event()
    first = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded))
    await read_to(bus, "b.txt")
    with pytest.raises(FeedHeld, match="--take-over"):
        await run(settings(folder), [toy(folder / "wrong")], once=True, take_over=False, bus=bus, clock=recorded)
    (folder / "c.txt").write_text("good 20\nbad z")
    await read_to(bus, "c.txt")
    stop.set()
    assert (await first)[0].error is None
    assert (await world(bus)).checkpoints["TOY/lines"]["epoch"] == 1
    (outcome,) = await run(settings(folder), [toy(folder)], once=True, take_over=False, bus=bus, clock=recorded)
    assert outcome.error is None, "it was let go"


@pytest.mark.law(3, "two hosts of one feed")
async def test_of_two_hosts_that_start_at_once_one_remains(bus: Bus, folder: Path) -> None:
    stop = asyncio.Event()
    hosts = [
        asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded)) for _ in range(2)
    ]
    await read_to(bus, "b.txt")
    (folder / "c.txt").write_text("good 20")
    await read_to(bus, "c.txt")
    assert (await world(bus)).checkpoints["TOY/lines"]["epoch"] == 1, "the loser waits"
    stop.set()
    assert [(outcome.error, outcome.name) for (outcome,) in await asyncio.gather(*hosts)] == [(None, "TOY.lines")] * 2
    assert check(folder, await world(bus)) == []


async def test_a_late_word_of_a_suspended_host_does_no_harm(bus: Bus, folder: Path) -> None:
    """The old host's last position lands behind the new one's: what it costs is a repeat."""
    held = asyncio.Event()
    go = asyncio.Event()

    async def suspend(at: str) -> None:
        if at == "ingest.sent":
            held.set()
            await go.wait()

    # a sentry that looks so seldom that it might as well be suspended too
    old = asyncio.create_task(once(folder, bus, suspend, fence_seconds=60))
    await held.wait()
    await once(folder, bus)
    go.set()
    await old
    (folder / "c.txt").write_text("good 30")
    await once(folder, bus)
    assert check(folder, await world(bus)) == []


@pytest.mark.law(2, planted="the position saved before the events are durable")
async def test_the_planted_bug_loses_records(bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check must fail where the position is saved before the events are durable."""
    monkeypatch.setattr(FeedRun, "_deliver", FeedRun._deliver)  # put back afterwards
    toy_source.plant()

    async def crash(at: str) -> None:
        if at == "ingest.saved":
            raise Crash

    await once(folder, bus, crash)
    monkeypatch.undo()
    await once(folder, bus)
    assert any("lost" in violation for violation in check(folder, await world(bus)))


@pytest.mark.slow
async def test_the_loop_is_free_while_records_are_read(bus: Bus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("".join(f"good {number}\n" for number in range(20_000)))
    slowest = 0.0

    async def watch() -> None:
        """The longest the loop's own thread worked without giving way, in CPU time: other processes are no matter."""
        nonlocal slowest
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            slowest = max(slowest, time.thread_time() - before)

    gc.collect()
    gc.freeze()  # what other tests have left in memory is no matter either
    watcher = asyncio.create_task(watch())
    await once(folder, bus, chunk_records=1_000)
    watcher.cancel()
    gc.unfreeze()
    assert check(folder, await world(bus)) == []
    assert slowest < 0.25


async def test_stop_ends_a_run_between_two_chunks(bus: Bus, folder: Path) -> None:
    stop = asyncio.Event()

    async def first(at: str) -> None:
        if at == "ingest.saved":
            stop.set()

    with failpoints.armed(first):
        outcomes = await run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded)
    assert outcomes[0].error is None
    assert outcomes[0].counters.read == 3
    await once(folder, bus)
    assert check(folder, await world(bus)) == []


async def test_stop_does_not_wait_for_a_bus_that_hangs(bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = asyncio.Event()
    inner = await bus.producer()

    class Hanging(Flaky):
        async def send(self, messages: Sequence[Message]) -> Placed:
            if any(message.topic != POSITIONS for message in messages):
                stop.set()
                await asyncio.Event().wait()
            return await inner.send(messages)

    async def producer() -> Flaky:
        return Hanging(inner, [])

    monkeypatch.setattr(bus, "producer", producer)
    quick = settings(folder).model_copy(update={"deadlines": Deadlines(stop=0.4)})
    async with asyncio.timeout(60):
        (outcome,) = await run(quick, [toy(folder)], stop=stop, bus=bus, clock=recorded)
    assert outcome.counters.read == 0
    monkeypatch.undo()
    await once(folder, bus)
    assert check(folder, await world(bus)) == []


async def test_a_host_may_be_up_before_its_bus(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = iter([True, True])

    async def late(settings: Settings) -> Bus:
        if next(attempts, False):
            raise BusDown("not yet")
        return await EmbeddedBus.open(folder / "late.db")

    monkeypatch.setattr("services.ingest.host.open_bus", late)
    (outcome,) = await run(settings(folder), [toy(folder)], once=True, clock=recorded)
    assert (outcome.error, outcome.counters.read) == (None, 12)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    directory = tmp_path / "mixed"
    directory.mkdir()
    (directory / "a.txt").write_text("good 1\nthrough 5\nbad 2\nthrough 6")
    (directory / "b.txt").write_text("good 3\nthrough 7")
    return directory


@pytest.mark.law(8, "a record that could not be read may be a departure")
async def test_a_batch_with_a_refused_record_vouches_for_nothing(bus: Bus, mixed: Path) -> None:
    await once(mixed, bus)
    assert sorted(event.record for event in (await world(bus)).events if event.kind == "coverage") == [
        "coverage 5",
        "coverage 7",
    ]


async def ended_by_an_outage(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float) -> bool:
    """Whether a host ends of whose two feeds one met a bus that stayed away for too long, and the other did not."""
    busy, idle = tmp_path / "busy", tmp_path / "idle"
    for folder in (busy, idle):
        folder.mkdir()
    down, ended, sound = False, asyncio.Event(), EmbeddedProducer.send

    async def send(self: EmbeddedProducer, messages: Sequence[Message]) -> Placed:
        if down:
            raise BusDown("away")
        return await sound(self, messages)

    async def release(_self: FeedRun) -> None:
        ended.set()

    monkeypatch.setattr(EmbeddedProducer, "send", send)
    monkeypatch.setattr(FeedRun, "_release", release)
    quick = settings(tmp_path)
    quick = quick.model_copy(update={"deadlines": quick.deadlines.model_copy(update={"bus_outage": 0.1})})
    feeds = [toy(busy, name="busy"), toy(idle, name="idle")]
    (busy / "a.txt").write_text("good 1")
    running = asyncio.create_task(run(quick, feeds, stop=(stop := asyncio.Event()), bus=bus, clock=recorded))
    await wait_until_saved(bus, "TOY/busy", lambda checkpoint: checkpoint["counters"]["read"] == 1)
    down = True
    (busy / "b.txt").write_text("good 2")
    await asyncio.wait_for(ended.wait(), 60)
    done, _ = await asyncio.wait([running], timeout=seconds)
    stop.set()
    outcomes = await running
    assert [outcome.error for outcome in outcomes] == ["BusDown: away", None]
    return bool(done)


@pytest.mark.law(2, "a feed that a long outage of the bus ended is not left unread by a process that goes on")
async def test_a_host_of_a_feed_that_ended_for_good_ends(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await ended_by_an_outage(bus, tmp_path, monkeypatch, 60)


@pytest.mark.law(2, planted="a host that goes on without a feed that ended for good")
async def test_a_host_that_goes_on_without_it_is_seen(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.Host, "_feed_ended", lambda _self, _task: None)
    assert not await ended_by_an_outage(bus, tmp_path, monkeypatch, 0.3)
