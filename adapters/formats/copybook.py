"""A COBOL record description (copybook) read into a tree of items. What is not understood is an error with its line.

Understood: levels 01 to 49, 66, 77 and 88; PIC of X, A, 9, S, V, P, N, edited ones as the text that they are; DISPLAY,
COMP, COMP-4, BINARY, COMP-3, PACKED-DECIMAL, COMP-1, COMP-2, COMP-5, NATIONAL; SIGN LEADING or TRAILING, SEPARATE;
OCCURS, also DEPENDING ON, in tables too, its keys and indexes; REDEFINES; RENAMES; VALUE (of interest in level 88
only); GLOBAL, EXTERNAL (of none). Reference format: columns 1 to 6 and 73 to 80 are no text, column 7 marks comments
and continued lines.

Refused by name: SYNC, JUSTIFIED, BLANK WHEN ZERO, pictures with G, national numbers, two fields of one name in one
group.

A copybook without level 01 is made to be copied below one: its fields are those of a record named RECORD, and so is a
record that is one field. Of several records one is read, by its name. A FILLER with named fields in it is no filler:
they are called FILLER-1, FILLER-2 ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import count

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
    NATIVE = "COMP-5"
    FLOAT = "COMP-1"
    DOUBLE = "COMP-2"
    NATIONAL = "NATIONAL"


FLOATS = {Usage.FLOAT: 4, Usage.DOUBLE: 8}
"""Bytes of the numbers that have no picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`X(n)` has a width only; a number has digits, of them `scale` behind the point.

    With P in it the point lies outside of the digits: a scale above their number, or below zero.
    """

    numeric: bool
    width: int  # characters or digits
    signed: bool = False
    scale: int = 0
    national: bool = False  # text of two bytes a character


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


@dataclass(frozen=True, slots=True)
class Renames:
    """Level 66: another name for a field, or for all bytes from one to another."""

    name: str
    line: int
    first: str
    last: str


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
    renames: tuple[Renames, ...] = ()  # of a record

    @cached_property
    def size(self) -> int:
        """Bytes of one occurrence, the greatest if they vary."""
        if self.picture is None:
            return sum(area for area, _ in _areas(self.children))
        if self.usage in FLOATS:
            return FLOATS[self.usage]
        if self.picture.national:
            return 2 * self.picture.width
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
    def varies(self) -> bool:
        """Whether the number of entries in a table of it depends on a field."""
        return any(
            child.varies or (child.occurs is not None and child.occurs.depending is not None) for child in self.children
        )

    @cached_property
    def families(self) -> list[tuple[int, Item, tuple[Item, ...]]]:
        """The children: bytes of the storage, who described it first, those that redefine it."""
        return [(area, family[0], tuple(family[1:])) for area, family in _areas(self.children)]


def _areas(children: tuple[Item, ...]) -> list[tuple[int, list[Item]]]:
    """Children that share storage, with its bytes."""
    results: list[list[Item]] = []
    for child in children:
        if child.redefines is None:
            results.append([child])
        else:
            results[-1].append(child)
    return [(max(item.total for item in family), family) for family in results]


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
_REPEAT = re.compile(r"(9)(?:\((\d{1,5})\))?")
_NUMBER = re.compile(r"(S?)((?:9(?:\(\d{1,5}\))?)*)(?:V((?:9(?:\(\d{1,5}\))?)*))?")
_NINES = r"(?:9(?:\(\d{1,5}\))?)+"
_SHIFTS = r"(?:P(?:\(\d{1,5}\))?)+"
_SHIFTED = re.compile(rf"(S?)(?:V?({_SHIFTS})({_NINES})|({_NINES})({_SHIFTS})V?)")
"""Numbers whose point lies before or behind their digits."""
_POINT = re.compile(r"(P)(?:\((\d{1,5})\))?")
_NATIONAL = re.compile(r"(?:N(?:\(\d{1,5}\))?)+")
_WIDE = re.compile(r"(N)(?:\((\d{1,5})\))?")
_TEXT = re.compile(r"(?:(?:[XA9B0/Z*$+,.V-]|CR|DB)(?:\(\d{1,5}\))?)+")
"""Also numbers as they are printed: V takes no room in them, CR and DB two characters."""
_PRINTED = re.compile(r"([XA9B0/Z*$+,.-]|CR|DB)(?:\((\d{1,5})\))?")
_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9_-]{0,29})")
_LISTING = frozenset({"EJECT", "SKIP1", "SKIP2", "SKIP3"})
"""Lines that were meant for the printed listing."""
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
    "COMP-5": Usage.NATIVE,
    "COMPUTATIONAL-5": Usage.NATIVE,
    "COMP-1": Usage.FLOAT,
    "COMPUTATIONAL-1": Usage.FLOAT,
    "COMP-2": Usage.DOUBLE,
    "COMPUTATIONAL-2": Usage.DOUBLE,
    "NATIONAL": Usage.NATIONAL,
}


def parse(text: str, name: str | None = None) -> Item:
    """The record that a copybook describes: the only one, or the one of that name. Raises CopybookError."""
    by_name: dict[str, Item] = {}
    stack: list[_Open] = []
    for words in _sentences(_lines(text)):
        entry = _entry(words)
        if isinstance(entry, Condition):
            if not stack:
                raise CopybookError(words[0].line, "a condition without a field")
            last = stack[-1]
            last.item = replace(last.item, conditions=(*last.item.conditions, entry))
            continue
        if isinstance(entry, Renames):
            _rename(stack, entry)
            continue
        while stack and stack[-1].item.level >= entry.level:
            _close(stack, by_name)
        if stack and stack[-1].item.picture is not None:
            raise CopybookError(entry.line, f"{entry.name} stands below {stack[-1].item.name}, which has a picture")
        if stack and entry.level in (1, 77):
            raise CopybookError(entry.line, f"level {entry.level:02} inside a record")
        if not stack and entry.level not in (1, 77):
            if by_name:
                raise CopybookError(entry.line, f"{entry.name} stands in no record")
            stack.append(_Open(Item(0, "RECORD", entry.line)))
        stack.append(_Open(_redefining(stack, entry, by_name)))
    while stack:
        _close(stack, by_name)
    return _selected(by_name, name)


def _rename(stack: list[_Open], entry: Renames) -> None:
    """Keeps another name with its record, which level 66 ends."""
    if not stack or stack[0].item.level > 1:
        raise CopybookError(entry.line, f"{entry.name} renames fields of no record")
    record = stack[0]
    record.item = replace(record.item, renames=(*record.item.renames, entry))


def _check_renames(record: Item) -> None:
    """What is renamed stands in the record once, in no table, and in order."""
    places: dict[str, list[tuple[int, bool]]] = {}

    def walk(item: Item, inside: bool) -> None:
        for child in item.children:
            table = inside or child.occurs is not None
            places.setdefault(child.name, []).append((len(places), table))
            walk(child, table)

    walk(record, False)
    for one in record.renames:
        for name in (one.first, one.last):
            if len(places.get(name, ())) != 1 or places[name][0][1]:
                raise CopybookError(one.line, f"{one.name} renames {name}, which is no field of its own in the record")
        if places[one.last] < places[one.first]:
            raise CopybookError(one.line, f"{one.name} renames {one.first} through {one.last}, which stands before it")


def _selected(records: dict[str, Item], name: str | None) -> Item:
    """The record that is meant, whole and checked."""
    if not records:
        raise CopybookError(1, "no record")
    if name is None and len(records) > 1:
        second = list(records.values())[1]
        raise CopybookError(second.line, f"a second record; say which is meant: {', '.join(records)}")
    record = next(iter(records.values())) if name is None else records.get(name.upper())
    if record is None:
        raise CopybookError(1, f"no record {name}; there are {', '.join(records)}")
    if record.picture is not None:
        record = Item(0, "RECORD", record.line, children=(record,))
    _check_names(record)
    _check_renames(record)
    _check_depending(record)
    return _without_fillers(record)


def _close(stack: list[_Open], records: dict[str, Item]) -> None:
    """Finishes the innermost entry: a field of the one around it, or a record."""
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
    elif item.name in records:
        raise CopybookError(item.line, f"a second record {item.name}")
    else:
        records[item.name] = item


def _inherit(item: Item, usage: Usage) -> Item:
    """A usage said for a group holds for the numbers in it."""
    if item.picture is None:
        return replace(item, children=tuple(_inherit(child, usage) for child in item.children))
    national = item.picture.national and usage is Usage.NATIONAL
    if not item.picture.numeric and usage is not Usage.DISPLAY and not national:
        raise CopybookError(item.line, f"{item.name}: text cannot be {usage.value}")
    return item if item.usage is not None else replace(item, usage=usage)


def _redefining(stack: list[_Open], entry: Item, records: dict[str, Item]) -> Item:
    """The entry, with what it redefines checked: the field before it, or one that redefines the same."""
    if entry.redefines is None:
        return entry
    if not stack and entry.redefines in records:  # records of one file share its storage as it is
        return replace(entry, redefines=None)
    family: list[Item] = []
    for item in reversed(stack[-1].children if stack else []):
        family.append(item)
        if item.redefines is None:
            break
    if entry.redefines not in [item.name for item in family]:
        raise CopybookError(entry.line, f"{entry.name} redefines {entry.redefines}, which does not stand before it")
    if family[-1].occurs is not None:
        raise CopybookError(entry.line, f"{entry.name} redefines a table")
    return entry


def _check_names(group: Item) -> None:
    """A group's fields are told apart by their names."""
    seen: set[str] = set()
    for child in group.children:
        if child.name in seen:
            raise CopybookError(child.line, f"a second {child.name} in {group.name}")
        if child.name != "FILLER":
            seen.add(child.name)
        _check_names(child)


def _without_fillers(record: Item) -> Item:
    """The record with a name for every filler that has named fields in it."""
    taken: set[str] = set()

    def collect(item: Item) -> None:
        taken.add(item.name)
        for child in item.children:
            collect(child)

    def named(item: Item) -> bool:
        return any(child.name != "FILLER" or named(child) for child in item.children)

    def free() -> str:
        number = next(number for number in count(1) if f"FILLER-{number}" not in taken)
        taken.add(f"FILLER-{number}")
        return f"FILLER-{number}"

    def renamed(item: Item) -> Item:
        name = free() if item.name == "FILLER" and named(item) else item.name
        return replace(item, name=name, children=tuple(renamed(child) for child in item.children))

    collect(record)
    return renamed(record)


def _check_depending(record: Item) -> None:
    """A number of occurrences stands before its table, and in no other table than those that the table is in."""

    def walk(item: Item, seen: dict[str, Item]) -> None:
        if item.occurs is not None:
            counter = seen.get(item.occurs.depending or "")
            if item.occurs.depending is not None and (
                counter is None or counter.picture is None or not counter.picture.numeric or counter.picture.scale
            ):
                raise CopybookError(
                    item.line, f"{item.name} depends on {item.occurs.depending}, no whole number before it"
                )
            seen = dict(seen)  # what stands in a table is seen there
        else:
            seen[item.name] = item
        for child in item.children:
            walk(child, seen)

    walk(record, {})


def _lines(text: str) -> list[tuple[int, str]]:
    """The program text of each line: columns 8 to 72, comments gone, continued lines joined."""
    results: list[tuple[int, str]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.expandtabs(8)
        mark, body = line[6:7], line[7:72]
        if not line.strip() or mark in ("*", "/", "D", "d"):
            continue
        if mark == "-":
            if not results:
                raise CopybookError(number, "nothing to continue")
            results[-1] = (results[-1][0], _continued(*results[-1], body, number))
        elif mark in ("", " "):
            if body.strip(" .").upper() not in _LISTING:
                results.append((number, _without_comment(body)))
        else:
            raise CopybookError(number, f"column 7 holds {mark!r}; text begins in column 8")
    return results


def _without_comment(body: str) -> str:
    """A line up to `*>`, if that stands in no literal."""
    for match in _TOKEN.finditer(body):
        if match.group().startswith("*>"):
            return body[: match.start()]
    return body


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

    def literal(self) -> bool:
        return self.more() and self._words[self._next].literal

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
    | {"IS", "GLOBAL", "EXTERNAL"}
)
_OF_TABLES = frozenset({"ASCENDING", "DESCENDING", "INDEXED", "DEPENDING"})
_CONSTANTS = frozenset(
    """ZERO ZEROS ZEROES SPACE SPACES HIGH-VALUE HIGH-VALUES LOW-VALUE LOW-VALUES QUOTE QUOTES NULL NULLS""".split()
)
_SIGNED = re.compile(r"[+-]?\d*[.,]?\d+")
_PREFIXES = ("X", "N", "G", "Z", "NX")
"""Letters before a literal: hexadecimal and national ones."""


def _entry(sentence: list[_Word]) -> Item | Condition | Renames:
    words = _Words(sentence)
    line = words.line
    level = words.number("a level number")
    if level == 88:
        name = words.name("a condition name")
        return Condition(name, _values(words))
    if level == 66:
        return _renames(words)
    if not 1 <= level <= 49 and level != 77:
        raise CopybookError(line, f"level {level:02} is not understood")
    name = "FILLER"
    if words.more() and words.peek() not in _CLAUSES:
        name = words.name("a field name")
    item = Item(level=level, name=name, line=line)
    while words.more():
        item = _clause(words, item)
    if item.usage in FLOATS:
        if item.picture is not None:
            raise CopybookError(line, f"{item.name}: {item.usage.value if item.usage else ''} has no picture")
        item = replace(item, picture=Picture(numeric=True, width=FLOATS[item.usage], signed=True))
    _check(item)
    return item


def _renames(words: _Words) -> Renames:
    line = words.line
    name = words.name("a field name")
    if not words.skip("RENAMES"):
        raise CopybookError(line, f"level 66 without RENAMES: {name}")
    first = last = words.name("the renamed field")
    if words.skip("THRU", "THROUGH"):
        last = words.name("the last renamed field")
    if words.more():
        raise CopybookError(words.line, f"{words.peek()} is not understood")
    return Renames(name, line, first, last)


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
        case "REDEFINES":
            return replace(item, redefines=words.name("the redefined field"))
        case "OCCURS":
            return replace(item, occurs=_occurs(words))
        case "SIGN" | "LEADING" | "TRAILING":
            return _sign(words, item, word)
        case "IS" if words.peek() in ("GLOBAL", "EXTERNAL"):
            return item
        case "GLOBAL" | "EXTERNAL":  # which programs see it is no matter here
            return item
        case "VALUE" | "VALUES":
            words.skip("IS", "ARE")
            _value(words)
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
    ranged = words.skip("TO")
    if ranged:
        most = words.number("the greatest number of occurrences")
    words.skip("TIMES", "TIME")
    depending = None
    while words.peek() in _OF_TABLES:
        if words.skip("DEPENDING"):
            words.skip("ON")
            depending = words.name("the field depended on")
            continue
        words.take("a clause")  # the order of the entries and how programs number them are no matter here
        words.skip("KEY")
        words.skip("IS", "BY")
        words.name("a key or index")
        while words.more() and words.peek() not in _CLAUSES | _OF_TABLES:
            words.name("a key or index")
    if (depending is None and least != most) or not 0 <= least <= most or most == 0:
        raise CopybookError(line, f"OCCURS {least} TO {most} is not understood")
    if depending is None:
        return Occurs(most, most)
    return Occurs(least if ranged else 1, most, depending)  # the least number is 1 where none is said


def _value(words: _Words) -> str:
    """One value: a word or number, or a literal behind what says how it is written."""
    words.skip("ALL")
    word = words.take("a value")
    if not word.literal and word.text in _PREFIXES and words.literal():
        return f"{word.text}'{words.take('a literal').text}'"
    if not word.literal and word.text not in _CONSTANTS and not _SIGNED.fullmatch(word.text):
        raise CopybookError(word.line, f"{word.text!r} is no value")
    return word.text


def _values(words: _Words) -> tuple[str | tuple[str, str], ...]:
    if not words.skip("VALUE", "VALUES"):
        raise CopybookError(words.line, "a condition without VALUE")
    words.skip("IS", "ARE")
    values: list[str | tuple[str, str]] = []
    while words.more():
        if words.skip("WHEN", "FALSE"):  # WHEN SET TO FALSE IS: what a program writes for not
            words.skip("SET")
            words.skip("TO")
            words.skip("FALSE")
            words.skip("IS")
            _value(words)
            if words.more():
                raise CopybookError(words.line, f"{words.peek()} is not understood")
            break
        first = _value(words)
        values.append((first, _value(words)) if words.skip("THRU", "THROUGH") else first)
    if not values:
        raise CopybookError(words.line, "a condition without values")
    return tuple(values)


def _picture(word: _Word) -> Picture:
    text = word.text
    if _NATIONAL.fullmatch(text):
        return Picture(numeric=False, width=_width(text, _WIDE), national=True)
    if (shifted := _SHIFTED.fullmatch(text)) is not None:
        return _shifted(word, shifted)
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        if not _TEXT.fullmatch(text):
            raise CopybookError(word.line, f"PIC {text} is not understood")
        return Picture(numeric=False, width=_width(text, _PRINTED))
    whole, scale = _width(match[2]), _width(match[3] or "")
    if not 0 < whole + scale <= 31:
        raise CopybookError(word.line, f"PIC {text} has {whole + scale} digits, at most 31")
    return Picture(numeric=True, width=whole + scale, signed=bool(match[1]), scale=scale)


def _shifted(word: _Word, match: re.Match[str]) -> Picture:
    """A number with P in its picture: the places that are not kept."""
    sign, before, nines, digits, behind = match.groups()
    width = _width(nines or digits)
    places = _width(before or behind, _POINT)
    if width + places > 31:
        raise CopybookError(word.line, f"PIC {word.text} has {width + places} digits, at most 31")
    return Picture(numeric=True, width=width, signed=bool(sign), scale=width + places if before else -places)


def _width(symbols: str, of: re.Pattern[str] = _REPEAT) -> int:
    return sum(int(count or 1) * len(symbol) for symbol, count in of.findall(symbols))


def _check(item: Item) -> None:
    """What fits together in one entry."""
    if item.picture is None:
        return
    numeric = item.picture.numeric
    if item.picture.width == 0:
        raise CopybookError(item.line, f"{item.name} has no length")
    if item.usage is Usage.NATIONAL and not item.picture.national:
        raise CopybookError(item.line, f"{item.name}: only pictures of N are understood as NATIONAL")
    if item.picture.national and item.usage in (None, Usage.NATIONAL):
        return
    if not numeric and item.usage not in (None, Usage.DISPLAY):
        raise CopybookError(item.line, f"{item.name}: text cannot be {item.usage.value if item.usage else ''}")
    if (item.sign_leading or item.sign_separate) and not (
        numeric and item.picture.signed and item.usage in (None, Usage.DISPLAY)
    ):
        raise CopybookError(item.line, f"{item.name}: SIGN needs a signed DISPLAY number")
    if item.usage in (Usage.BINARY, Usage.NATIVE) and item.picture.width > 18:
        raise CopybookError(item.line, f"{item.name}: binary numbers have at most 18 digits")
