"""Settings: every way in, in their order; every mistake told at once; no secret shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.settings import Settings, SettingsError, has_password, load


def test_defaults_stand_below_the_data_directory(tmp_path: Path) -> None:
    settings = load(environment={}, data_dir=tmp_path)
    assert settings.bus_url == f"embedded://{tmp_path}/bus.db"
    assert settings.store_url == f"sqlite+aiosqlite:///{tmp_path}/store.db"
    assert settings.audit_url == f"sqlite+aiosqlite:///{tmp_path}/audit.db"
    assert settings.ingest.refuse_share == 0.5
    assert load(environment={}).data_dir.is_absolute()


def test_command_line_beats_environment_beats_secrets_beats_file(tmp_path: Path) -> None:
    file, secrets = tmp_path / "visabus.toml", tmp_path / "secrets"
    file.write_text(
        '[api]\nport = 1\nissuer = "file"\naudience = "file"\nhost = "file"\n[feeds."I94.x"]\nurl = "file:///a"'
    )
    secrets.mkdir()
    (secrets / "api__issuer").write_text("secrets")
    (secrets / "api__audience").write_text("secrets")
    environment = {
        "VISABUS_SETTINGS": str(file),
        "VISABUS_SECRETS_DIR": str(secrets),
        "VISABUS_API__AUDIENCE": "environment",
        "VISABUS_API__PORT": "2",
        "VISABUS_FEEDS": '{"I94.y": {"url": "file:///b"}}',
    }
    settings = load(environment=environment, api={"port": 3})
    api = settings.api
    assert (api.host, api.issuer, api.audience, api.port) == ("file", "secrets", "environment", 3)
    assert {name: feed.url for name, feed in settings.feeds.items()} == {"I94.x": "file:///a", "I94.y": "file:///b"}


@pytest.mark.parametrize("feeds_in", ["file", "environment"])
def test_what_a_file_of_the_secrets_directory_says_of_a_feed_or_a_key_completes_it(
    feeds_in: str, tmp_path: Path
) -> None:
    file, secrets, environment = tmp_path / "a.toml", tmp_path / "secrets", {}
    secrets.mkdir()
    for name, text in (("feeds__APIS.queue__secret", "s3"), ("door__keys__Ident-A__hmac_secret", "x" * 40)):
        (secrets / name).write_text(text)
        (secrets / name).chmod(0o600)
    if feeds_in == "file":
        file.write_text(
            '[feeds."APIS.queue"]\nurl = "amqp://h/q"\nuser = "reader"\noptions = { window = 300 }\n'
            '[door.keys."Ident-A"]\nsystem = "IDENT"'
        )
    else:
        file.write_text("")
        feed = {"url": "amqp://h/q", "user": "reader", "options": {"window": 300}}
        environment["VISABUS_FEEDS"] = json.dumps({"APIS.queue": feed})
        environment["VISABUS_DOOR"] = json.dumps({"keys": {"Ident-A": {"system": "IDENT"}}})
    settings = load(file, environment=environment | {"VISABUS_SECRETS_DIR": str(secrets)})
    ((name, feed_settings),) = settings.feeds.items()
    assert (name, feed_settings.user, feed_settings.options) == ("APIS.queue", "reader", {"window": 300})
    assert feed_settings.secret is not None
    assert feed_settings.secret.get_secret_value() == "s3"
    ((key_id, key),) = settings.door.keys.items()
    assert (key_id, key.system) == ("Ident-A", "IDENT")
    assert key.hmac_secret is not None


def test_a_feed_with_an_address_replaces_one_of_its_name_whole(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[feeds."I94.x"]\nurl = "file:///a"\noptions = { unchanged = 3 }')
    settings = load(tmp_path / "a.toml", environment={}, feeds={"I94.x": {"url": "file:///b"}})
    assert (settings.feeds["I94.x"].url, settings.feeds["I94.x"].options) == ("file:///b", {})


def test_a_file_named_by_the_caller_beats_the_variable(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[api]\nport = 1")
    (tmp_path / "b.toml").write_text("[api]\nport = 2")
    assert load(tmp_path / "b.toml", environment={"VISABUS_SETTINGS": str(tmp_path / "a.toml")}).api.port == 2


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "visabus.toml"
    file.write_text('colour = "red"\n[api]\nport = "many"\n[feeds."I94.x"]\nurl = "file:///a"\nspeed = 1')
    environment = {"VISABUS_PROT": "1", "VISABUS_BUS_URL": "redis://x", "VISABUS_KAFKA__SECURITY_PROTOCOL": "SASL_SSL"}
    with pytest.raises(SettingsError) as caught:
        load(file, environment=environment)
    text = str(caught.value)
    assert "6 mistakes" in text
    for line in (
        "VISABUS_PROT (environment): there is no such setting",
        "bus_url: starts with embedded:///",
        "colour: there is no such setting",
        "feeds.I94.x.speed: there is no such setting",
        "api.port: ",
        "kafka: SASL_SSL also needs sasl_mechanism, username, password",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"VISABUS_SETTINGS": "/nowhere.toml"}, "/nowhere.toml: No such file"),
        ({"VISABUS_SECRETS_DIR": "/nowhere"}, "VISABUS_SECRETS_DIR: no directory"),
        ({"VISABUS_FEEDS": "{hunter2"}, "feeds (environment): no JSON"),
        ({"VISABUS_FEEDS": '{"noname": {"url": "x"}}'}, 'feeds.noname: no name of a feed; write [feeds."SYSTEM.feed"]'),
        ({"VISABUS_DOOR": '{"keys": {"a b": {"system": "X"}}}'}, "door.keys.a b: no id of a key: 1 to 40 letters"),
        ({"VISABUS_DOOR": '{"keys": {"a": {"system": "X"}}}'}, "called door__keys__KEY__hmac_secret"),
        ({"VISABUS_API__HS_SECRET": "hunter2"}, "api.hs_secret: shorter than 32 bytes"),
        ({"VISABUS_API__JWKS": "/nowhere"}, "api.jwks: no file"),
        (
            {"VISABUS_API__JWKS": __file__, "VISABUS_API__HS_SECRET": "hunter2" * 8},
            "a token must not choose how it is checked",
        ),
        ({"VISABUS_BUS_URL": "kafka://h:1", "VISABUS_KAFKA__USERNAME": "x"}, "PLAINTEXT takes no sasl_mechanism"),
        ({"VISABUS_BUS_URL": "kafka://h:1", "VISABUS_KAFKA__CAFILE": __file__}, "PLAINTEXT takes no cafile"),
        ({"VISABUS_BUS_URL": "kafka://h:1", "VISABUS_KAFKA__CERTFILE": __file__}, "certfile and keyfile go together"),
        ({"VISABUS_KAFKA__KEY_PASSWORD": "hunter2"}, "key_password goes with keyfile"),
        ({"VISABUS_KAFKA__CAFILE": __file__}, "bus_url is embedded, and takes no kafka.cafile"),
        ({"VISABUS_STORE__SSLMODE": "verify-full"}, "store_url: SQLite takes no store.sslmode"),
        ({"VISABUS_STORE__SSLMODE": "hunter2"}, "store.sslmode"),
        (
            {"VISABUS_AUDIT_URL": "postgresql://h/d?sslmode=disable", "VISABUS_AUDIT__SSLMODE": "verify-full"},
            "audit_url: sslmode of the address and audit.sslmode differ",
        ),
        ({"VISABUS_KAFKA__CAFILE": "/nowhere"}, "kafka.cafile: no file"),
        ({"VISABUS_BUS_URL": "kafka://visabus:hunter2@h:9092"}, "bus_url: user and password do not belong"),
        ({"VISABUS_BUS_URL": "kafka://h:9092?colour=hunter2"}, "bus_url: no setting of a bus that is kafka: colour"),
        ({"VISABUS_STORE_URL": "mysql://root:hunter2@x"}, "store_url: starts with sqlite+aiosqlite"),
        ({"VISABUS_INGEST__REFUSE_SHARE": "0"}, "ingest.refuse_share"),
        ({"VISABUS_DATA_DIR": "a\0b"}, "data_dir"),
    ],
)
def test_each_mistake_is_readable_and_shows_no_value(environment: dict[str, str], text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environment=environment)
    assert text in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_mistakes_of_one_group_are_told_together() -> None:
    wrong = {"port": 70_000, "hs_secret": "hunter2", "jwks": "/nowhere"}
    keys = {"a": {"system": 3, "hmac_secret": "hunter2"}}
    with pytest.raises(SettingsError) as caught:
        load(environment={}, api=wrong, door={"keys": keys})
    text = str(caught.value)
    for name in ("api.port", "api.hs_secret", "api.jwks", "door.keys.a.system", "door.keys.a.hmac_secret"):
        assert f"{name}: " in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"password = hunter2", "no TOML: mend line 1, column 12"),
        (b'a = 1\n"hunter2" = 1 2', "no TOML: mend line 2, column 15"),
        (b'a = [1, "hunter2', "no TOML: mend its end"),
        (b'a = "hunter2\xe9"', "no TOML: it is not in UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_not_quoted(content: bytes, where: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=where) as caught:
        load(tmp_path / "a.toml", environment={})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ("data_dri = 'x'", "data_dri: there is no such setting; did you mean data_dir?"),
        ("[api]\nprot = 1", "api.prot: there is no such setting; did you mean port?"),
        ('[feeds."I94.x"]\nurl = "file:///a"\noption = {}', "feeds.I94.x.option: {}; did you mean options?"),
        ('[door.keys.a]\nsystem = "X"\nhmac_secert = "x"', "door.keys.a.hmac_secert: {}; did you mean hmac_secret?"),
        ("zzz = 1", "zzz: {}"),
    ],
)
def test_a_misspelt_name_is_told_with_the_nearest(content: str, mistake: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(content)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "a.toml", environment={})
    assert mistake.format("there is no such setting") in caught.value.mistakes


def test_a_misspelt_variable_is_told_with_the_nearest_setting() -> None:
    with pytest.raises(SettingsError) as caught:
        load(environment={"VISABUS_DATA_DRI": "x"})
    assert caught.value.mistakes == (
        "VISABUS_DATA_DRI (environment): there is no such setting; did you mean data_dir?",
    )


def test_a_feed_without_quotes_is_one_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[feeds.I94.nightly]\nurl = "file:///a"')
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "a.toml", environment={})
    (mistake,) = caught.value.mistakes
    assert mistake.startswith("feeds.I94: ")


def test_no_secret_is_printed() -> None:
    settings = load(
        environment={},
        bus_url="kafka://h:9093",
        store_url="postgresql://visabus:hunter2@db/visabus",
        feeds={"I94.x": {"url": "sftp://visabus:hunter2@host/", "options": {"password": "hunter2"}}},
        api={"hs_secret": "hunter2" * 8},
        kafka={
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "username": "visabus",
            "password": "hunter2",
        },
    )
    assert settings.store_url == "postgresql+asyncpg://visabus:hunter2@db/visabus"
    assert "hunter2" not in repr(settings) + str(settings) + repr(settings.kafka) + repr(settings.feeds)


def test_every_setting_is_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that no variable reaches would be a setting that a container cannot set."""
    for name, value in {"VISABUS_LOG__LEVEL": "debug", "VISABUS_DEADLINES__STOP": "3"}.items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert (settings.log.level, settings.deadlines.stop) == ("debug", 3.0)


def test_descriptions_say_what_is_not_plain() -> None:
    undescribed: list[str] = []

    def visit(schema: dict[str, Any]) -> None:
        for name, field in schema.get("properties", {}).items():
            if not field.get("description") and "$ref" not in field:
                undescribed.append(name)

    schema = Settings.model_json_schema(mode="validation")
    for group in (schema, *schema["$defs"].values()):
        visit(group)
    plain = {"host", "port", "security_protocol", "sasl_mechanism", "username", "password", "level", "form"}
    assert set(undescribed) <= plain


def test_a_variable_may_name_a_file_that_holds_its_value(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("postgresql://u:hunter2@db/x\n")
    (tmp_path / "secret").write_text("s" * 32)
    given = {
        "VISABUS_STORE_URL_FILE": str(tmp_path / "store"),
        "VISABUS_API__HS_SECRET_FILE": str(tmp_path / "secret"),
    }
    settings = load(environment=given, data_dir=tmp_path)
    assert settings.store_url == "postgresql+asyncpg://u:hunter2@db/x"
    assert settings.api.hs_secret is not None
    assert settings.api.hs_secret.get_secret_value() == "s" * 32
    for name, value, text in (
        ("VISABUS_STORE_URL", "postgresql://db/x", "VISABUS_STORE_URL is there too"),
        ("VISABUS_NOTHING_FILE", str(tmp_path / "store"), "there is no such setting"),
        ("VISABUS_AUDIT_URL_FILE", str(tmp_path / "none"), "No such file"),
    ):
        with pytest.raises(SettingsError, match=text):
            load(environment=given | {name: value}, data_dir=tmp_path)
    (tmp_path / "store").chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600") as refused:
        load(environment=given, data_dir=tmp_path)
    assert "hunter2" not in str(refused.value)


def test_no_setting_ends_as_the_name_of_a_file_would(tmp_path: Path) -> None:
    def names(model: Any) -> list[str]:
        return list(model.model_fields) + [
            inner
            for field in model.model_fields.values()
            if hasattr(field.annotation, "model_fields")
            for inner in names(field.annotation)
        ]

    assert [name for name in names(Settings) if name.endswith("_file")] == []


def test_files_with_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    secrets, plain, full = tmp_path / "secrets", tmp_path / "plain.toml", tmp_path / "full.toml"
    secrets.mkdir()
    (secrets / "api__hs_secret").write_text("s" * 32)
    plain.write_text('store_url = "postgresql://u@db/x"\n[api]\nport = 1\n')
    for secret in (
        'store_url = "postgresql://u:hunter2@db/x"\n',
        '[api]\nhs_secret = "ssssssssssssssssssssssssssssssss"\n',
        '[feeds."I94.x"]\nurl = "amqp://u:hunter2@h/q"\n',
        '[feeds."I94.x"]\nurl = "amqp://h/q"\nuser = "u"\nsecret = "hunter2"\n',
    ):
        full.write_text(secret)
        full.chmod(0o600)
        load(full, environment={}, data_dir=tmp_path)
        full.chmod(0o644)
        with pytest.raises(SettingsError, match="chmod 600") as refused:
            load(full, environment={}, data_dir=tmp_path)
        assert "hunter2" not in str(refused.value)
    plain.chmod(0o644)
    load(plain, environment={}, data_dir=tmp_path)
    load(environment={"VISABUS_SECRETS_DIR": str(secrets)}, data_dir=tmp_path)
    (secrets / "api__hs_secret").chmod(0o604)
    with pytest.raises(SettingsError, match="chmod 600"):
        load(environment={"VISABUS_SECRETS_DIR": str(secrets)}, data_dir=tmp_path)


@pytest.mark.parametrize("name", ["sslpassword", "ssl_key_password", "ssl_password", "password"])
def test_a_passphrase_in_an_address_is_a_secret(name: str) -> None:
    assert has_password(f"postgresql://u@db/d?{name}=x")
    assert not has_password("postgresql://u@db/d?sslmode=verify-full&passfile=/etc/pgpass")
