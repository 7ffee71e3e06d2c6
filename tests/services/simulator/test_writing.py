"""Packed numbers, blanks and clocks of the native files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.clock import changes, exists, instant, iso_stamp, midnight, repeated, stamp, utc_day
from services.simulator.population.ports import ZONES
from services.simulator.systems.i94.files import packed, text


def unpacked(data: bytes) -> int:
    """Packed decimal, read half-byte by half-byte."""
    halves = [half for byte in data for half in (byte >> 4, byte & 15)]
    *digits, sign = halves
    assert all(digit < 10 for digit in digits)
    value = sum(digit * 10**place for place, digit in enumerate(reversed(digits)))
    return {0xC: value, 0xF: value, 0xD: -value}[sign]


@given(st.integers(1, 18).flatmap(lambda digits: st.tuples(st.just(digits), st.integers(0, 10**digits - 1))))
def test_packed_numbers_read_back(pair: tuple[int, int]) -> None:
    digits, value = pair
    for number in (value, -value):
        data = packed(number, digits)
        assert unpacked(data) == number
        assert len(data) == digits // 2 + 1
    assert packed(value, digits, signed=False)[-1] & 15 == 0xF


def test_what_does_not_fit_is_refused() -> None:
    for value, digits, signed in ((1000, 3, True), (-1000, 3, True), (-1, 3, False)):
        with pytest.raises(ValueError, match="does not fit"):
            packed(value, digits, signed=signed)


def test_known_bytes() -> None:
    assert packed(12345, 5) == bytes.fromhex("12345C")
    assert packed(-7, 2) == bytes.fromhex("007D")
    assert packed(20250314, 8) == bytes.fromhex("020250314C")
    assert packed(40_000_000_001, 11, signed=False) == bytes.fromhex("40000000001F")


def test_text_is_filled_and_cut() -> None:
    assert text("AB", 4) == "AB  "
    assert text("ABCDE", 4) == "ABCD"


@given(
    st.sampled_from(sorted(set(ZONES.values()))), st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(0, 86_399)
)
def test_local_times_are_the_instants_that_the_zone_says(zone: str, day: date, second: int) -> None:
    number = day.toordinal()
    assert midnight(number, zone) == datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()
    if not exists(number, second, zone):
        return
    at = instant(number, second, zone)
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    assert (local.toordinal(), local.hour * 3600 + local.minute * 60 + local.second) == (number, second)
    assert repeated(number, second, zone) == (instant(number, second, zone, again=True) != at)
    assert not repeated(number, second, zone) or changes(number, zone)


def test_clocks_set_back_and_forward() -> None:
    back, forward = date(2025, 11, 2).toordinal(), date(2025, 3, 9).toordinal()
    zone = "America/New_York"
    assert repeated(back, 5_400, zone)
    assert instant(back, 5_400, zone, again=True) - instant(back, 5_400, zone) == 3_600
    assert not exists(forward, 9_000, zone)
    assert exists(forward, 10_800, zone)


@given(st.integers(0, 2**32))
def test_stamps_are_utc(at: int) -> None:
    moment = datetime.fromtimestamp(at, UTC)
    assert stamp(at) == moment.strftime("%Y%m%d%H%M%S")
    assert iso_stamp(at) == moment.strftime("%Y-%m-%dT%H:%M:%S")
    assert utc_day(at) == moment.toordinal()
