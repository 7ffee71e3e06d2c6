"""Tagged text messages in the manner of Nlets, each behind a line of the log of the system that keeps them.

    LOG 20260301142233 0000000117
    IAQ.ZZ0000000.AX.*0000117.TXT
    PUR/C.ATN/SGT R HOLLOWAY.NAM/OKAFORIN, MILES T.DOB/19880412.SEX/M

The heading is words closed by full stops up to `TXT`: message key, sender, destination and, with an asterisk, the
control field. The text is tags of three letters with a slash: of some keys each closed by a full stop, of others each
on a line, with free text behind the last of them. A full stop inside a value is one that no tag follows.

Fields: `LOGGED`, `LOG-NUMBER`, `KEY`, `SENDER`, `DESTINATION`, `CONTROL` (empty without one), the tags, `TEXT`.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from adapters.core import BadRecord, Met, Outside, Read, Record, Unreadable

_LOG = re.compile(r"LOG ([0-9]{14}) ([0-9]{1,18})")
_TAG = re.compile(r"([A-Z]{3})/(.*)", re.DOTALL)
_CLOSED = re.compile(r"([A-Z]{2,12})/(.*)", re.DOTALL)
"""Some states have tags of more letters, such as REASON."""
_STOP = re.compile(r"\.\s*(?=[A-Z]{3}/)|\.(?=[A-Z]{2,12}/)")
_PADDING = " \n\t\x00\x02\x03\x1a"
"""With the marks of line protocols for begin and end of a text."""
_OPENING = b"LOG "
_PIECE = 2**16


@dataclass(frozen=True, slots=True)
class Tagged:
    """The format. `lines`: message keys whose tags stand on lines; of all others a full stop closes each.

    `closed`: if it is given, of these keys alone; the text of other messages is free, and has no tags.
    """

    lines: frozenset[str] = frozenset()
    closed: frozenset[str] | None = None
    longest: int = 2**16

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every message, each refused one in its place. Raises nothing but errors of the stream."""
        number = at = 0
        for raw, whole in self._messages(stream):
            place = f"message {number + 1}, byte {at}"
            if not raw.strip(b" \t\r\n\x00\x1a"):
                yield Outside(f"byte {at}", raw)
            elif not whole:
                yield BadRecord(f"a message of more than {self.longest} bytes", place=place, raw=raw)
            else:
                number += 1
                yield self._message(raw, f"message {number}, byte {at}", number)
            at += len(raw)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A message again."""
        yield self._message(raw, met.place, met.ordinal or 0)

    def render(self, raw: bytes) -> Iterator[str]:
        """The fields of a message. Raises ValueError if it is none."""
        for name, value in self._fields(raw).items():
            yield f"  {name:<12} {value.reason if isinstance(value, Unreadable) else value}"

    def _message(self, raw: bytes, place: str, number: int) -> Read:
        try:
            return Record(place, raw, self._fields(raw), {}, number)
        except ValueError as error:
            return BadRecord(str(error), place=place, raw=raw)

    def _messages(self, stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
        """Messages, each from its line of the log to the next, and whether each is whole."""
        held, ended, cut = b"", False, False
        while held or not ended:
            end = _next(held)
            while end < 0 and len(held) <= self.longest and not ended:
                more = stream.read(_PIECE)
                ended = not more
                held += more
                end = _next(held)
            if end < 0 and len(held) > self.longest:
                end, over = self.longest, True
            else:
                end, over = (end if end >= 0 else len(held)), False
            if end:
                yield held[:end], not (over or cut)
            held, cut = held[end:], over

    def _fields(self, raw: bytes) -> dict[str, Any]:
        """What a message says. Raises ValueError."""
        text = raw.removeprefix(BOM_UTF8).decode("latin-1").replace("\r\n", "\n").replace("\r", "\n").strip(_PADDING)
        first, _, rest = text.partition("\n")
        log = _LOG.fullmatch(first.strip())
        if log is None:
            raise ValueError("no line of the log: LOG, CCYYMMDDHHMMSS, number")
        heading, mark, body = rest.partition(".TXT")
        words = [word.strip() for word in heading.upper().split(".")]
        control = words.pop().lstrip("*") if len(words) == 4 else ""
        if not mark or len(words) != 3 or not all(words):
            raise ValueError("no heading: message key, sender, destination, TXT")
        names = ("KEY", "SENDER", "DESTINATION")
        fields: dict[str, Any] = {"LOGGED": log[1], "LOG-NUMBER": int(log[2]), **dict(zip(names, words, strict=True))}
        fields["CONTROL"] = control
        form, tags, free = self._tags(fields["KEY"], body)
        for tag in filter(None, (each.strip() for each in tags)):
            match = form.fullmatch(tag)
            if match is None:
                raise ValueError("text before the first tag, or a tag that is none")
            value = " ".join(match[2].split())
            if match[1] in fields:
                value_or = Unreadable(f"{match[1]} stands twice")
                fields[match[1]] = fields[match[1]] if fields[match[1]] == value else value_or
            else:
                fields[match[1]] = value if value.isascii() else Unreadable(f"{match[1]} has letters that are no ASCII")
        fields["TEXT"] = free
        return fields

    def _tags(self, key: str, body: str) -> tuple[re.Pattern[str], list[str], str]:
        """Of what form tags are, the tags, and the free text."""
        if key in self.lines:
            return _TAG, *_on_lines(body)
        if self.closed is not None and key not in self.closed:
            return _TAG, [], body.strip()
        return _CLOSED, _STOP.split(body.strip().removesuffix(".")), ""


def _next(data: bytes) -> int:
    """Where the next message begins behind the first byte, below zero if none does."""
    at = data.find(b"\n" + _OPENING)
    return at + 1 if at >= 0 else -1


def _on_lines(body: str) -> tuple[list[str], str]:
    """The lines with tags, and the free text that begins with the first one that has none."""
    lines = body.lstrip(" ").removeprefix("\n").split("\n")
    count = next((at for at, line in enumerate(lines) if not _TAG.fullmatch(line.strip())), len(lines))
    return lines[:count], "\n".join(lines[count:]).strip()
