"""Answers from events alone: persons, their status and their possible matches, without a bus and without a store.

The same pure parts answer here as in the correlator and the API, so a history that the export holds and one that is
computed here give the same line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.codec import Undecodable, decode, encode
from schemas.events import AnyEvent, PersonEvent
from services.domain.coverage import Coverage, complete
from services.domain.facts import BEYOND, Fact, fact_of, instant
from services.domain.history import Answer, History, Stay, canonical
from services.domain.pools import Pool
from services.domain.resolve import answer, persons, status
from services.matches import Possible, possible_among

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment of knowing of an event that has none, such as one that `visabus decode` shows."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no canonical event."""

    number: int
    reason: str


@dataclass(slots=True)
class Known:
    """The facts of a file, its lines that are no event, and what was left out of others."""

    pool: Pool = field(default_factory=Pool)
    coverage: Pool = field(default_factory=Pool)
    bad: list[BadLine] = field(default_factory=list)
    lost: list[BadLine] = field(default_factory=list)  # values that cannot be, left out of events that are read

    def persons(self, known_at: int | None = None) -> list[History]:
        """The persons by what was known at `known_at` (microseconds; None: all), in the order of their ids."""
        return persons(self.pool.facts.values(), known_at)

    def complete(self, known_at: int | None = None) -> Coverage:
        """What is known to be complete."""
        return complete(self.coverage.facts.values(), known_at)

    def matches(self, known_at: int | None = None) -> list[Possible]:
        """The possible matches, in the order of their persons."""
        facts = [fact for fact in self.pool.facts.values() if known_at is None or fact.known <= known_at]
        return sorted(possible_among(facts), key=lambda match: (match.one.person, match.other.person))


def read(lines: Iterable[bytes]) -> Known:
    """The events of JSON lines. Older schema versions are brought to the present one; blank lines are left out."""
    known = Known()
    facts: list[Fact] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = decode(line if b'"published_at"' in line else _known_from_the_beginning(line))
            possible = _possible(event)
            if possible is not event:
                known.lost.append(BadLine(number, "a birth after what the record tells of is left out"))
            fact = fact_of(encode(possible))
            _check_past(event, fact)
            facts.append(fact)
        except Undecodable as error:
            known.bad.append(BadLine(number, str(error)))
    known.pool.add(fact for fact in facts if fact.kind != "coverage")
    known.coverage.add(fact for fact in facts if fact.kind == "coverage")
    return known


def _possible(event: AnyEvent) -> AnyEvent:
    """The event without a date of birth that lies behind what it tells of."""
    if not isinstance(event, PersonEvent) or event.subject.birth is None:
        return event
    birth = event.subject.birth
    if birth <= event.occurred_at.local_day().isoformat()[: len(birth)]:
        return event
    return event.model_copy(update={"subject": event.subject.model_copy(update={"birth": None})})


def _check_past(event: AnyEvent, fact: Fact) -> None:
    """Raise Undecodable for an arrival, a filing or a decision that lies after its own record was made.

    Adapters refuse such records; a departure of that kind is kept, for it rebuts a suspicion.
    """
    if fact.kind not in ("arrival", "extension") or not isinstance(event, PersonEvent) or event.recorded_at is None:
        return
    if fact.start > event.recorded_at.timestamp() + BEYOND:
        day = event.occurred_at.local_day()
        raise Undecodable(f"{fact.kind} on {day}, after its record was made on {event.recorded_at.date()}")


def _known_from_the_beginning(line: bytes) -> bytes:
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line  # refused by what reads it next
    return orjson.dumps({"published_at": BEGINNING, **body}) if isinstance(body, dict) else line


def answers(known: Known, as_of: int, known_at: int | None = None) -> Iterator[bytes]:
    """A line for each person at `as_of` (seconds since 1970)."""
    coverage = known.complete(known_at)
    for history in known.persons(known_at):
        yield answer_line(history, as_of, coverage)


def answer_line(history: History, as_of: int, coverage: Coverage) -> bytes:
    """The answer for one person as canonical JSON."""
    return canonical(answer_of(history, as_of, coverage))


def answer_of(history: History, as_of: int, coverage: Coverage) -> dict[str, Any]:
    """The answer for one person: the status of the last stay begun by `as_of`, and every stay begun by then."""
    held = [each for stay in history.stays if (each := answer(stay, as_of, coverage)) is not None]
    return {
        "person": history.person,
        "records": history.records,
        **_present(status(history, as_of, coverage)),
        "stays": [_stay(each, as_of) for each in held],
        "unmatched_departures": history.unmatched_departures,
    }


def _present(held: Answer | None) -> dict[str, Any]:
    if held is None:
        return dict.fromkeys(("outcome", "reason", "rule", "citation", "since", "authorised_until")) | {"evidence": ()}
    return {**_outcome(held), "authorised_until": held.stay.authorised_until}


def _outcome(held: Answer) -> dict[str, Any]:
    return {
        "outcome": held.outcome,
        "reason": held.reason,
        "rule": held.rule,
        "citation": held.citation,
        "since": _moment(held.since),
        "evidence": held.evidence,
    }


def _stay(held: Answer, as_of: int) -> dict[str, Any]:
    stay: Stay = held.stay
    return {
        "id": stay.id,
        "admitted": _moment(stay.since),
        "zone": stay.zone,
        "port": stay.port,
        "mode": stay.mode,
        "admitted_as": stay.admitted_as,
        "admission_class": stay.admission_class,
        "authorised_until": stay.authorised_until,
        "departed": None if stay.departed is None or as_of < stay.departed else _moment(stay.departed),
        "i94": stay.i94,
        **_outcome(held),
    }


def _moment(second: int) -> str:
    return instant(second).strftime("%Y-%m-%dT%H:%M:%SZ")


def match_line(match: Possible) -> bytes:
    """A possible match as canonical JSON."""
    sides = [asdict(side) for side in (match.one, match.other)]
    persons = [match.one.person, match.other.person]
    return canonical({"match": persons, "score": match.score, "by": match.by, "vetoes": match.vetoes, "sides": sides})


def as_text(line: bytes) -> str:
    """An answer or a match in words, over several lines."""
    body = orjson.loads(line)
    if "match" in body:
        against = "".join(f"\n  but {veto}" for veto in body["vetoes"])
        return f"possible match  {' '.join(body['match'])}\n  {body['score']:.1f} bits: {body['by']}{against}"
    records = ", ".join("/".join(record) for record in body["records"])
    lines = [f"person {body['person']}", f"  records       {records}"]
    if body["outcome"] is None:
        return "\n".join([*lines, "  no stay had begun"])
    for stay in body["stays"]:
        last = "" if stay["authorised_until"] is None else f", until {stay['authorised_until']}"
        lines.append(f"  stay          {stay['admitted']} as {stay['admission_class'] or 'no class'}{last}")
        lines.append(f"    {stay['outcome']} since {stay['since']}: {stay['reason']}")
        lines.append(f"    by {stay['rule']}{' (' + stay['citation'] + ')' if stay['citation'] else ''}")
        lines.append(f"    evidence    {', '.join(stay['evidence'])}")
    return "\n".join(lines)
