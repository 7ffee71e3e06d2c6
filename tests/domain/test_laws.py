"""The laws hold over random worlds, the worlds hold what the laws are about, and planted bugs break them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import groupby

import pytest
from domain import laws
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import admitted_by_arrival, arrival_is_knowing
from populations import world_of

from schemas.events import Coverage
from schemas.ids import handle
from services.domain import caps, identity, pools, resolve
from services.domain.coverage import complete
from services.domain.facts import MICRO, Fact

RATES = {
    "merges": 0.30,
    "vetoes": 0.10,
    "splits": 0.10,
    "retractions": 0.30,
    "corrections": 0.30,
    "late": 0.50,
    "decisions": 0.30,
    "copies": 0.50,
    "likenesses": 0.50,
    "shared": 0.30,
    "repeats": 0.50,
    "queues": 0.20,
}
"""The least share of worlds in which each thing happens."""


@pytest.mark.law(
    1,
    "twelve laws over 350 random worlds each (40 in `make test-unit`): other orders, copies, batches, and "
    "a slow second implementation of identity that has to agree",
)
@pytest.mark.law(
    4, "(`time_lines`, `rests_on`) every interval has rule, citation and events of that person, in every world"
)
@pytest.mark.law(
    5,
    "(`known_at`, `pure_status`) as known then is the view of what was known then; asking twice, in any "
    "order, is asking once",
)
@pytest.mark.law(6, "(`admissions`) outcomes against admissions counted in the raw events, at random instants")
@pytest.mark.parametrize("worlds", [40, pytest.param(350, marks=pytest.mark.slow)])
@pytest.mark.parametrize("law", laws.ALL, ids=lambda law: law.__name__)
def test_law(law: laws.Law, worlds: int) -> None:
    """The law holds in every world."""

    @settings(max_examples=worlds, deadline=None, derandomize=True, database=None)
    @given(st.integers(0, 2**20))
    def holds(seed: int) -> None:
        law(seed)

    holds()


LOW = (laws.order_and_duplicates, laws.batches, laws.known_at, laws.cutoffs, laws.identity)


@pytest.mark.law(1, "the same where a key admits two claims, so that nearly every world meets a cap")
@pytest.mark.slow
@pytest.mark.parametrize("law", LOW)
def test_law_under_a_low_cap(law: laws.Law, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where keys and blocks admit two claims each, nearly every world meets a cap."""
    monkeypatch.setattr(caps, "CAP", 2)
    for seed in range(150):
        law(seed)


@pytest.mark.slow
def test_low_caps_bite(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a quarter of the worlds the persons are others under a cap of two."""
    worlds = [laws.least(laws.world(seed)[1]) for seed in range(100)]
    free = [len(resolve.persons(facts)) for facts in worlds]
    monkeypatch.setattr(caps, "CAP", 2)
    assert sum(len(resolve.persons(facts)) != count for facts, count in zip(worlds, free, strict=True)) >= 25


@pytest.mark.law(1, planted="claims admitted under a cap in the order in which they came")
def test_a_cap_by_arrival_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the claims that came first are admitted, not those known first."""
    monkeypatch.setattr(caps, "CAP", 2)
    monkeypatch.setattr(resolve, "caps_of", admitted_by_arrival)
    assert any(_broken(law, seed) for seed in range(60) for law in (laws.order_and_duplicates, laws.identity))


def _old_claims_are_seniors(*given: object) -> object:
    """`_claims` where a claim is senior under a number since it is known itself."""
    claims, known, holders = _CLAIMS(*given)
    aged = {text: {claim: known[claim] for claim in since} for text, since in holders.items()}
    return claims, known, defaultdict(dict, aged)


_CLAIMS = caps._claims


@pytest.mark.law(1, planted="a claim of old admitted under a number that it came by late")
@pytest.mark.slow
def test_seniority_of_old_claims_under_new_numbers_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a claim of old that comes by a number late throws out whoever was admitted under it."""
    monkeypatch.setattr(caps, "CAP", 2)
    monkeypatch.setattr(caps, "_claims", _old_claims_are_seniors)
    assert any(_broken(laws.cutoffs, seed) for seed in range(300))


def test_joins_by_score_are_in_the_worlds() -> None:
    """In a third of the worlds something is joined by its score alone."""
    worlds = [laws.least(laws.world(seed)[1]) for seed in range(100)]
    assert sum(any(link.scored for one in resolve.persons(facts) for link in one.links) for facts in worlds) >= 33


@pytest.mark.slow
def test_the_worlds_are_worth_it() -> None:
    """In enough worlds there is what could go wrong, and what it does can be seen in the persons."""
    seeds = range(300)
    counted = [world_of(seed)[1] for seed in seeds]
    for word, share in RATES.items():
        assert sum(counts[word] > 0 for counts in counted) >= share * len(seeds), word
    joined = [any(one.links for one in resolve.persons(laws.least(laws.world(seed)[1]))) for seed in seeds]
    assert sum(joined) >= 0.3 * len(seeds)


@pytest.mark.slow
def test_vetoes_and_splits_part_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a tenth of the worlds a veto, in a twentieth a record taken back, is all that keeps two people apart."""
    worlds = [laws.least(laws.world(seed)[1]) for seed in range(200)]
    true = [len(resolve.persons(facts)) for facts in worlds]
    kept = [[fact for fact in facts if not fact.retract] for facts in worlds]
    assert sum(len(resolve.persons(facts)) < count for facts, count in zip(kept, true, strict=True)) >= 10
    monkeypatch.setattr(identity.Cluster, "vetoes", lambda self, other, by="", pair=None: iter(()))
    assert sum(len(resolve.persons(facts)) < count for facts, count in zip(worlds, true, strict=True)) >= 20


def _active_by(version: Callable[[Fact], object], *, retracts: bool = True) -> Callable[..., object]:
    """`resolve.active` with another idea of which version counts."""

    def active(facts: Iterable[Fact], known_at: int | None = None) -> object:
        heard = [fact for fact in facts if known_at is None or fact.known <= known_at]
        since: dict[bytes, int] = {}
        for fact in heard:
            since[fact.handle] = min(fact.known, since.get(fact.handle, fact.known))
        records = {}
        for key, held in groupby(sorted(heard, key=lambda fact: fact.handle), key=lambda fact: fact.handle):
            parts = list(held)
            if not retracts:
                parts = [fact for fact in parts if not fact.retract] or parts
            best = max(map(version, parts))
            parts = sorted((f for f in parts if version(f) == best), key=lambda fact: (fact.part, fact.id))
            if not any(fact.retract for fact in parts):
                records[key] = parts
        return records, since

    return active


def _named_by_any(decisions: Iterable[Fact], subjects: object) -> set[bytes]:
    """`resolve._named` that asks not whether both records stand."""
    return {handle(*fact.body[side]) for fact in decisions for side in ("one", "other")}


def _best_of_a_pool(nodes: object, home: object, *rest: object) -> object:
    """`identity.scored_edges` that gives the best one only."""
    return _SCORED(nodes, home, *rest)[:1]


_SCORED = identity.scored_edges
_PERSONS = resolve.persons
BUGS: dict[str, tuple[object, str, object]] = {
    "order of arrival instead of (known, id)": (resolve, "active", arrival_is_knowing),
    "lowest revision counts": (resolve, "active", _active_by(lambda fact: -fact.number)),
    "the digest outranks the revision": (resolve, "active", _active_by(lambda fact: (fact.digest, fact.number))),
    "retraction ignored": (resolve, "active", _active_by(lambda fact: fact.version, retracts=False)),
    "last copy stands": (pools, "_seniority", lambda fact: (-fact.known, fact.copy, b"")),
    "first copy to come stands": (pools, "_seniority", lambda fact: 0),
    "veto skipped": (identity.Cluster, "vetoes", lambda self, other, by="", pair=None: iter(())),
    "every join vetoed": (identity.Cluster, "vetoes", lambda self, other, by="", pair=None: iter(("always",))),
    "two admissions within minutes joined": (identity, "two_people", lambda mine, theirs: False),
    "a mistyped number joins": (identity.Cluster, "_any_names", lambda self, other, conflict: False),
    "a disputed number joins a bare record": (identity._Parted, "_free", lambda self, text, key, other: True),
    "a person's no skipped": (resolve, "Refusal", lambda one, other: identity.Refusal(b"", b"")),
    "one holder of a passport whatever the date of birth": (identity, "same_holder", lambda one, other, common: False),
    "known_at ignored": (resolve, "persons", lambda facts, known_at=None, cutoffs=None: _PERSONS(facts)),
    "a decision on a record that was taken back singles out the other": (resolve, "_named", _named_by_any),
    "the best join by score of a pool alone": (identity, "scored_edges", _best_of_a_pool),
    "weakest join first": (identity, "edges_of", lambda nodes, caps, plain=identity.edges_of: plain(nodes, caps)[::-1]),
}


@pytest.mark.law(
    1,
    planted="order of arrival instead of (known, id); last or first copy stands; lowest revision counts; the "
    "digest outranks the revision; retraction ignored; veto skipped; every join vetoed; a person's no "
    "skipped; a passport's holder whatever the date of birth; weakest join first; a decision on a record that was "
    "taken back singles out the other; the best join by score of a pool alone",
)
@pytest.mark.law(5, planted="`known_at` ignored")
@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some law or the second implementation notices."""
    monkeypatch.setattr(*BUGS[bug])
    assert any(_broken(law, seed) for seed in range(150) for law in laws.ALL), bug


def _broken(law: laws.Law, seed: int) -> bool:
    try:
        law(seed)
    except AssertionError:
        return True
    return False


stretches = st.lists(
    st.tuples(
        st.sampled_from(("I94", "IDENT")),
        st.sampled_from(("departure:air", "departure:sea")),
        st.integers(0, 12),
        st.integers(0, 6),
    ),
    max_size=12,
)


@pytest.mark.law(1, "coverage, in whatever order it comes")
@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(stretches, st.randoms(use_true_random=False))
def test_coverage_commutes(pieces: list[tuple[str, str, int, int]], rng: object) -> None:
    """Complete is what joins without a gap, in whatever order the stretches come."""
    facts = [_cover(index, *piece) for index, piece in enumerate(pieces)]
    mixed = [*facts]
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    assert complete(mixed) == complete(facts)
    assert complete(facts).scopes == _swept(pieces)


def _swept(pieces: list[tuple[str, str, int, int]]) -> dict[str, dict[str, tuple[tuple[int, int], ...]]]:
    """The stretches, half a second at a time."""
    actual: dict[str, dict[str, tuple[tuple[int, int], ...]]] = {}
    for system, scope in {piece[:2] for piece in pieces}:
        mine = [(since, since + length) for *source, since, length in pieces if source == [system, scope]]
        steps = sorted({step for since, through in mine for step in range(2 * since, 2 * through + 1)})
        starts = [step for step in steps if step - 1 not in steps]
        ends = [step for step in steps if step + 1 not in steps]
        actual.setdefault(scope, {})[system] = tuple((a // 2, b // 2) for a, b in zip(starts, ends, strict=True))
    return actual


def _cover(index: int, system: str, scope: str, since: int, length: int) -> Fact:
    body = {"scope": scope, "since": since * MICRO, "through": (since + length) * MICRO}
    return Fact(
        index.to_bytes(16, "big"), Coverage.model_fields["kind"].default, False, system, f"C{index}", "", 1, "0" * 16,
        1, index, "b\n1", 0, 0, False, "UTC", None, (), None, (), body,
    )  # fmt: skip
