"""TLS towards a server: whom we trust, and the certificate by which we are known."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from links.private_file import UnsafeFile, check_private
from links.reasons import Failure, Reason, Unusable

Verify = Literal["none", "ca", "full"]
"""Of the server's certificate: nothing, its authority, or its authority and its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files in PEM form. Without `ca` the authorities of the machine are trusted.

    `password` opens `key`, where that is encrypted. Raises ValueError for half a client certificate.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if bool(self.cert) != bool(self.key):
            raise ValueError("a client certificate and its key go together")
        if self.password is not None and not self.key:
            raise ValueError("the passphrase of a key is set, and no key")

    def context(self, verify: Verify = "full") -> ssl.SSLContext:
        """Return a client's context, TLS 1.2 or newer. Raises Unusable (tls-files)."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            try:
                context.load_verify_locations(self.ca)
            except OSError as error:
                raise _unusable("the certificates of the trusted authorities", self.ca, error) from None
        if verify != "full":
            context.check_hostname = False
        if verify == "none":
            context.verify_mode = ssl.CERT_NONE
        if self.cert is not None and self.key is not None:
            self._present(context, self.cert, self.key)
        return context

    def _present(self, context: ssl.SSLContext, cert: str, key: str) -> None:
        try:
            check_private(Path(key))
            # never None: OpenSSL would ask the terminal for the passphrase of an encrypted key
            context.load_cert_chain(cert, key, self.password or "")
        except ssl.SSLError as error:
            if _is_encrypted(key):
                which = "is wrong" if self.password else "is missing"
                raise Unusable(Failure(Reason.TLS_FILES, f"the passphrase of the client's key {which}")) from None
            if error.reason == "KEY_VALUES_MISMATCH":
                raise Unusable(Failure(Reason.TLS_FILES, "the client's key is not that of its certificate")) from None
            raise Unusable(Failure(Reason.TLS_FILES, "the client's certificate or key is no PEM")) from None
        except UnsafeFile as error:
            raise Unusable(Failure(Reason.TLS_FILES, f"the client's key: {error}")) from None
        except OSError as error:
            missing = cert if not _is_readable(cert) else key
            raise _unusable(
                "the client's certificate" if missing == cert else "the client's key", missing, error
            ) from None


def _unusable(what: str, file: str, error: OSError) -> Unusable:
    if isinstance(error, ssl.SSLError):
        return Unusable(Failure(Reason.TLS_FILES, f"{what}, {file}: no PEM"))
    return Unusable(Failure(Reason.TLS_FILES, f"{what}, {file}: {error.strerror or 'cannot be read'}"))


def _is_encrypted(key: str) -> bool:
    """Whether a PEM file holds an encrypted key (RFC 7468 section 11, or the older header of RFC 1421)."""
    try:
        return b"ENCRYPTED" in Path(key).read_bytes()
    except OSError:
        return False


def _is_readable(file: str) -> bool:
    try:
        with Path(file).open("rb"):
            return True
    except OSError:
        return False
