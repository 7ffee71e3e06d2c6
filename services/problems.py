"""RFC 9457 problems, for API and door. Their texts are ours, word for word: nothing that was sent is repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="path, query or header, and the parameter if it is one of ours.")
    why: str


class ProblemDetails(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="What kind of problem, as a URN.")
    title: str
    status: int
    detail: str | None = None
    instance: str | None = Field(default=None, description="This very request, as found in the log.")
    mistakes: list[Mistake] = []


class Problem(Exception):
    """A request that ends in an error on purpose."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        mistakes: Sequence[Mistake] = (),
        **more: Any,
    ) -> None:
        super().__init__(kind)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.mistakes = mistakes
        self.more = more

    def response(self, request: str = "") -> Response:
        """Return the problem as an answer; `request` names the request, where it has an id."""
        body: dict[str, Any] = {
            "type": f"urn:visabus:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if request:
            body["instance"] = f"urn:uuid:{request}"
        if self.mistakes:
            body["mistakes"] = [mistake.model_dump() for mistake in self.mistakes]
        return Response(orjson.dumps(body), self.status, {"Cache-Control": "no-store", **self.headers}, MEDIA_TYPE)


_OF_HTTP = {404: ("no-route", "There is nothing at this path."), 405: ("method", "This path knows no such method.")}


def of_http(error: HTTPException) -> Problem:
    """Return the problem of an error that the framework raised."""
    kind, detail = _OF_HTTP.get(error.status_code, ("request", "The request cannot be answered."))
    return Problem(error.status_code, kind, detail, headers=error.headers)
