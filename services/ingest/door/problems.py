"""What the door answers when it takes nothing."""

from __future__ import annotations

from services.problems import Problem

_ACCEPTED = 'visabus=("@method" "@path" "content-type" "content-digest");created;expires;tag="visabus-push"'
"""RFC 9421 section 5.1: which signature would do."""


def headers(name: str) -> Problem:
    """A header of the signature is missing or malformed."""
    return Problem(400, "headers", f"{name} is missing or not of the form agreed.")


def signature() -> Problem:
    """One text for an unknown key, a wrong signature and an old one: a guess teaches nothing."""
    detail = "The key is unknown, the signature is wrong, expired, or made too long ago or too far ahead."
    return Problem(401, "signature", detail, headers={"WWW-Authenticate": "Signature", "Accept-Signature": _ACCEPTED})


def digest() -> Problem:
    """The signature holds, and the body is another."""
    return Problem(400, "digest", "The body is not the one whose Content-Digest was signed.")


def nonce() -> Problem:
    """The nonce came with another message before."""
    return Problem(409, "nonce", "The nonce was used with another message.")


def message_id(field: str) -> Problem:
    """The name of the message came with another body before."""
    detail = (
        f"The {field} was used with another body, so nothing of this one is taken. A message that says something else"
        " has another name."
    )
    return Problem(409, "message-id", detail)


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


def paused(seconds: int = 60) -> Problem:
    """An operator holds the feed."""
    detail = "Nothing is taken at present: the operators of this bus hold the feed. Send the same again later."
    return Problem(503, "paused", detail, headers={"Retry-After": str(seconds)})


def held(seconds: int = 300) -> Problem:
    """The message would change more outcomes than may change unseen."""
    detail = (
        "The message would change the status of many persons, so the operators of this bus look at it first; nothing "
        "of it was taken. Send the same body again later: it is answered as they decided. Other messages are taken."
    )
    return Problem(503, "held", detail, headers={"Retry-After": str(seconds)})


def full(seconds: int) -> Problem:
    """As many answers are kept as there is room for; each is kept until its request would be refused as too old."""
    detail = "No further answer can be kept at present."
    return Problem(503, "full", detail, headers={"Retry-After": str(seconds)})


def stopped(seconds: int) -> Problem:
    """Too much of what the key sent was refused."""
    detail = (
        "Too large a share of the records of this key was refused, so nothing more of it is taken for a while. It "
        "starts again by itself after the seconds of Retry-After, or when the door is restarted."
    )
    return Problem(429, "stopped", detail, headers={"Retry-After": str(seconds)})
