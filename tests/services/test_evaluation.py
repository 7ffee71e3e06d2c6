"""The comparison sees what is wrong: every planted mistake, and nothing in a view without one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from typer.testing import CliRunner

from schemas.ids import handle
from schemas.outcomes import Outcome
from services.cli import app
from services.cli.context import Refusal
from services.cli.evaluate import Asked, evaluated, unread
from services.cli.population import sources_of
from services.domain.accounting import Report
from services.domain.coverage import complete
from services.domain.facts import Claim, Fact
from services.domain.history import History, Interval, Stay, canonical
from services.domain.resolve import persons as resolved
from services.evaluation import Claims, Comparison, Pairs, compare, pairs_of, splink_baseline
from services.simulator import CLEAN, Noise, TruePerson, Truth, simulate
from services.simulator.source import Feeds
from services.simulator.systems.i94.source import I94


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return simulate(tmp_path_factory.mktemp("simulation") / "run", persons=200, seed=2)


def true_history(person: TruePerson) -> History:
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


def fact(system: str, record: str, texts: Iterable[str], **fields: Any) -> Fact:
    """A record that says nothing but these identifiers."""
    claim = Claim((), "", "", (), tuple(sorted(texts)))
    parts: dict[str, Any] = {"kind": "status", "body": {"fact": "encounter"}, "start": 0, "day": 1, "number": 1}
    parts |= {"retract": False, "claim": claim, "numbers": ()} | fields
    return Fact(
        id=handle(system, f"{record} {parts['number']}"),
        system=system,
        record=record,
        part="",
        digest="",
        mapping=1,
        known=0,
        copy="",
        whole_day=False,
        zone="UTC",
        origin=None,
        handling=(),
        **parts,
    )


def pool(person: TruePerson) -> list[Fact]:
    """What the person's records say, as far as identity and the sums of the report go."""
    stays = {("I94", stay.record): stay for stay in person.stays}
    result = []
    for each in person.records:
        stay, parts = stays.get((each.system, each.record)), {}
        if stay is not None:
            day = datetime.fromtimestamp(stay.since, UTC).toordinal()
            inspection = "refused" if stay.outcome == "NOT_ADMITTED" else "admitted"
            parts = {"kind": "arrival", "start": stay.since, "day": day, "body": {"inspection": inspection}}
        result.append(fact(each.system, each.record, each.identifiers, **parts))
    return result


def merged(one: History, other: History) -> History:
    return replace(one, records=one.records + other.records, stays=one.stays + other.stays)


async def judged(
    truth: Truth, histories: Iterable[History], pools: Iterable[Iterable[Fact]] | None = None
) -> Comparison:
    async def stream() -> AsyncIterator[bytes]:
        for history in histories:
            yield canonical(history)

    async def facts() -> AsyncIterator[Iterable[Fact]]:
        for each in map(pool, truth.persons()) if pools is None else pools:
            yield each

    return await compare(truth, stream(), facts(), complete([]))


def claims_of(person: TruePerson) -> list[frozenset[str]]:
    """The distinct claims: in `pool` they differ by identifiers alone."""
    return sorted({each.identifiers for each in person.records}, key=sorted)


@pytest.mark.law(6, "the comparison with the truth")
async def test_a_view_without_fault(truth: Truth) -> None:
    result = await judged(truth, [true_history(person) for person in truth.persons()])
    assert result.sound
    assert result.accuracy == 1
    assert result.exact == result.stays == truth.counts["stays"]
    assert result.wrong == ()
    assert result.merged == 0
    body = result.as_json(200)
    assert body["identity"] == {
        "precision": 1,
        "recall": 1,
        "hard": {"precision": 1, "recall": 1},
        "wrong_merges_per_100k": 0,
    }
    assert body["report"]["closes"]
    assert body["status"]["real_world"] < 1  # what nobody recorded, nobody can know


@pytest.mark.law(4, planted="a wrong outcome in the view")
async def test_a_wrong_outcome_is_caught_and_explained(truth: Truth) -> None:
    histories = [true_history(person) for person in truth.persons()]
    stay = histories[7].stays[0]
    wrong = replace(stay.timeline[0], outcome=Outcome.UNDETERMINED.value)
    histories[7] = replace(histories[7], stays=(replace(stay, timeline=(wrong,)), *histories[7].stays[1:]))
    result = await judged(truth, histories)
    assert result.accuracy == pytest.approx(1 - 1 / result.stays)
    assert not result.sound
    (only,) = result.wrong
    assert only.viewed is not None
    assert (only.viewed.outcome, only.viewed.rule) == ("UNDETERMINED", "a-rule")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stay: replace(stay, timeline=(replace(stay.timeline[0], since=stay.timeline[0].since - 1),)),
        lambda stay: replace(stay, authorised_until="1999-12-31"),
        lambda stay: replace(stay, admission_class="F1"),
    ],
)
async def test_wrong_dates_and_classes_are_told(truth: Truth, spoil: Callable[[Stay], Stay]) -> None:
    histories = [true_history(person) for person in truth.persons()]
    at = next(index for index, each in enumerate(histories) if each.stays[0].admission_class)
    histories[at] = replace(histories[at], stays=(spoil(histories[at].stays[0]), *histories[at].stays[1:]))
    result = await judged(truth, histories)
    assert (result.right, result.exact) == (result.stays, result.stays - 1)
    assert not result.sound
    assert len(result.wrong) == 1


async def test_an_outcome_holds_since_its_unbroken_time_began(truth: Truth) -> None:
    histories = [true_history(person) for person in truth.persons()]
    at = next(index for index, each in enumerate(histories) if each.stays[0].timeline[0].outcome == "IN_STATUS")
    stay = histories[at].stays[0]
    (piece,) = stay.timeline
    for first, right in ((piece, True), (replace(piece, outcome="IN_GRACE"), False)):
        timeline = (first, replace(piece, since=piece.since + 60))
        changed = replace(histories[at], stays=(replace(stay, timeline=timeline), *histories[at].stays[1:]))
        result = await judged(truth, [*histories[:at], changed, *histories[at + 1 :]])
        assert result.sound == right


async def test_a_wrong_merge_lowers_precision_alone(truth: Truth) -> None:
    histories = [true_history(person) for person in truth.persons()]
    result = await judged(truth, [merged(histories[0], histories[1]), *histories[2:]])
    one, other, *_ = map(claims_of, truth.persons())
    across = len(one) * len(other)
    assert result.identity.joined - result.identity.right == across
    assert result.identity.recall == 1
    assert result.hard.joined - result.hard.right == across
    assert result.merged == 1
    assert result.as_json(200)["identity"]["wrong_merges_per_100k"] == 500
    assert not result.mistakes


async def test_a_split_lowers_recall_alone(truth: Truth) -> None:
    histories = [true_history(person) for person in truth.persons()]
    persons = list(truth.persons())
    # a person whose first record makes a claim that none of the others makes
    at = next(
        index
        for index, each in enumerate(persons)
        if len(each.records) > 2 and all(other.identifiers != each.records[0].identifiers for other in each.records[1:])
    )
    whole = histories[at]
    first = replace(whole, records=whole.records[:1], stays=())
    rest = replace(whole, records=whole.records[1:])
    result = await judged(truth, [*histories[:at], first, rest, *histories[at + 1 :]])
    assert result.identity.precision == 1
    assert result.identity.true - result.identity.right == len(claims_of(persons[at])) - 1
    assert result.persons == 201


@pytest.mark.law(6, planted="records lost, stays that never were")
async def test_lost_records_and_stays_that_never_were(truth: Truth) -> None:
    histories = [true_history(person) for person in truth.persons()]
    ghost = replace(histories[0].stays[0], id="00" * 16)
    spoilt = [replace(histories[0], stays=(*histories[0].stays, ghost)), *histories[1:-1]]
    result = await judged(truth, spoilt)
    assert result.strangers == 1
    assert result.missing == len(histories[-1].records)
    assert result.right == result.stays - len(histories[-1].stays)
    assert not result.sound
    assert result.wrong[-1].viewed is None


@pytest.mark.law(6, planted="an outcome class left out")
async def test_admissions_do_not_close_when_a_class_is_left_out(truth: Truth) -> None:
    histories = [true_history(person) for person in truth.persons()]
    at = next(index for index, each in enumerate(histories) if each.stays[0].timeline[0].outcome != "NOT_ADMITTED")
    histories[at] = replace(histories[at], stays=histories[at].stays[1:])
    result = await judged(truth, histories)
    assert not result.closes


def test_pairs_without_any_have_no_share() -> None:
    assert Pairs(0, 0, 0).as_json() == {"precision": None, "recall": None}


async def test_pairs_are_those_that_counting_one_by_one_gives(truth: Truth) -> None:
    persons = list(truth.persons())
    histories = [true_history(person) for person in persons]
    view = [merged(histories[0], histories[1]), *histories[2:]]
    result = await judged(truth, view)
    claims = [(person.number, identifiers) for person in persons for identifiers in claims_of(person)]
    homes = [persons[0].number if owner == persons[1].number else owner for owner, _ in claims]
    pairs = [(one, other) for one, other in combinations(range(len(claims)), 2) if homes[one] == homes[other]]
    right = [pair for pair in pairs if claims[pair[0]][0] == claims[pair[1]][0]]
    hard = [pair for pair in pairs if claims[pair[0]][1].isdisjoint(claims[pair[1]][1])]
    assert (result.identity.joined, result.identity.right) == (len(pairs), len(right))
    assert (result.hard.joined, result.hard.right) == (len(hard), len(set(hard) & set(right)))


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.sets(st.sampled_from("abcd"), max_size=3)),
        max_size=14,
    )
)
def test_pairs_of_any_claims_are_those_counted_one_by_one(drawn: list[tuple[int, int, set[str]]]) -> None:
    claims = Claims()
    for owner, home, texts in drawn:
        claims.add(owner, home, Claim((), "", "", (), tuple(sorted(texts))), texts)
    pairs = list(combinations(drawn, 2))

    def counted(pairs: list[Any]) -> Pairs:
        true = [pair for pair in pairs if pair[0][0] == pair[1][0]]
        result = [pair for pair in pairs if pair[0][1] == pair[1][1]]
        right = [pair for pair in true if pair[0][1] == pair[1][1]]
        return Pairs(len(true), len(result), len(right))

    hard = [pair for pair in pairs if pair[0][2].isdisjoint(pair[1][2])]
    assert pairs_of(claims, claims.homes) == (counted(pairs), counted(hard))


# --- with mistakes in the records ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return simulate(tmp_path_factory.mktemp("noisy") / "run", persons=200, seed=2, noise=Noise())


def admissions(person: TruePerson) -> list[Fact]:
    """The person's records, with arrivals from which nobody has left by any of them."""
    result = []
    arrivals = {stay.record: stay for stay in person.stays}
    for each in person.records:
        stay = arrivals.get(each.record) if each.system == "I94" else None
        fields: dict[str, Any] = {}
        if stay is not None:
            start = 1_700_000_000 + 10_000_000 * person.stays.index(stay)
            parts = {"class_of_admission": "B2", "admitted_until": "2024-01-01", "inspection": "admitted"}
            fields = {"kind": "arrival", "body": parts, "start": start, "day": 738_000 + person.stays.index(stay)}
        result.append(fact(each.system, each.record, each.identifiers, **fields))
    return result


async def test_the_truth_of_a_status_is_what_a_perfect_matcher_says(noisy: Truth) -> None:
    pools = [admissions(person) for person in noisy.persons()]
    # each pool resolved by itself may fall apart; the perfect view does not
    histories = []
    for number, facts in enumerate(pools):
        claim = Claim((), "", "", (), (f"fin/OBIM/{1_000_000_000 + number}",))
        one, *rest = resolved([replace(each, claim=claim) for each in facts])
        assert not rest
        histories.append(one)
    result = await judged(noisy, histories, pools)
    assert result.noisy
    assert result.accuracy == result.exact / result.stays == 1
    assert result.identity.precision == result.identity.recall == 1
    assert set(result.mistakes) == set(noisy.counts["noise"]["injected"])
    assert not any(each["errors"] for each in result.mistakes.values())
    # a person in several pools is put together before anything is said
    torn = [part for facts in pools for part in (facts[:1], facts[1:])]
    again = await judged(noisy, histories, torn)
    assert again.exact == again.stays


async def test_a_mistake_that_leads_to_a_split_is_counted_under_its_kind(noisy: Truth) -> None:
    persons = list(noisy.persons())
    histories = [true_history(person) for person in persons]
    at, lost = next(
        (index, each)
        for index, person in enumerate(persons)
        for each in person.records
        if "transliterated" in each.noise and len(person.records) > 2 and not person.noise
    )
    whole = await judged(noisy, histories, map(pool, persons))
    record = (lost.system, lost.record)
    rest = tuple(each for each in histories[at].records if each != record)
    alone = replace(histories[at], records=(record,), stays=())
    histories[at] = replace(histories[at], records=rest)
    result = await judged(noisy, [*histories, alone], map(pool, persons))
    assert result.mistakes["transliterated"]["errors"] == whole.mistakes["transliterated"]["errors"] + 1
    assert result.mistakes["twins"] == whole.mistakes["twins"]
    assert result.identity.precision == 1


async def test_with_mistakes_a_wrong_stay_is_counted_and_a_lost_record_fails(noisy: Truth) -> None:
    persons = list(noisy.persons())
    histories = [true_history(person) for person in persons]
    result = await judged(noisy, histories, map(pool, persons))
    assert result.sound
    lost = await judged(noisy, histories[1:], map(pool, persons[1:]))
    assert not lost.sound


# --- Splink ----------------------------------------------------------------------------------------------------------


def test_splink_gets_what_the_claim_says() -> None:
    claim = Claim((("SMITH", "FNU"),), "1980-02", "F", ("GBR", "USA"), ("passport/GBR/1",))
    texts = ("i94//2", "passport/GBR/1", "passport/GBR/3")
    schemes = splink_baseline.schemes_of([(claim, texts), (claim, ("visa/DOS/4",))])
    assert splink_baseline.row(3, claim, texts, schemes) == {
        "unique_id": 3,
        "family": "SMITH",
        "given": None,
        "birth": None,
        "sex": "F",
        "citizenship": "GBR",
        "of_i94": ["i94//2"],
        "of_passport": ["passport/GBR/1", "passport/GBR/3"],
        "of_visa": None,
    }
    nothing = splink_baseline.row(0, Claim((), "", "", (), ()), (), schemes)
    assert {name for name, value in nothing.items() if value is not None} == {"unique_id"}


def test_splink_is_judged_by_its_own_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = Claims(keep=True)
    for owner in (1, 1, 2):
        claims.add(owner, owner, Claim((), "", "", (), ()), ())
    monkeypatch.setattr(splink_baseline, "clusters", lambda claims: [7, 7, 7])
    assert splink_baseline.judged(claims) == {
        "precision": 1 / 3,
        "recall": 1,
        "hard": {"precision": 1 / 3, "recall": 1},
    }


@pytest.mark.law(6, planted="an account that does not close")
@pytest.mark.slow
@pytest.mark.usefixtures("logs")
def test_sums_that_do_not_close_end_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the command: the account forgets one stay, while every status is as right as before."""
    arguments = ["evaluate", "--persons", "30", "--seed", "4", "--noise", "1", "--json"]
    whole = CliRunner().invoke(app, arguments)
    assert (whole.exit_code, json.loads(whole.stdout)["report"]["closes"]) == (0, True), whole.output
    forgotten: list[str] = []

    def add(report: Report, history: History, plain: Callable[[Report, History], None] = Report.add) -> None:
        if not forgotten and any(stay.timeline[0].outcome != "NOT_ADMITTED" for stay in history.stays):
            forgotten.append(history.stays[0].id)
        plain(report, replace(history, stays=tuple(one for one in history.stays if one.id not in forgotten)))

    monkeypatch.setattr(Report, "add", add)
    short = CliRunner().invoke(app, arguments)
    assert len(forgotten) == 1
    assert (short.exit_code, json.loads(short.stdout)["report"]["closes"]) == (1, False), short.output
    assert json.loads(short.stdout)["status"] == json.loads(whole.stdout)["status"]


class Unfinished(I94):
    """I-94 with one more nightly file, which is still being written."""

    def feeds(self, place: Path) -> Feeds:
        """Begin the file of a night behind all others."""
        last = sorted(place.iterdir())[-1]
        (place / "I94.D20991231.S009999").write_bytes(last.read_bytes()[:250])
        return super().feeds(place)


@pytest.mark.slow
@pytest.mark.usefixtures("logs")
async def test_a_feed_that_is_not_read_to_its_end_is_an_error(tmp_path: Path) -> None:
    asked = Asked(20, 1, CLEAN, {**sources_of("I94,CLAIMS3"), "I94": Unfinished()})
    with pytest.raises(Refusal, match=r"I94\.nightly was not read to its end: I94\.D20991231"):
        await evaluated(tmp_path, asked, None, None)


def test_records_that_cannot_be_read_come_with_the_commands_that_tell_why() -> None:
    line = unread("APIS.files", 3)
    assert line.startswith("APIS.files: 3 records cannot be read; to see why: visabus simulate ")
    feed = line.partition("visabus decode ")[2].split()
    assert feed[:4] == ["APIS", "--feed", "files", "--refused"]
