"""Bytes gathered under many names at once, and put on disk while they grow, so that memory does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

LIMIT = 16_000_000


class SpillBuffer:
    """Bytes by name, in the order in which they were added."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[str, bytearray] = {}
        self._spilled: set[str] = set()
        self._size = 0

    def add(self, name: str, data: bytes) -> None:
        """Append the bytes under that name."""
        self._held.setdefault(name, bytearray()).extend(data)
        self._size += len(data)
        if self._size > LIMIT:
            self._spill()

    def take(self) -> Iterator[tuple[str, bytes]]:
        """Yield all names in order with their bytes, and empty the buffer."""
        for name in sorted(self._held.keys() | self._spilled):
            path = self._directory / f".{name}.part"
            before = path.read_bytes() if name in self._spilled else b""
            path.unlink(missing_ok=True)
            yield name, before + bytes(self._held.pop(name, b""))

    def _spill(self) -> None:
        for name, data in self._held.items():
            with (self._directory / f".{name}.part").open("ab") as file:
                file.write(data)
        self._spilled |= self._held.keys()
        self._held.clear()
        self._size = 0
