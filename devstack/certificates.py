"""A throw-away authority, one certificate for each process identity, and the key that signs tokens.

Made once for each state folder. None of it is meant to be trusted by anything outside this machine.
"""

import base64
import datetime
import hashlib
import ipaddress
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from devstack.private_files import write_private

IDENTITIES = ("identity", "invoicing", "payments", "notifications", "gateway", "cli")
_LIFETIME = datetime.timedelta(days=825)
_RENEW_BEFORE = datetime.timedelta(days=30)


def ensure_certificates(folder: Path) -> None:
    """Write `ca.pem`, `<identity>.pem`, `<identity>-key.pem`; all anew when one is missing or ends soon."""
    if all(_good(folder / f"{name}.pem") for name in ("ca", *IDENTITIES)):
        return
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Tallyport throw-away CA", authority_key, authority_key, None)
    for identity in IDENTITIES:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(identity, key, authority_key, authority)
        write_private(folder / f"{identity}-key.pem", _private_pem(key))
        write_private(folder / f"{identity}.pem", certificate.public_bytes(serialization.Encoding.PEM))
    write_private(folder / "ca.pem", authority.public_bytes(serialization.Encoding.PEM))


def ensure_token_keys(signing_key_file: Path, jwks_file: Path) -> None:
    """Write the Ed25519 key that signs user tokens and its public JWKS; kid is the RFC 7638 thumbprint."""
    if signing_key_file.exists() and jwks_file.exists():
        return
    key = ed25519.Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _unpadded(raw)}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True).encode()
    kid = _unpadded(hashlib.sha256(canonical).digest())
    jwk = required | {"alg": "Ed25519", "use": "sig", "kid": kid}
    write_private(signing_key_file, _private_pem(key))
    write_private(jwks_file, json.dumps({"keys": [jwk]}, indent=1))


def _certificate(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    signing_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=issuer is None), critical=True)
    )
    if issuer is not None:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
        builder = (
            builder.add_extension(_names_of(common_name), critical=False)
            .add_extension(x509.ExtendedKeyUsage(both), critical=False)
            .add_extension(authority, critical=False)
        )
    return builder.sign(signing_key, hashes.SHA256())


def _names_of(identity: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.DNSName(identity),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.UniformResourceIdentifier(f"spiffe://tallyport/{identity}"),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _good(certificate_file: Path) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (OSError, ValueError):
        return False
    return certificate.not_valid_after_utc - _RENEW_BEFORE > datetime.datetime.now(datetime.UTC)


def _private_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
