"""The parser for XML from elsewhere: nothing is fetched, no entity is resolved, nothing huge is built."""

from __future__ import annotations

from threading import local

from lxml import etree


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
