"""A dead letter's bytes for the eye: fields beside their bytes, lines with the place marked, or hexadecimal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from adapters.core import Feed
from adapters.formats.fixed import FixedFormat
from services.dead_letters.topic import DeadLetter

_LINE = re.compile(r"\bline (\d+)")
_WIDTH = 16
_LONGEST_FIELD = 24
_MOST_LINES = 400


def display(feed: Feed | None, dead_letter: DeadLetter, raw: bytes) -> Iterator[str]:
    """Line by line, as the feed's format suggests."""
    if not raw:
        yield "(no bytes)"
    elif feed is not None and isinstance(feed.format, FixedFormat):
        yield from _fields(feed.format, raw)
    elif feed is not None and feed.format is None and raw[:1] == b"{":
        yield from _row(raw)
    elif (text := _text(raw)) is not None:
        yield from _lines(text, dead_letter.place)
    else:
        yield from hexadecimal(raw)


def _fields(format: FixedFormat, raw: bytes) -> Iterator[str]:
    """The copybook's fields, each with its place, its bytes and its value."""
    for seen in format.layout.look(raw):
        data = seen.data[:_LONGEST_FIELD].hex(" ") + (" ..." if len(seen.data) > _LONGEST_FIELD else "")
        mark = ">" if seen.wrong is not None else " "
        value = plain(seen.wrong if seen.wrong is not None else str(seen.value))
        yield f"{mark} {seen.offset + 1:5}  {seen.name:<24} {value:<40} {data}".rstrip()
    if len(raw) > format.length:
        yield f"> {format.length + 1:5}  bytes behind the record: {raw[format.length :][:_LONGEST_FIELD].hex(' ')}"


def _row(raw: bytes) -> Iterator[str]:
    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError:
        yield from hexadecimal(raw)
        return
    for name, value in row.items():
        yield f"  {name:<28} {'NULL' if value is None else value!r}"


def _text(raw: bytes) -> str | None:
    """The bytes as text if they are that, without what a terminal would take for a command."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character in "\r\n\t" for character in text) else None


def plain(text: str) -> str:
    """On one line, without what a terminal would take for a command: names of files come from outside."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _lines(text: str, place: str) -> Iterator[str]:
    """Numbered as in the source; an interchange in one line is broken at the ends of its segments."""
    if text.startswith(("UNA", "UNB", "UNH", "UNG")):
        text = text.replace("'", "'\n")
    match = _LINE.search(place)
    at = int(match[1]) if match else 0
    lines = text.splitlines()
    # a record alone begins at its line, a whole document at the first
    begin = at if len(lines) < at or place.startswith("record") else 1
    for number, line in enumerate(lines[:_MOST_LINES], max(begin, 1)):
        yield f"{'>' if number == at else ' '} {number:5}  {line}"
    if len(lines) > _MOST_LINES:
        yield f"  ... {len(lines) - _MOST_LINES} lines more; --save FILE writes all of it"


def hexadecimal(raw: bytes) -> Iterator[str]:
    """Sixteen bytes a line, as ASCII and as EBCDIC."""
    for start in range(0, min(len(raw), _MOST_LINES * _WIDTH), _WIDTH):
        piece = raw[start : start + _WIDTH]
        ascii, ebcdic = (_printable(piece.decode(page)) for page in ("latin-1", "cp037"))
        yield f"  {start:6}  {piece.hex(' '):<{3 * _WIDTH - 1}}  {ascii:<{_WIDTH}}  {ebcdic}"
    if len(raw) > _MOST_LINES * _WIDTH:
        yield f"  ... {len(raw)} bytes in all; --save FILE writes them"


def _printable(text: str) -> str:
    return "".join(character if " " <= character <= "~" else "." for character in text)
