#!/usr/bin/env bash
# pydifact refuses an interchange whose messages stand in a functional group
#
# Seen with pydifact 0.2.3, Python 3.11, on 2026-11-29.
# Input: a PAXLST interchange with UNG and UNE around its one message, as passenger lists are sent; and the same without them
# Behaviour: the one with the group raises EDISyntaxError, which speaks of a message that was not closed; the other is read
# Expected by the standard: ISO 9735: functional groups are a part of the interchange's syntax
#
# Run: bash findings/pydifact-functional-group.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydifact==0.2.3
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from pydifact.exceptions import EDISyntaxError
from pydifact.segmentcollection import Interchange

message = "UNH+1+PAXLST:D:05B:UN:IATA'BGM+745'NAD+MS+++CONTROL'UNT+4+1'"
plain = f"UNB+UNOA:4+CARRIER+BORDER+261101:0900+77'{message}UNZ+1+77'"
group = f"UNG+PAXLST+CARRIER+BORDER+261101:0900+1+UN+D:05B'{message}UNE+1+1'"
grouped = f"UNB+UNOA:4+CARRIER+BORDER+261101:0900+77'{group}UNZ+1+77'"
assert len(list(Interchange.from_str(plain).get_messages())) == 1
try:
    list(Interchange.from_str(grouped).get_messages())
except EDISyntaxError as error:
    print("pydifact", version("pydifact"), "|", error)
    assert "UNH segment was not closed" in str(error), error
else:
    raise SystemExit("the group is read now")
PY
