"""All settings, in one class: from the command line, the environment, secret files and a TOML file, in this order.

A field `api.port` is `VISABUS_API__PORT` in the environment, `[api] port = ...` in the file, and a file named
`api__port` in the secrets directory (`VISABUS_SECRETS_DIR`). Unknown keys are refused, in every place.
"""

from __future__ import annotations

import os
import re
import tomllib
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as Unparsable

from links.private_file import UnsafeFile, check_private, read_private
from services.nearest import did_you_mean

PREFIX = "VISABUS_"
FILE_VARIABLE = "VISABUS_SETTINGS"
SECRETS_VARIABLE = "VISABUS_SECRETS_DIR"
PACKAGES_VARIABLE = "VISABUS_SYSTEM_PACKAGES"
"""Read by `adapters.registry`, before there are settings."""
_RESERVED = (FILE_VARIABLE, SECRETS_VARIABLE, PACKAGES_VARIABLE)
_TESTS = "VISABUS_TEST_"
"""Variables of the test suite, which are no settings."""

Seconds = Annotated[float, Field(gt=0, le=86_400)]
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,40}")
TokenType = Literal["at+jwt", "jwt", ""]
_FEED_NAME = re.compile(r"[A-Za-z0-9/_-]+\.[A-Za-z0-9_-]+")


def _key_id(name: str) -> str:
    """A key's id as it is. Raises ValueError."""
    if not _KEY_ID.fullmatch(name):
        raise ValueError("no id of a key: 1 to 40 letters, digits, '_', '.' and '-'")
    return name


def _feed_name(name: str) -> str:
    """A feed's name as it is. Raises ValueError: in TOML a name with a point is one name between quotes alone."""
    if not _FEED_NAME.fullmatch(name):
        raise ValueError('no name of a feed; write [feeds."SYSTEM.feed"] with the quotes, as in [feeds."I94.nightly"]')
    return name


FeedName = Annotated[str, AfterValidator(_feed_name)]
KeyId = Annotated[str, AfterValidator(_key_id)]


class SettingsError(Exception):
    """The settings do not hold together. The text lists every mistake, one a line, and shows no value."""

    def __init__(self, mistakes: list[str]) -> None:
        count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(f"settings: {count}\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class Group(BaseModel):
    """A group of settings: closed, frozen, and silent about the values it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


# What can be told of one value is checked with it, not with its group: so all mistakes are told at once.
def _secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value().encode()) < 32:
        raise ValueError("shorter than 32 bytes")
    return value


def _file(value: Path | None) -> Path | None:
    if value is not None and not value.is_file():
        raise ValueError("no file")
    return value


ExistingFile = Annotated[Path | None, AfterValidator(_file)]
"""A file that is there."""


class FeedSettings(Group):
    """Where one feed of one system is found."""

    url: str = Field(repr=False, description="The address of the source, in the form of the feed's transport.")
    options: dict[str, Any] = Field(default={}, repr=False, description="Options that override those of the transport.")
    user: str | None = Field(
        default=None, description="The user or client id by which the source knows this installation."
    )
    secret: SecretStr | None = Field(default=None, description="The password of the user or the secret of the client.")
    key_secret: SecretStr | None = Field(
        default=None, description="The passphrase of `ssl_keyfile` in the options, the key of a client certificate."
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.user is None) != (self.secret is None):
            raise ValueError("user and secret come together")
        return self


class KafkaSettings(Group):
    """How to speak to Kafka. Set whole or not at all."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    username: str | None = None
    password: SecretStr | None = None
    oauth_token_url: str | None = Field(
        default=None, description="With OAUTHBEARER: where username and password get tokens (client credentials)."
    )
    oauth_scope: str | None = Field(default=None, description="With OAUTHBEARER: the scope to ask for.")
    cafile: ExistingFile = Field(default=None, description="Certificates of the trusted authorities, PEM file.")
    certfile: ExistingFile = Field(default=None, description="The client certificate, PEM file.")
    keyfile: ExistingFile = Field(default=None, description="The key of the client certificate, PEM file.")
    key_password: SecretStr | None = Field(default=None, description="The passphrase of the key.")
    replication: int = Field(
        default=0, ge=0, le=10, description="Copies of each new topic; 0: three, or as many as there are brokers."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certfile is None) != (self.keyfile is None):
            raise ValueError("certfile and keyfile go together")
        if self.key_password is not None and self.keyfile is None:
            raise ValueError("key_password goes with keyfile")
        if "security_protocol" in self.model_fields_set:  # else the address says it, and both are compared there
            self.check_fit()
        return self

    def check_fit(self) -> None:
        """Raises ValueError where something is set that the protocol does not take."""
        sasl = {"sasl_mechanism": self.sasl_mechanism, "username": self.username, "password": self.password}
        missing = [name for name, value in sasl.items() if value is None]
        if self.security_protocol.startswith("SASL"):
            if missing:
                raise ValueError(f"{self.security_protocol} also needs {', '.join(missing)}")
            if (self.sasl_mechanism == "OAUTHBEARER") != (self.oauth_token_url is not None):
                raise ValueError("sasl_mechanism OAUTHBEARER and oauth_token_url go together")
        elif len(missing) < len(sasl) or self.oauth_token_url is not None:
            raise ValueError(f"{self.security_protocol} takes no sasl_mechanism, username or password; SASL_SSL does")
        for name in ("cafile", "certfile", "keyfile"):
            if getattr(self, name) is not None and not self.security_protocol.endswith("SSL"):
                raise ValueError(f"{self.security_protocol} takes no {name}; SSL and SASL_SSL do")


class WebSettings(Group):
    """What connections to the API and to the door may cost. Each of the two has these limits for itself."""

    connections: int = Field(
        default=1_000,
        ge=2,
        le=100_000,
        description="Most connections of one process; at the limit a new one takes the place of a silent one.",
    )
    head_seconds: Seconds = Field(default=10.0, description="Seconds in which a request's head has to arrive.")
    body_rate: float = Field(
        default=1_000.0, gt=0, le=1e9, description="Least rate at which a body has to arrive, in bytes a second."
    )
    body_grace_seconds: Seconds = Field(default=5.0, description="Seconds of a body before that rate counts.")
    idle_seconds: Seconds = Field(default=15.0, description="Seconds between two requests of one connection.")
    answer_seconds: Seconds = Field(default=20.0, description="Seconds after which an answer not fetched is given up.")
    proxies: tuple[str, ...] = Field(
        default=(), description="Addresses of proxies that are believed for whom they ask (`X-Forwarded-For`)."
    )


class DatabaseSettings(Group):
    """How to speak to a database on PostgreSQL, as libpq has it; the address may say it instead."""

    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = Field(
        default=None, description="As libpq has it; beyond this machine `verify-full` where nothing says otherwise."
    )
    sslrootcert: str | None = Field(
        default=None, description="Certificates of the trusted authorities, PEM file; `system`: those of the machine."
    )
    sslcert: ExistingFile = Field(default=None, description="The client certificate, PEM file.")
    sslkey: ExistingFile = Field(default=None, description="The key of the client certificate, PEM file.")
    sslpassword: SecretStr | None = Field(default=None, description="The passphrase of the key.")
    passfile: ExistingFile = Field(default=None, description="A file of passwords in libpq's form, mode 600.")

    def said(self) -> dict[str, str]:
        """Return what is set, under the names that an address has for it."""
        values = {name: getattr(self, name) for name in DatabaseSettings.model_fields}
        plain = {name: value for name, value in values.items() if value is not None}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in plain.items()
        }


class ApiSettings(Group):
    """The query API and whom it believes."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    console: bool = Field(default=False, description="Whether the page for operators is served too, at `/console/`.")
    issuer: str | None = Field(default=None, description="The only accepted issuer of tokens.")
    audience: str = Field(default="visabus", description="The audience that a token must name.")
    hs_secret: SecretStr | None = Field(default=None, description="A shared secret (HS256), 32 bytes or more.")
    rs_public_key: ExistingFile = Field(default=None, description="A public key (RS256), PEM file.")
    jwks: ExistingFile = Field(default=None, description="A JSON Web Key Set in a file.")
    revoked: ExistingFile = Field(
        default=None,
        description="A file of revoked tokens, a line each: an id as the audit log has it, or `sub:` and a subject.",
    )
    token_seconds: int = Field(
        default=43_200, ge=60, le=31_536_000, description="Longest life of a token that is believed, from iat to exp."
    )
    rate: float = Field(default=20.0, gt=0, le=100_000, description="Look-ups a second of one subject, on average.")
    burst: int = Field(default=100, ge=1, le=1_000_000, description="Look-ups of one subject at once after a pause.")
    not_found_alarm: int = Field(
        default=50, ge=1, le=1_000_000, description="Look-ups of one subject in ten minutes that find no one: an alarm."
    )
    token_types: tuple[TokenType, ...] = Field(
        default=("at+jwt",), min_length=1, description='Accepted values of `typ`; "" is a token that has none.'
    )

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        keys = {"hs_secret": self.hs_secret, "rs_public_key": self.rs_public_key, "jwks": self.jwks}
        given = [name for name, value in keys.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"one of {', '.join(given)}, not several: a token must not choose how it is checked")
        return self

    @field_validator("hs_secret")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        return _secret(value)


class IngestSettings(Group):
    """How feeds are read."""

    chunk_records: int = Field(default=1_000, ge=1, le=100_000, description="Records that are sent and saved together.")
    chunk_bytes: int = Field(
        default=16_000_000, ge=1, description="Bytes at which a chunk ends, however few its records."
    )
    in_flight: int = Field(default=1, ge=1, le=64, description="Chunks decoded ahead of the one that is being sent.")
    refuse_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of refused records above which the feed stops."
    )
    refuse_min: int = Field(default=200, ge=1, description="Records of a batch before that share counts.")
    poll_seconds: Seconds = Field(default=5.0, description="Pause when a source has nothing more.")
    breaker_failures: int = Field(
        default=5, ge=1, description="Failures in a row after which a source is tried rarely."
    )
    retry_cap_seconds: Seconds = Field(
        default=30.0, description="Longest pause before that; ten times as long after it."
    )
    hold_above: int | None = Field(
        default=None,
        ge=0,
        description="Outcomes that a batch, a push or a replay may change; what would change more waits for a person. "
        "Unset: any.",
    )
    receipt_keys: ExistingFile = Field(
        default=None,
        description="The file of keys that hide records in receipts; by default `receipts.key` in `data_dir`.",
    )
    receipt_days: int = Field(default=1_100, ge=1, le=36_500, description="How long receipts are kept.")
    fence_seconds: Seconds = Field(default=0.5, description="How often a process checks whether another took over.")


class DoorKey(Group):
    """A key that a system signs its pushes with. Several of one system are believed at once: so keys are changed."""

    system: str = Field(description="The system of the key, as `visabus adapters` lists it.")
    hmac_secret: SecretStr | None = Field(default=None, description="A shared secret (HMAC-SHA-256), 32 bytes or more.")
    ed25519_public_key: str | None = Field(default=None, description="A public key (Ed25519), base64 of its 32 bytes.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.hmac_secret is None and self.ed25519_public_key is None:
            raise ValueError(
                "neither hmac_secret nor ed25519_public_key; put the secret into a file of VISABUS_SECRETS_DIR that is "
                "called door__keys__KEY__hmac_secret, KEY being the id of the key"
            )
        if self.hmac_secret is not None and self.ed25519_public_key is not None:
            raise ValueError("one of hmac_secret and ed25519_public_key: a request must not choose how it is checked")
        return self

    @field_validator("hmac_secret")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        return _secret(value)

    @field_validator("ed25519_public_key")
    @classmethod
    def _a_key(cls, value: str | None) -> str | None:
        if value is not None and not _is_public_key(value):
            raise ValueError("no base64 of 32 bytes")
        return value


def _is_public_key(text: str) -> bool:
    try:
        return len(b64decode(text, validate=True)) == 32
    except ValueError:
        return False


class DoorSettings(Group):
    """The door for systems that push, and what it takes from one of them."""

    host: str = Field(default="127.0.0.1", description="Where the door listens.")
    port: int = Field(default=8081, ge=0, le=65_535, description="Where the door listens; 0: any free port.")
    keys: dict[KeyId, DoorKey] = Field(default={}, description="Key id -> the key that is accepted under it.")
    window_seconds: int = Field(
        default=300,
        ge=1,
        le=3_600,
        description="Seconds that `created` of a signature may differ from the door's clock.",
    )
    max_bytes: int = Field(default=4_000_000, ge=1, le=100_000_000, description="Largest body, in bytes.")
    rate: float = Field(default=20.0, gt=0, le=10_000, description="Requests a second of one key, on average.")
    burst: int = Field(default=100, ge=1, le=100_000, description="Requests of one key at once after a pause.")
    concurrent: int = Field(default=16, ge=1, le=1_000, description="Requests handled at the same time, of all keys.")
    body_seconds: Seconds = Field(default=30.0, description="Seconds after which an incomplete body is given up.")
    readers: int = Field(
        default=2, ge=1, le=64, description="Processes that read messages, of each system that pushes."
    )
    read_seconds: Seconds = Field(default=10.0, description="Seconds after which reading a message is given up.")
    read_memory: int = Field(
        default=1_000_000_000, ge=300_000_000, description="Bytes of memory of each process that reads messages."
    )
    answer_bytes: int = Field(
        default=64_000_000, ge=1, description="Bytes of answers kept for repetitions, of each system that pushes."
    )
    refuse_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of refused records above which a key is stopped; 1: never."
    )
    refuse_min: int = Field(default=200, ge=1, description="Records of a key before that share counts.")
    stop_seconds: Seconds = Field(default=900.0, description="Seconds for which a key is stopped.")


class AuditSettings(DatabaseSettings):
    """The audit log: its keys, which its database must not hold, and how often its head is given out."""

    seal_keys: ExistingFile = Field(
        default=None, description="The file of keys that seal rows; by default `audit-seal.key` in `data_dir`."
    )
    name_keys: ExistingFile = Field(
        default=None, description="The file of keys that hide numbers; by default `audit.key` in `data_dir`."
    )
    head_seconds: Seconds = Field(default=60.0, description="How often the last row is given out to the bus.")


class SigningSettings(Group):
    """The keys by which the ingest of each system is known."""

    keys: Path | None = Field(
        default=None,
        description="The directory of the keys that events are signed with and checked by; without it they are not.",
    )


class Deadlines(Group):
    """How long to wait for others."""

    bus_call: Seconds = Field(default=10.0, description="Seconds for one call to the bus.")
    bus_outage: Seconds = Field(default=900.0, description="Seconds of a bus outage after which the process ends.")
    stop: Seconds = Field(
        default=10.0,
        description="Seconds from SIGTERM to the end of the process; ten more, and it says what it waits for and is "
        "ended by force.",
    )


class LogSettings(Group):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["json", "console"] = "console"


Port = Annotated[int | None, Field(ge=1, le=65_535)]


class MetricsSettings(Group):
    """Where each process serves metrics for Prometheus; without a port it serves none."""

    host: str = Field(default="127.0.0.1", description="The address at which metrics are served, of all processes.")
    ingest: Port = Field(default=None, description="Port of `visabus ingest`.")
    door: Port = Field(default=None, description="Port of `visabus door`.")
    correlate: Port = Field(default=None, description="Port of `visabus correlate`.")
    serve: Port = Field(default=None, description="Port of `visabus serve`, beside that of its answers.")


class TracingSettings(Group):
    """Where traces of records go; needs the extra `otel`."""

    endpoint: str | None = Field(
        default=None, description="The address of a collector that takes OTLP over HTTP; unset: nothing is traced."
    )
    share: float = Field(default=0.001, ge=0, le=1, description="Share of the records that are traced.")


class Settings(BaseSettings):
    """Everything that differs between two installations."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    data_dir: Path = Field(
        default=Path("var"), description="The local directory: embedded bus, store and audit log, spool, indexes, keys."
    )
    store: DatabaseSettings = DatabaseSettings()
    audit: AuditSettings = AuditSettings()
    bus_url: str = Field(
        default_factory=lambda data: f"embedded://{data['data_dir']}/bus.db",
        description="embedded:///absolute/bus.db or kafka://host:port",
    )
    store_url: str = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{data['data_dir']}/store.db",
        repr=False,
        description="The status view: an SQLAlchemy URL; postgresql:// means postgresql+asyncpg://",
    )
    audit_url: str = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{data['data_dir']}/audit.db",
        repr=False,
        description="The audit log, a database of its own.",
    )
    feeds: dict[FeedName, FeedSettings] = Field(default={}, description='"SYSTEM.feed" -> where it is.')
    kafka: KafkaSettings = KafkaSettings()
    web: WebSettings = WebSettings()
    api: ApiSettings = ApiSettings()
    ingest: IngestSettings = IngestSettings()
    door: DoorSettings = DoorSettings()
    signing: SigningSettings = SigningSettings()
    deadlines: Deadlines = Deadlines()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: TracingSettings = TracingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` was given: the sources are built there, once, and arrive as one mapping."""
        return (init_settings,)

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("bus_url")
    @classmethod
    def _a_bus(cls, value: str) -> str:
        if not value.startswith(("embedded:///", "kafka://")):
            raise ValueError("starts with embedded:/// (and an absolute path) or kafka://")
        from bus.open import check  # here, so that settings alone load no bus

        check(value)
        return value

    @field_validator("store_url", "audit_url")
    @classmethod
    def _a_store(cls, value: str, info: ValidationInfo) -> str:
        for short in ("postgresql://", "postgres://"):
            if value.startswith(short):
                value = "postgresql+asyncpg://" + value.removeprefix(short)
        if not value.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite://")):
            raise ValueError("starts with sqlite+aiosqlite:/// or postgresql://")
        group = str(info.field_name).removesuffix("_url")
        settings: DatabaseSettings | None = info.data.get(group)
        return _with(value, group, settings.said()) if settings is not None else value

    @model_validator(mode="after")
    def _no_security_for_nothing(self) -> Self:
        """What secures a Kafka would be left out in silence where the bus is none."""
        named = sorted(self.kafka.model_fields_set - {"replication"})
        if named and self.bus_url.startswith("embedded:"):
            raise ValueError(f"bus_url is embedded, and takes no kafka.{named[0]}: name the Kafka, or unset it")
        if "security_protocol" not in {*named, *dict(parse_qsl(self.bus_url.partition("?")[2]))}:
            self.kafka.check_fit()
        return self


def _with(url: str, group: str, said: Mapping[str, str]) -> str:
    """An address with what the settings say besides. Raises ValueError where both say something and differ."""
    if not said:
        return url
    if url.startswith("sqlite"):
        raise ValueError(f"SQLite takes no {group}.{min(said)}")
    bare, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, value in pairs:
        if said.get(name, value) != value:
            raise ValueError(f"{name} of the address and {group}.{name} differ: say it once")
    added = {name: value for name, value in said.items() if name not in dict(pairs)}
    return f"{bare}?{urlencode([*pairs, *added.items()])}"


def load(file: Path | None = None, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings in force. `overrides` (those that are not None) win. Raises SettingsError.

    `environment` stands in for `os.environ` where the caller says so.
    """
    variables, mistakes = _with_files(os.environ if environment is None else environment)
    mistakes += _strangers(variables)
    path = file if file is not None else Path(variables[FILE_VARIABLE]) if variables.get(FILE_VARIABLE) else None
    given: dict[str, Any] = {}
    sources: tuple[Callable[[], Mapping[str, Any]], ...] = (
        lambda: _read(path) if path else {},
        lambda: _secrets(variables.get(SECRETS_VARIABLE)),
        lambda: _variables(variables),
        lambda: {name: value for name, value in overrides.items() if value is not None},
    )
    for source in sources:
        try:
            given = _merged(given, source())
        except SettingsError as error:
            mistakes += error.mistakes
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError(mistakes + _readable(error)) from None
    if mistakes:
        raise SettingsError(mistakes)
    return settings


FILE_SUFFIX = "_FILE"


def _with_files(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The environment with what the files hold that variables name: `VISABUS_STORE_URL_FILE` is for a store_url."""
    variables, mistakes = dict(environment), []
    for name, path in environment.items():
        if not (name.startswith(PREFIX) and name.endswith(FILE_SUFFIX)) or name.startswith(_TESTS):
            continue
        plain = name.removesuffix(FILE_SUFFIX)
        del variables[name]
        if plain in environment:
            mistakes.append(f"{name} (environment): {plain} is there too: say it once")
            continue
        try:
            variables[plain] = read_private(Path(path)).decode().strip()
        except (UnsafeFile, UnicodeDecodeError) as error:
            mistakes.append(f"{name} (environment): {error if isinstance(error, UnsafeFile) else 'no text'}")
        except OSError as error:
            mistakes.append(f"{name} (environment): {error.strerror or 'cannot be read'}")
    return variables, mistakes


_SECRET_NAMES = re.compile(r"(?:.*_)?(?:secret|(?:ssl)?password)", re.IGNORECASE)


def _holds_secret(value: Any, name: str = "") -> bool:
    """Whether settings of a file hold a secret, or an address with a password in it."""
    if isinstance(value, Mapping):
        return any(_holds_secret(each, str(key)) for key, each in value.items())
    if isinstance(value, list):
        return any(_holds_secret(each) for each in value)
    return isinstance(value, str) and (_SECRET_NAMES.fullmatch(name) is not None or has_password(value))


def has_password(url: str) -> bool:
    """Whether an address has a password in it, before its host or in its query."""
    try:
        parts = urlsplit(url)
        return "://" in url and (
            bool(parts.password) or any(_SECRET_NAMES.fullmatch(name) for name, _ in parse_qsl(parts.query))
        )
    except ValueError:
        return False


def _strangers(environment: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none: most often a misspelt name."""
    strangers = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in _RESERVED and not name.startswith(_TESTS):
            setting = name.removeprefix(PREFIX).partition("__")[0].lower()
            if setting not in Settings.model_fields:
                meant = did_you_mean(setting, Settings.model_fields)
                strangers.append(f"{name} (environment): there is no such setting{meant}")
    return strangers


_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)$")


def _read(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        if _holds_secret(given):
            check_private(path)
        return given
    except UnsafeFile as error:
        raise SettingsError([f"{error} (it holds a secret)"]) from None
    except OSError as error:
        raise SettingsError([f"{path}: {error.strerror or 'cannot be read'}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{path}: no TOML: it is not in UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))  # and no more: the error's own text may quote a secret
        where = f"line {place[1]}, column {place[2]}" if place else "its end"
        raise SettingsError([f"{path}: no TOML: mend {where}"]) from None


def _secrets(directory: str | None) -> dict[str, Any]:
    if not directory:
        return {}
    if not Path(directory).is_dir():
        raise SettingsError([f"{SECRETS_VARIABLE}: no directory"])
    mistakes = []
    for path in sorted(Path(directory).iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            check_private(path)
        except UnsafeFile as error:
            mistakes.append(str(error))
    if mistakes:
        raise SettingsError(mistakes)
    files = SecretsSettingsSource(Settings, secrets_dir=directory)
    return NestedSecretsSettingsSource(files, secrets_nested_delimiter="__", secrets_prefix="")()


class _Variables(EnvSettingsSource):
    """The environment as a mapping of the caller's."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {name.lower(): value for name, value in environment.items()}
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._environment


def _variables(environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        return _Variables(environment)()
    except Unparsable as error:
        field = str(error).split('"')[1]  # the library's text names field and source, never the value
        raise SettingsError([f"{field} (environment): no JSON"]) from None


def _merged(under: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(under)
    for name, value in over.items():
        below = result.get(name)
        if isinstance(below, dict) and isinstance(value, Mapping):
            result[name] = _entries(below, value, name) if name in _NAMED else _merged(below, value)
        else:
            result[name] = value
    return result


_NAMED = {"feeds": "url", "keys": "system"}
"""Settings whose entries have names of the user's own, and what an entry has that says all of one."""


def _entries(under: dict[str, Any], over: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Named entries, a feed that says where it is in place of an earlier one; one that says less completes it.

    Names of files and of variables come in lower case: such a name is that of the entry which it is spelt like.
    """
    whole, result = _NAMED[kind], dict(under)
    for name, entry in over.items():
        spelt = [name] if name in result else [each for each in result if each.casefold() == name.casefold()]
        old = result.get(spelt[0]) if spelt else None
        if not isinstance(old, dict) or not isinstance(entry, Mapping):
            result[name] = entry
        elif whole in old and whole in entry:
            result[name] = dict(entry) if kind == "feeds" or spelt != [name] else _merged(old, entry)
        else:
            del result[spelt[0]]
            result[name if whole in entry else spelt[0]] = _merged(old, entry)
    return result


def _nearest(place: Sequence[int | str]) -> str:
    """The setting that a name in a place that has none may have been meant for, as words; nothing if none is near."""
    model: type[BaseModel] = Settings
    steps = iter(place[:-1])
    for step in steps:
        field = model.model_fields.get(str(step))
        inner = [] if field is None else [kind for kind in _kinds(field.annotation) if issubclass(kind, BaseModel)]
        if field is None or not inner:
            return ""
        model = inner[0]
        if get_origin(field.annotation) is dict:
            next(steps, None)  # the name of an entry
    return did_you_mean(str(place[-1]), model.model_fields)


def _kinds(annotation: Any) -> list[type]:
    """The classes that an annotation is made of."""
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    return [kind for each in get_args(annotation) for kind in _kinds(each)]


def _readable(error: ValidationError) -> list[str]:
    lines = []
    errors = error.errors(include_input=False, include_url=False, include_context=False)
    misnamed = {each["loc"][:-1] for each in errors if each["loc"][-1:] == ("[key]",)}
    for each in errors:
        if each["type"] == "default_factory_not_called":
            continue  # rests on a field that has its own line
        if any(each["loc"][: len(place)] == place for place in misnamed) and each["loc"][-1] != "[key]":
            continue  # what stands below a name that is none
        where = ".".join(str(step) for step in each["loc"] if step != "[key]")
        phrase = {"extra_forbidden": "there is no such setting", "missing": "missing"}.get(each["type"])
        if each["type"] == "extra_forbidden":
            phrase = f"there is no such setting{_nearest(each['loc'])}"
        text = phrase or each["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {text}" if where else text)
    return lines
