#!/usr/bin/env bash
# pydifact takes the letters UNA behind a released apostrophe for a service string advice
#
# Seen with pydifact 0.2.3, Python 3.11, on 2026-11-29.
# Input: an interchange without UNA whose traveller has the family name D'UNA, the apostrophe released as D?'UNA; and one named D'ANA
# Behaviour: D'ANA is read; D'UNA raises EDISyntaxError about a tag that is a piece of the trailer
# Expected by the standard: ISO 9735: UNA can only stand at the beginning, before UNB; a released terminator is text
#
# Run: bash findings/pydifact-released-terminator-before-una.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydifact==0.2.3
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from pydifact.exceptions import EDISyntaxError
from pydifact.segmentcollection import Interchange


def interchange(name):
    return f"UNB+UNOA:4+CARRIER+BORDER+261101:0900+77'UNH+1+PAXLST:D:05B:UN:IATA'NAD+FL+++{name}:LIA'UNT+3+1'UNZ+1+77'"


message = next(Interchange.from_str(interchange("D?'ANA")).get_messages())
assert message.segments[0].elements[3] == ["D'ANA", "LIA"], message.segments[0].elements
try:
    next(Interchange.from_str(interchange("D?'UNA")).get_messages())
except EDISyntaxError as error:
    print("pydifact", version("pydifact"), "|", error)
else:
    raise SystemExit("the name is read now")
PY
