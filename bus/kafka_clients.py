"""aiokafka's clients, started without loss and ended in time whatever state they are in.

aiokafka's own `stop()` waits for a broker that may never answer (aiokafka issue 1101), so a stop that takes too long is
followed by a close of the parts, which are private to it. Its types are not checked: hence `Any`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)

from bus.contract import BusDown
from links.reasons import Reason, failure_of

_log = logging.getLogger(__name__)

# Of the deadline, the part that a stop in good order may take.
_GENTLY = 0.4
_FORCED = 0.4
DENIED = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)
"""A right is missing."""


def down(what: str, error: BaseException) -> BusDown:
    """The error of a client as BusDown, with its reason. Missing rights are final, whenever they are met."""
    failure = failure_of(error)
    if failure is None:
        return BusDown(f"{what}: {str(error) or type(error).__name__}")
    return BusDown(f"{what}: {failure}", code=failure.reason, final=failure.reason is Reason.NOT_AUTHORISED)


def cancellable(client: Any, deadline: float) -> Any:
    """The same client, which leaves no connection open when its `start()` is cancelled.

    aiokafka asks for the brokers over a connection that it closes after the answer, and forgets when it is cancelled
    before. So that question is let finish, for a part of the deadline; whoever cancels then stops the client as ever.
    """
    connections = client.client if hasattr(client, "client") else client._client
    bootstrap = connections.bootstrap

    async def asked() -> None:
        asking = asyncio.create_task(bootstrap())
        try:
            await asyncio.shield(asking)
        except asyncio.CancelledError:
            try:
                await asyncio.wait([asking], timeout=deadline * _GENTLY)
            finally:
                asking.cancel()
            raise

    connections.bootstrap = asked
    return client


def seen(future: asyncio.Future[Any]) -> None:
    """Whoever gave up waiting for it was told so: asyncio is not to complain of an error that comes later."""
    if not future.cancelled():
        future.exception()


def see_commits(consumer: Any) -> None:
    """A commit that is given up goes on within a started client, shielded by aiokafka: its end is seen, too."""
    coordinator = consumer._coordinator
    commit = coordinator._do_commit_offsets

    async def watched(*arguments: Any) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(seen)
        await commit(*arguments)

    coordinator._do_commit_offsets = watched


async def stop_producer(producer: Any, deadline: float, *, gently: bool) -> None:
    """End a producer; what it still holds is given up, and whoever waits for it is told."""
    if gently and await _stopped(producer, deadline * _GENTLY):
        return
    producer._closed = True
    if producer._sender.sender_task is not None:
        # It fails for want of a transaction when the task ends in an error; what is held is given up below.
        producer._sender.sender_task.remove_done_callback(producer._sender._fail_all)
    await _within(deadline * _FORCED, producer.client.close())
    _give_up(producer._message_accumulator)
    await _within(deadline * _FORCED / 2, producer._sender.close())


def _give_up(held: Any) -> None:
    """Tell whoever waits for a batch or for room. Where nobody waits for room, asyncio is not to complain of it."""
    batches = [*held._pending_batches, *(batch for batches in held._batches.values() for batch in batches)]
    held._pending_batches.update(batches)  # where a batch that went twice takes itself from, wherever it lies
    held.fail_all(KafkaConnectionError("the producer was closed"))
    for batch in batches:
        seen(batch._drain_waiter)


async def stop_consumer(consumer: Any, deadline: float, *, gently: bool = True) -> None:
    """End a consumer, and leave its group if the broker answers."""
    if gently and await _stopped(consumer, deadline * _GENTLY):
        return
    consumer._closed = True
    tasks = [task for task in _tasks_of(consumer) if task is not None and not task.done()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=deadline * _FORCED / 2)
    await _within(deadline * _FORCED, consumer._client.close())


async def stop_admin(admin: Any, deadline: float) -> None:
    """End an admin client."""
    await _within(deadline * _FORCED, admin.close())


def _tasks_of(consumer: Any) -> list[asyncio.Task[Any] | None]:
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    names = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task", "_reset_committed_task")
    tasks: list[asyncio.Task[Any] | None] = [getattr(coordinator, name, None) for name in names]
    if fetcher is not None:
        tasks += [fetcher._fetch_task, *fetcher._pending_tasks]
    return tasks


async def _stopped(client: Any, seconds: float) -> bool:
    stopped = await _within(seconds, client.stop())
    if not stopped:
        _log.warning("a Kafka client did not stop in good order, its parts are closed")
    return stopped


async def to_the_end(closing: Coroutine[Any, Any, None]) -> None:
    """Wait for what has limits of its own, also when cancelled meanwhile; the cancellation comes behind it."""
    task = asyncio.create_task(closing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _within(seconds: float, closing: Coroutine[Any, Any, None]) -> bool:
    """Whether it came to a good end in time.

    In a task of its own, because aiokafka awaits tasks that it has cancelled, and their CancelledError must not end us.
    """
    task = asyncio.create_task(closing)
    await asyncio.wait([task], timeout=seconds)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=seconds)
        return False
    if task.cancelled():
        return False
    if error := task.exception():
        _log.info("closing a Kafka client: %r", error)
    return error is None
