"""The spool gives what it kept, under a digest; nothing that the bus says makes it give another file."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from services.dead_letters import Spool


def test_what_is_kept_is_for_its_owner_and_given_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    digest = spool.keep(b"large")
    assert spool.load(digest) == b"large"
    made = [*(tmp_path / "spool").rglob("*")]
    assert [path for path in made if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "/etc/passwd",
        "../../secret",
        "ab/../../secret",
        "A" * 64,
        "0" * 63,
        "0" * 65,
        "0" * 64 + "\n",
        "é" * 64,
    ],
)
def test_what_is_no_digest_names_no_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text("secret")
    spool = Spool(tmp_path / "spool")
    with pytest.raises(FileNotFoundError, match="no digest"):
        spool.load(text)


def test_other_bytes_and_links_are_not_given(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    digest = spool.keep(b"large")
    spool.path(digest).write_bytes(b"another")
    with pytest.raises(OSError, match="other bytes"):
        spool.load(digest)
    spool.path(digest).unlink()
    (tmp_path / "same").write_bytes(b"large")
    spool.path(digest).symlink_to(tmp_path / "same")
    assert sha256(spool.path(digest).read_bytes()).hexdigest() == digest
    with pytest.raises(OSError, match="symbolic links"):
        spool.load(digest)
