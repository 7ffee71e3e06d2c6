"""Which account of Kafka may do what with which topic: one account for each process, and one for each system's ingest.

Every other right is missing by itself: Kafka's authoriser refuses what no rule allows. Two systems that write one topic
its rules cannot tell apart; signatures do.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from adapters.core import Asked, Pushed, System
from schemas.events import PEOPLE
from schemas.topics import (
    AUDIT_HEADS,
    CHANGES,
    CHANGES_LATEST,
    CONFIDENTIAL_CHANGES,
    CONFIDENTIAL_CHANGES_LATEST,
    CONTROL,
    DEAD_LETTERS,
    EVENT_TOPICS,
    EXTRACTS,
    FEED_ORDERS,
    POSITIONS,
    PUSH_ANSWERS,
    QUESTIONS,
    RECEIPTS,
    topic_of_kind,
)
from services.authority.rights import rights_of

ALL = "visabus."
"""Every topic and group begins so."""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """What an account may do. `resource` is topic or group; with `prefixed` all names that begin so."""

    account: str
    resource: str
    name: str
    operation: str  # read, write, describe, describe-configs
    prefixed: bool = False

    def command(self, server: str) -> str:
        """The words of Kafka's own tool."""
        pattern = ["--resource-pattern-type", "prefixed"] if self.prefixed else []
        who = ["--allow-principal", f"User:{self.account}", "--operation", self.operation.title().replace("-", "")]
        return shlex.join(
            ["kafka-acls.sh", "--bootstrap-server", server, "--add", *who, f"--{self.resource}", self.name, *pattern]
        )


@dataclass(frozen=True, slots=True)
class Account:
    """An account, what it is for, and the topics that it reads and writes."""

    name: str
    purpose: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Groups that it joins: their names, or how they begin."""

    def rules(self) -> Iterator[Rule]:
        """What it may do."""
        for topic in self.reads:
            yield Rule(self.name, "topic", topic, "read")
        for topic in self.writes:
            yield Rule(self.name, "topic", topic, "write")
        for group in self.groups:
            yield Rule(self.name, "group", group, "read", prefixed=True)
        # names, partitions and settings of topics are no secret, and each process looks whether all of them stand
        for operation in ("describe", "describe-configs"):
            yield Rule(self.name, "topic", ALL, operation, prefixed=True)


_OPERATORS_READS = (
    CHANGES,
    CONFIDENTIAL_CHANGES,
    POSITIONS,
    RECEIPTS,
    DEAD_LETTERS,
    AUDIT_HEADS,
    QUESTIONS,
    FEED_ORDERS,
    *EVENT_TOPICS,
)
_OPERATORS_WRITES = (*(topic for topic in EVENT_TOPICS if topic != CONTROL), DEAD_LETTERS, FEED_ORDERS, AUDIT_HEADS)


def accounts(known: Mapping[str, System], prefix: str = "visabus-") -> list[Account]:
    """The accounts of an installation with these systems."""
    return [
        *(_ingest(system, prefix) for system in known.values()),
        Account(
            f"{prefix}correlator",
            "visabus correlate",
            reads=EVENT_TOPICS,
            writes=(CHANGES, CHANGES_LATEST, CONFIDENTIAL_CHANGES, CONFIDENTIAL_CHANGES_LATEST, DEAD_LETTERS),
            groups=(f"{ALL}correlator.",),
        ),
        # its correlators, and the audit log's row of who switched the view or had persons listed
        Account(
            f"{prefix}rebuild",
            "visabus rebuild",
            reads=(*EVENT_TOPICS, AUDIT_HEADS),
            writes=(DEAD_LETTERS, AUDIT_HEADS),
            groups=(f"{ALL}correlator.",),
        ),
        # whoever writes a row of the audit log compares it with the heads on the bus, and gives out the next one
        Account(
            f"{prefix}examiner",
            "visabus matches decide and undo",
            reads=(AUDIT_HEADS,),
            writes=(CONTROL, AUDIT_HEADS),
        ),
        Account(f"{prefix}api", "visabus serve", reads=(AUDIT_HEADS,), writes=(AUDIT_HEADS,)),
        # on the page operators do what their commands do, and examiners decide
        Account(
            f"{prefix}console",
            "visabus serve --console",
            reads=_OPERATORS_READS,
            writes=(*_OPERATORS_WRITES, CONTROL),
        ),
        Account(
            f"{prefix}ask",
            "visabus ask",
            reads=(CHANGES, QUESTIONS, AUDIT_HEADS),
            writes=(QUESTIONS, AUDIT_HEADS),
            groups=(f"{ALL}ask",),
        ),
        Account(
            f"{prefix}operator",
            "visabus status, metrics, trace, feeds, receipts, dead-letters, audit",
            reads=_OPERATORS_READS,
            writes=_OPERATORS_WRITES,
        ),
        # it may also take back coverage; that it speaks for a system alone whose key it has is the signatures' part
        Account(
            f"{prefix}retractor",
            "visabus retract",
            reads=(*EVENT_TOPICS, AUDIT_HEADS),
            writes=(*EVENT_TOPICS, AUDIT_HEADS),
        ),
        Account(
            f"{prefix}subscriber",
            "whoever follows the changes",
            reads=(CHANGES, CHANGES_LATEST),
            groups=(f"{ALL}subscriber.",),
        ),
    ]


def _ingest(system: System, prefix: str) -> Account:
    rights = rights_of(system)
    topics = {topic_of_kind(kind) for kind in PEOPLE & rights.kinds}
    if rights.scopes is None or rights.scopes:
        topics.add(CONTROL)
    kept = [POSITIONS, EXTRACTS]
    if any(isinstance(feed.transport, Pushed) for feed in system.feeds):
        kept.append(PUSH_ANSWERS)
    if any(isinstance(feed.transport, Asked) for feed in system.feeds):
        kept.append(QUESTIONS)
    return Account(
        ingest_account(system.name, prefix),
        f"visabus ingest{' and door' if PUSH_ANSWERS in kept else ''} of {system.name}",
        reads=(*kept, RECEIPTS, FEED_ORDERS),
        writes=(*sorted(topics), *kept, RECEIPTS, DEAD_LETTERS),
    )


def ingest_account(system: str, prefix: str = "visabus-") -> str:
    """The account of a system's ingest."""
    return f"{prefix}ingest-{system.lower().replace('/', '-')}"


def rules(some: Iterable[Account]) -> list[Rule]:
    """The rules of accounts, each once, in order."""
    return sorted({rule for account in some for rule in account.rules()})
