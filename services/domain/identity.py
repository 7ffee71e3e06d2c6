"""Who is one person: claims joined by what they share, unless something forbids it.

What a person decided comes first, then common identifiers from the strongest to the weakest, then names and dates by
their score; ties by the claims' keys. So the result is a function of the set of facts.

A join is refused when the two sides contradict each other: two fingerprint identities, two A-numbers of which neither
is the other mistyped, sex and date of birth both different, two admissions within minutes or two seats on one flight, a
person's decision. One by a number is refused also where given names and dates of birth are others', or where all names
are and nothing else agrees (the number was mistyped), one by a document where the given names alone are (the wrong
passport was scanned), one by score where the given names or the sexes are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations

from schemas.ids import handle
from services.domain import births, scoring
from services.domain.blocks import Spoken, block_key, spoken, texts_of
from services.domain.caps import Caps
from services.domain.facts import Claim, Fact, claim_key, handle_key, key_hash
from services.domain.history import Link
from services.domain.numbers import is_placeholder
from services.domain.sightings import (
    Moment,
    Moments,
    Sighting,
    Sightings,
    at_one_crossing,
    by_quarter,
    by_span,
    two_people,
)

WEIGHTS: dict[str, int] = {
    # (scheme -> weight) of identifiers that one person alone can hold, and of numbers of one stay or one application
    "fin": 40,
    "fbi": 38,
    "a_number": 36,
    "i94": 30,
    "sevis": 30,
    "subject": 30,
    "receipt": 28,
    "visa_application": 28,
    "card": 28,
    "esta": 28,
    # documents: never a person by themselves, so the date of birth has to agree
    "passport": 20,
    "visa": 18,
}
DOCUMENTS = ("passport/", "visa/")
_TELLING = ("fin/", "a_number/", *DOCUMENTS)
"""Identifiers that vetoes ask for."""
PRINTS = ("fin/", "fbi/")
APPLICATIONS = ("receipt/", "visa_application/", "card/", "esta/")
ONE_HOLDER = frozenset(
    {"fin", "fbi", "a_number", "i94", "sevis", "subject", "receipt", "visa_application", "card", "esta"}
)
OUTWEIGHS = 3
"""Records that tell a number of one person, so that one record that tells it of another has mistyped it."""
AS_MUCH = 2.0
"""Bits that a record without a given name, or with one that was cut, may be more like one of two twins."""
A_GENERATION = "dates of birth a generation apart"
DECISION_WEIGHT = 100
FullName = tuple[str, str]
"""(family, given)"""


@lru_cache(maxsize=65_536)
def joins(text: str) -> bool:
    """Whether an identifier can join two claims: it is of a scheme that does, and no placeholder."""
    return text[: text.find("/")] in WEIGHTS and not is_placeholder(text)


def alike(one: Claim, other: Claim) -> bool:
    """Whether two claims *of one block* may be joined by score; maybe only if their records tell of one crossing."""
    return _joining_score(one, other) is not None or _score_but_for_passports(one, other) is not None


def _joining_score(one: Claim, other: Claim) -> float | None:
    """The score that joins two claims *of one block*; None where none does."""
    if one.sex != other.sex and {one.sex, other.sex} == {"F", "M"}:
        return None
    return scoring.joining_score(one, other)


def _score_but_for_passports(one: Claim, other: Claim) -> float | None:
    """The score that joins two claims *of one block* whose passports need not be told apart; None where none does."""
    if one.sex != other.sex and {one.sex, other.sex} == {"F", "M"}:
        return None
    return scoring.score_but_for_passports(one, other)


def tells_who(claim: Claim) -> bool:
    """Whether two records that make this claim are one person's.

    They are by a number that can join, by a name beside any other number (one booking is a family's, and one name in it
    one person's), else as two other claims are: by their score. A common name alone, or a made-up number, is nobody's.
    """
    numbers = [text for text in claim.identifiers if not is_placeholder(text)]
    if any(text[: text.find("/")] in WEIGHTS for text in numbers):
        return True
    return bool(numbers and scoring.compared(claim).names) or _joining_score(claim, claim) is not None


@lru_cache(maxsize=65_536)
def _joining_key(text: str) -> int | None:
    """The key of an identifier of a scheme that joins; None of others. A person's come again, mostly close together."""
    return key_hash(text) if text[: text.find("/")] in WEIGHTS else None


def keys_of(fact: Fact) -> list[int]:
    """The keys under which a fact finds its pool: its record, its claim, its identifiers, the records it decides on.

    The claim's is the second, where there is a claim.
    """
    keys = [handle_key(fact.handle)]
    if fact.claim is not None:
        keys.append(claim_key(fact.claim))
        keys += [key for text in fact.identifiers if (key := _joining_key(text)) is not None]
    elif fact.kind == "decision":
        keys.extend(handle_key(handle(*fact.body[side])) for side in ("one", "other"))
    return keys


@dataclass(slots=True)
class Node:
    """A claim with the records that make it, or one record that a decision names."""

    claim: Claim
    key: int  # the claim's
    known: int
    least: bytes  # handle of its earliest-known record
    records: list[bytes] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)  # numbers of stays and applications in its records
    sightings: list[Sighting] = field(default_factory=list)
    days: set[int] = field(default_factory=set)  # on which its records tell something of its subject
    version_claims: set[Claim] = field(
        default_factory=set
    )  # of an amended record whose claim no version has: the versions'

    @property
    def bare(self) -> bool:
        """Whether it has no name: nothing in it says whether its numbers are its subject's."""
        return not self.claim.names or not scoring.compared(self.claim).names

    def texts(self) -> set[str]:
        """Return everything that its records call the person by."""
        return {*self.claim.identifiers, *self.numbers}

    def claims(self) -> Collection[Claim]:
        """The claims that were told as they are: by them alone the node was compared, and found its pool."""
        return self.version_claims or (self.claim,)


@dataclass(slots=True)
class Edge:
    """A reason to join two nodes."""

    weight: float  # by identifier: its weight; by score: bits
    one: bytes
    other: bytes
    by: str  # the identifier; of a score its parts in words, once the join is made
    scored: bool = False
    but_for_passports: str = ""  # why passports that are different say nothing against it; "" where they do
    unproved: bool = False  # whether the document's two holders have still to be asked if they can be one


@dataclass(slots=True)
class Cluster:
    """What a set of joined nodes says, as far as vetoes ask."""

    holders: dict[str, set[str]]
    sexes: set[str]
    births: set[str]  # those that are known to the day
    dates: set[str]  # all of them
    names: set[tuple[str, str]]
    nodes: list[bytes]
    documents: set[str]
    sightings: Sightings
    citizenship: set[str]
    held: set[FullName]  # names that stand beside a passport

    def vetoes(self, other: Cluster, by: str = "", pair: tuple[Claim, Claim] | None = None) -> Iterator[str]:
        """Why the two must not be one, whatever speaks for it; `by`: the identifier that does, "" for a score.

        `pair`: the two claims that have the score.
        """
        for scheme, mine in self.holders.items():
            theirs = other.holders.get(scheme)
            if theirs and mine and not mine & theirs and not self._one_mistyped(scheme, other, by):
                yield f"two {scheme.upper().replace('_', '-')}s"
        births_differ = self._births_differ(other)
        sexes_differ = bool(self.sexes and other.sexes and not self.sexes & other.sexes)
        if sexes_differ and births_differ:
            yield "sex and date of birth both different"
        if self.sightings and other.sightings and two_people(self.sightings, other.sightings):
            yield "admitted within minutes of each other, or on one flight, under different passports"
        if not by:
            if sexes_differ:
                yield "sexes different"
            if self._any_names(other, scoring.given_conflict):
                yield "given names of two people"
            elif self._any_names(other, scoring.two_known):
                yield "given names that are two known ones"
            if self._a_generation(other, births.a_generation_apart):
                yield A_GENERATION
            if scoring.passports_apart(self.documents, other.documents):
                if self._two_called(other):
                    yield "different passports of one issuer, and given names of two people"
                elif pair is None:
                    return
                elif not scoring.joined_apart(*pair):
                    yield "different passports of one issuer, and too little besides"
                elif self._others_beside_passports(other):
                    yield "different passports of one issuer, and given names that differ beside them"
        elif by.startswith(DOCUMENTS):
            if births_differ and self._any_names(other, scoring.given_conflict):
                yield "given names and dates of birth of two people"
            elif self._any_names(other, scoring.two_given):
                yield "given names of two people under one document"
            elif sexes_differ and self._no_given_in_common(other):
                yield "given names and sexes of two people under one document"
            if self._a_generation(other, _parent_and_child) and len(self.documents & other.documents) < 2:
                yield A_GENERATION
        elif self._dates_differ(other) and self._any_names(other, scoring.given_conflict) and self._mistyped(other, by):
            yield "given names and dates of birth of two people"
        elif self._two_beside_a_number(other, by, sexes_differ=sexes_differ):
            yield "given names of two people, and sexes or passports"
        elif (
            self._nothing_agrees(other)
            and self._any_names(other, scoring.nothing_in_common)
            and self._mistyped(other, by)
        ):
            yield "all names of two people, and nothing that agrees"

    def _one_mistyped(self, scheme: str, other: Cluster, by: str) -> bool:
        """Whether of two FINs or A-numbers one is the other mistyped, or one person has two files.

        By another number or a document, of people with one birthday whose given names may be one's: where fingerprints
        are the same, or the numbers differ in one digit or in two that are swapped, or the number of a stay and a
        document and a name as it is written are the same. Not by an application's number: families apply together, and
        their A-numbers are in sequence.
        """
        if not by or by.startswith(APPLICATIONS) or not self.births & other.births:
            return False
        if scheme == "fin":
            return self._one_fin_mistyped(other, by)
        alike = by.startswith("fin/") or any(
            nearly(mine, theirs) for mine in self.holders[scheme] for theirs in other.holders[scheme]
        )
        if not alike and not by.startswith(DOCUMENTS):
            alike = bool(self.documents & other.documents and self.names & other.names)
        return alike and not self._any_names(other, scoring.given_conflict)

    def _one_fin_mistyped(self, other: Cluster, by: str) -> bool:
        """Whether of two FINs one is the other mistyped: all else is the same, a document too, and one digit is not.

        The number is typed where prints were not taken anew. Two FINs in sequence are two people's all the same, but
        where two documents are the same.
        """
        if not by.startswith(DOCUMENTS) or not self.names & other.names:
            return False
        if self.sexes and other.sexes and not self.sexes & other.sexes:
            return False
        mistyped = nearly if len(self.documents & other.documents) > 1 else scoring.mistyped
        return any(mistyped(mine, theirs) for mine in self.holders["fin"] for theirs in other.holders["fin"])

    def _nothing_agrees(self, other: Cluster) -> bool:
        """Whether neither a date of birth nor a citizenship speaks for one person. A sex is too little to count."""
        if self.dates and other.dates and not self._dates_differ(other):
            return False
        return not self.citizenship & other.citizenship

    def _mistyped(self, other: Cluster, by: str) -> bool:
        """Whether a number can be a mistyped one. Fingerprints are not, but their number is.

        It shows by two sets of documents, or where all names and dates of birth are others' and nothing else agrees.
        """
        if not by.startswith("fin/") or (self.documents and other.documents and not self.documents & other.documents):
            return True
        if not self._dates_differ(other) or self.documents & other.documents or self.sexes & other.sexes:
            return False
        return self._nothing_agrees(other) and self._any_names(other, scoring.nothing_in_common)

    def _two_beside_a_number(self, other: Cluster, by: str, *, sexes_differ: bool) -> bool:
        """Whether a number is told of two people of one birthday, as twins are: by given names, and sexes or passports.

        Fingerprints are one person's whatever the names.
        """
        if by.startswith(PRINTS) or not self._any_names(other, scoring.strange_given):
            return False
        return sexes_differ or scoring.passports_apart(self.documents, other.documents)

    def _others_beside_passports(self, other: Cluster) -> bool:
        """Whether no given names beside the passports of one are those beside the other's.

        A record without a passport, of which a name is cut, may be either twin's and is no bridge between them.
        """
        if not self.held or not other.held or self.held & other.held:
            return False
        return not any(scoring.given_in_common(mine, theirs) for mine in self.held for theirs in other.held)

    def _two_called(self, other: Cluster) -> bool:
        """Whether names that stand on one side alone are two people's: those of twins may be cut to one in a system."""
        mine, theirs = self.names - other.names, other.names - self.names
        return any(scoring.given_conflict(one, another) for one in mine for another in theirs)

    def _no_given_in_common(self, other: Cluster) -> bool:
        """Whether no given names of one stand in a name of the other; of ALEKSANDR and ALEKSANDRA neither is cut."""
        if not self.names or not other.names or self.names & other.names:
            return False
        return not any(scoring.given_in_common(mine, theirs) for mine in self.names for theirs in other.names)

    def _births_differ(self, other: Cluster) -> bool:
        return _none_agrees(self.births, other.births)

    def _dates_differ(self, other: Cluster) -> bool:
        """The same of dates that are known in part, too."""
        return _none_agrees(self.dates, other.dates)

    def _a_generation(self, other: Cluster, apart: Callable[[str, str], bool]) -> bool:
        if self.births.isdisjoint(other.births):  # one day is no generation apart
            return bool(self.births and other.births) and all(
                apart(mine, theirs) for mine in self.births for theirs in other.births
            )
        return False

    def differs_by_a_digit_of_the_year(self, other: Cluster, by: str) -> bool:
        """Whether under one document all is the same but a digit of the year of birth, and only that forbids a join."""
        if not self.names & other.names or not self.citizenship & other.citizenship:
            return False
        if self.sexes and other.sexes and not self.sexes & other.sexes:
            return False
        if not any(births.a_digit_of_the_year(mine, theirs) for mine in self.births for theirs in other.births):
            return False
        return list(self.vetoes(other, by)) == [A_GENERATION]

    def _any_names(self, other: Cluster, conflict: Callable[[FullName, FullName], bool]) -> bool:
        """Whether any two names are two people's. Where one name stands on both sides the others were mistyped."""
        if self.names & other.names:
            return False
        pairs = [(mine, theirs) for mine in self.names for theirs in other.names]
        if not any(conflict(*pair) for pair in pairs):
            return False
        return not any(scoring.one_name(*pair) for pair in pairs)

    def of_one_birth_and_name(self, other: Cluster) -> bool:
        """Whether a date of birth agrees, and no name is another person's."""
        if not self.births & other.births or not self.names or not other.names:
            return False
        return not self._any_names(other, scoring.given_conflict)

    def absorb(self, other: Cluster) -> None:
        """Take the other in."""
        for scheme, theirs in other.holders.items():
            self.holders.setdefault(scheme, set()).update(theirs)
        self.sexes |= other.sexes
        self.births |= other.births
        self.dates |= other.dates
        self.names |= other.names
        self.nodes += other.nodes
        self.documents |= other.documents
        self.citizenship |= other.citizenship
        self.held |= other.held
        for quarter, seen in other.sightings.items():
            self.sightings[quarter] = self.sightings.get(quarter, []) + seen


def _none_agrees(some: set[str], others: set[str]) -> bool:
    """Whether there are dates on both sides, and none of the one side may be one of the other's."""
    if not some.isdisjoint(others):
        return False
    return bool(some and others) and not any(births.births_agree(mine, theirs) for mine in some for theirs in others)


def nearly(one: str, other: str) -> bool:
    """Whether two numbers differ in one sign, or in two neighbours that are swapped."""
    if len(one) != len(other):
        return False
    apart = [place for place, (mine, theirs) in enumerate(zip(one, other, strict=True)) if mine != theirs]
    if len(apart) == 2 and apart[1] == apart[0] + 1:
        first, second = apart
        return one[first] == other[second] and one[second] == other[first]
    return len(apart) == 1


def cluster_of(key: bytes, claim: Claim, sightings: Iterable[Sighting] = ()) -> Cluster:
    """What one claim says, and where its records place its subject."""
    holders: dict[str, set[str]] = {}
    documents: set[str] = set()
    passport = False
    for text in claim.identifiers:
        if not text.startswith(_TELLING) or is_placeholder(text):
            continue
        if text.startswith(DOCUMENTS):
            documents.add(text)
            passport = passport or text.startswith("passport/")
        else:
            holders.setdefault(text[: text.find("/")], set()).add(text)
    sexes = {claim.sex} if claim.sex in ("F", "M") else set()
    dates = {claim.birth} if claim.birth else set()
    days = {birth for birth in dates if len(birth) == 10}
    seen, countries = by_quarter(sightings), set(claim.citizenship)
    held = set(claim.names) if passport else set()
    return Cluster(holders, sexes, days, dates, set(claim.names), [key], documents, seen, countries, held)


def same_holder(one: Claim, other: Claim, common: int = 1) -> bool:
    """Whether two holders of one document number can be one.

    Numbers are lent, mistyped and given out again, and the wrong passport is scanned: dates of birth have to agree and
    given names not to be others', or everything else to outweigh it. `common`: documents that the two share.
    """
    if any(scoring.strange_given(mine, theirs) for mine in one.names for theirs in other.names):
        return False
    if one.birth and one.birth == other.birth:
        return True
    if not one.birth or not other.birth:
        mine, theirs = scoring.compared(one), scoring.compared(other)
        return not mine.names or not theirs.names or scoring.names_score(mine, theirs) > scoring.FAMILY_OTHER
    if common < 2 and _parent_and_child(one.birth, other.birth):
        return False
    return scoring.score(one, other) + scoring.SHARED_DOCUMENT >= scoring.ACCEPT


def _parent_and_child(one: str, other: str) -> bool:
    """Whether two dates of birth are those of a parent and a child, on one day of the year or on two."""
    return births.a_generation_apart(one, other) or births.of_two_generations(one, other)


Shared = tuple[int, bytes, bytes, str]
"""A join by an identifier before it is tried: its weight, negative, so that the strongest sorts first; the two nodes;
the identifier. Most are never tried, for the two are one person's by then: a tuple is cheaper than an `Edge`."""


def edges_of(nodes: dict[bytes, Node], caps: Caps | None = None) -> list[Shared]:
    """All joins by common identifiers, strongest first.

    Whether two holders of a document can be one is asked where a join is tried, for most are one person's by then.
    """
    shared: dict[str, list[bytes]] = {}
    for key in sorted(nodes):
        node = nodes[key]
        for text in node.texts() if node.numbers else node.claim.identifiers:
            if not joins(text):
                continue
            held = shared.get(text)
            if held is None:
                shared[text] = [key]
            elif held[-1] is not key:
                held.append(key)
    edges: list[Shared] = []
    for text, keys in shared.items():
        if len(keys) > 1:
            weight = -WEIGHTS[text[: text.find("/")]]
            members = _admitted(key_hash(text), keys, nodes, caps) if caps else keys
            edges += [(weight, one, other, text) for one, other in combinations(members, 2)]
    edges.sort()
    return edges


def _tried(shared: Shared) -> Edge:
    weight, one, other, text = shared
    return Edge(-weight, one, other, text, unproved=text.startswith(DOCUMENTS))


def _admitted(key: int, members: Sequence[bytes], nodes: dict[bytes, Node], caps: Caps) -> list[bytes]:
    return [member for member in members if _admits(caps, key, nodes[member])]


def _admits(caps: Caps, key: int, node: Node) -> bool:
    if not node.version_claims:
        return caps.admits(key, node.key)
    return any(caps.admits(key, claim_key(claim)) for claim in node.version_claims)


def _common_documents(one: Claim, other: Claim) -> int:
    common = set(one.identifiers) & set(other.identifiers)
    return sum(text.startswith(DOCUMENTS) and not is_placeholder(text) for text in common)


def scored_edges(
    nodes: dict[bytes, Node],
    home: dict[bytes, bytes],
    caps: Caps | None = None,
    crossings: Crossings | None = None,
) -> list[Edge]:
    """All joins by score between nodes that have different homes, strongest first."""
    blocks: dict[str, list[bytes]] = {}
    by_spoken: dict[Spoken, set[str]] = {}
    for key in sorted(nodes):
        node = nodes[key]
        if node.version_claims:
            texts = {text for claim in node.version_claims for text in texts_of(claim)}
        else:
            said = spoken(node.claim)
            held = by_spoken.get(said)
            if held is None:
                held = by_spoken[said] = set(texts_of(node.claim))
            texts = held
        for block in texts:
            if block:
                blocks.setdefault(block, []).append(key)
    met: set[tuple[bytes, ...]] = set()  # most blocks of a person hold the same claims
    pairs: set[tuple[bytes, bytes]] = set()
    for block, keys in blocks.items():
        if len(keys) < 2:
            continue
        members = tuple(_admitted(block_key(block), keys, nodes, caps) if caps else keys)
        if members not in met:
            met.add(members)
            pairs.update([pair for pair in combinations(members, 2) if home[pair[0]] != home[pair[1]]])
    edges = []
    excused = _Excused(nodes, home, caps, crossings)
    for one, other in pairs:
        left, right = nodes[one], nodes[other]
        bits, why = _joining_score(left.claim, right.claim), ""
        if bits is None or _in_sequence(left, right):
            bits = _score_but_for_passports(left.claim, right.claim)
            if bits is None or not (why := excused.why(one, other)):
                continue
        if _versions_alike(left, right):
            edges.append(Edge(bits, one, other, "", scored=True, but_for_passports=why))
    if len(edges) > 1:
        torn = _torn(edges, nodes, home)
        edges = [edge for edge in edges if (edge.one, edge.other) not in torn] if torn else edges
        edges.sort(key=lambda edge: (-edge.weight, edge.one, edge.other))
    return edges


Crossings = Callable[[bytes], Iterable[Moment]]
"""The crossings that a record tells of, by its handle."""
ONE_CROSSING = "two systems tell of one crossing"
EXCHANGED = "another person has the same two passports"


class _Excused:
    """Why different passports say nothing against a join: what is known of persons when numbers have joined all."""

    def __init__(
        self, nodes: dict[bytes, Node], home: dict[bytes, bytes], caps: Caps | None, crossings: Crossings | None
    ) -> None:
        self._nodes = nodes
        self._home = home
        self._caps = caps
        self._crossings = crossings or (lambda _: ())
        self._moments: dict[bytes, Moments] = {}
        self._members: dict[bytes, list[Node]] = {}
        self._holders: dict[str, dict[bytes, Claim]] = {}

    def why(self, one: bytes, other: bytes) -> str:
        """Return why; "" where nothing does."""
        if at_one_crossing(self._crossings_of(self._home[one]), self._crossings_of(self._home[other])):
            return ONE_CROSSING
        return EXCHANGED if self._exchanged(one, other) else ""

    def _crossings_of(self, home: bytes) -> Moments:
        """The crossings of a person's records."""
        held = self._moments.get(home)
        if held is None:
            if not self._members:
                for key, node in self._nodes.items():
                    self._members.setdefault(self._home[key], []).append(node)
            records = (record for node in self._members[home] for record in node.records)
            held = self._moments[home] = by_span(moment for record in records for moment in self._crossings(record))
        return held

    def _exchanged(self, key: bytes, other_key: bytes) -> bool:
        """Whether the two are one by name and birthday, and their passports are another person's in the same way.

        Families hand in their passports together, and get each other's back.
        """
        one, other = self._nodes[key].claim, self._nodes[other_key].claim
        if not _one_by_name(one, other):
            return False
        if not self._holders:
            self._find_holders()
        mine, theirs = self._under_passports(key, one), self._under_passports(other_key, other)
        return any(
            not _one_by_name(one, holder) and not _one_by_name(other, another) and _one_by_name(holder, another)
            for holder in mine
            for another in theirs
        )

    def _under_passports(self, key: bytes, claim: Claim) -> list[Claim]:
        """The claims with a passport of this one, as far as the passport admits both."""
        held = (self._holders.get(text, {}) for text in claim.identifiers)
        return [each for holders in held if key in holders for each in holders.values()]

    def _find_holders(self) -> None:
        by_text: dict[str, list[bytes]] = defaultdict(list)
        for key, node in self._nodes.items():
            for text in node.claim.identifiers:
                if text.startswith("passport/") and not is_placeholder(text):
                    by_text[text].append(key)
        for text, keys in by_text.items():
            admitted = _admitted(key_hash(text), keys, self._nodes, self._caps) if self._caps else keys
            self._holders[text] = {key: self._nodes[key].claim for key in admitted}


def _one_by_name(one: Claim, other: Claim) -> bool:
    """Whether two have one date of birth, and a name of one is one of the other's, maybe in another spelling."""
    if not one.birth or one.birth != other.birth:
        return False
    return any(mine == theirs or scoring.one_name(mine, theirs) for mine in one.names for theirs in other.names)


def _torn(edges: Iterable[Edge], nodes: dict[bytes, Node], home: dict[bytes, bytes]) -> set[tuple[bytes, bytes]]:
    """The joins of a node to each of two people with other given names, which it is as much like: it is neither's.

    Two names of one person, who is one by a number, are no two people.
    """
    ties: dict[bytes, list[tuple[float, bytes]]] = {}
    for edge in edges:
        one, other = edge.one, edge.other
        ties.setdefault(one, []).append((edge.weight, other))
        ties.setdefault(other, []).append((edge.weight, one))
    torn: set[tuple[bytes, bytes]] = set()
    for key, mine in ties.items():
        if len(mine) < 2:
            continue
        for (weight, one), (other_weight, other) in combinations(mine, 2):
            if home[one] == home[other] or not -AS_MUCH <= weight - other_weight <= AS_MUCH:
                continue
            left, right = nodes[one].claim, nodes[other].claim
            if left.names != right.names and scoring.torn(nodes[key].claim, left, right):
                torn |= {(min(key, one), max(key, one)), (min(key, other), max(key, other))}
    return torn


def _versions_alike(one: Node, other: Node) -> bool:
    """Whether two nodes are alike by claims as they were told: only those brought their pools together."""
    if not one.version_claims and not other.version_claims:
        return True
    return any(
        set(texts_of(mine)) & set(texts_of(theirs)) - {""} and alike(mine, theirs)
        for mine in one.claims()
        for theirs in other.claims()
    )


def _in_sequence(one: Node, other: Node) -> bool:
    """Whether two are alike only by passport numbers that are almost one, both of which were told in full on one day.

    Then neither is the other mistyped: families get their passports in sequence. One that looks like the other is the
    other misread all the same: no sequence has both.
    """
    mine, theirs = one.claim, other.claim
    if one.days.isdisjoint(other.days) or not scoring.near_documents(mine, theirs):
        return False
    if scoring.misread_documents(mine, theirs):
        return False
    return not scoring.joined_in_sequence(mine, theirs)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Two records that a person said are not one person's."""

    one: bytes
    other: bytes


class _Parted:
    """Nodes in clusters, while joins are tried."""

    def __init__(self, nodes: dict[bytes, Node], refused: Sequence[Refusal]) -> None:
        self.clusters = {key: cluster_of(key, node.claim, node.sightings) for key, node in nodes.items()}
        self.home = {key: key for key in nodes}
        self.used: dict[bytes, list[Edge]] = {key: [] for key in nodes}
        self._nodes = nodes
        self._against: dict[bytes, set[bytes]] = defaultdict(set)
        for refusal in refused:
            self._against[refusal.one].add(refusal.other)
            self._against[refusal.other].add(refusal.one)
        self._bare = {key for key, node in nodes.items() if node.bare}
        self._held: dict[tuple[str, bytes], list[bytes]] = defaultdict(list)  # number, node without a name -> holders
        self._doubted: set[str] = set()

    def join(self, edges: Iterable[Edge]) -> None:
        """Try the joins in their order."""
        home = self.home
        for edge in edges:
            left, right = home[edge.one], home[edge.other]
            if left == right or (edge.unproved and not self._one_holder(edge)):
                continue
            if not self._forbidden(edge, self.clusters[left], self.clusters[right]):
                self._merge(edge, left, right)
            elif self._bare and not edge.scored:
                self._doubt(self.clusters[left], self.clusters[right])

    def _apart(self, edges: Iterable[Shared]) -> Iterator[Edge]:
        """Those whose two nodes are not one person's by the time at which each is tried."""
        home = self.home
        for shared in edges:
            if home[shared[1]] != home[shared[2]]:
                yield _tried(shared)

    def join_by_numbers(self, edges: Sequence[Shared]) -> list[Edge]:
        """Try the joins by numbers, first those of records with names. Return those that wait for one holder.

        A record that has nothing but numbers says nothing against anybody, so it would join all who have them: it
        goes by a number only to one person, whose number that is by the records with names.
        """
        bare = self._bare
        if not bare:
            self.join(self._apart(edges))
            return []
        of_names: list[Shared] = []
        waiting: list[Edge] = []
        for shared in edges:
            if shared[1] not in bare and shared[2] not in bare:
                of_names.append(shared)
                continue
            edge = _tried(shared)
            if not edge.unproved or self._one_holder(edge):
                edge.unproved = False
                waiting.append(edge)
        for edge in waiting:
            for key, holder in ((edge.one, edge.other), (edge.other, edge.one)):
                if key in bare and holder not in bare:
                    self._held[edge.by, key].append(holder)
        self.join(self._apart(of_names))
        return self.join_waiting(waiting)

    def join_waiting(self, edges: Sequence[Edge]) -> list[Edge]:
        """Try the joins of records without names, again and again while any is made. Return those that still wait."""
        while edges:
            persons = len(self.clusters)
            waiting: list[Edge] = []
            for edge in edges:
                if self._free(edge.by, edge.one, edge.other) and self._free(edge.by, edge.other, edge.one):
                    self.join([edge])
                else:
                    waiting.append(edge)
            edges = waiting
            if len(self.clusters) == persons:
                break
        return list(edges)

    def join_slips(self, caps: Caps | None) -> None:
        """Join a record that stands alone, for a digit of the year of birth, to the person whose document it has.

        Several records of one day are one slip: a manifest is repeated by the airline's partner. It might be a parent's
        or a child's of that name; but those have other records, which it has joined by now. All other records of the
        document are that person's, and they are several.
        """
        holders: dict[str, list[bytes]] = defaultdict(list)
        for key in sorted(self._nodes):
            for text in self._nodes[key].claim.identifiers:
                if text.startswith(DOCUMENTS) and joins(text):
                    holders[text].append(key)
        for text, keys in sorted(holders.items()):
            members = _admitted(key_hash(text), keys, self._nodes, caps) if caps else keys
            for key in members if len(members) > 1 else ():
                self._join_slip(text, key, members)

    def _join_slip(self, text: str, key: bytes, holders: Sequence[bytes]) -> None:
        lone = self.clusters[self.home[key]]
        others = [holder for holder in holders if holder not in lone.nodes and holder not in self._bare]
        homes = {self.home[holder] for holder in others}
        if len(homes) != 1 or sum(len(self._nodes[holder].records) for holder in others) < OUTWEIGHS:
            return
        if len(lone.nodes) > 1 or len(self._nodes[key].records) > 1:
            days = set[int]().union(*(self._nodes[node].days for node in lone.nodes))
            if len(days) > 1 or len(set[int]().union(*(self._nodes[holder].days for holder in others))) < len(days) + 1:
                return
        owner = self.clusters[homes.pop()]
        one, other = sorted((key, others[0]))
        edge = Edge(WEIGHTS[text[: text.find("/")]], one, other, text)
        if lone.differs_by_a_digit_of_the_year(owner, text) and not self._refused(lone, owner):
            self._merge(edge, self.home[key], self.home[others[0]])

    def undecided(self, key: bytes) -> bool:
        """Whether the records of a node that stands alone are not to be taken for one person's either.

        Its claim does not tell who it is, or it has nothing but numbers that two persons have.
        """
        node = self._nodes[key]
        if len(node.records) == 1:
            return False
        if not tells_who(node.claim):
            return True
        texts = [text for text in node.texts() if joins(text)]
        return key in self._bare and bool(texts) and not any(self._owners(text, key) for text in texts)

    def _free(self, text: str, key: bytes, other: bytes) -> bool:
        """Whether a node may be joined to another one by a number: it has a name, or the number is the other's."""
        if key not in self._bare:
            return True
        if text in self._doubted and not self._tells_several(text, key):
            return False
        owners = self._owners(text, key)
        return bool(owners) and (other in self._bare or self.home[other] in owners)

    def _tells_several(self, text: str, key: bytes) -> bool:
        """Whether a node has several numbers of that scheme, and so says that one person has had them."""
        scheme = text[: text.find("/") + 1]
        return sum(each.startswith(scheme) for each in self._nodes[key].claim.identifiers) > 1

    def _owners(self, text: str, key: bytes) -> set[bytes]:
        """Return whose a number may be that a node without a name has; no one's where it is told of two people.

        That is the one person who has it; of several the one of whom a record under the number is of the day of this
        one; the person of whom several records tell it, where one record tells it of another, or the records of one day
        (an inspection is written into several systems) and hers are of several days; or several that have one name and
        birthday, and are apart for a number that was mistyped.
        """
        counts = Counter[bytes]()
        days: dict[bytes, set[int]] = defaultdict(set)
        present = set[bytes]()
        for holder in self._held.get((text, key), ()):
            counts[self.home[holder]] += len(self._nodes[holder].records)
            days[self.home[holder]] |= self._nodes[holder].days
            if not self._nodes[holder].days.isdisjoint(self._nodes[key].days):
                present.add(self.home[holder])
        if not counts:
            return {key}
        if len(present) == 1 and len(self._nodes[key].days) == 1:
            return present
        for home, records in counts.items():
            others = [other for other in counts if other != home]
            once = sum(counts[other] for other in others) == 1 or (
                len(others) == 1 and len(days[others[0]]) == 1 and len(days[home]) > 1
            )
            if (not present or home in present) and records >= OUTWEIGHS and once:
                return {home}
        clusters = [self.clusters[home] for home in counts]
        if all(one.of_one_birth_and_name(other) for one, other in combinations(clusters, 2)):
            return set(counts)
        return set()

    def _doubt(self, mine: Cluster, theirs: Cluster) -> None:
        """Note which of two numbers for life may be mistyped, where people with one name and birthday have two.

        That is what one record alone tells.
        """
        for scheme, numbers in mine.holders.items():
            others = theirs.holders.get(scheme, set())
            if others and not numbers & others and mine.of_one_birth_and_name(theirs):
                self._doubted |= {text for text in numbers | others if self._reported_once(text)}

    def _reported_once(self, text: str) -> bool:
        named = (node for key, node in self._nodes.items() if key not in self._bare)
        return sum(len(node.records) for node in named if text in node.claim.identifiers) == 1

    def _one_holder(self, edge: Edge) -> bool:
        """Whether the two holders of a document can be one."""
        mine, theirs = self._nodes[edge.one].claim, self._nodes[edge.other].claim
        return same_holder(mine, theirs, _common_documents(mine, theirs))

    def _forbidden(self, edge: Edge, mine: Cluster, theirs: Cluster) -> bool:
        if edge.scored:
            by, pair = "", (self._nodes[edge.one].claim, self._nodes[edge.other].claim)
        else:
            by, pair = edge.by, None
        if edge.but_for_passports:
            pair = None
        decided = edge.weight == DECISION_WEIGHT and not edge.scored
        if not decided and any(mine.vetoes(theirs, by, pair)):
            return True
        return self._refused(mine, theirs)

    def _refused(self, mine: Cluster, theirs: Cluster) -> bool:
        """Whether a person said that two records of them are not one person's."""
        against = self._against
        return bool(against) and any(against[key] & set(theirs.nodes) for key in mine.nodes if key in against)

    def _merge(self, edge: Edge, left: bytes, right: bytes) -> None:
        if edge.scored:
            score = scoring.explained(self._nodes[edge.one].claim, self._nodes[edge.other].claim)
            edge.by = "; ".join(filter(None, (score, edge.but_for_passports)))
        if len(self.clusters[left].nodes) < len(self.clusters[right].nodes):
            left, right = right, left
        for key in self.clusters[right].nodes:
            self.home[key] = left
        self.clusters[left].absorb(self.clusters.pop(right))
        self.used[left] += [*self.used.pop(right), edge]


@dataclass(frozen=True, slots=True)
class Person:
    """Nodes that are one person's, with the joins that made it."""

    nodes: list[bytes]
    edges: list[Edge]
    undecided: bool = False  # whether its records, which make one claim, are one person's each


def persons_of(
    nodes: dict[bytes, Node],
    refused: Sequence[Refusal],
    decided: Sequence[Edge],
    caps: Caps | None = None,
    crossings: Crossings | None = None,
) -> list[Person]:
    """The nodes parted into persons."""
    parted = _Parted(nodes, refused)
    if len(nodes) > 1:
        parted.join(sorted(decided, key=lambda edge: (-edge.weight, edge.one, edge.other)))
        waiting = parted.join_by_numbers(edges_of(nodes, caps))
        if len(parted.clusters) > 1:  # in most pools identifiers have joined everything by now
            parted.join(scored_edges(nodes, parted.home, caps, crossings))
            parted.join_waiting(waiting)
            parted.join_slips(caps)
    return [
        Person(cluster.nodes, parted.used[key], len(cluster.nodes) == 1 and parted.undecided(key))
        for key, cluster in parted.clusters.items()
    ]


def link_of(edge: Edge, nodes: dict[bytes, Node], names: dict[bytes, tuple[str, str]]) -> Link:
    """The join in words, by the earliest-known record of each side."""
    pair = sorted((names[nodes[edge.one].least], names[nodes[edge.other].least]))
    return Link(pair[0], pair[1], edge.by, round(edge.weight), edge.scored)
