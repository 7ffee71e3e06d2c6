"""The spool: bytes too large for a message of the bus, kept on the local disk under their digest."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

_DIGEST = re.compile(r"[0-9a-f]{64}")


class SpoolDown(Exception):
    """The local disk could not be written (full, most often). Nothing was promised; try again."""


@dataclass(frozen=True, slots=True)
class Spool:
    """Bytes kept under their own digest: writing the same bytes twice changes nothing."""

    directory: Path

    def path(self, digest: str) -> Path:
        """Return where the bytes of that digest are kept. Raises FileNotFoundError for what is no digest.

        Digests come back from the bus: no text of it may name a file elsewhere.
        """
        if not _DIGEST.fullmatch(str(digest)):
            raise FileNotFoundError(errno.ENOENT, "no digest, so nothing in the spool")
        return self.directory / digest[:2] / digest

    def keep(self, data: bytes) -> str:
        """Keep `data` durably and return its SHA-256. Raises SpoolDown."""
        digest = sha256(data).hexdigest()
        path = self.path(digest)
        if not path.exists():
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write(path, data)
                sync_directory(self.directory)
            except OSError as error:
                raise SpoolDown(error.strerror or "cannot write") from error
        return digest

    def load(self, digest: str) -> bytes:
        """Return the bytes of that digest. Raises OSError, also where other bytes lie there."""
        with open(self.path(digest), "rb", opener=_unfollowed) as file:
            data = file.read()
        if sha256(data).hexdigest() != digest:
            raise OSError(errno.EIO, "other bytes than those of the digest lie in the spool")
        return data


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; it is on disk when this returns. Raises OSError."""
    draft = path.with_name(f".{uuid4().hex}.draft")
    try:
        with open(draft, "wb", opener=_for_owner) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)


def _for_owner(path: str, flags: int) -> int:
    """Open a file that nobody but its owner may read."""
    return os.open(path, flags, 0o600)


def _unfollowed(path: str, flags: int) -> int:
    """Open a file, and no link to one elsewhere."""
    return os.open(path, flags | os.O_NOFOLLOW)


def sync_directory(directory: Path) -> None:
    """Put the names in a directory on disk."""
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
