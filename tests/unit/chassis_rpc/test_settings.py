"""Configuration is read from environment and secret files, and every mistake is named."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.settings import BaseServiceSettings, SettingsError, split_address


class PayingSettings(BaseServiceSettings):
    simulator_url: str = ""


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> PayingSettings:
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    return PayingSettings.load()


def test_prefixed_and_plain_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        DATABASE_URL="postgresql://app@db/payments",
        TALLYPORT_GRPC_LISTEN="127.0.0.1:7000",
        TALLYPORT_SIMULATOR_URL="http://127.0.0.1:9",
    )
    assert settings.database_url == "postgresql://app@db/payments"
    assert (settings.grpc_listen, settings.simulator_url) == ("127.0.0.1:7000", "http://127.0.0.1:9")


def test_misspelt_key_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="TALLYPORT_GRPC_LISTNE"):
        load(monkeypatch, TALLYPORT_GRPC_LISTNE="127.0.0.1:1")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("TALLYPORT_LOG_LEVEL", "LOUD"),
        ("TALLYPORT_DATABASE_POOL_SIZE", "many"),
        ("TALLYPORT_TRACE_SAMPLE_RATIO", "1.5"),
        ("TALLYPORT_GRPC_LISTEN", "7000"),
        ("TALLYPORT_INVOICING_ADDRESS", "http://invoicing:1"),
        ("TALLYPORT_SECRETS_DIR", "/nowhere/at/all"),
    ],
)
def test_bad_value_is_refused_by_its_key(monkeypatch: pytest.MonkeyPatch, key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=key):
        load(monkeypatch, **{key: value})


def test_secret_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "database_url").write_text("postgresql://from-file\n")
    (tmp_path / "nats_url").write_text("nats://from-file")
    settings = load(monkeypatch, TALLYPORT_SECRETS_DIR=str(tmp_path), NATS_URL="nats://from-environment")
    assert settings.database_url == "postgresql://from-file"
    assert settings.nats_url == "nats://from-environment"


def test_settings_are_frozen_and_do_not_show_secrets() -> None:
    settings = PayingSettings(database_url="postgresql://app:hunter2@db/x")
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.log_level = "DEBUG"


def test_missing_setting_is_named_when_it_is_needed() -> None:
    with pytest.raises(SettingsError, match="TALLYPORT_TLS_CA_FILE is not set"):
        PayingSettings().required("tls_ca_file")
    with pytest.raises(SettingsError, match=r"^NATS_URL is not set"):
        PayingSettings().required("nats_url")


def test_addresses_are_split() -> None:
    assert split_address("invoicing:7102") == ("invoicing", 7102)
    assert split_address("[::1]:80") == ("::1", 80)
    for bad in ("x", "x:", ":1", "x:99999", "x:1:2", "x y:1"):
        with pytest.raises(ValueError, match="host:port"):
            split_address(bad)
