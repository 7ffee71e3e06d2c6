"""Derived ids. The examples are pinned: another algorithm would make every event of the past a stranger."""

from __future__ import annotations

from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import texts

from schemas.ids import digest, event_id, handle, uuid5_text

INPUTS = st.tuples(texts(4), texts(4), texts(4, 0), st.integers(0, 2**63 - 1), texts(4, 0), st.integers(1, 2**31 - 1))


@pytest.mark.law(3, "known inputs, known ids")
@pytest.mark.parametrize(
    ("inputs", "identity"),
    [
        (("I94", "123456789A1", "arrival", 20261124, "00112233445566ff", 1), "e90e6e85-ed2e-5925-a98f-8bed27810a24"),
        (("CLAIMS3", "EAC2612345678", "", 0, "ffffffffffffffff", 3), "7cc5f20e-7355-5c83-a59e-c2b1a899618f"),
        (
            ("SEVIS", "N0001234567/Ü", "status", 2**63 - 1, "0000000000000000", 2**31 - 1),
            "4c0cca59-8fd9-592b-a0a5-6a4d725e1175",
        ),
    ],
)
def test_event_ids_never_change(inputs: tuple[str, str, str, int, str, int], identity: str) -> None:
    assert event_id(*inputs) == UUID(identity)
    assert event_id(*inputs).version == 5


def test_digests_and_handles_never_change() -> None:
    assert digest(b"") == "e4a6a0577479b2b4"
    assert digest(b"I94|123456789A1") == "0f8c8b754b34cfd9"
    assert handle("I94", "123456789A1").hex() == "c3a98e43463f7da6794a8020eed6b032"
    assert handle("CLAIMS3", "Ü").hex() == "48c6c7a570b2069ccb1bedc24fb29f82"


@pytest.mark.law(3, "and no two inputs alike")
@given(one=INPUTS, other=INPUTS)
def test_distinct_inputs_have_distinct_ids(
    one: tuple[str, str, str, int, str, int], other: tuple[str, str, str, int, str, int]
) -> None:
    assert (event_id(*one) == event_id(*other)) == (one == other)


@given(one=st.tuples(texts(6), texts(6)), other=st.tuples(texts(6), texts(6)))
def test_distinct_records_have_distinct_handles(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (handle(*one) == handle(*other)) == (one == other)


@given(text=st.text("0123456789:ab", min_size=2, max_size=8), data=st.data())
def test_a_boundary_moved_is_another_input(text: str, data: st.DataObject) -> None:
    """Where the parts are cut counts, also among digits and colons, which the lengths are written with."""
    one, other = (data.draw(st.integers(0, len(text))) for _ in range(2))
    ids = [event_id(text[:cut], text[cut:], "", 1, "", 1) for cut in (one, other)]
    handles = [handle(text[:cut], text[cut:]) for cut in (one, other)]
    assert (ids[0] == ids[1]) == (handles[0] == handles[1]) == (one == other)


@given(name=st.text(max_size=80), namespace=st.uuids())
def test_ids_are_version_5_of_the_standard(namespace: UUID, name: str) -> None:
    assert uuid5_text(namespace, name) == str(uuid5(namespace, name))
