"""The settings of a Kafka bus as a client in Java has them: Spark reads Kafka by one."""

from __future__ import annotations

from pathlib import Path

from bus.kafka_settings import KafkaSettings

_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


def java_options(settings: KafkaSettings) -> dict[str, str]:
    """Return the options of a consumer of the same bus. Raises OSError, and ValueError for what Java would not take."""
    options = {"bootstrap.servers": ",".join(settings.servers), "security.protocol": settings.security_protocol}
    if settings.security_protocol.endswith("SSL"):
        options |= _tls(settings)
    if settings.sasl_mechanism == "OAUTHBEARER":
        raise ValueError("Spark's source of Kafka has no tokens of OAUTHBEARER: leave --jars out, and the driver reads")
    if settings.sasl_mechanism is not None:
        module = _PLAIN if settings.sasl_mechanism == "PLAIN" else _SCRAM
        user, password = _quoted(settings.sasl_username or ""), _quoted(settings.sasl_password or "")
        options["sasl.mechanism"] = settings.sasl_mechanism
        options["sasl.jaas.config"] = f"{module} required username={user} password={password};"
    return options


def _tls(settings: KafkaSettings) -> dict[str, str]:
    """The texts of the PEM files themselves: executors need not have the files."""
    options: dict[str, str] = {}
    if settings.ssl_cafile is not None:
        options |= {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": Path(settings.ssl_cafile).read_text()}
    if settings.ssl_certfile is not None and settings.ssl_keyfile is not None:
        options |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": Path(settings.ssl_certfile).read_text(),
            "ssl.keystore.key": Path(settings.ssl_keyfile).read_text(),
        }
        if settings.ssl_password is not None:
            options["ssl.key.password"] = settings.ssl_password
    return options


def _quoted(text: str) -> str:
    """A value of a JAAS line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
