"""What the door says when it takes nothing: RFC 9457 problems, their texts ours, word for word."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that ends in an error on purpose."""

    def __init__(self, status: int, kind: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The problem as an answer."""
        body = {
            "type": f"urn:visabus:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        return Response(orjson.dumps(body), self.status, {"Cache-Control": "no-store", **self.headers}, MEDIA_TYPE)


def headers(name: str) -> Problem:
    """A header of the signature is missing or malformed."""
    return Problem(400, "headers", f"{name} is missing or not of the form agreed.")


def signature() -> Problem:
    """One text for an unknown key, a wrong signature and an old timestamp: whoever guesses learns nothing."""
    detail = "The key is unknown, the signature is wrong, or the timestamp is too far away."
    return Problem(401, "signature", detail, headers={"WWW-Authenticate": "Visabus-Signature"})


def nonce() -> Problem:
    """Replayed with something else."""
    return Problem(409, "nonce", "The nonce was used with another message.")


def too_large(what: str) -> Problem:
    """Of bytes or records."""
    return Problem(413, "too-large", f"Too many {what} in one message.")


def rate(seconds: int) -> Problem:
    """Too many requests of one key."""
    return Problem(429, "rate", "Too many requests with this key.", headers={"Retry-After": str(seconds)})


def busy() -> Problem:
    """Too many requests at once, of whomever."""
    return Problem(503, "busy", "Too many requests at the same time.", headers={"Retry-After": "1"})


def unavailable(seconds: int = 5) -> Problem:
    """Nothing can be kept now, so nothing is taken."""
    return Problem(503, "unavailable", "Nothing can be taken at present.", headers={"Retry-After": str(seconds)})
