"""All that holds for any system, and what CIS alone has."""

from io import BytesIO
from itertools import accumulate

import pytest
from systems.cis.build import LAYOUT, ROW, extract, header, row
from systems.contract import contract_suite

from adapters.core import Completeness
from adapters.decode import decode_file
from adapters.registry import systems
from adapters.systems.cis.adapter import FORMAT

TestCis = contract_suite("CIS")


def test_the_fields_of_the_display_have_its_order_and_lengths() -> None:
    lengths = (9, 3, 8, 40, 25, 25, 18, 18, 40, 25, 8, 5, 5, 3, 34, 3, 8, 1, 9, 11, 20, 12, 20, 20, 20, 10)
    encoded = LAYOUT.inspect(row())
    places = {seen.name: (seen.offset, len(seen.data)) for seen in encoded}
    names = list(ROW)[: len(lengths)]
    offsets = list(accumulate(lengths, initial=1))
    assert [places[name] for name in names] == list(zip(offsets, lengths, strict=False))


def test_a_row_that_did_not_change_is_not_said_again() -> None:
    both = extract([row(), row(A_NUMBER="099000002")])
    results = list(decode_file(systems()["CIS"], both))
    assert sum(len(result.events) for result in results) == 4


@pytest.mark.parametrize("padding", [b"", bytes(3), b"\x40" * 3, bytes(len(row())), bytes(27_000), b"\x40" * 20_001])
def test_a_file_whose_last_block_is_filled_up_is_as_complete_as_one_that_ends(padding: bytes) -> None:
    whole = extract([row()])
    assert FORMAT.is_complete(BytesIO(whole + padding)) is Completeness.COUNTED
    assert FORMAT.is_complete(BytesIO(header() + row() + padding)) is Completeness.OPEN
    assert FORMAT.is_complete(BytesIO(padding)) is Completeness.OPEN
