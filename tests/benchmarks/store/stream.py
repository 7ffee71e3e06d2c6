"""Synthetic canonical events, and how a batch of them is taken in: what the benchmarks of the store share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from random import Random

from services.correlator.append import Batch, append
from services.correlator.compare import compare
from services.correlator.key_cache import KeyCache
from services.correlator.resolve import resolve
from services.domain.coverage import NOTHING
from services.domain.facts import fact_of
from services.store import Store

LETTERS = str.maketrans("0123456789", "BCDFLMNRST")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BIRTHS = date(1940, 1, 1).toordinal()
TEMPLATE = (
    '{"id":"%s","schema_version":2,"kind":"%s","operation":"assert","system":"I94","record":"%011d",'
    '"place":"record %d","revision":{"number":%d,"digest":"%016x"},"mapping_version":1,"batch":"I94.D%s",'
    '"published_at":"%s",'
    '"occurred_at":{"precision":"instant","zone":"America/New_York","at":"%s"},"subject":{"names":[{"family":"%s",'
    '"given":"%s"}],"birth":"%s","sex":"%s","citizenship":["%s"],"identifiers":[%s]},"port":"JFK","mode":"air",%s}'
)
STATES = ("MEX", "GBR", "IND", "BRA", "JPN", "FRA", "D", "CAN")


def letters(text: str) -> str:
    """A name has no digits."""
    return text.translate(LETTERS)


def names_of(person: int) -> tuple[str, str]:
    """A family and a given name, of initials that differ from person to person.

    Were they the same for all, everybody of one month of birth and citizenship would stand in one block, and the pairs
    that are scored in vain would grow with the square of the persons, as those of real people do not.
    """
    family, given = ALPHABET[person % 25], ALPHABET[person // 7 % 23]
    return family + letters(f"{person % 99_991:05d}"), given + letters(f"{person // 7 % 99_989:05d}")


def events(count: int, seed: int, each: int = 5) -> Iterator[bytes]:
    """Arrivals and departures of count / each persons in the order of their happening: some 500 bytes each."""
    rng = Random(seed)
    start = datetime(2022, 1, 1, tzinfo=UTC)
    persons = max(1, count // each)
    span = 3 * 365 * 86_400
    for n in range(count):
        # persons come in at any time and stay: a window of them moves through the years
        person = (n // each + int(rng.random() ** 2 * 20_000)) % persons
        visit, leaving = divmod(n % 10, 2)
        at = start + timedelta(seconds=int(span * n / count))
        mark = blake2b(b"%d" % n, digest_size=16).digest()
        stamp = at.isoformat().replace("+00:00", "Z")
        birth = date.fromordinal(BIRTHS + person * 7_919 % 21_900)  # spread over sixty years, as people's are
        i94 = (person * 10 + visit) % 10**11
        state = STATES[person % 8].replace("D", "DEU") if person % 8 == 6 else STATES[person % 8]
        numbers = (
            f'{{"scheme":"i94","issuer":"CBP","value":"{i94:011d}"}},'
            f'{{"scheme":"passport","issuer":"{state}","value":"P{person:08d}"}}'
        )
        until = (at + timedelta(days=180)).date()
        tail = '"evidence":"manifest_closed"'
        if not leaving:
            tail = f'"inspection":"admitted","class_of_admission":"B2","admitted_until":"{until}"'
        kind = "departure" if leaving else "arrival"
        identity = f"{mark.hex()[:8]}-{mark.hex()[8:12]}-5{mark.hex()[13:16]}-8{mark.hex()[17:20]}-{mark.hex()[20:]}"
        yield (
            TEMPLATE
            % (
                identity,
                kind,
                n,
                n % 9_999,
                n,
                n,
                at.strftime("%Y%m%d"),
                stamp,
                stamp,
                *names_of(person),
                birth,
                "FM"[person % 2],
                state,
                numbers,
                tail,
            )
        ).encode()


async def taken_in(store: Store, keys: KeyCache, raws: list[bytes], now: int) -> float:
    """Append, look, resolve; seconds."""
    start = time.perf_counter()
    async with store.writer.begin() as tx:
        keys.remember(await append(tx, Batch([fact_of(raw) for raw in raws], []), keys))
    async with store.writer.begin() as tx:
        await compare(tx, 20)
    async with store.writer.begin() as tx:
        await resolve(tx, 20, now, NOTHING)
    return time.perf_counter() - start
