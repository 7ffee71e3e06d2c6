"""The page of laws says which tests hold them, by their marks. To write its tables anew: python tests/test_laws_page.py

A test is marked with the number of the law and what it does, or with the bug that is planted and that it catches:

    @pytest.mark.law(2, "a feed killed at each named point")
    @pytest.mark.law(2, planted="the checkpoint saved before the events are durable")
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "laws.md"
LAWS = range(1, 10)
_SECTION = re.compile(r"(<!-- ((?:law|planted) \d): begin -->\n)(.*?)(<!-- \2: end -->)", re.DOTALL)
_HEADS = {"law": ("held by", "what it does"), "planted": ("planted", "caught by")}


@dataclass(frozen=True)
class Mark:
    """One mark of one test."""

    law: int
    kind: str  # law, planted
    text: str
    test: str


def marks_in(source: str, path: str) -> Iterator[Mark]:
    """The marks of a file of tests. Raises ValueError for one that is not of the form."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.law":
                    yield _mark(decorator, f"{path}::{node.name}")


def _mark(call: ast.Call, test: str) -> Mark:
    values = [ast.literal_eval(each) for each in call.args]
    named = {each.arg: ast.literal_eval(each.value) for each in call.keywords}
    match values, named:
        case [int(law), str(text)], {} if not named:
            kind = "law"
        case [int(law)], {"planted": str(text), **others} if not others:
            kind = "planted"
        case _:
            raise ValueError(f"{test}: a law has a number, and what the test does or which bug is planted")
    if law not in LAWS or not text or "\n" in text:
        raise ValueError(f"{test}: no law {law}, or nothing said of it")
    return Mark(law, kind, text, test)


def marks() -> list[Mark]:
    """The marks of all tests, by file and place."""
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    return [mark for path in paths for mark in marks_in(path.read_text(), path.relative_to(ROOT).as_posix())]


def tables(marked: list[Mark]) -> dict[str, str]:
    """The tables by the words of their markers. Tests that do the same share a row."""
    result = {}
    for kind, heads in _HEADS.items():
        for law in LAWS:
            rows: dict[str, list[str]] = {}
            for mark in marked:
                if (mark.law, mark.kind) == (law, kind):
                    rows.setdefault(mark.text, []).append(f"`{mark.test}`")
            lines = [f"| {heads[0]} | {heads[1]} |", "| --- | --- |"]
            for text, tests in rows.items():
                cells = (", ".join(tests), text) if kind == "law" else (text, ", ".join(tests))
                lines.append(f"| {cells[0]} | {cells[1]} |")
            result[f"{kind} {law}"] = "\n".join(lines) + "\n"
    return result


def with_tables(text: str) -> str:
    """The page with the tables of today."""
    today = tables(marks())
    return _SECTION.sub(lambda match: f"{match[1]}{today[match[2]]}{match[4]}", text)


def test_the_page_has_the_marks_of_today() -> None:
    text = PAGE.read_text()
    assert {match[2] for match in _SECTION.finditer(text)} == {f"{kind} {law}" for kind in _HEADS for law in LAWS}
    assert text == with_tables(text), "python tests/test_laws_page.py writes it anew"


@pytest.mark.parametrize("kind", _HEADS)
@pytest.mark.parametrize("law", LAWS)
def test_every_law_is_held_and_has_planted_bugs(law: int, kind: str) -> None:
    assert [mark for mark in marks() if (mark.law, mark.kind) == (law, kind)]


def test_a_mark_becomes_a_row() -> None:
    source = '@pytest.mark.law(2, "it " "holds")\n@pytest.mark.law(3, planted="a bug")\ndef test_it(): ...'
    both = list(marks_in(source, "tests/test_x.py"))
    assert both == [
        Mark(2, "law", "it holds", "tests/test_x.py::test_it"),
        Mark(3, "planted", "a bug", "tests/test_x.py::test_it"),
    ]
    assert tables(both)["law 2"].endswith("| `tests/test_x.py::test_it` | it holds |\n")
    assert tables(both)["planted 3"].endswith("| a bug | `tests/test_x.py::test_it` |\n")


@pytest.mark.parametrize(
    "arguments", ["10, 'x'", "1", "1, ''", "1, 'x', planted='y'", "1, planted='x', more='y'", "'1', 'x'"]
)
def test_a_mark_of_another_form_is_refused(arguments: str) -> None:
    with pytest.raises(ValueError, match="test_it"):
        list(marks_in(f"@pytest.mark.law({arguments})\ndef test_it(): ...", "tests/test_x.py"))


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
