"""Where a reader has a short way for what most files hold, it says there what the long way says, of any bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import moments

from adapters.dates import moment_of
from adapters.formats import edifact
from adapters.formats.edifact import Piece, Tokens
from adapters.mapping import revision

# --- segments ----------------------------------------------------------------------------------------------------

HEAD = b"UNA:+.? 'UNB+UNOA:4+LA:ZZ+USCSAPIS:ZZ+241101:1436+1++APIS'UNH+1+PAXLST:D:05B:UN:IATA'"
FRAGMENTS = (
    b"NAD+FL+++SOARES:LARISSA'", b"ATT+2++F'", b"\r\nDTM+329:19940528'\r\n", b" ", b"\n", b"?", b"'", b"+", b":", b"??",
    b"NAD+FL+++O?'HARA:ANN'", b"N\nAT+2+BRA'", b"nat+2+BRA'", b"NATX+2'", b"FTX+\x00'", b"FTX+\xe9'", b"FTX+\x7f'",
    b"UNA:+.? '", b"UNA:+.?\n'", b"UNA+:.?*~", b"UNA:+.  \n", b"NAD+A:B~", b"UNB\x1dUNOB\x1f4\x1dA\x1c",
    b"UNB+UNOC:3+A'", b"UNB+UNOW:4+A'", b"UNB+WHAT:4+A'", b"FTX+\xc3\xa9'", b"FTX+\xc2\xa0'", b"UNT+2+1'",
    b"UNZ+1+1'", b"UNZX+1'", b"x" * 300, b"RFF+" + b"9" * 8180 + b"'", b" " * 8190 + b"RFF+1'",
    b" " * 8191 + b"RFF+1'", b"RFF+AVF" + b" " * 9000,
)  # fmt: skip


class LongWay(Tokens):
    """Every segment looked at closely."""

    __slots__ = ()

    def _plain(self) -> Iterator[Piece]:
        yield from ()


def told(tokens: Tokens) -> list[tuple[Piece, dict[str, int]]]:
    """The pieces, and what was counted when each came."""
    return [(piece, dict(tokens.tolerated)) for piece in tokens.pieces()]


def agree(rest: bytes) -> None:
    """Both ways say the same of an interchange that goes on so, or is met after it."""
    for data in (HEAD + rest, rest + HEAD + rest):
        assert told(Tokens(BytesIO(data))) == told(LongWay(BytesIO(data)))


@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=30).map(b"".join))
@example(b"NAD+FL+++O?'HARA:ANN'FTX+A'")
@example(b"\r\n".join(FRAGMENTS))
def test_segments_are_the_same_by_the_short_way_and_by_the_long_one(rest: bytes) -> None:
    agree(rest)


def test_a_short_way_that_forgets_the_release_character_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = edifact._plain_elements
    monkeypatch.setattr(edifact, "_plain_elements", lambda body, page, _, *marks: right(body, page, b"", *marks))
    with pytest.raises(AssertionError):
        agree(b"NAD+FL+++O?'HARA:ANN'")


# --- moments -----------------------------------------------------------------------------------------------------


@given(st.integers(-(10**6), 10**16) | st.datetimes().map(lambda at: int(f"{at:%Y%m%d%H%M%S}")))
@example(20240229235960)
@example(20240229235961)
@example(20230229000000)
@example(101000000)
def test_digits_are_the_moment_that_the_library_reads(digits: int) -> None:
    expected = found = None
    with suppress(ValueError):
        expected = datetime.strptime(f"{digits:014}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    with suppress(ValueError):
        found = moment_of(digits, "WHEN")
    assert found == expected


@given(moments)
def test_a_moment_counts_in_a_digest_as_pydantic_writes_it(moment: object) -> None:
    assert revision(1, {"at": moment}) == revision(1, {"at": str(moment)})
