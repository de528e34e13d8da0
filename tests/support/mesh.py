"""The files that services of a mesh share, made for tests: authority, certificates, token keys."""

import time
from pathlib import Path
from typing import Any

from chassis.caller import Audience
from chassis.rpc.tokens import Claims, TokenSigner, TokenVerifier
from devstack.certificates import ensure_certificates, ensure_token_keys


class Mesh:
    """One authority and one token signer, with a certificate for each service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.signing_key_file = folder / "token-signing.pem"
        self.jwks_file = folder / "token-jwks.json"
        ensure_certificates(folder)
        ensure_token_keys(self.signing_key_file, self.jwks_file)
        self.signer = TokenSigner(self.signing_key_file.read_bytes())

    def verifier(self) -> TokenVerifier:
        """Trusts this mesh's signer."""
        return TokenVerifier.from_file(self.jwks_file)

    def settings(self, service: str) -> dict[str, Any]:
        """What every service needs to speak with its peers, as arguments of its settings class."""
        return {
            "tls_ca_file": self.ca_file,
            "tls_cert_file": self.folder / f"{service}.pem",
            "tls_key_file": self.folder / f"{service}-key.pem",
            "token_jwks_file": self.jwks_file,
        }

    def token(self, kind: Audience, *, organization_id: str = "org_1", seconds: int = 60, **more: Any) -> str:
        """A token for somebody of that kind; `more` are further claims."""
        claims: dict[str, Any] = {"subject_id": "per_1", "name": "Ada"}
        if kind is not Audience.STAFF:
            claims["customer_id"] = "cus_1"
        if kind is Audience.PAY_LINK:
            claims["invoice_id"] = "inv_1"
        expires_at = int(time.time()) + seconds
        return self.signer.sign(
            Claims(
                kind=kind,
                organization_id=organization_id,
                expires_at_seconds=expires_at,
                **(claims | more),
            )
        )
