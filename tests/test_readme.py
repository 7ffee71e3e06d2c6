"""The README's table of systems is the registry's. To write it anew: python tests/test_readme.py"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import pytest

from adapters.core import System
from adapters.registry import systems
from services.cli.adapters import as_markdown

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
ALL_SYSTEMS = 27
_SECTION = re.compile(r"(<!-- systems: begin -->\n)(.*?)(<!-- systems: end -->)", re.DOTALL)


def section_of(known: Collection[System]) -> str:
    """What the registry says: the table, how many of the 27 are missing, and how many there are beyond them."""
    connected = sum(system.number <= ALL_SYSTEMS for system in known)
    missing, beyond = ALL_SYSTEMS - connected, len(known) - connected
    total = (
        f"{connected} of {ALL_SYSTEMS} are connected; {missing} are to come." if missing else "All 27 are connected."
    )
    further = f" Beyond them: {beyond}." if beyond else ""
    return f"{as_markdown(known)}\n\n**{total}{further}**\n"


def section_in(text: str) -> str:
    """What stands between the markers."""
    (result,) = _SECTION.findall(text)
    return str(result[1])


def with_section(text: str, section: str) -> str:
    """The text with this section between the markers."""
    return _SECTION.sub(lambda match: f"{match[1]}{section}{match[3]}", text)


def test_the_table_of_systems_is_the_registrys() -> None:
    assert section_in(README.read_text()) == section_of(systems().values()), f"run python {__file__}"


def test_every_system_links_to_its_interface() -> None:
    links = re.findall(r"\]\((adapters/systems/[^)]+)\)", section_in(README.read_text()))
    assert len(links) == len(systems())
    assert all((ROOT / link).is_file() for link in links)


def test_a_system_that_was_added_is_missed() -> None:
    """Planted: one more system, and nobody wrote the table anew."""
    planted = System("PLANTED", "Planted", "nobody", 99, ("status",), ("sevis",), 1, ())
    text = README.read_text()
    section = section_of([*systems().values(), planted])
    assert section_in(text) != section
    assert section_in(with_section(text, section)) == section


@pytest.mark.parametrize("numbers", [(18, 3), (3, 18)])
def test_the_table_is_in_the_order_of_the_numbers(numbers: tuple[int, int]) -> None:
    result = as_markdown(System("A", "A", "B", number, (), (), 1, ()) for number in numbers)
    assert [line.split("|")[1].strip() for line in result.splitlines()[2:]] == ["3", "18"]


if __name__ == "__main__":
    README.write_text(with_section(README.read_text(), section_of(systems().values())))
