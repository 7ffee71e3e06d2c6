"""What signing an event and judging it cost, beside the build without keys, in one run.

    PYTHONPATH=tests .venv/bin/python tests/benchmarks/signatures.py

Of each step the least of several rounds over the same events of a random world, in microseconds of CPU an event:
`read` is what the correlator did before anything was judged, `judged` with rights, place and stamps, `checked` with the
signature as well; `encoded` is an event made a message, `signed` with its signature.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from populations import world_of

from bus.contract import Delivery, Partition
from bus.events import message_of
from services.authority import Admission
from services.authority.keys import KeyFiles, make
from services.authority.signatures import Signer, Verifier
from services.domain.facts import fact_of

ROUNDS = 30
LIMIT = 5.0
"""Microseconds that a signature may cost an event, made or checked."""


def least(steps: dict[str, Callable[[], object]], events: int) -> dict[str, float]:
    """Microseconds of CPU an event, the least of some rounds; each round takes every step in turn."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(ROUNDS):
        for name, step in steps.items():
            began = time.thread_time()
            step()
            best[name] = min(best[name], time.thread_time() - began)
    return {name: seconds / events * 1_000_000 for name, seconds in best.items()}


def figures(persons: int = 300) -> dict[str, float]:
    """Microseconds an event, by step."""
    events = world_of(17, persons=persons)[0]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "keys"
        for system in sorted({event.system for event in events}):
            make(directory, system)
        keys = KeyFiles(directory)
    signer = Signer(keys)
    messages = [message_of(event) for event in events]
    signed = [signer.signed(message, event.system) for message, event in zip(messages, events, strict=True)]
    deliveries = [Delivery(Partition(each.topic, 0), 0, each.key, each.value, each.headers) for each in signed]
    unsigned = [Delivery(Partition(each.topic, 0), 0, each.key, each.value, each.headers) for each in messages]

    def now() -> datetime:
        return datetime.now(UTC)

    plain, checking = Admission(now), Admission(now, verifier=Verifier(keys))

    def judge(admission: Admission, some: Sequence[Delivery]) -> None:
        fact = admission.at().fact
        for one in some:
            fact(one)

    steps: dict[str, Callable[[], object]] = {
        "encoded": lambda: [message_of(event) for event in events],
        "signed": lambda: [signer.signed(message_of(event), event.system) for event in events],
        "read": lambda: [fact_of(one.value or b"") for one in unsigned],
        "judged": lambda: judge(plain, unsigned),
        "checked": lambda: judge(checking, deliveries),
    }
    return least(steps, len(events))


def main() -> None:
    """Print the figures, and whether they are within the limit."""
    by = figures()
    for step, cost in by.items():
        print(f"{step:8} {cost:6.2f} us an event")
    costs = {"to sign": by["signed"] - by["encoded"], "to check": by["checked"] - by["judged"]}
    for what, cost in costs.items():
        print(f"a signature costs {cost:.2f} us an event {what}, at most {LIMIT:.0f} are allowed")
    print(f"rights, place and stamps cost {by['judged'] - by['read']:.2f} us an event")
    assert max(costs.values()) < LIMIT


if __name__ == "__main__":
    main()
