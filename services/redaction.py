"""What of records and dead letters may be told without the right to what the law keeps confidential.

A record is hidden if the law marks all of its system's records, or if the version of it that counts is marked, by the
store and by what stands on the bus beyond it (`services.domain.confidential`). A dead letter of a hidden record, or of
a system marked by law, does not exist for who lacks the right.

The bytes of any other dead letter were not read, so that a mark in them is not known either. They are told by system:
only where no record of a system can ever be marked are they open. Otherwise bytes, key and the values that the reason
quotes need the right; its feed, batch, place and the reason without values do not, for they are those of an operator.

So it is with receipts. What a batch comes to, less its records that may be told, is how many are hidden in it, and a
batch may be one message about one person: of a system whose records may be marked a receipt says that a batch was
read, and its counts, notes and reasons need the right. Its owner has them, who sent the batch. Totals of a feed are
told: they say how much a system holds, and nothing of a day, a file or a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from adapters.core import System
from adapters.mapper import marks_nothing
from adapters.registry import RESERVED
from bus.contract import Bus
from schemas.ids import handle
from services.dead_letters import DeadLetter, Selection, load, read, shape
from services.domain.confidential import is_hidden
from services.domain.facts import Fact, handle_key
from services.record_events import Ref, events_of
from services.store.contract import StoreDown
from services.store.reads import SqlReads

_NEVER_MARKED = frozenset({"departure"})
"""Kinds without class, fact or reason, so that nothing in them betrays what is confidential."""


def marked_by_law(system: System | None) -> bool:
    """Whether the law marks each record of the system."""
    return system is not None and bool(system.marks)


def may_be_marked(system: System | None) -> bool:
    """Whether a record of the system can be marked; so it is with a system that is not known."""
    if system is None or marked_by_law(system) or not _NEVER_MARKED.issuperset(system.emits):
        return True
    return not all(marks_nothing(feed.mapping) for feed in system.feeds)


@dataclass(frozen=True, slots=True)
class _Said:
    """What record a dead letter is of, as far as it can be told."""

    system: str
    record: str | None
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Veil:
    """Tells what is hidden, from one bus and one store (None: there is none yet)."""

    bus: Bus
    reads: SqlReads | None
    systems: Mapping[str, System]

    async def hidden(self, records: Collection[Ref]) -> set[Ref]:
        """Return which of the records are hidden. Raises BusDown."""
        result = {record for record in records if marked_by_law(self.systems.get(record[0]))}
        if asked := set(records) - result:
            known = await self._known(asked)
            result |= {record for record, facts in known.items() if is_hidden(list(facts.values()))}
        return result

    async def _known(self, records: set[Ref]) -> dict[Ref, dict[tuple[bytes, str], Fact]]:
        """All that store and bus hold of the records. Of a store that is down the bus tells all."""
        known: dict[Ref, dict[tuple[bytes, str], Fact]] = {}
        positions: dict[tuple[str, int], int] = {}
        if self.reads is not None:
            try:
                positions = await self.reads.positions()  # first: what is read then is in the pools
                keys = [handle_key(handle(*record)) for record in records]
                for pool in await self.reads.pools(keys, confidential=True):
                    _take(known, records, pool.facts.values())
            except StoreDown:
                positions, known = {}, {}
        async for _, _, fact in events_of(self.bus, records, positions):
            _take(known, records, [fact])
        return known

    async def letters(self, selection: Selection, *, whole: bool = False) -> list[DeadLetter]:
        """Return the dead letters selected that exist for who lacks the right, as they may be told to him.

        Of what is read of a selection nothing depends on the values that it asks for. Raises BusDown.
        """
        every = await read(self.bus, replace(selection, reason=None), whole=whole)
        known = [covered(letter, self.systems) for letter in await self.existing(every)]
        return [letter for letter in known if selection.includes(letter)]

    async def existing(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Return those that exist for who lacks the right, with all that is in them."""
        about = {each.id: _Said(each.system, each.record) for each in letters}
        from_the_bus = [each for each in letters if each.system in RESERVED]
        if from_the_bus:  # events that a correlator refused: as confidential as their records
            about |= {letter.id: _said(letter) async for letter in load(self.bus, from_the_bus)}
        hidden = await self.hidden({(each.system, each.record) for each in about.values() if each.record is not None})
        return [letter for letter in letters if not self._is_hidden(about[letter.id], hidden)]

    def _is_hidden(self, said: _Said, hidden: set[Ref]) -> bool:
        if said.marked or marked_by_law(self.systems.get(said.system)):
            return True
        return said.record is not None and (said.system, said.record) in hidden


def covered(letter: DeadLetter, systems: Mapping[str, System]) -> DeadLetter:
    """Return the dead letter as it may be told: without bytes, key and values, unless its system is an open one."""
    if not may_be_marked(systems.get(letter.system)):
        return letter
    return replace(letter, reason=shape(letter.reason), record=None, spooled=None, raw=b"", context=None)


_OF_A_BATCH = ("at", "system", "feed", "batch")


def covered_receipt(receipt: Mapping[str, Any], systems: Mapping[str, System]) -> dict[str, Any]:
    """Return the receipt as it may be told: that the batch was read, and no more unless its system is an open one."""
    if not may_be_marked(systems.get(receipt["system"])):
        return dict(receipt)
    return {name: receipt[name] for name in _OF_A_BATCH} | {"covered": True}


def _said(letter: DeadLetter) -> _Said:
    """The record of an event on the bus that no correlator takes."""
    try:
        event = orjson.loads(letter.raw)
        return _Said(str(event["system"]), str(event["record"]), bool(event.get("handling")))
    except (ValueError, LookupError, TypeError, AttributeError):
        return _Said(letter.system, letter.record)


def _take(known: dict[Ref, dict[tuple[bytes, str], Fact]], records: set[Ref], facts: Iterable[Fact]) -> None:
    for fact in facts:
        record = (fact.system, fact.record)
        if record in records:
            known.setdefault(record, {})[fact.id, ",".join(fact.handling)] = fact
