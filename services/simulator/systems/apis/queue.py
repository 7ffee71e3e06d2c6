"""The carriers' side of the queue, from the interface document alone: each interchange is a message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_HEAD = b"UNA:+.? '"


def interchanges(path: Path) -> Iterator[bytes]:
    """Yield the interchanges of a file, one after another."""
    for part in path.read_bytes().split(_HEAD)[1:]:
        yield _HEAD + part


def messages(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all interchanges of a directory, each with a name."""
    for path in sorted(directory.glob("*.edi")):
        for number, body in enumerate(interchanges(path), start=1):
            yield f"{path.stem}.{number:04}", body
