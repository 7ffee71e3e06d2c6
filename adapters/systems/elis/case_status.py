"""What has the shape of the public Case Status API in an answer: status texts, dates without zones, history."""

from __future__ import annotations

import html
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from adapters.converters import day, text
from adapters.fields import Fields
from schemas.moments import Moment

OFFICE = "America/New_York"
DECISIONS = ("approved", "denied", "withdrawn", "naturalised")
_STAMP = re.compile(r"(\d\d)-(\d\d)-(\d{4})(?: \d\d:\d\d:\d\d)?", re.ASCII)
_MILLISECONDS = re.compile(r"\d{12,14}", re.ASCII)
_MARKUP, _MARKS = re.compile(r"<[^>]*>"), re.compile(r"[^a-z0-9]+")


def plain(value: str) -> str:
    """A status text as it is compared: without markup, marks and capitals."""
    words = _MARKUP.sub(" ", html.unescape(value)).replace("'", "").replace("’", "")
    return _MARKS.sub(" ", words.lower()).strip()


@cache
def meanings() -> dict[str, str]:
    """What the known status texts mean, by what they are compared as."""
    by_meaning = tomllib.loads(files(__package__).joinpath("codes.toml").read_text(encoding="utf-8"))
    return {plain(each): meaning for meaning, texts in by_meaning.items() for each in texts}


def meaning_of(case: Fields) -> str | None:
    """What the status text means, None if it is in no table. Raises ValueError."""
    said = plain(case.need("current_case_status_text_en", text))
    if not said:
        raise ValueError("current_case_status_text_en is blank")
    return meanings().get(said)


def office_day(at: datetime) -> date:
    """The day of a moment at headquarters. Raises ValueError."""
    return Moment.instant(at, OFFICE).local_day()


def text_day(value: Any, what: str) -> date:
    """The day of a date and time as the public API writes it, at headquarters. Raises ValueError."""
    try:
        if isinstance(value, str) and (match := _STAMP.fullmatch(value)):
            month, of, year = map(int, match.groups())
            return date(year, month, of)
        if _MILLISECONDS.fullmatch(str(value)):
            return office_day(datetime.fromtimestamp(int(value) // 1000, UTC))
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError(f"{what} {value!r} is neither MM-DD-CCYY HH:MM:SS nor milliseconds")


@dataclass(frozen=True, slots=True)
class CaseStatus:
    """What a case has come to. `steps`: the days of its history and what they brought, oldest first."""

    meaning: str | None  # of the status text
    submitted: date | None
    modified: date | None
    steps: tuple[tuple[date, str], ...]

    @classmethod
    def of(cls, case: Fields) -> CaseStatus:
        """What a case says; what is wrong in it costs itself. Raises ValueError without a status text."""
        meaning = meaning_of(case)
        if meaning is None:
            shown = " ".join(_MARKUP.sub(" ", str(case["current_case_status_text_en"])).split())[:80]
            case.lose("current_case_status_text_en", f"a meaning of the status text {shown!r}: it is in no table")
        steps, said = [], case.get("hist_case_status")
        if said is not None and not (isinstance(said, list) and all(isinstance(each, Fields) for each in said)):
            case.lose("hist_case_status", "hist_case_status, or an entry of it, which is no entry of a history")
        for each in case.groups("hist_case_status"):
            done, at = each.optional("completed_text_en", text), each.optional("date", day)
            if at is not None:
                steps.append((at, meanings().get(plain(done or ""), "")))
        submitted, modified = case.optional("submittedDate", text_day), case.optional("modifiedDate", text_day)
        return cls(meaning, submitted, modified, tuple(sorted(steps, key=lambda step: step[0])))

    @property
    def action(self) -> str:
        """What the status text means, else the last decision of the history; else it is pending."""
        decisions = [done for _, done in self.steps if done in DECISIONS]
        return self.meaning.removesuffix("_before") if self.meaning is not None else (decisions or ["filed"])[-1]

    @property
    def filed_on(self) -> date | None:
        """The day of filing, as far as the public shape tells it."""
        return self.submitted or (self.steps[0][0] if self.steps else None)

    @property
    def decided_on(self) -> date | None:
        """The day of the decision, as far as the public shape tells it."""
        own = self.modified if self.meaning in DECISIONS else None
        step = next((at for at, done in self.steps if done == self.action), None)
        return own or step or self.modified
