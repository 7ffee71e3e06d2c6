"""What the door answers when it takes nothing."""

from __future__ import annotations

from services.problems import Problem


def headers(name: str) -> Problem:
    """A header of the signature is missing or malformed."""
    return Problem(400, "headers", f"{name} is missing or not of the form agreed.")


def signature() -> Problem:
    """One text for an unknown key, a wrong signature and an old timestamp: a guess teaches nothing."""
    detail = "The key is unknown, the signature is wrong, or the timestamp is too far away."
    return Problem(401, "signature", detail, headers={"WWW-Authenticate": "Visabus-Signature"})


def nonce() -> Problem:
    """The nonce came with another message before."""
    return Problem(409, "nonce", "The nonce was used with another message.")


def too_large(what: str) -> Problem:
    """Too many bytes or records."""
    return Problem(413, "too-large", f"Too many {what} in one message.")


def rate(seconds: int) -> Problem:
    """Too many requests of one key."""
    return Problem(429, "rate", "Too many requests with this key.", headers={"Retry-After": str(seconds)})


def busy() -> Problem:
    """Too many requests at once, of all keys."""
    return Problem(503, "busy", "Too many requests at the same time.", headers={"Retry-After": "1"})


def unavailable(seconds: int = 5) -> Problem:
    """Nothing can be kept now, so nothing is taken."""
    return Problem(503, "unavailable", "Nothing can be taken at present.", headers={"Retry-After": str(seconds)})
