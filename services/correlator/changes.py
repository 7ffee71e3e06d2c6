"""What is told of a person, and what of it is new: rows of the view and events for the outbox.

The bodies are `schemas.view.StatusChange`; a test holds them to it. Per person they are numbered without a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import UUID

import msgspec
import orjson

from schemas.ids import handle, uuid5_text
from schemas.outcomes import Outcome
from services.domain.coverage import Coverage
from services.domain.facts import instant
from services.domain.history import Answer, History, canonical
from services.domain.resolve import next_change, status
from services.store.packing import squeeze, unsqueeze
from services.store.writer import PersonRow, Transaction

CHANGES = UUID("0b7c3f0e-6c4f-5a55-8f6d-0d2b8a1f9e11")
"""Namespace of change ids; the name is the body, so one id has one body."""


NOTHING_DUE: Mapping[bytes, bytes] = {}
_PERSON = slice(len('{"id":"') + 36 + len('","person":"'), len('{"id":"') + 36 + len('","person":"') + 32)


@dataclass(slots=True)
class ViewUpdate:
    """Rows to stand in the view, bodies to go out."""

    rows: list[PersonRow] = field(default_factory=list)
    changes: list[bytes] = field(default_factory=list)


def view_update(
    histories: Sequence[History],
    before: Iterable[PersonRow],
    pool: int,
    coverage: Coverage,
    now: int,
    due: Mapping[bytes, bytes] = NOTHING_DUE,
) -> ViewUpdate:
    """The rows of a pool's persons, and a change for each whose answer is another than the one told before.

    `due`: the histories of those whose answers have changed by themselves and are not told yet. Where such a history
    has not changed it is left to be told with all that are due: that it lies in one pool with others must not be seen.
    """
    update = ViewUpdate()
    gone = {row.person: row for row in before}
    kept = [(history, gone.pop(bytes.fromhex(history.person), None)) for history in histories]
    for history, row in kept:
        formerly = sorted(_merged(history, gone))
        if row is not None and row.person in due and not formerly and due[row.person] == canonical(history):
            update.rows.append(row._replace(pool=pool, doc=due[row.person]))
        else:
            _add_person(update, history, row, pool, coverage, now, formerly)
    for person, row in gone.items():
        # the row stays without a history: should the person come back by a split, the numbers go on
        ended = row.announced is None
        sequence = row.sequence if ended else row.sequence + 1
        update.rows.append(
            PersonRow(person, pool, None, None, None, None, None, None, sequence, None, None, None, None)
        )
        if not ended:
            update.changes.append(_body(person, sequence, now, None, row.code, [], ended=True))
    return update


def _merged(history: History, gone: dict[bytes, PersonRow]) -> Iterable[str]:
    if gone:
        for system, record in history.records:
            key = handle(system, record)
            if key in gone and gone[key].announced is not None:
                yield key.hex()


def _add_person(
    update: ViewUpdate,
    history: History,
    before: PersonRow | None,
    pool: int,
    coverage: Coverage,
    now: int,
    formerly: list[str],
) -> None:
    answer = status(history, now, coverage)
    digest = digest_of(answer)
    person = bytes.fromhex(history.person)
    sequence = before.sequence if before else 0
    if formerly or before is None or before.announced != digest:
        sequence += 1
        update.changes.append(_body(person, sequence, now, answer, before.code if before else None, formerly))
    update.rows.append(_row(person, history, answer, pool, digest, sequence, now))


def first_rows(histories: Iterable[History], pool: int, coverage: Coverage, now: int) -> list[PersonRow]:
    """The rows of persons of whom nothing was told before, as `view_update` has them, without the changes."""
    rows = []
    for history in histories:
        answer = status(history, now, coverage)
        rows.append(_row(bytes.fromhex(history.person), history, answer, pool, digest_of(answer), 1, now))
    return rows


def _row(
    person: bytes, history: History, answer: Answer | None, pool: int, digest: str, sequence: int, now: int
) -> PersonRow:
    stay = answer.stay if answer else None
    return PersonRow(
        person,
        pool,
        stay.admission_class if stay else None,
        history.citizenship[0] if history.citizenship else None,
        stay.port if stay else None,
        answer.outcome if answer else None,
        stay.authorised_until if stay else None,
        digest,
        sequence,
        next_change(history, now),
        *_awaits(answer),
        canonical(history),
    )


def fire(row: PersonRow, history: History, coverage: Coverage, now: int) -> tuple[PersonRow, bytes | None]:
    """The row as time or coverage moved its answer, and the change to tell, if it is one."""
    answer = status(history, now, coverage)
    digest = digest_of(answer)
    changed = digest != row.announced
    sequence = row.sequence + changed
    awaits_from, awaits = _awaits(answer)
    moved = row._replace(
        code=answer.outcome if answer else None,
        announced=digest,
        sequence=sequence,
        next_change_at=next_change(history, now),
        awaits_from=awaits_from,
        awaits=awaits,
    )
    return moved, _body(row.person, sequence, now, answer, row.code, []) if changed else None


def _awaits(answer: Answer | None) -> tuple[int | None, int | None]:
    """The seconds between which departures have to be complete for one not known to become one suspected missing."""
    if answer and answer.outcome == Outcome.DEPARTURE_UNKNOWN:
        return answer.stay.since, answer.since
    return None, None


def digest_of(answer: Answer | None) -> str:
    """What `announced` says of an answer that was told."""
    if answer is None:
        return "-"
    parts = (answer.outcome, answer.reason, answer.rule, answer.since, answer.evidence, answer.stay.id)
    return blake2b(repr((*parts, answer.stay.authorised_until)).encode(), digest_size=8).hexdigest()


def _body(
    person: bytes,
    sequence: int,
    now: int,
    answer: Answer | None,
    replaced: str | None,
    formerly: list[str],
    *,
    ended: bool = False,
) -> bytes:
    body = {
        "person": person.hex(),
        "sequence": sequence,
        "at": instant(now),
        "outcome": answer.outcome if answer else None,
        "reason": answer.reason if answer else None,
        "rule": answer.rule if answer else None,
        "citation": answer.citation if answer else None,
        "evidence": answer.evidence if answer else (),
        "stay": answer.stay.id if answer else None,
        "replaced": {"outcome": replaced} if replaced else None,
        "formerly": formerly,
        "ended": ended,
    }
    # the id is the content's: a store rebuilt beside this one may number other changes with the same numbers
    rest = orjson.dumps(body)
    return b'{"id":"%s",%s' % (uuid5_text(CHANGES, rest.decode()).encode(), rest[1:])


async def tell(tx: Transaction, changes: list[bytes], confidential: list[bytes]) -> None:
    """Put changes into the outbox: for all, and for who has the right to confidential records."""
    if changes:
        await tx.add_change(pack_changes(changes))
    if confidential:
        await tx.add_change(pack_changes(confidential), confidential=True)


def person_of(body: bytes) -> bytes:
    """The person of a change, as a text: bodies begin with the ids of the change and of the person."""
    return body[_PERSON]


def pack_changes(bodies: list[bytes]) -> bytes:
    """A row of the outbox."""
    return squeeze(msgspec.msgpack.encode(bodies))


def unpack_changes(blob: bytes) -> list[bytes]:
    """The bodies in a row of the outbox."""
    return msgspec.msgpack.decode(unsqueeze(blob), type=list[bytes])
