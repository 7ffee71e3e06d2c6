"""What a stopped feed says of the records that stopped it."""

from __future__ import annotations

import pytest

from services.dead_letters import shape, shape_of_failure


@pytest.mark.parametrize(
    ("reason", "without_values"),
    [
        ("this is ASCII text, not EBCDIC code page cp037", "this is ASCII text, not EBCDIC code page cp037"),
        ("born 1987-05-23, no date", "born ..., no date"),
        ("'G1#' is not a passport", "... is not a passport"),
        ("family \"O'BRIEN\" is no name", "family ... is no name"),
        (r"'O\'BRIEN \"X\"' is no name", "... is no name"),
        ("BIRTH-DATE 19870532 is no date", "BIRTH-DATE ... is no date"),
        ("SEVIS id N0012345678 belongs to another", "SEVIS id ... belongs to another"),
        ("last_update_ts '2025-08-21 14:03' is no timestamp", "last_update_ts ... is no timestamp"),
        ("FAMILY-NAME at byte 34: no character (hex c7 c1 d9 ...)", "FAMILY-NAME at byte 34: no character"),
        ("truncated: 100 of 250 bytes", "truncated: 100 of 250 bytes"),
    ],
)  # fmt: skip
def test_a_reason_is_told_without_the_values_in_it(reason: str, without_values: str) -> None:
    assert shape(reason) == without_values


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ("db.example:15432: credentials: refused for 'smith'", "db.example:15432: credentials: refused for ..."),
        ("[::1]:15432: refused: nothing listens there", "[::1]:15432: refused: nothing listens there"),
        ("record 123456789A1: closed", "record ...: closed"),
    ],
)
def test_where_a_source_cannot_be_reached_is_told_and_no_value(why: str, shown: str) -> None:
    assert shape_of_failure(why) == shown
