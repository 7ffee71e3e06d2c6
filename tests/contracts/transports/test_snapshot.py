"""Full extracts: only what is new, changed or gone is told, each once, however often and wherever the reading dies."""

from __future__ import annotations

import asyncio
import tarfile
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import orjson
import pytest

from adapters.core import (
    BadRecord,
    Batch,
    Closing,
    Connection,
    Defers,
    Feed,
    Gone,
    Json,
    Keeps,
    Mapped,
    Met,
    Note,
    Origin,
    Read,
    Record,
    SourceDown,
    Stage,
    Storage,
)
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.delimited import DelimitedFormat
from adapters.mapper import Mapper, Person, Says
from adapters.transports import snapshot_state
from adapters.transports.file_drop import FileDrop
from adapters.transports.snapshot import NUMBER, InMemory, Snapshot, number_of
from adapters.transports.snapshot_state import State
from schemas.events import Status
from schemas.moments import Moment

FORMAT = DelimitedFormat(
    header=("SEQUENCE",), detail=("KEY", "VALUE", "RUN"), trailer=("COUNT",), controls=(Control("COUNT"),)
)
PERSON = Person(family="KEY")


def says(row: Fields) -> Iterator[Says]:
    fields = {"occurred_at": Moment.whole_day(date(2025, 3, 1), "UTC"), "subject": PERSON.of(row), "fact": "file_moved"}
    yield Says(Status, fields | {"reason": row.text("VALUE")})


def key_of(row: Fields) -> str:
    if not (key := row.text("KEY")):
        raise ValueError("KEY is absent")
    return key


MAPPING = Mapper(key=key_of, version=number_of, says=says)


def stage(**options: Any) -> Snapshot:
    """The stage around dropped files."""
    inner = FileDrop(pattern="*.dat", unchanged=0, patience=0)
    given: dict[str, Any] = {"key": key_of, "keep": ("KEY",), "ignore": ("RUN",), "few": 1}
    return Snapshot(inner, sequence=lambda header, name: int(header["SEQUENCE"]), **given | options)


def text_of(number: int, rows: Mapping[str, str] | Sequence[tuple[str, str]], count: int | None = None) -> str:
    """An extract. Every row names the run, which is no change."""
    pairs = list(rows.items()) if isinstance(rows, Mapping) else list(rows)
    lines = [f"H|{number}", *(f"D|{key}|{value}|{number}" for key, value in pairs)]
    return "\n".join([*lines, f"T|{len(pairs) if count is None else count}"]) + "\n"


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Life:
    """How many steps a process has left: each read that goes out, each write and each checkpoint is one."""

    left: int | None = None
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1


@dataclass
class Bus:
    """The storage of a feed, its checkpoint, and what was published: what a kill cannot take away."""

    values: dict[str, bytes] = field(default_factory=dict)
    position: bytes = b"null"
    events: list[tuple[str, int, str]] = field(default_factory=list)  # key, number, what
    refused: list[str] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    batches: int = 0

    def ids(self) -> set[tuple[str, int, str]]:
        """Events by their ids: a repeat is the same event."""
        return set(self.events)

    def standing(self) -> dict[str, str]:
        """What a reader of the events holds: of each key what has the highest number. Two of one number clash."""
        held: dict[str, tuple[int, str]] = {}
        for key, number, what in self.events:
            assert held.get(key, (0, ""))[0] != number or held[key][1] == what, "one revision with two contents"
            if number >= held.get(key, (0, ""))[0]:
                held[key] = number, what
        return {key: what for key, (_, what) in held.items() if what != "gone"}


@dataclass
class OnBus(InMemory):
    """A storage whose writes are steps of a life."""

    life: Life = field(default_factory=Life)

    async def keep(self, values: Mapping[str, bytes]) -> None:
        self.life.step()
        await InMemory.keep(self, values)
        self.life.step()

    async def drop(self, names: Sequence[str]) -> None:
        self.life.step()
        await InMemory.drop(self, names)


@dataclass
class Host:
    """What `services.ingest` does with a feed, as far as it matters here; `directory` is of the machine."""

    folder: Path
    bus: Bus
    directory: Path | None = None
    transport: Snapshot = field(default_factory=stage)
    prefetch: bool = False  # the next extract is compared before this one is saved

    async def poll(self, life: Life | None = None) -> list[tuple[str, int, str]]:
        """Read all there is; what was told by it."""
        life, before = life or Life(), len(self.bus.events)
        connection = self.transport.open(str(self.folder), FORMAT)
        connection.keep_in(OnBus(self.bus.values, self.directory, life))
        try:
            waiting: list[Batch] = []
            async for batch in connection.batches(orjson.loads(self.bus.position)):
                if not self.prefetch:
                    await self._deliver(batch, life)
                    continue
                waiting.append(batch)
                if len(waiting) > 1:
                    await self._deliver(waiting.pop(0), life)
            for batch in waiting:
                await self._deliver(batch, life)
            self.deferred = connection.deferred()
        finally:
            await connection.close()
        return self.bus.events[before:]

    async def _deliver(self, batch: Batch, life: Life) -> None:
        async for read in batch.records():
            life.step()
            self._tell(read)
        life.step()
        self.bus.position = orjson.dumps(batch.after)
        self.bus.batches += 1
        life.step()
        if batch.done is not None:
            await batch.done()

    def _tell(self, read: Read) -> None:
        if isinstance(read, BadRecord):
            self.bus.refused.append(read.reason)
        elif isinstance(read, Note):
            self.bus.notes.append(dict(read.fields))
        else:
            outcome = _mapped(read)
            self.bus.events.append(outcome)


def _mapped(read: Record) -> tuple[str, int, str]:
    mapped = MAPPING(read, Origin("X", "f", "b", 1))
    assert isinstance(mapped, Mapped)
    (event,) = mapped.events
    assert isinstance(event, Status)
    return event.record, event.revision.number, "gone" if event.operation == "retract" else event.reason or ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where extracts are dropped."""
    made = tmp_path / "drop"
    made.mkdir()
    return made


def drop(folder: Path, number: int, rows: Any, **options: Any) -> None:
    """An extract comes."""
    (folder / f"e{number:04}.dat").write_text(text_of(number, rows, **options))


@pytest.fixture
def host(folder: Path, tmp_path: Path) -> Host:
    """A machine."""
    return Host(folder, Bus(), tmp_path / "machine")


async def test_only_what_is_new_changed_or_gone_is_standing(host: Host) -> None:
    drop(host.folder, 1, {"A1": "a", "B1": "b", "C1": "c"})
    assert await host.poll() == [("A1", 1, "a"), ("B1", 1, "b"), ("C1", 1, "c")]
    drop(host.folder, 2, {"C1": "c", "B1": "B", "D1": "d"})
    assert await host.poll() == [("B1", 2, "B"), ("D1", 2, "d"), ("A1", 2, "gone")]
    counted = {name: host.bus.notes[2][name] for name in ("rows", "new", "changed", "gone")}
    assert counted == {"rows": 3, "new": 1, "changed": 1, "gone": 1}
    assert await host.poll() == []


async def test_a_row_that_comes_back_is_told_again(host: Host) -> None:
    for number, rows in enumerate(({"A1": "a", "B1": "b"}, {"B1": "b"}, {"A1": "a", "B1": "b"}), 1):
        drop(host.folder, number, rows)
        await host.poll()
    assert [each for each in host.bus.events if each[0] == "A1"] == [("A1", 1, "a"), ("A1", 2, "gone"), ("A1", 3, "a")]


async def test_two_extracts_wait_and_are_read_one_after_the_other(host: Host) -> None:
    drop(host.folder, 1, {"A1": "a", "B1": "b"})
    drop(host.folder, 2, {"A1": "A", "C1": "c"})
    assert await host.poll() == [("A1", 1, "a"), ("B1", 1, "b"), ("A1", 2, "A"), ("C1", 2, "c"), ("B1", 2, "gone")]


@pytest.mark.law(3, "a full extract sent again in another order and with other line ends")
async def test_the_same_extract_again_gives_nothing(host: Host) -> None:
    drop(host.folder, 1, {"A1": "a", "B1": "b"})
    await host.poll()
    # under another name, and with other line ends, which makes it another file
    (host.folder / "e0001-again.dat").write_text(text_of(1, {"B1": "b", "A1": "a"}).replace("\n", "\r\n"))
    assert await host.poll() == []
    assert (host.bus.refused, host.bus.notes[-1]) == ([], {"read as": "extract 1"})
    drop(host.folder, 2, {"A1": "a", "B1": "b"})
    assert await host.poll() == []


@pytest.mark.parametrize(
    ("number", "rows", "why"),
    [
        (1, {"A1": "old"}, "extract 1 is older than 3, which is done"),
        (3, {"A1": "a", "B1": "other"}, "extract 3 has other rows than the 3, which is done"),
        (4, {}, "it is empty, and the one before had 8 rows"),
        (4, {"A1": "a", "B1": "b", "C1": "c", "D1": "d"}, "it has 4 rows, and the one before had 8"),
    ],
    ids=["older", "of the same number", "empty", "half"],
)
async def test_an_extract_that_cannot_be_right_is_refused_whole_and_taken_if_asked(
    host: Host, number: int, rows: Any, why: str
) -> None:
    everything = {f"{name}1": name.lower() for name in "ABCDEFGH"}
    drop(host.folder, 3, everything)
    await host.poll()
    (host.folder / "next.dat").write_text(text_of(number, rows))
    for _ in range(3):  # told once, and named as long as it lies there
        assert await host.poll() == []
        assert any(why in each for each in host.deferred)
    (reason,) = host.bus.refused
    assert why in reason
    accept = reason.partition("accept = '")[2].partition("'")[0]
    host.transport = replace(host.transport, accept=accept)
    await host.poll()
    assert host.bus.standing() == rows
    assert host.deferred == []


async def test_behind_a_refused_extract_the_next_good_one_is_read(host: Host) -> None:
    rows = {f"{name}1": name.lower() for name in "ABCDEFGH"}
    drop(host.folder, 1, rows)
    drop(host.folder, 2, {})
    drop(host.folder, 3, rows | {"A1": "A"})
    assert ("A1", 3, "A") in await host.poll()
    assert len(host.bus.refused) == 1
    assert await host.poll() == []
    assert host.deferred == []
    assert host.bus.standing() == rows | {"A1": "A"}


async def test_of_two_refused_extracts_the_first_can_be_taken(host: Host) -> None:
    """What was read since lies before it in no sense: the transport goes back for it, and nothing is read twice."""
    rows = {f"{name}1": name.lower() for name in "ABCDEFGH"}
    for number, some in ((1, rows), (2, {"A1": "two"}), (3, {})):
        drop(host.folder, number, some)
        await host.poll()
    assert len(host.bus.refused) == 2
    assert ["e0002.dat" in host.deferred[0], "e0003.dat" in host.deferred[1]] == [True, True]
    accept = host.bus.refused[0].partition("accept = '")[2].partition("'")[0]
    host.transport = replace(host.transport, accept=accept)
    await host.poll()
    assert host.bus.standing() == {"A1": "two"}
    host.transport = replace(host.transport, accept="")
    assert await host.poll() == []
    assert len(host.bus.position) < 2_000


@pytest.mark.parametrize("damage", ["no trailer", "count", "cut"])
async def test_nothing_is_told_of_an_extract_that_is_not_whole(host: Host, damage: str) -> None:
    drop(host.folder, 1, {"A1": "a", "B1": "b"})
    await host.poll()
    whole = text_of(2, {"A1": "A", "C1": "c"})
    broken = {"no trailer": whole[: whole.index("T|")], "count": whole.replace("T|2", "T|3"), "cut": whole[:-14]}
    path = host.folder / "e0002.dat"
    path.write_text(broken[damage])
    assert await host.poll() == []
    (reason,) = host.bus.refused
    assert reason.startswith("the extract is refused whole: it is not whole")
    path.write_text(whole)  # sent again under its name
    assert await host.poll() == [("A1", 2, "A"), ("C1", 2, "c"), ("B1", 2, "gone")]


@pytest.mark.law(2, "a row that cannot be read is no deletion")
async def test_a_row_that_cannot_be_read_does_not_look_like_a_deletion(host: Host) -> None:
    drop(host.folder, 1, {"A1": "a", "B1": "b", "C1": "c"})
    await host.poll()
    # which row it was nobody can tell: so neither counts as gone
    drop(host.folder, 2, [("A1", "A|x"), ("B1", "b")])
    assert await host.poll() == []
    assert len(host.bus.refused) == 1
    assert "2 rows are not in it and do not count as gone, because the key of 1 others" in host.deferred[0]
    again = text_of(3, [("A1", "A|x"), ("B1", "B")]).replace("A|x|3", "A|x|2")
    (host.folder / "e0003.dat").write_text(again)
    assert await host.poll() == [("B1", 3, "B")]
    assert len(host.bus.refused) == 1, "the same row, refused before, is told once"
    drop(host.folder, 4, {"A1": "a", "B1": "B"})
    assert await host.poll() == [("C1", 4, "gone")]
    assert host.deferred == []


class KeyedFormat(DelimitedFormat):
    """A format that knows the key of a row that it cannot read."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        for read in DelimitedFormat.read(self, stream):
            if isinstance(read, BadRecord) and read.raw.startswith(b"D|"):
                read = BadRecord(read.reason, place=read.place, raw=read.raw, record=read.raw.decode().split("|")[1])
            yield read


async def test_of_a_bad_row_with_its_key_that_row_alone_stands(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed = KeyedFormat(FORMAT.header, FORMAT.detail, FORMAT.trailer, controls=FORMAT.controls)
    monkeypatch.setitem(Host._deliver.__globals__, "FORMAT", keyed)
    drop(host.folder, 1, {"A1": "a", "B1": "b", "C1": "c"})
    await host.poll()
    drop(host.folder, 2, [("A1", "A|x"), ("B1", "b")])
    assert await host.poll() == [("C1", 2, "gone")]
    drop(host.folder, 3, {"B1": "b"})
    assert await host.poll() == [("A1", 3, "gone")]


async def test_a_key_twice_is_refused_where_the_rows_differ(host: Host) -> None:
    drop(host.folder, 1, {"A1": "a", "B1": "b"})
    await host.poll()
    drop(host.folder, 2, [("A1", "x"), ("A1", "y"), ("B1", "b"), ("B1", "b"), ("C1", "c"), ("C1", "d")])
    assert await host.poll() == []
    assert host.bus.refused == ["its key stands twice in the extract, with different contents"] * 4
    assert host.bus.notes[-2]["twice"] == 3
    drop(host.folder, 3, [("A1", "x"), ("A1", "y"), ("B1", "b"), ("B1", "b")])
    assert await host.poll() == []
    assert len(host.bus.refused) == 4, "told once"
    drop(host.folder, 4, {"A1": "y", "B1": "b"})
    assert await host.poll() == [("A1", 4, "y")]


# --- kills ---------------------------------------------------------------------------------------------------------


def history(rng: Random, extracts: int) -> list[dict[str, str]]:
    """What successive extracts hold."""
    rows: dict[str, str] = {f"K{key}": "0" for key in range(8)}
    results = [dict(rows)]
    for number in range(1, extracts):
        for key in [*rows]:
            if rng.random() < 0.25:
                rows[key] = f"{number}"
            elif rng.random() < 0.15:
                del rows[key]
        for key in range(10):
            if rng.random() < 0.15:
                rows.setdefault(f"K{key}", f"{number}")
        results.append(dict(rows))
    return results


async def _quiet(folder: Path, directory: Path, extracts: Sequence[Mapping[str, str]]) -> Bus:
    host = Host(folder, Bus(), directory)
    for number, rows in enumerate(extracts, 1):
        drop(folder, number, rows)
        await host.poll()
    return host.bus


@pytest.mark.law(
    2, "full extracts: killed at every step, on one machine or on ever others, with the events of a quiet run"
)
@pytest.mark.parametrize("moves", [False, True], ids=["the same machine", "another machine"])
@pytest.mark.parametrize("prefetch", [False, True], ids=["one by one", "prefetched"])
async def test_killed_at_every_step_it_tells_what_a_quiet_run_tells(
    tmp_path: Path, moves: bool, prefetch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All extracts wait; each life ends one step later than the one before, and the last one ends well."""
    monkeypatch.setattr(snapshot_state, "PART_BYTES", 60)  # several parts a run
    extracts = history(Random(5), 4)
    for place in ("quiet", "killed"):
        (tmp_path / place).mkdir()
    quiet = await _quiet(tmp_path / "quiet", tmp_path / "machine", extracts)
    for number, rows in enumerate(extracts, 1):
        drop(tmp_path / "killed", number, rows)
    life = Life()
    await Host(tmp_path / "killed", Bus(), tmp_path / "count", prefetch=prefetch).poll(life)
    for at in range(life.steps):
        bus = Bus()
        for part in range(3):  # killed, killed again at the same number of steps, then in peace
            directory = tmp_path / f"m{at}-{part if moves else 0}"
            host = Host(tmp_path / "killed", bus, directory, prefetch=prefetch)
            if part == 2:
                await host.poll()
            else:
                with pytest.raises(Killed) if bus.batches < len(extracts) and part == 0 else _any():
                    await host.poll(Life(at))
        assert bus.ids() == quiet.ids(), at
        assert bus.standing() == extracts[-1]
        assert len(bus.values) == sum(len(each) for _, _, each in orjson.loads(bus.position)["runs"]), at


class _any:
    """Whether it is killed or not."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, *_: object) -> bool:
        return kind is None or issubclass(kind, Killed)


@dataclass
class Table:
    """A view that is read whole, each time as it is then."""

    rows: dict[str, str]

    def open(self, url: str, format: Any, credentials: Any = None) -> Table:
        return self

    def offline(self, source: Path | bytes, format: Any) -> Iterator[Read]:
        return self._reads()

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        async def records() -> AsyncIterator[Read]:
            for read in frozen:
                yield read

        frozen = list(self._reads())
        yield Batch("poll", records, (position or 0) + 1)

    def _reads(self) -> Iterator[Read]:
        for key, value in self.rows.items():
            yield Record(f"row {key}", f"{key} {value}".encode(), {"KEY": key, "VALUE": value})
        yield Closing("end", b"")

    async def close(self) -> None:
        return


@pytest.mark.law(2, "a view read whole that is another after the kill: what was told before is told anew or taken back")
@pytest.mark.parametrize("seed", range(6))
async def test_a_table_that_changes_between_a_kill_and_the_next_read_leaves_no_ghost(tmp_path: Path, seed: int) -> None:
    """What was told before the kill may be gone or otherwise now, and nobody saved how far the reading was."""
    rng = Random(seed)
    states = history(rng, 30)
    bus = Bus()
    for number, rows in enumerate(states):
        table = Table(dict(rows))
        transport = Snapshot(table, key=key_of, keep=("KEY",), few=99)
        directory = tmp_path / f"m{rng.randrange(3)}"
        host = Host(tmp_path, bus, directory, transport)
        kill = Life(rng.randrange(14)) if number + 1 < len(states) else None
        with _any():
            await host.poll(kill)
    assert bus.standing() == states[-1]


async def test_a_feed_that_starts_anew_tells_the_same_events(host: Host) -> None:
    """Its checkpoint was deleted; what the extracts held is still in the storage."""
    drop(host.folder, 1, {"A1": "a", "B1": "b"})
    await host.poll()
    drop(host.folder, 2, {"A1": "A", "C1": "c"})
    await host.poll()
    before = host.bus.ids()
    host.bus.position = b"null"
    (host.folder / "e0001.dat").unlink()
    await host.poll()
    assert host.bus.ids() == before
    assert host.bus.standing() == {"A1": "A", "C1": "c"}


async def test_a_missing_part_stops_the_feed_and_guesses_nothing(host: Host, tmp_path: Path) -> None:
    drop(host.folder, 1, {"A1": "a"})
    await host.poll()
    host.bus.values.clear()
    host.directory = tmp_path / "another machine"
    drop(host.folder, 2, {"B1": "b"})
    with pytest.raises(SourceDown, match="what the last extract held is not in the storage"):
        await host.poll()
    assert host.bus.events == [("A1", 1, "a")]


async def test_a_damaged_copy_on_this_machine_is_made_anew(host: Host) -> None:
    drop(host.folder, 1, {"A1": "a", "B1": "b"})
    await host.poll()
    assert host.directory is not None
    for path in host.directory.iterdir():
        path.write_bytes(b"no database" * 100)
    drop(host.folder, 2, {"A1": "a"})
    assert await host.poll() == [("B1", 2, "gone")]


async def test_a_file_that_is_replaced_between_the_two_readings_is_noticed(host: Host) -> None:
    """Small files are held; of a large one the second reading may meet another."""
    rows = {f"K{key:06}": "v" * 40 for key in range(8_000)}
    drop(host.folder, 1, rows)
    transport = host.transport.open(str(host.folder), FORMAT)
    batch = await anext(aiter(transport.batches(None)))
    drop(host.folder, 1, rows | {"K000700": "w" * 40})
    with pytest.raises(SourceDown, match="became another while it was read"):
        _ = [read async for read in batch.records()]
    await transport.close()


async def test_a_batch_that_is_read_again_gives_the_same(host: Host) -> None:
    drop(host.folder, 1, {"A1": "a", "B1": "b"})
    drop(host.folder, 2, {"B1": "B"})
    transport = host.transport.open(str(host.folder), FORMAT)
    batches = [batch async for batch in transport.batches(None)]
    once = [[read async for read in batch.records()] for batch in batches]
    assert [[read async for read in batch.records()] for batch in batches] == once
    assert len({batch.content for batch in batches}) == 2
    await transport.close()


def test_a_row_is_read_again_alone_with_its_number() -> None:
    feed = Feed("f", stage(), MAPPING, FORMAT)
    reads = list(feed.offline(text_of(7, {"A1": "a"}).encode()))
    context = reads[0].raw
    (again,) = feed.reread(reads[1].raw, Met("line 2", context, 1))
    assert again == reads[1]
    gone = b'{"gone":{"KEY":"A1"}}'
    (again,) = feed.reread(gone, Met("gone since extract 7", context, 2))
    assert isinstance(again, Gone)
    assert _mapped(again) == ("A1", 7, "gone")
    (bad,) = feed.reread(reads[1].raw, Met("line 2"))
    assert isinstance(bad, BadRecord)


def test_offline_an_archive_holds_extracts_one_after_another() -> None:
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, rows in enumerate(({"A1": "a", "B1": "b"}, {"B1": "B"}), 1):
            content = text_of(number, rows).encode()
            info = tarfile.TarInfo(f"e{number}.dat")
            info.size = len(content)
            tar.addfile(info, BytesIO(content))
    feed = Feed("f", stage(), MAPPING, FORMAT)
    reads = [read for read in feed.offline(archive.getvalue()) if isinstance(read, Record)]
    assert [_mapped(read) for read in reads] == [("A1", 1, "a"), ("B1", 1, "b"), ("B1", 2, "B"), ("A1", 2, "gone")]


def test_options_reach_the_stage_and_what_is_in_it() -> None:
    feed = Feed("f", stage(), MAPPING, FORMAT).configured({"accept": "x", "unchanged": 3.0})
    assert isinstance(feed.transport, Snapshot)
    assert isinstance(feed.transport.inner, FileDrop)
    assert (feed.transport.accept, feed.transport.inner.unchanged) == ("x", 3.0)
    with pytest.raises(ValueError, match="no option inner"):
        feed.configured({"inner": 1})
    with pytest.raises(ValueError, match="no option colour"):
        feed.configured({"colour": 1})


async def test_what_is_kept_has_to_name_the_row(host: Host) -> None:
    host.transport = stage(keep=("VALUE",))
    drop(host.folder, 1, {"A1": "a"})
    with pytest.raises(ValueError, match=r"KEY is absent|do not give the key"):
        await host.poll()


async def test_runs_are_gathered_into_one_and_what_they_replace_is_dropped(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.transports.snapshot.LEAST_CHANGES", 6)
    extracts = history(Random(3), 40)
    for number, rows in enumerate(extracts, 1):
        drop(host.folder, number, rows)
        await host.poll()
        runs = orjson.loads(host.bus.position)["runs"]
        assert len(host.bus.values) == sum(len(digests) for _, _, digests in runs)
        assert len(runs) < 15
    assert host.bus.standing() == extracts[-1]


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_rows(tmp_path: Path, folder: Path) -> None:
    host = Host(folder, Bus(), tmp_path / "machine")
    peaks: list[int] = []
    for number, count in ((1, 20_000), (2, 100_000)):
        with (folder / f"e{number}.dat").open("w") as file:
            file.write(f"H|{number}\n")
            file.writelines(f"D|K{key:07}|{number}|x\n" for key in range(count))
            file.write(f"T|{count}\n")
        host.bus.events.clear()
        tracemalloc.start()
        connection = host.transport.open(str(folder), FORMAT)
        storage = _Spilled(tmp_path / f"values{number}")
        connection.keep_in(storage)
        async for batch in connection.batches(None):
            async for _ in batch.records():
                pass
        await connection.close()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        (folder / f"e{number}.dat").unlink()
    assert peaks[1] < 2 * peaks[0] + 8_000_000, peaks


@dataclass
class _Spilled:
    """A storage that holds nothing in memory."""

    directory: Path

    async def names(self) -> list[str]:
        return []

    async def load(self, name: str) -> bytes:
        raise KeyError(name)

    async def keep(self, values: Mapping[str, bytes]) -> None:
        return

    async def drop(self, names: Sequence[str]) -> None:
        return


# --- planted bugs --------------------------------------------------------------------------------------------------

BUGS: dict[str, tuple[object, str, Callable[..., Any]]] = {}


def _bug(name: str, where: object, attribute: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def plant(function: Callable[..., Any]) -> Callable[..., Any]:
        BUGS[name] = (where, attribute, function)
        return function

    return plant


_COMPARE = State.compare
_DOUBT = State.doubt


@_bug("deletions whatever could not be read", State, "compare")
def _always_deletes(self: State, number: int, *, deletions: bool, doubts: bool) -> None:
    _COMPARE(self, number, deletions=True, doubts=doubts)


@_bug("what was broken off is forgotten", State, "doubt")
def _forgets(self: State, part: bytes) -> None:
    return


@_bug("deletions are forgotten", State, "compare")
def _never_deletes(self: State, number: int, *, deletions: bool, doubts: bool) -> None:
    _COMPARE(self, number, deletions=False, doubts=doubts)


async def _standing(folder: Path, directory: Path) -> dict[str, str]:
    """What stands after a bad row, a deletion, and a kill behind which the table is another."""
    await asyncio.to_thread(folder.mkdir)
    bus = Bus()
    three = [("A1", "a"), ("B1", "b"), ("C1", "c")]
    for number, rows in enumerate((three, [("A1", "A|x"), *three[1:]]), 1):
        drop(folder, number, rows)
        await Host(folder, bus, directory).poll()
    seen = bus.standing()
    table = Bus()
    for rows, kill in (
        ({"A1": "a"}, None),
        ({"A1": "a", "B1": "b"}, Life(4)),
        ({"A1": "a"}, None),
        ({"C1": "c"}, None),
    ):
        transport = Snapshot(Table(rows), key=key_of, keep=("KEY",), few=99)
        with _any():
            await Host(folder, table, directory.with_name("t"), transport).poll(kill)
    assert "B1" in {key for key, _, _ in table.events}, "the kill came behind the event"
    return {**{f"file {key}": what for key, what in seen.items()}, **table.standing()}


@pytest.mark.law(2, planted="a comparison that was broken off is forgotten; deletions are; a bad row makes deletions")
@pytest.mark.parametrize("bug", [None, *BUGS])
async def test_planted_bugs_show(tmp_path: Path, bug: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if bug is not None:
        where, attribute, planted = BUGS[bug]
        monkeypatch.setattr(where, attribute, planted)
    right = {"file A1": "a", "file B1": "b", "file C1": "c", "C1": "c"}
    assert (await _standing(tmp_path / "drop", tmp_path / "machine") == right) == (bug is None)


def test_the_stage_is_what_its_protocols_ask_for() -> None:
    assert isinstance(stage(), Stage)
    connection: Connection = stage().open("/nowhere", FORMAT)
    assert isinstance(connection, Keeps)
    assert isinstance(connection, Defers)
    storage: Storage = InMemory()
    assert storage.directory is None
    assert NUMBER
