"""What both buses agree on: the largest message, the deadline of a call, the partition of a key."""

from __future__ import annotations

from itertools import chain
from zlib import crc32

from bus.contract import Message, MessageTooLarge

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
DEADLINE = 10.0


def size_of(message: Message) -> int:
    """The bytes that a message's key, value and headers take."""
    parts = chain.from_iterable(message.headers)
    return len(message.key or b"") + len(message.value or b"") + sum(map(len, parts))


def check_size(message: Message, limit: int) -> int:
    """The message's size; MessageTooLarge above the limit."""
    size = size_of(message)
    if size > limit:
        raise MessageTooLarge(f"a message of {size} bytes for {message.topic}; the bus takes {limit}")
    return size


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that a key always goes to: CRC-32, which librdkafka calls "consistent"."""
    return crc32(key) % partitions
