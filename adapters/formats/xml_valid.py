"""Validity by an XSD as XML Schema has it, where libxml2 says otherwise.

libxml2 calls a date, a time or a duration with blanks around it invalid (`findings/lxml-padded-date.sh`); by XML Schema
part 2, 4.3.6, the blanks are no part of such a value. So what libxml2 refuses is judged once more without them.
"""

from __future__ import annotations

import re

from lxml import etree

_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL, _TYPE = f"{_INSTANCE}nil", f"{_INSTANCE}type"
_BLANKS = " \t\r\n"
_TIME = re.compile(
    r"-?[0-9]{2,}[-:][0-9].*|---?[0-9]{2}.*|-?P[0-9T].*|-?[0-9]{4,}(?:Z|[+-][0-9]{2}:[0-9]{2})?", re.DOTALL
)


def fits(schema: etree.XMLSchema, element: etree._Element) -> bool:
    """Whether an element is valid; what is wrong otherwise stands in the schema's log.

    Blanks around its dates, times and durations are taken off where they are in the way.
    """
    return bool(schema.validate(element)) or (_collapse(element) and bool(schema.validate(element)))


def is_nil(element: etree._Element) -> bool:
    """Whether an element is marked as one that says nothing (`xsi:nil`)."""
    return element.get(_NIL, "").strip() in ("true", "1")


def unmark(element: etree._Element) -> None:
    """Take what says nothing off an element and all in it: types beside values, and that something is not nil."""
    for each in element.iter("*"):
        each.attrib.pop(_TYPE, "")
        if each.get(_NIL, "").strip() in ("false", "0"):
            del each.attrib[_NIL]


def _collapse(element: etree._Element) -> bool:
    """Take the blanks off all that begins as a date, a time or a duration does; whether there were any."""
    any_there = False
    for each in element.iter("*"):
        if not len(each) and (text := each.text) and (bare := text.strip(_BLANKS)) != text and _TIME.fullmatch(bare):
            each.text, any_there = bare, True
        for name, value in each.items():
            if (bare := str(value).strip(_BLANKS)) != value and _TIME.fullmatch(bare):
                each.set(name, bare)
                any_there = True
    return any_there
