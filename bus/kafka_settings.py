"""How to reach Kafka and how long to wait for it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

from bus.limits import DEADLINE, MAX_MESSAGE_BYTES
from links.oauth import Tokens, token_provider
from links.tls import Tls

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Settings of every client of one bus. A half-set TLS or SASL is refused with ValueError.

    With OAUTHBEARER `sasl_username` and `sasl_password` are the client's id and secret for `oauth_token_url`.
    """

    servers: tuple[str, ...]
    security_protocol: str = "PLAINTEXT"
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_password: str | None = field(default=None, repr=False)
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    oauth_token_url: str | None = None
    oauth_scope: str | None = None
    deadline: float = DEADLINE
    """Seconds until a call gives up."""
    session_timeout: float = 6.0
    """Seconds without a heartbeat until a member's partitions go to others."""
    stall_timeout: float = 30.0
    """Seconds without progress, though there is something to read, until the watchdog rebuilds the client."""
    max_rebuilds: int = 3
    """Rebuilds in a row without progress until a poll raises BusDown."""
    replication: int = 0
    """Copies of each new topic; 0 is three, or as many as there are brokers."""
    compression: str | None = None
    """gzip, or with the package cramjam lz4, snappy or zstd."""
    max_message_bytes: int = MAX_MESSAGE_BYTES

    def __post_init__(self) -> None:
        if not self.servers:
            raise ValueError("no Kafka server is named")
        if self.security_protocol not in _PROTOCOLS:
            raise ValueError(f"security_protocol is one of {', '.join(_PROTOCOLS)}")
        self._check_sasl()
        self._check_tls()

    def _check_sasl(self) -> None:
        given = (self.sasl_mechanism, self.sasl_username, self.sasl_password)
        if not self.security_protocol.startswith("SASL_"):
            if any(given):
                raise ValueError(f"SASL settings with security_protocol {self.security_protocol}")
        elif not all(given):
            raise ValueError(f"{self.security_protocol} needs sasl_mechanism, sasl_username and sasl_password")
        elif self.sasl_mechanism not in _MECHANISMS:
            raise ValueError(f"sasl_mechanism is one of {', '.join(_MECHANISMS)}")
        if (self.sasl_mechanism == "OAUTHBEARER") != (self.oauth_token_url is not None):
            raise ValueError("sasl_mechanism OAUTHBEARER and oauth_token_url go together")
        if self.oauth_scope is not None and self.oauth_token_url is None:
            raise ValueError("oauth_scope goes with oauth_token_url")

    def _check_tls(self) -> None:
        tls = self.security_protocol.endswith("SSL")
        if not tls and any((self.ssl_cafile, self.ssl_certfile, self.ssl_keyfile, self.ssl_password)):
            raise ValueError(f"TLS settings with security_protocol {self.security_protocol}")
        if bool(self.ssl_certfile) != bool(self.ssl_keyfile):
            raise ValueError("ssl_certfile and ssl_keyfile go together")
        if self.ssl_password is not None and not self.ssl_keyfile:
            raise ValueError("ssl_password goes with ssl_keyfile")

    def client_options(self) -> dict[str, Any]:
        """What every aiokafka client takes. Raises Unusable for files that cannot be used."""
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.servers),
            "security_protocol": self.security_protocol,
            "request_timeout_ms": int(self.deadline * 1000),
            "retry_backoff_ms": 100,
        }
        context = self._tls().context() if self.security_protocol.endswith("SSL") else None
        if context is not None:
            options["ssl_context"] = context
        if self.sasl_mechanism is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
        if self.oauth_token_url is not None:
            options["sasl_oauth_token_provider"] = token_provider(self._tokens(context))
        elif self.sasl_mechanism is not None:
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        return options

    def _tls(self) -> Tls:
        return Tls(ca=self.ssl_cafile, cert=self.ssl_certfile, key=self.ssl_keyfile, password=self.ssl_password)

    def _tokens(self, context: ssl.SSLContext | None) -> Tokens:
        """The one source of tokens of all clients of these settings."""
        given = (self.oauth_token_url or "", self.sasl_username or "", self.sasl_password or "", self.oauth_scope or "")
        if given not in _TOKENS:
            _TOKENS[given] = Tokens(*given, tls=context)
        return _TOKENS[given]


_TOKENS: dict[tuple[str, str, str, str], Tokens] = {}
"""Of this process: several clients log in, and one token serves them all."""
