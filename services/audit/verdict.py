"""Whether a log is what was written: each way in which it may not be, in its own words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from services.audit.chain import why_not
from services.audit.rows import BEGIN, FIRST, Row
from services.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the chain found: how many rows are good, the last good seal, and what broke it, if anything.

    `log` is the seal of the first row, by which one log is told from another.
    """

    rows: int
    head: str
    log: str = ""
    broken: str | None = None


async def verify(
    rows: AsyncGenerator[Row], ring: Keyring, heads: Sequence[tuple[int, str]] = (), log: str = ""
) -> Verdict:
    """Whether rows are one unbroken chain from the first, each sealed by a key of ours, and hold each head given out.

    `log`: which log the heads are of, where that is known. A log cut off behind its last head is still a chain.
    """
    noted = dict(heads)
    count, head, first = 0, FIRST, ""
    async with aclosing(rows):
        async for row in rows:
            wrong = _wrong(row, count + 1, head, ring)
            if wrong is None and count == 0 and log and row.hash != log:
                wrong = "begins another log than the one whose heads were given out: the log was replaced"
            if wrong is None and noted.pop(row.sequence, row.hash) != row.hash:
                wrong = "is another than the one whose seal was given out: the log was sealed again, or put back"
            if wrong is not None:
                return Verdict(count, head, first, f"row {count + 1}: {wrong}")
            count, head, first = count + 1, row.hash, first or row.hash
    if not count:
        return Verdict(0, head, first, "it has no row, and every log begins with one: it was emptied")
    missing = sorted(sequence for sequence in noted if sequence > count)
    if missing:
        end = f"its seal was given out, and it is missing; row {count} is the last: the log was cut off, or put back"
        return Verdict(count, head, first, f"row {missing[0]}: {end}")
    return Verdict(count, head, first)


def _wrong(row: Row, sequence: int, head: str, ring: Keyring) -> str | None:
    if not row.holds(ring):
        return why_not(row, ring)
    if row.sequence != sequence:
        if row.sequence < sequence:
            return f"in its place row {row.sequence} stands again: rows were put in"
        return f"is missing; row {row.sequence} follows: rows were taken out"
    if row.previous != head:
        return "is not sealed to the row before: rows were put in another order, or in from elsewhere"
    if sequence == 1 and row.verb != BEGIN:
        return "is no beginning of a log: its first rows were taken out"
    return None
