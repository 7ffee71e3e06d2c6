"""The laws of correlation as checks over random worlds: each takes a seed and raises AssertionError where it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random

from domain import reference
from populations import again, between_two, bytes_of, world_of

from schemas.events import AnyEvent, Arrival, Coverage, Operation, PersonEvent, RecordRef
from schemas.outcomes import Outcome
from services.domain import resolve
from services.domain.caps import NO_CUTOFFS, caps_of
from services.domain.coverage import Coverage as Complete
from services.domain.coverage import complete
from services.domain.facts import Fact, fact_of
from services.domain.history import History, canonical, history_of
from services.domain.pools import Pool
from services.matches import Possible, decision, possible_among

Law = Callable[[int], None]
SPAN = (1_704_000_000, 1_790_000_000)
"""Seconds: before the first event of any world and after the last."""


@lru_cache(maxsize=4096)
def world(seed: int) -> tuple[tuple[AnyEvent, ...], tuple[Fact, ...], tuple[Fact, ...]]:
    """A world's events, its facts about persons, its coverage."""
    events, _ = world_of(seed)
    facts = [fact_of(raw) for raw in bytes_of(events)]
    reported = tuple(fact for fact in facts if fact.kind != "coverage")
    return tuple(events), reported, tuple(fact for fact in facts if fact.kind == "coverage")


def view(facts: Iterable[Fact], known_at: int | None = None) -> list[bytes]:
    """What the domain says, as bytes; events taken in as they come."""
    return [canonical(history) for history in resolve.persons(Pool(facts).facts.values(), known_at)]


def least(facts: Iterable[Fact]) -> list[Fact]:
    """One copy of each event, the one known first."""
    kept: dict[bytes, Fact] = {}
    for fact in sorted(facts, key=lambda one: (one.known, one.copy)):
        kept.setdefault(fact.id, fact)
    return list(kept.values())


def order_and_duplicates(seed: int) -> None:
    """Any order, some events twice: the same bytes."""
    _, facts, _ = world(seed)
    rng = Random(seed)
    again = [*facts, *rng.sample(facts, len(facts) // 3)]
    rng.shuffle(again)
    assert view(again) == view(facts)


def copies(seed: int) -> None:
    """Of several copies of one event the one known first stands, whatever came first."""
    _, facts, _ = world(seed)
    rng = Random(seed)
    shuffled = list(facts)
    rng.shuffle(shuffled)
    expected = [canonical(history) for history in resolve.persons(least(facts))]
    assert view(shuffled) == expected


def batches(seed: int) -> None:
    """Parts taken into several pools, packed and unpacked, united in any order: the same bytes."""
    _, facts, _ = world(seed)
    rng = Random(seed)
    pools = [Pool() for _ in range(rng.randint(1, 5))]
    for fact in rng.sample(facts, len(facts)):
        for pool in rng.sample(pools, rng.randint(1, min(2, len(pools)))):
            pool.add([fact])
    pools = [Pool.unpack(pool.pack()) if rng.random() < 0.5 else pool for pool in pools]
    while len(pools) > 1:
        rng.shuffle(pools)
        pools[0].merge(pools.pop())
    assert [canonical(one) for one in resolve.persons(pools[0].facts.values())] == view(facts)


def known_at(seed: int) -> None:
    """The view as known at a moment is the view of what was known by then."""
    _, facts, _ = world(seed)
    rng = Random(seed)
    for _ in range(3):
        moment = rng.choice(facts).known + rng.choice((-1, 0, 1))
        assert view(facts, moment) == view(fact for fact in facts if fact.known <= moment)


def cutoffs(seed: int) -> None:
    """The cutoffs that all events together set change nothing in what was known earlier."""
    _, facts, _ = world(seed)
    pool = Pool(facts)
    caps = caps_of(pool.facts.values(), NO_CUTOFFS)
    for moment in {fact.known for fact in Random(seed).sample(facts, 5)} if caps else ():
        reported = resolve.persons(pool.facts.values(), moment, caps.cutoffs)
        assert [canonical(history) for history in reported] == view(facts, moment)


def identity(seed: int) -> None:
    """The same persons as a slow second implementation finds, now and as known earlier."""
    _, facts, _ = world(seed)
    for moment in (None, Random(seed).choice(facts).known):
        actual = {frozenset(one.records) for one in resolve.persons(Pool(facts).facts.values(), moment)}
        assert actual == reference.persons(facts, moment)


def taken_back(seed: int) -> None:
    """Records that came and were taken back leave persons, answers and possible matches as if they had never come.

    So do decisions on them.
    """
    events = [*world_of(seed, torn=True)[0], *between_two(seed)]
    rng = Random(seed)
    kept: list[AnyEvent] = []
    records: dict[tuple[str, str], list[AnyEvent]] = {}
    for event in events:
        if not isinstance(event, Coverage):
            records.setdefault((event.system, event.record), []).append(event)
    gone: list[AnyEvent] = []
    for versions in records.values():
        if rng.random() < 0.7:
            kept += versions
            continue
        last = max(versions, key=lambda event: event.revision.number)
        known = max(event.published_at for event in versions if event.published_at)
        if rng.random() < 0.3:
            last = again(last, number=last.revision.number + 1, operation=Operation.AMEND)
            gone.append(last)
        number, at = last.revision.number + 1, known + timedelta(days=rng.randrange(300))
        gone += [*versions, again(last, number=number, operation=Operation.RETRACT, published_at=at)]
    gone += _on_records_that_are_gone(kept, gone, rng)
    never = _facts(kept)
    both = [*never, *_facts(gone)]
    rng.shuffle(both)
    assert view(both) == view(never)
    assert _possible(both) == _possible(never)


def _on_records_that_are_gone(kept: Sequence[AnyEvent], gone: Sequence[AnyEvent], rng: Random) -> Iterator[AnyEvent]:
    """Decisions on pairs of which one was taken back, and so decide nothing."""
    there, away = ([event for event in some if isinstance(event, PersonEvent)] for some in (kept, gone))
    for number, event in enumerate(rng.sample(there, len(there) // 4) if away else ()):
        one, other = (RecordRef(system=each.system, record=each.record) for each in (event, rng.choice(away)))
        at = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(days=number)
        yield decision(one, other, same=rng.random() < 0.3, by="reviewer", why="looked at both files", at=at)


def _facts(events: Iterable[AnyEvent]) -> list[Fact]:
    return [fact_of(raw) for raw in bytes_of(list(events))]


def _possible(facts: Iterable[Fact]) -> list[Possible]:
    matches = possible_among(Pool(facts).facts.values())
    return sorted(matches, key=lambda match: (match.one.person, match.other.person))


def strangers_in_a_pool(seed: int) -> None:
    """Records that nothing ties to others are as many persons in one pool with them as in a pool of their own."""
    _, facts, _ = world(seed)
    apart = [history for some in reference.components(facts) for history in view(some)]
    assert sorted(apart) == sorted(view(facts))


def pure_status(seed: int) -> None:
    """Asked again, in another order, or of a copy read back, a status is the same; asking changes nothing."""
    _, facts, covers = world(seed)
    coverage = complete(covers)
    rng = Random(seed)
    for history in resolve.persons(Pool(facts).facts.values()):
        before = canonical(history)
        moments = [rng.randrange(*SPAN) for _ in range(4)]
        first = [resolve.status(history, at, coverage) for at in moments]
        copy = history_of(before)
        assert [resolve.status(copy, at, complete(tuple(reversed(covers)))) for at in reversed(moments)] == first[::-1]
        assert canonical(history) == before == canonical(copy)
        assert coverage == complete(covers)


def time_lines(seed: int) -> None:
    """Time lines begin with their stay and run forward; every piece has its rule, citation and the person's events."""
    _, facts, _ = world(seed)
    owners = {fact.uuid: (fact.system, fact.record) for fact in facts}
    for history in resolve.persons(Pool(facts).facts.values()):
        for stay in history.stays:
            begins = [piece.since for piece in stay.timeline]
            assert begins[0] == stay.since
            assert begins == sorted(set(begins))
            assert begins[-1] < SPAN[1] + 400 * 86_400
            for piece in stay.timeline:
                assert piece.evidence
                assert piece.rule
                assert Outcome(piece.outcome)
                assert piece.citation or piece.outcome == Outcome.UNDETERMINED
                assert {owners[event] for event in piece.evidence} <= set(history.records)
        assert {owners[event] for event in history.unmatched_departures} <= set(history.records)


def admissions(seed: int) -> None:
    """At any instant every admission has one outcome, and the classes add up to the admissions in the raw events."""
    events, facts, covers = world(seed)
    rng = Random(seed)
    histories = resolve.persons(Pool(facts).facts.values())
    for at in (rng.randrange(*SPAN), rng.randrange(*SPAN), SPAN[1]):
        counted = _outcomes(histories, at, complete(covers))
        expected = _admitted(events, histories, at)
        assert sum(count for word, count in counted.items() if word != Outcome.NOT_ADMITTED) == expected


def _outcomes(histories: Iterable[History], at: int, coverage: Complete) -> dict[str, int]:
    counted = dict.fromkeys(Outcome, 0)
    for history in histories:
        for stay in history.stays:
            given = resolve.answer(stay, at, coverage)
            assert (given is None) == (at < stay.since)
            if given is not None:
                counted[Outcome(given.outcome)] += 1
    return counted


def _admitted(events: Iterable[AnyEvent], histories: Iterable[History], at: int) -> int:
    """Admissions in the raw events: of one key of a record, whichever system's, as often as it is another person's."""
    standing: dict[tuple[str, str], Arrival] = {}
    for event in events:
        if isinstance(event, Arrival):
            held = standing.get((event.system, event.record))
            if held is None or event.revision.number > held.revision.number:
                standing[event.system, event.record] = event
    owners = {record: history.person for history in histories for record in history.records}
    first: dict[tuple[str, str], Arrival] = {}
    for record in sorted(standing):  # I94 before TECS
        if standing[record].operation is Operation.ASSERT:
            first.setdefault((owners[record], record[1]), standing[record])
    return sum(
        one.inspection.value in ("admitted", "paroled") and one.occurred_at.start().timestamp() <= at
        for one in first.values()
    )


def rests_on(seed: int) -> None:
    """A history says since when all of it is known, and holds what its records say."""
    _, facts, _ = world(seed)
    standing = reference.standing(facts)
    for history in resolve.persons(Pool(facts).facts.values()):
        parts = [part for record in history.records for part in standing[record]]
        assert history.known == max(part.known for part in parts)
        assert set(history.identifiers) == {text for part in parts for text in part.identifiers}
        reported = {part.uuid: part for part in parts if part.kind == "arrival"}
        arrivals = {part.handle.hex(): part for part in sorted(reported.values(), key=lambda part: part.system)}
        reports = [one for stay in history.stays for one in stay.reports or (arrivals[stay.id].uuid,)]
        assert sorted(reports) == sorted(reported)
        for stay in history.stays:
            assert (stay.since, stay.zone) == (arrivals[stay.id].start, arrivals[stay.id].zone)
            of = [reported[one].body.get("class_of_admission") for one in stay.reports or (arrivals[stay.id].uuid,)]
            assert stay.admitted_as == next(filter(None, of), None)
            assert stay.id == reported[stay.reports[0]].handle.hex() if stay.reports else True
        assert history.person == min((_first_known(facts, part), part.handle) for part in parts)[1].hex()


def _first_known(facts: Iterable[Fact], part: Fact) -> int:
    return min(one.known for one in facts if one.record == part.record and one.system == part.system)


ALL: tuple[Law, ...] = (
    order_and_duplicates,
    copies,
    batches,
    known_at,
    cutoffs,
    identity,
    taken_back,
    strangers_in_a_pool,
    pure_status,
    time_lines,
    admissions,
    rests_on,
)
