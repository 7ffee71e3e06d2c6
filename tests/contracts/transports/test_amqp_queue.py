"""The queue against a real RabbitMQ: acknowledged only behind what is durable, delivered again, counted once."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import aio_pika
import pytest
import rabbitmq_local
from opening import connect
from toy_source import World, settings, world

from adapters.core import BadRecord, Batch, Origin, Read, Record, Resent, SourceDown
from adapters.decode import decode
from adapters.registry import systems
from adapters.transports.amqp_queue import Address, QueueConsumer
from bus.contract import Bus
from bus.embedded import EmbeddedBus
from schemas.topics import RECEIPTS
from services import failpoints
from services.dead_letters import Spool
from services.ingest import Outcome, Source, recorded, run
from services.wiring import topics

APIS = systems()["APIS"]
QUEUE = APIS.feed("queue")
HEAD = "UNB+UNOA:4+BAW+CBP+250314:1815+{0}'UNH+1+PAXLST:D:05B:UN:IATA'BGM+745'TDT+20+BA178'LOC+125+JFK'"
HEAD += "DTM+189:2503142130:201'LOC+87+LHR'"
TAIL = "CNT+42:{1}'UNT+0+1'UNZ+1+{0}'"


def interchange(number: int) -> bytes:
    """A manifest; the second traveller of each cannot be read."""
    people = [
        f"NAD+FL+++PERSON:{number}'RFF+ABO:{number}X{each}'DOC+P+A{number:05}{each}'LOC+91+FRA'{more}"
        for each, more in enumerate(["", "ZZZ+1'", ""])
    ]
    return (HEAD.format(number) + "".join(people) + TAIL.format(number, 3)).encode()


class Broker:
    """A queue of one test's own."""

    def __init__(self, address: str) -> None:
        self.queue = f"apis {uuid.uuid4().hex}"
        self.address = address
        self.url = f"{address}/{self.queue.replace(' ', '%20')}"

    async def declare(self, **arguments: Any) -> None:
        await self._with(lambda channel: channel.declare_queue(self.queue, durable=True, arguments=arguments or None))

    async def delete(self) -> None:
        await self._with(lambda channel: channel.queue_delete(self.queue))

    async def publish(self, *bodies: bytes, **properties: Any) -> None:
        """Put messages into the queue, durable once this returns."""

        async def send(channel: Any) -> None:
            for body in bodies:
                message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, **properties)
                await channel.default_exchange.publish(message, routing_key=self.queue, timeout=10)

        await self._with(send)

    async def left(self) -> int:
        """How many messages wait in the queue, as long as nobody holds any."""
        queue = await self._with(lambda channel: channel.declare_queue(self.queue, passive=True))
        count = queue.declaration_result.message_count
        assert isinstance(count, int)
        return count

    async def _with(self, work: Any) -> Any:
        async with await aio_pika.connect(self.address) as connection:
            return await work(await connection.channel())

    def source(self, **options: Any) -> Source:
        return Source(APIS, QUEUE.configured(options), self.url)

    def open(self, **options: Any) -> Any:
        return connect(self.url, QUEUE.configured(options))


@pytest.fixture
async def broker(rabbitmq: str) -> Broker:
    result = Broker(rabbitmq)
    await result.declare()
    return result


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()


async def read_all(
    transport: QueueConsumer, position: Any = None, *, done: bool = True
) -> list[tuple[Batch, list[Read]]]:
    """Every batch that is ready, acknowledged if `done`."""
    results = []
    try:
        async with aclosing(transport.batches(position)) as batches:  # type: ignore[type-var]
            async for batch in batches:
                results.append((batch, [read async for read in batch.records()]))
                if done and batch.done is not None:
                    await batch.done()
    finally:
        await transport.close()
    return results


# --- addresses ---------------------------------------------------------------------------------------------------


def test_addresses() -> None:
    plain = Address.of("amqp://mq.example/apis")
    assert (plain.host, plain.port, plain.tls) == ("mq.example", 5672, False)
    assert (plain.virtual_host, plain.queue) == ("/", "apis")
    whole = Address.of("amqps://u%40x:p%2Fw@mq.example:5/cbp%2Fin/apis.in")
    assert (whole.login, whole.password, whole.port) == ("u@x", "p/w", 5)
    assert (whole.virtual_host, whole.queue, whole.tls) == ("cbp/in", "apis.in", True)
    assert "p/w" not in f"{whole} {whole!r}"


@pytest.mark.parametrize("url", ["", "amqp://host", "amqp://host/", "http://host/q", "amqp://h:x/q", "amqp://h/a/b/c"])
def test_an_address_that_is_none_is_told_without_its_password(url: str) -> None:
    with pytest.raises(SourceDown, match="address cannot be used"):
        connect(url.replace("amqp://", "amqp://user:secret@"), QUEUE)


def test_options_that_are_none() -> None:
    with pytest.raises(ValueError, match="no option colour"):
        connect("amqp://host/q", QUEUE.configured({"colour": 1}))
    with pytest.raises(ValueError, match="format"):
        connect("amqp://host/q", replace(QUEUE, format=None))


# --- the transport -----------------------------------------------------------------------------------------------


async def test_a_message_is_a_batch_in_the_order_of_the_queue(broker: Broker) -> None:
    await broker.publish(interchange(1), interchange(2), message_id="first-named")
    result = await read_all(broker.open())
    assert [batch.name for batch, _ in result] == ["first-named"] * 2
    assert [sum(isinstance(read, Record) for read in reads) for _, reads in result] == [2, 2]
    assert [sum(isinstance(read, BadRecord) for read in reads) for _, reads in result] == [1, 1]
    assert await broker.left() == 0


async def test_an_empty_queue_has_nothing(broker: Broker) -> None:
    assert await read_all(broker.open()) == []


async def test_what_is_not_acknowledged_comes_again_with_the_same_records(broker: Broker) -> None:
    await broker.publish(interchange(1), interchange(2))
    first = await read_all(broker.open(), done=False)
    assert await broker.left() == 2
    again = await read_all(broker.open(), done=True)
    assert [(batch.name, batch.after) for batch, _ in first] == [(batch.name, batch.after) for batch, _ in again]
    assert [[read.raw for read in reads] for _, reads in first] == [[read.raw for read in reads] for _, reads in again]
    assert await broker.left() == 0


@pytest.mark.law(3, "a message delivered again")
async def test_what_is_done_and_comes_again_is_told_and_not_read(broker: Broker) -> None:
    """The process died behind the saved position and before the acknowledgement."""
    await broker.publish(interchange(1), interchange(2))
    first = await read_all(broker.open(), done=False)
    (resent, new) = await read_all(broker.open(), first[0][0].after)
    assert [type(read) for read in resent[1]] == [Resent]
    assert resent[1][0].fields == {"read as": resent[0].name}
    assert resent[0].after["again"] == 1
    assert sum(isinstance(read, Record) for read in new[1]) == 2
    assert await broker.left() == 0


@pytest.mark.law(3, "a message of one id that is delivered again has one receipt, and counts once")
async def test_a_message_that_comes_again_has_one_receipt(broker: Broker, bus: Bus, tmp_path: Path) -> None:
    """Under another name it has a second one, which says under which it was read."""
    at = settings(tmp_path, refuse_min=1000)
    for name in ("M-1", "M-1", "M-2"):
        await broker.publish(interchange(1), message_id=name)
        (outcome,) = await run(at, [broker.source()], once=True, bus=bus, clock=recorded)
        assert (outcome.error, outcome.counters.read) == (None, 3)
    bodies = [json.loads(one.value or b"") async for one in bus.read(RECEIPTS)]
    assert [(body["batch"], body["read"]) for body in bodies] == [("M-1", 3), ("M-2", 0)]
    assert bodies[1]["notes"][0]["fields"] == {"read as": "M-1"}
    assert await broker.left() == 0


async def test_resuming_at_every_position_reads_the_rest(broker: Broker) -> None:
    bodies = [interchange(number) for number in range(4)]
    await broker.publish(*bodies)
    positions = [None, *(batch.after for batch, _ in await read_all(broker.open()))]
    for done, position in enumerate(positions):
        await broker.publish(*bodies)
        result = await read_all(broker.open(), position)
        assert [isinstance(reads[0], Resent) for _, reads in result] == [number < done for number in range(4)]


async def test_the_position_stays_small(broker: Broker) -> None:
    await broker.publish(*(b"x%d" % number for number in range(12)))
    result = await read_all(broker.open(window=5))
    assert len(result[-1][0].after["done"]) == 5


async def test_a_message_that_is_too_large_is_refused(broker: Broker) -> None:
    await broker.publish(interchange(1))
    ((_, reads),) = await read_all(broker.open(limit=100))
    assert isinstance(reads[0], BadRecord)
    assert reads[0].raw == interchange(1)
    assert len(reads) == 1


async def test_a_queue_that_is_not_there(broker: Broker) -> None:
    broker.url += "%20lost"
    with pytest.raises(SourceDown, match="cannot be reached: absent: ChannelNotFoundEntity"):
        await read_all(broker.open())


async def test_a_wrong_password_is_never_told(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    transport = connect(broker.url.replace("guest:guest", "guest:hunter22"), QUEUE)
    with pytest.raises(SourceDown) as text:
        await read_all(transport)
    await transport.close()
    assert "hunter22" not in f"{text.value} {text.value.__cause__} {caplog.text} {transport!r}"


async def test_nobody_listens() -> None:
    with pytest.raises(SourceDown, match=r"queue .apis. at 127\.0\.0\.1:1: refused: "):
        await read_all(connect("amqp://127.0.0.1:1/apis", QUEUE))


async def test_a_consumer_cut_off_is_source_down(broker: Broker) -> None:
    await broker.publish(interchange(1))
    transport = broker.open()
    (batch,) = [batch async for batch in transport.batches(None)]
    await transport.close()
    assert batch.done is not None
    with pytest.raises(SourceDown, match="went away"):
        await batch.done()
    assert await broker.left() == 1


# --- what queues of all kinds do -----------------------------------------------------------------------------------


@pytest.fixture
async def quorum(rabbitmq: str) -> Broker:
    """A queue that is replicated: nothing in it has a place at the head."""
    result = Broker(rabbitmq)
    await result.declare(**{"x-queue-type": "quorum"})
    return result


@pytest.mark.parametrize(("kind", "order"), [("classic", [1, 2, 3]), ("quorum", [2, 3, 1])])
async def test_whoever_rejects_a_message_moves_it_so_nobody_here_does(
    rabbitmq: str, kind: str, order: list[int]
) -> None:
    """`reject(requeue=True)` puts it at the head of a classic queue and at the tail of a quorum queue.

    What this transport leaves unacknowledged when it closes keeps its place in both.
    """
    broker = Broker(rabbitmq)
    await broker.declare(**{"x-queue-type": kind})
    await broker.publish(*(interchange(number) for number in (1, 2, 3)))
    await read_all(broker.open(), done=False)

    async def reject(channel: Any) -> None:
        queue = await channel.get_queue(broker.queue)
        message = await queue.get()
        assert message.body == interchange(1)
        await message.reject(requeue=True)

    await broker._with(reject)
    bodies = [b"".join(read.raw for read in reads) for _, reads in await read_all(broker.open())]
    assert bodies == [interchange(number) for number in order]
    assert await broker.left() == 0


async def test_the_order_of_a_record_is_its_revision_and_not_the_queues(quorum: Broker) -> None:
    """The later interchange is read first, and wins all the same."""
    older, newer = interchange(1), interchange(1).replace(b"250314:1815+1", b"250314:1915+1")
    await quorum.publish(newer, older)
    revisions: dict[str, list[int]] = {}
    for batch, reads in await read_all(quorum.open()):
        for read in reads:
            if isinstance(read, Record):
                for event in decode(read, QUEUE, Origin("APIS", "queue", batch.name, 1)).events:
                    revisions.setdefault(event.record, []).append(event.revision.number)
    assert revisions
    assert all(first > second for first, second in revisions.values())


@pytest.mark.parametrize("kind", ["classic", "quorum"])
async def test_a_queue_that_goes_away_while_it_is_read_is_source_down_in_time(rabbitmq: str, kind: str) -> None:
    broker = Broker(rabbitmq)
    await broker.declare(**{"x-queue-type": kind})
    await broker.publish(interchange(1), interchange(2))
    transport = broker.open(timeout=10)
    batches = transport.batches(None)
    async with asyncio.timeout(30):
        batch = await anext(batches)
        await batch.done()
        await broker.delete()
        with pytest.raises(SourceDown, match=r"went away|cannot be reached"):
            await anext(batches)
        await transport.close()
        with pytest.raises(SourceDown, match="cannot be reached: absent: ChannelNotFoundEntity"):
            await read_all(broker.open())
        await broker.declare(**{"x-queue-type": kind})
        await broker.publish(interchange(3))
        ((_, reads),) = await read_all(broker.open(), batch.after)
    assert sum(isinstance(read, Record) for read in reads) == 2


async def test_what_headers_say_counts_for_nothing(broker: Broker) -> None:
    """Numbers in them change on the way: a decimal loses its sign, a float its digits."""
    headers = {
        "x-delivery-count": 7,
        "amount": Decimal("-1.5"),
        "ratio": 0.1,
        "text": "t",
        "of": {"a": 1},
    }
    await broker.publish(interchange(1), headers=headers)
    await broker.publish(interchange(2))
    (with_headers, without) = await read_all(broker.open())
    assert [type(read) for read in with_headers[1]] == [type(read) for read in without[1]]


# --- through the host --------------------------------------------------------------------------------------------


class Crash(BaseException):
    """Stands for a death of the process."""


MESSAGES = 5
READ = {
    "read": 3 * MESSAGES,
    "published": 2 * MESSAGES,
    "dead_lettered": MESSAGES,
    "filtered": {},
    "events": 2 * MESSAGES,
}


async def once(
    broker: Broker, bus: Bus, directory: Path, action: failpoints.Action = failpoints.ignore, **ingest: Any
) -> Outcome:
    """One run of the feed."""
    quick = settings(directory, **({"chunk_records": 2, "refuse_min": 1000} | ingest))
    with failpoints.armed(action):
        (outcome,) = await run(quick, [broker.source()], once=True, bus=bus, clock=recorded)
    return outcome


def wrong(results: World) -> list[str]:
    """The violations of "nothing lost" and of the sum."""
    lost = 2 * MESSAGES - len(results.ids())
    dead_letters = len({dead_letter["id"] for dead_letter in results.dead_letters})
    counters = results.checkpoints["APIS/queue"]["counters"]
    return [
        *([f"{lost} events lost"] if lost else []),
        *([f"{dead_letters} dead letters"] if dead_letters != MESSAGES else []),
        *([f"counters {counters}"] if counters != READ else []),
    ]


@pytest.mark.law(2, "in the spool, and in the queue until then")
async def test_a_message_that_is_too_large_is_kept_whole_before_it_is_acknowledged(
    broker: Broker, bus: Bus, tmp_path: Path
) -> None:
    """In the spool, all of it; whoever dies before the letter is out finds the message in the queue again."""
    large = interchange(1) + b" " * 1_000_000
    await broker.publish(large)
    source = broker.source(limit=1_000)

    async def crash(at: str) -> None:
        if at == "ingest.decoded":
            raise Crash

    quick = settings(tmp_path, chunk_records=2, refuse_min=1000)
    with failpoints.armed(crash):
        (died,) = await run(quick, [source], once=True, bus=bus, clock=recorded)
    assert died.error is not None
    assert await broker.left() == 1
    (done,) = await run(quick, [source], once=True, bus=bus, clock=recorded)
    assert done.error is None
    assert await broker.left() == 0
    (dead_letter,) = (await world(bus)).dead_letters
    assert dead_letter["bytes"] == len(large)
    assert Spool(quick.data_dir / "spool").load(dead_letter["spooled"]) == large


@pytest.mark.law(2, "a queue of a real RabbitMQ, acknowledged behind the saved position")
@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
async def test_a_crash_at_each_step_loses_nothing_and_counts_nothing_twice(
    broker: Broker, bus: Bus, tmp_path: Path, point: str
) -> None:
    await broker.publish(*(interchange(number) for number in range(MESSAGES)))
    for nth in range(1, 100):
        hits = 0

        async def crash(at: str, nth: int = nth) -> None:
            nonlocal hits
            hits += at == point
            if hits == nth:
                raise Crash

        if (await once(broker, bus, tmp_path, crash)).error is None:
            break
    assert nth > 2
    assert wrong(await world(bus)) == []
    assert await broker.left() == 0


@pytest.mark.law(2, planted="a queue acknowledged on receipt")
async def test_the_planted_bug_loses_messages(
    broker: Broker, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged on receipt."""
    sound = QueueConsumer._next

    async def unsound(self: QueueConsumer, queue: Any) -> Any:
        if (message := await sound(self, queue)) is not None:
            await message.ack()
            monkeypatch.setattr(type(message), "ack", _nothing)
        return message

    async def crash(at: str) -> None:
        if at == "ingest.decoded":
            raise Crash

    await broker.publish(*(interchange(number) for number in range(MESSAGES)))
    with monkeypatch.context() as planted:
        planted.setattr(QueueConsumer, "_next", unsound)
        assert (await once(broker, bus, tmp_path, crash)).error is not None
    assert (await once(broker, bus, tmp_path)).error is None
    assert any("lost" in violation for violation in wrong(await world(bus)))


async def _nothing(*_: Any, **__: Any) -> None:
    return


async def recovered(broker: Broker) -> None:
    """Until the node has its queue again: it answers before it has read all that it kept."""
    async with asyncio.timeout(60):
        while True:
            try:
                await broker.left()
            except aio_pika.exceptions.AMQPException:
                await asyncio.sleep(0.2)
            else:
                return


@pytest.mark.law(2, "RabbitMQ killed")
@pytest.mark.slow
async def test_a_node_that_is_killed_and_started_again(node: Path, bus: Bus, tmp_path: Path) -> None:
    """Once behind a saved position, once before anything is sent. The messages are durable: the node has them again."""
    broker = Broker(await asyncio.to_thread(rabbitmq_local.start, node))
    await broker.declare()
    await broker.publish(*(interchange(number) for number in range(MESSAGES)))
    await asyncio.to_thread(rabbitmq_local.write_down, node)
    for point in ("ingest.saved", "ingest.decoded"):
        hits = 0

        async def fault(at: str, point: str = point) -> None:
            nonlocal hits
            hits += at == point
            if at == point and hits == 3:
                await asyncio.to_thread(rabbitmq_local.kill, node)

        outcome = await once(broker, bus, tmp_path, fault, breaker_failures=2, in_flight=1)
        assert outcome.error is not None
        assert "could not be reached" in outcome.error
        await asyncio.to_thread(rabbitmq_local.start, node)
        await recovered(broker)
    assert (await once(broker, bus, tmp_path)).error is None
    assert wrong(await world(bus)) == []
    assert await broker.left() == 0
