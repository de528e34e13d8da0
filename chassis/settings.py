"""Configuration comes from the environment and secret files only, and is complete before anything starts."""

import os
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "TALLYPORT_"
SECRETS_DIR = "TALLYPORT_SECRETS_DIR"
_ADDRESS = re.compile(r"\A(?:\[(?P<six>[0-9a-fA-F:]+)\]|(?P<host>[^:\s\[\]/]+)):(?P<port>\d{1,5})\Z")


class SettingsError(Exception):
    """The configuration cannot be used; the text names each key and what is wrong with it."""


def split_address(text: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` to its parts. Raises ValueError."""
    match = _ADDRESS.match(text)
    if match is None or not 0 <= int(match["port"]) <= 65535:
        raise ValueError(f"{text!r} is not of the form host:port")
    return match["six"] or match["host"], int(match["port"])


class BaseServiceSettings(BaseSettings):
    """What every service takes. A service adds fields in its own settings.py; unknown keys are refused."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        case_sensitive=False,
        env_ignore_empty=True,
        populate_by_name=True,
    )

    environment: Literal["development", "production"] = "development"
    """Development adds gRPC reflection; nothing else changes."""
    grpc_listen: str = "127.0.0.1:0"
    """host:port of the gRPC server; port 0 takes a free one."""
    metrics_listen: str = "127.0.0.1:0"
    """host:port of plain HTTP with /metrics, /livez and /readyz."""
    tls_ca_file: Path | None = None
    """PEM of the authority that signs every service's certificate."""
    tls_cert_file: Path | None = None
    """PEM certificate chain of this process; its SAN spiffe://tallyport/<service> is its identity."""
    tls_key_file: Path | None = None
    """PEM private key belonging to tls_cert_file."""
    test_clocks: bool = False
    """Whether organizations in test mode may have a clock of their own. Leave it off where money is real."""
    token_jwks_file: Path | None = None
    """JWKS of the public keys that sign user tokens."""
    identity_address: str = "127.0.0.1:7101"
    invoicing_address: str = "127.0.0.1:7102"
    payments_address: str = "127.0.0.1:7103"
    notifications_address: str = "127.0.0.1:7104"
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL", repr=False)
    """DSN of the app role, which row-level security binds."""
    migration_database_url: str | None = Field(
        default=None, validation_alias="MIGRATION_DATABASE_URL", repr=False
    )
    """DSN of the owner role; only the migrate command needs it."""
    database_pool_size: int = Field(default=6, ge=1, le=64)
    """Connections; 4 to 8 are best for a PostgreSQL with two cores, more of them are slower."""
    nats_url: str | None = Field(default=None, validation_alias="NATS_URL", repr=False)
    """nats://user:password@host:port"""
    nats_replicas: int = Field(default=1, ge=1, le=5)
    """Servers that keep each event: 1 for a single one, 3 for a cluster; read where the stream is made."""
    otel_exporter_otlp_endpoint: str | None = Field(
        default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT"
    )
    """Base URL of an OTLP/HTTP collector; without it no trace leaves the process."""
    trace_sample_ratio: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of traces begun here that are recorded; a caller's decision wins."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    crashpoint: str | None = None
    """Tests only: `name`, `name:nth` or `@file`, the point at which the process kills itself."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments (tests), then environment, then secret files; no .env files."""
        return init_settings, env_settings, file_secret_settings

    @classmethod
    def load(cls) -> Self:
        """Reads environment and secret files. Raises SettingsError with one line per key that is wrong."""
        secrets_dir = os.environ.get(SECRETS_DIR)
        if secrets_dir is not None and not Path(secrets_dir).is_dir():
            raise SettingsError(f"{SECRETS_DIR}: {secrets_dir} is not a folder")
        unknown = cls.unknown_keys(os.environ)
        if unknown:
            known = ", ".join(sorted(cls.known_keys()))
            raise SettingsError(f"unknown settings: {', '.join(unknown)} (known: {known})")
        try:
            arguments: dict[str, Any] = {"_secrets_dir": secrets_dir} if secrets_dir else {}
            settings = cls(**arguments)
        except ValidationError as error:
            raise SettingsError(_explain(cls, error)) from None
        settings.check_addresses()
        return settings

    @classmethod
    def known_keys(cls) -> frozenset[str]:
        """Every environment key that this class reads."""
        return frozenset(_key_of(cls, name) for name in cls.model_fields) | {SECRETS_DIR}

    @classmethod
    def unknown_keys(cls, environment: os._Environ[str] | dict[str, str]) -> list[str]:
        """Keys with our prefix that no field reads: most often misspelt ones, which would go unnoticed."""
        known = cls.known_keys()
        return sorted(
            key for key in environment if key.upper().startswith(PREFIX) and key.upper() not in known
        )

    def check_addresses(self) -> None:
        """Raises SettingsError for a `*_listen` or `*_address` that is not host:port."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if not name.endswith(("_listen", "_address")) or value is None:
                continue
            try:
                split_address(value)
            except ValueError as error:
                raise SettingsError(f"{_key_of(type(self), name)}: {error}") from None

    def address_of(self, service: str) -> str:
        """host:port at which another service answers."""
        address: str = getattr(self, f"{service}_address")
        return address

    def required(self, name: str) -> Any:
        """A field that this command cannot do without. Raises SettingsError naming the key."""
        value = getattr(self, name)
        if value is None or value == "":
            raise SettingsError(f"{_key_of(type(self), name)} is not set")
        return value


def _key_of(cls: type[BaseSettings], name: str) -> str:
    alias = cls.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"


def _explain(cls: type[BaseSettings], error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        field = str(problem["loc"][0]) if problem["loc"] else ""
        key = _key_of(cls, field) if field in cls.model_fields else field
        lines.append(f"{key}: {problem['msg']}")
    return "; ".join(lines)
