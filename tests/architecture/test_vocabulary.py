"""The field's terms are used, not private ones: identifiers, tables, columns and docs hold none of the banned words.

Only names that this project defines are looked at: what a library calls its own is no matter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.store.tables import METADATA

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "links", "bus", "adapters", "services", "tests")
BANNED = {
    "desk": "push_handler or authorised_lookup",
    "aside": "quarantine",
    "hot": "capped_key",
    "horizon": "cutoff",
    "horizons": "cutoffs",
    "hk": "cutoff_known",
    "hc": "cutoff_claim",
    "b1": "block_...",
    "b2": "block_...",
    "b3": "block_...",
    "feat": "features",
    "ahead": "prefetch",
    "settle": "resolve",
    "settled": "resolved",
    "settles": "resolves",
    "settler": "resolver",
    "settling": "resolving",
    "unite": "merge",
    "united": "merged",
    "unites": "merges",
    "uniting": "merging",
    "look": "compare, or lookup",
    "looked": "compared",
    "unlooked": "not_compared",
    "hesitant": "deferred input",
    "refusing": "as_bad_record",
    "chosen": "lookup, or what it is",
    "grade": "admission_class",
    "scribe": "the system that it writes",
    "purser": "the system that it writes",
    "registrar": "the system that it writes",
    "examiner": "the system that it writes",
    "piles": "spill_buffer",
    "dice": "rng",
    "shares": "rates",
    "perfect": "oracle",
    "rival": "splink_baseline",
    "told": "what it is",
    "found": "what it is",
}
"""Each word, alone or as a part of a name, and what to say instead."""
ALLOWED = ("look_ups", "look_up", "examiner_id", "looked_up", "looked_at", "not_found")
"""Runs of words that are the field's own, or have their usual sense."""
ALONE = frozenset({"b1", "b2", "b3"})
"""Banned as a whole name only: B-2 is a class of admission."""
IN_SENTENCES = frozenset({"told", "found", "look", "looked", "chosen", "ahead", "perfect", "examiner"})
"""Words with a usual sense in the sentence that a test's name is."""
IN_DOCS = ("scribe", "purser", "horizon", "settle", "settles", "settled", "settling", "rival", "refusing", "hesitant")
"""Those that have no other sense in prose here."""


def words_of(name: str) -> list[str]:
    """The words of an identifier, in lower case; runs that are allowed left out."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    for run in ALLOWED:
        parts = re.sub(rf"(?:^|(?<=_)){run}(?=_|$)", "", parts)
    return [part for part in parts.split("_") if part]


def banned_words(name: str) -> list[str]:
    """The banned words in a name."""
    words = words_of(name)
    return [word for word in words if word in BANNED and (word not in ALONE or len(words) == 1)]


def defined_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a module defines, with its line: classes, functions, parameters, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield getattr(node, "lineno", 0), node.asname


def banned_in(source: str, place: str) -> list[str]:
    """The banned words in the names that a module defines, each with its place and what to say instead."""
    return [
        f"{place}:{line}: {name}: {word} -> {BANNED[word]}"
        for line, name in defined_names(ast.parse(source))
        for word in banned_words(name)
        if not (name.startswith("test_") and word in IN_SENTENCES)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_identifiers_use_the_fields_terms(package: str) -> None:
    mistakes: list[str] = []
    for path in sorted((ROOT / package).rglob("*.py")):
        place = str(path.relative_to(ROOT))
        mistakes += [f"{place}: {word} -> {BANNED[word]}" for word in banned_words(path.stem.removeprefix("test_"))]
        mistakes += banned_in(path.read_text(), place)
    assert not mistakes, "\n".join(mistakes)


def test_tables_and_columns_use_the_fields_terms() -> None:
    names = [table.name for table in METADATA.sorted_tables]
    names += [column.name for table in METADATA.sorted_tables for column in table.columns]
    assert not [name for name in names if banned_words(name)]


def test_docs_use_the_fields_terms() -> None:
    banned = re.compile(rf"\b(?:{'|'.join(IN_DOCS)})\b", re.IGNORECASE)
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "adapters").rglob("*.md"))]
    mistakes = [
        f"{page.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for page in pages
        if page.name != "glossary.md"
        for number, line in enumerate(page.read_text().splitlines(), 1)
        if banned.search(line)
    ]
    assert not mistakes, "\n".join(mistakes)


def test_a_banned_word_is_seen_wherever_it_is_defined() -> None:
    planted = "class DeadDesk:\n    def settle(self, horizon):\n        found = 1\n        self.hot = found\n"
    assert [line.split(": ")[1] for line in banned_in(planted, "x")] == [
        "DeadDesk",
        "settle",
        "horizon",
        "found",
        "hot",
    ]
    assert banned_in("def look_up(not_found): ...\nlookup = 1\nchoosing = 2\n", "x") == []
