"""Names and numbers that senders give to what they send, used once each: whether one comes again with other content.

What is kept of each is eight bytes of a digest of it and of the content, in the feed's condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.ids import digest

MOST = 200
"""The last names and numbers that are known again."""
_SHORT = 16
Labels = Mapping[str, str]
"""By a digest of a name or number that of the content it came with, the one that was met last at the end."""


def compared(known: Labels, met: Sequence[tuple[str, str]]) -> tuple[Labels, list[str]]:
    """Return what is known behind `met` (label and content), and the labels that had other content before."""
    result = dict(known)
    again = []
    for label, content in met:
        key, value = (digest(each.encode("utf-8", "backslashreplace"))[:_SHORT] for each in (label, content))
        if result.pop(key, value) != value and label not in again:
            again.append(label)
        result[key] = value
    return dict(list(result.items())[-MOST:]), again
