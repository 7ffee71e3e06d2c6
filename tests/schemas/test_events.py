"""The models at the door: closed, frozen, and strict where the law of the field is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import KINDS, events

from schemas.codec import Undecodable, decode, encode
from schemas.events import AnyEvent, Coverage, Decision, Handling, Kind, Name, RecordRef, Revision, Subject

ENVELOPE: dict[str, Any] = {
    "id": "00000000-0000-5000-8000-000000000001",
    "system": "I94",
    "record": "r",
    "place": "line 1",
    "revision": Revision(number=1, digest="0" * 16),
    "mapping_version": 1,
    "batch": "b",
    "published_at": datetime(2026, 1, 1, tzinfo=UTC),
}
ONE, OTHER = RecordRef(system="I94", record="1"), RecordRef(system="I94", record="2")


def test_every_kind_has_a_strategy() -> None:
    assert list(KINDS) == list(Kind)


@settings(max_examples=60, deadline=None)
@given(event=events, name=st.sampled_from(["note", "Kind", "id ", "known_at", "zone"]), data=st.data())
def test_an_unknown_field_is_refused_at_any_depth(event: AnyEvent, name: str, data: st.DataObject) -> None:
    body = orjson.loads(encode(event))
    inner = [value for value in body.values() if isinstance(value, dict) and name not in value]
    data.draw(st.sampled_from([body, *inner]))[name] = "x"
    with pytest.raises(Undecodable, match="Extra inputs"):
        decode(orjson.dumps(body))


@settings(max_examples=30, deadline=None)
@given(event=events)
def test_events_are_frozen(event: AnyEvent) -> None:
    for name in type(event).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(event, name, None)
    hash(event)


@pytest.mark.parametrize("birth", ["1980-02-29", "1980-02", "1980", "0001"])
def test_dates_of_birth_may_be_partial(birth: str) -> None:
    assert Subject(names=(Name(family="X"),), birth=birth).birth == birth


@pytest.mark.parametrize(
    "birth",
    [
        "1981-02-29",
        "1980-13",
        "1980-00",
        "1980-00-00",
        "80",
        "1980-2-3",
        "19800203",
        "0000",
        "1980-02-03T00",
        "١٩٨٠",
        "",
    ],
)
def test_other_dates_of_birth_are_refused(birth: str) -> None:
    with pytest.raises(ValidationError):
        Subject(names=(Name(family="X"),), birth=birth)


def test_nobody_is_no_subject() -> None:
    with pytest.raises(ValidationError, match="name or an identifier"):
        Subject(birth="1980", citizenship=("DEU",))
    with pytest.raises(ValidationError, match="family name or a given name"):
        Name()


def test_germans_are_germans() -> None:
    spelt = ("D", "d<<", " DEU ")
    assert Subject(names=(Name(family="X"),), citizenship=spelt).citizenship == ("DEU",) * 3
    with pytest.raises(ValidationError, match="ICAO 9303"):
        Subject(names=(Name(family="X"),), citizenship=("GER",))


@pytest.mark.parametrize(
    ("number", "digest"), [(-1, "0" * 16), (2**63, "0" * 16), (1, "0" * 15), (1, "0" * 17), (1, "A" * 16)]
)
def test_revisions_have_bounds(number: int, digest: str) -> None:
    with pytest.raises(ValidationError):
        Revision(number=number, digest=digest)


@pytest.mark.parametrize("system", ["", "i94", "I 94", "A" * 13, "-I94", "I94\n"])
def test_codes_have_a_form(system: str) -> None:
    with pytest.raises(ValidationError):
        RecordRef(system=system, record="1")


def test_instants_of_the_envelope_need_their_offset() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValidationError, match="timezone"):
        Decision(**ENVELOPE | {"published_at": naive}, one=ONE, other=OTHER, same=True, by="a", why="b")


def test_coverage_runs_forwards() -> None:
    since, through = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValidationError, match="backwards"):
        Coverage(**ENVELOPE, scope="departure:air", since=since, through=through)
    assert Coverage(**ENVELOPE, scope="departure", since=since, through=since).through == since


@pytest.mark.parametrize("scope", ["", "departures", "departure:", "departure:AIR", "coverage", "arrival:air:jfk"])
def test_scopes_are_of_a_kind(scope: str) -> None:
    with pytest.raises(ValidationError):
        Coverage(
            **ENVELOPE, scope=scope, since=datetime(2026, 1, 1, tzinfo=UTC), through=datetime(2026, 1, 1, tzinfo=UTC)
        )


def test_a_decision_is_about_two_records() -> None:
    with pytest.raises(ValidationError, match="two records"):
        Decision(**ENVELOPE, one=ONE, other=ONE, same=True, by="a", why="b")


def test_the_marks_of_the_law() -> None:
    assert set(Handling) == {"asylum", "protected", "tps"}
