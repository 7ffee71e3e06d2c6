"""A dead letter's bytes for the eye: fields beside their bytes, lines with the place marked, or hexadecimal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.core import Feed
from services.dead_letters.topic import DeadLetter

_LINE = re.compile(r"\bline (\d+)")
_WIDTH = 16
_MOST_LINES = 400


def display(feed: Feed | None, dead_letter: DeadLetter, raw: bytes) -> Iterator[str]:
    """Line by line, as the feed's format suggests."""
    if not raw:
        yield "(no bytes)"
    elif (fields := _fields(feed, raw)) is not None:
        yield from fields
    elif (text := _text(raw)) is not None:
        yield from _lines(text, dead_letter.place)
    else:
        yield from hexadecimal(raw)


def _fields(feed: Feed | None, raw: bytes) -> list[str] | None:
    """A record field by field, if the feed's format can show it so."""
    try:
        return [plain(line) for line in feed.render(raw)] if feed is not None else None
    except ValueError:
        return None


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
