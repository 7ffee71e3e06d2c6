"""What a correlator remembers of keys is bounded, and is what was learnt."""

from __future__ import annotations

from services.correlator.key_cache import Appended, KeyCache


def _learnt(keys: range) -> Appended:
    return Appended({key: -key for key in keys}, {key: 1_000 + key for key in keys}, to_compare=False)


def test_no_more_is_remembered_than_twice_what_it_is_made_for() -> None:
    cache = KeyCache(keys=100, claims=50)
    for first in range(1, 10_001, 10):
        cache.remember(_learnt(range(first, first + 10)))
    remembered = cache.pools(range(1, 10_001))
    assert 100 <= len(remembered) <= 210
    assert all(pool == -key for key, pool in remembered.items())
    assert remembered.keys() >= set(range(9_901, 10_001))


def test_what_is_met_again_and_again_stays_remembered() -> None:
    cache = KeyCache(keys=100, claims=50)
    cache.remember(_learnt(range(1, 2)))
    for first in range(1_000, 9_000, 10):
        cache.remember(_learnt(range(first, first + 10)))
        assert cache.pools([1]) == {1: -1}


def test_a_claim_is_lowered_where_it_is_earlier_than_remembered_or_not_remembered_at_all() -> None:
    cache = KeyCache(keys=100, claims=50)
    cache.remember(_learnt(range(1, 4)))
    assert cache.earlier({1: 1_001, 2: 5, 9: 7}) == [(2, 5), (9, 7)]
    cache.remember(Appended({}, {2: 5}, to_compare=False))
    cache.remember(Appended({}, {2: 800}, to_compare=False))
    assert cache.earlier({2: 5}) == []


def test_after_another_generation_of_connections_nothing_is_remembered() -> None:
    cache = KeyCache()
    cache.remember(_learnt(range(1, 4)))
    cache.renew(1)
    assert cache.pools([1, 2, 3]) == {}
