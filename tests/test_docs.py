"""What the documents name exists: commands, links, tests, settings.

To write the table of settings anew: python tests/test_docs.py
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from services.cli import app
from services.cli.context import PLACES
from services.settings import Settings

ROOT = Path(__file__).parent.parent
LAWS = ROOT / "docs" / "laws.md"
SETTINGS = ROOT / "docs" / "settings.md"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "adapters" / "systems").glob("*/README.md"))
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_SECTION = re.compile(r"(<!-- settings: begin -->\n)(.*?)(<!-- settings: end -->)", re.DOTALL)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


# --- commands ---------------------------------------------------------------------------------------------------------


@cache
def root() -> Any:
    """The command line. Typer brings its own Click, so groups are known by their `commands`."""
    return typer.main.get_command(app)


def calls(text: str) -> Iterator[list[str]]:
    """The words behind each `visabus` in code: in fenced shell blocks, and between backticks."""
    blocks = [body.replace("\\\n", " ") for language, body in _FENCE.findall(text) if language in ("sh", "bash")]
    spans = re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    for code in [*(line for block in blocks for line in block.splitlines()), *spans]:
        for call in re.findall(r"(?:^ *|[(/]|[|;&] )visabus +([^`|)>&;#\n]*)", code):
            yield call.split()


def unknown(words: list[str]) -> str | None:
    """What of a call the command line does not have; None where it has all."""
    at = root()
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("--"):
            name, _, value = word.partition("=")
            known = [*at.params, *(each for each in root().params if {*each.opts} & PLACES)]  # behind the command, too
            option = next((each for each in known if name in (*each.opts, *each.secondary_opts)), None)
            if option is None and name != "--help":
                return f"{at.name or 'visabus'} has no {name}"
            skip = option is not None and not value and not getattr(option, "is_flag", False)
        elif hasattr(at, "commands"):
            if word not in at.commands:
                return f"{at.name or 'visabus'} has no command {word}"
            at = at.commands[word]
    return None


def leaves(group: Any, before: str = "visabus") -> Iterator[str]:
    """Every command by its whole name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, f"{before} {name}")
        else:
            yield f"{before} {name}"


@each_page
def test_commands_exist(page: Path) -> None:
    results = [problem for words in calls(page.read_text()) if (problem := unknown(words)) is not None]
    assert not results


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    assert not [name for name in leaves(root()) if f"`{name}`" not in text]


@pytest.mark.parametrize(
    "text",
    ["`visabus look`", "`visabus kafka pause`", "`visabus export --sum`", "```sh\nX=$(visabus kafka go)\n```"],
)
def test_a_command_that_does_not_exist_is_found(text: str) -> None:
    (words,) = calls(text)
    assert unknown(words) is not None


def test_targets_of_make_exist() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert named
    assert named <= made


# --- links ------------------------------------------------------------------------------------------------------------


def links(text: str) -> Iterator[str]:
    """Targets of links that lead to this repository."""
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", text)):
        if "://" not in target:
            yield target


def anchors(text: str) -> set[str]:
    """What may stand behind the # of a link to a page: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path, text: str) -> list[str]:
    """Links that lead nowhere."""
    results = []
    for link in links(text):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            results.append(link)
    return results


@each_page
def test_links_resolve(page: Path) -> None:
    assert not broken(page, page.read_text())


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    linked = set(links((ROOT / "README.md").read_text()))
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= linked


@pytest.mark.parametrize("link", ["gone.md", "../README.md#no-such-heading", "#nowhere"])
def test_a_link_that_leads_nowhere_is_found(link: str) -> None:
    assert broken(LAWS, f"# A page\n[x]({link})") == [link]


def test_code_refers_to_pages_that_exist() -> None:
    named = re.findall(r"`(\w+\.md)` in docs", (ROOT / "services" / "store" / "tables.py").read_text())
    assert all((ROOT / "docs" / name).is_file() for name in named)


# --- tests ------------------------------------------------------------------------------------------------------------


@cache
def functions_in(path: Path) -> frozenset[str]:
    """The functions of a file of tests."""
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(text: str) -> list[str]:
    """Tests named with their file that do not exist."""
    results = []
    for path, name in re.findall(r"(tests/[\w/]+\.py)::(\w+)", text):
        if not (ROOT / path).is_file() or name not in functions_in(ROOT / path):
            results.append(f"{path}::{name}")
    return results


@each_page
def test_tests_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    assert not missing(text)
    everywhere = {name for path in (ROOT / "tests").rglob("test_*.py") for name in functions_in(path)}
    assert set(re.findall(r"`(test_\w+)`", text)) <= everywhere


def test_a_test_that_does_not_exist_is_found() -> None:
    assert missing(
        "tests/test_docs.py::test_nothing tests/gone.py::test_gone tests/test_docs.py::test_links_resolve"
    ) == [
        "tests/test_docs.py::test_nothing",
        "tests/gone.py::test_gone",
    ]


# --- settings ---------------------------------------------------------------------------------------------------------

BELOW = {"bus_url": "`bus.db`", "store_url": "`store.db`", "audit_url": "`audit.db`"}
PLAIN = {
    "api.host": "Where the API listens.",
    "api.port": "Where the API listens; 0: any free port.",
    "kafka.security_protocol": "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.",
    "kafka.sasl_mechanism": "`PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.",
    "kafka.username": "With SASL.",
    "kafka.password": "With SASL. Secret.",
    "log.level": "`debug`, `info`, `warning` or `error`.",
    "log.form": "`console` or `json`.",
}


def fields(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting by its dotted name; groups opened, feeds by their own fields."""
    for name, field in model.model_fields.items():
        whole = f"{before}{name}"
        inner = [each for each in (field.annotation, *get_args(field.annotation)) if _is_group(each)]
        if not inner:
            yield whole, field
        else:
            key = {"feeds": '"SYSTEM.feed".', "door.keys": '"KEY".'}.get(whole, "")
            yield from fields(inner[0], f"{whole}.{key}")


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def table() -> str:
    """The settings as a table."""
    rows = ["| setting | default | |", "| --- | --- | --- |"]
    for name, field in fields(Settings):
        rows.append(f"| `{name}` | {_default(name, field)} | {_meaning(name, field)} |")
    return "\n".join(rows) + "\n"


def _default(name: str, field: FieldInfo) -> str:
    if name in BELOW:
        return f"{BELOW[name]} in `data_dir`"
    if field.default is PydanticUndefined:
        return "needed"
    return "none" if field.default in (None, {}) else f"`{field.default}`"


def _meaning(name: str, field: FieldInfo) -> str:
    said = field.description or PLAIN[name]
    secret = SecretStr in get_args(field.annotation) and "Secret." not in said
    return f"{said} Secret." if secret else said


def with_table(text: str) -> str:
    """The page with the table of today."""
    return _SECTION.sub(lambda match: f"{match[1]}{table()}{match[3]}", text)


def test_settings_are_those_of_the_code() -> None:
    text = SETTINGS.read_text()
    assert with_table(text) == text, f"run python {__file__}"


def test_every_description_is_needed() -> None:
    assert {name for name, field in fields(Settings) if not field.description} == set(PLAIN)


def test_a_setting_that_is_missing_is_found() -> None:
    text = SETTINGS.read_text()
    planted = "".join(line for line in text.splitlines(keepends=True) if "`api.audience`" not in line)
    assert planted != text
    assert with_table(planted) != planted


if __name__ == "__main__":
    SETTINGS.write_text(with_table(SETTINGS.read_text()))
