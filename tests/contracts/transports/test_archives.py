"""Zip archives: member by member, damaged and deceiving ones refused before anything of them is read."""

from __future__ import annotations

import os
import tracemalloc
import zlib
from dataclasses import replace
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson
import pytest
from contracts.transports.test_file_drop import NOW, feed, poll, put
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opening import connect
from systems.sevis.build import archive, stored

from adapters.core import BadRecord, Read
from adapters.transports.archives import FREE, RATIO, read_zip


def reported(raw: bytes, limit: int = 2**30) -> list[str]:
    """Place and what was read there."""
    plain = feed()
    assert plain.format is not None
    return [_said(read) for read in read_zip(BufferedReader(BytesIO(raw)), plain.format, limit)]


def _said(read: Read) -> str:
    return f"{read.place}: {read.reason if isinstance(read, BadRecord) else dict(read.fields)['text']}"


def test_members_are_read_one_after_another_and_a_bare_file_as_it_is() -> None:
    raw = archive({"b": b"1\n2\n", "folder/": b"", "a": b"3\n"})
    assert reported(raw) == ["b, line: 1", "b, line: 2", "a, line: 3"]
    assert reported(b"1\n2\n") == ["line: 1", "line: 2"]
    assert reported(b"") == []


def test_a_bomb_is_refused_and_the_others_are_read() -> None:
    bomb = b"\n" * (RATIO * FREE // 50)
    result = reported(archive({"bomb": bomb, "good": b"1\n"}))
    assert result[0].startswith("bomb: unpacks from ")
    assert result[1:] == ["good, line: 1"]


def test_a_small_member_that_packs_well_is_no_bomb() -> None:
    assert len(reported(archive({"blank": b"\n" * 20_000}))) == 20_000


def test_all_members_together_have_one_limit() -> None:
    raw = archive({"a": b"1\n" * 40, "b": b"2\n" * 40, "c": b"3\n"}, ZIP_STORED)
    result = reported(raw, 100)
    assert result[40:] == ["b: unpacks to 80 bytes, 20 are left", "c, line: 3"]


def test_nothing_of_a_damaged_member_is_read() -> None:
    raw = archive({"a": b"1\n2\n", "b": b"3\n"}, ZIP_STORED).replace(b"1\n2\n", b"1\n9\n")
    assert reported(raw) == ["a: cannot be unwrapped: Bad CRC-32 for file 'a'", "b, line: 3"]


@pytest.mark.parametrize(("small", "times"), [(1, 2), (10_000, 1)])
def test_a_small_member_is_unpacked_once_and_told_alike(
    small: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    right = ZipFile.open

    def counting(archive: ZipFile, member: ZipInfo) -> IO[bytes]:
        opened.append(member.filename)
        return right(archive, member)

    damaged = archive({"a": b"1\n2\n", "b": b"3\n"}, ZIP_STORED).replace(b"3\n", b"4\n")
    monkeypatch.setattr("adapters.transports.archives.SMALL", small)
    monkeypatch.setattr(ZipFile, "open", counting)
    assert reported(damaged) == ["a, line: 1", "a, line: 2", "b: cannot be unwrapped: Bad CRC-32 for file 'b'"]
    assert opened == ["a"] * times + ["b"]


@settings(deadline=None)
@given(st.integers(0, 160), st.integers(0, 255), st.sampled_from([b"1\n2\n", b"", b"PK\3\4", b"1\n" * 90]))
@example(0, 0, b"1\n2\n")
@example(56, 108, b"")
def test_the_only_member_of_an_archive_is_told_alike_by_the_short_way(place: int, byte: int, text: bytes) -> None:
    raw = bytearray(archive({"only": text}))
    raw[place % len(raw)] ^= byte
    short = reported(bytes(raw))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.transports.archives._unpacked", lambda *_: None)
        assert reported(bytes(raw)) == short


def with_comment(raw: bytes, comment: bytes) -> bytes:
    """An archive with a comment behind it."""
    return raw[:-2] + len(comment).to_bytes(2, "little") + comment


@pytest.mark.parametrize("name", ["only", "folder/", "folder/only", "M\u00fcller", "a" * 200, "a\n"])
@pytest.mark.parametrize("limit", [3, 4, 2**30])
@pytest.mark.parametrize("before", [b"", b"PK and more"])
def test_an_odd_archive_of_one_member_is_told_alike_by_the_short_way(name: str, limit: int, before: bytes) -> None:
    raw = before + archive({name: b"1\n2\n"})
    for one in (raw, with_comment(raw, b"PK\5\6"), raw + b"\n", archive({name: b"1\n2\n"}, ZIP_STORED)):
        short = reported(one, limit)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("adapters.transports.archives._only", lambda *_: None)
            assert reported(one, limit) == short


def test_the_only_member_of_a_small_archive_is_not_asked_of_zipfile(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = archive({"only": b"1\n2\n"})
    monkeypatch.setattr("adapters.transports.archives.ZipFile", None)
    assert reported(raw) == ["only, line: 1", "only, line: 2"]


def test_what_cannot_be_unwrapped_is_told() -> None:
    whole = archive({"a": b"1\n"})
    assert reported(whole[:-10]) == ["the archive: no archive that can be unwrapped: File is not a zip file"]
    assert reported(stored("a", b"1\n", flags=1)) == ["a: encrypted"]
    assert reported(archive({"a": whole})) == ["a: an archive inside the archive"]
    assert reported(archive({"a\n\x1b[2J": b"x"})) == ["a??[2J, the end: no line end"]


def entry(raw: bytes, name: str, monkeypatch: pytest.MonkeyPatch, kept: int | None = None) -> BadRecord:
    """The one member that is refused."""
    if kept is not None:
        monkeypatch.setattr("adapters.transports.archives.KEPT", kept)
    plain = feed().format
    assert plain is not None
    reads = list(read_zip(BufferedReader(BytesIO(raw)), plain, 2**30))
    (bad,) = [read for read in reads if isinstance(read, BadRecord) and read.place == name]
    return bad


@pytest.mark.law(2, "a zip member that cannot be unpacked")
@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED])
def test_a_refused_member_is_kept_as_it_is_packed(method: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local header and packed bytes: put back into an archive they are the member again."""
    text = bytes(range(256)) * 40 + b"\n"
    raw = archive({"a": b"1\n", "b": text, "c": b"2\n"}, method)
    begin, end = raw.index(b"PK\3\4", 4), raw.rindex(b"PK\3\4")
    damaged = bytearray(raw)
    damaged[raw.index(b"PK\1\2", raw.index(b"PK\1\2") + 4) + 16] ^= 1  # its checksum in the directory
    bad = entry(bytes(damaged), "b", monkeypatch)
    assert bad.reason == "cannot be unwrapped: Bad CRC-32 for file 'b'"
    assert bad.raw == raw[begin:end]
    packed = bad.raw[31:]
    assert text == (zlib.decompress(packed, -15) if method == ZIP_DEFLATED else packed)


def test_what_refused_members_keep_is_bounded_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = archive({"a": b"PK\3\4" + b"x" * 500, "b": b"PK\3\4" + b"y" * 500}, ZIP_STORED)
    first = entry(raw, "a", monkeypatch, 600)
    second = entry(raw, "b", monkeypatch, 600)
    assert (len(first.raw), len(second.raw)) == (535, 65)
    assert first.reason == "an archive inside the archive"
    assert second.reason == first.reason + "; 65 of its bytes are kept here, all of it in the archive"
    assert raw[:535] == first.raw
    assert raw[535:600] == second.raw


@pytest.mark.parametrize("offset", [0, 1, 2**32 - 2])
def test_a_member_that_is_nowhere_keeps_what_stands_there(offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bytearray(archive({"a": b"1\n", "b": b"2\n"}, ZIP_STORED))
    at = raw.rindex(b"PK\1\2")
    raw[at + 42 : at + 46] = offset.to_bytes(4, "little")
    bad = entry(bytes(raw), "b", monkeypatch)
    assert len(bad.raw) <= len(raw)
    assert bad.raw in bytes(raw)


def test_a_directory_without_end_is_not_taken_into_memory() -> None:
    """Forty megabytes of entries: the archive is refused, not read."""
    raw = archive({"a": b"1\n"}, ZIP_STORED)
    at, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    entries = raw[at:end] * 900_000
    tail = bytearray(raw[end:])
    tail[12:16] = len(entries).to_bytes(4, "little")
    data = raw[:at] + entries + bytes(tail)
    tracemalloc.start()
    try:
        result = reported(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result == [f"the archive: no archive that can be unwrapped: a directory of {len(entries)} bytes"]
    assert peak < 2_000_000


async def test_resuming_after_any_archive_gives_the_rest(tmp_path: Path) -> None:
    zipped = feed(unwrap="zip")
    for number in range(4):
        put(tmp_path, f"N{number}", archive({"a": f"{number}\n".encode(), "b": b"x\n"}))
    whole, _ = await poll(tmp_path, None, zipped)
    assert whole[0] == ("N0", ["0", "x"])
    position: Any = None
    for index in range(4):
        position = await _after_one(tmp_path, position)
        assert (await poll(tmp_path, position, zipped))[0] == whole[index + 1 :]


async def _after_one(folder: Path, position: Any) -> Any:
    async for batch in connect(str(folder), feed(unwrap="zip")).batches(position):
        return orjson.loads(orjson.dumps(batch.after))
    return position


async def test_half_an_archive_waits_while_it_is_young(tmp_path: Path) -> None:
    whole = archive({"a": b"1\n"})
    young = feed(unwrap="zip", patience=900)
    path = put(tmp_path, "N1", whole[:-30])
    assert (await poll(tmp_path, None, young))[0] == []
    os.utime(path, (NOW - 901, NOW - 901))
    result, _ = await poll(tmp_path, None, young)
    assert result == [("N1", ["no archive that can be unwrapped: File is not a zip file"])]
    put(tmp_path, "N1", whole)
    assert (await poll(tmp_path, None, replace(young)))[0] == [("N1", ["1"])]
