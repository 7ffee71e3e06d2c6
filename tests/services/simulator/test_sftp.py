"""Files of a simulated system on an SFTP server: a double of our own, or a real one where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from sshd_local import sshd

from adapters.core import Credentials, Read, Record, SourceDown
from adapters.transports.sftp_drop import SftpDrop
from services.simulator.sftp import files_at
from services.simulator.source import SourceUnavailable


class Whole:
    """A file is a record."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        yield Record("all", stream.read(), {})


async def contents(settings: dict[str, Any]) -> dict[str, bytes]:
    """What a feed with these settings reads."""
    folder = SftpDrop(**settings["options"], resolution=0).open(
        settings["url"], Whole(), Credentials(settings["user"], settings["secret"])
    )
    try:
        return {batch.name: read.raw async for batch in folder.batches(None) async for read in batch.records()}
    finally:
        await folder.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    result = tmp_path / "place"
    result.mkdir()
    (result / "A").write_bytes(b"a")
    (result / "B").write_bytes(b"b" * 500_000)
    return result


async def test_the_double_lets_one_user_in_by_password(place: Path) -> None:
    async with files_at(place) as settings:
        assert await contents(settings) == {"A": b"a", "B": b"b" * 500_000}
        with pytest.raises(SourceDown, match="does not let user 'visabus' in"):
            await contents(settings | {"secret": "another"})
        assert settings["secret"] not in settings["url"]
    with pytest.raises(SourceDown, match="known_hosts: no such file"):
        await contents(settings)


async def test_a_real_server_is_filled_and_read(place: Path, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    with sshd(tmp_path / "ssh") as server:
        address = f"{server.url(drop)}?known_hosts={server.known_hosts}&key={server.key}"
        async with files_at(place, address) as settings:
            assert await contents(settings) == {"A": b"a", "B": b"b" * 500_000}
        with pytest.raises(SourceUnavailable, match="holds files already"):
            async with files_at(place, address):
                pass
        for name in ("A", "B"):
            (drop / name).unlink()
        with pytest.raises(SourceUnavailable, match="expected"):
            async with files_at(place, server.url(drop)):
                pass
        with pytest.raises(SourceUnavailable, match="cannot be filled"):
            async with files_at(place, address.replace("drop?", "nowhere?")):
                pass
