"""The fields of one record, as a mapping reads them: what was read is remembered, and nothing else counts.

The digest of a record is made of what the mapping read. So a field that an interface ignores changes no event without
being listed anywhere, and a field that cannot be read fails the record only when the mapping asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import orjson

from adapters.core import Lost, Unreadable
from schemas.identifiers import InvalidIdentifier
from schemas.ids import digest

T = TypeVar("T")
Converter = Callable[[Any, str], T]
"""A value and the name of its field to what the value means. Raises ValueError that names the field."""

LONGEST_NAME = 120
"""So many characters has a family or given name of an event."""
_NESTED = frozenset({dict, list, Unreadable})
"""Types of values that are read otherwise than as they are."""


class Fields:
    """The fields of a record or of a group in it; a group inside is `Fields` again, a table a list of them."""

    __slots__ = ("_data", "_inner", "_seen", "lost")

    def __init__(self, data: Mapping[str, Any], lost: list[Lost] | None = None) -> None:
        self._data = data
        self._seen: dict[str, Any] = {}
        self._inner: dict[str, Any] | None = None  # made once a group is read: most have none
        self.lost: list[Lost] = [] if lost is None else lost

    def __getitem__(self, name: str) -> Any:
        """The value. Raises ValueError if it is absent or cannot be read."""
        try:
            value = self._data[name]
        except KeyError:
            raise ValueError(f"{name} is absent") from None
        if type(value) not in _NESTED:  # nearly all
            self._seen[name] = value
            return value
        return self._other(name, value)

    def get(self, name: str) -> Any:
        """The value, None if it is absent. Raises ValueError if it cannot be read."""
        value = self._data.get(name)
        if type(value) not in _NESTED:
            self._seen[name] = value
            return value
        return self._other(name, value)

    def text(self, name: str) -> str | None:
        """The text, None if it is absent or blank. Raises ValueError if it is no text or cannot be read."""
        value = self._data.get(name)
        if type(value) is str:
            self._seen[name] = value
            return value or None
        if self.get(name) is not None:
            raise ValueError(f"{name} is no text")
        return None

    def need(self, name: str, convert: Converter[T]) -> T:
        """What the value means. Raises ValueError if it is absent, cannot be read, or means nothing."""
        value = self._data.get(name)
        if type(value) is str:  # nearly all; others take the long way
            self._seen[name] = value
            return convert(value, name)
        if isinstance(value := self[name], Fields):
            raise ValueError(_grouped(name))
        return convert(value, name)

    def present(self, name: str, convert: Converter[T]) -> T | None:
        """What the value means, None if it is absent or blank. Raises ValueError if it means nothing."""
        if isinstance(value := self.get(name), Fields):
            raise ValueError(_grouped(name))
        return None if value is None or value == "" else convert(value, name)

    def optional(self, name: str, convert: Converter[T], *, event: bool = False) -> T | None:
        """What the value means, None if it is absent or blank.

        A value that cannot be read or means nothing costs itself: it is noted in `lost`, and the record goes on.
        `event`: an event of the record is made of it, which earlier versions may have had, and which stands then.
        """
        value = self._data.get(name)
        if value is None or value == "":
            self._seen[name] = None
            return None
        try:
            if type(value) not in _NESTED:  # nearly all
                self._seen[name] = value
            elif isinstance(value := self._other(name, value), Fields):
                raise ValueError(_grouped(name))
            return convert(value, name)
        except ValueError as error:
            reason = _reason(name, error) if isinstance(error, InvalidIdentifier) else str(error)
            self.lose(name, reason, event=event)
            return None

    def several(self, name: str, values: Iterable[Any] | None, convert: Converter[T]) -> list[T]:
        """What several values of a field mean, as far as they are not blank; one that is wrong costs itself alone."""
        results = []
        for value in values or ():
            if value is None or value == "":
                continue
            try:
                results.append(convert(value, name))
            except ValueError as error:
                self.lost.append(Lost(name, _reason(name, error)))
        return results

    def period(self, since: str, through: str, convert: Converter[datetime], called: str) -> tuple[datetime, datetime]:
        """From when to when two fields tell. Raises ValueError, also if it ends before it begins."""
        begin, end = self.need(since, convert), self.need(through, convert)
        if end < begin:
            raise ValueError(f"{called} runs backwards")
        return begin, end

    def lose(self, name: str, reason: str, *, event: bool = False) -> None:
        """Note that an optional value is wrong, and go on as if it were absent."""
        self._seen.setdefault(name, None)
        self.lost.append(Lost(name, reason, event))

    def fitting(self, name: str, value: str) -> str:
        """A name as long as events have it; what stands behind that is cut off, and noted in `lost`."""
        if len(value) <= LONGEST_NAME:
            return value
        self.lost.append(Lost(name, f"{name} has more than {LONGEST_NAME} characters: the rest of them"))
        return value[:LONGEST_NAME].rstrip()

    def group(self, name: str) -> Fields | None:
        """The group of that name, None if it is absent. Raises ValueError if it is no group."""
        if self._inner is not None and type(known := self._inner.get(name)) is Fields:
            return known
        value = self.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, Fields):
            return value
        raise ValueError(f"{name} is no group of fields")

    def groups(self, name: str) -> list[Fields]:
        """The groups in the table of that name, none if it is absent; what is no group is left out."""
        value = self.get(name)
        if not isinstance(value, list):
            return []
        return [each for each in value if isinstance(each, Fields)]

    def within(self, path: str) -> tuple[Fields | None, str]:
        """Where a path such as `TravelInfo/Number` leads: the group, None if it is absent, and the last name."""
        steps, name = _steps(path)
        at: Fields | None = self
        for step in steps:
            at = at.group(step) if at is not None else None
        return at, name

    def __contains__(self, name: str) -> bool:
        present = name in self._data
        self._seen.setdefault(name, present)
        return present

    def __iter__(self) -> Iterator[str]:
        """The names, in their order; which there are counts as read."""
        self._seen["*"] = list(self._data)
        return iter(self._data)

    def __bool__(self) -> bool:
        return bool(self._data)

    def digest(self) -> str:
        """Of all that was read."""
        try:
            return digest(orjson.dumps(self._seen, option=orjson.OPT_SORT_KEYS, default=str))
        except TypeError:  # numbers of more than 64 bits, characters that UTF-8 does not have
            return digest(json.dumps(self._seen, sort_keys=True, default=str).encode())

    def _other(self, name: str, value: Any) -> Any:
        """A value that is neither text nor a whole number."""
        kind = type(value)
        if kind is Unreadable:
            raise ValueError(value.reason)
        if kind is not dict and (kind is not list or (len(value) == 1 and type(value[0]) is str)):
            self._seen[name] = value
            return value
        if self._inner is None:
            self._inner = {}
        elif (known := self._inner.get(name)) is not None:
            return known
        if kind is dict:
            known = Fields(value, self.lost)
            self._seen[name] = _seen_of(known)
        elif len(value) == 1 and type(value[0]) is dict:  # nearly all
            known = [Fields(value[0], self.lost)]
            self._seen[name] = [known[0]._seen]
        elif all(type(each) is dict for each in value):
            known = [Fields(each, self.lost) for each in value]
            self._seen[name] = [each._seen for each in known]
        else:
            known = self._wrapped(value)
            self._seen[name] = _seen_of(known)
        self._inner[name] = known
        return known

    def _wrapped(self, value: Any) -> Any:
        if type(value) is str:
            return value
        if isinstance(value, dict):
            return Fields(value, self.lost)
        if isinstance(value, list):
            return [self._wrapped(each) for each in value]
        if isinstance(value, Unreadable):
            raise ValueError(value.reason)
        return value


def _grouped(name: str) -> str:
    return f"{name} is a group of fields where a value is expected"


def _reason(name: str, error: ValueError) -> str:
    """What is wrong with a value, by the field's name and without an identifier."""
    reason = error.without_value() if isinstance(error, InvalidIdentifier) else str(error)
    return reason if reason.startswith(name) else f"{name}: {reason}"


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[tuple[str, ...], str]:
    *steps, name = path.split("/")
    return tuple(steps), name


def _seen_of(value: Any) -> Any:
    if isinstance(value, Fields):
        return value._seen
    if isinstance(value, list):
        return [_seen_of(each) for each in value]
    return value
