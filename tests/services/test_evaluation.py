"""The comparison sees what is wrong: every planted mistake, and nothing in a view without one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.ids import handle
from schemas.outcomes import Outcome
from services.domain.history import History, Interval, Stay, canonical
from services.evaluation import Comparison, Pairs, compare
from services.simulator import TruePerson, Truth, simulate


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return simulate(tmp_path_factory.mktemp("simulation") / "run", persons=200, seed=2)


def perfect(person: TruePerson) -> History:
    """The history that a correlator without fault would have."""
    stays = []
    for true in person.stays:
        interval = Interval(true.since, true.outcome, "a reason", "a-rule", "a citation", ())
        stays.append(
            Stay(
                id=handle("I94", true.record).hex(),
                since=true.since,
                zone="UTC",
                port=None,
                mode=None,
                admitted_as=None,
                admission_class=true.admission_class,
                authorised_until=true.authorised_until,
                departed=None,
                i94=(),
                handling=(),
                timeline=(interval,),
            )
        )
    records = tuple((each.system, each.record) for each in person.records)
    return History(records[0][1], records, (), (), (), (), (), (), tuple(stays), (), 0)


def merged(one: History, other: History) -> History:
    return replace(one, records=one.records + other.records, stays=one.stays + other.stays)


async def judged(truth: Truth, histories: Iterable[History]) -> Comparison:
    async def stream() -> AsyncIterator[bytes]:
        for history in histories:
            yield canonical(history)

    return await compare(truth, stream(), {})


async def test_a_view_without_fault(truth: Truth) -> None:
    found = await judged(truth, [perfect(person) for person in truth.persons()])
    assert found.sound
    assert found.accuracy == 1
    assert found.exact == found.stays == truth.counts["stays"]
    assert found.wrong == ()
    assert found.merged == 0
    body = found.as_json(200)
    assert body["identity"] == {
        "precision": 1,
        "recall": 1,
        "hard": {"precision": 1, "recall": 1},
        "wrong_merges_per_100k": 0,
    }
    assert body["report"]["closes"]
    assert body["status"]["real_world"] < 1  # what nobody recorded, nobody can know


async def test_a_wrong_outcome_is_caught_and_explained(truth: Truth) -> None:
    histories = [perfect(person) for person in truth.persons()]
    stay = histories[7].stays[0]
    wrong = replace(stay.timeline[0], outcome=Outcome.UNDETERMINED.value)
    histories[7] = replace(histories[7], stays=(replace(stay, timeline=(wrong,)), *histories[7].stays[1:]))
    found = await judged(truth, histories)
    assert found.accuracy == pytest.approx(1 - 1 / found.stays)
    assert not found.sound
    (only,) = found.wrong
    assert only.said is not None
    assert (only.said.outcome, only.said.rule) == ("UNDETERMINED", "a-rule")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stay: replace(stay, timeline=(replace(stay.timeline[0], since=stay.timeline[0].since - 1),)),
        lambda stay: replace(stay, authorised_until="1999-12-31"),
        lambda stay: replace(stay, admission_class="F1"),
    ],
)
async def test_wrong_dates_and_classes_are_told(truth: Truth, spoil: Callable[[Stay], Stay]) -> None:
    histories = [perfect(person) for person in truth.persons()]
    at = next(index for index, each in enumerate(histories) if each.stays[0].admission_class)
    histories[at] = replace(histories[at], stays=(spoil(histories[at].stays[0]), *histories[at].stays[1:]))
    found = await judged(truth, histories)
    assert (found.right, found.exact) == (found.stays, found.stays - 1)
    assert not found.sound
    assert len(found.wrong) == 1


async def test_an_outcome_holds_since_its_unbroken_time_began(truth: Truth) -> None:
    histories = [perfect(person) for person in truth.persons()]
    at = next(index for index, each in enumerate(histories) if each.stays[0].timeline[0].outcome == "IN_STATUS")
    stay = histories[at].stays[0]
    (piece,) = stay.timeline
    for first, right in ((piece, True), (replace(piece, outcome="IN_GRACE"), False)):
        timeline = (first, replace(piece, since=piece.since + 60))
        changed = replace(histories[at], stays=(replace(stay, timeline=timeline), *histories[at].stays[1:]))
        found = await judged(truth, [*histories[:at], changed, *histories[at + 1 :]])
        assert found.sound == right


async def test_a_wrong_merge_lowers_precision_alone(truth: Truth) -> None:
    histories = [perfect(person) for person in truth.persons()]
    found = await judged(truth, [merged(histories[0], histories[1]), *histories[2:]])
    across = len(histories[0].records) * len(histories[1].records)
    assert found.identity.found - found.identity.right == across
    assert found.identity.recall == 1
    assert found.hard.found - found.hard.right == across
    assert found.merged == 1
    assert found.as_json(200)["identity"]["wrong_merges_per_100k"] == 500


async def test_a_split_lowers_recall_alone(truth: Truth) -> None:
    histories = [perfect(person) for person in truth.persons()]
    at = next(index for index, each in enumerate(histories) if len(each.records) > 2)
    whole = histories[at]
    first = replace(whole, records=whole.records[:1], stays=())
    rest = replace(whole, records=whole.records[1:])
    found = await judged(truth, [*histories[:at], first, rest, *histories[at + 1 :]])
    assert found.identity.precision == 1
    assert found.identity.true - found.identity.right == len(whole.records) - 1
    assert found.persons == 201


async def test_lost_records_and_stays_that_never_were(truth: Truth) -> None:
    histories = [perfect(person) for person in truth.persons()]
    ghost = replace(histories[0].stays[0], id="00" * 16)
    spoilt = [replace(histories[0], stays=(*histories[0].stays, ghost)), *histories[1:-1]]
    found = await judged(truth, spoilt)
    assert found.strangers == 1
    assert found.missing == len(histories[-1].records)
    assert found.right == found.stays - len(histories[-1].stays)
    assert not found.sound
    assert found.wrong[-1].said is None


async def test_admissions_do_not_close_when_a_class_is_left_out(truth: Truth) -> None:
    histories = [perfect(person) for person in truth.persons()]
    at = next(index for index, each in enumerate(histories) if each.stays[0].timeline[0].outcome != "NOT_ADMITTED")
    histories[at] = replace(histories[at], stays=histories[at].stays[1:])
    found = await judged(truth, histories)
    assert not found.closes


def test_pairs_without_any_have_no_share() -> None:
    assert Pairs(0, 0, 0).as_json() == {"precision": None, "recall": None}


async def test_pairs_are_those_that_counting_one_by_one_gives(truth: Truth, tmp_path: Path) -> None:
    persons = list(truth.persons())
    histories = [perfect(person) for person in persons]
    view = [merged(histories[0], histories[1]), *histories[2:]]
    found = await judged(truth, view)
    owner = {(each.system, each.record): person.number for person in persons for each in person.records}
    told = {(each.system, each.record): each.identifiers for person in persons for each in person.records}
    pairs = {(one, other) for history in view for one in history.records for other in history.records if one < other}
    right = {pair for pair in pairs if owner[pair[0]] == owner[pair[1]]}
    hard = {pair for pair in pairs if told[pair[0]].isdisjoint(told[pair[1]])}
    assert (found.identity.found, found.identity.right) == (len(pairs), len(right))
    assert (found.hard.found, found.hard.right) == (len(hard), len(hard & right))
