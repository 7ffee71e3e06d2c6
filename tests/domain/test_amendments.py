"""Amendments: what a message that says less leaves out stands as the record said it, in whatever order both come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest

from schemas.codec import encode
from schemas.events import AnyEvent, Departure, Evidence, Name, Operation, Revision, Subject
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment
from services.domain import records, resolve
from services.domain.facts import Fact, fact_of
from services.domain.records import active

AT = datetime(2025, 6, 1, 22, tzinfo=UTC)
KNOWN = datetime(2025, 6, 2, tzinfo=UTC)
PASSPORT = Identifier.of(Scheme.PASSPORT, "QX0000001", "GBR")
VISA = Identifier.of(Scheme.VISA, "K1234567")
BOOKING = Identifier.of(Scheme.BOOKING, "QQ11ZZ", "ZQ")
REFERENCE = Identifier.of(Scheme.CASE, "ZQ0101-250601-R77", "ZQ")
OTTO = Subject(
    names=(Name(family="QUIMBY", given="OTTO"),),
    birth="1955-02-03",
    sex="M",
    citizenship=("GBR",),
    identifiers=(PASSPORT, VISA, BOOKING),
)
BY_REFERENCE = Subject(identifiers=(BOOKING, REFERENCE))


def version(
    number: int,
    subject: Subject,
    operation: Operation = Operation.ASSERT,
    evidence: Evidence = Evidence.MANIFEST,
    *,
    part: str = "JFK-LHR",
    record: str = "ZQ0101 20250601 JFK ABO/R77",
) -> Fact:
    """A departure as one message of a carrier tells it."""
    mark = digest(f"{number}".encode())
    event: AnyEvent = Departure(
        id=event_id("APIS", record, part, number, mark, 1),
        operation=operation,
        system="APIS",
        record=record,
        part=part,
        place=f"message {number}",
        revision=Revision(number=number, digest=mark),
        mapping_version=1,
        batch="queue",
        published_at=KNOWN + timedelta(minutes=number),
        occurred_at=Moment.instant(AT, "America/New_York"),
        subject=subject,
        port="JFK",
        evidence=evidence,
    )
    return fact_of(encode(event))


MANIFEST = version(1, OTTO)
CLOSED = version(2, BY_REFERENCE, Operation.AMEND, Evidence.MANIFEST_CLOSED)
LEFT_BEHIND = version(3, BY_REFERENCE, Operation.RETRACT)
ABOARD = version(4, BY_REFERENCE, Operation.AMEND, Evidence.MANIFEST_CLOSED)


def standing(*facts: Fact, known_at: int | None = None) -> list[Fact]:
    """The parts of the one record, the same in every order of its facts."""
    results = [active(order, known_at) for order in permutations(facts)]
    assert all(each == results[0] for each in results)
    return next(iter(results[0][0].values()), [])


def test_a_close_out_by_reference_keeps_the_person_and_lifts_the_evidence() -> None:
    (fact,) = standing(MANIFEST, CLOSED)
    assert fact.claim == MANIFEST.claim
    assert fact.body["evidence"] == "manifest_closed"
    assert fact.id == CLOSED.id
    (person,) = resolve.persons([CLOSED, MANIFEST])
    assert person.names == (("QUIMBY", "OTTO"),)
    assert PASSPORT.text in person.identifiers


def test_who_is_named_by_reference_only_is_a_person_by_it_until_the_manifest_comes() -> None:
    other = version(
        2, Subject(identifiers=(BOOKING, Identifier.of(Scheme.CASE, "ZQ0101-250601-R78", "ZQ"))), record="R78"
    )
    assert len(resolve.persons([CLOSED, other])) == 2  # one booking, two travellers
    assert standing(CLOSED)[0].claim == CLOSED.claim
    assert standing(MANIFEST, CLOSED, known_at=CLOSED.known) == standing(MANIFEST, CLOSED)


def test_what_was_known_when() -> None:
    assert standing(MANIFEST, CLOSED, known_at=MANIFEST.known)[0].body["evidence"] == "manifest"


def test_left_behind_by_reference_takes_the_departure_back_and_aboard_asserts_it_again() -> None:
    assert standing(MANIFEST, CLOSED, LEFT_BEHIND) == []
    (fact,) = standing(MANIFEST, CLOSED, LEFT_BEHIND, ABOARD)
    assert (fact.claim, fact.body["evidence"]) == (MANIFEST.claim, "manifest_closed")


def test_an_amendment_below_a_whole_version_or_a_retraction_changes_nothing() -> None:
    late = version(5, OTTO)
    assert standing(MANIFEST, CLOSED, late) == [late]
    assert standing(CLOSED, LEFT_BEHIND) == []


@pytest.mark.parametrize(
    ("amendment", "field", "value"),
    [
        (Subject(names=(Name(family="QUIMBY", given="OTTO HENRY"),)), "names", (("QUIMBY", "OTTO HENRY"),)),
        (Subject(birth="1955-03-02", identifiers=(REFERENCE,)), "birth", "1955-03-02"),
        (Subject(sex="X", identifiers=(REFERENCE,)), "sex", "X"),
        (Subject(citizenship=("IRL",), identifiers=(REFERENCE,)), "citizenship", ("IRL",)),
        (
            Subject(identifiers=(Identifier.of(Scheme.PASSPORT, "QX0000002", "GBR"),)),
            "identifiers",
            ("passport/GBR/QX0000002", "visa/DOS/K1234567"),
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_correction_of_one_field_changes_that_field(amendment: Subject, field: str, value: object) -> None:
    (fact,) = standing(MANIFEST, version(2, amendment, Operation.AMEND))
    held, new = MANIFEST.claim, fact.claim
    assert held is not None
    assert new is not None
    assert getattr(new, field) == value
    others = {"names", "birth", "sex", "citizenship", "identifiers"} - {field}
    assert all(getattr(new, name) == getattr(held, name) for name in others)
    assert BOOKING.text in fact.numbers


def test_a_correction_does_not_lower_the_evidence() -> None:
    name = Subject(names=(Name(family="QUIMBY", given="OTTO HENRY"),))
    (fact,) = standing(MANIFEST, CLOSED, version(3, name, Operation.AMEND))
    assert fact.body["evidence"] == "manifest_closed"
    assert fact.claim is not None
    assert fact.claim.names == (("QUIMBY", "OTTO HENRY"),)


def test_papers_that_come_later_take_the_place_of_the_booking() -> None:
    first = version(1, OTTO.model_copy(update={"identifiers": (BOOKING,)}))
    (fact,) = standing(first, version(2, Subject(identifiers=(PASSPORT,)), Operation.AMEND))
    assert fact.claim is not None
    assert fact.claim.identifiers == (PASSPORT.text,)
    assert fact.numbers == (BOOKING.text,)


def test_legs_that_an_amendment_does_not_name_stand_with_the_new_claim() -> None:
    onward = version(1, OTTO, part="LHR-JFK")
    one = version(1, OTTO)
    name = Subject(names=(Name(family="QUIMBY", given="OTTO HENRY"),))
    parts = standing(one, onward, version(2, name, Operation.AMEND, Evidence.MANIFEST_CLOSED))
    assert [(fact.part, fact.body["evidence"]) for fact in parts] == [
        ("JFK-LHR", "manifest_closed"),
        ("LHR-JFK", "manifest"),
    ]
    assert len({fact.claim for fact in parts}) == 1


def test_a_corrected_record_is_compared_by_what_was_told_alone() -> None:
    """Its pool was found by the claims as they came; a claim that only both together make brings in nobody else."""
    first = version(1, Subject(names=(Name(family="QUIMBY", given="OTTO"),), birth="1955-02-03"))
    second = version(2, Subject(names=(Name(family="ABERNATHY", given="ZELDA"),)), Operation.AMEND)
    twin = version(1, Subject(names=(Name(family="ABERNATHY", given="ZELDA"),), birth="1955-02-03"), record="another")
    assert len(resolve.persons([first, second, twin])) == 2
    assert len(resolve.persons([version(1, twin_subject()), twin])) == 1


def twin_subject() -> Subject:
    """Who would be joined by name and date of birth if one message told both."""
    return Subject(names=(Name(family="ABERNATHY", given="ZELDA"),), birth="1955-02-03")


def test_the_order_of_random_versions_is_no_matter() -> None:
    rng = Random(7)
    for _ in range(60):
        facts = [
            version(
                number,
                rng.choice((OTTO, BY_REFERENCE)),
                rng.choice(list(Operation)),
                rng.choice((Evidence.MANIFEST, Evidence.MANIFEST_CLOSED)),
            )
            for number in range(1, 6)
        ]
        first = active(facts)
        for _ in range(5):
            rng.shuffle(facts)
            assert active(facts) == first


def test_a_planted_bug_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were an amendment taken for the whole of a record, its person would be gone."""
    monkeypatch.setattr(records, "_corrected", lambda held, amendment, numbers: amendment)
    with pytest.raises(AssertionError):
        test_a_close_out_by_reference_keeps_the_person_and_lifts_the_evidence()
