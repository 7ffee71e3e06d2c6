"""Records by their version that counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from schemas.events import Evidence
from schemas.ids import handle, handle_of
from services.domain.facts import Claim, Fact

Records = dict[bytes, list[Fact]]
"""Handle -> the facts of the record's version that counts."""
STRONGEST_FIRST = tuple(map(str, Evidence))
PAPERS = frozenset({"passport", "visa", "fin", "a_number", "sevis"})
"""Schemes of which an amendment that names any replaces what the record had; of others it adds."""


def active(facts: Iterable[Fact], known_at: int | None = None) -> tuple[Records, dict[bytes, int]]:
    """What each record says by its highest version, and since when each record is known (microseconds)."""
    facts = facts if isinstance(facts, Collection) else list(facts)
    newest: Records = {}
    amending: Records = {}
    since: dict[bytes, int] = {}
    handles: dict[tuple[str, str], bytes] = {}
    for fact in facts:
        if known_at is not None and fact.known > known_at:
            continue
        record = fact.system, fact.record
        key = handles.get(record)
        if key is None:
            key = handles[record] = handle_of(*record)
        known = fact.known
        before = since.get(key)
        if before is None or known < before:
            since[key] = known
        if fact.amends:
            amending.setdefault(key, []).append(fact)
            continue
        held = newest.get(key)
        if held is None:
            newest[key] = [fact]
            continue
        version, highest = fact.version, held[0].version
        if version > highest:
            newest[key] = [fact]
        elif version == highest:
            held.append(fact)
    records: Records = {}
    for key, parts in newest.items():
        if len(parts) == 1:
            if not parts[0].retract:
                records[key] = parts
        elif not any(fact.retract for fact in parts):
            records[key] = sorted(parts, key=lambda fact: (fact.part, fact.id))
    for key, amendments in amending.items():
        _amend(records, key, newest.get(key, []), amendments, facts, known_at)
    return records, since


def _amend(
    records: Records,
    key: bytes,
    whole: list[Fact],
    amendments: list[Fact],
    facts: Collection[Fact],
    known_at: int | None,
) -> None:
    """What a record says once the amendments above its highest whole version are made.

    Above a retraction they assert the record again: of whom it is, what was said before the retraction stands.
    """
    if whole and not any(fact.version > whole[0].version for fact in amendments):
        return
    if any(fact.retract for fact in whole):
        mine = [
            fact
            for fact in facts
            if handle(fact.system, fact.record) == key
            and not (fact.amends or fact.retract)
            and (known_at is None or fact.known <= known_at)
        ]
        highest = max((fact.version for fact in mine), default=None)
        whole = [fact for fact in mine if fact.version == highest]
    above = [fact for fact in amendments if not whole or fact.version > whole[0].version]
    records[key] = _amended(whole, sorted(above, key=lambda fact: (fact.version, fact.part, fact.id)))


def _amended(whole: list[Fact], above: list[Fact]) -> list[Fact]:
    """The parts of a record with amendments, the lowest first, made to them. All parts have its one subject."""
    parts = {fact.part: fact for fact in whole}
    first = min(whole or above, key=lambda fact: (fact.version, fact.part, fact.id))
    claim, numbers = first.claim, set(first.numbers)
    version_claims = {fact.claim: None for fact in sorted(whole, key=lambda fact: (fact.part, fact.id)) if fact.claim}
    for fact in whole:
        numbers.update(fact.numbers)
    for fact in above:
        claim = _corrected(claim, fact.claim, numbers)
        numbers.update(fact.numbers)
        if fact.claim is not None:
            version_claims[fact.claim] = None
        below = parts.get(fact.part)
        if below is not None and below.kind == fact.kind:
            marks = tuple(sorted({*below.handling, *fact.handling}))
            body = below.body | fact.body
            if "evidence" in body:  # a correction of data does not say that nobody went aboard
                body["evidence"] = min(below.body["evidence"], fact.body["evidence"], key=STRONGEST_FIRST.index)
            fact = replace(fact, body=body, handling=marks, origin=fact.origin or below.origin)
        parts[fact.part] = fact
    mine = () if claim is None else claim.identifiers
    left = tuple(sorted(numbers - set(mine)))
    parted = () if claim in version_claims else tuple(version_claims)
    return [
        replace(fact, claim=claim, numbers=left, version_claims=parted)
        for fact in sorted(parts.values(), key=lambda fact: (fact.part, fact.id))
    ]


def _corrected(held: Claim | None, amendment: Claim | None, numbers: set[str]) -> Claim | None:
    """The claim with what an amendment says; numbers that are no papers go to the others."""
    if held is None or amendment is None or held == amendment:
        return held or amendment
    papers = [text for text in amendment.identifiers if _scheme(text) in PAPERS]
    replaced = {_scheme(text) for text in papers}
    kept = [text for text in held.identifiers if _scheme(text) not in replaced]
    if papers and not any(_scheme(text) in PAPERS for text in held.identifiers):
        numbers.update(kept)  # they stood in the claim for want of papers
        kept = []
    if not (kept or papers):
        kept = list(amendment.identifiers)
    numbers.update(text for text in amendment.identifiers if text not in papers and text not in kept)
    return Claim(
        amendment.names or held.names,
        amendment.birth or held.birth,
        amendment.sex or held.sex,
        amendment.citizenship or held.citizenship,
        tuple(sorted({*kept, *papers})),
    )


def _scheme(text: str) -> str:
    return text[: text.index("/")]
