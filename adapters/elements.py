"""Elements with attributes as mappings read them: under each name a tuple of texts, or a list with a group in it."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.fields import Fields


def only(said: Fields, name: str) -> Fields:
    """The element of that name that comes once at most, as a group; an empty group where it is absent or bare text."""
    return next(iter(said.groups(name)), Fields({}, said.lost))


def words(said: Fields, name: str) -> Iterator[str]:
    """The text in each element of that name that has some, with attributes beside it or without."""
    for each in said.get(name) or ():
        text = each.text("#") if isinstance(each, Fields) else each
        if isinstance(text, str) and text:
            yield text


def word(said: Fields, name: str) -> str:
    """The text of the first element of that name that has some; nothing where there is none."""
    return next(words(said, name), "")
