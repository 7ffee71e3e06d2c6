"""What a forger tries who has the rights of one system's ingest: its key, and its account's writes to topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from populations import START, World, again, make, passport

from bus.contract import Message
from bus.events import message_of
from schemas.events import (
    AnyEvent,
    Arrival,
    Coverage,
    Decision,
    Departure,
    Evidence,
    Handling,
    Operation,
    RecordRef,
    Status,
)
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment
from schemas.topics import ARRIVALS, CONTROL, DEPARTURES, STATUSES
from services.authority.signatures import SIGNATURE, Signer

FORGER = "BCI"
"""It tells arrivals and departures, and vouches: so its account writes three topics, control among them."""
LATER = START + timedelta(days=100)


@dataclass(frozen=True)
class Honest:
    """What others have told: two persons whose arrivals, departures and coverage are I94's, and a marked case."""

    world: World
    arrivals: tuple[AnyEvent, AnyEvent]
    departure: AnyEvent
    coverage: AnyEvent
    case: AnyEvent
    decision: AnyEvent

    @property
    def events(self) -> list[AnyEvent]:
        """All of it."""
        return [*self.arrivals, self.departure, self.coverage, self.case, self.decision]


def honest() -> Honest:
    """It, always the same."""
    world = World(9)
    one, other = world.person(), world.person()

    def about(person: Any, at: datetime) -> dict[str, Any]:
        return {"occurred_at": Moment.instant(at), "subject": world.subject(person, passport(person))}

    arrivals = tuple(
        make(Arrival, world, record=record, known=START, class_of_admission="B2", **about(person, START))
        for record, person in (("A1", one), ("A2", other))
    )
    left = START + timedelta(days=9)
    departure = make(Departure, world, record="D1", known=left, evidence=Evidence.INSPECTED, **about(one, left))
    scope = {"scope": "departure:air", "since": START - timedelta(days=9), "through": START}
    coverage = make(Coverage, world, record="C1", known=START, **scope)
    marks = {"fact": "asylum_pending", "handling": (Handling.ASYLUM,)}
    case = make(Status, world, record="R1", known=START, system="RAPS", **marks, **about(other, START))
    sides = {"one": RecordRef(system="I94", record="A1"), "other": RecordRef(system="I94", record="A2")}
    decision = make(
        Decision, world, record="E1", known=START, system="VISABUS", same=False, by="E", why="two faces", **sides
    )
    return Honest(world, (arrivals[0], arrivals[1]), departure, coverage, case, decision)


@dataclass(frozen=True)
class Forger:
    """Its own signer, and what it has seen of others: their messages, as they signed them."""

    signer: Signer
    seen: Mapping[UUID, Message]
    said: Honest

    def by_own_key(self, event: AnyEvent, **parts: Any) -> Message:
        """An event signed by its own key, whoever's it is."""
        return self.signed(message_of(event), **parts)

    def signed(self, message: Message, **parts: Any) -> Message:
        """A message with some of its parts changed, signed by its own key."""
        return self.signer.signed(replace(message, **parts), FORGER)

    def own(self, kind: type[Any], record: str, **fields: Any) -> AnyEvent:
        """An event of its own about one of the persons."""
        first = self.said.arrivals[0]
        about = {} if kind in (Coverage, Decision) else {"subject": first.subject, "occurred_at": first.occurred_at}
        event: AnyEvent = make(
            kind, self.said.world, record=record, known=LATER, **({"system": FORGER} | about | fields)
        )
        return event

    def changed(self, message: Message, **fields: Any) -> Message:
        """A message whose value says something else, its signature as it was."""
        return replace(message, value=orjson.dumps(orjson.loads(message.value or b"") | fields))

    def tries(self) -> dict[str, Message]:
        """What it tries, by what it wants."""
        said, seen = self.said, self.seen
        first = said.arrivals[0]
        taken_back = again(first, number=2, published_at=LATER, operation=Operation.RETRACT)
        theirs, name = seen[first.id], dict(seen[first.id].headers)[SIGNATURE].split()[0]
        gone = again(said.departure, number=2, published_at=LATER, operation=Operation.RETRACT)
        unmarked = again(said.case, number=2, published_at=LATER, handling=())
        wide = {"scope": "departure:air", "since": START - timedelta(days=400), "through": LATER}
        sides = {"one": RecordRef(system="I94", record="A1"), "other": RecordRef(system="I94", record="A2")}
        word = {"same": True, "by": "E", "why": "forged", **sides}
        own = {"scope": "departure:foreigners", "since": START, "through": LATER}
        land = {"evidence": Evidence.FOREIGN_ENTRY}
        elsewhere = self.own(Departure, "F1", **land).model_copy(update={"id": said.departure.id})
        signed = self.by_own_key(taken_back)
        code = dict(signed.headers)[SIGNATURE].split()
        borrowed = (
            *(each for each in signed.headers if each[0] != SIGNATURE),
            (SIGNATURE, b" ".join((name, *code[1:]))),
        )
        undone = again(said.decision, number=2, published_at=LATER, operation=Operation.RETRACT)
        by_attributes = tuple(
            (key, b"urn:visabus:system:BCI" if key == "ce_source" else content)
            for key, content in message_of(taken_back).headers
        )
        far = datetime(9998, 1, 1, tzinfo=UTC)
        tomorrow = Signer(self.signer.keys, lambda: datetime.now(UTC).timestamp() + 86_400)
        return {
            "another's arrival taken back, unsigned": message_of(taken_back),
            "the same by its own key": signed,
            "the same under the name of the other's key": replace(signed, headers=borrowed),
            "the same with its own name in the attributes": self.signed(message_of(taken_back), headers=by_attributes),
            "another's departure taken back": self.by_own_key(gone),
            "another's signed arrival, made a retraction": self.changed(theirs, operation="retract"),
            "another's signed arrival with another body": self.changed(theirs, class_of_admission="F1"),
            "another's signed arrival among departures": replace(theirs, topic=DEPARTURES),
            "another's signed arrival under its own key": replace(theirs, key=b"BCI/F2"),
            "another's coverage": self.by_own_key(again(said.coverage, number=2, published_at=LATER, **wide)),
            "coverage of its own in another's scope": self.by_own_key(self.own(Coverage, "F3", **wide)),
            "an examiner's decision": self.by_own_key(self.own(Decision, "F4", system="VISABUS", **word)),
            "an examiner's decision undone": self.by_own_key(undone),
            "a decision of its own": self.by_own_key(self.own(Decision, "F5", **word)),
            "a decision among departures": self.by_own_key(self.own(Decision, "F6", **word), topic=DEPARTURES),
            "its own coverage among departures": self.by_own_key(self.own(Coverage, "F7", **own), topic=DEPARTURES),
            "its own departure among arrivals": self.by_own_key(self.own(Departure, "F8", **land), topic=ARRIVALS),
            "its own departure on control": self.by_own_key(self.own(Departure, "F9", **land), topic=CONTROL),
            "a kind that it does not tell": self.by_own_key(
                self.own(Status, "F10", fact="permanent_resident"), topic=DEPARTURES
            ),
            "a kind that it does not tell, on its topic": self.by_own_key(
                self.own(Status, "F11", fact="permanent_resident"), topic=STATUSES
            ),
            "evidence that it cannot have": self.by_own_key(
                self.own(Departure, "F12", evidence=Evidence.BIOMETRIC, occurred_at=Moment.instant(LATER))
            ),
            "a mark taken off another's case": self.by_own_key(unmarked, topic=STATUSES),
            "known in the year 9998": self.by_own_key(
                self.own(Arrival, "F13").model_copy(update={"published_at": far})
            ),
            "recorded in the year 9998": self.by_own_key(self.own(Arrival, "F14", recorded_at=far)),
            "in the place of another's event": self.by_own_key(elsewhere),
            "under the key of another's record": self.by_own_key(self.own(Arrival, "F15"), key=b"I94/A1"),
            "signed tomorrow": tomorrow.signed(message_of(self.own(Arrival, "F16")), FORGER),
            "a person's number in another's name": self.by_own_key(self._number()),
            "no event": self.signer.signed(Message(DEPARTURES, b"BCI/F17", b"{", ()), FORGER),
            "no value of a kind": self.signer.signed(Message(CONTROL, b"BCI/F18", b"{}", ()), FORGER),
        }

    def _number(self) -> AnyEvent:
        """That makes one of the two persons, if it is believed."""
        numbers = tuple(each.subject.identifiers[0] for each in self.said.arrivals)
        subject = self.said.world.subject(self.said.world.person(), *numbers, Identifier.of(Scheme.I94, "00000000000"))
        first = self.said.arrivals[0]
        event: AnyEvent = make(
            Arrival, self.said.world, record="F19", known=LATER, subject=subject, occurred_at=first.occurred_at
        )
        return event
