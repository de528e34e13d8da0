"""Configuration of the identity service."""

from pathlib import Path

from pydantic import Field

from chassis.settings import BaseServiceSettings


class IdentitySettings(BaseServiceSettings):
    """What identity takes besides what every service takes."""

    token_signing_key_file: Path | None = None
    """PEM of the Ed25519 private key that signs user tokens; its public half is in the JWKS file."""
    hash_threads: int = Field(default=2, ge=1, le=16)
    """Password hashes computed at once; each takes 19 MiB and about 30 ms of a core."""
