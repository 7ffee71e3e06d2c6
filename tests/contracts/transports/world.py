"""What a source has to offer to be held by the common contract of transports (`test_common.py`)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from adapters.core import Connection, Record


class World(ABC):
    """A source with its owner's side."""

    heap = 100
    """Records that are put there at once where they are large."""
    together = False
    """Whether one poll brings all that there is as one piece."""

    @abstractmethod
    async def put(self, *numbers: int, size: int = 0) -> None:
        """Put records there, one after another, each with at least so many bytes."""

    @abstractmethod
    def open(self) -> Connection:
        """The source as the host opens it."""

    @abstractmethod
    def number(self, record: Record) -> int:
        """Which record it is."""

    async def again(self, number: int) -> None:
        """Put a record there once more that is there already, as it was."""
        raise NotImplementedError

    async def half(self, number: int) -> None:
        """Have a record begin to come: what there is of it is not all of it."""
        raise NotImplementedError

    async def rest(self) -> None:
        """Let the rest of it come."""
        raise NotImplementedError

    async def spoil(self) -> None:
        """Put what is no record there."""
        raise NotImplementedError

    async def away(self) -> None:
        """Have the source be gone."""
        raise NotImplementedError

    async def back(self) -> None:
        """Have it there again, as it was."""
        raise NotImplementedError
