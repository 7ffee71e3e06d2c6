"""How long until all are told whose answers change at one instant. From the root of a checkout:

    python -m tests.benchmarks.deadlines

So many persons are admitted until one day, on a PostgreSQL of the benchmark's own. At the end of that day all their
answers change, while events of others go on coming. Printed: seconds until the last is told, beside the limit, and how
long a batch of events took from append to resolved, before and meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import NAMESPACE_OID

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import start_postgres, stop_postgres

from schemas.ids import uuid5_text
from services.correlator.correlator import DUE_BESIDES, DUE_PERSONS
from services.correlator.deadlines import fire_due
from services.correlator.key_cache import KeyCache
from services.domain.coverage import NOTHING
from services.memory import collect_rarely
from services.store import Store, open_store

from .store.stream import names_of, taken_in

LIMIT = 30.0
"""Seconds in which 200,000 should be told."""
ADMITTED = datetime(2024, 5, 1, 12, tzinfo=UTC)
UNTIL = (ADMITTED + timedelta(days=90)).date()
BEFORE, AFTER = (int((ADMITTED + timedelta(days=days)).timestamp()) for days in (1, 92))
TEMPLATE = (
    '{"id":"%s","kind":"arrival","schema_version":2,"operation":"assert","system":"I94","record":"R%d","place":"1",'
    '"revision":{"number":1,"digest":"%016x"},"mapping_version":1,"batch":"b","published_at":"2024-05-01T13:00:00Z",'
    '"occurred_at":{"precision":"instant","zone":"America/New_York","at":"2024-05-01T12:00:00Z"},"subject":{"names":'
    '[{"family":"%s","given":"%s"}],"birth":"%s","citizenship":["MEX"],"identifiers":[{"scheme":"passport","issuer":'
    '"MEX","value":"P%08d"}]},"inspection":"admitted","class_of_admission":"B2","admitted_until":"%s"}'
)


def arrivals(first: int) -> Iterator[bytes]:
    """Arrivals of persons numbered from `first`, without end."""
    number = first
    while True:
        birth = (datetime(1940, 1, 1, tzinfo=UTC) + timedelta(days=number * 7_919 % 21_900)).date()
        names = names_of(number)
        yield (
            TEMPLATE % (uuid5_text(NAMESPACE_OID, str(number)), number, number, *names, birth, number, UNTIL)
        ).encode()
        number += 1


async def fired(store: Store, limit: int, now: int) -> int:
    """One round of deadlines; how many persons."""
    async with store.writer.begin() as tx:
        return await fire_due(tx, limit, now, NOTHING)


async def measure(url: str, persons: int, batch: int) -> None:
    """One run, printed."""
    store = await open_store(url)
    keys = KeyCache()
    people = arrivals(0)
    for _ in range(0, persons, 10_000):
        await taken_in(store, keys, list(islice(people, 10_000)), BEFORE)
    others = arrivals(50_000_000)
    calm = [await taken_in(store, keys, list(islice(others, batch)), AFTER) for _ in range(10)]
    start = time.perf_counter()
    while await fired(store, DUE_PERSONS, AFTER):
        pass
    alone = time.perf_counter() - start
    # the same once more with events coming: everybody is due again
    async with store.writer.begin() as tx:
        await tx._raw.execute("UPDATE person SET next_change_at = 1, told = ''")  # type: ignore[attr-defined]
    start, meanwhile, message, events = time.perf_counter(), [], 1, 0
    while message:
        meanwhile.append(await taken_in(store, keys, list(islice(others, batch)), AFTER))
        events += batch
        message = await fired(store, DUE_BESIDES, AFTER)
    both = time.perf_counter() - start
    await store.close()
    print(f"{persons:,} answers that change at one instant (limit {LIMIT:.0f} s)")
    print(f"  nothing else to do  {alone:6.1f} s, {persons / alone:,.0f} a second, {alone / LIMIT:.2f} of the limit")
    print(f"  with events coming  {both:6.1f} s, {persons / both:,.0f} a second beside {events / both:,.0f} events/s")
    print(f"  {batch} events taken in: {_median(calm)} before, {_median(meanwhile)} meanwhile (median, most)")


def _median(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms, {max(seconds) * 1000:.0f} ms"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=500, help="events between two rounds of deadlines")
    given = parser.parse_args()
    collect_rarely()
    with tempfile.TemporaryDirectory() as directory:
        url = start_postgres(Path(directory))
        try:
            asyncio.run(measure(url, given.persons, given.batch))
        finally:
            stop_postgres(Path(directory))


if __name__ == "__main__":
    main()
