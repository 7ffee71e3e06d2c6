#!/usr/bin/env bash
# pamqp writes a Python float in a header table in single precision
#
# Seen with pamqp 4.0.1, Python 3.11, on 2026-11-29.
# Input: the float 1.1 encoded as a value of an AMQP field table and decoded again
# Behaviour: it comes back as 1.100000023841858: written with the tag f (32 bits), although AMQP has d (64 bits) and both ends hold doubles
# Expected by the standard: AMQP 0-9-1, 4.2.5.5: field values have single and double precision; a value that a table takes should come back
#
# Run: bash findings/pamqp-float-single-precision.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pamqp==4.0.1
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from pamqp import decode, encode

written = encode.encode_table_value(1.1)
_, back = decode.embedded_value(written)
print("pamqp", version("pamqp"), "| tag:", written[:1], "| back:", back)
assert written[:1] == b"f" and back != 1.1, (written, back)
assert abs(back - 1.1) < 1e-6, back
PY
