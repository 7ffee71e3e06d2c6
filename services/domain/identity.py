"""Who is one person: claims joined by what they share, unless something forbids it.

Joins are tried from the strongest to the weakest, ties by the records' handles, so the result is a function of the
set of facts. A join is refused when the two sides contradict each other: two fingerprint identities, two A-numbers,
sex and date of birth both different, or a person's decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from schemas.ids import handle
from services.domain.facts import Claim, Fact, claim_key, handle_key, key_hash
from services.domain.history import Link

WEIGHTS: dict[str, int] = {
    # (scheme -> weight) of identifiers that one person alone can hold, and of numbers of one stay or one application
    "fin": 40,
    "a_number": 36,
    "i94": 30,
    "sevis": 30,
    "receipt": 28,
    # documents: never a person by themselves, so the date of birth has to agree
    "passport": 20,
    "visa": 18,
}
ONE_HOLDER = frozenset({"fin", "a_number", "i94", "sevis", "receipt"})
NAMES_WEIGHT = 12
DECISION_WEIGHT = 100
SHARED_LIMIT = 64
"""Of a key that more claims share, the first so many in order of (known, claim) are compared."""
PLACEHOLDERS = frozenset({"FNU", "LNU", "UNKNOWN", "UNK", "NFN", "NLN", "X", "XX", "XXX"})


def names_of(claim: Claim) -> tuple[str, ...]:
    """All name tokens, sorted; placeholders for missing names left out."""
    tokens = {token for name in claim.names for part in name for token in part.replace("-", " ").split()}
    return tuple(sorted(tokens - PLACEHOLDERS))


def _block(claim: Claim) -> str:
    """What the claims of one block have in common, or nothing."""
    if len(claim.birth) != 10 or not claim.citizenship:
        return ""
    tokens = names_of(claim)
    return f"{' '.join(tokens)}/{claim.birth}/{','.join(claim.citizenship)}" if len(tokens) > 1 else ""


def block_of(claim: Claim) -> int:
    """The block in which claims are compared by name, or 0 for claims that say too little for it."""
    block = _block(claim)
    return (key_hash(f"block/{block}") or 1) if block else 0


def by_names(one: Claim, other: Claim) -> int:
    """The weight of two claims *of one block* being one person's, 0 for none."""
    return 0 if {one.sex, other.sex} == {"F", "M"} else NAMES_WEIGHT


def keys_of(fact: Fact) -> list[int]:
    """The keys under which a fact finds its pool: its record, its claim, its identifiers, the records it decides on.

    The claim's is the second, where there is a claim.
    """
    keys = [handle_key(fact.handle)]
    if fact.claim is not None:
        keys.append(claim_key(fact.claim))
        keys.extend(key_hash(text) for text in fact.identifiers if text.partition("/")[0] in WEIGHTS)
    elif fact.kind == "decision":
        keys.extend(handle_key(handle(*fact.body[side])) for side in ("one", "other"))
    return keys


@dataclass(slots=True)
class Node:
    """A claim with the records that make it, or one record that a decision names."""

    claim: Claim
    known: int
    least: bytes  # handle of its earliest-known record
    records: list[bytes] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)  # numbers of stays and applications in its records


@dataclass(slots=True)
class Edge:
    """A reason to join two nodes."""

    weight: int
    one: bytes
    other: bytes
    by: str


@dataclass(slots=True)
class Cluster:
    """What a set of joined nodes says, as far as vetoes ask."""

    holders: dict[str, set[str]]
    sexes: set[str]
    births: set[str]
    nodes: list[bytes]

    def forbids(self, other: Cluster) -> bool:
        """Whether the two contradict each other."""
        for scheme, mine in self.holders.items():
            theirs = other.holders.get(scheme)
            if theirs and mine and not mine & theirs:
                return True
        return bool(
            self.sexes
            and other.sexes
            and self.births
            and other.births
            and not self.sexes & other.sexes
            and not self.births & other.births
        )

    def absorb(self, other: Cluster) -> None:
        """Take the other in."""
        for scheme, theirs in other.holders.items():
            self.holders.setdefault(scheme, set()).update(theirs)
        self.sexes |= other.sexes
        self.births |= other.births
        self.nodes += other.nodes


def _cluster(key: bytes, node: Node) -> Cluster:
    holders: dict[str, set[str]] = {}
    for text in node.claim.identifiers:
        scheme = text.partition("/")[0]
        if scheme in ("fin", "a_number"):
            holders.setdefault(scheme, set()).add(text)
    sexes = {node.claim.sex} if node.claim.sex in ("F", "M") else set()
    births = {node.claim.birth} if len(node.claim.birth) == 10 else set()
    return Cluster(holders, sexes, births, [key])


def same_holder(one: Claim, other: Claim) -> bool:
    """Whether two holders of one document number can be one: equal dates of birth, or none against a like name."""
    if one.birth and other.birth:
        return one.birth == other.birth
    mine, theirs = names_of(one), names_of(other)
    return not mine or not theirs or bool(set(mine) & set(theirs))


def edges_of(nodes: dict[bytes, Node]) -> list[Edge]:
    """All reasons to join, strongest first."""
    shared: dict[str, list[bytes]] = defaultdict(list)
    for key, node in nodes.items():
        for text in {*node.claim.identifiers, *node.numbers}:
            if text.partition("/")[0] in WEIGHTS:
                shared[text].append(key)
        block = _block(node.claim)
        if block:
            shared[f"names/{block}"].append(key)
    edges: list[Edge] = []
    for text, keys in shared.items():
        if len(keys) > 1:
            keys.sort(key=lambda key: (nodes[key].known, key))
            edges += _pairs(text, keys[:SHARED_LIMIT], nodes)
    edges.sort(key=lambda edge: (-edge.weight, edge.one, edge.other, edge.by))
    return edges


def _pairs(text: str, keys: Sequence[bytes], nodes: dict[bytes, Node]) -> Iterable[Edge]:
    scheme = text.partition("/")[0]
    for one, other in combinations(sorted(keys), 2):
        left, right = nodes[one].claim, nodes[other].claim
        if scheme == "names":
            weight = by_names(left, right)
            if weight:
                yield Edge(weight, one, other, "names, date of birth and citizenship")
        elif scheme in ONE_HOLDER or same_holder(left, right):
            yield Edge(WEIGHTS[scheme], one, other, text)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Two records that a person said are not one person's."""

    one: bytes
    other: bytes


def persons_of(
    nodes: dict[bytes, Node], refused: Sequence[Refusal], decided: Sequence[Edge]
) -> list[tuple[list[bytes], list[Edge]]]:
    """The nodes' keys parted into persons, each with the joins that made it."""
    if len(nodes) == 1:
        return [(list(nodes), [])]
    clusters = {key: _cluster(key, node) for key, node in nodes.items()}
    home = {key: key for key in nodes}
    used: dict[bytes, list[Edge]] = {key: [] for key in nodes}
    against: dict[bytes, set[bytes]] = defaultdict(set)
    for refusal in refused:
        against[refusal.one].add(refusal.other)
        against[refusal.other].add(refusal.one)
    for edge in [*sorted(decided, key=lambda e: (-e.weight, e.one, e.other)), *edges_of(nodes)]:
        left, right = home[edge.one], home[edge.other]
        if left == right:
            continue
        mine, theirs = clusters[left], clusters[right]
        said = edge.weight == DECISION_WEIGHT
        if not said and mine.forbids(theirs):
            continue
        if against and any(against[key] & set(theirs.nodes) for key in mine.nodes if key in against):
            continue
        if len(mine.nodes) < len(theirs.nodes):
            left, right, mine, theirs = right, left, theirs, mine
        for key in theirs.nodes:
            home[key] = left
        mine.absorb(theirs)
        used[left] += [*used.pop(right), edge]
        del clusters[right]
    return [(cluster.nodes, used[key]) for key, cluster in clusters.items()]


def link_of(edge: Edge, nodes: dict[bytes, Node], names: dict[bytes, tuple[str, str]]) -> Link:
    """The join in words, by the earliest-known record of each side."""
    pair = sorted((names[nodes[edge.one].least], names[nodes[edge.other].least]))
    return Link(pair[0], pair[1], edge.by, edge.weight)
