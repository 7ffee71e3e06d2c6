"""Persons out of a pool's facts, and the status of a person at an instant. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from schemas.ids import handle
from schemas.outcomes import Outcome
from services.domain.caps import NO_CUTOFFS, Cutoffs, caps_of
from services.domain.coverage import Coverage
from services.domain.facts import Claim, Fact, claim_key
from services.domain.history import Answer, History, Interval, Link, Stay
from services.domain.identity import DECISION_WEIGHT, Edge, Node, Refusal, link_of, persons_of, tells_who
from services.domain.records import Records, active
from services.domain.sightings import moments_of, sightings_of
from services.domain.stays import stays_of

HANDLE_BYTES = 16


def persons(facts: Collection[Fact], known_at: int | None = None, cutoffs: Cutoffs = NO_CUTOFFS) -> list[History]:
    """The persons that the facts known by `known_at` (microseconds; None: all) speak of, sorted by id.

    `cutoffs`: those of capped keys and blocks whose claims lie in several pools.
    """
    records, since = active(facts, known_at)
    decisions = [parts[0] for parts in records.values() if parts[0].kind == "decision"]
    subjects = {key: parts for key, parts in records.items() if parts[0].claim is not None}
    if not subjects:
        return []
    if not decisions and _one_person(subjects):
        # most pools: one person under one claim, with nothing to join and nothing to part
        return [_history(list(subjects), subjects, since, [])]
    nodes, home = _nodes(subjects, since, _named(decisions, subjects))
    refused, decided = _decisions(decisions, home, nodes)
    names = {key: (parts[0].system, parts[0].record) for key, parts in subjects.items()}
    histories = []
    caps = caps_of(facts, cutoffs, known_at=known_at)
    for person in persons_of(nodes, refused, decided, caps, lambda record: moments_of(subjects[record])):
        members = [record for key in person.nodes for record in nodes[key].records]
        if person.undecided:
            histories += [_history([record], subjects, since, []) for record in members]
            continue
        links = sorted(
            (link_of(edge, nodes, names) for edge in person.edges), key=lambda link: (link.one, link.other, link.by)
        )
        histories.append(_history(members, subjects, since, links))
    return sorted(histories, key=lambda history: history.person)


def _one_person(subjects: Records) -> bool:
    """Whether all records make the same claim, and it tells who it is."""
    first = next(iter(subjects.values()))[0].claim
    if any(parts[0].version_claims for parts in subjects.values()):
        return False
    if len(subjects) > 1 and first is not None and not tells_who(first):
        return False
    return all(parts[0].claim is first or parts[0].claim == first for parts in subjects.values())


def _decided(fact: Fact) -> tuple[bytes, bytes]:
    return handle(*fact.body["one"]), handle(*fact.body["other"])


def _named(decisions: Iterable[Fact], subjects: Records) -> set[bytes]:
    """The records of which a decision speaks that decides something: both its records stand.

    One that was taken back has no influence on others, so a decision on it singles the other record out no more.
    """
    pairs = map(_decided, decisions)
    return {key for pair in pairs if all(each in subjects for each in pair) for key in pair}


def _nodes(
    subjects: Records, since: dict[bytes, int], named: set[bytes]
) -> tuple[dict[bytes, Node], dict[bytes, bytes]]:
    """Nodes by key, and each record's node. A record has one subject: its first part speaks for all."""
    nodes: dict[bytes, Node] = {}
    home: dict[bytes, bytes] = {}
    # by the claim object its key and that as the name of a node: facts of one pool share it, and its hash is dear
    keys: dict[int, tuple[int, bytes]] = {}
    for key, parts in subjects.items():
        first = parts[0]
        claim: Claim | None = first.claim
        if claim is None:
            continue
        mark = keys.get(id(claim))
        if mark is None:
            number = claim_key(claim)
            mark = keys[id(claim)] = (number, number.to_bytes(8, "big", signed=True))
        # a record that a decision names stands alone: a "no" between two records with one claim must part them
        place = key if key in named else mark[1]
        if first.version_claims and key not in named:
            place = b"amended " + key  # nobody has its claim from the start: see identity._versions_alike
        known = since[key]
        node = nodes.get(place)
        if node is None:
            nodes[place] = node = Node(claim, mark[0], known, key)
        elif known < node.known or (known == node.known and key < node.least):
            node.known, node.least = known, key
        node.records.append(key)
        if first.version_claims:
            node.version_claims.update(first.version_claims)
        for fact in parts:
            # a number that another part tells under another claim is that claim's: so seniority under it counts, too
            if fact.numbers and (fact.claim is claim or fact.claim == claim):
                node.numbers.update(fact.numbers)
            node.days.add(fact.day)
        node.sightings += sightings_of(parts)
        home[key] = place
    return nodes, home


def _decisions(
    decisions: Sequence[Fact], home: dict[bytes, bytes], nodes: dict[bytes, Node]
) -> tuple[list[Refusal], list[Edge]]:
    """The refusals and joins that people decided; of several decisions on one pair the latest by (known, id) holds."""
    latest: dict[tuple[bytes, bytes], Fact] = {}
    for fact in sorted(decisions, key=lambda fact: (fact.known, fact.id)):
        one, other = sorted(_decided(fact))
        if one in home and other in home:
            latest[home[one], home[other]] = fact
    refused, joined = [], []
    for (one, other), fact in latest.items():
        if fact.body["same"]:
            joined.append(Edge(DECISION_WEIGHT, one, other, f"decision {fact.uuid}"))
        else:
            refused.append(Refusal(one, other))
    # records parted from their claim by being named still belong to it unless somebody said no
    for one in nodes:
        if len(one) == HANDLE_BYTES:
            same = tells_who(nodes[one].claim)
            twins = (key for key in nodes if same and key != one and nodes[key].claim == nodes[one].claim)
            joined += [Edge(DECISION_WEIGHT - 1, min(one, twin), max(one, twin), "the same claim") for twin in twins]
    return refused, joined


def _history(members: list[bytes], subjects: Records, since: dict[bytes, int], links: list[Link]) -> History:
    facts = [fact for key in members for fact in subjects[key]]
    claims = list({id(fact.claim): fact.claim for fact in facts if fact.claim is not None}.values())
    identifiers = {text for claim in claims for text in claim.identifiers}
    for fact in facts:
        if fact.numbers and fact.claim is not None:
            identifiers.update(fact.numbers)
    stays, unmatched = stays_of(facts)
    first = min([(since[key], key) for key in members])[1]
    return History(
        person=first.hex(),
        records=tuple(sorted({(fact.system, fact.record) for fact in facts})),
        names=tuple(sorted({name for claim in claims for name in claim.names})),
        births=tuple(sorted({claim.birth for claim in claims if claim.birth})),
        sexes=tuple(sorted({claim.sex for claim in claims if claim.sex})),
        citizenship=tuple(sorted({code for claim in claims for code in claim.citizenship})),
        identifiers=tuple(sorted(identifiers)),
        links=tuple(links),
        stays=stays,
        unmatched_departures=unmatched,
        known=max([fact.known for fact in facts]),
    )


def answer(stay: Stay, as_of: int, coverage: Coverage) -> Answer | None:
    """The outcome of one stay at a second; None before it began."""
    held = None
    for interval in stay.timeline:
        if interval.since > as_of:
            break
        held = interval
    if held is None:
        return None
    outcome, reason = held.outcome, held.reason
    # whoever left at any time since the admission would have to be known
    if held.absence and not coverage.vouches(stay.since, held.since):
        outcome = Outcome.DEPARTURE_UNKNOWN.value
        reason = "authorised period over; departures are not known to be complete from admission past its end"
    return Answer(outcome, reason, held.rule, held.citation, held.evidence, held.since, stay)


def status(history: History, as_of: int, coverage: Coverage) -> Answer | None:
    """The person's status at a second: that of the last admission begun by then. None where there is none.

    A refused or withdrawn application is no admission; it is the status of a person who has nothing else.
    """
    begun = [stay for stay in history.stays if stay.since <= as_of]
    admissions = [stay for stay in begun if stay.timeline[0].outcome != Outcome.NOT_ADMITTED]
    latest = admissions or begun
    return answer(latest[-1], as_of, coverage) if latest else None


def boundaries(history: History) -> Iterator[Interval]:
    """All intervals of all stays: the instants at which an answer changes by itself are their beginnings."""
    for stay in history.stays:
        yield from stay.timeline


def next_change(history: History, after: int) -> int | None:
    """The first second beyond `after` at which an answer changes by itself."""
    return min((piece.since for piece in boundaries(history) if piece.since > after), default=None)


def history_of_records(facts: Collection[Fact]) -> History | None:
    """The history of somebody whose records these are, whatever matching would make of them. None without a record."""
    records, since = active(facts)
    subjects = {key: parts for key, parts in records.items() if parts[0].claim is not None}
    return _history(list(subjects), subjects, since, []) if subjects else None
