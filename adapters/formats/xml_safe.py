"""The parser for XML from elsewhere: nothing is fetched, no entity is resolved, nothing huge is built.

`check_bounds` comes before it: libxml2 has no limit to the number of attributes of an element.
"""

from __future__ import annotations

import re
from threading import local
from xml.parsers import expat

from lxml import etree

ATTRIBUTES = 64
"""Attributes of an element, declarations of namespaces among them."""
NAME = 256
"""Characters of an element's or attribute's name, with its prefix."""
_SUSPECT = re.compile(
    # a start tag: up to 64 times some of it and a value, and then more of either than there may be: a character too
    # many, or a quote. Possessive, so that no byte is read again and again
    rb"<[^!?/<>\"'](?:[^<>\"']{0,256}+(?:\"[^\"<]*+\"|'[^'<]*+')){0,64}+[^<>\"']{0,256}+[^<>]"
)
"""What no start tag within bounds matches; text, comments and broken tags may, so it only says where to look closer."""


class OutOfBounds(ValueError):
    """XML that is not parsed."""


def check_bounds(data: bytes) -> None:
    """Whether every element has as many attributes, and as long names, as it may. Raises OutOfBounds.

    What is not well-formed passes: the parser says so with better words.
    """
    if surely_bounded(data):
        return
    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler = check_element
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError):
        return


def surely_bounded(data: bytes) -> bool:
    """Whether every element certainly has as many attributes, and as long names, as it may."""
    return _SUSPECT.search(data) is None and data[:2] not in _UTF_16 and b"\0" not in data[:4]


def check_element(name: str, attributes: list[str] | dict[str, str]) -> None:
    """Whether a start tag, as expat tells it, is within bounds. Raises OutOfBounds."""
    if len(attributes) > ATTRIBUTES * (2 if isinstance(attributes, list) else 1):
        raise OutOfBounds(f"an element with more than {ATTRIBUTES} attributes")
    names = attributes[::2] if isinstance(attributes, list) else attributes
    if len(name) > NAME or any(len(each) > NAME for each in names):
        raise OutOfBounds(f"a name of more than {NAME} characters")


_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class _Own(local):
    """Each thread's own parser, made once: one for all would be one thread's at a time."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
        )


_OWN = _Own()


def safe_parser() -> etree.XMLParser:
    """This thread's parser."""
    return _OWN.parser
