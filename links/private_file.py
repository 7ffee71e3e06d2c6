"""Files that hold a secret: a key, a password, the key of a certificate. Nobody but their owner may read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Set by systemd (systemd.exec(5), LoadCredential=): only the service can enter that directory. Its files belong to
root and are given to the service by an access list, whose mask `stat` shows in the place of the group's rights."""


class UnsafeFile(ValueError):
    """A file with a secret that others can read or write, or that is no file. The text says what to do."""


def read_private(path: Path) -> bytes:
    """What a file with a secret holds, from the very file whose mode was checked. Raises UnsafeFile, OSError."""
    # not blocking: a pipe in its place would hold the process up for good
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def check_private(path: Path) -> None:
    """Check a file with a secret that a library reads by its name. Raises UnsafeFile, OSError."""
    _check(path, path.stat())


def _check(path: Path, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise UnsafeFile(f"{path} is no file")
    if state.st_uid not in (0, os.geteuid()):
        raise UnsafeFile(f"{path} belongs to another user: chown it to the user of this process")
    open_to = stat.S_IMODE(state.st_mode) & 0o077
    if _is_credential(path):
        open_to &= 0o037
    if open_to:
        raise UnsafeFile(f"{path} can be read or written by others than its owner: chmod 600 {path}")


def _is_credential(path: Path) -> bool:
    directory = os.environ.get(CREDENTIALS)
    return bool(directory) and path.resolve().is_relative_to(Path(directory or "/").resolve())
