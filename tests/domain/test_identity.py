"""What joins two claims and what keeps them apart, one reason at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from domain import reference
from populations import START, World, make

from schemas import codec
from schemas.events import AnyEvent, Departure, Evidence, Name, Subject
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment
from services.domain import blocks, caps, identity, resolve
from services.domain.facts import Fact, fact_of
from services.domain.pools import Pool

RECEIPT = Identifier.of(Scheme.RECEIPT, "EAC0000000001")
OTHER = Identifier.of(Scheme.RECEIPT, "EAC0000000002")
PASSPORT = Identifier.of(Scheme.PASSPORT, "P7654321", "GBR")
I94 = Identifier.of(Scheme.I94, "300000001A1")


def said(
    record: str,
    *identifiers: Identifier,
    family: str = "",
    given: str = "",
    birth: str | None = None,
    sex: str | None = None,
    citizenship: tuple[str, ...] = ("GBR",),
    day: int = 0,
    part: str = "",
) -> AnyEvent:
    """A record that says this of a person."""
    names = (Name(family=family, given=given),) if family or given else ()
    return make(
        Departure,
        World(1),
        record=record,
        part=part,
        known=START + timedelta(day),
        occurred_at=Moment.instant(START),
        subject=Subject(names=names, birth=birth, sex=sex, citizenship=citizenship, identifiers=identifiers),
        evidence=Evidence.BOOKING,
    )


def facts_of(events: Sequence[AnyEvent]) -> list[Fact]:
    """What correlation reads."""
    return [fact_of(codec.encode(event)) for event in events]


def groups(events: Sequence[AnyEvent]) -> set[frozenset[str]]:
    """The records of each person; the second implementation must say the same."""
    facts = facts_of(events)
    result = resolve.persons(Pool(facts).facts.values())
    assert {frozenset(one.records) for one in result} == reference.persons(facts)
    return {frozenset(name for _, name in one.records) for one in result}


def one(*events: AnyEvent) -> bool:
    """Whether these are one person's."""
    return len(groups(events)) == 1


ANA = {"family": "SMITH", "given": "ANA", "birth": "1980-02-03"}


HELD_BY_ONE = {
    Scheme.FIN: ("1234", "1235"),
    Scheme.FBI: ("12345AB6", "12345AB7"),
    Scheme.A_NUMBER: ("A099000117", "A099000118"),
    Scheme.I94: ("123456789A1", "123456789A2"),
    Scheme.SEVIS: ("N0099000117", "N0099000118"),
    Scheme.SUBJECT: ("77001", "77002"),
    Scheme.RECEIPT: ("IOE9099000117", "IOE9099000118"),
    Scheme.VISA_APPLICATION: ("AA00ZZ01QX", "AA00ZZ01QY"),
    Scheme.CARD: ("SRC9099000117", "SRC9099000118"),
    Scheme.ESTA: ("2026030112345678", "2026030112345679"),
}
"""By scheme two numbers."""


@pytest.mark.parametrize("scheme", HELD_BY_ONE)
def test_numbers_of_one_holder_join(scheme: Scheme) -> None:
    """Whatever else the two say, as long as it is no contradiction: given names and birth are both others'."""
    assert set(HELD_BY_ONE) == identity.ONE_HOLDER
    mine, others = (Identifier.of(scheme, number, "EID") for number in HELD_BY_ONE[scheme])
    stranger = {"family": "JONES", "given": "BO", "birth": "1999-09-09"}
    for alike in ({"birth": "1980-02-03"}, {"birth": "1980-02-13"}, {"birth": None}, {"given": "ANNA"}, {"given": ""}):
        bo = stranger | alike
        assert one(said("a", mine, **ANA), said("b", mine, **bo)), bo
        assert not one(said("a", mine, **ANA), said("b", others, **bo)), bo
    # a number is mistyped, fingerprints are not
    assert one(said("a", mine, **ANA), said("b", mine, **stranger)) == (scheme is Scheme.FIN)


@pytest.mark.parametrize(("scheme", "issuer"), [(Scheme.BOOKING, "BA"), (Scheme.CASE, "ICM")])
def test_numbers_of_several_people_join_nobody(scheme: Scheme, issuer: str) -> None:
    """A booking is a family's, an investigation has several subjects."""
    shared = Identifier.of(scheme, "QX7RTA", issuer)
    assert not one(said("a", shared, **ANA), said("b", shared, family="JONES", given="BO", birth="1999-09-09"))


def test_numbers_of_a_stay_or_case_are_no_part_of_the_claim() -> None:
    """Or one person would make a claim with each; where nothing else identifies the person they are."""
    for scheme in (Scheme.CASE, Scheme.SUBJECT, Scheme.ESTA, Scheme.VISA_APPLICATION):
        number = Identifier.of(scheme, HELD_BY_ONE.get(scheme, ("HSI-001",))[0], "EID")
        beside, alone = facts_of([said("a", PASSPORT, number, **ANA), said("b", number, **ANA)])
        assert beside.claim is not None
        assert alone.claim is not None
        assert number.text not in beside.claim.identifiers
        assert alone.claim.identifiers == (number.text,)


def test_the_record_of_a_mistyped_number_stays_with_its_own() -> None:
    """His departure has her number by one digit: he keeps it, she is not he; a record with nothing else is nobody's."""
    hers = said("a", I94, **ANA, sex="F")
    bo = {"family": "JONES", "given": "BO", "birth": "1999-09-09", "sex": "F", "citizenship": ("FRA",)}
    his, leaving = said("b", RECEIPT, PASSPORT, **bo, day=1), said("c", I94, PASSPORT, **bo, day=2)
    assert groups([hers, his, leaving]) == {frozenset("a"), frozenset("bc")}
    partly = said("c", I94, PASSPORT, **bo | {"birth": "1999-09"}, day=2)
    assert groups([hers, partly]) == {frozenset("a"), frozenset("c")}
    bare = said("d", I94, citizenship=(), day=3)
    assert groups([hers, bare]) == {frozenset("ad")}
    assert groups([hers, his, leaving, bare]) == {frozenset("a"), frozenset("bc"), frozenset("d")}


def test_a_document_joins_where_the_date_of_birth_agrees() -> None:
    """Or where one says none, a name that has something in common, or no name at all; never two given names.

    The wrong passport is scanned of twins and couples.
    """
    ana = said("a", PASSPORT, **ANA)
    assert one(ana, said("b", PASSPORT, family="JONES", given="ANNA", birth="1980-02-03"))
    assert one(ana, said("b", PASSPORT, family="JONES", given="", birth="1980-02-03"))
    assert not one(ana, said("b", PASSPORT, family="JONES", given="BO", birth="1980-02-03"))
    assert not one(ana, said("b", PASSPORT, family="SMITH", given="BO", birth="1980-02-03"))
    # a parent and a child of one name
    assert not one(ana, said("b", PASSPORT, family="SMITH", given="ANA", birth="2010-02-03"))
    assert one(ana, said("b", PASSPORT, family="SMITH", given="ANA", birth="1981-02-03"))
    assert one(ana, said("b", PASSPORT, family="SMITH", given="ANA", birth="1980-02-04"))  # one digit off
    assert not one(ana, said("b", PASSPORT, family="JONES", given="ANA", birth="1980-02-04"))
    assert not one(ana, said("b", PASSPORT, family="SMITH", given="ANA", birth="1991-11-14"))
    assert one(ana, said("b", PASSPORT, family="JONES", given="ANA"))
    assert one(ana, said("b", PASSPORT))
    assert not one(ana, said("b", PASSPORT, family="JONES", given="BO"))
    assert not one(said("a", PASSPORT, family="FNU", given="SMITH"), said("b", PASSPORT, family="JONES", given="FNU"))


def test_a_number_alone_does_not_join_its_two_holders() -> None:
    """Of a passport that is told of two people, it is nobody's, and never a bridge between those whom it parts.

    Where the two are one by what they say themselves, it is theirs.
    """
    ana, bare = said("a", PASSPORT, **ANA), said("c", PASSPORT, citizenship=())
    bo = {"family": "JONES", "given": "BO", "birth": "1999-09-09"}
    assert groups([ana, bare, said("b", PASSPORT, **bo)]) == {frozenset("a"), frozenset("b"), frozenset("c")}
    for other in ({**bo, "birth": "1980-02-13", "given": "ANNA"}, {**bo, "given": "ANA"}, {**bo, "given": ""}):
        records = [ana, bare, said("b", PASSPORT, **other)]
        assert groups(records) == {frozenset("a"), frozenset("b"), frozenset("c")}, other
    for same in ({**bo, "birth": "1980-02-03", "given": "ANNA"}, {**ANA, "birth": "1980-02-04"}, {"birth": "1980"}):
        assert one(ana, bare, said("b", PASSPORT, **same)), same
    assert not one(ana, bare, said("b", PASSPORT, **bo | {"birth": "1980-02-03"}))


def test_names_join() -> None:
    """Names in any order and spelling with the date of birth and citizenship; not the sex against the other."""
    ana = said("a", RECEIPT, **ANA, sex="F")
    assert one(ana, said("b", OTHER, family="ana", given="Smith", birth="1980-02-03", sex="F"))
    assert one(ana, said("b", OTHER, family="ANA-SMITH", given="FNU", birth="1980-02-03"))
    assert one(ana, said("b", OTHER, **ANA, sex="X"))
    assert not one(ana, said("b", OTHER, **ANA, sex="M"))
    assert not one(ana, said("b", OTHER, **ANA, citizenship=("DEU",)))
    assert not one(ana, said("b", OTHER, family="SMITH", given="ANA", birth="1980-02"))
    for said_too_little in ({"family": "SMITH", "birth": "1980-02-03"}, {"family": "SMITH", "given": "ANA"}):
        assert not one(said("a", RECEIPT, **said_too_little), said("b", OTHER, **said_too_little))
    stateless = {**ANA, "citizenship": ()}
    assert one(said("a", RECEIPT, **stateless), said("b", OTHER, **stateless))


@pytest.mark.parametrize("scheme", [Scheme.A_NUMBER, Scheme.FIN])
def test_two_numbers_for_life_are_two_people(scheme: Scheme) -> None:
    """Under one receipt and one name."""
    values = ("A00000001", "A00000002") if scheme is Scheme.A_NUMBER else ("1000000001", "1000000002")
    mine, theirs = (Identifier.of(scheme, value) for value in values)
    assert not one(said("a", RECEIPT, mine, **ANA), said("b", RECEIPT, theirs, **ANA))
    assert one(said("a", RECEIPT, mine, **ANA), said("b", RECEIPT, **ANA))


def test_sex_and_birth_both_different() -> None:
    """Either alone may be a slip; both are somebody else."""
    ana = said("a", RECEIPT, **ANA, sex="F")
    assert one(ana, said("b", RECEIPT, family="JONES", birth="1980-02-03", sex="M"))
    assert one(ana, said("b", RECEIPT, family="JONES", birth="1991-01-01", sex="F"))
    assert one(ana, said("b", RECEIPT, family="JONES", birth="1991", sex="M"))
    assert one(ana, said("b", RECEIPT, family="JONES", birth="1991-01-01", sex="X"))
    assert not one(ana, said("b", RECEIPT, family="JONES", birth="1991-01-01", sex="M"))


def test_the_stronger_join_goes_first() -> None:
    """A record that fits two who exclude each other goes to the one it shares more with."""
    numbers = [Identifier.of(Scheme.A_NUMBER, f"A0000000{digit}") for digit in (1, 2)]
    visa = Identifier.of(Scheme.SEVIS, "N0000000001")
    records = [
        said("a", numbers[0], visa, family="SMITH", given="ANA", birth="1980-02-03"),
        said("b", numbers[1], RECEIPT, family="JONES", given="ANA", birth="1980-02-03"),
        said("c", visa, RECEIPT, family="BROWN", given="ANA", birth="1980-02-03"),
    ]
    assert groups(records) == {frozenset("ac"), frozenset("b")}


def test_of_a_key_that_many_share_the_senior_are_compared() -> None:
    """The first 64 by the moment of knowing are one, later ones are nobody's; in any order."""
    records = [said(f"r{index}", RECEIPT, family=f"NAME{index}", day=index) for index in range(70)]
    senior = frozenset(f"r{index}" for index in range(64))
    for seed in range(3):
        Random(seed).shuffle(records)
        assert groups(records) == {senior, *(frozenset({f"r{index}"}) for index in range(64, 70))}
    late = said("new", RECEIPT, family="EARLY", day=-1)
    evicted = groups([*records, late])
    assert frozenset({"r63"}) in evicted
    assert (senior - {"r63"}) | {"new"} in evicted


def test_the_first_part_speaks_for_its_record() -> None:
    """A record of several parts is about one person, whom its first part names."""
    revision = {"family": "SMITH", "given": "ANA"}
    parts = [said("a", RECEIPT, part=part, **revision, birth=f"1980-02-0{part}") for part in "12345"]
    # one version of one record: the parts share its revision
    parts = [part.model_copy(update={"revision": parts[0].revision}) for part in parts]
    friend = said("b", OTHER, **revision, birth="1980-02-01")
    stranger = said("c", Identifier.of(Scheme.RECEIPT, "EAC0000000003"), **revision, birth="1980-02-02")
    for seed in range(4):
        mixed = [*parts, friend, stranger]
        Random(seed).shuffle(mixed)
        assert groups(mixed) == {frozenset("ab"), frozenset("c")}
    assert len(resolve.persons(facts_of(parts))[0].births) == 5


def test_numbers_of_stays_join_claims_that_leave_them_out() -> None:
    """A receipt beside a passport is no part of the claim, and joins all the same."""
    other_passport = Identifier.of(Scheme.PASSPORT, "P1111111", "GBR")
    assert one(said("a", PASSPORT, RECEIPT, **ANA), said("b", other_passport, RECEIPT, family="JONES", given="BO"))
    assert not one(said("a", PASSPORT, RECEIPT, **ANA), said("b", other_passport, OTHER, family="JONES", given="BO"))


def test_keys_find_all_that_may_be_joined() -> None:
    """Whatever two records can be joined by, they share a key or a block: else their pools would never meet."""
    for left, right in (
        (said("a", RECEIPT, **ANA), said("b", RECEIPT, family="JONES")),
        (said("a", PASSPORT, RECEIPT, **ANA), said("b", PASSPORT, OTHER, **ANA)),
        (said("a", RECEIPT, **ANA), said("b", RECEIPT, **ANA)),
    ):
        mine, theirs = facts_of([left, right])
        assert set(identity.keys_of(mine)) & set(identity.keys_of(theirs))
    mine, theirs = facts_of([said("a", RECEIPT, **ANA), said("b", OTHER, **ANA)])
    assert mine.claim is not None
    assert theirs.claim is not None
    assert blocks.blocks_of(mine.claim) == blocks.blocks_of(theirs.claim)
    assert all(blocks.blocks_of(mine.claim))


def test_numbers_that_systems_give_to_one_person() -> None:
    """A SEVIS ID and a FIN join by themselves; one person may have several SEVIS IDs, and several FINs once merged."""
    sevis, other = (Identifier.of(Scheme.SEVIS, f"N000000000{which}") for which in (1, 2))
    fin, former = (Identifier.of(Scheme.FIN, f"100000000{which}") for which in (1, 2))
    message = said("A", sevis, PASSPORT, **ANA)
    assert one(message, said("B", sevis))
    assert one(message, said("B", sevis, family="SMYTH", given="ANNA", birth="1981-01-01", sex="F"))
    assert not one(message, said("B", other))
    assert one(message, said("B", other, PASSPORT, **ANA), said("C", other))
    assert one(said("A", fin, PASSPORT, **ANA), said("B", fin))
    apart = (said("A", fin, PASSPORT, **ANA), said("B", former, PASSPORT, **ANA))
    assert not one(*apart)
    assert one(*apart, said("C", fin, former))


def test_encounters_without_a_name() -> None:
    """A number alone is a subject: it finds its holder, and without one it stands alone."""
    fin = Identifier.of(Scheme.FIN, "1000000001")
    assert one(said("A", fin, PASSPORT, **ANA), said("B", fin), said("C", PASSPORT))
    assert groups([said("A", PASSPORT, **ANA), said("B", fin)]) == {frozenset("A"), frozenset("B")}


def test_a_number_counts_for_the_claim_that_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a record's parts say different things of its subject: else a late holder would part people in the past."""
    monkeypatch.setattr(caps, "CAP", 2)
    first = said("A", Identifier.of(Scheme.SEVIS, "N0000000001"), OTHER, day=6)
    second = said("A", Identifier.of(Scheme.A_NUMBER, "A00000002"), RECEIPT, day=4, part="b")
    message = facts_of(
        [
            first,
            second.model_copy(update={"revision": first.revision}),
            said("B", PASSPORT, RECEIPT, day=4),
            said("C", Identifier.of(Scheme.VISA, "V0000001"), RECEIPT, day=11),
        ]
    )
    known_at = message[0].known
    whole = caps.caps_of(message, caps.NO_CUTOFFS)
    assert whole is not None
    then = [one.records for one in resolve.persons([fact for fact in message if fact.known <= known_at])]
    assert [one.records for one in resolve.persons(message, known_at, whole.cutoffs)] == then
    assert len(then) == 2
