"""A copybook's short way: where every field lies is known beforehand, so a record that is right is read in one go.

What a plan says of a record is what `layout` says of it field by field; whatever is not plainly right is left to that.
There is a plan only where fields have fixed places: no table whose length another field tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from adapters.formats.copybook import FLOATS, Item, Usage

MOST = 4_096
"""Steps of a plan; tables are written out in it."""
_PLUS = "cf"
"""Half-bytes that are plus in numbers with and without sign; of the others the long way knows more."""
Read = Callable[[Item, bytes], Any]
"""A field's value from its bytes. Raises ValueError."""


class Kind(Enum):
    """How a step reads."""

    TEXT = auto()
    DIGITS = auto()  # zoned
    PACKED = auto()
    NUMBER = auto()  # any other
    GROUP = auto()
    TABLE = auto()
    CHOICE = auto()


TEXT, DIGITS, PACKED, NUMBER, GROUP, TABLE, CHOICE = Kind


@dataclass(slots=True)
class Step:
    """One field at its place. What is under it stands in `inner`, for a choice by the name that is chosen."""

    kind: Kind
    item: Item
    start: int
    end: int
    name: str  # empty if the value is not kept
    asked: bool  # whether others may ask for the value
    inner: Sequence[Step] = ()
    by: str = ""
    groups: Mapping[str, str] | None = None
    where: slice = field(init=False)
    width: int = field(init=False)  # digits of a number

    def __post_init__(self) -> None:
        self.where = slice(self.start, self.end)
        self.width = self.item.picture.width if self.item.picture else 0


class Unplanned(Exception):
    """The layout has no plan."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything lies in a record of `size` bytes. `read` is the long way for one field."""

    steps: tuple[Step, ...]
    size: int
    page: str
    long_way: Read

    def read(self, data: bytes) -> dict[str, Any] | None:
        """The record's fields; nothing if it wants a closer look."""
        if len(data) != self.size:
            return None
        try:
            return _group(self.steps, data, data.decode(self.page), {}, self.long_way)
        except ValueError:
            return None


def plan_of(record: Item, page: str, choices: Mapping[str, Any], long_way: Read) -> Plan | None:
    """The plan of a layout, if it can have one. `choices` are the layout's."""
    if not _plain_page(page):
        return None
    try:
        steps = _Planning(choices).group(record, 0)
    except Unplanned:
        return None
    return Plan(tuple(steps), record.size, page, long_way)


def _plain_page(page: str) -> bool:
    """Whether each byte is one character of its own, and digits are where EBCDIC has them."""
    try:
        text = bytes(range(256)).decode(page)
    except ValueError:
        return False
    return len(set(text)) == len(text) == 256 and text[0xF0:0xFA] == "0123456789"


@dataclass(slots=True)
class _Planning:
    choices: Mapping[str, Any]
    steps: int = 0

    def group(self, group: Item, offset: int) -> list[Step]:
        """The steps of a group that begins at `offset`."""
        results: list[Step] = []
        for area, first, others in group.families:
            choice = self.choices.get(first.name)
            if choice is None:
                results.extend(self._item(first, offset))
            else:
                inner = [step for item in (first, *others) for step in self._item(item, offset, all=True)]
                step = Step(CHOICE, first, offset, offset + area, "", False, inner, choice.by, choice.groups)
                results.append(step)
            offset += area
        return results

    def _item(self, item: Item, offset: int, *, all: bool = False) -> list[Step]:
        """The step of an item, none for a filler that holds nothing, unless it may be chosen."""
        if item.occurs is None:
            step = self._one(item, offset)
            return [step] if all or item.name != "FILLER" or item.picture is None else []
        if item.occurs.depending is not None:
            raise Unplanned
        places = range(offset, offset + item.total, item.size or 1)
        inner = [self._one(item, place) for place in places[: item.occurs.most]]
        return [Step(TABLE, item, offset, offset + item.total, _kept(item), False, inner)]

    def _one(self, item: Item, offset: int) -> Step:
        self.steps += 1
        if self.steps > MOST or item.size == 0:
            raise Unplanned
        inner = [] if item.picture else self.group(item, offset)
        return Step(_kind(item), item, offset, offset + item.size, _kept(item), item.picture is not None, inner)


def _kept(item: Item) -> str:
    return "" if item.name == "FILLER" else item.name


def _kind(item: Item) -> Kind:
    if item.picture is None:
        return GROUP
    if not item.picture.numeric:
        return NUMBER if item.picture.national else TEXT
    if item.picture.scale or item.usage in FLOATS:
        return NUMBER
    if item.usage is Usage.PACKED:
        return PACKED
    return DIGITS if item.usage in (None, Usage.DISPLAY) and not item.sign_separate else NUMBER


def _group(steps: Sequence[Step], data: bytes, text: str, values: dict[str, Any], long_way: Read) -> dict[str, Any]:
    """What the steps find. Raises ValueError for what is wrong, or looks as if it were."""
    by_name: dict[str, Any] = {}
    for step in steps:
        kind = step.kind
        if kind is CHOICE:
            selected = _selected(step, values)
            if selected is None:
                continue
            step, kind = selected, selected.kind
        name = step.name
        if kind is TEXT and (value := text[step.where].rstrip(" \0")).isprintable():  # nearly all, so here as well
            pass
        else:
            value = _value(step, data, text, values, long_way)
        if name:
            by_name[name] = value
            if step.asked:
                values[name] = value
    return by_name


def _selected(step: Step, values: Mapping[str, Any]) -> Step | None:
    """The layout that the record means; none if it does not say. Raises ValueError if it says another."""
    value = values.get(step.by)
    name = (step.groups or {}).get(str(value))
    for inner in step.inner:
        if inner.item.name == name:
            return inner
    if value is not None:
        raise ValueError(f"{value!r} selects no layout")
    return None


def _value(step: Step, data: bytes, text: str, values: dict[str, Any], long_way: Read) -> Any:
    """The value of a step. Raises ValueError."""
    kind, where = step.kind, step.where
    if kind is TEXT:
        value = text[where].rstrip(" \0")
        if not step.name or value.isprintable():
            return value
    elif kind is DIGITS:
        digits = text[where]
        if digits.isascii() and digits.isdecimal():
            return int(digits)
    elif kind is PACKED:
        halves = data[where].hex()
        digits = halves[:-1]
        if halves[-1] in _PLUS and digits.isdecimal() and (len(digits) == step.width or halves[0] == "0"):
            return int(digits)
    elif kind is GROUP:
        return _group(step.inner, data, text, values, long_way)
    elif kind is TABLE:
        return [_value(inner, data, text, values, long_way) for inner in step.inner]
    return None if not step.name else long_way(step.item, data[where])
