"""Keys of this installation, kept in its data directory, readable by its owner only, made on first use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

TOKENS = "token.key"
"""Signs and checks the tokens of `visabus token`: for development."""
AUDIT = "audit.key"
"""Turns what was looked up into the names that the audit log knows it by. Lost, the log's rows cannot be searched."""
SIZE = 32


class UnsafeKey(Exception):
    """A key file that others can read, or that is none."""


def key(directory: Path, name: str) -> bytes:
    """The key of that name, made if there is none. Raises UnsafeKey, OSError."""
    path = directory / name
    if not path.exists():
        _make(path)
    return held(path)


def held(path: Path) -> bytes:
    """The key in a file. Raises UnsafeKey, OSError."""
    if path.stat().st_mode & 0o077:
        raise UnsafeKey(f"{path} can be read by others than its owner: chmod 600 it, or delete it to have a new one")
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        result = bytes.fromhex(text)
    except ValueError:
        result = b""
    if len(result) != SIZE:
        raise UnsafeKey(f"{path} holds no key of {SIZE} bytes")
    return result


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SIZE) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # whole or not at all, and never over another's
    except FileExistsError:
        return
    finally:
        fresh.unlink(missing_ok=True)
