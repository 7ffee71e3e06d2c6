#!/usr/bin/env bash
# lxml calls an xs:date with blanks around it invalid, and an xs:integer with blanks valid
#
# Seen with lxml 6.1.3 (libxml2) and xmlschema 4.3.2, Python 3.11, on 2026-11-29.
# Input: one document with blanks around an integer, one with blanks around a date
# Behaviour: lxml validates the first and refuses the second; xmlschema validates both
# Expected by the standard: XML Schema part 2, 4.3.6: whiteSpace of both types is collapse, so the blanks are no part of the value
#
# Run: bash findings/lxml-padded-date.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check lxml==6.1.3 xmlschema==4.3.2
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import xmlschema
from lxml import etree

XS = "http://www.w3.org/2001/XMLSchema"


def schema(kind):
    return f'<xs:schema xmlns:xs="{XS}"><xs:element name="v" type="xs:{kind}"/></xs:schema>'


seen = {}
for kind, value in (("integer", " 7 "), ("date", " 2026-11-29 ")):
    document = f"<v>{value}</v>"
    by_lxml = etree.XMLSchema(etree.XML(schema(kind))).validate(etree.XML(document))
    seen[kind] = (by_lxml, xmlschema.XMLSchema(schema(kind)).is_valid(document))
print("lxml", version("lxml"), "xmlschema", version("xmlschema"), "| (lxml, xmlschema):", seen)
assert seen == {"integer": (True, True), "date": (False, True)}, seen
PY
