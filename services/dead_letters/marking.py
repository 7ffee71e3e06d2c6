"""A dead letter's bytes for a person: the fields that its format shows, with the one that the reason names marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from adapters.core import Feed
from services.dead_letters.display import display
from services.dead_letters.topic import DeadLetter

_WORD = re.compile(r"[A-Za-z@][A-Za-z0-9_@.:-]{2,}")


class Line(NamedTuple):
    """A line of a record, and whether the reason names what stands in it."""

    text: str
    marked: bool


def lines_of(feed: Feed | None, letter: DeadLetter, raw: bytes) -> Iterator[Line]:
    """Yield the record line by line: by field where its format can show it so, otherwise its text or its bytes."""
    names = {word for word in _WORD.findall(letter.reason) if not word.islower()}
    for text in display(feed, letter, raw):
        head = text.strip().lstrip("> ").split()
        marked = text.startswith(">") or any(word.rstrip(":=") in names for word in head[:3])
        yield Line(text, marked)
