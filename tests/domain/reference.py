"""Who is one person, told a second time and slowly: only weights and scores of pairs are shared with `services.domain`.

Groups are lists of records, everything is looked for in the records themselves, every join looks at all of them. The
order of joins (weight, then the two claims' keys) is part of what the domain promises, so it is spelt out here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from services.domain import births, blocks, caps, numbers, scoring
from services.domain.facts import Claim, Fact
from services.domain.identity import WEIGHTS

DECIDED, TWINS = 100, 99
ADMITTED = ("admitted", "paroled")
Group = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Record:
    """A record by its highest version."""

    name: tuple[str, str]
    key: bytes
    known: int
    claim: Claim
    numbers: frozenset[str]
    parts: tuple[Fact, ...]


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
            of_stays = frozenset(text for one in parts if one.claim == parts[0].claim for text in one.numbers)
            records.append(Record(name, _hash(name), known[name], parts[0].claim, of_stays, tuple(parts)))
    return _grouped(records, words, _Seniors(heard))


def components(facts: Sequence[Fact]) -> list[list[Fact]]:
    """The facts in groups that nothing ties: no number, claim, likeness or decision, whatever was taken back."""
    keys: dict[tuple[str, str], set[object]] = {}
    claims: dict[Claim, tuple[str, str]] = {}
    for fact in facts:
        mine = keys.setdefault((fact.system, fact.record), {(fact.system, fact.record)})
        mine.update(fact.identifiers)
        if fact.kind == "decision":
            mine.update(tuple(fact.body[side]) for side in ("one", "other"))
        if fact.claim is not None:
            mine.add(fact.claim)
            claims[fact.claim] = fact.system, fact.record
    for one in claims:
        keys[claims[one]].update(("alike", one, other) for other in claims if _may_be_joined(one, other))
        keys[claims[one]].update(("alike", other, one) for other in claims if _may_be_joined(one, other))
    groups: list[tuple[set[object], set[tuple[str, str]]]] = []
    for record, mine in keys.items():
        tied = [group for group in groups if not group[0].isdisjoint(mine)]
        groups = [group for group in groups if group not in tied]
        groups.append((mine.union(*(group[0] for group in tied)), {record}.union(*(group[1] for group in tied))))
    return [[fact for fact in facts if (fact.system, fact.record) in records] for _, records in groups]


def _may_be_joined(one: Claim, other: Claim) -> bool:
    return scoring.joined_by_score(one, other) or scoring.score_but_for_passports(one, other) is not None


def standing(facts: Iterable[Fact]) -> dict[tuple[str, str], list[Fact]]:
    """The parts of each record's highest version, but for records taken back."""
    versions: dict[tuple[str, str], list[Fact]] = {}
    for fact in _least_copies(facts):
        versions.setdefault((fact.system, fact.record), []).append(fact)
    actual = {}
    for name, all_parts in versions.items():
        highest = max((one.number, one.digest, one.mapping) for one in all_parts)
        parts = [one for one in all_parts if (one.number, one.digest, one.mapping) == highest]
        if not any(one.retract for one in parts):
            actual[name] = sorted(parts, key=lambda one: (one.part, one.id))
    return actual


def _least_copies(facts: Iterable[Fact]) -> list[Fact]:
    ordered = sorted(facts, key=lambda one: (one.known, one.copy), reverse=True)
    return list({one.id: one for one in ordered}.values())


class _Seniors:
    """Who is admitted under a key: counted anew for every question, over everything that was ever said."""

    def __init__(self, heard: Sequence[Fact]) -> None:
        self._heard = [fact for fact in heard if fact.claim is not None]
        self._cache: dict[str, list[Claim]] = {}

    def of(self, what: str) -> list[Claim]:
        """The claims that count under an identifier or a block."""
        if what not in self._cache:
            first: dict[bytes, tuple[int, int, Claim]] = {}
            for fact in self._heard:
                if fact.claim is not None and what in _keys(fact):
                    packed = msgspec.msgpack.encode(fact.claim)
                    number = int.from_bytes(blake2b(packed, digest_size=8).digest(), "big", signed=True)
                    same = [each for each in self._heard if each.claim == fact.claim]
                    known = min(each.known for each in same if what in _keys(each))
                    first[packed] = (known, number, fact.claim)
            ordered = sorted(first.values(), key=lambda one: one[:2])
            self._cache[what] = [claim for _, _, claim in ordered[: caps.CAP]]
        return self._cache[what]


def _keys(fact: Fact) -> tuple[str, ...]:
    return (*fact.identifiers, *(blocks.texts_of(fact.claim) if fact.claim else ()))


def _hash(name: tuple[str, str]) -> bytes:
    text = f"{len(name[0])}:{name[0]}{name[1]}"
    return blake2b(text.encode(), digest_size=16, person=b"record").digest()


def _grouped(records: Sequence[Record], words: Sequence[Fact], seniors: _Seniors) -> set[Group]:
    sides = [tuple(sorted(_hash(tuple(word.body[side])) for side in ("one", "other"))) for word in words]
    there = {record.key for record in records}
    named = {key for pair in sides if there.issuperset(pair) for key in pair}
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
    doubted: set[str] = set()

    def attempt(join: Join) -> None:
        mine, theirs = groups[join[2]], groups[join[3]]
        if mine is theirs:
            return
        if _allowed(join, mine, theirs, cells, latest):
            both = mine + theirs
            for cell in both:
                groups[cell] = both
        elif join[0] != SCORES:
            doubted.update(_doubtful(mine, theirs, cells))

    joins = _joins(cells, latest, seniors)
    for join in joins:
        if join[0] in (WORDS, NUMBERS):
            attempt(join)
    waiting = _waited(joins, joins, attempt, cells, groups, doubted)
    scores = [join for join in joins if join[0] == SCORES and groups[join[2]] is not groups[join[3]]]
    scores = sorted([*scores, *_excused(scores, cells, groups, seniors)], key=lambda join: (-join[1], *join[2:4]))
    persons_by_number = {cell: id(group) for cell, group in groups.items()}
    for join in scores:
        if not _as_much_anothers(join, scores, cells, persons_by_number):
            attempt(join)
    _waited(waiting, joins, attempt, cells, groups, doubted)
    _slips(cells, groups, latest, seniors)
    actual = {id(group): group for group in groups.values()}
    persons = set()
    for group in actual.values():
        records = [record for cell in group for record in cells[cell]]
        apart = len(group) == 1 and len(records) > 1 and _of_two_people(group[0], joins, cells, groups)
        persons |= {frozenset([record.name]) for record in records} if apart else {frozenset(r.name for r in records)}
    return persons


def _excused(
    scores: Sequence[Join], cells: dict[bytes, list[Record]], groups: dict[bytes, list[bytes]], seniors: _Seniors
) -> list[Join]:
    """Further joins by score: passports that are different say nothing, for something else says why they are."""
    joined = {join[2:4] for join in scores}
    more = []
    for one in cells:
        for other in cells:
            if one >= other or (one, other) in joined or groups[one] is groups[other]:
                continue
            mine, theirs = cells[one][0].claim, cells[other][0].claim
            bits = scoring.score_but_for_passports(theirs, mine)
            common = {block for block in blocks.texts_of(mine) if block} & set(blocks.texts_of(theirs))
            met = any(mine in seniors.of(block) and theirs in seniors.of(block) for block in common)
            if bits is None or not met or {mine.sex, theirs.sex} == {"F", "M"}:
                continue
            here, there = (
                [part for cell in groups[side] for record in cells[cell] for part in record.parts]
                for side in (one, other)
            )
            seldom = all(len({part.start // 86_400 for part in side if _crosses(part)}) <= 12 for side in (here, there))
            crossed = seldom and any(_one_crossing(a, b) for a in here for b in there)
            if crossed or _handed_back(one, other, cells, seniors):
                more.append((SCORES, bits, one, other, "whatever the passports"))
    return more


def _one_crossing(one: Fact, other: Fact) -> bool:
    """Whether two systems tell of one entry, or of one departure, at one port or within a quarter of an hour."""
    if one.system == other.system or (one.kind == "departure") != (other.kind == "departure"):
        return False
    if not _crosses(one) or not _crosses(other):
        return False
    ports = {fact.body.get("port") or "" for fact in (one, other)}
    seconds = abs(one.start - other.start)
    return seconds <= 900 if "" in ports else len(ports) == 1 and seconds <= 7200


def _crosses(fact: Fact) -> bool:
    """Whether somebody is seen at a border, to the minute."""
    entry = fact.kind == "arrival" or (fact.kind == "status" and fact.body["fact"] == "encounter")
    left = fact.kind == "departure" and fact.body["evidence"] != "booking"
    return not fact.whole_day and (entry or left)


def _handed_back(one: bytes, other: bytes, cells: dict[bytes, list[Record]], seniors: _Seniors) -> bool:
    """Whether somebody else has both passports, too: those of two who travel together were mixed up."""
    mine, theirs = cells[one][0].claim, cells[other][0].claim
    if not _called_and_born_alike(mine, theirs):
        return False
    claims = [records[0].claim for records in cells.values()]
    sides = [
        [
            claim
            for claim in claims
            for text in _passports(claim) & _passports(side)
            if claim in seniors.of(text) and side in seniors.of(text)
        ]
        for side in (mine, theirs)
    ]
    return any(
        _called_and_born_alike(a, b) and not _called_and_born_alike(mine, a) and not _called_and_born_alike(theirs, b)
        for a in sides[0]
        for b in sides[1]
    )


def _called_and_born_alike(one: Claim, other: Claim) -> bool:
    return bool(one.birth) and one.birth == other.birth and _one_name(set(one.names), set(other.names))


def _as_much_anothers(
    join: Join, scores: Sequence[Join], cells: dict[bytes, list[Record]], persons: dict[bytes, int]
) -> bool:
    """Whether one of the two may as well be another person's: it has no given name in full, and the two have two."""
    for mine, theirs in (join[2:4], join[3:1:-1]):
        for other in scores:
            if other is join or mine not in other[2:4] or abs(other[1] - join[1]) > 2.0:
                continue
            third = other[3] if other[2] == mine else other[2]
            if persons[theirs] != persons[third] and scoring.torn(
                *(cells[cell][0].claim for cell in (mine, theirs, third))
            ):
                return True
    return False


def _waited(
    waiting: Sequence[Join],
    joins: Sequence[Join],
    attempt: Callable[[Join], None],
    cells: dict[bytes, list[Record]],
    groups: dict[bytes, list[bytes]],
    doubted: set[str],
) -> list[Join]:
    """Join records without names as long as anything is joined; return what still waits for one holder."""
    left = [join for join in waiting if join[0] == BARE]
    while True:
        before = len({id(group) for group in groups.values()})
        again = []
        for join in left:
            if all(
                not _bare(cells[cell])
                or (
                    (join[4] not in doubted or _several(join[4], cells[cell]))
                    and _may_be(groups[other], _holders(join[4], cell, joins, cells, groups), cells[other])
                )
                for cell, other in (join[2:4], join[3:1:-1])
            ):
                attempt(join)
            else:
                again.append(join)
        left = again
        if len({id(group) for group in groups.values()}) == before:
            return left


def _slips(
    cells: dict[bytes, list[Record]],
    groups: dict[bytes, list[bytes]],
    latest: dict[tuple[bytes, ...], bool],
    seniors: _Seniors,
) -> None:
    """A record alone joins the one person of all other records of its document, three or more, but for a digit."""
    texts = _documents([records[0].claim for records in cells.values()])
    for text in sorted(texts):
        having = [cell for cell in sorted(cells) if text in cells[cell][0].claim.identifiers]
        having = [cell for cell in having if cells[cell][0].claim in seniors.of(text)]
        for cell in having:
            lone = groups[cell]
            rest = [other for other in having if other not in lone and not _bare(cells[other])]
            if len({id(groups[other]) for other in rest}) != 1:
                continue
            group = groups[rest[0]]
            days, held = ({day for each in some for day in _days(cells[each])} for some in (lone, rest))
            if (len(lone) > 1 or len(cells[cell]) > 1) and (len(days) > 1 or len(held) <= len(days)):
                continue
            claims = [cells[other][0].claim for other in group]
            stated = [cells[each][0].claim for each in lone]
            if sum(len(cells[other]) for other in rest) < 3 or not _digit_of_year(stated, claims):
                continue
            contradict = _contradict(lone, group, cells, strict=False, prints=False, document=True)
            if not contradict and not _said_no(lone, group, latest) and not _two_called(stated, claims):
                both = [*lone, *group]
                for member in both:
                    groups[member] = both


def _digit_of_year(lone: Sequence[Claim], claims: Sequence[Claim]) -> bool:
    """Whether nothing but a digit of the year of birth is another one."""
    sides = (lone, claims)
    names, states, sexes, dates = (
        [{each for claim in side for each in values(claim)} for side in sides]
        for values in (
            lambda claim: claim.names,
            lambda claim: claim.citizenship,
            lambda claim: {claim.sex} & {"F", "M"},
            lambda claim: {claim.birth} - {""},
        )
    )
    if not names[0] & names[1] or not states[0] & states[1] or not _family(lone, claims) or _apart(*sexes):
        return False
    if len(_documents(lone) & _documents(claims)) > 1 or (_other_births(lone, claims) and _other_names(lone, claims)):
        return False
    return any(
        one[4:] == other[4:] and sum(a != b for a, b in zip(one, other, strict=True)) == 1
        for one in dates[0]
        for other in dates[1]
        if len(one) == len(other) == 10
    )


def _several(text: str, records: Sequence[Record]) -> bool:
    scheme = text.split("/")[0]
    return [each.split("/")[0] for each in records[0].claim.identifiers].count(scheme) > 1


def _may_be(group: list[bytes], holders: list[list[bytes]] | None, records: Sequence[Record]) -> bool:
    """Whether a number that some hold may be that of a group; `holders` is None where none with a name has it."""
    return holders is None or (bool(holders) and (_bare(records) or any(group is holder for holder in holders)))


def _bare(records: Sequence[Record]) -> bool:
    return not scoring.compared(records[0].claim).names


def _holders(
    text: str, cell: bytes, joins: Sequence[Join], cells: dict[bytes, list[Record]], groups: dict[bytes, list[bytes]]
) -> list[list[bytes]] | None:
    """Those whose number it may be that a record without a name has; none where it is told of two people.

    Who alone has a record under it on that very day comes first; three records of one person outweigh one of another,
    unless others alone were there. None where no record with a name has the number.
    """
    others = {join[2] if join[3] == cell else join[3] for join in joins if join[4] == text and cell in join[2:4]}
    named = [other for other in others if not _bare(cells[other])]
    if not named:
        return None
    held = list({id(groups[other]): groups[other] for other in named}.values())
    counts = [sum(len(cells[other]) for other in named if groups[other] is group) for group in held]
    days = _days(cells[cell])
    there = [any(groups[other] is group and days & _days(cells[other]) for other in named) for group in held]
    if there.count(True) == 1 and len(days) == 1:
        return [held[there.index(True)]]
    occasions = [{day for other in named if groups[other] is group for day in _days(cells[other])} for group in held]
    for mine, records in enumerate(counts):
        if records < 3 or not (there[mine] or not any(there)):
            continue
        rest = [at for at in range(len(held)) if at != mine]
        one_inspection = len(rest) == 1 and len(occasions[rest[0]]) == 1 and len(occasions[mine]) > 1
        if one_inspection or sum(counts) == records + 1:
            return [held[mine]]
    one_person = all(
        one is other
        or _one_birth_and_name([cells[cell][0].claim for cell in one], [cells[cell][0].claim for cell in other])
        for one in held
        for other in held
    )
    return held if one_person else []


def _one_birth_and_name(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    days, dates = ({claim.birth for claim in side if len(claim.birth) == 10} for side in (ours, others))
    named = all(any(claim.names for claim in side) for side in (ours, others))
    return bool(days & dates) and named and not _other_names(ours, others)


def _doubtful(mine: Sequence[bytes], theirs: Sequence[bytes], cells: dict[bytes, list[Record]]) -> set[str]:
    """The numbers for life that one record alone tells, where two sides of one name and birthday have two."""
    ours, others = ([cells[cell][0].claim for cell in side] for side in (mine, theirs))
    if not _one_birth_and_name(ours, others):
        return set()
    doubted = set()
    for scheme in ("fin/", "a_number/"):
        held, more = (
            {text for claim in side for text in claim.identifiers if text.startswith(scheme)}
            - {text for claim in side for text in claim.identifiers if numbers.is_placeholder(text)}
            for side in (ours, others)
        )
        if _apart(held, more):
            tellers = [record for some in cells.values() if not _bare(some) for record in some]
            doubted |= {text for text in held | more if [text in r.claim.identifiers for r in tellers].count(True) == 1}
    return doubted


def _allowed(
    join: Join,
    mine: Sequence[bytes],
    theirs: Sequence[bytes],
    cells: dict[bytes, list[Record]],
    latest: dict[tuple[bytes, ...], bool],
) -> bool:
    stage, weight, one, other, why = join
    if _said_no(mine, theirs, latest):
        return False
    by_number = stage in (NUMBERS, BARE)
    prints = by_number and weight == WEIGHTS["fin"]
    prints_or_index = by_number and weight in (WEIGHTS["fin"], WEIGHTS["fbi"])
    document = by_number and weight in (WEIGHTS["passport"], WEIGHTS["visa"])
    strict = stage == SCORES or (by_number and weight == WEIGHTS["receipt"])
    if (stage, weight) != (WORDS, DECIDED) and _contradict(
        mine, theirs, cells, strict=strict, prints=prints, document=document
    ):
        return False
    if stage == SCORES:
        pair = cells[one][0].claim, cells[other][0].claim
        return not (_strangers(mine, theirs, cells) or _two_passports(mine, theirs, cells, pair, excused=bool(why)))
    if document:
        return not _two_holders(mine, theirs, cells) and not _wrong_document(mine, theirs, cells)
    if (stage, weight) == (WORDS, DECIDED):
        return True
    if not prints_or_index and _twins_by_a_number(
        *([cells[cell][0].claim for cell in side] for side in (mine, theirs))
    ):
        return False
    return not _mistyped_number(mine, theirs, cells, prints=prints)


def _two_passports(
    mine: Sequence[bytes],
    theirs: Sequence[bytes],
    cells: dict[bytes, list[Record]],
    pair: tuple[Claim, Claim],
    *,
    excused: bool,
) -> bool:
    """Whether two sides have passports of their own from one issuer, and the pair that is alike too little for that.

    `excused`: something says why the passports differ; what stays is that the names of each alone are two people's.
    """
    held, more = (_documents([cells[cell][0].claim for cell in side]) for side in (mine, theirs))
    if not scoring.passports_apart(held, more):
        return False
    called = [{name for cell in side for name in cells[cell][0].claim.names} for side in (mine, theirs)]
    own = [(a, b) for a in called[0] - called[1] for b in called[1] - called[0]]
    if any(scoring.given_conflict(a, b) for a, b in own):
        return True
    if excused:
        return False
    beside = [
        {name for cell in side for name in cells[cell][0].claim.names if _passports(cells[cell][0].claim)}
        for side in (mine, theirs)
    ]
    same = any(scoring.given_in_common(one, other) for one in beside[0] for other in beside[1])
    return not scoring.joined_apart(*pair) or (all(beside) and not same)


def _of_two_people(
    cell: bytes, joins: Sequence[Join], cells: dict[bytes, list[Record]], groups: dict[bytes, list[bytes]]
) -> bool:
    """Whether records of one claim need not be one person's: it does not tell whose it is, or its numbers are two's."""
    records = cells[cell]
    if not _telling(records[0].claim):
        return True
    texts = {text for text in _texts(records) if text.split("/")[0] in WEIGHTS and not numbers.is_placeholder(text)}
    return _bare(records) and bool(texts) and all(_holders(text, cell, joins, cells, groups) == [] for text in texts)


def _telling(claim: Claim) -> bool:
    """Whether a claim says enough for two records that make it to be one person's."""
    texts = {text for text in claim.identifiers if not numbers.is_placeholder(text)}
    if any(text.split("/")[0] in WEIGHTS for text in texts):
        return True
    return bool(texts and scoring.compared(claim).names) or scoring.joined_by_score(claim, claim)


Join = tuple[int, float, bytes, bytes, str]
WORDS, NUMBERS, BARE, SCORES = range(4)


def _joins(cells: dict[bytes, list[Record]], latest: dict[tuple[bytes, ...], bool], seniors: _Seniors) -> list[Join]:
    """The joins in the order in which they are tried: what people said, numbers, scores; each by weight.

    Numbers of records without a name come after the others.
    """
    actual: list[Join] = []
    for one in cells:
        for other in cells:
            if one >= other:
                continue
            mine, theirs = cells[one][0].claim, cells[other][0].claim
            if latest.get((one, other)):
                actual.append((WORDS, DECIDED, one, other, ""))
            elif mine == theirs and _telling(mine):
                actual.append((WORDS, TWINS, one, other, ""))
            stage = BARE if _bare(cells[one]) or _bare(cells[other]) else NUMBERS
            actual += [(stage, weight, one, other, text) for weight, text in _reasons(one, other, cells, seniors)]
            if _scored(cells[one], cells[other], seniors):
                actual.append((SCORES, scoring.score(theirs, mine), one, other, ""))
    return sorted(actual, key=lambda join: (join[0], -join[1], *join[2:]))


def _reasons(one: bytes, other: bytes, cells: dict[bytes, list[Record]], seniors: _Seniors) -> list[tuple[int, str]]:
    mine, theirs = cells[one][0].claim, cells[other][0].claim
    actual = []
    for text in _texts(cells[one]) & _texts(cells[other]):
        scheme = text.split("/")[0]
        if (
            scheme in WEIGHTS
            and not numbers.is_placeholder(text)
            and mine in seniors.of(text)
            and theirs in seniors.of(text)
        ):
            document = scheme in ("passport", "visa")
            if not document or _agree(mine, theirs):
                actual.append((WEIGHTS[scheme], text))
    return actual


def _scored(ours: Sequence[Record], others: Sequence[Record], seniors: _Seniors) -> bool:
    mine, theirs = ours[0].claim, others[0].claim
    common = {block for block in blocks.texts_of(mine) if block} & set(blocks.texts_of(theirs))
    if not any(mine in seniors.of(block) and theirs in seniors.of(block) for block in common):
        return False
    if {mine.sex, theirs.sex} == {"F", "M"}:
        return False
    misread = scoring.misread_documents(mine, theirs)
    if scoring.near_documents(mine, theirs) and not misread and _days(ours) & _days(others):
        return scoring.joined_by_score(mine, theirs) and scoring.joined_in_sequence(mine, theirs)
    return scoring.joined_by_score(mine, theirs)


def _days(records: Sequence[Record]) -> set[int]:
    return {part.day for record in records for part in record.parts}


def _texts(held: Sequence[Record]) -> set[str]:
    return {text for record in held for text in (*record.claim.identifiers, *record.numbers)}


def _other_holder(scheme: str, ours: Sequence[Claim], others: Sequence[Claim], *, prints: bool, document: bool) -> bool:
    """Whether each side has a number of its own that one person has once; an A-number may be the other mistyped.

    So may a FIN, under one document, name, birthday and sex, but for the next one in the sequence.
    """
    mine, theirs = (
        {
            text
            for claim in side
            for text in claim.identifiers
            if text.startswith(scheme) and not numbers.is_placeholder(text)
        }
        for side in (ours, others)
    )
    if not _apart(mine, theirs):
        return False
    days, dates = ({claim.birth for claim in side if claim.birth and len(claim.birth) == 10} for side in (ours, others))
    if not days & dates or _other_names(ours, others):
        return True
    if scheme == "fin/":
        sexes, more = ({claim.sex for claim in side} & {"F", "M"} for side in (ours, others))
        names, called = ({name for claim in side for name in claim.names} for side in (ours, others))
        if not document or not names & called or _apart(sexes, more):
            return True
        typed = ((a.split("/")[-1], b.split("/")[-1]) for a in mine for b in theirs if _one_key(a, b))
        two = len(_documents(ours) & _documents(others)) > 1
        return not any(two or sorted(a) == sorted(b) or abs(int(a) - int(b)) >= 20 for a, b in typed)
    names, called = ({name for claim in side for name in claim.names} for side in (ours, others))
    if not document and _documents(ours) & _documents(others) and names & called:
        return False
    return not prints and not any(_one_key(a, b) for a in mine for b in theirs)


def _one_key(one: str, other: str) -> bool:
    """Whether a wrong key, or two keys in the wrong order, make one number of the other."""
    if len(one) != len(other) or one == other:
        return False
    swaps = {one[:at] + one[at + 1] + one[at] + one[at + 2 :] for at in range(len(one) - 1)}
    return other in swaps or sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _documents(claims: Sequence[Claim]) -> set[str]:
    texts = {text for claim in claims for text in claim.identifiers if text.split("/")[0] in ("passport", "visa")}
    return {text for text in texts if not numbers.is_placeholder(text)}


def _passports(claim: Claim) -> set[str]:
    return {text for text in _documents([claim]) if text.startswith("passport/")}


def _two_sets(mine: Sequence[bytes], theirs: Sequence[bytes], cells: dict[bytes, list[Record]]) -> bool:
    """Whether each side has documents of its own."""
    return _apart(*(_documents([cells[cell][0].claim for cell in side]) for side in (mine, theirs)))


def _agree(one: Claim, other: Claim) -> bool:
    if any(scoring.strange_given(a, b) for a in one.names for b in other.names):
        return False
    if one.birth and other.birth:
        if one.birth == other.birth:
            return True
        if _family([one], [other]) and len(_documents([one]) & _documents([other])) < 2:
            return False
        return scoring.score(one, other) >= scoring.ACCEPT - scoring.SHARED_DOCUMENT
    mine, theirs = scoring.compared(one), scoring.compared(other)
    return not (mine.names and theirs.names) or scoring.names_score(mine, theirs) > scoring.FAMILY_OTHER


def _strangers(mine: Sequence[bytes], theirs: Sequence[bytes], cells: dict[bytes, list[Record]]) -> bool:
    ours = [cells[cell][0].claim for cell in mine]
    others = [cells[cell][0].claim for cell in theirs]
    if _apart(*({claim.sex for claim in side} & {"F", "M"} for side in (ours, others))):
        return True
    return _other_names(ours, others) or _names_of_two(ours, others) or _a_generation(ours, others)


def _two_holders(mine: Sequence[bytes], theirs: Sequence[bytes], cells: dict[bytes, list[Record]]) -> bool:
    ours, others = ([cells[cell][0].claim for cell in side] for side in (mine, theirs))
    return _other_births(ours, others) and _other_names(ours, others)


def _mistyped_number(
    mine: Sequence[bytes], theirs: Sequence[bytes], cells: dict[bytes, list[Record]], *, prints: bool
) -> bool:
    """Whether a number was mistyped. A FIN: where all is others', or where each has documents of their own."""
    ours, others = ([cells[cell][0].claim for cell in side] for side in (mine, theirs))
    dates = _other_dates(ours, others)
    if prints and not _two_sets(mine, theirs, cells):
        sexes, more = ({claim.sex for claim in side} & {"F", "M"} for side in (ours, others))
        return dates and _all_other(ours, others) and not sexes & more and not _documents(ours) & _documents(others)
    return (dates and _other_names(ours, others)) or _all_other(ours, others)


def _twins_by_a_number(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    """Whether all given names are others', and so are the sexes or the passports."""
    if not _strange_names(ours, others):
        return False
    sexes, more = ({claim.sex for claim in side} & {"F", "M"} for side in (ours, others))
    return _apart(sexes, more) or scoring.passports_apart(_documents(ours), _documents(others))


def _all_other(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    """Whether no name has anything of a name of the other side, and neither a birth nor a citizenship agrees."""
    names, more = ({name for claim in side for name in claim.names} for side in (ours, others))
    dates, days = (any(claim.birth for claim in side) for side in (ours, others))
    states, lands = ({code for claim in side for code in claim.citizenship} for side in (ours, others))
    if (dates and days and not _other_dates(ours, others)) or states & lands or _one_name(names, more):
        return False
    return any(scoring.nothing_in_common(a, b) for a in names for b in more)


def _wrong_document(mine: Sequence[bytes], theirs: Sequence[bytes], cells: dict[bytes, list[Record]]) -> bool:
    ours, others = ([cells[cell][0].claim for cell in side] for side in (mine, theirs))
    several = len(_documents(ours) & _documents(others)) > 1
    sexes, more = ({claim.sex for claim in side} & {"F", "M"} for side in (ours, others))
    if _apart(sexes, more) and _names_apart(ours, others):
        return True
    return _two_called(ours, others) or (_family(ours, others) and not several)


def _a_generation(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    dates, more = ({claim.birth for claim in side if len(claim.birth) == 10} for side in (ours, others))
    apart = [births.a_generation_apart(a, b) for a in dates for b in more]
    return bool(apart) and all(apart)


def _family(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    """Whether all dates of birth are a generation apart, and none is another one mistyped but for the year."""
    dates, more = ({claim.birth for claim in side if len(claim.birth) == 10} for side in (ours, others))
    pairs = [(a, b) for a in dates for b in more]
    return bool(pairs) and all(
        births.a_generation_apart(a, b)
        or (min(a, b) >= "1905" and 14 <= abs(int(a[:4]) - int(b[:4])) <= 90 and births.birth_score(a, b) <= 0)
        for a, b in pairs
    )


def _other_births(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    dates, more = ({claim.birth for claim in side if len(claim.birth) == 10} for side in (ours, others))
    return bool(dates and more) and not any(births.births_agree(a, b) for a in dates for b in more)


def _other_dates(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    dates, more = ({claim.birth for claim in side if claim.birth} for side in (ours, others))
    return bool(dates and more) and not any(births.births_agree(a, b) for a in dates for b in more)


def _one_name(names: set[tuple[str, str]], more: set[tuple[str, str]]) -> bool:
    """Whether one name stands on both sides, also in another spelling or cut."""
    return bool(names & more) or any(scoring.one_name(a, b) for a in names for b in more)


def _strange_names(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    names, more = ({name for claim in side for name in claim.names} for side in (ours, others))
    return not _one_name(names, more) and any(scoring.strange_given(a, b) for a in names for b in more)


def _names_apart(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    names, more = ({name for claim in side for name in claim.names} for side in (ours, others))
    if not names or not more or names & more:
        return False
    return not any(scoring.given_in_common(a, b) for a in names for b in more)


def _two_called(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    """Whether given names are those of two, though one may stand in both: MUHAMMAD ALI, MUHAMMAD UMAR."""
    names, more = ({name for claim in side for name in claim.names} for side in (ours, others))
    return not _one_name(names, more) and any(scoring.two_given(a, b) for a in names for b in more)


def _other_names(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    names, more = ({name for claim in side for name in claim.names} for side in (ours, others))
    return not _one_name(names, more) and any(scoring.given_conflict(a, b) for a in names for b in more)


def _names_of_two(ours: Sequence[Claim], others: Sequence[Claim]) -> bool:
    """Whether known given names stand in each other's place: twins whom a third record is like."""
    names, more = ({name for claim in side for name in claim.names} for side in (ours, others))
    return not _one_name(names, more) and any(scoring.two_known(a, b) for a in names for b in more)


def _said_no(mine: Sequence[bytes], theirs: Sequence[bytes], latest: dict[tuple[bytes, ...], bool]) -> bool:
    return any(latest.get((min(one, other), max(one, other))) is False for one in mine for other in theirs)


def _contradict(
    mine: Sequence[bytes],
    theirs: Sequence[bytes],
    cells: dict[bytes, list[Record]],
    *,
    strict: bool,
    prints: bool,
    document: bool,
) -> bool:
    """Whether two sides exclude each other; `strict`: two numbers for life do, whatever they look like."""
    ours = [cells[cell][0].claim for cell in mine]
    others = [cells[cell][0].claim for cell in theirs]
    sides = (ours, others)
    for scheme in ("fin/", "a_number/"):
        held = ({text for claim in side for text in claim.identifiers if text.startswith(scheme)} for side in sides)
        apart = _apart(*({text for text in some if not numbers.is_placeholder(text)} for some in held))
        if apart and (strict or _other_holder(scheme, ours, others, prints=prints, document=document)):
            return True
    facts, more = (
        [part for cell in side for record in cells[cell] for part in record.parts] for side in (mine, theirs)
    )
    if any(_two_people(one, other) for one in facts for other in more):
        return True
    return _apart(*({claim.sex for claim in side} & {"F", "M"} for side in sides)) and _other_births(ours, others)


def _two_people(one: Fact, other: Fact) -> bool:
    """Whether one person cannot have been seen twice so: admitted anew within minutes, or in two seats of a flight."""
    if (one.system, one.kind) != (other.system, other.kind) or one.whole_day or other.whole_day:
        return False
    passports, more = (_of_scheme(fact, "passport/") for fact in (one, other))
    if not passports or not more or passports & more:
        return False
    admitted = one.kind == "arrival" and all(fact.body.get("inspection") in ADMITTED for fact in (one, other))
    again = not _of_scheme(one, "i94/") & _of_scheme(other, "i94/") and 0 < abs(one.start - other.start) <= 900
    if admitted and again:
        return True
    flights = [[fact.body.get(name) for name in ("carrier", "conveyance", "port")] for fact in (one, other)]
    return all(flights[0][:2]) and flights[0] == flights[1] and one.start == other.start


def _of_scheme(fact: Fact, scheme: str) -> set[str]:
    return {text for text in fact.identifiers if text.startswith(scheme)}


def _apart(one: set[str], other: set[str]) -> bool:
    return bool(one) and bool(other) and one.isdisjoint(other)
