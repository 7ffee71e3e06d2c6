"""Plain XML: documents that expat and libxml2 certainly read alike, which the latter therefore may read alone.

Well-formed, ASCII or UTF-8, without a document type, entities of its own, comments, instructions and marked sections,
and with ASCII alone in its tags: the two follow different editions of XML 1.0 in what a name may be made of. Every `<`
of such a document begins a tag. What is not plain is left to expat, which says what is wrong with it.
"""

from __future__ import annotations

import re

from lxml import etree

from adapters.formats.xml_safe import safe_parser

_BEGIN = re.compile(
    rb"(?:<\?xml version=[\"']1\.0[\"'](?: encoding=[\"']((?i:utf-8|us-ascii|iso-8859-1))[\"'])?\?>\s*)?<(?![!?])"
)
"""How a document begins that says nothing but that it is one of XML."""
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,6}|#x[0-9A-Fa-f]{1,5});)")
_ODD_TAG = re.compile(rb"<[^<>]*[\x80-\xff]")
"""No `<` stands in a tag; so no byte is looked at again and again, however many of them there are."""


def root_begins(data: bytes) -> int | None:
    """Where the root's start tag begins in a document that may be plain; None in one that is not."""
    begin = _BEGIN.match(data)
    if begin is None or b"<!" in data or b"\0" in data or data.find(b"<?", 1) >= 0:
        return None
    if b"&" in data and _ENTITY.search(data) is not None:
        return None
    if not data.isascii() and not _only_in_text(data, begin[1]):
        return None
    return begin.end() - 1


def plain(data: bytes) -> etree._Element | None:
    """The root of a plain document; None if it is not plain. Its bounds are for `check_bounds`."""
    return None if root_begins(data) is None else parsed(data)


def parsed(data: bytes) -> etree._Element | None:
    """The root of a document; None if it is not well-formed."""
    try:
        return etree.fromstring(data, safe_parser())
    except (etree.LxmlError, ValueError):
        return None


def _only_in_text(data: bytes, encoding: bytes | None) -> bool:
    """Whether a document is UTF-8, and no more than ASCII in any tag."""
    if encoding is not None and encoding.lower() != b"utf-8":
        return False
    if data.count(b"<") != data.count(b">") or _ODD_TAG.search(data) is not None:
        return False  # of as many of both each tag has one, so none stands in a value
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
