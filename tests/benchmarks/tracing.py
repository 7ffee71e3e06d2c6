"""What tracing costs a record: `python tests/benchmarks/tracing.py [RECORDS]`.

For each share of records that is traced: microseconds that ingest pays for a record, and a correlator for an event.
Spans go to a processor that drops them: sending is another thread's.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

from opentelemetry.sdk.trace import TracerProvider

from bus.contract import Delivery, Message, Partition
from services.tracing import Tracing

OTHERS = [(f"ce_{number}", b"x" * 20) for number in range(6)]
HEADERS = (*OTHERS, ("ce_id", b"00000000-0000-0000-0000-000000000001"))


def best(work: Callable[[], object], count: int) -> float:
    """The quickest of five, in microseconds for each."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times) / count * 1e6


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    message = Message("visabus.arrival", b"key", b"{}", HEADERS)
    for share in (0.0, 0.001, 0.01, 1.0):
        tracing = Tracing(TracerProvider(), share, random.Random(1))
        sent = [one for _ in range(count) for one in tracing.published("I94", "nightly", [message])]
        deliveries = [
            Delivery(Partition(one.topic, 0), at, one.key, one.value, one.headers) for at, one in enumerate(sent)
        ]

        def ingest(tracing: Tracing = tracing) -> None:
            for _ in range(count):
                tracing.published("I94", "nightly", [message])

        def correlate(tracing: Tracing = tracing, deliveries: list[Delivery] = deliveries) -> None:
            tracing.taken(deliveries, 1)

        costs = best(ingest, count), best(correlate, count)
        print(f"share {share:<6} ingest {costs[0]:6.2f} us a record, correlator {costs[1]:6.2f} us an event")


if __name__ == "__main__":
    main()
