"""Dead letters mended: read again by the present format and mapping, published, and marked as replayed.

A dead letter is replayed when all that its bytes hold can be read; else nothing of it is published. What is published
has the record keys and ids of a first reading: the dead letter carries what stood before its record. The events go
first, then the mark: a crash between the two costs a repeat of the same events; a dead letter that is marked is left
alone. The feed's counters stay as they are: the record was read once, and dead-lettered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from adapters.core import BadRecord, Feed, Met, Note, Origin, Read, System
from bus.contract import Message, Producer
from services import failpoints
from services.authority.guard import Guard
from services.dead_letters import DeadLetter, Spool
from services.domain.facts import Fact
from services.feeds import Waiting
from services.ingest.clocks import Clock
from services.ingest.gate import Gate, NotJudged, facts_of
from services.ingest.tally import Limits, Tally

Systems = Mapping[str, System]

_SLICE = 2_000
_NEVER_WHOLESALE = Limits(share=1.0, least=1)


def read_again(feed: Feed, dead_letter: DeadLetter, raw: bytes) -> list[Read]:
    """What the bytes hold by the present format, as if they stood where they were met."""
    if not dead_letter.counted:
        return [_refused("no record: it is replayed by reading its batch again", dead_letter, raw)]
    known = feed.reread(raw, Met(dead_letter.place, dead_letter.context, dead_letter.ordinal))
    reads = [_placed(read, dead_letter, raw) for read in known if not isinstance(read, Note)]
    return reads or [_refused("no record in it", dead_letter, raw)]


def _placed(read: Read, dead_letter: DeadLetter, raw: bytes) -> Read:
    """At the place where it was met, whatever its place is when it is read alone."""
    if isinstance(read, BadRecord):
        return _refused(read.reason, dead_letter, raw)
    return replace(read, place=dead_letter.place)


def _refused(reason: str, dead_letter: DeadLetter, raw: bytes) -> BadRecord:
    return BadRecord(reason, place=dead_letter.place, raw=raw, record=dead_letter.record)


# --- publishing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a dead letter, or would."""

    dead_letter: DeadLetter
    outcome: str  # publish, leave out, refused, already
    why: str | None = None
    events: int = 0
    messages: tuple[Message, ...] = field(default=(), repr=False)


def assess(
    systems: Systems, dead_letter: DeadLetter, spool: Spool, clock: Clock, mended: bytes | None = None
) -> Replay:
    """What replaying the dead letter, with its own bytes or with mended ones, comes to. Sends nothing."""
    if dead_letter.replayed is not None:
        return Replay(dead_letter, "already", f"replayed at {dead_letter.replayed.isoformat(timespec='seconds')}")
    try:
        system = systems[dead_letter.system]
        feed = system.feed(dead_letter.feed)
        raw = mended if mended is not None else dead_letter.bytes_of(spool)
    except KeyError:
        return Replay(dead_letter, "refused", "there is no such system or feed any more")
    except OSError:
        return Replay(dead_letter, "refused", "its bytes are not in the spool of this data directory")
    origin = Origin(system.name, feed.name, dead_letter.batch, system.mapping_version)
    tally = Tally(origin, feed.mapping, clock, spool, _NEVER_WHOLESALE, Guard.of(system))
    messages = tally.messages(read_again(feed, dead_letter, raw))
    if tally.part.dead_lettered:
        return Replay(dead_letter, "refused", str(tally.refused[0]["reason"]))
    if not messages:
        return Replay(dead_letter, "leave out", ", ".join(tally.part.filtered))
    return Replay(dead_letter, "publish", events=len(messages), messages=tuple(messages))


async def would_change(assessed: AsyncIterator[Replay], gate: Gate) -> Waiting | None:
    """Return what replaying would change, where that is more than may change unseen. Raises NotJudged.

    Before there is a view nothing changes.
    """
    try:
        async with gate.impact() as impact:
            if impact is None:
                return None
            some: list[Fact] = []
            letters = 0
            async for result in assessed:
                some += facts_of(result.messages)
                letters += 1
                if len(some) >= _SLICE:
                    await impact.take(some)
                    some = []
            await impact.take(some)
            await impact.end()
    except gate.down() as error:
        raise NotJudged(f"the store cannot be read ({error})") from None
    if impact.whole.count <= gate.limit:
        return None
    shown = impact.shown
    what = "the dead letter" if letters == 1 else f"the {letters} dead letters"
    changes = shown.by_outcome()
    return Waiting(what, "", datetime.now(UTC), None, gate.limit, shown.count, len(shown.appeared), changes)


async def replay(
    systems: Systems,
    selected: AsyncIterator[DeadLetter],
    producer: Producer,
    spool: Spool,
    clock: Clock,
    *,
    mended: bytes | None = None,
) -> AsyncIterator[Replay]:
    """Replay the dead letters one by one: publish, then mark. Raises BusDown; run it again then."""
    async for dead_letter in selected:
        result = assess(systems, dead_letter, spool, clock, mended)
        if result.outcome in ("publish", "leave out"):
            if result.messages:
                await producer.send(result.messages)
            await failpoints.reach("replay.sent")
            await producer.send([dead_letter.replay_mark(systems[dead_letter.system].mapping_version)])
            await failpoints.reach("replay.marked")
        yield result
