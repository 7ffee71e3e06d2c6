"""Nothing asks which format or transport it has: what one can do it says by a Protocol of `adapters.core`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("adapters/formats", "adapters/transports")
DOES = {"read", "open", "offline", "batches"}
"""What a format, a transport or a connection does."""


def defined(root: Path) -> dict[str, Path]:
    """The classes of formats and transports, with the file that each stands in."""
    by_name: dict[str, Path] = {}
    for part in PARTS:
        for path in (root / part).glob("*.py"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    methods = {
                        each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
                    }
                    if methods & DOES and not node.name.startswith("_"):
                        by_name[node.name] = path
    return by_name


def asked(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines and names of the classes that `isinstance` or a pattern asks for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            for each in ast.walk(node.args[1]) if len(node.args) == 2 else ():
                if isinstance(each, ast.Name):
                    yield node.lineno, each.id
                elif isinstance(each, ast.Attribute):
                    yield node.lineno, each.attr
        elif isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name):
            yield node.lineno, node.cls.id


def ladders(root: Path) -> list[str]:
    """Where a concrete format or transport is asked for outside its own file."""
    known = defined(root)
    results = []
    for package in ("adapters", "services"):
        for path in sorted((root / package).rglob("*.py")):
            for line, name in asked(ast.parse(path.read_text())):
                if name in known and known[name] != path:
                    results.append(f"{path.relative_to(root)}:{line} asks for {name}")
    return results


def test_nothing_asks_for_a_concrete_format_or_transport() -> None:
    assert {"FixedFormat", "FileDrop", "PolledView", "JsonPage"} <= defined(ROOT).keys()
    assert ladders(ROOT) == []


def test_a_ladder_is_found(tmp_path: Path) -> None:
    for name in ("adapters/formats", "adapters/transports", "services"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "adapters/formats/fixed.py").write_text("class FixedFormat:\n    def read(self): ...\n")
    (tmp_path / "services/planted.py").write_text("def f(x):\n    return isinstance(x, (int, FixedFormat))\n")
    assert ladders(tmp_path) == ["services/planted.py:2 asks for FixedFormat"]
