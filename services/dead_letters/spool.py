"""The spool: bytes too large for a message of the bus, kept on the local disk under their digest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4


class SpoolDown(Exception):
    """The local disk could not be written (full, most often). Nothing was promised; try again."""


@dataclass(frozen=True, slots=True)
class Spool:
    """Bytes kept under their own digest: writing the same bytes twice changes nothing."""

    directory: Path

    def path(self, digest: str) -> Path:
        """Return where the bytes of that digest are kept."""
        return self.directory / digest[:2] / digest

    def keep(self, data: bytes) -> str:
        """Keep `data` durably and return its SHA-256. Raises SpoolDown."""
        digest = sha256(data).hexdigest()
        path = self.path(digest)
        if not path.exists():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write(path, data)
                sync_directory(self.directory)
            except OSError as error:
                raise SpoolDown(error.strerror or "cannot write") from error
        return digest

    def load(self, digest: str) -> bytes:
        """Return the bytes of that digest. Raises OSError."""
        return self.path(digest).read_bytes()


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; it is on disk when this returns. Raises OSError."""
    draft = path.with_name(f".{uuid4().hex}.draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Put the names in a directory on disk."""
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
