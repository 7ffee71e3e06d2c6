#!/usr/bin/env bash
# aiokafka's idempotent producer can send nothing more to a partition once the broker has refused one record of it
#
# Seen with aiokafka 0.14.0, Python 3.11, Apache Kafka 4.3.1, on 2026-11-30.
# Input: to a topic whose max.message.bytes is 5000, one after another and each awaited: a small record, one of 20,000 bytes, two small ones
# Behaviour: the large one is refused (MessageSizeTooLargeError), and every later one fails with OutOfOrderSequenceNumber, for the producer's life
# Expected by the standard: KIP-98 and KIP-360: a batch that was refused was not appended, so the numbers behind it are given anew (librdkafka 2.16 sends both small ones)
#
# Run: bash findings/aiokafka-idempotent-after-refusal.sh   (installs into a temporary folder, starts a Kafka there; exit 0 while the behaviour is as described)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
kafka="$here/../deploy/kafka/kafka"
trap '"$kafka" stop "$work/kafka" || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiokafka==0.14.0 confluent-kafka==2.16.1
read -r port controller < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(each.getsockname()[1] for each in sockets))')
"$kafka" start "$work/kafka" "$port" "$controller"
"$work/venv/bin/python" -W ignore - "127.0.0.1:$port" <<'PY'
import asyncio
import logging
import sys
from importlib.metadata import version

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from confluent_kafka import Producer

logging.disable(logging.CRITICAL)
server, values = sys.argv[1], (b"1", b"x" * 20_000, b"2", b"3")


async def by_aiokafka(topic):
    producer = AIOKafkaProducer(bootstrap_servers=server, enable_idempotence=True)
    await producer.start()
    results = []
    for value in values:
        try:
            await producer.send_and_wait(topic, value, partition=0)
            results.append("sent")
        except KafkaError as error:
            results.append(type(error).__name__)
    await producer.stop()
    return results


def by_librdkafka(topic):
    producer = Producer({"bootstrap.servers": server, "enable.idempotence": True})
    results = []
    for value in values:
        producer.produce(topic, value, partition=0, on_delivery=lambda error, _: results.append(error.name() if error else "sent"))
        producer.flush(20)
    return results


async def main():
    admin = AIOKafkaAdminClient(bootstrap_servers=server)
    await admin.start()
    topics = [NewTopic(name, 1, 1, topic_configs={"max.message.bytes": "5000"}) for name in ("one", "other")]
    await admin.create_topics(topics)
    await asyncio.sleep(2)
    await admin.close()
    return await by_aiokafka("one")


first, second = asyncio.run(main()), by_librdkafka("other")
print("aiokafka", version("aiokafka"), "|", first, "| librdkafka:", second)
assert first == ["sent", "MessageSizeTooLargeError", "OutOfOrderSequenceNumber", "OutOfOrderSequenceNumber"], first
assert second == ["sent", "MSG_SIZE_TOO_LARGE", "sent", "sent"], second
PY
