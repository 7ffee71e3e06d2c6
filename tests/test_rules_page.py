"""The page of the rules says what the rules say. To write its tables anew: python tests/test_rules_page.py"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

from services.domain import holidays, notices, rules
from services.domain.rules import Authority, Basis, Protection, Rule

PAGE = Path(__file__).parent.parent / "docs" / "rules.md"
_SECTION = re.compile(
    r"(<!-- (classes|fixed|protections|notices|holidays|authority): begin -->\n)(.*?)(<!-- \2: end -->)", re.DOTALL
)
ALWAYS = (date.min, date.max)


def tables() -> dict[str, str]:
    """The tables, by the words of their markers."""
    rows = (*rules.RULES, *rules.PAROLE, *rules.CANADIAN)
    heading = ["| rule | classes | up to | after it | source | looked at |", "| --- | --- | --- | --- | --- | --- |"]
    classes = [*heading, *map(_class, rows)]
    fixed = [*heading, *map(_class, rules.FIXED_PERIODS)]
    protections = ["| rule | fact | outcome | limits | source | looked at |", "| --- | --- | --- | --- | --- | --- |"]
    protections += map(_protection, rules.PROTECTIONS)
    authority = ["| told of | by | why |", "| --- | --- | --- |", *map(_authority, rules.AUTHORITY)]
    by_marker = {"classes": classes, "protections": protections, "authority": authority}
    by_marker |= {"fixed": fixed, "notices": _notices(), "holidays": _holidays()}
    return {word: "\n".join(lines) + "\n" for word, lines in by_marker.items()}


def _class(row: Rule) -> str:
    after = (
        [f"{row.grace_days} days{' inside it' if row.basis is Basis.DATED_PROGRAM else ''}"] if row.grace_days else []
    )
    after += [f"{row.withdrawal_days} after an authorised withdrawal"] if row.withdrawal_days else []
    after += [f"{row.employment_days} after the employment, inside it"] if row.employment_days else []
    after += [f"{' or '.join(sorted(row.filed_in_grace))} may be filed in it"] if row.filed_in_grace else []
    after += [f"citizens of {' '.join(sorted(row.citizenship))} alone"] if row.citizenship else []
    after += [] if row.extendable else ["no extension or change"]
    after += [] if row.changeable else ["no change"]
    most = f" ({row.days} days)" if row.days else f" ({row.months} months)" if row.months else ""
    limits_text = "; ".join([*after, *_dates(row.since, row.through)]) or "nothing"
    names = f"| `{row.id}` | {' '.join(sorted(row.classes))} | {row.basis.value}{most} |"
    return f"{names} {limits_text} | {row.citation} | {row.looked_at} |"


def _protection(row: Protection) -> str:
    limits = [" ".join(sorted(row.classes))] if row.classes else []
    limits += [f"{row.days} days{' behind the period' if row.behind else ''}"] if row.days else []
    limits += [f"ended by `{row.ended_by}`"] if row.ended_by else []
    limits += [f"none with `{row.unless}`"] if row.unless else []
    limits += ["without an end"] if row.open else []
    fact = f"`{row.fact}`" + (f" ({row.reason})" if row.reason else "")
    limits_text = "; ".join([*limits, *_dates(row.since, row.through)]) or "its own day"
    return f"| `{row.id}` | {fact} | `{row.outcome.value}` | {limits_text} | {row.citation} | {row.looked_at} |"


def _notices() -> list[str]:
    lines = ["| ends | of | by notice | in force | source | looked at |", "| --- | --- | --- | --- | --- | --- |"]
    for row in notices.NOTICES:
        of = " ".join(sorted(row.citizenship | row.programs))
        lines.append(f"| `{row.fact}` | {of} | {row.noticed} | {row.ended} | {row.citation} | {row.looked_at} |")
    return lines


def _holidays() -> list[str]:
    lines = ["| holiday | 2026 | 2027 | source | looked at |", "| --- | --- | --- | --- | --- |"]
    for row in holidays.HOLIDAYS:
        days = f"{row.observed(2026)} | {row.observed(2027)}"
        lines.append(f"| {row.name} | {days} | {holidays.CITATION} | {holidays.LOOKED_AT} |")
    return lines


def _authority(row: Authority) -> str:
    return f"| {row.kind} | {' '.join(sorted(row.systems)) or 'any other'} | {row.why} |"


def _dates(since: date, until: date) -> list[str]:
    return [] if (since, until) == ALWAYS else [f"admissions from {since} to {until}"]


def with_tables(text: str) -> str:
    """The page with the tables of today."""
    by_marker = tables()
    return _SECTION.sub(lambda match: f"{match[1]}{by_marker[match[2]]}{match[4]}", text)


def test_the_page_says_what_the_rules_say() -> None:
    """All tables."""
    text = PAGE.read_text()
    assert len(_SECTION.findall(text)) == 6
    assert with_tables(text) == text, f"run python {__file__}"


def test_a_row_that_changed_is_missed() -> None:
    """Planted: another number of days, and an end."""
    row = rules.RULES[1]
    changed = [_class(replace(row, days=91)), _class(replace(row, through=date(2026, 1, 1)))]
    assert _class(row) not in changed
    first = rules.PROTECTIONS[0]
    assert _protection(replace(first, days=9)) != _protection(first)
    row_of = rules.AUTHORITY[0]
    assert len({_authority(row_of), _authority(replace(row_of, systems=rules.DERIVED))}) == 2


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
