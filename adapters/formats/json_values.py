"""One JSON value out of a text: what is no JSON by its standard (RFC 8259) is none, and nothing in it is guessed.

A member that stands twice costs itself, and so does what a patient reader steps over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from adapters.core import BadRecord, Read, Record, Unreadable

_BLANK = re.compile(r"[ \t\r\n]*")


class NoJson(ValueError):
    """What stands at a place of the text is no JSON."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.at = at


def behind_blanks(text: str, at: int) -> int:
    """Where the blanks that begin at a place end."""
    match = _BLANK.match(text, at)
    return match.end() if match is not None else at


def value_at(text: str, at: int, *, patient: bool = False) -> tuple[Any, int]:
    """The value that begins at a place, and where it ends. Raises NoJson.

    `patient`: NaN and numbers of thousands of digits cannot be read, and the rest can.
    """
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise NoJson(error.msg, error.pos) from None
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, brackets without end
        if not patient or isinstance(error, RecursionError):
            raise NoJson(str(error)[:80], at) from None
    try:
        return _PATIENT.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise NoJson(error.msg, error.pos) from None
    except RecursionError as error:
        raise NoJson(str(error)[:80], at) from None


def value_of(data: bytes) -> Any:
    """The one value that bytes are. Raises NoJson."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoJson("no UTF-8", error.start) from None
    value, end = value_at(text, behind_blanks(text, 0))
    if behind_blanks(text, end) < len(text):
        raise NoJson("text behind the value", end)
    return value


def record_of(value: Any, raw: bytes, place: str, number: int, header: dict[str, Any]) -> Read:
    """A value as a record; one that is no object is refused."""
    if not isinstance(value, dict):
        return BadRecord("a record that is no object", place=place, raw=raw)
    return Record(place, raw, value, header, number)


def members(value: Any) -> Iterator[str]:
    """Line by line, the members of an object. Raises ValueError if the value is none."""
    if not isinstance(value, dict):
        raise ValueError("no object")
    for name, each in value.items():
        shown = _unread(each) if isinstance(each, Unreadable) else json.dumps(each, ensure_ascii=False, default=_unread)
        yield f"  {name:<28} {shown}"


def _unread(value: Unreadable) -> str:
    return f"> {value.reason}"


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a member that stands twice nobody knows which one is meant."""
    results = dict(pairs)
    if len(results) < len(pairs):
        names = [name for name, _ in pairs]
        results |= {name: Unreadable(f"{name} stands twice") for name in results if names.count(name) > 1}
    return results


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _strange_number(text: str) -> Any:
    return Unreadable(f"{text} is no number of JSON")


def _whole_number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return Unreadable(f"a number of {len(text)} digits")


_DECODER = json.JSONDecoder(object_pairs_hook=_object_of, parse_constant=_no_number)
_PATIENT = json.JSONDecoder(object_pairs_hook=_object_of, parse_constant=_strange_number, parse_int=_whole_number)
