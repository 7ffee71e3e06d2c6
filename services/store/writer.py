"""The steps that writing is made of. One contract; PostgreSQL and SQLite each have their own way to be quick.

A transaction sees what others committed before each of its statements (READ COMMITTED), or excludes other writers
altogether (SQLite). All sequences of rows are given sorted, so that writers meet locks in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, NamedTuple, Protocol

from services.domain.blocks import Blocks
from services.domain.caps import Rank
from services.domain.coverage import Source, Stretch
from services.store.coverage import CoverageRow


class Fenced(Exception):
    """Somebody else took the partition over; nothing of this transaction was written."""


class Conflict(Exception):
    """The database gave this transaction up for another's sake (deadlock, lock timeout); run it again."""


class Superseded(Exception):
    """Another edition of the store is live now; nothing of this transaction was written. Open the store anew."""


class Move(NamedTuple):
    """A partition's position moved on by whoever holds the epoch."""

    topic: str
    part: int
    old: int
    new: int
    epoch: int
    known: int  # latest publication stamp among what was read
    tail: bytes = b""  # what was read up to `new`, as `bus.tails.Extent` keeps it; empty: not known
    open_known: int = 0  # latest publication stamp among what was read and may be told to all


NEVER = 2**62
"""In place of a moment of knowing (microseconds): of a claim that no record makes that may be told to all."""


class ClaimRow(NamedTuple):
    """A row of `claim`."""

    claim: int
    pool: int
    known: int
    block_family_birth: int
    block_name_year: int
    block_given_birth: int
    block_name_day: int
    block_initials_month: int
    features: bytes
    open_known: int | None = None

    @property
    def rank(self) -> Rank:
        """Its seniority: the lesser is the senior."""
        return (self.known, self.claim)

    @property
    def open_rank(self) -> Rank | None:
        """Its seniority by the records that may be told to all; None if none makes it."""
        return _open_rank(self.rank, self.open_known)

    @property
    def blocks(self) -> Blocks:
        """The blocks it is compared in, 0 for none."""
        return (
            self.block_family_birth,
            self.block_name_year,
            self.block_given_birth,
            self.block_name_day,
            self.block_initials_month,
        )


class MemberRow(NamedTuple):
    """A claim that stands in a block."""

    block: int
    claim: int
    pool: int
    known: int
    open_known: int | None

    @property
    def rank(self) -> Rank:
        """Its seniority: the lesser is the senior."""
        return (self.known, self.claim)

    @property
    def open_rank(self) -> Rank | None:
        """Its seniority by the records that may be told to all; None if none makes it."""
        return _open_rank(self.rank, self.open_known)


def _open_rank(rank: Rank, open_known: int | None) -> Rank | None:
    if open_known is None:
        return rank
    return None if open_known == NEVER else (open_known, rank[1])


class PersonRow(NamedTuple):
    """A row of `person`."""

    person: bytes
    pool: int
    admission_class: str | None
    citizenship: str | None
    port: str | None
    code: str | None
    period_end: str | None
    announced: str | None
    sequence: int
    next_change_at: int | None
    awaits_from: int | None
    awaits: int | None
    doc: bytes | None


View = Literal["person", "open_person"]
"""The view of who has the right to confidential records; and of who lacks it, of the pools that have an open pool."""


class Waiting(NamedTuple):
    """Work that waits: bytes that are compared and not sorted by shard, rows that are sorted, bytes not compared."""

    unsorted_bytes: int
    sorted_rows: int
    uncompared_bytes: int


class WorkRow(NamedTuple):
    """A row of `work`."""

    id: int
    blob: bytes


class Transaction(Protocol):
    """One transaction under way."""

    generation: int
    """Another number than before: a connection was made anew, and what was read or written before may be lost."""

    async def advance(self, moves: Sequence[Move]) -> None:
        """Move positions on. Raises Fenced where epoch or position is another."""

    async def keys(self, keys: Sequence[int]) -> dict[int, int]:
        """Key -> pool for those that stand."""

    async def insert_keys(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        """Insert (key, pool), those that are new; the keys that somebody else had founded: his pool stands."""

    async def insert_claims(self, rows: Sequence[ClaimRow]) -> None:
        """Insert claims of keys that this transaction has founded: all of them are new."""

    async def lower_claims(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        """Set (claim, known) where it is known since earlier than it stands; the claims of which that was so."""

    async def members(self, blocks: Sequence[Sequence[int]]) -> list[MemberRow]:
        """All claims in any of these blocks, given by kind (`services.domain.blocks.KINDS`), each once a block."""

    async def claims(self, claims: Sequence[int]) -> list[ClaimRow]:
        """These claims, as far as they stand; their `features` are left out."""

    async def features(self, claims: Sequence[int]) -> dict[int, bytes]:
        """Claim -> features, for those that stand."""

    async def cutoffs(self) -> dict[int, tuple[int, int]]:
        """Capped key or block -> rank of the last claim admitted. Nearly empty."""

    async def lower_cutoffs(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """Insert (key, known, claim); of two cutoffs of one key the lesser stands."""

    async def open_cutoffs(self) -> dict[int, Rank | None]:
        """The same for who lacks the right to confidential records, where it is another; None: all are admitted."""

    async def replace_open_cutoffs(self, gone: Sequence[int], rows: Sequence[tuple[int, Rank | None]]) -> None:
        """Delete the keys `gone`, set those of the rows. The caller shares resolving, or has locked it."""

    async def veil_claims(self, rows: Sequence[tuple[int, int | None]]) -> None:
        """Set (claim, open_known)."""

    async def add_refused(self, rows: Sequence[tuple[int, int, int, int]]) -> None:
        """Keep (key, claim, known, pool) of claims that a capped number did not admit; the least `known` stands."""

    async def refused(self, key: int, limit: int) -> list[tuple[int, int, int]]:
        """The most senior of a number's refused claims: (known, claim, pool)."""

    async def delete_refused(self, rows: Sequence[tuple[int, int]]) -> None:
        """Delete (key, claim): their pools are merged now."""

    async def savepoint(self) -> None:
        """Set the place to which `back` goes."""

    async def back(self) -> None:
        """Undo all that was written since the savepoint."""

    async def aliases(self, pools: Sequence[int]) -> dict[int, int]:
        """Loser -> winner for those of the pools that lost."""

    async def insert_aliases(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        """Insert (loser, winner); the losers really inserted."""

    async def add_work(self, blob: bytes, *, compared: bool) -> None:
        """One more row of work."""

    async def uncompared(self, limit: int) -> list[WorkRow]:
        """Rows of work not compared yet, locked for this transaction; rows that another has locked are left out."""

    async def mark_compared(self, ids: Sequence[int]) -> None:
        """It was."""

    async def waiting(self) -> Waiting:
        """How much compared work waits."""

    async def take_work(self, limit: int) -> list[bytes]:
        """Take up to `limit` rows of compared work out of the queue, oldest first, sorted or not."""

    async def take_unsorted(self, limit: int) -> list[bytes]:
        """Take up to `limit` rows of compared work that is not sorted by shard out of the queue, oldest first."""

    async def add_sorted(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Add compared work, given by its shard."""

    async def lock_sorting(self) -> bool:
        """Whether this transaction is the one that may sort work, to its end."""

    async def take_shard(self) -> tuple[int, list[bytes]] | None:
        """Take all compared work of one shard that no other transaction takes work of, oldest first; with its number.

        None where there is no such shard.
        """

    async def lock_resolving(self) -> None:
        """Wait until no other transaction resolves, to the end of this one."""

    async def share_resolving(self) -> None:
        """Wait until no other transaction has resolving locked, and keep others from that to the end of this one."""

    async def lock_pools(self, pools: Sequence[int]) -> bool:
        """Wait until no other transaction has locked any of the pools, and hold them to the end of this one.

        They are locked in the order given: give them sorted, or two wait for each other. What was read of them before
        may have been replaced meanwhile. Return whether that can be; not where all writers are locked out anyway.
        """

    async def lock_firing(self) -> bool:
        """Whether this transaction is the one that may tell what changed by itself, to its end."""

    async def pools(self, pools: Sequence[int]) -> dict[int, bytes]:
        """Pool -> blob for those that stand."""

    async def replace_pools(self, gone: Sequence[int], rows: Sequence[tuple[int, bytes]]) -> None:
        """Delete rows, insert rows."""

    async def open_pools(self, pools: Sequence[int]) -> dict[int, bytes | None]:
        """Pool -> blob of what may be told to all, for those of the pools that hold what may not."""

    async def replace_open_pools(self, gone: Sequence[int], rows: Sequence[tuple[int, bytes | None]]) -> None:
        """Delete rows, insert rows."""

    async def persons(self, pools: Sequence[int], view: View = "person") -> list[PersonRow]:
        """The persons of these pools in a view; their `doc` is left out."""

    async def docs(self, persons: Sequence[bytes], view: View = "person") -> dict[bytes, bytes]:
        """Person -> history, for those of the persons that stand in a view."""

    async def replace_persons(self, gone: Sequence[int], rows: Sequence[PersonRow], view: View = "person") -> None:
        """Delete all persons of the pools `gone` from a view, insert rows."""

    async def quarantined(self) -> dict[int, str]:
        """The pools that could not be resolved, and why. Nearly always empty."""

    async def replace_quarantined(self, gone: Sequence[int], rows: Sequence[tuple[int, str]]) -> None:
        """Delete rows, insert rows."""

    async def due(
        self, now: int, covered: Sequence[tuple[int, int]], limit: int, view: View = "person"
    ) -> list[PersonRow]:
        """Persons of a view whose answer has changed by itself by `now`, or by one of these stretches being covered.

        First the former by (next_change_at, person), then, if there are fewer than `limit`, the latter by (awaits,
        person).
        """

    async def move_on(self, rows: Sequence[PersonRow], view: View = "person") -> None:
        """Write code, announced, sequence, next_change_at, awaits_from and awaits of these persons, nothing else."""

    async def lock_coverage(self) -> None:
        """Wait until no other transaction joins coverage, to the end of this transaction."""

    async def coverage_events(self, ids: Sequence[bytes]) -> set[bytes]:
        """Return those of the coverage events that stand."""

    async def add_coverage_events(self, rows: Sequence[CoverageRow]) -> None:
        """Insert coverage events; of two copies the one known first stands."""

    async def revised_coverage(self, records: Sequence[bytes]) -> set[bytes]:
        """Return those of the records (handles) that have several versions, or were taken back."""

    async def join_coverage(self, system: str) -> Mapping[Source, Sequence[Stretch]]:
        """Join all that a system's coverage events vouch for (microseconds)."""

    async def replace_coverage(self, system: str, sources: Mapping[Source, Sequence[Stretch]]) -> None:
        """Replace the joined rows of a system."""

    async def coverage(self) -> dict[Source, tuple[Stretch, ...]]:
        """Return the joined rows (microseconds)."""

    async def add_change(self, blob: bytes, *, confidential: bool = False) -> None:
        """One more row of the outbox."""

    async def lock_outbox(self) -> bool:
        """Whether this transaction is the one that may empty the outbox."""

    async def changes(self, limit: int) -> list[tuple[int, bytes, bool]]:
        """The oldest rows of the outbox: number, blob, whether they are confidential."""

    async def delete_changes(self, ids: Iterable[int]) -> None:
        """They were delivered."""

    async def tails(self) -> dict[tuple[str, int], tuple[int, bytes]]:
        """Return (topic, partition) -> next position and the `tail` of the last move to it, where one is known."""

    async def rewind(self, topic: str, part: int, following: int) -> None:
        """Have a partition read from its beginning, if its next position is still `following`; fence its holder."""

    async def epochs(self) -> dict[tuple[str, int], int]:
        """The epoch under which each partition (topic, number) is held, for those that ever were."""

    async def claim_position(self, topic: str, part: int) -> tuple[int, int]:
        """Take a partition over: (next position, the new epoch). Whoever held it before is fenced from here on."""

    async def configuration(self, fingerprint: str, name: str) -> tuple[str, str]:
        """The fingerprint and name under which the store was founded; these, if it was not."""


class Writer(Protocol):
    """Begins transactions."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction: committed at the end, rolled back on an exception.

        Raises Conflict (run it again), Superseded (open the store anew) and services.store.contract.StoreDown.
        """
