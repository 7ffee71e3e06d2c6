"""All that holds for any system, and what the page says of its tables."""

import re
from importlib.resources import files

from systems.contract import contract_suite

from adapters.systems.bci.adapter import CODES
from schemas.ports import port

TestBci = contract_suite("BCI")


def test_the_page_prints_the_code_tables() -> None:
    page = files("adapters.systems.bci").joinpath("README.md").read_text()
    assert dict(re.findall(r"^\| `(.+)` \| ([A-Z]{3}) \|$", page, re.MULTILINE)) == CODES["united-states"]
    for scope, first in CODES["populations"].items():
        assert re.search(rf"{first:%-d %B %Y} .*`{scope}`", page)


def test_every_port_has_its_zone() -> None:
    assert all((known := port(code)) is not None and known.zone for code in CODES["united-states"].values())


def test_the_page_names_every_element_of_the_schema() -> None:
    page = files("adapters.systems.bci").joinpath("README.md").read_text()
    schema = files("adapters.systems.bci").joinpath("crossings.xsd").read_text()
    for element in re.findall(r'element name="(\w+)"', schema):
        assert element in page, element
