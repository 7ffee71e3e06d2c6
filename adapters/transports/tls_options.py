"""The options by which a feed says whom its transport trusts and who it is: the same for all that speak TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from adapters.core import SourceDown
from links.reasons import Failure, Reason, Unusable
from links.tls import Tls


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """`ssl_cafile`: the trusted authorities, in place of the machine's; `ssl_certfile`, `ssl_keyfile`, `ssl_password`:
    the client certificate, its key and the key's passphrase. PEM files."""

    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_password: str | None = field(default=None, repr=False)

    def tls(self) -> Tls:
        """Return them together. Raises ValueError for half a client certificate."""
        return Tls(ca=self.ssl_cafile, cert=self.ssl_certfile, key=self.ssl_keyfile, password=self.ssl_password)

    def check(self, url: str) -> None:
        """Raises SourceDown where an address without TLS comes with certificates: they would be left out in silence."""
        if url.startswith("http:") and self.tls() != Tls():
            failure = Failure(Reason.SETTINGS, "http takes no certificates; https does")
            raise SourceDown.by("the address cannot be used", failure)

    def context(self, where: object) -> ssl.SSLContext:
        """Return a client's context. Raises SourceDown for files that cannot be used."""
        try:
            return self.tls().context()
        except Unusable as error:
            raise SourceDown.by(where, error.failure) from None
