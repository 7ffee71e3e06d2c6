"""A small schema registry over HTTP: what Confluent's clients ask for, and what a reader of messages asks for."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Reply = tuple[int, dict[str, Any]]


@dataclass
class Registry:
    """Schemas by id, from 1; `asked` are the paths of the questions, `before` answers in the registry's place."""

    schemas: list[dict[str, Any]] = field(default_factory=list)
    subjects: dict[tuple[str, int], int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    before: Callable[[str], Reply | None] = lambda path: None
    url: str = ""

    def add(self, schema: Any, subject: str = "", **more: Any) -> int:
        """Register a schema; its id."""
        body = {"schema": json.dumps(schema), **more}
        if body not in self.schemas:
            self.schemas.append(body)
        known = self.schemas.index(body) + 1
        if subject:
            self.subjects[subject, 1 + sum(name == subject for name, _ in self.subjects)] = known
        return known

    def guid(self, known: int) -> str:
        """The other id of a schema."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"schema {known}"))

    def reply(self, path: str, body: dict[str, Any] | None) -> Reply:
        """The answer to a question."""
        self.asked.append(path)
        if (instead := self.before(path)) is not None:
            return instead
        steps = path.partition("?")[0].strip("/").split("/")
        match steps:
            case ["subjects", subject, "versions"] if body is not None:
                more = {name: body[name] for name in ("schemaType", "references") if body.get(name)}
                known = self.add(json.loads(body["schema"]), subject, **more)
                return 200, {"id": known, "guid": self.guid(known), "version": 1, "subject": subject, **body}
            case ["subjects", subject, "versions", version] if (subject, int(version)) in self.subjects:
                known = self.subjects[subject, int(version)]
                return 200, {"subject": subject, "id": known, "version": int(version), **self.schemas[known - 1]}
            case ["schemas", "ids", known_as] if 0 < int(known_as) <= len(self.schemas):
                return 200, self.schemas[int(known_as) - 1]
            case ["schemas", "guids", guid]:
                for known in range(1, len(self.schemas) + 1):
                    if self.guid(known) == guid:
                        return 200, self.schemas[known - 1]
        return 404, {"error_code": 40403, "message": "Schema not found"}


@contextmanager
def serving() -> Iterator[Registry]:
    """A registry that answers on loopback."""
    known = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(*known.reply(self.path, None))

        def do_POST(self) -> None:
            self._answer(*known.reply(self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
