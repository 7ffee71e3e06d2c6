"""Which events of the bus are taken for what they say, and why the others are not.

An event counts if it lies on the topic of its kind, under the key of its record, under an id that is derived from what
it is a version of (or it could stand in the place of another system's event), beside attributes that say what its
value says; if its system may say it; if none of its stamps lies ahead; and, where keys are set, if the ingest of its
system has signed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

from bus.contract import Delivery
from schemas.cloudevents import source_of
from schemas.codec import Undecodable
from schemas.ids import event_id_bytes
from schemas.topics import topic_of_kind
from services.authority.rights import DECIDING, Refused, Rights, table
from services.authority.signatures import Verifier
from services.authority.stamps import Latest
from services.domain.facts import Fact, Wire, fact_of


class Admission:
    """Judges events. `verifier`: None where this installation has no keys."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        rights: Mapping[str, Rights] | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        self._clock = clock
        self._rights = table() if rights is None else rights
        self._verifier = verifier

    def at(self) -> Judging:
        """The judging of some events at one moment."""
        return Judging(self._rights, self._verifier, self._clock())


class Judging:
    """Judges events at one moment."""

    __slots__ = ("_latest", "_now", "_one", "_rights", "_signer", "_verifier")

    def __init__(self, rights: Mapping[str, Rights], verifier: Verifier | None, now: datetime) -> None:
        self._rights = rights
        self._verifier = verifier
        self._now = int(now.timestamp())
        self._latest = Latest.at(now)
        self._one: Delivery
        self._signer: str | None = None

    def fact(self, one: Delivery) -> Fact:
        """The fact of a message that has a value. Raises Undecodable, with the reason for what is refused as well."""
        if one.value is None:
            raise Undecodable("no value")
        self._one = one
        if self._verifier is not None:
            try:
                self._signer = self._verifier.signer_of(one, self._now)
            except Refused as error:
                raise Undecodable(str(error)) from None
        return fact_of(one.value, self._judge)

    def _judge(self, wire: Wire) -> None:
        """Raises Refused."""
        self._check_signer(wire)
        self._check_place(wire)
        self._rights.get(wire.system, DECIDING).check(wire)
        self._latest.check(wire.published_at, wire.recorded_at)

    def _check_signer(self, wire: Wire) -> None:
        """An event speaks of its own system's record: so its signer retracts and replaces no other's."""
        if self._verifier is not None and self._signer != wire.system:
            raise Refused("signature: by the ingest of another system")

    def _check_place(self, wire: Wire) -> None:
        one, revision = self._one, wire.revision
        if topic_of_kind(wire.kind) != one.partition.topic:
            raise Refused("kind: not on its topic")
        if one.key != f"{wire.system}/{wire.record}".encode():
            raise Refused("key: not that of its record")
        derived = event_id_bytes(
            wire.system, wire.record, wire.part, revision.number, revision.digest, wire.mapping_version
        )
        if wire.id.replace("-", "").lower() != derived.hex():
            raise Refused("id: not derived from its record and version")
        constant = _constant(wire.system, wire.kind)
        for name, content in one.headers:
            attribute = name.lower()
            stated = wire.id.encode() if attribute == "ce_id" else constant.get(attribute)
            if stated is not None and content != stated:
                raise Refused(f"{name}: another than the value's")


@lru_cache(maxsize=1_000)
def _constant(system: str, kind: str) -> Mapping[str, bytes]:
    """What attributes have to say of all events of a kind and system, beside the id.

    They are no part of what is signed: the value is, and they say the same.
    """
    return {"ce_source": source_of(system), "ce_type": f"visabus.{kind}".encode()}
