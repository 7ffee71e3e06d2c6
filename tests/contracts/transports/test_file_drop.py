"""Files in a directory: each one once, whatever happens to it."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pytest
from opening import connect, events_of
from systems.i94.build import ARRIVAL, detail, night

from adapters.core import (
    BadRecord,
    Closing,
    Completeness,
    Feed,
    Header,
    Json,
    KnowsEnd,
    Mapped,
    Origin,
    Read,
    Record,
    SourceDown,
)
from adapters.registry import systems
from adapters.transports import file_drop
from adapters.transports.file_drop import DropFolder, FileDrop


@dataclass(frozen=True)
class Lines:
    """The simplest format: a record is a line. With `end` a file is whole once that is its last line."""

    end: bytes | None = None

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        left = b""
        while data := stream.read(7):
            *whole, left = (left + data).split(b"\n")
            yield from (Record("line", line, {"text": line.decode()}) for line in whole)
        if left:
            yield BadRecord("no line end", place="the end", raw=left)

    def is_complete(self, stream: BinaryIO) -> Completeness:
        return (
            Completeness.CLOSED if self.end is None or stream.read().endswith(self.end + b"\n") else Completeness.OPEN
        )


NOW = 2_000_000_000.0


def feed(format: Lines | None = None, **options: Any) -> Feed:
    """Takes files at once unless told otherwise, by a clock that stands at NOW."""
    known: dict[str, Any] = {"pattern": "N*", "unchanged": 0, "patience": 0, "clock": lambda: NOW}
    return Feed("drop", FileDrop(**known), lambda entry, origin: Mapped(), format or Lines()).configured(options)


def put(folder: Path, name: str, data: bytes, age: float = 100.0) -> Path:
    path = folder / name
    path.write_bytes(data)
    os.utime(path, (NOW - age, NOW - age))
    return path


async def poll(folder: Path, position: Json | None, feed: Feed) -> tuple[list[tuple[str, list[Any]]], Json | None]:
    """Names of the batches with what they hold, and the position after them."""
    transport = connect(str(folder), feed)
    results = []
    async for batch in transport.batches(position):
        position = orjson.loads(orjson.dumps(batch.after))
        reads = [read async for read in batch.records()]
        results.append((batch.name, [_said(read) for read in reads]))
    await transport.close()
    return results, position


def _said(read: Read) -> Any:
    if isinstance(read, Record):
        return read.fields["text"]
    return read.reason if isinstance(read, BadRecord) else dict(read.fields)


async def test_files_are_read_in_the_order_of_their_names_and_once(tmp_path: Path) -> None:
    put(tmp_path, "N2", b"c\n")
    put(tmp_path, "N1", b"a\nb\n")
    first, position = await poll(tmp_path, None, feed())
    assert first == [("N1", ["a", "b"]), ("N2", ["c"])]
    assert await poll(tmp_path, position, feed()) == ([], position)
    put(tmp_path, "N3", b"d\n")
    assert (await poll(tmp_path, position, feed()))[0] == [("N3", ["d"])]


async def test_resuming_after_any_batch_gives_the_rest(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, f"N{number}", f"line {number}\n".encode())
    transport = connect(str(tmp_path), feed())
    batches = [batch async for batch in transport.batches(None)]
    whole, _ = await poll(tmp_path, None, feed())
    for index, batch in enumerate(batches):
        assert (await poll(tmp_path, batch.after, feed()))[0] == whole[index + 1 :]


async def test_a_batch_can_be_read_again(tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\nb\n")
    async for batch in connect(str(tmp_path), feed()).batches(None):
        once, again = [[_said(read) async for read in batch.records()] for _ in range(2)]
        assert once == again == ["a", "b"]


async def test_what_is_still_being_written_waits(tmp_path: Path) -> None:
    put(tmp_path, "N1.part", b"a\n")
    put(tmp_path, "N1.tmp", b"a\n")
    put(tmp_path, ".N1", b"a\n")
    put(tmp_path, "other", b"a\n")
    (tmp_path / "N-folder").mkdir()
    put(tmp_path, "N1", b"a\n", age=5)
    assert (await poll(tmp_path, None, feed(unchanged=30)))[0] == []
    put(tmp_path, "N1", b"a\n", age=31)
    assert (await poll(tmp_path, None, feed(unchanged=30)))[0] == [("N1", ["a"])]


async def test_a_file_without_its_end_waits_while_it_is_young(tmp_path: Path) -> None:
    whole = Lines(end=b"END")
    put(tmp_path, "N1", b"a\n", age=100)
    put(tmp_path, "N2", b"a\nEND\n", age=100)
    result, position = await poll(tmp_path, None, feed(whole, patience=900))
    assert result == [("N2", ["a", "END"])], "the younger of the two does not wait for the older"
    put(tmp_path, "N1", b"b\nEND\n", age=100)
    assert (await poll(tmp_path, position, feed(whole, patience=900)))[0] == [("N1", ["b", "END"])]
    put(tmp_path, "N3", b"c\n", age=901)
    assert ("N3", ["c"]) in (await poll(tmp_path, position, feed(whole, patience=900)))[0]


async def test_a_half_written_night_waits_for_its_trailer(tmp_path: Path) -> None:
    """The same with the real format of the I-94."""
    real = systems()["I94"].feed("nightly")
    nightly = real.configured({"unchanged": 0, "clock": lambda: NOW})
    whole = night([detail(ARRIVAL)])
    put(tmp_path, "I94.D20250314.S000412", whole[:600])
    transport = connect(str(tmp_path), nightly)
    assert [batch.name async for batch in transport.batches(None)] == []
    put(tmp_path, "I94.D20250314.S000412", whole)
    batches = [batch async for batch in transport.batches(None)]
    reads = [read async for read in batches[0].records()]
    assert [type(read) for read in reads] == [Header, Record, Closing]


async def test_a_night_whose_trailer_counts_all_of_it_is_taken_at_once(tmp_path: Path) -> None:
    real = systems()["I94"].feed("nightly")
    nightly = real.configured({"clock": lambda: NOW})
    details = [detail(ARRIVAL, TXN_NUMBER=number) for number in (1, 2)]
    put(tmp_path, "I94.D20250314.S000412", night(details), age=0)
    put(tmp_path, "I94.D20250314.S000413", night(details)[:500], age=0)
    put(tmp_path, "I94.D20250314.S000414", night(details)[:500] + night(details)[750:], age=0)
    put(tmp_path, "I94.D20250314.S000415", night(details)[:500], age=40)
    transport = connect(str(tmp_path), nightly)
    assert [batch.name async for batch in transport.batches(None)] == ["I94.D20250314.S000412"]
    assert [message.partition(": ")[::2] for message in transport.deferred()] == [
        ("I94.D20250314.S000413", "it is taken once it has lain unchanged for 30 s"),
        ("I94.D20250314.S000414", "it is taken once it has lain unchanged for 30 s"),
        (
            "I94.D20250314.S000415",
            "what closes it is missing; once it has lain unchanged for 900 s it is read as it is",
        ),
    ]


async def test_content_that_is_known_is_told_and_not_read_again(tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n")
    _, position = await poll(tmp_path, None, feed())
    put(tmp_path, "N1-again", b"a\n")
    result, position = await poll(tmp_path, position, feed())
    assert result == [("N1-again", [{"read as": "N1"}])]
    assert position["again"] == 1
    assert (await poll(tmp_path, position, feed()))[0] == []


@pytest.mark.law(3, "a file sent again under another name")
async def test_a_night_sent_again_gives_no_event_twice(tmp_path: Path) -> None:
    real = systems()["I94"].feed("nightly")
    nightly = real.configured({"unchanged": 0, "pattern": "I94.*"})
    for name in ("I94.D20250314.S000412", "I94.D20250314.S000412.copy"):
        put(tmp_path, name, night([detail(ARRIVAL)]))
    said = []
    async for batch in connect(str(tmp_path), nightly).batches(None):
        origin = Origin("I94", "nightly", batch.name, 1)
        results = [nightly.mapping(read, origin) async for read in batch.records() if not isinstance(read, BadRecord)]
        said.append([event for each in results for event in events_of(each)])
    assert [len(events) for events in said] == [3, 0]


async def test_a_file_that_changed_under_its_name_is_read_again(tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n")
    _, position = await poll(tmp_path, None, feed())
    put(tmp_path, "N1", b"a\nb\n", age=50)
    result, position = await poll(tmp_path, position, feed())
    assert result == [("N1", ["a", "b"])]
    put(tmp_path, "N1", b"a\nb\n", age=10)  # touched, the content is the same
    assert (await poll(tmp_path, position, feed()))[0] == []


async def test_a_file_that_comes_late_below_others_is_read(tmp_path: Path) -> None:
    put(tmp_path, "N5", b"e\n")
    _, position = await poll(tmp_path, None, feed())
    put(tmp_path, "N4", b"d\n")
    assert (await poll(tmp_path, position, feed()))[0] == [("N4", ["d"])]


async def test_a_file_that_went_away_is_no_error_before_and_a_source_down_after(tmp_path: Path) -> None:
    path = put(tmp_path, "N1", b"a\n" * 200_000)  # a large one is opened when it is read
    put(tmp_path, "N2", b"b\n")
    transport = connect(str(tmp_path), feed())
    names = []
    async for batch in transport.batches(None):
        names.append(batch.name)
        if batch.name == "N1":
            (tmp_path / "N2").unlink()
            path.unlink()
            with pytest.raises(SourceDown, match="N1: No such file"):
                [read async for read in batch.records()]
    assert names == ["N1"]


async def test_a_small_file_is_read_as_it_was_when_it_was_looked_at(tmp_path: Path) -> None:
    path = put(tmp_path, "N1", b"a\n")
    transport = connect(str(tmp_path), feed())
    async for batch in transport.batches(None):
        path.write_bytes(b"changed\n")
        reads = [read async for read in batch.records()]
        assert [read.raw for read in reads if isinstance(read, Record)] == [b"a"]
        assert batch.content == blake2b(b"a\n", digest_size=8).hexdigest()


async def test_a_directory_that_is_not_there_is_a_source_down(tmp_path: Path) -> None:
    with pytest.raises(SourceDown, match="No such file or directory"):
        await poll(tmp_path / "nowhere", None, feed())


async def test_a_file_address(tmp_path: Path) -> None:
    folder = tmp_path / "with blank"
    folder.mkdir()
    put(folder, "N1", b"a\n")
    transport = connect(folder.as_uri(), feed())
    assert [batch.name async for batch in transport.batches(None)] == ["N1"]


async def test_too_large_a_file_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n" * 51)
    put(tmp_path, "N2", b"a\n")
    result, position = await poll(tmp_path, None, feed(limit=100))
    assert result == [("N1", ["a file of 102 bytes, at most 100"]), ("N2", ["a"])]
    assert (await poll(tmp_path, position, feed(limit=100)))[0] == []


async def test_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(b"a\nb\n")
    put(tmp_path, "N1", whole)
    put(tmp_path, "N2", whole[:-6])
    put(tmp_path, "N3", b"no gzip\n")
    put(tmp_path, "N4", gzip.compress(b"a\n" * 10_000))
    result, _ = await poll(tmp_path, None, feed(unwrap="gzip", limit=1_000))
    assert result[0] == ("N1", ["a", "b"])
    assert result[1][1][:-1] == ["a", "b"], "what was unwrapped before the cut is read"
    assert result[1][1][-1].startswith("cannot be unwrapped: Compressed file ended")
    assert result[2][1] == ["cannot be unwrapped: Not a gzipped file (b'no')"]
    assert result[3][1][-1] == "more than 1000 bytes unwrapped"
    assert len(result[3][1]) < 502


async def test_the_position_stays_small_over_the_years(tmp_path: Path) -> None:
    """Three years of nights, all left lying: none is read twice, and the position does not grow with them."""
    nights = 1_100
    for number in range(nights):
        if number == nights - 50:
            await asyncio.sleep(0.03)  # the last tick of the clock of a file system is kept whole
        put(tmp_path, f"N{number:05}", f"{number}\n".encode())
    result, position = await poll(tmp_path, None, feed())
    assert len(result) == nights
    assert len(orjson.dumps(position)) < 8_000
    put(tmp_path, "N01100", b"new\n")
    put(tmp_path, "N00007x", b"late\n")
    assert [name for name, _ in (await poll(tmp_path, position, feed()))[0]] == ["N00007x", "N01100"]


async def test_unknown_options_and_feeds_without_format_are_mistakes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no option colour; there are clock, limit"):
        connect(str(tmp_path), feed(colour="red"))
    with pytest.raises(ValueError, match="unwrap"):
        connect(str(tmp_path), feed(unwrap="rar"))
    with pytest.raises(ValueError, match="files need a format"):
        connect(str(tmp_path), replace(feed(), format=None))


# --- what is not read is said, and holds no other file ---------------------------------------------------------------


async def test_names_that_do_not_match_are_told(tmp_path: Path) -> None:
    for name in ("N1", "n2", "N3.part", ".N4", "O5"):
        put(tmp_path, name, b"a\n")
    transport = connect(str(tmp_path), feed())
    assert [batch.name async for batch in transport.batches(None)] == ["N1"]
    assert list(transport.deferred()) == ["O5: its name does not match N*", "n2: its name does not match N*"]


async def test_a_name_that_is_no_utf8_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, os.fsdecode(b"N\xfc1"), b"a\n")
    put(tmp_path, "N2", b"b\n")
    first, position = await poll(tmp_path, None, feed())
    assert sorted(first) == [("N2", ["b"]), ("N\\xfc1", ["a"])]
    assert await poll(tmp_path, position, feed()) == ([], position)


async def test_a_file_that_may_not_be_read_is_told_and_holds_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the tests may be root, who may read all: the system's answer is made."""
    put(tmp_path, "N1", b"a\n")
    put(tmp_path, "N2", b"b\n")
    with monkeypatch.context() as denied:
        denied.setattr(file_drop, "_trouble", lambda path: "Permission denied" if path.name == "N1" else "")
        transport = connect(str(tmp_path), feed())
        batches = [batch async for batch in transport.batches(None)]
        assert [batch.name for batch in batches] == ["N2"]
        assert list(transport.deferred()) == ["N1: it may not be read: Permission denied"]
    later, _ = await poll(tmp_path, batches[-1].after, feed())
    assert later == [("N1", ["a"])], "once it may be read it is"


async def test_links_are_not_followed(tmp_path: Path) -> None:
    """Who may write the directory reads nothing by it that is not there; the link is named, and the rest goes on."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"a secret\n")
    folder = tmp_path / "in"
    folder.mkdir()
    put(folder, "N2", b"two\n")
    (folder / "N1").symlink_to(secret)
    (folder / "N3").symlink_to(folder / "N2")
    (folder / "N4").symlink_to(tmp_path / "nowhere")
    (folder / "N5").symlink_to(tmp_path)
    os.mkfifo(folder / "N6")
    transport = connect(str(folder), feed())
    results = [(batch.name, [_said(read) async for read in batch.records()]) async for batch in transport.batches(None)]
    assert [name for name, _ in results] == ["N2"]
    assert "secret" not in str(results)
    left = [f"N{number}: a link, which is not followed" for number in (1, 3, 4, 5)]
    assert sorted(transport.deferred()) == [*left, "N6: it is no file"]
    await transport.close()


@pytest.mark.parametrize("size", [1, 2**19], ids=["small", "large"])
@pytest.mark.parametrize("moment", ["_inodes", "_state"])
async def test_a_link_put_in_the_place_of_a_file_that_was_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, moment: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"a secret\n" * size)
    folder = tmp_path / "in"
    folder.mkdir()
    path = put(folder, "N1", b"good one\n" * size)
    plain = getattr(DropFolder, moment)

    def swapped(self: DropFolder, *words: Any) -> Any:
        result = plain(self, *words)
        path.unlink(missing_ok=True)
        path.symlink_to(secret)
        return result

    monkeypatch.setattr(DropFolder, moment, swapped)
    results, _ = await poll(folder, None, feed())
    assert results == []
    # planted: a transport that opens what lies there
    transport = connect(str(folder), feed())
    with pytest.raises(SourceDown, match="a link"):
        [*transport._reads(path)]
    monkeypatch.setattr("adapters.transports.file_drop.plain_file", lambda path: path.open("rb"))
    assert "a secret" in str([*transport._reads(path)])


async def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "N1").mkdir()
    os.mkfifo(tmp_path / "N2")
    put(tmp_path, "N3", b"a\n")
    for name in ("n4", "N5.gz"):
        put(tmp_path, name, b"a\n")
    transport = connect(str(tmp_path), feed())
    assert [batch.name async for batch in transport.batches(None)] == ["N3", "N5.gz"]
    assert sorted(transport.deferred()) == ["N1: it is no file", "N2: it is no file", "n4: its name does not match N*"]


@pytest.mark.law(2, "one file that cannot be read is named, and holds up no other")
@pytest.mark.parametrize("planted", [False, True])
async def test_a_file_that_cannot_be_read_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, planted: bool
) -> None:
    """Planted: a folder that is down where one of its files cannot be read."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("1\n")
    plain = file_drop.plain_file

    def failing(path: Path) -> BinaryIO:
        if path.name == "a.txt":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return plain(path)

    monkeypatch.setattr(file_drop, "plain_file", failing)
    if planted:
        monkeypatch.setattr(file_drop, "_trouble", lambda _path: "")
    drop = FileDrop(pattern="*.txt", unchanged=0).open(str(tmp_path), Lines())
    try:
        names = [batch.name async for batch in drop.batches(None)]
    except SourceDown:
        names = []
    assert names == ([] if planted else ["b.txt"])
    if not planted:
        assert drop.deferred() == ["a.txt: it may not be read: Input/output error"]


async def test_it_knows_how_far_it_is_by_the_bytes_of_its_files(tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n" * 10)
    put(tmp_path, "N2", b"b\n" * 30)
    put(tmp_path, "other", b"c\n")
    connection = connect(str(tmp_path), feed())
    assert isinstance(connection, KnowsEnd)
    assert connection.extent() == (0, 0)
    seen = []
    async for batch in connection.batches(None):
        seen.append(connection.extent())
        position = batch.after
    assert sorted(each[1] for each in seen) == [80, 80]
    assert connection.extent() == (80, 80)
    assert [batch async for batch in connection.batches(position)] == []
    assert connection.extent()[0] == 0  # what is known is no part of a look
    await connection.close()
