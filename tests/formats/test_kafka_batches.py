"""Whether a batch of Kafka's log fits is known without unpacking it whole, whatever its codec and format."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from adapters.transports.kafka_batches import oversized

LIMIT = 2**20
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(codec: str, value: bytes, magic: int = 2) -> bytes:
    """A batch as a producer writes it, with one message."""
    if magic == 2:
        made = DefaultRecordBatchBuilder(2, CODECS[codec], 0, -1, -1, -1, 2**30)
        made.append(0, 1_700_000_000_000, b"key", value, [])
    else:
        made = LegacyRecordBatchBuilder(magic, CODECS[codec], 2**30)
        made.append(0, 1_700_000_000_000, b"key", value)
    return bytes(made.build())


SMALL = batch("none", b"x")
CASES = [(codec, 2) for codec in CODECS] + [(codec, magic) for codec in ("gzip", "snappy") for magic in (0, 1)]


@pytest.mark.parametrize(("codec", "magic"), CASES)
def test_a_batch_that_unpacks_to_more_is_found_and_another_is_not(codec: str, magic: int) -> None:
    fits, large = batch(codec, bytes(LIMIT - 1000), magic), batch(codec, bytes(3 * LIMIT), magic)
    assert oversized(SMALL + fits + fits, LIMIT) is None
    refused = oversized(SMALL + fits + large + SMALL, LIMIT)
    if codec == "none":
        assert refused is None, "what is not compressed is as large as it is"
        return
    assert refused is not None
    assert (refused.at, refused.size) == (len(SMALL) + len(fits), len(large))


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_it_is_known_in_little_memory(codec: str) -> None:
    large = batch(codec, bytes(60 * LIMIT))
    tracemalloc.start()
    try:
        assert oversized(large, LIMIT) is not None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT + 2 * len(large)


def test_whatever_the_bytes_are_it_raises_nothing() -> None:
    rng = random.Random(5)
    whole = [batch(codec, bytes(3 * LIMIT), magic) for codec, magic in CASES]
    for _ in range(3_000):
        data = bytearray(rng.choice(whole)[: rng.randint(0, 400)])
        for _ in range(rng.randint(0, 6)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        oversized(bytes(data), LIMIT)
    for each in whole:
        for cut in (1, 10, 100):
            oversized(each[:-cut], LIMIT)
