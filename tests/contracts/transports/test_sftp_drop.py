"""Files on a real OpenSSH server: each one once, whatever happens to it, to the server or to the way to it."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import tempfile
import threading
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import asyncssh
import orjson
import pytest
from opening import connect
from sshd_local import PASSPHRASE, Sshd, sshd
from systems.i94.build import ARRIVAL, detail, night

from adapters.core import (
    BadRecord,
    Completeness,
    Credentials,
    Feed,
    Json,
    Mapped,
    Pushed,
    Read,
    Record,
    SourceDown,
)
from adapters.registry import systems
from adapters.transports.drop_memory import Done
from adapters.transports.remote_memory import RemoteMemory, State
from adapters.transports.sftp_drop import FORGOTTEN, SftpDrop, SftpFolder
from adapters.transports.sftp_session import Address, Blocks, SftpSession
from services.settings import load

NOW = 2_000_000_000.0


@dataclass(frozen=True)
class Lines:
    """A record is a line. With `end` a file is whole, and tells so, once that is its last line."""

    end: bytes | None = None

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        left = b""
        while data := stream.read(2**16):
            *whole, left = (left + data).split(b"\n")
            yield from (Record("line", line, {"text": line.decode("latin-1")}) for line in whole)
        if left:
            yield BadRecord("no line end", place="the end", raw=left)

    def is_complete(self, stream: BinaryIO) -> Completeness:
        if self.end is None:
            return Completeness.CLOSED
        stream.seek(max(0, stream.seek(0, 2) - 64))
        return Completeness.COUNTED if stream.read().endswith(self.end + b"\n") else Completeness.OPEN


class Plain:
    """A format that cannot tell whether a file is whole."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        return Lines().read(stream)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("ssh")) as running:
        yield running


def feed(server: Sshd, format: Lines | None = None, **options: Any) -> Feed:
    """Takes files at once unless told otherwise, by a clock that stands at NOW."""
    known: dict[str, Any] = {"pattern": "N*", "unchanged": 0, "patience": 0, "resolution": 0, "clock": lambda: NOW}
    known |= {"known_hosts": str(server.known_hosts), "key": str(server.key), "timeout": 20}
    return Feed("drop", SftpDrop(**known), lambda entry, origin: Mapped(), format or Lines()).configured(options)


def put(folder: Path, name: str, data: bytes, age: float = 100.0) -> Path:
    path = folder / name
    path.write_bytes(data)
    os.utime(path, (NOW - age, NOW - age))
    return path


async def drain(folder: SftpFolder, position: Json | None) -> tuple[list[tuple[str, list[Any]]], Json | None]:
    """Names of the batches with what they hold, and the position after them."""
    results = []
    async for batch in folder.batches(position):
        position = orjson.loads(orjson.dumps(batch.after))
        results.append((batch.name, [_said(read) async for read in batch.records()]))
        if batch.done is not None:
            await batch.done()
    return results, position


async def poll(
    server: Sshd, folder: Path, position: Json | None, feed: Feed
) -> tuple[list[tuple[str, list[Any]]], Json | None]:
    """The same over a connection of its own."""
    transport = connect(server.url(folder), feed)
    try:
        return await drain(transport, position)
    finally:
        await transport.close()


def _said(read: Read) -> Any:
    if isinstance(read, Record):
        return read.fields["text"]
    return read.reason if isinstance(read, BadRecord) else dict(read.fields)


# --- as on a local directory -----------------------------------------------------------------------------------------


async def test_files_are_read_in_the_order_of_their_names_and_once(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N2", b"c\n")
    put(tmp_path, "N1", b"a\nb\n")
    first, position = await poll(server, tmp_path, None, feed(server))
    assert first == [("N1", ["a", "b"]), ("N2", ["c"])]
    assert await poll(server, tmp_path, position, feed(server)) == ([], position)
    put(tmp_path, "N3", b"d\n")
    assert (await poll(server, tmp_path, position, feed(server)))[0] == [("N3", ["d"])]


async def test_resuming_after_any_batch_gives_the_rest(server: Sshd, tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, f"N{number}", f"line {number}\n".encode())
    transport = connect(server.url(tmp_path), feed(server, window=2))
    batches = [batch async for batch in transport.batches(None)]
    whole, _ = await drain(transport, None)
    for index, batch in enumerate(batches):
        assert (await drain(transport, batch.after))[0] == whole[index + 1 :]
    await transport.close()


async def test_a_batch_can_be_read_again_until_it_is_done(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\nb\n")
    put(tmp_path, "N2", b"c\n" * 200_000)  # a large one lies in a file of its own meanwhile
    transport = connect(server.url(tmp_path), feed(server))
    async for batch in transport.batches(None):
        once, again = [[_said(read) async for read in batch.records()] for _ in range(2)]
        assert once == again
        assert len(once) in (2, 200_000)
        await batch.done()
    await transport.close()


async def test_what_is_not_read_is_told_and_holds_no_other(server: Sshd, tmp_path: Path) -> None:
    for name in ("N1", "n2", "N3.part", ".N4", "O5"):
        put(tmp_path, name, b"a\n")
    (tmp_path / "N-folder").mkdir()
    transport = connect(server.url(tmp_path), feed(server))
    assert [batch.name async for batch in transport.batches(None)] == ["N1"]
    assert list(transport.deferred()) == ["O5: its name does not match N*", "n2: its name does not match N*"]
    await transport.close()


async def test_known_content_under_another_name_is_told_and_not_read(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n")
    _, position = await poll(server, tmp_path, None, feed(server))
    put(tmp_path, "N1-again", b"a\n")
    result, position = await poll(server, tmp_path, position, feed(server))
    assert result == [("N1-again", [{"read as": "N1"}])]
    assert position is not None
    assert position["again"] == 1
    assert (await poll(server, tmp_path, position, feed(server)))[0] == []


async def test_the_same_name_with_new_content_is_read_again(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n")
    _, position = await poll(server, tmp_path, None, feed(server))
    put(tmp_path, "N1", b"b\n", age=50)
    result, position = await poll(server, tmp_path, position, feed(server))
    assert result == [("N1", ["b"])]
    put(tmp_path, "N1", b"b\n", age=10)  # touched, the content is the same
    assert (await poll(server, tmp_path, position, feed(server)))[0] == []


async def test_gzip_zip_and_too_large_a_file(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N1", gzip.compress(b"a\nb\n"))
    put(tmp_path, "N2", gzip.compress(b"a\nb\n")[:-6])
    result, _ = await poll(server, tmp_path, None, feed(server, unwrap="gzip"))
    assert result[0] == ("N1", ["a", "b"])
    assert result[1][1][-1].startswith("cannot be unwrapped: Compressed file ended")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one", b"a\n")
        archive.writestr("two", b"b\n")
    put(tmp_path, "N1", packed.getvalue())
    put(tmp_path, "N2", b"bare\n" * 100_000)
    put(tmp_path, "N3", packed.getvalue()[:-30], age=20)
    result, _ = await poll(server, tmp_path, None, feed(server, unwrap="zip", patience=50))
    assert [(name, len(said)) for name, said in result] == [("N1", 2), ("N2", 100_000)], "half an archive is waited for"
    put(tmp_path, "N1", b"a\n" * 51)
    put(tmp_path, "N2", b"a\n")
    (tmp_path / "N3").unlink()
    before = server.requests()["read"]
    result, position = await poll(server, tmp_path, None, feed(server, limit=100))
    assert result == [("N1", ["a file of 102 bytes, at most 100"]), ("N2", ["a"])]
    assert server.requests()["read"] == before + 2, "of what is too large its first bytes alone are fetched"
    assert (await poll(server, tmp_path, position, feed(server, limit=100)))[0] == []


async def test_a_file_is_taken_once_its_end_counts_it_or_it_has_lain_still(server: Sshd, tmp_path: Path) -> None:
    whole = Lines(end=b"END")
    put(tmp_path, "N1", b"a\nEND\n", age=5)
    put(tmp_path, "N2", b"a\n" * 400_000, age=5)
    put(tmp_path, "N3", b"a\n", age=40)
    options = {"unchanged": 30, "patience": 900}
    before = server.requests()["read"]
    transport = connect(server.url(tmp_path), feed(server, whole, **options))
    result, position = await drain(transport, None)
    assert result == [("N1", ["a", "END"])]
    assert transport.deferred() == [
        "N2: it is taken once it has lain unchanged for 30 s",
        "N3: what closes it is missing; once it has lain unchanged for 900 s it is read as it is",
    ]
    assert server.requests()["read"] - before <= 6, "of a file that waits its end alone is fetched"
    await transport.close()
    put(tmp_path, "N2", b"b\nEND\n", age=1)
    put(tmp_path, "N3", b"a\n", age=901)
    result, _ = await poll(server, tmp_path, position, feed(server, whole, **options))
    assert result == [("N2", ["b", "END"]), ("N3", ["a"])]
    young = replace(feed(server, unchanged=30), format=Plain())
    put(tmp_path, "N9", b"b\n", age=5)
    before = server.requests()["open"]
    assert [name for name, _ in (await poll(server, tmp_path, position, young))[0]] == ["N3"]
    assert server.requests()["open"] == before + 1, "where no total could tell, nothing of a young file is fetched"


async def test_half_written_and_renamed_uploads(server: Sshd, tmp_path: Path) -> None:
    """Written by a real client, under a temporary name and with the times of the original, as senders do."""
    source = put(tmp_path, "source", b"a\n" * 1000, age=5_000)
    drop = tmp_path / "drop"
    drop.mkdir()
    put(drop, "N5", b"e\n")
    _, position = await poll(server, drop, None, feed(server, window=1))
    keys = {"username": server.user, "client_keys": [str(server.key)], "known_hosts": str(server.known_hosts)}
    async with asyncssh.connect("127.0.0.1", server.port, **keys) as sender, sender.start_sftp_client() as client:
        await client.put(str(source), str(drop / "N4.part"), preserve=True)
        assert (await poll(server, drop, position, feed(server, window=1)))[0] == []
        await client.rename(str(drop / "N4.part"), str(drop / "N4"))
    result, position = await poll(server, drop, position, feed(server, window=1))
    assert [(name, len(said)) for name, said in result] == [("N4", 1000)], "though name and time are below the others'"
    assert (await poll(server, drop, position, feed(server, window=1)))[0] == []


# --- rule 17: a copy counts only if size and time are the same before and behind -------------------------------------


def meddle(monkeypatch: pytest.MonkeyPatch, once: Any) -> None:
    """Something happens to the file when its first block was fetched."""
    sound = Blocks.at
    todo = [once]

    async def at(self: Blocks, offset: int, size: int) -> bytes:
        data = await sound(self, offset, size)
        if todo:
            todo.pop()()
        return data

    monkeypatch.setattr(Blocks, "at", at)


LARGE = b"".join(b"line %07d\n" % number for number in range(400_000))


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more\n")


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(LARGE.replace(b"line", b"LINE"))
    other.rename(path)


def _rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"LINE")


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (lambda path: os.truncate(path, 1_000_000 // 13 * 13), 1_000_000 // 13),
        (_grow, 400_001),
        (_replace, 400_000),
        (_rewrite, 400_000),
        (lambda path: os.utime(path, (NOW, NOW)), 400_000),
    ],
    ids=["shrinks", "grows", "is replaced", "is written into", "is touched"],
)
async def test_a_file_that_changes_while_it_is_fetched_gives_nothing_until_it_lies_still(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, lines: int
) -> None:
    path = put(tmp_path, "N1", LARGE)
    transport = connect(server.url(tmp_path), feed(server))
    with monkeypatch.context() as meanwhile:
        meddle(meanwhile, lambda: change(path))
        assert await drain(transport, None) == ([], None)
        assert transport.deferred() == ["N1: it changed while it was fetched; it is fetched again"]
    result, _ = await drain(transport, None)
    await transport.close()
    assert [(name, len(said)) for name, said in result] == [("N1", lines)]
    assert result[0][1] == path.read_bytes().decode().splitlines()


async def test_a_file_that_goes_away_while_it_is_fetched_is_no_error(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, "N1", LARGE)
    put(tmp_path, "N2", b"b\n")
    meddle(monkeypatch, path.unlink)
    result, _ = await poll(server, tmp_path, None, feed(server))
    assert result == [("N2", ["b"])]


async def test_a_file_replaced_within_the_second_of_its_time_is_seen(server: Sshd, tmp_path: Path) -> None:
    """SFTP tells whole seconds: as large, in the same second, and yet another content."""
    waits = feed(server, resolution=1.1)
    path = put(tmp_path, "N1", b"a\n")
    os.utime(path)  # now
    _, position = await poll(server, tmp_path, None, waits)
    second = int(path.stat().st_mtime)
    path.write_bytes(b"b\n")
    assert int(path.stat().st_mtime) > second, "it was fetched when its second was over"
    assert (await poll(server, tmp_path, position, waits))[0] == [("N1", ["b"])]


# --- rule 18: nothing is read beyond the size that a file was listed with --------------------------------------------


async def test_nothing_beyond_the_listed_size_is_ever_asked_for(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that grows all the time: each request lies within what was there, and no NUL is ever read."""
    sound: Any = asyncssh.SFTPClientFile.read
    asked: list[tuple[int, int]] = []

    async def read(self: Any, size: int = -1, offset: int | None = None) -> Any:
        assert offset is not None
        asked.append((offset, size))
        data: bytes = await sound(self, size, offset)
        assert b"\0" not in data
        return data

    monkeypatch.setattr(asyncssh.SFTPClientFile, "read", read)
    path = put(tmp_path, "N1", LARGE)
    transport = connect(server.url(tmp_path), feed(server))
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not stop.is_set():
                file.write(LARGE[: 13 * 1000])
                file.flush()
                os.utime(path, (NOW, NOW))
                stop.wait(0.002)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        for _ in range(3):
            size = path.stat().st_size
            asked.clear()
            listing = await drain(transport, None)
            assert listing[0] in ([], [("N1", listing[0][0][1] if listing[0] else [])])
            assert all(length <= 2**18 for _, length in asked)
            assert not asked or max(offset + length for offset, length in asked) <= path.stat().st_size
            assert path.stat().st_size >= size
    finally:
        stop.set()
        writer.join()
    result, _ = await drain(transport, None)
    await transport.close()
    assert len(result[0][1]) == path.stat().st_size // 13


# --- rule 19: listings -----------------------------------------------------------------------------------------------


async def test_listings_during_renames_lose_nothing(server: Sshd, tmp_path: Path) -> None:
    """All the time files are renamed: once that is over each content was read once, and none was taken for gone."""
    rng = Random(3)
    for number in range(400):
        put(tmp_path, f"N{number:05}", f"{number}\n".encode())
    stop = threading.Event()
    renamed = 0

    def rename() -> None:
        nonlocal renamed
        while not stop.wait(0.002):
            path = rng.choice(list(tmp_path.iterdir()))
            path.rename(tmp_path / f"N{rng.randrange(10**5):05}-{renamed}")
            renamed += 1

    read = Counter[str]()
    position: Json | None = None
    wide = feed(server, window=5_000)
    mover = threading.Thread(target=rename)
    mover.start()
    try:
        for _ in range(3):
            result, position = await poll(server, tmp_path, position, wide)
            read.update(text for _, said in result for text in said if isinstance(text, str))
    finally:
        stop.set()
        mover.join()
    result, position = await poll(server, tmp_path, position, wide)
    read.update(text for _, said in result for text in said if isinstance(text, str))
    assert renamed > 100
    assert set(read) == {str(number) for number in range(400)}
    assert set(read.values()) == {1}, "known content under another name is not read"
    assert (await poll(server, tmp_path, position, wide))[0] == []


async def test_a_name_that_is_no_utf8_is_read_once_and_spoils_no_listing(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, os.fsdecode(b"N\xfc1"), b"a\n")
    put(tmp_path, os.fsdecode(b"\xff"), b"c\n")
    put(tmp_path, "N2", b"b\n")
    transport = connect(server.url(tmp_path), feed(server, window=1))
    first, position = await drain(transport, None)
    assert sorted(first) == [("N2", ["b"]), ("N\\xfc1", ["a"])]
    assert transport.deferred() == ["\\xff: its name does not match N*"]
    assert await drain(transport, position) == ([], position)
    await transport.close()


async def test_links_are_not_followed(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = put(tmp_path, "secret", b"what is none of the sender's business\n")
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "N1").symlink_to(secret)
    put(drop, "N2", b"b\n")
    path = put(drop, "N3", LARGE)

    def swap() -> None:
        path.unlink()
        path.symlink_to(secret)

    transport = connect(server.url(drop), feed(server))
    result, position = await drain(transport, None)
    assert [name for name, _ in result] == ["N2", "N3"]
    assert transport.deferred() == ["N1: a link, which is not followed"]
    os.utime(path, (NOW, NOW))
    meddle(monkeypatch, swap)
    assert (await drain(transport, position))[0] == [], "it became a link while it was fetched"
    await transport.close()


# --- rule 20: lost links ---------------------------------------------------------------------------------------------


async def test_a_link_that_is_lost_in_a_file_is_a_source_down_and_then_back(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "N1", b"a\n")
    put(tmp_path, "N2", LARGE)
    transport = connect(server.url(tmp_path), feed(server))
    with monkeypatch.context() as meanwhile:
        first = await anext(aiter(transport.batches(None)))
        meddle(meanwhile, server.kill_sessions)
        with pytest.raises(SourceDown, match=r"127\.0\.0\.1:\d+(: closed:)? (went away|cannot be reached): \w+"):
            await drain(transport, first.after)
    result, _ = await drain(transport, first.after)
    await transport.close()
    assert [(name, len(said)) for name, said in result] == [("N2", 400_000)]


async def test_a_session_whose_channel_alone_is_dead_is_replaced(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n")
    transport = connect(server.url(tmp_path), feed(server))
    _, position = await drain(transport, None)
    connection = transport._session.connection
    os.kill(server.channel(), signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert not connection.is_closed(), "the connection stands"
    put(tmp_path, "N2", b"b\n")
    assert (await drain(transport, position))[0] == [("N2", ["b"])]
    await transport.close()


async def fetched(session: SftpSession, state: State, meanwhile: Callable[[], None] | None) -> None:
    async with session.opened("N1", state) as blocks:
        if meanwhile is not None:
            meanwhile()
        async for _ in blocks.all():
            pass


async def test_each_call_of_a_dead_session_is_a_source_down(server: Sshd, tmp_path: Path) -> None:
    """The call in flight and those behind it fail with other classes of the library; here they are one."""
    put(tmp_path, "N1", LARGE)
    options = SftpDrop(known_hosts=str(server.known_hosts), key=str(server.key))
    session = await SftpSession.open(Address.of(server.url(tmp_path)), options)
    state = (await session.listing()).files["N1"]
    classes = set()
    for round_ in range(3):
        with pytest.raises(SourceDown):
            await fetched(session, state, server.kill_sessions if not round_ else None)
        with pytest.raises(SourceDown) as error:
            await session.listing()
        classes.add(str(error.value).rpartition(": ")[2])
    assert classes
    assert not await session.lives()
    await session.close()


async def test_a_server_that_is_down_and_back(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    put(drop, "N1", b"a\n")
    with sshd(tmp_path / "ssh") as server:
        transport = connect(server.url(drop), feed(server))
        _, position = await drain(transport, None)
    put(drop, "N2", b"b\n")
    with pytest.raises(SourceDown, match="cannot be reached: ConnectionRefusedError"):
        await drain(transport, position)
    with sshd(tmp_path / "ssh", server.port):
        assert (await drain(transport, position))[0] == [("N2", ["b"])]
        await transport.close()


async def test_a_server_that_does_not_answer_is_a_source_down_in_time(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N1", LARGE)
    transport = connect(server.url(tmp_path), feed(server, timeout=3))
    await drain(transport, None)
    stopped = server.sessions()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(60):
            result, _ = await drain(transport, None)  # a new session takes its place
        assert [name for name, _ in result] == ["N1"]
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        await transport.close()
    async with answering(b"") as port:
        transport = connect(f"sftp://somebody@127.0.0.1:{port}/", feed(server, timeout=0.5))
        with pytest.raises(SourceDown, match="cannot be reached"):
            await drain(transport, None)


@asynccontextmanager
async def answering(data: bytes) -> AsyncIterator[int]:
    """The port of a server that sends the same to all who come, and then nothing."""
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await over.wait()
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    other = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield other.sockets[0].getsockname()[1]
    over.set()
    other.close()
    await asyncio.sleep(0.05)


async def test_a_server_that_speaks_no_ssh_is_a_source_down(server: Sshd) -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(range(256)) * 100) as port:
        transport = connect(f"sftp://somebody@127.0.0.1:{port}/", feed(server, timeout=5))
        with pytest.raises(SourceDown, match="cannot be reached: "):
            await drain(transport, None)


async def test_a_slow_source_is_read(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer takes a while, all of them together longer than one may."""
    sound = Blocks.at

    async def slowly(self: Blocks, offset: int, size: int) -> bytes:
        await asyncio.sleep(1.2)
        return await sound(self, offset, size)

    monkeypatch.setattr(Blocks, "at", slowly)
    put(tmp_path, "N1", LARGE)
    result, _ = await poll(server, tmp_path, None, feed(server, timeout=3))
    assert len(result[0][1]) == 400_000


async def test_many_small_files_are_fetched_at_the_same_time_and_read_in_their_order(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a slow way the answers of the server are waited for together; one that is lost holds no other."""
    sound, at_once, most = SftpFolder._fetched, 0, 0

    async def fetched(self: SftpFolder, session: SftpSession, name: str, state: State) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            await asyncio.sleep(0.05)
            return await sound(self, session, name, state)
        finally:
            at_once -= 1

    monkeypatch.setattr(SftpFolder, "_fetched", fetched)
    for number in range(40):
        put(tmp_path, f"N{number:02}", f"{number}\n".encode())
    put(tmp_path, "N20x", LARGE)
    transport = connect(server.url(tmp_path), feed(server))
    names = []
    position: Json | None = None
    async for batch in transport.batches(None):
        names.append(batch.name)
        position = batch.after
        if len(names) == 7:
            break
    result, _ = await drain(transport, position)
    await transport.close()
    assert names + [name for name, _ in result] == sorted([*(f"N{number:02}" for number in range(40)), "N20x"])
    assert 4 < most <= 16


# --- many and large files --------------------------------------------------------------------------------------------


async def test_twenty_thousand_files_cost_a_listing(server: Sshd, tmp_path: Path) -> None:
    """All are done, and the position of that is small. A file that comes late among them is still seen."""
    for number in range(20_000):
        put(tmp_path, f"N{number:05}", b"")
    transport = connect(server.url(tmp_path), feed(server))
    memory = RemoteMemory(100)
    session = await transport._connected()
    for name, state in sorted((await transport._files(session)).items()):
        memory.add(Done(name, state.size, state.changed, name))
    position = orjson.loads(orjson.dumps(memory.position()))
    assert len(orjson.dumps(position)) < 16_000
    before = server.requests()
    assert (await drain(transport, position))[0] == []
    asked = server.requests() - before
    assert set(asked) <= {"opendir", "readdir", "close", "stat"}, "no file is asked for alone"
    assert asked["readdir"] < 400
    put(tmp_path, "N00007x", b"late\n")
    put(tmp_path, "N20000", b"new\n")
    put(tmp_path, "N00003", b"changed\n")
    (tmp_path / "N00005").unlink()
    before = server.requests()
    result, position = await drain(transport, position)
    assert result == [("N00003", ["changed"]), ("N00007x", ["late"]), ("N20000", ["new"])]
    assert (server.requests() - before)["open"] == 3
    assert (await drain(transport, position))[0] == []
    await transport.close()


async def test_where_too_much_has_gone_to_tell_what_all_is_read_again_and_told(server: Sshd, tmp_path: Path) -> None:
    for number in range(700):
        put(tmp_path, f"N{number:03}", f"{number}\n".encode())
    transport = connect(server.url(tmp_path), feed(server, window=10))
    _, position = await drain(transport, None)
    for number in range(600):
        (tmp_path / f"N{number:03}").unlink()
    put(tmp_path, "N600x", b"late\n")
    result, position = await drain(transport, position)
    assert transport.deferred() == [FORGOTTEN]
    assert ("N600x", ["late"]) in result
    assert {name for name, _ in result} <= set(os.listdir(tmp_path))
    assert (await drain(transport, position))[0] == []
    assert transport.deferred() == []
    await transport.close()


async def test_a_hundred_megabytes_in_bounded_memory(server: Sshd, tmp_path: Path) -> None:
    path = tmp_path / "N1"
    with path.open("wb") as file:
        for number in range(100):
            file.write((b"%07d " % number * 511 + b"x" * 7 + b"\n") * (2**20 // 4096))
    os.utime(path, (NOW - 100, NOW - 100))
    transport = connect(server.url(tmp_path), feed(server))
    count = 0
    tracemalloc.start()
    try:
        async for batch in transport.batches(None):
            async for _ in batch.records():
                count += 1
            await batch.done()
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()
        await transport.close()
    assert count == 100 * (2**20 // 4096)


async def test_a_stop_at_any_moment_leaves_nothing_behind(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop, copies = tmp_path / "drop", tmp_path / "copies"
    drop.mkdir()
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    for number in range(3):
        put(drop, f"N{number}", LARGE[:390_000] + b"%d\n" % number)
    whole, _ = await poll(server, drop, None, feed(server))
    rng = Random(1)
    position: Json | None = None
    names: list[str] = []

    async def work(transport: SftpFolder) -> None:
        nonlocal position
        async for batch in transport.batches(position):
            assert [read async for read in batch.records()]
            names.append(batch.name)
            position = batch.after
            assert batch.done is not None
            await batch.done()

    for attempt in range(200):
        transport = connect(server.url(drop), feed(server))
        task = asyncio.create_task(work(transport))
        await asyncio.sleep(rng.random() * 0.1 * attempt)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await transport.close()
        if len(names) == len(whole):
            break
    assert names == [name for name, _ in whole]
    assert list(copies.iterdir()) == []


# --- whom to believe, and as whom to come ----------------------------------------------------------------------------


def opened(server: Sshd, folder: Path, credentials: Credentials | None, **options: Any) -> SftpFolder:
    transport = feed(server, **options).transport
    assert not isinstance(transport, Pushed)
    result = transport.open(server.url(folder), Lines(), credentials)
    assert isinstance(result, SftpFolder)
    return result


async def test_a_wrong_host_key_is_refused(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n")
    other = tmp_path / "known_hosts"
    key = " ".join((server.directory / "impostor.pub").read_text().split()[:2])
    other.write_text(f"[127.0.0.1]:{server.port} {key}\n")
    with pytest.raises(SourceDown, match="shows another host key than known_hosts has for it"):
        await drain(opened(server, tmp_path, None, known_hosts=str(other)), None)
    other.write_text("")
    with pytest.raises(SourceDown, match="shows another host key than known_hosts has for it"):
        await drain(opened(server, tmp_path, None, known_hosts=str(other)), None)


async def test_without_known_hosts_nothing_is_believed(server: Sshd, tmp_path: Path) -> None:
    with pytest.raises(SourceDown, match="known_hosts is not set"):
        await drain(opened(server, tmp_path, None, known_hosts=""), None)
    with pytest.raises(SourceDown, match="known_hosts: no such file"):
        await drain(opened(server, tmp_path, None, known_hosts=str(tmp_path / "nowhere")), None)


async def test_a_key_behind_a_passphrase(server: Sshd, tmp_path: Path) -> None:
    put(tmp_path, "N1", b"a\n")
    locked = str(server.locked_key)
    transport = opened(server, tmp_path, Credentials(server.user, PASSPHRASE), key=locked)
    assert (await drain(transport, None))[0] == [("N1", ["a"])]
    await transport.close()
    for secret in ("wrong", ""):
        with pytest.raises(SourceDown, match="the secret is not its passphrase"):
            await drain(opened(server, tmp_path, Credentials(server.user, secret), key=locked), None)
    with pytest.raises(SourceDown, match="cannot be read: No such file"):
        await drain(opened(server, tmp_path, Credentials(server.user, ""), key=str(tmp_path / "none")), None)
    public = str(server.directory / "user.pub")
    with pytest.raises(SourceDown, match="cannot be opened: it is none"):
        await drain(opened(server, tmp_path, Credentials(server.user, ""), key=public), None)


async def test_wrong_credentials_are_told_in_words_and_at_once(server: Sshd, tmp_path: Path) -> None:
    stranger = str(server.directory / "stranger")
    for credentials, key in (
        (Credentials(server.user, ""), stranger),
        (Credentials("nobody-of-that-name", ""), str(server.key)),
        (Credentials(server.user, "a wrong password"), ""),
    ):
        async with asyncio.timeout(60):
            with pytest.raises(SourceDown) as error:
                await drain(opened(server, tmp_path, credentials, key=key), None)
        assert f"does not let user {credentials.user!r} in: key or password is refused" in str(error.value)
        assert "a wrong password" not in str(error.value)


async def test_a_directory_that_is_not_there_or_denied(server: Sshd, tmp_path: Path) -> None:
    with pytest.raises(SourceDown, match=r"directory '.*nowhere' is not there"):
        await poll(server, tmp_path / "nowhere", None, feed(server))
    put(tmp_path, "N1", b"a\n")
    with pytest.raises(SourceDown, match=r"directory '.*N1' "):
        await poll(server, tmp_path / "N1", None, feed(server))


@pytest.mark.parametrize(
    "url", ["sftp://user@host", "ssh://user@host/x", "/srv/in", "sftp://host/x", "sftp:///x", "sftp://u@[x/y"]
)
def test_an_address_that_is_none(server: Sshd, url: str) -> None:
    with pytest.raises(SourceDown, match="the address cannot be used"):
        connect(url, feed(server))


async def test_an_address_with_blanks_and_one_below_the_home(server: Sshd, tmp_path: Path) -> None:
    folder = tmp_path / "with blank"
    folder.mkdir()
    put(folder, "N1", b"a\n")
    transport = connect(server.url(tmp_path) + "/with%20blank", feed(server))
    assert (await drain(transport, None))[0] == [("N1", ["a"])]
    await transport.close()
    assert Address.of("sftp://u:p%40@h/~/in/x").path == "in/x"
    assert Address.of("sftp://u:p%40@h/~/").path == "."
    assert Address.of("sftp://u:p%40@h/in").secret == "p@"
    assert "p@" not in repr(Address.of("sftp://u:p%40@h/in"))


def test_options_and_credentials_come_from_the_settings() -> None:
    settings = load(
        environment={
            "VISABUS_FEEDS": orjson.dumps(
                {"X.y": {"url": "sftp://h/in", "user": "u", "secret": "s", "options": {"known_hosts": "k", "key": "f"}}}
            ).decode()
        }
    )
    at = settings.feeds["X.y"]
    server = Feed("y", SftpDrop(), lambda entry, origin: Mapped(), Lines()).configured(at.options)
    assert isinstance(server.transport, SftpDrop)
    assert (server.transport.known_hosts, server.transport.key) == ("k", "f")
    with pytest.raises(ValueError, match="no option colour"):
        server.configured({"colour": "red"})
    with pytest.raises(ValueError, match="unwrap"):
        server.configured({"unwrap": "rar"})
    with pytest.raises(ValueError, match="files need a format"):
        connect("sftp://u@h/in", replace(server, format=None))


def test_any_format_of_a_system_reads_from_it() -> None:
    """The nightly file of the I-94, offline, as a file that was fetched."""
    nightly = systems()["I94"].feed("nightly")
    data = night([detail(ARRIVAL)])
    reads = list(SftpDrop().offline(data, nightly.format))
    assert reads == list(nightly.offline(data))
    assert len(reads) == 3
