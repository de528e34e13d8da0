"""Certificates and keys of one state folder."""

import asyncio
import base64
import json
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devstack.certificates import IDENTITIES, ensure_certificates, ensure_token_keys
from tests.support.servers import free_port


def context(folder: Path, identity: str, purpose: ssl.Purpose) -> ssl.SSLContext:
    made = ssl.create_default_context(purpose, cafile=str(folder / "ca.pem"))
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(folder / f"{identity}.pem", folder / f"{identity}-key.pem")
    return made


async def test_two_services_prove_themselves_to_each_other(tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    seen: list[object] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peercert")["subjectAltName"])
        writer.write(b"hello")
        writer.close()

    port = free_port()
    serving = context(tmp_path, "payments", ssl.Purpose.CLIENT_AUTH)
    async with await asyncio.start_server(greet, "127.0.0.1", port, ssl=serving):
        calling = context(tmp_path, "gateway", ssl.Purpose.SERVER_AUTH)
        for name in ("localhost", "payments", "127.0.0.1"):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=calling, server_hostname=name
            )
            assert await reader.read() == b"hello"
            writer.close()
            await writer.wait_closed()
    assert all(("URI", "spiffe://tallyport/gateway") in names for names in seen)  # type: ignore[operator]


def test_each_identity_has_exactly_one_name_of_its_own(tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    for identity in IDENTITIES:
        certificate = x509.load_pem_x509_certificate((tmp_path / f"{identity}.pem").read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        assert uris == [f"spiffe://tallyport/{identity}"]


def test_certificates_are_made_once(tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    ensure_certificates(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_lost_certificate_renews_the_whole_set(tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    authority = (tmp_path / "ca.pem").read_bytes()
    (tmp_path / "payments.pem").unlink()
    ensure_certificates(tmp_path)
    assert (tmp_path / "payments.pem").exists()
    assert (tmp_path / "ca.pem").read_bytes() != authority


def test_only_the_owner_reads_keys(tmp_path: Path) -> None:
    ensure_certificates(tmp_path)
    ensure_token_keys(tmp_path / "signing.pem", tmp_path / "jwks.json")
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir())


def test_the_published_key_verifies_what_the_signing_key_signs(tmp_path: Path) -> None:
    ensure_token_keys(tmp_path / "signing.pem", tmp_path / "jwks.json")
    (published,) = json.loads((tmp_path / "jwks.json").read_text())["keys"]
    signing_key = load_pem_private_key((tmp_path / "signing.pem").read_bytes(), None)
    assert isinstance(signing_key, Ed25519PrivateKey)
    raw = base64.urlsafe_b64decode(published["x"] + "=")
    Ed25519PublicKey.from_public_bytes(raw).verify(signing_key.sign(b"token"), b"token")
    assert (published["alg"], published["use"], len(published["kid"])) == ("Ed25519", "sig", 43)
