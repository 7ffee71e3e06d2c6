"""A COBOL record description (copybook) read into a tree of items. What is not understood is an error with its line.

Understood: levels 01 to 49, 77 and 88; PIC of X, A, 9, S, V; DISPLAY, COMP, COMP-4, BINARY, COMP-3, PACKED-DECIMAL;
SIGN LEADING or TRAILING, SEPARATE; OCCURS, also DEPENDING ON; REDEFINES; VALUE (of interest in level 88 only).
Reference format: columns 1 to 6 and 73 to 80 are no text, column 7 marks comments and continued lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from adapters.formats.ebcdic import binary_size, packed_size


class CopybookError(ValueError):
    """The copybook says something that is not understood; the message has the line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


class Usage(StrEnum):
    """How a number is kept. Text is always DISPLAY."""

    DISPLAY = "DISPLAY"
    BINARY = "BINARY"
    PACKED = "PACKED-DECIMAL"


@dataclass(frozen=True, slots=True)
class Picture:
    """`X(n)` has a width only; a number has digits, of them `scale` behind the point."""

    numeric: bool
    width: int  # characters or digits
    signed: bool = False
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Occurs:
    """`least` and `most` differ where the number depends on a field that stands before."""

    least: int
    most: int
    depending: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Level 88: a name for some values (single ones, or from-to pairs)."""

    name: str
    values: tuple[str | tuple[str, str], ...]


@dataclass(frozen=True)
class Item:
    """One entry: a group with children, or an elementary field with a picture. What is derived is kept: reading asks
    for it millions of times."""

    level: int
    name: str  # FILLER if it has none
    line: int
    picture: Picture | None = None
    usage: Usage | None = None
    sign_leading: bool = False
    sign_separate: bool = False
    occurs: Occurs | None = None
    redefines: str | None = None
    children: tuple[Item, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @cached_property
    def size(self) -> int:
        """Bytes of one occurrence, the greatest if they vary."""
        if self.picture is None:
            return sum(area for area, _ in _areas(self.children))
        if not self.picture.numeric or self.usage in (None, Usage.DISPLAY):
            return self.picture.width + self.sign_separate
        if self.usage is Usage.PACKED:
            return packed_size(self.picture.width)
        return binary_size(self.picture.width)

    @cached_property
    def total(self) -> int:
        """Bytes of all occurrences, the greatest if they vary."""
        return self.size * (self.occurs.most if self.occurs else 1)

    @cached_property
    def families(self) -> list[tuple[int, Item, tuple[Item, ...]]]:
        """The children: bytes of the storage, who described it first, those that redefine it."""
        return [(area, family[0], tuple(family[1:])) for area, family in _areas(self.children)]


def _areas(children: tuple[Item, ...]) -> list[tuple[int, list[Item]]]:
    """Children that share storage, with its bytes."""
    found: list[list[Item]] = []
    for child in children:
        if child.redefines is None:
            found.append([child])
        else:
            found[-1].append(child)
    return [(max(item.total for item in family), family) for family in found]


@dataclass(slots=True)
class _Word:
    text: str
    line: int
    literal: bool = False


@dataclass(slots=True)
class _Open:
    """An entry that may still get children."""

    item: Item
    children: list[Item] = field(default_factory=list)


_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^\s'\"]+|['\"]")
_REPEAT = re.compile(r"([XA9])(?:\((\d{1,5})\))?")
_NUMBER = re.compile(r"(S?)((?:9(?:\(\d{1,5}\))?)*)(?:V((?:9(?:\(\d{1,5}\))?)*))?")
_TEXT = re.compile(r"(?:[XA](?:\(\d{1,5}\))?)+")
_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9_-]{0,29})")
_USAGES = {
    "DISPLAY": Usage.DISPLAY,
    "COMP": Usage.BINARY,
    "COMPUTATIONAL": Usage.BINARY,
    "COMP-4": Usage.BINARY,
    "COMPUTATIONAL-4": Usage.BINARY,
    "BINARY": Usage.BINARY,
    "COMP-3": Usage.PACKED,
    "COMPUTATIONAL-3": Usage.PACKED,
    "PACKED-DECIMAL": Usage.PACKED,
}


def parse(text: str) -> Item:
    """The record that a copybook describes: its one 01 level. Raises CopybookError."""
    stack: list[_Open] = []
    record: Item | None = None
    for words in _sentences(_lines(text)):
        entry = _entry(words)
        if isinstance(entry, Condition):
            if not stack:
                raise CopybookError(words[0].line, "a condition without a field")
            last = stack[-1]
            last.item = replace(last.item, conditions=(*last.item.conditions, entry))
            continue
        while stack and stack[-1].item.level >= entry.level:
            record = _close(stack) or record
        if not stack and record is not None:
            raise CopybookError(entry.line, "a second record; one copybook describes one")
        if stack and stack[-1].item.picture is not None:
            raise CopybookError(entry.line, f"{entry.name} stands below {stack[-1].item.name}, which has a picture")
        if stack and entry.level in (1, 77):
            raise CopybookError(entry.line, f"level {entry.level:02} inside a record")
        if not stack and entry.level not in (1, 77):
            raise CopybookError(entry.line, "the record begins with level 01")
        _check_redefines(stack, entry)
        stack.append(_Open(entry))
    while stack:
        record = _close(stack) or record
    if record is None:
        raise CopybookError(1, "no record")
    _check_depending(record)
    return record


def _close(stack: list[_Open]) -> Item | None:
    """Finishes the innermost entry; the record itself once that was it."""
    done = stack.pop()
    item = replace(done.item, children=tuple(done.children))
    if item.picture is None and not item.children:
        raise CopybookError(item.line, f"{item.name} has neither picture nor fields")
    if item.picture is None and (item.sign_separate or item.sign_leading):
        raise CopybookError(item.line, f"SIGN on the group {item.name} is not understood")
    if item.picture is None and item.usage is not None:
        item = replace(item, children=tuple(_inherit(child, item.usage) for child in item.children), usage=None)
    if stack:
        stack[-1].children.append(item)
        return None
    return item


def _inherit(item: Item, usage: Usage) -> Item:
    """A usage said for a group holds for the numbers in it."""
    if item.picture is None:
        return replace(item, children=tuple(_inherit(child, usage) for child in item.children))
    if not item.picture.numeric and usage is not Usage.DISPLAY:
        raise CopybookError(item.line, f"{item.name}: text cannot be {usage.value}")
    return item if item.usage is not None else replace(item, usage=usage)


def _check_redefines(stack: list[_Open], entry: Item) -> None:
    if entry.redefines is None:
        return
    before = stack[-1].children if stack else []
    family = [item for item in before[-1:] if item.level == entry.level]
    for item in reversed(before):
        if item.redefines is None:
            family = [item]
            break
    if not family or family[0].name != entry.redefines:
        raise CopybookError(entry.line, f"{entry.name} redefines {entry.redefines}, which does not stand before it")
    if family[0].occurs is not None:
        raise CopybookError(entry.line, f"{entry.name} redefines a table")


def _check_depending(record: Item) -> None:
    """A number of occurrences stands before the table, outside of tables."""
    seen: dict[str, Item] = {}

    def walk(item: Item, *, repeated: bool) -> None:
        if item.occurs is not None and item.occurs.depending is not None:
            counter = seen.get(item.occurs.depending)
            if counter is None or counter.picture is None or not counter.picture.numeric or counter.picture.scale:
                raise CopybookError(
                    item.line, f"{item.name} depends on {item.occurs.depending}, no whole number before it"
                )
            if repeated:
                raise CopybookError(item.line, f"{item.name} varies inside a table, which is not understood")
        if not repeated and item.occurs is None:
            seen[item.name] = item
        for child in item.children:
            walk(child, repeated=repeated or item.occurs is not None)

    walk(record, repeated=False)


def _lines(text: str) -> list[tuple[int, str]]:
    """The program text of each line: columns 8 to 72, comments gone, continued lines joined."""
    found: list[tuple[int, str]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.expandtabs(8)
        mark, body = line[6:7], line[7:72]
        if not line.strip() or mark in ("*", "/", "D", "d"):
            continue
        if mark == "-":
            if not found:
                raise CopybookError(number, "nothing to continue")
            found[-1] = (found[-1][0], _continued(*found[-1], body, number))
        elif mark in ("", " "):
            found.append((number, body))
        else:
            raise CopybookError(number, f"column 7 holds {mark!r}")
    return found


def _continued(_: int, before: str, body: str, number: int) -> str:
    """A word goes on where it stopped; a literal, behind a repeated quotation mark, after the line's 65 columns."""
    quote = next((mark for mark in "'\"" if before.count(mark) % 2), None)
    if quote is None:
        return before.rstrip() + body.lstrip()
    if not body.lstrip().startswith(quote):
        raise CopybookError(number, "a literal goes on without its quotation mark")
    return before.ljust(65) + body.lstrip()[1:]


def _sentences(lines: list[tuple[int, str]]) -> list[list[_Word]]:
    """Words up to a full stop; a full stop is one that a blank or the line's end follows."""
    sentences: list[list[_Word]] = []
    words: list[_Word] = []
    for number, body in lines:
        for match in _TOKEN.finditer(body):
            token = match.group()
            if token in ("'", '"'):
                raise CopybookError(number, "a literal without an end")
            if token[0] in "'\"":
                words.append(_Word(token[1:-1].replace(token[0] * 2, token[0]), number, literal=True))
                continue
            stops = token.endswith(".")
            token = token.rstrip(".").rstrip(",;")
            if token:
                words.append(_Word(token.upper(), number))
            if stops:
                if words:
                    sentences.append(words)
                words = []
    if words:
        raise CopybookError(words[-1].line, "the last entry has no full stop")
    return sentences


class _Words:
    """The words of one entry, taken one by one."""

    def __init__(self, words: list[_Word]) -> None:
        self._words = words
        self._next = 0
        self.line = words[0].line

    def more(self) -> bool:
        return self._next < len(self._words)

    def take(self, what: str) -> _Word:
        if not self.more():
            raise CopybookError(self.line, f"{what} is missing")
        word = self._words[self._next]
        self._next += 1
        self.line = word.line
        return word

    def skip(self, *texts: str) -> bool:
        if self.more() and not self._words[self._next].literal and self._words[self._next].text in texts:
            self._next += 1
            return True
        return False

    def peek(self) -> str:
        return self._words[self._next].text if self.more() else ""

    def number(self, what: str) -> int:
        word = self.take(what)
        if not word.text.isdecimal() or not word.text.isascii() or len(word.text) > 6:
            raise CopybookError(word.line, f"{what}: {word.text!r} is no number")
        return int(word.text)

    def name(self, what: str) -> str:
        word = self.take(what)
        if word.literal or not _NAME.fullmatch(word.text):
            raise CopybookError(word.line, f"{what}: {word.text!r} is no name")
        return word.text


_CLAUSES = frozenset(
    {"PIC", "PICTURE", "USAGE", "OCCURS", "REDEFINES", "VALUE", "VALUES", "SIGN", "LEADING", "TRAILING", *_USAGES}
)


def _entry(sentence: list[_Word]) -> Item | Condition:
    words = _Words(sentence)
    line = words.line
    level = words.number("a level number")
    if level == 88:
        name = words.name("a condition name")
        return Condition(name, _values(words))
    if not 1 <= level <= 49 and level != 77:
        raise CopybookError(line, f"level {level:02} is not understood")
    name = "FILLER"
    if words.more() and words.peek() not in _CLAUSES:
        name = words.name("a field name")
    item = Item(level=level, name=name, line=line)
    if words.skip("REDEFINES"):
        item = replace(item, redefines=words.name("the redefined field"))
    while words.more():
        item = _clause(words, item)
    _check(item)
    return item


def _clause(words: _Words, item: Item) -> Item:
    word = words.take("a clause")
    match word.text:
        case "PIC" | "PICTURE":
            words.skip("IS")
            if item.picture is not None:
                raise CopybookError(word.line, f"{item.name} has two pictures")
            return replace(item, picture=_picture(words.take("a picture")))
        case "USAGE":
            words.skip("IS")
            usage = words.take("a usage")
            if usage.text not in _USAGES:
                raise CopybookError(usage.line, f"USAGE {usage.text} is not understood")
            return replace(item, usage=_USAGES[usage.text])
        case text if text in _USAGES:
            return replace(item, usage=_USAGES[text])
        case "OCCURS":
            return replace(item, occurs=_occurs(words))
        case "SIGN" | "LEADING" | "TRAILING":
            return _sign(words, item, word)
        case "VALUE" | "VALUES":
            words.skip("IS", "ARE")
            words.skip("ALL")
            words.take("a value")
            return item
        case other:
            raise CopybookError(word.line, f"{other} is not understood")


def _sign(words: _Words, item: Item, word: _Word) -> Item:
    if word.text == "SIGN":
        words.skip("IS")
        word = words.take("LEADING or TRAILING")
    if word.text not in ("LEADING", "TRAILING"):
        raise CopybookError(word.line, f"SIGN {word.text} is not understood")
    separate = words.skip("SEPARATE")
    words.skip("CHARACTER")
    return replace(item, sign_leading=word.text == "LEADING", sign_separate=separate)


def _occurs(words: _Words) -> Occurs:
    line = words.line
    least = most = words.number("the number of occurrences")
    if words.skip("TO"):
        most = words.number("the greatest number of occurrences")
    words.skip("TIMES")
    depending = None
    if words.skip("DEPENDING"):
        words.skip("ON")
        depending = words.name("the field depended on")
    if words.skip("INDEXED"):
        words.skip("BY")
        words.name("an index")
    if (depending is None and least != most) or not 0 <= least <= most or most == 0:
        raise CopybookError(line, f"OCCURS {least} TO {most} is not understood")
    return Occurs(least if depending else most, most, depending)


def _values(words: _Words) -> tuple[str | tuple[str, str], ...]:
    if not words.skip("VALUE", "VALUES"):
        raise CopybookError(words.line, "a condition without VALUE")
    words.skip("IS", "ARE")
    values: list[str | tuple[str, str]] = []
    while words.more():
        first = words.take("a value").text
        if words.skip("THRU", "THROUGH"):
            values.append((first, words.take("a value").text))
        else:
            values.append(first)
    if not values:
        raise CopybookError(words.line, "a condition without values")
    return tuple(values)


def _picture(word: _Word) -> Picture:
    text = word.text
    if _TEXT.fullmatch(text):
        return Picture(numeric=False, width=_width(text))
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        raise CopybookError(word.line, f"PIC {text} is not understood")
    whole, scale = _width(match[2]), _width(match[3] or "")
    if not 0 < whole + scale <= 31:
        raise CopybookError(word.line, f"PIC {text} has {whole + scale} digits, at most 31")
    return Picture(numeric=True, width=whole + scale, signed=bool(match[1]), scale=scale)


def _width(symbols: str) -> int:
    return sum(int(count or 1) for _, count in _REPEAT.findall(symbols))


def _check(item: Item) -> None:
    """What fits together in one entry."""
    if item.picture is None:
        return
    numeric = item.picture.numeric
    if item.picture.width == 0:
        raise CopybookError(item.line, f"{item.name} has no length")
    if not numeric and item.usage not in (None, Usage.DISPLAY):
        raise CopybookError(item.line, f"{item.name}: text cannot be {item.usage.value if item.usage else ''}")
    if (item.sign_leading or item.sign_separate) and not (
        numeric and item.picture.signed and item.usage in (None, Usage.DISPLAY)
    ):
        raise CopybookError(item.line, f"{item.name}: SIGN needs a signed DISPLAY number")
    if item.usage is Usage.BINARY and item.picture.width > 18:
        raise CopybookError(item.line, f"{item.name}: binary numbers have at most 18 digits")
