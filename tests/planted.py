"""Bugs to be planted: each breaks convergence, and the tests that hold it have to notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from msgspec.structs import replace

from services import failpoints
from services.correlator import changes as telling
from services.correlator.append import Batch, append
from services.correlator.changes import pack_changes
from services.correlator.compare import compare
from services.correlator.correlator import COMPARE_ROWS, Correlator
from services.correlator.key_cache import Appended
from services.domain import caps, resolve
from services.domain.facts import Fact
from services.domain.pools import Pool

_ACTIVE = resolve.active
_ADD = Pool.add


def arrival_is_knowing(facts: Iterable[Fact], known_at: int | None = None) -> object:
    """`resolve.active` where a record is known since it came, not since its stamp."""
    heard = [fact for fact in facts if known_at is None or fact.known <= known_at]
    records, _ = _ACTIVE(heard)
    since: dict[bytes, int] = {}
    for place, fact in enumerate(heard):
        since.setdefault(fact.handle, place)
    return records, since


def admitted_by_arrival(
    facts: Iterable[Fact], stored: object, *, blocks: bool = True, known_at: int | None = None
) -> object:
    """`caps_of` by the order in which claims came."""
    placed = [replace(fact, known=place) for place, fact in enumerate(facts)]
    return caps.caps_of(placed, caps.NO_CUTOFFS, blocks=blocks)


def last_copy_stands(self: Pool, facts: Iterable[Fact]) -> bool:
    """`Pool.add` that takes of several copies the one that came last, whatever its stamp."""
    for fact in facts:
        self.facts[fact.id] = fact
    return True


def deaf_to_retractions(self: Pool, facts: Iterable[Fact]) -> bool:
    """`Pool.add` after which a pool that heard nothing but retractions is not worked out anew."""
    results = list(facts)
    return _ADD(self, results) and not all(fact.retract for fact in results)


def one_change_forgotten(bodies: list[bytes]) -> bytes:
    """`pack_changes` that leaves one out."""
    return pack_changes(bodies[1:])


async def compare_before_commit(self: Correlator, batch: Batch) -> Appended:
    """`Correlator._append` that compares its claims before anybody else can see them."""
    async with self._writer.begin() as tx:
        done = await append(tx, batch, self._keys)
        await compare(tx, COMPARE_ROWS)
        await failpoints.reach("append.written")
        return done


BUGS: dict[str, tuple[object, str, object]] = {
    "order of arrival": (resolve, "active", arrival_is_knowing),
    "cap by arrival": (resolve, "caps_of", admitted_by_arrival),
    "least stamp ignored": (Pool, "add", last_copy_stands),
    "no resolving after a retraction": (Pool, "add", deaf_to_retractions),
    "a change not told": (telling, "pack_changes", one_change_forgotten),
    "compare before commit": (Correlator, "_append", compare_before_commit),
}


@contextmanager
def planting(bug: str | None) -> Iterator[None]:
    """With a bug, or without any."""
    with ExitStack() as planted:
        if bug is not None:
            where, name, value = BUGS[bug]
            planted.enter_context(patch.object(where, name, value))
        yield
