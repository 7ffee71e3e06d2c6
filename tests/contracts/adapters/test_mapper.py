"""The mapper: the digest is of what was read, an optional value costs itself, no date lies behind its own record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adapters.converters import birth, code, day, digits_day, instant, symbol, whole
from adapters.core import BadRecord, Changed, Closing, Filtered, Gone, Header, Lost, Mapped, Origin, Record, Unreadable
from adapters.fields import Fields
from adapters.mapper import Mapper, Number, Person, Says, Vouches
from schemas.events import AnyEvent, Coverage, Departure, Handling, Operation, Status
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment

ORIGIN = Origin("TOY", "lines", "a batch", 1)
MADE = "2025-03-14T22:00:00Z"
GOOD: dict[str, Any] = {
    "key": "K1",
    "version": 7,
    "day": "2025-03-14",
    "made": MADE,
    "carrier": "IB",
    "name": "GARCIA",
    "birth": "1987-05-23",
    "passport": {"number": "PAA123456", "state": "ESP"},
    "ignored": "x",
}
PERSON = Person("name", birth="birth", numbers=(Number(Scheme.PASSPORT, "passport/number", issuer="passport/state"),))


def says(said: Fields) -> Iterator[Says]:
    """A departure, and beside it a status."""
    fields = {"occurred_at": Moment.whole_day(said.need("day", day)), "subject": PERSON.of(said)}
    yield Says(Departure, fields | {"evidence": "manifest", "carrier": said.optional("carrier", symbol)})
    yield Says(Status, fields | {"fact": "encounter"}, part="status")


MAPPER = Mapper(
    key=lambda said: str(said["key"]),
    version=lambda record: whole(record.fields.get("version"), "version"),
    recorded=lambda said: said.present("made", instant),
    retracted=lambda said: said.get("action") == "D",
    skips=lambda said: "left.out" if said.get("kind") == "Z" else None,
    says=says,
)


def mapped(mapper: Mapper = MAPPER, **changes: Any) -> Mapped:
    """What the mapper makes of the record with other values; None takes one away."""
    fields = {name: value for name, value in (GOOD | changes).items() if value is not None}
    result = mapper(Record("line 1", b"raw", fields), ORIGIN)
    assert isinstance(result, Mapped)
    return result


def events(mapper: Mapper = MAPPER, **changes: Any) -> list[AnyEvent]:
    return list(mapped(mapper, **changes).events)


def refused(mapper: Mapper = MAPPER, **changes: Any) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        mapped(mapper, **changes)
    return caught.value


def test_the_events_of_a_record_share_envelope_and_revision() -> None:
    one, two = events()
    assert (one.record, one.place, one.batch, one.revision.number) == ("K1", "line 1", "a batch", 7)
    assert (one.revision, one.recorded_at, one.operation) == (two.revision, two.recorded_at, Operation.ASSERT)
    assert (one.part, two.part) == ("", "status")
    assert one.id != two.id


def test_the_digest_is_of_what_was_read_and_of_nothing_else() -> None:
    whole_one = events()[0]
    assert events(ignored="y")[0] == whole_one
    assert events(ignored=Unreadable("cannot be read"))[0] == whole_one
    others = [events(carrier="BA"), events(name="LOPEZ"), events(made="2025-03-14T22:00:01Z"), events(action="D")]
    digests = {each[0].revision.digest for each in others} | {whole_one.revision.digest}
    assert len(digests) == 5
    inner = events(passport={"number": "PAA123457", "state": "ESP"})[0]
    assert inner.revision.digest != whole_one.revision.digest, "a group inside"


def test_a_digest_that_forgets_what_was_read_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: a group inside is read, and not remembered."""
    from adapters import fields as module

    monkeypatch.setattr(module, "_seen_of", lambda value: None)
    with pytest.raises(AssertionError, match="a group inside"):
        test_the_digest_is_of_what_was_read_and_of_nothing_else()


def test_a_field_that_cannot_be_read_fails_the_record_when_it_is_asked_for() -> None:
    bad = refused(day=Unreadable("DAY at byte 4: no character"))
    assert (bad.reason, bad.record, bad.place, bad.raw) == ("DAY at byte 4: no character", "K1", "line 1", b"raw")
    assert refused(day=None).reason == "day is absent"
    assert refused(key=None).record is None


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"carrier": "I B"}, Lost("carrier", "carrier 'I B' is no code of capital letters and digits")),
        ({"carrier": Unreadable("CARRIER at byte 9")}, Lost("carrier", "CARRIER at byte 9")),
        ({"birth": "1987-13"}, Lost("birth", "birth is no date")),
        ({"birth": "2031"}, Lost("birth", "a birth in 2031, after its record was made")),
        (
            {"passport": {"number": "PAA123456"}},
            Lost("passport/number", "passport/number: a passport needs its issuer"),
        ),
    ],
)
def test_an_optional_value_that_is_wrong_costs_itself(changes: dict[str, Any], lost: Lost) -> None:
    result = mapped(**changes)
    assert lost in result.lost
    assert len(result.events) == 2


def test_a_person_of_whom_nothing_is_left_is_refused() -> None:
    assert refused(name=None, passport={"number": "PAA123456"}).reason == "a subject has a name or an identifier"


def test_what_lies_behind_its_own_record_is_refused() -> None:
    assert refused(day="2036-03-14").reason == "it happened on 2036-03-14, after its record was made on 2025-03-15"
    assert events(day="2025-03-15"), "the clocks and days of two places"
    assert events(replace(MAPPER, future=None), day="2036-03-14")
    assert events(replace(MAPPER, future=timedelta(days=30)), day="2025-04-10")
    assert events(day="2036-03-14", made=None), "nothing to compare it with"


def test_what_is_left_out_and_taken_back() -> None:
    result = MAPPER(Record("line 1", b"raw", GOOD | {"kind": "Z", "day": "nonsense"}), ORIGIN)
    assert result == Filtered("left.out", "K1")
    assert {event.operation for event in events(action="D")} == {Operation.RETRACT}


def test_a_row_that_is_gone_is_taken_back_whatever_is_wrong_with_it() -> None:
    """Its last version may have been refused; what an earlier one said must not stand for that."""
    for fields, parts in ((GOOD, ["", "status"]), ({"key": "K1", "version": 7, "day": "2025-02-30"}, ["gone"])):
        result = MAPPER(Gone("gone since extract 7", b"{}", fields), ORIGIN)
        assert isinstance(result, Mapped)
        assert [(event.part, event.operation) for event in result.events] == [(part, "retract") for part in parts]
        assert {(event.record, event.revision.number) for event in result.events} == {("K1", 7)}
    own = replace(MAPPER, gone=lambda said: Filtered("nothing.said"))
    assert own(Gone("gone", b"{}", {"key": "K1", "version": 7}), ORIGIN) == Filtered("nothing.said")


def test_a_row_that_changed_into_one_that_is_left_out_is_taken_back() -> None:
    left_out = GOOD | {"kind": "Z"}
    assert MAPPER(Record("line 1", b"raw", left_out), ORIGIN) == Filtered("left.out", "K1")
    for mapper in (MAPPER, replace(MAPPER, gone=says), replace(MAPPER, gone=lambda said: Filtered("left.out"))):
        result = mapper(Changed("line 1", b"raw", left_out), ORIGIN)
        assert isinstance(result, Mapped)
        assert {event.operation for event in result.events} == {Operation.RETRACT}
    (event, _) = mapped().events
    changed = MAPPER(Changed("line 1", b"raw", GOOD), ORIGIN)
    assert isinstance(changed, Mapped)
    assert changed.events[0] == event


def test_marks_of_confidentiality() -> None:
    marked = replace(MAPPER, handling=lambda said: (Handling.ASYLUM,) if said.get("asylum") else ())
    assert {event.handling for event in events(marked, asylum="Y") if not isinstance(event, Coverage)} == {
        (Handling.ASYLUM,)
    }
    assert {event.handling for event in events(marked) if not isinstance(event, Coverage)} == {()}


def test_only_a_closing_vouches() -> None:
    at = datetime(2025, 3, 15, tzinfo=UTC)
    whole_day = Vouches("file 1", 9, "departure", at, at + timedelta(days=1), at + timedelta(days=1))
    vouching = replace(MAPPER, vouches=lambda closing: (whole_day,))
    assert vouching(Header("line 1", b"", {}), ORIGIN) == Mapped()
    result = vouching(Closing("the end", b"", {}), ORIGIN)
    assert isinstance(result, Mapped)
    (event,) = result.events
    assert isinstance(event, Coverage)
    assert (event.record, event.revision.number, event.through) == ("file 1", 9, at + timedelta(days=1))
    too_early = whole_day._replace(recorded=at - timedelta(days=3))
    early = replace(MAPPER, vouches=lambda closing: (too_early,))
    message = early(Closing("the end", b"", {}), ORIGIN)
    assert isinstance(message, Mapped)
    assert [each.name for each in message.lost] == ["coverage"], "what was to come is told"


def test_a_moment_without_its_zone_is_refused() -> None:
    naive = replace(MAPPER, recorded=lambda said: datetime(2025, 3, 14))  # noqa: DTZ001  # what is tried
    assert "without its zone" in refused(naive).reason


def test_fields_of_several_values_and_groups() -> None:
    fields = Fields({"codes": ["1987", "x", None], "rows": [{"a": 1}, {"a": 2}], "blank": "", "many": 2**80})
    assert fields.several("codes", ["1987", "x", None], birth) == ["1987"]
    assert fields.lost == [Lost("codes", "codes is no date")]
    assert [row["a"] for row in fields.groups("rows")] == [1, 2]
    assert (fields.text("blank"), fields.group("blank"), fields.groups("nothing")) == (None, None, [])
    assert fields["many"] == 2**80
    assert len(fields.digest()) == 16, "numbers that JSON of 64 bits does not have"
    with pytest.raises(ValueError, match="many is no text"):
        fields.text("many")


@pytest.mark.parametrize(
    ("convert", "value", "why"),
    [
        (code({"A": 1}), "B", "X: 'B' is in no code table"),
        (code({"A": 1}), [], "is in no code table"),
        (day, "2025-02-30", "is no date"),
        (day, 7, "is no date"),
        (instant, "2025-03-14T22:00:00", "is no moment"),
        (whole, True, "is no number from 1"),
        (symbol, "é", "is no code"),
    ],
)
def test_a_value_that_means_nothing_names_its_field(convert: Any, value: Any, why: str) -> None:
    with pytest.raises(ValueError, match="X") as caught:
        convert(value, "X")
    assert why in str(caught.value)


def test_values_that_mean_something() -> None:
    assert code({"A": 1})("A", "X") == 1
    assert day("2025-03-14", "X") == date(2025, 3, 14)
    assert instant("2025-03-14T18:00:00-04:00", "X") == datetime(2025, 3, 14, 22, tzinfo=UTC)


def test_a_name_that_is_no_text_costs_itself_and_is_not_quoted() -> None:
    result = mapped(name=["GARCIA"])
    assert [event.subject.names for event in result.events if isinstance(event, Departure)] == [()]
    assert result.lost == (Lost("name", "name is no text"),)


@pytest.mark.parametrize("word", ["(b)(6)", "(b)(3) (b)(6) (b)(7)(c)", "b(6), b(7)c", "b(6), b(7)C", "B(6)", "null"])
def test_what_stands_for_a_name_that_was_withheld_is_no_name(word: str) -> None:
    """The agencies' releases write it in place of a value: all whose names are withheld would have one name."""
    result = mapped(name=word)
    assert [event.subject.names for event in result.events if isinstance(event, Departure)] == [()]
    assert Lost("name", "name is withheld, and no name") in result.lost


@pytest.mark.parametrize("name", ["B", "BB", "NULL", "Null", "NNADI", "B(ROWN)", "BO (6)", "(BETTY)"])
def test_a_name_that_resembles_such_a_word_is_one(name: str) -> None:
    (first, _) = events(name=name)
    assert isinstance(first, Departure)
    assert first.subject.names[0].family == name


def test_a_name_that_cannot_be_read_costs_itself_and_makes_no_other_one_of_what_is_left() -> None:
    both = Person("name", ("given",), numbers=(Number(Scheme.PASSPORT, "passport/number", issued_by="ESP"),))
    named = replace(MAPPER, says=lambda said: [Says(Status, _met(said) | {"subject": both.of(said)})])
    result = mapped(named, name=Unreadable("NAME at byte 4: c1 d9"), given="MARIA")
    (event,) = result.events
    assert isinstance(event, Status)
    assert event.subject.names == ()
    assert result.lost == (Lost("name", "name cannot be read"),)


def test_a_value_that_makes_an_event_of_its_own_costs_that_and_what_stood_stands() -> None:
    def several(said: Fields) -> Iterator[Says]:
        yield Says(Status, _met(said) | {"subject": PERSON.of(said)})
        if said.optional("ended", day, event=True) is not None:
            yield Says(Status, _met(said) | {"subject": PERSON.of(said)}, part="ended")

    mapper = replace(MAPPER, says=several)
    assert [(each.part, each.operation) for each in events(mapper, ended="2025-03-15")] == [
        ("", Operation.ASSERT),
        ("ended", Operation.ASSERT),
    ]
    result = mapped(mapper, ended="soon")
    assert [(each.part, each.operation) for each in result.events] == [("", Operation.AMEND)]
    assert result.lost == (Lost("ended", "ended 'soon' is no date", event=True),)
    assert [each.operation for each in events(mapper, ended="soon", action="D")] == [Operation.RETRACT]


def test_a_record_of_which_a_wrong_value_leaves_nothing_is_refused_and_left_out_by_no_rule() -> None:
    def one(said: Fields) -> Iterable[Says] | Filtered:
        ended = said.optional("ended", day, event=True)
        return Filtered("no-step") if ended is None else [Says(Status, _met(said) | {"subject": PERSON.of(said)})]

    mapper = replace(MAPPER, says=one)
    assert refused(mapper, ended="soon").reason == "ended 'soon' is no date"
    assert mapper(Record("line 1", b"raw", GOOD), ORIGIN) == Filtered("no-step", "K1")


def test_a_reason_does_not_quote_an_identifier() -> None:
    passport = Number(Scheme.PASSPORT, "passport/number", issued_by="ESP", needed=True)
    one = Person(numbers=(passport,))
    needed = replace(MAPPER, says=lambda said: [Says(Status, _met(said) | {"subject": one.of(said)})])
    spelled = replace(MAPPER, key=lambda said: Identifier.spelled(Scheme.I94, said["passport"]["number"])["value"])
    for mapper in (needed, spelled):
        assert "GARCIA" not in refused(mapper, passport={"number": "PAA 12 GARCIA?"}).reason


def _met(said: Fields) -> dict[str, Any]:
    return {"occurred_at": Moment.whole_day(said.need("day", day)), "fact": "encounter"}


@pytest.mark.parametrize(
    ("more", "marks"),
    [
        ({"class_of_admission": "U1"}, [Handling.PROTECTED]),
        ({"class_of_admission": "AS6"}, [Handling.ASYLUM]),
        ({"class_of_admission": "B2"}, []),
        ({"reason": "granted asylum, then a T visa"}, [Handling.ASYLUM, Handling.PROTECTED]),
        ({"reason": "Temporary Protected Status"}, [Handling.TPS]),
        ({"reason": "visa B2 at MAD"}, []),
    ],
)
def test_classes_and_words_that_betray_what_is_confidential_mark_a_record(
    more: dict[str, str], marks: list[Handling]
) -> None:
    mapper = replace(MAPPER, says=lambda said: [Says(Status, _met(said) | more | {"subject": PERSON.of(said)})])
    assert [list(event.handling) for event in events(mapper)] == [marks]


def test_a_record_that_a_rule_leaves_out_takes_back_what_it_said_before() -> None:
    mapper = replace(MAPPER, taken_back=lambda said: says(said) if said["version"] > 1 else ())
    assert {event.operation for event in events(mapper, kind="Z")} == {Operation.RETRACT}
    assert mapper(Record("line 1", b"raw", GOOD | {"kind": "Z", "version": 1}), ORIGIN) == Filtered("left.out", "K1")
    assert {event.operation for event in events(mapper)} == {Operation.ASSERT}


def test_a_number_of_zeros_alone_is_none() -> None:
    result = mapped(passport={"number": "000000000", "state": "ESP"})
    assert not [
        number for event in result.events if isinstance(event, Departure) for number in event.subject.identifiers
    ]
    assert result.lost == (Lost("passport/number", "passport/number: is not a passport: it has zeros alone"),)


@pytest.mark.parametrize("digits", [20241301, 4_964_002_147_483_648, 10**30])
def test_a_day_of_digits_that_are_no_date_is_refused(digits: int) -> None:
    with pytest.raises(ValueError, match=r"DAY \d+ is no date"):
        digits_day(digits, "DAY")
