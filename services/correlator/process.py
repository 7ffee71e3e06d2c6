"""The correlator as a process: one task reads and appends, one resolves, tells and fires, until stopped or done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying

from bus.contract import Bus, BusDown, Consumer, Delivery, MessagesGone, Producer, UnknownTopic
from schemas.topics import EVENT_TOPICS
from services import wiring
from services.authority import Admission, table
from services.authority.signatures import Verifier
from services.clock import wall_clock
from services.correlator.correlator import DUE_BESIDES, DUE_PERSONS, Correlator
from services.dead_letters import Spool
from services.domain.fingerprint import fingerprint
from services.metrics.instruments import CHANGES, FENCED, LAG, TRANSACTIONS
from services.outages import Outage
from services.processes import process_name
from services.retry import bus as bus_retry
from services.retry import wait
from services.settings import Settings
from services.stopping import Stopped, cut_off
from services.store import Store, open_store
from services.store.contract import Incomplete, OtherConfiguration, StoreDown, behind
from services.store.editions import State
from services.store.heartbeats import Heartbeats
from services.store.writer import Conflict, Fenced, Superseded
from services.tracing import tracing_of

POLL_MESSAGES = 5_000
BEHIND = POLL_MESSAGES // 2
"""So many events in one poll mean that more wait on the bus."""
GATHER_SECONDS = 30.0
"""How long work gathers while more comes than can be said to end."""
LONGEST_GATHER_SECONDS = 600.0
"""The same while a backlog is worked off: to its end, so that a person with events all over it is resolved once, but no
longer than this."""
A_FEW, LAST_SECONDS = 100, 3.0
"""Where others were behind, their last messages are waited for until so few are not read, but no longer than this."""
ASK_SECONDS = 1.0
"""How often a correlator that is not behind looks whether another is."""
GATHER_ROWS = 400
"""So many batches are resolved though more could gather: 2,000,000 events."""
WORKED_OFF = 0.1
"""The share of what is taken by which messages not read have to become fewer, for it to be a backlog with an end."""
REST = 2.0
"""While events come, resolving rests so many times as long as it took: it has a third of the time at most."""
BEAT_SECONDS = 5.0
VERIFY_SECONDS = 60.0
"""How often a running correlator looks whether the bus still has what was taken from it."""
STAND_BY_SECONDS = 0.5
IDLE_SECONDS = 0.2
MOST_IDLE_SECONDS = 1.0
_PASSING = (BusDown, StoreDown, Conflict, UnknownTopic)  # topics that are being made anew
log = structlog.get_logger(__name__)
T = TypeVar("T")


class Pace:
    """When to resolve: at once, but while events come work gathers, so that a pool with many new events is resolved
    once: for a multiple of what the last resolving took, and where a backlog is worked off to its end. `waiting` counts
    the batches that are not resolved.
    """

    def __init__(
        self,
        waiting: Callable[[], Awaitable[int]],
        sorted_work: Callable[[], Awaitable[int]] | None = None,
        unread_by_others: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        """`sorted_work`: counts what was sorted, by this correlator or by another, to be resolved by all at once.

        `unread_by_others`: counts the messages that wait on the bus, where another may read some of them.
        """
        self.behind = False
        self.flowing = False
        self._waiting = waiting
        self._sorted_work = sorted_work
        self._unread_by_others = unread_by_others
        self._others_behind = False
        self._others_since = 0.0  # when they were seen behind last
        self._asked = -ASK_SECONDS
        self._met = 0
        self._since = time.monotonic()
        self._rest = 0.0
        self._taken = 0
        self._full = False
        self._first: tuple[int, int] | None = None  # since the backlog is read: messages not read, and events taken
        self._ending = False

    async def ripe(self) -> bool:
        """Whether enough has gathered, or nothing is to be gained by waiting."""
        if not self.behind:
            await self._see_others()
        if not self.gathers:
            return not self.flowing or time.monotonic() - self._since >= self._rest
        if self._sorted_work is not None and await self._sorted_work():
            return True
        before, self._met = self._met, await self._waiting()
        if self._met < before:
            self.resolved()  # by another correlator
        longest = LONGEST_GATHER_SECONDS if self.behind and self._ending else GATHER_SECONDS
        return self._met >= GATHER_ROWS or time.monotonic() - self._since >= longest

    @property
    def gathers(self) -> bool:
        """Whether this correlator or another is working off a backlog: its pools would be resolved more than once."""
        return self.behind or self._others_behind

    async def _see_others(self) -> None:
        now = time.monotonic()
        if self._unread_by_others is not None and (self._others_behind or now - self._asked >= ASK_SECONDS):
            self._asked = now
            unread = await self._unread_by_others()
            if unread >= POLL_MESSAGES:
                self._others_behind, self._others_since = True, now
            elif self._others_behind:
                # the last poll of a backlog is on its way, and is to be resolved with the rest of it
                self._others_behind = unread >= A_FEW and now - self._others_since < LAST_SECONDS

    def resolved(self, took: float = 0.0) -> None:
        """Gathering begins anew, after a resolving that took so many seconds."""
        self._since = time.monotonic()
        self._rest = min(REST * took, GATHER_SECONDS)

    def came(self, events: int) -> None:
        """A poll brought so many events, within `IDLE_SECONDS`."""
        self.flowing = events > 0
        full = events >= BEHIND
        # the first poll that is not full is the backlog's last: it is to be resolved with the rest of it
        was, self.behind, self._full = self.behind, full or (self._full and self.flowing), full
        if was and not self.behind and self._unread_by_others is not None:
            # its own part is read; others may have nothing but their last poll to go
            self._others_behind, self._others_since = True, time.monotonic()
        self._taken += events
        if not self.behind:
            self._first, self._ending = None, False

    def unread(self, messages: int) -> None:
        """So many messages on the bus are not read: whether they become fewer says whether a backlog has an end."""
        if not self.behind:
            return
        if self._first is None:
            self._first = messages, self._taken
        before, taken = self._first
        self._ending = 0 < WORKED_OFF * (self._taken - taken) <= before - messages


async def run(
    settings: Settings,
    *,
    once: bool,
    stop: asyncio.Event,
    hold: bool = False,
    clock: Callable[[], datetime] = wall_clock,
    edition: int | None = None,
) -> None:
    """Correlate until `stop` is set; with `once` until all that the bus holds is resolved and told.

    The live edition of the store is written; where another becomes live, that one from then on. `edition`: one that is
    being built, until it is live or given up (raises Superseded). With `hold` nothing is told: changes wait in the
    outbox. Raises BusDown or StoreDown after the outage that the settings allow, OtherConfiguration, and with `once`
    Incomplete where something could not be resolved, MessagesGone where the bus lost messages before they were read.
    """
    while True:
        try:
            await _run(settings, once=once, stop=stop, hold=hold, clock=clock, edition=edition)
        except Superseded as error:
            if edition is not None:
                raise
            log.info("the store is opened anew", why=str(error))
        except OtherConfiguration:
            if once or edition is not None or not await _stood_by(settings, stop):
                raise
        except Stopped:
            return  # before there was anything to stop
        else:
            return


async def _stood_by(settings: Settings, stop: asyncio.Event) -> bool:
    """Wait as long as an edition is built by this program's rules, for it will be the one to write; whether one was."""
    store = await open_store(settings.store_url, migrate=False)
    try:
        waited = False
        while not stop.is_set():
            building = [each for each in await store.home.all() if each.state is State.BUILDING]
            if not any(each.fingerprint == fingerprint() for each in building):
                break
            if not waited:
                log.info("the live edition is of other rules, one of this program's is being built: standing by for it")
            waited = True
            await wait(STAND_BY_SECONDS, stop)
        return waited
    finally:
        await store.close()


async def _run(
    settings: Settings,
    *,
    once: bool,
    stop: asyncio.Event,
    hold: bool,
    clock: Callable[[], datetime],
    edition: int | None,
) -> None:
    async with AsyncExitStack() as opened:
        store, bus, producer = await _patiently(settings, stop, lambda: _open(settings, opened, edition))
        spool = Spool(settings.data_dir / "spool")
        if (tracing := tracing_of(settings, "correlator")) is not None:
            opened.callback(tracing.close)
        correlator = Correlator(
            store.writer,
            producer,
            spool,
            clock=clock,
            stop=stop,
            bus=bus,
            admission=admission_of(settings, clock),
            tracing=tracing,
            patient=hold,  # of a rebuild, which goes on with what was read
        )
        # a group per store: one that is built anew reads everything, beside the one that is in use
        group = f"visabus.correlator.{await _patiently(settings, stop, correlator.check)}"
        await _patiently(settings, stop, correlator.rewind)
        await _both(correlator, bus, store, settings, group, once=once, hold=hold, stop=stop)
        if once and (quarantined := await store.reads.quarantined(confidential=True)):
            raise Incomplete(quarantined)
        if once and correlator.gone:
            raise MessagesGone(
                f"the bus lost {correlator.gone} messages before they were read: run `visabus ingest`, which reads its"
                " sources again, and then this"
            )


def admission_of(settings: Settings, clock: Callable[[], datetime]) -> Admission:
    """How events are judged, told in a line. Raises SettingsError."""
    rights, keys = table(), wiring.signing_keys(settings)
    if keys is None:
        log.info("events are taken without signatures: signing.keys names no keys")
        return Admission(clock, rights)
    without = sorted(rights.keys() - keys.by_system.keys())
    log.info("events are taken as signed", systems=len(keys.by_system), without=without)
    return Admission(clock, rights, Verifier(keys))


async def _open(settings: Settings, opened: AsyncExitStack, edition: int | None) -> tuple[Store, Bus, Producer]:
    """Everything, or nothing."""
    async with AsyncExitStack() as opening:
        store = await open_store(settings.store_url, edition=edition)
        opening.push_async_callback(store.close)
        bus = await wiring.open_bus(settings)
        opening.push_async_callback(bus.close)
        await bus.declare(wiring.topics())
        producer = await bus.producer()
        opening.push_async_callback(producer.close)
        await opened.enter_async_context(opening.pop_all())
    return store, bus, producer


async def _patiently(settings: Settings, stop: asyncio.Event, step: Callable[[], Awaitable[T]]) -> T:
    """A step that may come before its bus or its database is up. Raises Stopped."""
    outage = _outage()
    policy = _policy(settings, stop, outage)

    async def attempt() -> T:
        return await step()

    async with cut_off(stop):
        result: T = await policy(attempt)
    outage.over()
    return result


async def _both(
    correlator: Correlator,
    bus: Bus,
    store: Store,
    settings: Settings,
    group: str,
    *,
    once: bool,
    hold: bool,
    stop: asyncio.Event,
) -> None:
    async def unread_by_others() -> int:
        return 0 if correlator.alone else behind(await bus.ends(EVENT_TOPICS), await store.reads.positions())

    pace = Pace(store.reads.backlog, store.reads.sorted_work, unread_by_others)
    superseded = ""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_beating(correlator, bus, store, stop, pace))
            reading = tasks.create_task(_reading(correlator, bus, settings, group, stop, pace))
            tasks.create_task(_resolving(correlator, settings, stop, pace, hold=hold))
            if once:
                await _done(bus, store, correlator, stop, reading, hold=hold)
                stop.set()
    except* Superseded as errors:
        superseded = str(errors.exceptions[0])
    except* _PASSING as errors:
        # what was under way when the order to stop came is given up: whoever starts next finds it undone, not half done
        if not stop.is_set() and not superseded:
            raise errors.exceptions[0] from None
    if superseded:
        raise Superseded(f"edition {store.edition} of the store is not the one to write any more: {superseded}")


async def _reading(
    correlator: Correlator, bus: Bus, settings: Settings, group: str, stop: asyncio.Event, pace: Pace
) -> None:
    """Join the group and append; join anew after being fenced or after the bus was down."""
    outage = _outage()
    policy = _policy(settings, stop, outage)
    while not stop.is_set():
        async for attempt in policy.copy():
            with attempt:
                consumer = await bus.consumer(
                    group, EVENT_TOPICS, assigned=correlator.assigned, revoked=correlator.revoked
                )
                try:
                    await _appending(correlator, consumer, stop, pace, outage)
                except Fenced as error:
                    correlator.fenced += 1
                    FENCED.inc()
                    log.warning("fenced", why=str(error), count=correlator.fenced)
                finally:
                    pace.came(0)
                    await consumer.close()


async def _beating(correlator: Correlator, bus: Bus, store: Store, stop: asyncio.Event, pace: Pace) -> None:
    """Say every few seconds that this process runs, and how much it has not read; take that away at the end."""
    heart = Heartbeats(store.engine, process_name())
    while not stop.is_set():
        with suppress(*_PASSING):  # told by whoever reads or resolves; and nothing is said while it lasts
            lag = behind(await bus.ends(EVENT_TOPICS), await store.reads.positions())
            LAG.set(lag)
            pace.unread(lag)
            await heart.beat(
                int(time.time() * 1_000_000), lag, partitions=correlator.partitions, committed=correlator.committed
            )
        await wait(BEAT_SECONDS, stop)
    with suppress(*_PASSING):
        await heart.end()


def _policy(settings: Settings, stop: asyncio.Event, outage: Outage) -> AsyncRetrying:
    """Try again what lasts as long as this process does: each outage has the whole of the time that one may last."""
    deadline = settings.deadlines.bus_outage
    return bus_retry(_PASSING, stop=stop, deadline=deadline, on_failure=outage.failed, away=outage.seconds)


def _outage() -> Outage:
    return Outage(
        partial(log.warning, "waiting for the bus or the store"), partial(log.info, "bus and store are there again")
    )


async def _appending(
    correlator: Correlator, consumer: Consumer, stop: asyncio.Event, pace: Pace, outage: Outage
) -> None:
    verified = time.monotonic()
    deliveries: Sequence[Delivery] = []
    while not stop.is_set():
        if time.monotonic() - verified >= VERIFY_SECONDS or (correlator.doubtful and not deliveries):
            await correlator.verify()
            verified = time.monotonic()
        deliveries = await consumer.poll(max_messages=POLL_MESSAGES, timeout=IDLE_SECONDS)
        pace.came(len(deliveries))
        if deliveries:
            with TRANSACTIONS.labels("append").time():
                positions = await correlator.take(deliveries, compares=not pace.gathers)
            if positions:
                # for lag tools only: the truth is in the store, in the transaction of the events themselves
                await consumer.commit(positions)
        outage.over()


async def _resolving(
    correlator: Correlator, settings: Settings, stop: asyncio.Event, pace: Pace, *, hold: bool
) -> None:
    outage = _outage()
    policy = _policy(settings, stop, outage)
    while not stop.is_set():
        async for attempt in policy.copy():
            with attempt:
                busy = await _resolve_once(correlator, pace, hold=hold)
        outage.over()
        if not busy:
            await wait(IDLE_SECONDS, stop)


async def _resolve_once(correlator: Correlator, pace: Pace, *, hold: bool) -> bool:
    """One round; whether there was anything to do."""
    rows, ripe = 0, await pace.ripe()
    if ripe or not pace.gathers:  # while work gathers, claims gather as well
        with TRANSACTIONS.labels("compare").time():
            await correlator.compare()
    if ripe:
        began = time.monotonic()
        with TRANSACTIONS.labels("resolve").time():
            rows = (await correlator.resolve()).rows
        pace.resolved(time.monotonic() - began)
    with TRANSACTIONS.labels("fire").time():
        fired = await correlator.fire(DUE_BESIDES if rows or pace.behind else DUE_PERSONS)
    with TRANSACTIONS.labels("deliver").time():
        sent = 0 if hold else await correlator.deliver()
    CHANGES.inc(sent)
    return bool(rows or fired or sent)


async def _done(
    bus: Bus, store: Store, correlator: Correlator, stop: asyncio.Event, reading: asyncio.Task[None], *, hold: bool
) -> None:
    pause = IDLE_SECONDS / 2
    while not stop.is_set() and not reading.done():
        with suppress(*_PASSING):  # who reads and resolves meets it too, tells it, and gives up in time
            if await _is_done(bus, store, correlator, hold=hold):
                return
        await wait(pause, stop)
        pause = min(MOST_IDLE_SECONDS, pause * 1.1)  # a long run can spare the questions


async def _is_done(bus: Bus, store: Store, correlator: Correlator, *, hold: bool) -> bool:
    """Whether the run is caught up, with all told that became due by what it took in, or by the clock."""
    if not await caught_up(bus, store, hold=hold):
        return False
    before = await store.reads.positions()
    # who tells what is due writes it into the outbox: hence a second look behind
    return (
        not await correlator.due()
        and await caught_up(bus, store, hold=hold)
        and await store.reads.positions() == before
    )


async def caught_up(bus: Bus, store: Store, *, hold: bool = False) -> bool:
    """Whether everything on the event topics is taken in, resolved and told."""
    read = behind(await bus.ends(EVENT_TOPICS), await store.reads.positions()) == 0
    return read and await store.reads.backlog() == 0 and (hold or await store.reads.undelivered() == 0)
