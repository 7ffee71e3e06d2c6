#!/usr/bin/env bash
# httpx passes on the first member of a gzip body and drops the others in silence
#
# Seen with httpx 0.28.1, Python 3.11, on 2026-11-30.
# Input: an answer 200 with Content-Encoding gzip, the right Content-Length, and a body of two gzip members
# Behaviour: the content is that of the first member; no error is raised
# Expected by the standard: RFC 9110 section 8.4.1.3 and RFC 1952 section 2.2: a gzip file is a series of members, which
#   appear one after another; Python's gzip.decompress gives the content of both
#
# Run: bash findings/httpx-gzip-members.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check httpx==0.28.1
"$work/venv/bin/python" - <<'PY'
import gzip
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx

BODY = gzip.compress(b'{"items": [1, 2, 3]') + gzip.compress(b', "more": true}')


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        return


server = HTTPServer(("127.0.0.1", 0), Handler)
Thread(target=server.serve_forever, daemon=True).start()
content = httpx.get(f"http://127.0.0.1:{server.server_port}/").content
server.shutdown()
print("httpx", httpx.__version__, "|", content, "| gzip:", gzip.decompress(BODY))
assert gzip.decompress(BODY) == b'{"items": [1, 2, 3], "more": true}'
assert content == b'{"items": [1, 2, 3]', content
PY
