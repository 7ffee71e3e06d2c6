"""Addresses of buses and databases that are files of this machine."""

from __future__ import annotations

from pathlib import Path


def file_of(url: str) -> Path | None:
    """Return the file of an embedded bus or a SQLite database; None for a server's address."""
    for scheme in ("sqlite+aiosqlite:///", "embedded://"):
        if url.startswith(scheme):
            return Path(url.removeprefix(scheme).partition("?")[0])
    return None


def exists(url: str) -> bool:
    """Return whether an address can be opened without making it: it is a server's, or its file is there."""
    file = file_of(url)
    return file is None or file.exists()
