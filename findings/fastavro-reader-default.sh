#!/usr/bin/env bash
# fastavro gives a field that only the reader has its default raw, not as the reader's type
#
# Seen with fastavro 1.13.1, Python 3.11, on 2026-11-29.
# Input: a record written without two fields that the reader's schema adds with defaults: a date and bytes
# Behaviour: the date comes as the number 0 and the bytes as a text; the same fields, where the writer has them, come as date and bytes
# Expected by the standard: Avro 1.12, schema resolution: the default is a value of the reader's field; for bytes the text stands for code points 0 to 255
#
# Run: bash findings/fastavro-reader-default.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check fastavro==1.13.1
"$work/venv/bin/python" -W ignore - <<'PY'
import io
from datetime import date
from importlib.metadata import version

import fastavro

DATE = {"type": "int", "logicalType": "date"}


def schema(*fields):
    return fastavro.parse_schema({"type": "record", "name": "Case", "fields": [{"name": "id", "type": "int"}, *fields]})


writer = schema()
reader = schema({"name": "day", "type": DATE, "default": 0}, {"name": "mark", "type": "bytes", "default": "\u00ff"})


def told(written_by, value):
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, written_by, value)
    stream.seek(0)
    return fastavro.schemaless_reader(stream, written_by, reader)


absent = told(writer, {"id": 1})
present = told(reader, {"id": 1, "day": date(1970, 1, 1), "mark": b"\xff"})
print("fastavro", version("fastavro"), "| absent:", absent, "| present:", present)
assert present == {"id": 1, "day": date(1970, 1, 1), "mark": b"\xff"}, present
assert absent == {"id": 1, "day": 0, "mark": "\u00ff"}, absent
PY
