"""Why a connection failed: the codes keep their names, the errors of libraries map onto them, and none is a guess."""

from __future__ import annotations

import socket
import ssl

import asyncpg
import pytest

from adapters.core import SourceDown
from bus.contract import BusDown
from links.reasons import Failure, Reason, Unusable, failure_of, is_final

CODES = (
    "address refused timeout closed tls-ca tls-name tls-expired tls-client tls-files tls-none tls-needed tls host-key"
    " credentials mechanism not-authorised absent settings"
)


def test_the_codes_keep_their_names() -> None:
    assert " ".join(Reason) == CODES


def test_every_code_has_words() -> None:
    assert all(reason.words and "\n" not in reason.words for reason in Reason)


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    return error


def with_reason(reason: str) -> ssl.SSLError:
    error = ssl.SSLError()
    error.reason = reason
    return error


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


ERRORS = {
    "expired": (verification(10), Reason.TLS_EXPIRED),
    "not valid yet": (verification(9), Reason.TLS_EXPIRED),
    "another name": (verification(62), Reason.TLS_NAME),
    "another number": (verification(64), Reason.TLS_NAME),
    "self-signed": (verification(18), Reason.TLS_CA),
    "unknown issuer": (verification(20), Reason.TLS_CA),
    "clear text came back": (with_reason("WRONG_VERSION_NUMBER"), Reason.TLS_NONE),
    "no client certificate": (with_reason("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Reason.TLS_CLIENT),
    "cut off": (with_reason("UNEXPECTED_EOF_WHILE_READING"), Reason.CLOSED),
    "no common cipher": (with_reason("SSLV3_ALERT_HANDSHAKE_FAILURE"), Reason.TLS),
    "no such host": (socket.gaierror(-2, "Name or service not known"), Reason.ADDRESS),
    "nothing listens": (ConnectionRefusedError(), Reason.REFUSED),
    "no way": (OSError(113, "No route to host"), Reason.ADDRESS),
    "reset": (ConnectionResetError(), Reason.CLOSED),
    "silence": (TimeoutError(), Reason.TIMEOUT),
    "wrong password": (asyncpg.InvalidPasswordError("x"), Reason.CREDENTIALS),
    "no such role": (asyncpg.InvalidAuthorizationSpecificationError("role x does not exist"), Reason.CREDENTIALS),
    "no table": (asyncpg.UndefinedTableError("x"), Reason.ABSENT),
    "no right": (asyncpg.InsufficientPrivilegeError("x"), Reason.NOT_AUTHORISED),
    "plain to TLS": (
        asyncpg.InvalidAuthorizationSpecificationError("no pg_hba.conf entry for host, no encryption"),
        Reason.TLS_NEEDED,
    ),
    "wrapped": (caused(RuntimeError("x"), caused(OSError("y"), verification(62))), Reason.TLS_NAME),
    "several hosts": (ExceptionGroup("x", [OSError("y"), verification(10)]), Reason.TLS_EXPIRED),
    "by settings": (Unusable(Failure(Reason.SETTINGS)), Reason.SETTINGS),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_an_error_means(case: str) -> None:
    error, reason = ERRORS[case]
    failure = failure_of(error)
    assert failure is not None
    assert failure.reason is reason


def test_an_error_that_says_nothing_of_connections_is_no_reason() -> None:
    assert failure_of(ValueError("x")) is None


def test_a_loop_of_causes_ends() -> None:
    one, other = RuntimeError("x"), RuntimeError("y")
    one.__cause__, other.__cause__ = other, one
    assert failure_of(one) is None


@pytest.mark.parametrize("reason", Reason)
def test_who_has_to_change_something_is_told(reason: Reason) -> None:
    passing = {Reason.ADDRESS, Reason.REFUSED, Reason.TIMEOUT, Reason.CLOSED, Reason.ABSENT}
    assert reason.final == (reason not in passing)
    down = SourceDown.by("the source", Failure(reason))
    assert is_final(down) == reason.final
    assert str(down).startswith(f"the source: {reason.value}: ")


def test_a_bus_or_a_store_says_itself_whether_it_is_final() -> None:
    assert not is_final(BusDown("x", code=Reason.CREDENTIALS))
    assert is_final(BusDown("x", code=Reason.CREDENTIALS, final=True))
