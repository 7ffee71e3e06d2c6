"""A hundred megabytes of each system are decoded in little memory: what a process of its own grows by."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from systems.apis.test_manifests import large
from systems.claims3.build import ROW, database, dump, row
from systems.i94.build import ARRIVAL, detail, header, trailer
from systems.ident.build import SPACES, encounter
from systems.sevis.build import NAMESPACE, archive, create
from systems.sevis.build import header as sevis_header

TESTS = Path(__file__).parents[2]
SIZE = 100_000_000
BOUND = 16_000_000
"""Bytes by which a process may grow between a small input of a system and a large one."""

CHILD = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from adapters.transports.file_drop import FileDrop
from adapters.decode import decode_file
from adapters.registry import systems
from opening import connect

system, small, large, how = systems()[sys.argv[1]], *sys.argv[2:]

async def dropped(path):
    feed = replace(system.feeds[0], transport=FileDrop(pattern=Path(path).name, unchanged=0, patience=0))
    batches = connect(str(Path(path).parent), feed).batches(None)
    return sum([1 async for batch in batches async for read in batch.records()])

def decode(path):
    if how == "dropped":
        return asyncio.run(dropped(path))
    source = open(path, "rb").read() if how == "whole" else path
    return sum(1 for result in decode_file(system, source))

def memory(what):
    (line,) = [line for line in open("/proc/self/status") if line.startswith(what)]
    return int(line.split()[1]) * 1024

decode(small)
before = memory("VmRSS")
count = decode(large)
print(count, memory("VmHWM") - before)
"""
"""Not `getrusage`: its maximum begins with what the parent had."""


def i94(size: int) -> Iterator[bytes]:
    """Of fifty records one can be read: a night of the worst kind."""
    yield header()
    good, bad = detail(ARRIVAL), b"\xff" * 250 * 49
    for _ in range(size // 12_500):
        yield good + bad
    yield trailer([good])


def apis(size: int) -> Iterator[bytes]:
    """One message of many travellers."""
    yield from large(size, garbage=False)


def rows(size: int) -> Iterator[bytes]:
    """A dump of long rows."""
    names, one = dump([row(examiner_id="X" * 4_000)]).encode().splitlines(keepends=True)
    yield names
    for _ in range(size // len(one)):
        yield one


def line(size: int) -> Iterator[bytes]:
    """A dump whose second line does not end."""
    yield dump([row()]).encode()
    for _ in range(size // 10_000):
        yield b"\xff" * 10_000


def batch(size: int) -> Iterator[bytes]:
    """A document of large records."""
    one = create().encode().replace(b"</Create", b"<!--" + b"y" * 15_000 + b"--></Create", 1)
    yield f'<SEVISBatch xmlns="{NAMESPACE}">{sevis_header(size // len(one))}'.encode()
    for _ in range(size // len(one)):
        yield one
    yield b"</SEVISBatch>"


def unreadable(size: int) -> Iterator[bytes]:
    """A document whose first record does not end: it is refused in the largest pieces that there are."""
    yield f'<SEVISBatch xmlns="{NAMESPACE}">{sevis_header(1)}<Wrong>'.encode()
    for _ in range(size // 10_000):
        yield b"x" * 10_000


def encounters(size: int) -> Iterator[bytes]:
    """A message far beyond what the interface allows; in a megabyte it is read."""
    one = encounter().encode()
    yield f"<ident:EncounterMessage {SPACES}>".encode()
    for _ in range(size // len(one)):
        yield one
    yield b"</ident:EncounterMessage>"


def written(path: Path, pieces: Iterator[bytes]) -> Path:
    """The file of these pieces."""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    return path


def filled(path: Path, size: int) -> Path:
    """A database of about that many bytes with the interface's view."""
    path.write_bytes(database(""))
    one = row(examiner_id="X" * 4_000)
    marks = ", ".join("?" * len(ROW))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        values = (tuple((one | {"action_id": number}).values()) for number in range(1, size // 4_096))
        connection.executemany(f"INSERT INTO benefit_action ({', '.join(ROW)}) VALUES ({marks})", values)
    return path


def packed(path: Path, size: int) -> Path:
    """The batch in an archive, whose members may have that many bytes."""
    path.write_bytes(archive({"a.xml": b"".join(batch(size))}, 0))
    return path


def of(pieces: Callable[[int], Iterator[bytes]]) -> Callable[[Path, int], Path]:
    """A maker of files."""
    return lambda path, size: written(path, pieces(size))


INPUTS: dict[str, tuple[str, Callable[[Path, int], Path], int]] = {
    "I94": ("I94", of(i94), SIZE // 250),
    "APIS": ("APIS", of(apis), 1_700),
    "CLAIMS3 dump": ("CLAIMS3", of(rows), 23_000),
    "CLAIMS3 dump in one line": ("CLAIMS3", of(line), 2),
    "CLAIMS3 database": ("CLAIMS3", filled, 23_000),
    "SEVIS": ("SEVIS", of(batch), 6_000),
    "SEVIS in an archive": ("SEVIS", packed, 6_000),
    "IDENT": ("IDENT", of(encounters), 1),
}


def grown(system: str, make: Callable[[Path, int], Path], folder: Path, how: str = "") -> tuple[int, int, int]:
    """Bytes of the large input, how much was read of it, bytes by which a process grew over it."""
    small, big = make(folder / "small", 1_000_000), make(folder / "large", SIZE)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, system, small, big, how],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
    )
    count, growth = map(int, done.stdout.split())
    return big.stat().st_size, count, growth


@pytest.mark.law(2, "100 MB of each system, and a process that grows by less than 16 MB")
@pytest.mark.slow
@pytest.mark.parametrize("name", INPUTS)
def test_a_hundred_megabytes_are_decoded_in_little_memory(name: str, tmp_path: Path) -> None:
    system, make, least = INPUTS[name]
    size, count, growth = grown(system, make, tmp_path)
    assert size > 0.9 * SIZE
    assert count >= least
    assert growth < BOUND, f"{growth} bytes for {count} reads"


@pytest.mark.law(2, "what a transport holds of them")
@pytest.mark.slow
@pytest.mark.parametrize(("system", "pieces"), [("SEVIS", batch), ("SEVIS", unreadable), ("I94", i94), ("APIS", apis)])
def test_a_transport_holds_few_of_them(system: str, pieces: Callable[[int], Iterator[bytes]], tmp_path: Path) -> None:
    """Between its thread and whoever takes the reads."""
    _, count, growth = grown(system, of(pieces), tmp_path, "dropped")
    assert count > 90
    assert growth < 2 * BOUND, f"{growth} bytes for {count} reads"


@pytest.mark.law(2, planted="a reader that takes its input whole")
@pytest.mark.slow
def test_a_reader_that_takes_it_whole_is_seen(tmp_path: Path) -> None:
    """The planted bug."""
    _, _, growth = grown("CLAIMS3", of(line), tmp_path, "whole")
    assert growth > SIZE * 0.9
