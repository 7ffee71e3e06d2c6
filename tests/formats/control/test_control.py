"""Control totals: what a trailer says is compared with what was read, whatever kind of file it is."""

from __future__ import annotations

from decimal import Decimal

from adapters.formats.control import Control, Totals, number

CONTROLS = (
    Control("COUNT"),
    Control("ARRIVALS", where=("KIND", "A")),
    Control("AMOUNT", of="FEE"),
    Control("HASH", of="KEY", modulo=100),
)
RIGHT = {"COUNT": 3, "ARRIVALS": 2, "AMOUNT": Decimal("12.50"), "HASH": 26, "NUMBER": 7}


def filled(*details: dict[str, object]) -> Totals:
    totals = Totals(CONTROLS, same=("SEQUENCE", "NUMBER"))
    for detail in details:
        totals.add(detail)
    return totals


def three(last: object = 13) -> Totals:
    return filled(
        {"KIND": "A", "FEE": Decimal("10.25"), "KEY": 99},
        {"KIND": "A", "FEE": Decimal("2.25"), "KEY": 14},
        {"KIND": "B", "FEE": 0, "KEY": last},
    )


def test_totals_that_agree_say_nothing() -> None:
    assert list(three().disagreements({"SEQUENCE": 7}, RIGHT)) == []


def test_a_delimited_file_tells_its_numbers_as_text() -> None:
    totals = filled(
        {"KIND": "A", "FEE": "10.25", "KEY": "099"},
        {"KIND": "A", "FEE": " 2.25", "KEY": "14"},
        {"KIND": "B", "FEE": "0", "KEY": "13"},
    )
    trailer = {"COUNT": "0003", "ARRIVALS": "2", "AMOUNT": "12.5", "HASH": "26", "NUMBER": "7"}
    assert list(totals.disagreements({"SEQUENCE": "7"}, trailer)) == []


def test_each_total_that_differs_is_told_with_both_numbers() -> None:
    said = RIGHT | {"COUNT": 4, "ARRIVALS": 1, "AMOUNT": Decimal("12.51"), "HASH": 27, "NUMBER": 8}
    assert list(three().disagreements({"SEQUENCE": 7}, said, behind=2)) == [
        "NUMBER is 8, SEQUENCE of the header is 7",
        "2 records behind the trailer",
        "the trailer says COUNT 4, the file has 3",
        "the trailer says ARRIVALS 1, the file has 2",
        "the trailer says AMOUNT 12.51, the file has 12.50",
        "the trailer says HASH 27, the file has 26",
    ]


def test_a_total_agrees_not_by_chance_where_a_record_could_not_be_read() -> None:
    message = RIGHT | {"HASH": 13}  # as if the record that cannot be read had added nothing
    assert list(three(None).disagreements({"SEQUENCE": 7}, message)) == [
        "HASH cannot be compared: KEY of some records cannot be read"
    ]


def test_a_total_that_is_missing_or_no_number_does_not_agree() -> None:
    for said in (None, "", "three", "٣", "3.", [3]):
        assert "COUNT" in next(three().disagreements({"SEQUENCE": 7}, RIGHT | {"COUNT": said}))


def test_numbers_are_read_from_text_and_from_nothing_else() -> None:
    assert (number("-007"), number("1.50"), number(3)) == (-7, Decimal("1.50"), 3)
    assert [number(value) for value in ("", " ", "1e3", "½", None, b"3", 1.5)] == [None] * 7
