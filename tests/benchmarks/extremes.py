"""What one extreme person costs everybody else: `python -m tests.benchmarks.extremes`.

Ordinary events run through a PostgreSQL of the benchmark's own, batch by batch, each appended, looked at and resolved.
Then, with ordinary events in every batch as before:

- one person crosses the border 10,000 times, some crossings in each batch;
- another one's two histories, 5,000 crossings each under a passport of their own, become one by a record with both;
- one document number is on the records of 1,000 people.

Printed for each: how long a batch took before, meanwhile and at its end (median, most); at last how many facts the
largest pools hold, which is what a resolving has to load.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import NAMESPACE_OID

sys.path.insert(0, str(Path(__file__).parents[1]))

from correlation import NOW
from servers import start_postgres, stop_postgres

from schemas.ids import uuid5_text
from services.correlator.key_cache import KeyCache
from services.memory import collect_rarely
from services.store import Store, open_store

from .store.stream import events, letters, taken_in

START = datetime(2000, 1, 1, 12, tzinfo=UTC)
TEMPLATE = (
    '{"id":"%s","kind":"%s","schema_version":2,"operation":"assert","system":"I94","record":"X%s","place":"1",'
    '"revision":{"number":1,"digest":"%016x"},"mapping_version":1,"batch":"b","published_at":"%s",'
    '"occurred_at":{"precision":"instant","zone":"America/New_York","at":"%s"},"subject":{"names":'
    '[{"family":"%s","given":"%s"}],"birth":"%s","citizenship":["CAN"],"identifiers":[%s]},"port":"JFK","mode":"air",%s}'
)
PASSPORT = '{"scheme":"passport","issuer":"CAN","value":"%s"}'
I94 = '{"scheme":"i94","issuer":"CBP","value":"%s"}'
ADMITTED = '"inspection":"admitted","class_of_admission":"B2","admitted_until":"%s"'


def crossing(
    name: str, number: int, passports: Sequence[str], birth: str = "1970-01-01", i94: str | None = None
) -> bytes:
    """The number-th crossing of somebody: in and out in turn, a day apart, recorded under these passports.

    With an `i94` all are on that one admission.
    """
    at = START + timedelta(days=number)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    coming = number % 2 == 0
    tail = ADMITTED % (at + timedelta(days=180)).date() if coming else '"evidence":"manifest_closed"'
    if coming and i94 and number:
        tail = '"inspection":"admitted"'
    numbers = ",".join([PASSPORT % passport for passport in passports] + ([I94 % i94] if i94 else []))
    record = f"{name}{number}{passports[0]}"
    identity, kind = uuid5_text(NAMESPACE_OID, record), "arrival" if coming else "departure"
    family = letters(name)
    return (TEMPLATE % (identity, kind, record, number, stamp, stamp, family, "ALEX", birth, numbers, tail)).encode()


def commuter(crossings: int) -> Iterator[bytes]:
    """One person, over and over."""
    return (crossing("COMMUTER", number, ("CA111111",)) for number in range(crossings))


def on_one_admission(crossings: int) -> Iterator[bytes]:
    """One person, over and over, on the I-94 of the first time."""
    return (crossing("BORDERER", number, ("CA555555",), i94="777000777A1") for number in range(crossings))


def halves(crossings: int) -> Iterator[bytes]:
    """Two histories, told in turns, and at last the record that makes one of them."""
    for number in range(crossings // 2):
        # another name and date of birth: nothing but the last record joins them
        yield crossing("WINTER", number, ("CA222222",))
        yield crossing("SUMMER", number, ("CA333333",), birth="1955-05-05")
    yield crossing("WINTER", crossings // 2, ("CA222222", "CA333333"))


def crowd(people: int) -> Iterator[bytes]:
    """Everybody with a name, date of birth and passport of their own, and one number that all of them share."""
    for number in range(people):
        birth = (datetime(1940, 1, 1, tzinfo=UTC) + timedelta(days=number * 7_919 % 21_900)).date()
        yield crossing(f"CROWD{number}", 2 * number, (f"CB{number:06d}", "CA444444"), str(birth))


class Stream:
    """A store and the ordinary events that pass through it."""

    def __init__(self, store: Store, batch: int) -> None:
        self.store = store
        self._keys = KeyCache()
        self._events = events(10_000_000, 1)
        self._batch = batch

    async def pass_through(self, others: Sequence[bytes] = ()) -> float:
        """A batch from append to resolved, with others among it; seconds."""
        raws = [*islice(self._events, self._batch - len(others)), *others]
        return await taken_in(self.store, self._keys, raws, NOW)

    async def measure(self, name: str, others: Iterator[bytes], share: int) -> None:
        """So many of the others in each batch, printed."""
        calm = [await self.pass_through() for _ in range(15)]
        meanwhile, count = [], 0
        while some := list(islice(others, share)):
            count += len(some)
            meanwhile.append(await self.pass_through(some))
        print(f"{name}: {count:,} events in {len(meanwhile)} batches of {self._batch:,}")
        end = _spread(meanwhile[-5:])
        print(f"  a batch took {_spread(calm)} before, {_spread(meanwhile)} meanwhile, {end} at its end")


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms (at most {max(seconds) * 1000:.0f})"


async def largest(store: Store) -> str:
    """Facts in the pools that hold most."""
    sizes = sorted([len(pool.facts) async for pool in store.reads.all_pools()], reverse=True)
    return ", ".join(f"{size:,}" for size in sizes[:5])


async def run(url: str, batch: int, crossings: int, people: int) -> None:
    """All three, one after the other."""
    store = await open_store(url)
    stream = Stream(store, batch)
    for _ in range(20):
        await stream.pass_through()
    await stream.measure("one person's crossings", commuter(crossings), 50)
    await stream.measure("one person's crossings on one I-94", on_one_admission(crossings), 50)
    await stream.measure("two histories and the record that unites them", halves(crossings), 51)
    await stream.measure("people who share one number", crowd(people), 20)
    print(f"facts in the largest pools: {await largest(store)}")
    await store.close()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--crossings", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=1_000)
    given = parser.parse_args()
    collect_rarely()
    with tempfile.TemporaryDirectory() as directory:
        url = start_postgres(Path(directory))
        try:
            asyncio.run(run(url, given.batch, given.crossings, given.people))
        finally:
            stop_postgres(Path(directory))


if __name__ == "__main__":
    main()
