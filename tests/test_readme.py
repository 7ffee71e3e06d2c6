"""The README's table of systems is the registry's. To write it anew: python tests/test_readme.py"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.core import System
from adapters.registry import systems
from services.cli.adapters import as_markdown

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
_TABLE = re.compile(r"(<!-- systems: begin -->\n)(.*?)(<!-- systems: end -->)", re.DOTALL)


def table_in(text: str) -> str:
    """What stands between the markers."""
    (found,) = _TABLE.findall(text)
    return str(found[1])


def with_table(text: str, table: str) -> str:
    """The text with this table between the markers."""
    return _TABLE.sub(lambda match: f"{match[1]}{table}\n{match[3]}", text)


def test_the_table_of_systems_is_the_registrys() -> None:
    assert table_in(README.read_text()) == as_markdown(systems().values()) + "\n", f"run python {__file__}"


def test_the_counts_are_those_of_the_registry() -> None:
    text = README.read_text()
    connected = len(systems())
    assert f"**{connected} of 27 are connected; {27 - connected} are to come.**" in text
    assert f"- **{27 - connected} systems.**" in text


def test_every_system_links_to_its_interface() -> None:
    for link in re.findall(r"\]\((adapters/systems/[^)]+)\)", table_in(README.read_text())):
        assert (ROOT / link).is_file()


def test_a_system_that_was_added_is_missed() -> None:
    """Planted: a third system, and nobody wrote the table anew."""
    planted = System("SEVIS", "SEVIS", "ICE", 10, ("status",), ("sevis",), 1, ())
    text = README.read_text()
    table = as_markdown([*systems().values(), planted])
    assert table_in(text) != table + "\n"
    assert table_in(with_table(text, table)) == table + "\n"


@pytest.mark.parametrize("numbers", [(18, 3), (3, 18)])
def test_the_table_is_in_the_order_of_the_numbers(numbers: tuple[int, int]) -> None:
    found = as_markdown(System("A", "A", "B", number, (), (), 1, ()) for number in numbers)
    assert [line.split("|")[1].strip() for line in found.splitlines()[2:]] == ["3", "18"]


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(), as_markdown(systems().values())))
