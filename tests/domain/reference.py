"""Who is one person, told a second time and slowly: no code, only the weights, shared with `services.domain.identity`.

Groups are lists of records, everything is looked for in the records themselves, every join looks at all of them. The
order of joins (weight, then the two claims' keys) is part of what the domain promises, so it is spelt out here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from services.domain.facts import Claim, Fact
from services.domain.identity import NAMES_WEIGHT, WEIGHTS

LIMIT = 64
DECIDED, TWINS = 100, 99
Group = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Record:
    """A record by its highest version."""

    name: tuple[str, str]
    key: bytes
    known: int
    claim: Claim
    numbers: frozenset[str]


def persons(facts: Iterable[Fact], known_at: int | None = None) -> set[Group]:
    """The records of each person."""
    known: dict[tuple[str, str], int] = {}
    heard = [fact for fact in _least_copies(facts) if known_at is None or fact.known <= known_at]
    for fact in heard:
        name = (fact.system, fact.record)
        known[name] = min(fact.known, known.get(name, fact.known))
    records, words = [], []
    for name, parts in standing(heard).items():
        if parts[0].kind == "decision":
            words.append(parts[0])
        elif parts[0].claim is not None:
            numbers = frozenset(text for one in parts for text in one.numbers)
            records.append(Record(name, _hash(name), known[name], parts[0].claim, numbers))
    return _grouped(records, words)


def standing(facts: Iterable[Fact]) -> dict[tuple[str, str], list[Fact]]:
    """The parts of each record's highest version, but for records taken back."""
    versions: dict[tuple[str, str], list[Fact]] = {}
    for fact in _least_copies(facts):
        versions.setdefault((fact.system, fact.record), []).append(fact)
    found = {}
    for name, all_parts in versions.items():
        highest = max((one.number, one.digest, one.mapping) for one in all_parts)
        parts = [one for one in all_parts if (one.number, one.digest, one.mapping) == highest]
        if not any(one.retract for one in parts):
            found[name] = sorted(parts, key=lambda one: (one.part, one.id))
    return found


def _least_copies(facts: Iterable[Fact]) -> list[Fact]:
    ordered = sorted(facts, key=lambda one: (one.known, one.copy), reverse=True)
    return list({one.id: one for one in ordered}.values())


def _hash(name: tuple[str, str]) -> bytes:
    text = f"{len(name[0])}:{name[0]}{name[1]}"
    return blake2b(text.encode(), digest_size=16, person=b"record").digest()


def _grouped(records: Sequence[Record], words: Sequence[Fact]) -> set[Group]:
    sides = [tuple(sorted(_hash(tuple(word.body[side])) for side in ("one", "other"))) for word in words]
    named = {key for pair in sides for key in pair}
    cells: dict[bytes, list[Record]] = {}
    for record in records:
        packed = msgspec.msgpack.encode(record.claim)
        cell = record.key if record.key in named else blake2b(packed, digest_size=8).digest()
        cells.setdefault(cell, []).append(record)
    latest: dict[tuple[bytes, ...], bool] = {}
    for word, pair in sorted(zip(words, sides, strict=True), key=lambda each: (each[0].known, each[0].id)):
        if pair[0] in cells and pair[1] in cells:
            latest[pair] = word.body["same"]
    groups = {cell: [cell] for cell in cells}
    for weight, one, other in _joins(cells, latest):
        mine, theirs = groups[one], groups[other]
        if mine is theirs or _said_no(mine, theirs, latest):
            continue
        if weight != DECIDED and _contradict(mine, theirs, cells):
            continue
        both = mine + theirs
        for cell in both:
            groups[cell] = both
    found = {id(group): group for group in groups.values()}
    return {frozenset(record.name for cell in group for record in cells[cell]) for group in found.values()}


def _joins(cells: dict[bytes, list[Record]], latest: dict[tuple[bytes, ...], bool]) -> list[tuple[int, bytes, bytes]]:
    """The joins in the order in which they are tried: what people said, then by weight."""
    said, found = [], []
    for one in cells:
        for other in cells:
            if one >= other:
                continue
            mine, theirs = cells[one][0].claim, cells[other][0].claim
            if latest.get((one, other)):
                said.append((-DECIDED, one, other))
            elif mine == theirs:
                said.append((-TWINS, one, other))
            found += [(-weight, one, other) for weight in _reasons(one, other, cells)]
    return [(-weight, one, other) for weight, one, other in [*sorted(said), *sorted(found)]]


def _reasons(one: bytes, other: bytes, cells: dict[bytes, list[Record]]) -> list[int]:
    mine, theirs = cells[one][0].claim, cells[other][0].claim
    found = []
    for text in _texts(cells[one]) & _texts(cells[other]):
        scheme = text.split("/")[0]
        holders = sorted(
            (min(record.known for record in held), cell) for cell, held in cells.items() if text in _texts(held)
        )
        senior = {cell for _, cell in holders[:LIMIT]}
        if scheme in WEIGHTS and one in senior and other in senior:
            document = scheme in ("passport", "visa")
            if not document or _agree(mine, theirs):
                found.append(WEIGHTS[scheme])
    block = _block(mine)
    if block and block == _block(theirs) and {mine.sex, theirs.sex} != {"F", "M"}:
        found.append(NAMES_WEIGHT)
    return found


def _texts(held: Sequence[Record]) -> set[str]:
    return {text for record in held for text in (*record.claim.identifiers, *record.numbers)}


def _tokens(claim: Claim) -> set[str]:
    words = set(" ".join(part for name in claim.names for part in name).replace("-", " ").split())
    return words - {"FNU", "LNU", "UNKNOWN", "UNK", "NFN", "NLN", "X", "XX", "XXX"}


def _agree(one: Claim, other: Claim) -> bool:
    if one.birth and other.birth:
        return one.birth == other.birth
    mine, theirs = _tokens(one), _tokens(other)
    return not (mine and theirs) or not mine.isdisjoint(theirs)


def _block(claim: Claim) -> tuple[object, ...]:
    tokens = _tokens(claim)
    if len(claim.birth) < 10 or len(tokens) < 2 or not claim.citizenship:
        return ()
    return (sorted(tokens), claim.birth, claim.citizenship)


def _said_no(mine: Sequence[bytes], theirs: Sequence[bytes], latest: dict[tuple[bytes, ...], bool]) -> bool:
    return any(latest.get((min(one, other), max(one, other))) is False for one in mine for other in theirs)


def _contradict(mine: Sequence[bytes], theirs: Sequence[bytes], cells: dict[bytes, list[Record]]) -> bool:
    ours = [cells[cell][0].claim for cell in mine]
    others = [cells[cell][0].claim for cell in theirs]
    sides = (ours, others)
    for scheme in ("fin/", "a_number/"):
        held = ({text for claim in side for text in claim.identifiers if text.startswith(scheme)} for side in sides)
        if _apart(*held):
            return True
    return _apart(*({claim.sex for claim in side} & {"F", "M"} for side in sides)) and _apart(
        *({claim.birth for claim in side if len(claim.birth) == 10} for side in sides)
    )


def _apart(one: set[str], other: set[str]) -> bool:
    return bool(one) and bool(other) and one.isdisjoint(other)
