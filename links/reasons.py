"""Why a server cannot be used: stable codes, words for people, and whether trying again can help.

One list for the bus, the databases and the sources. A text that shows a failure is `WHERE: CODE: WORDS`, one line,
without what the other side wrote, which may name a person or hold a secret.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The codes. They stand in logs and messages and keep their names."""

    ADDRESS = "address"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    TLS_CA = "tls-ca"
    TLS_NAME = "tls-name"
    TLS_EXPIRED = "tls-expired"
    TLS_CLIENT = "tls-client"
    TLS_FILES = "tls-files"
    TLS_NONE = "tls-none"
    TLS_NEEDED = "tls-needed"
    TLS = "tls"
    HOST_KEY = "host-key"
    CREDENTIALS = "credentials"
    MECHANISM = "mechanism"
    NOT_AUTHORISED = "not-authorised"
    ABSENT = "absent"
    SETTINGS = "settings"

    @property
    def words(self) -> str:
        """What it means, and what to look at."""
        return _WORDS[self]

    @property
    def final(self) -> bool:
        """Whether somebody has to change something first: trying again by itself cannot help."""
        return self not in _PASSING


_WORDS = {
    Reason.ADDRESS: "the host's name is not known, or no way leads there",
    Reason.REFUSED: "nothing listens there, or a firewall refuses",
    Reason.TIMEOUT: "no answer in time",
    Reason.CLOSED: "the connection was closed without a word",
    Reason.TLS_CA: "the server's certificate is signed by no authority that is trusted here",
    Reason.TLS_NAME: "the server's certificate is for another name than the address has",
    Reason.TLS_EXPIRED: "the server's certificate has expired, or is not valid yet",
    Reason.TLS_CLIENT: "the server wants a client certificate and has none that it accepts",
    Reason.TLS_FILES: "a certificate or key of this side cannot be used",
    Reason.TLS_NONE: "TLS is asked for, and the server speaks none",
    Reason.TLS_NEEDED: "the server wants TLS, and none is asked for",
    Reason.TLS: "TLS cannot be agreed on",
    Reason.HOST_KEY: "the server shows another key than known_hosts has",
    Reason.CREDENTIALS: "user or password is refused, or missing",
    Reason.MECHANISM: "the server does not know this way to log in",
    Reason.NOT_AUTHORISED: "the user is known, and the right is missing",
    Reason.ABSENT: "what is asked for is not there, or may not be seen",
    Reason.SETTINGS: "address and settings do not hold together",
}
_PASSING = frozenset({Reason.ADDRESS, Reason.REFUSED, Reason.TIMEOUT, Reason.CLOSED, Reason.ABSENT})
"""Name services, servers that start and what is made later come by themselves."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason, with words that say more than those of its code where there are any."""

    reason: Reason
    more: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.more or self.reason.words}"


class Unusable(ValueError):
    """An address or its settings cannot be used as they are. The text quotes no value."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


def is_final(error: BaseException | None) -> bool:
    """Whether an error says by itself (`final`) that trying again cannot help."""
    return bool(getattr(error, "final", False))


def failure_of(error: BaseException) -> Failure | None:
    """Return why a connection failed by the errors of sockets, TLS, databases, Kafka and AMQP; None if unknown.

    What was the cause is asked before what it caused: libraries wrap.
    """
    errors = list(chain(error))
    for each in reversed(errors):
        if (failure := _by_kind(each)) is not None:
            return failure
    for each in reversed(errors):
        if (reason := _BY_NAME.get(type(each).__name__)) is not None:
            return Failure(reason)
    for each in reversed(errors):
        if isinstance(each, TimeoutError):
            return Failure(Reason.TIMEOUT)
        if isinstance(each, ConnectionError | EOFError):
            return Failure(Reason.CLOSED)
        if isinstance(each, OSError):
            return Failure(Reason.ADDRESS)
    return None


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from, the last first."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [getattr(each, "orig", None), each.__cause__]
        if not each.__suppress_context__:
            waiting.append(each.__context__)
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        waiting += [argument for argument in each.args if isinstance(argument, BaseException)]


def _by_kind(error: BaseException) -> Failure | None:
    if isinstance(error, Unusable):
        return error.failure
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure(_VERIFY.get(error.verify_code, Reason.TLS_CA))
    if isinstance(error, ssl.SSLError):
        return Failure(_by_alert(error.reason or ""))
    if isinstance(error, socket.gaierror):
        return Failure(Reason.ADDRESS)
    if isinstance(error, ConnectionRefusedError):
        return Failure(Reason.REFUSED)
    if isinstance(error, OSError) and (failure := _by_text(str(error))) is not None:
        return failure
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and (failure := _by_state(state, str(error))) is not None:
        return failure
    if type(error).__name__ in _OF_MYSQL and len(error.args) > 1:
        return _by_number(error.args[0], str(error))
    return None


# X509_V_ERR_... of OpenSSL's x509_vfy.h
_VERIFY = {
    9: Reason.TLS_EXPIRED,
    10: Reason.TLS_EXPIRED,
    62: Reason.TLS_NAME,
    63: Reason.TLS_NAME,
    64: Reason.TLS_NAME,
}
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "NOT_A_TLS")
_ABOUT_CLIENT = ("ALERT_CERTIFICATE", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_UNSUPPORTED_CERTIFICATE")


def _by_alert(reason: str) -> Reason:
    """What OpenSSL says where it is not about the server's certificate; alerts are the other side's words."""
    if any(word in reason for word in _NO_TLS):
        return Reason.TLS_NONE
    if any(word in reason for word in _ABOUT_CLIENT):
        return Reason.TLS_CLIENT
    if "EOF" in reason:
        return Reason.CLOSED
    return Reason.TLS


def _by_text(text: str) -> Failure | None:
    """asyncpg tells some things by ConnectionError alone."""
    if "rejected SSL upgrade" in text:
        return Failure(Reason.TLS_NONE)
    if "unexpected connection_lost" in text:
        return Failure(Reason.CLOSED)
    return None


def _by_state(state: str, text: str) -> Failure | None:
    """SQLSTATE as PostgreSQL's appendix A has it."""
    if state == "28000":
        if "certificate" in text:
            return Failure(Reason.TLS_CLIENT)
        if "no encryption" in text or "SSL off" in text:
            return Failure(Reason.TLS_NEEDED, "the server lets no such connection in without TLS")
        if "pg_hba" in text:
            return Failure(Reason.NOT_AUTHORISED, "pg_hba.conf of the server has no line for this user and host")
    reasons = {
        "28000": Reason.CREDENTIALS,
        "28P01": Reason.CREDENTIALS,
        "3D000": Reason.ABSENT,
        "42P01": Reason.ABSENT,
        "42501": Reason.NOT_AUTHORISED,
    }
    reason = reasons.get(state)
    return Failure(reason) if reason is not None else None


_OF_MYSQL = frozenset({"IntegrityError", "InternalError", "OperationalError", "ProgrammingError", "NotSupportedError"})
"""The classes that PyMySQL has for errors of the server, as SQLAlchemy adapts them too."""
_MYSQL = {
    1045: Reason.CREDENTIALS,
    1698: Reason.CREDENTIALS,
    1044: Reason.NOT_AUTHORISED,
    1142: Reason.NOT_AUTHORISED,
    1143: Reason.NOT_AUTHORISED,
    1227: Reason.NOT_AUTHORISED,
    1370: Reason.NOT_AUTHORISED,
    1049: Reason.ABSENT,
    1146: Reason.ABSENT,
    1356: Reason.ABSENT,  # a view whose table is not there, or may not be seen
    1412: Reason.ABSENT,  # renamed, or otherwise defined, since the transaction began
    1130: Reason.NOT_AUTHORISED,
    3159: Reason.TLS_NEEDED,
    4031: Reason.TLS_NEEDED,
}
"""Error numbers of MariaDB and MySQL."""


def _by_number(number: object, text: str) -> Failure | None:
    if "insecure transport" in text:
        return Failure(Reason.TLS_NEEDED)
    reason = _MYSQL.get(number) if isinstance(number, int) else None
    return Failure(reason) if reason is not None else None


_BY_NAME: Mapping[str, Reason] = {
    # aiokafka
    "AuthenticationFailedError": Reason.CREDENTIALS,
    "SaslAuthenticationFailed": Reason.CREDENTIALS,
    "UnsupportedSaslMechanismError": Reason.MECHANISM,
    "TopicAuthorizationFailedError": Reason.NOT_AUTHORISED,
    "GroupAuthorizationFailedError": Reason.NOT_AUTHORISED,
    "ClusterAuthorizationFailedError": Reason.NOT_AUTHORISED,
    "TransactionalIdAuthorizationFailed": Reason.NOT_AUTHORISED,
    "RequestTimedOutError": Reason.TIMEOUT,
    # aiormq
    "AuthenticationError": Reason.CREDENTIALS,
    "ProbableAuthenticationError": Reason.CREDENTIALS,
    "AMQPNotAllowed": Reason.NOT_AUTHORISED,
    "ConnectionNotAllowed": Reason.NOT_AUTHORISED,
    "ChannelAccessRefused": Reason.NOT_AUTHORISED,
    "ChannelNotFoundEntity": Reason.ABSENT,
    # asyncssh
    "PermissionDenied": Reason.CREDENTIALS,
    "HostKeyNotVerifiable": Reason.HOST_KEY,
    "SFTPPermissionDenied": Reason.NOT_AUTHORISED,
    "SFTPNoSuchFile": Reason.ABSENT,
    "ConnectionLost": Reason.CLOSED,
    "SFTPConnectionLost": Reason.CLOSED,
    "SFTPNoConnection": Reason.CLOSED,
    # httpx
    "ConnectTimeout": Reason.TIMEOUT,
    "ReadTimeout": Reason.TIMEOUT,
}
"""Errors of libraries by the names of their classes, so that none has to be loaded to look."""
