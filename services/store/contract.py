"""What a store promises to those who read it. Writers are `services.store.writer`'s, one per dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bus.contract import Partition
from links.reasons import Reason
from services.domain.caps import Rank
from services.domain.coverage import Coverage
from services.domain.pools import Pool
from services.store.writer import ClaimRow

CONFIDENTIAL = "confidential: "
"""Begins the reason of a pool of which only the view with confidential records could not be resolved."""


class StoreDown(Exception):
    """The database cannot be reached or did not answer in time; nothing was written.

    `code`: why, None where it is not known. `final`: somebody has to change something first.
    """

    def __init__(self, text: str, *, code: Reason | None = None, final: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.final = final


class OtherConfiguration(Exception):
    """The store was made by other rules, weights or code tables; rebuild beside it instead of writing into it."""


class Incomplete(Exception):
    """Persons are missing from the view: the program failed at their records."""

    def __init__(self, quarantined: Mapping[int, str]) -> None:
        places = ", ".join(sorted(set(quarantined.values())))
        super().__init__(
            f"{len(quarantined)} pools of records could not be resolved, their persons are missing from the view: the"
            f" program failed with {places}. Nothing is lost: mend the program, and they"
            " are resolved when a correlator starts"
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of a store that one answer rests on, in one committed state."""

    pools: Sequence[Pool]
    coverage: Coverage
    cutoffs: Mapping[int, Rank]
    known_through: int | None


class Beat(NamedTuple):
    """When a correlator last said that it runs (microseconds since 1970), and how many messages it had not read."""

    process: str
    at: int
    behind: int
    partitions: tuple[str, ...] = ()  # topic/number, of those that it holds
    committed: int | None = None  # when it last committed events (microseconds)


def behind(ends: Mapping[Partition, int], positions: Mapping[tuple[str, int], int]) -> int:
    """Return how many messages before the ends of a bus lie behind the positions of a store."""
    return sum(max(0, end - positions.get((part.topic, part.number), 0)) for part, end in ends.items())


class Reads(Protocol):
    """Everything that is read of a store. Each call sees one committed state, however long its reader takes.

    `confidential`: whether the reader has the right to what the law keeps confidential. Who lacks it reads a view of
    its own, made from the other records alone.
    """

    def one_state(self) -> AbstractAsyncContextManager[Reads]:
        """Return reads that all see the state that is committed now, until the context ends."""

    async def snapshot(self, key: int, known_at: int | None = None, *, confidential: bool = False) -> Snapshot:
        """Return all that an answer about a key (`facts.key_hash`, `facts.handle_key`) rests on, in one state.

        Coverage is what was known at `known_at` (microseconds); the pools hold the facts of all times.
        """

    async def pools(self, keys: Sequence[int], *, confidential: bool = False) -> list[Pool]:
        """The pools in which any of the keys (`facts.key_hash`, `facts.handle_key`) stands, each once."""

    async def cutoffs(self, *, confidential: bool = False) -> dict[int, Rank]:
        """Capped keys and blocks with the rank of the last claim that each admits.

        Without the right to what is confidential: counted over the records that may be told to all.
        """

    def claims_by_block(self, places: Sequence[int]) -> AsyncGenerator[tuple[int, ClaimRow], None]:
        """The claims that stand in a block of one of these places (0 to 3), with the block, by block.

        A claim that stands in one block by two of the places comes twice.
        """

    async def coverage(self, known_at: int | None = None) -> Coverage:
        """Return what is known to be complete: now, or by what was known at `known_at` (microseconds)."""

    async def known_through(self, *, confidential: bool = False) -> int | None:
        """The latest publication stamp (microseconds) that was taken in; None for an empty store.

        Without the right to what is confidential: of events that were not when they came.
        """

    async def person(self, person: bytes, *, confidential: bool = False) -> tuple[str | None, bytes] | None:
        """A person of the view: the outcome told last, and the canonical history; None if there is none of that id."""

    def histories(self, *, confidential: bool = False) -> AsyncGenerator[bytes, None]:
        """The view: each person's canonical history, sorted by person id."""

    def all_pools(self, *, confidential: bool = False) -> AsyncGenerator[Pool, None]:
        """Every pool, for answers about the past and for checks."""

    def pools_of_several(self, *, confidential: bool = False) -> AsyncGenerator[tuple[str, Pool], None]:
        """The pools in which several persons stand, each with the least of them, in the order of those."""

    async def quarantined(self, *, confidential: bool = False) -> dict[int, str]:
        """The pools that could not be resolved, and where the program failed; their persons are not in the view."""

    async def backlog(self) -> int:
        """Appended batches not yet resolved."""

    async def heartbeats(self) -> list[Beat]:
        """Of correlators that run or were killed, the last one first. Raises StoreDown."""

    async def ping(self) -> None:
        """Raises StoreDown."""
