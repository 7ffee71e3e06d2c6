"""An installation in one process that is rebuilt: events on a bus, a correlator that runs, a client that asks."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bus.contract import Message
from schemas.codec import decode
from schemas.topics import CHANGES, key_of, topic_of
from services import wiring
from services.correlator.process import caught_up, run
from services.domain.facts import fact_of
from services.domain.identity import keys_of
from services.rebuild import running
from services.rebuild.correlators import Fill
from services.rebuild.running import Options
from services.rebuild.target import NewStore
from services.settings import Settings
from services.store import open_store
from services.store.following import followed

PATIENCE = 120.0


class Silent:
    """Progress that is told to nobody."""

    def at(self, done: int, total: int | None, stage: str = "read") -> None:
        """Do nothing."""

    def waits(self, why: str) -> None:
        """Do nothing."""


@dataclass
class Site:
    """Where bus and store are."""

    settings: Settings
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def at(cls, directory: Path, store_url: str) -> Site:
        """Everything below a directory, but a store of a server."""
        return cls(Settings(data_dir=directory, store_url=store_url))

    def options(self, patience: float = PATIENCE) -> Options:
        """How the steps are run."""
        return Options(Silent(), self.stop, patience=patience)

    async def publish(self, raws: Sequence[bytes]) -> None:
        """Send events, each to its topic."""
        async with wiring.declared_bus(self.settings) as bus:
            producer = await bus.producer()
            await producer.send([Message(topic_of(each), key_of(each), raw) for raw in raws for each in (decode(raw),)])
            await producer.close()

    async def correlate(self) -> None:
        """Take in all that the bus has."""
        await run(self.settings, once=True, stop=asyncio.Event())

    @asynccontextmanager
    async def correlating(self) -> AsyncIterator[asyncio.Task[None]]:
        """Have a correlator run, as `visabus correlate` does."""
        stop = asyncio.Event()
        task = asyncio.create_task(run(self.settings, once=False, stop=stop))
        try:
            yield task
        finally:
            stop.set()
            await task

    async def caught_up(self) -> None:
        """Until the live edition has everything, resolved and told."""
        async with asyncio.timeout(240), wiring.declared_bus(self.settings) as bus:
            while True:
                store = await open_store(self.settings.store_url)
                try:
                    if await caught_up(bus, store):
                        return
                finally:
                    await store.close()
                await asyncio.sleep(0.1)

    async def fill(self) -> NewStore:
        """Begin a rebuild, or go on with it."""
        return await running.fill(self.settings, Fill(), self.options())

    async def view(self) -> list[bytes]:
        """The live view."""
        store = await open_store(self.settings.store_url)
        try:
            return [history async for history in store.reads.histories(confidential=True)]
        finally:
            await store.close()

    async def edition(self) -> int:
        """Which edition is live."""
        store = await open_store(self.settings.store_url)
        await store.close()
        return store.edition

    async def changes(self) -> list[dict[str, Any]]:
        """All changes that were told, as often as they were."""
        async with wiring.declared_bus(self.settings) as bus:
            return [orjson.loads(one.value) async for one in bus.read(CHANGES) if one.value]

    async def gaps(self) -> list[str]:
        """What is wrong with the changes: per person they run from 1 on, and end with what the view says."""
        by_person: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        wrong = []
        for change in await self.changes():
            held = by_person[change["person"]].setdefault(change["sequence"], change)
            if held["id"] != change["id"]:
                wrong.append(f"two changes have the number {change['sequence']}")
        store = await open_store(self.settings.store_url)
        try:
            answers = {person.hex(): code async for person, code, _ in store.reads.view()}
        finally:
            await store.close()
        for person, changes in by_person.items():
            if sorted(changes) != list(range(1, len(changes) + 1)):
                wrong.append(f"numbers {sorted(changes)}")
            last = changes[max(changes)]
            if last["ended"] == (person in answers):
                wrong.append(f"a person who ended: {last['ended']}, and is in the view: {person in answers}")
            elif not last["ended"] and last["outcome"] != answers[person]:
                wrong.append(f"told {last['outcome']}, in the view {answers[person]}")
        wrong += ["somebody was never told" for person in answers if person not in by_person]
        return wrong


@dataclass
class Client:
    """Asks all the time for one person, as the API does, and keeps what was not as it should be."""

    answers: int = 0
    failures: list[str] = field(default_factory=list)
    last: int = 0

    @classmethod
    @asynccontextmanager
    async def asking(cls, site: Site, raw: bytes) -> AsyncIterator[Client]:
        """Ask for the record of an event that the view knows, until the context ends."""
        client = cls()
        key = keys_of(fact_of(raw))[0]
        async with followed(site.settings.store_url) as store:

            async def ask() -> None:
                while True:
                    await client.ask(store.reads, key)
                    await asyncio.sleep(0.005)

            task = asyncio.create_task(ask())
            try:
                yield client
                await client.ask(store.reads, key)
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def ask(self, reads: Any, key: int) -> None:
        """One question: there is an answer, and none rests on less than an earlier one."""
        self.answers += 1
        try:
            snapshot = await reads.snapshot(key, confidential=True)
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")
            return
        if not snapshot.pools:
            self.failures.append("a person who is known was not found")
        if (snapshot.known_through or 0) < self.last:
            self.failures.append("an answer rests on less than an earlier one")
        self.last = snapshot.known_through or 0
