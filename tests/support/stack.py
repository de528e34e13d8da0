"""The whole dev stack with demo data: started once, on free ports and in a folder of its own."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.caller import Audience
from chassis.rpc.client import Channel, connect
from chassis.rpc.tokens import Claims, TokenSigner
from chassis.settings import BaseServiceSettings
from devstack.environment import DEMO_ORGANIZATION, Environment
from devstack.layout import Layout
from devstack.ports import Ports, is_taken

PASSWORD = "correct-horse-battery-demo"
_SPAN = 40


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A running stack. `logins` are the demo's."""

    environment: Environment
    logins: list[dict[str, str]]

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return self.environment.public_url

    def tool(self, name: str) -> str:
        """Address of simulator, mailbox or traces."""
        return f"http://{self.environment.ports.address(name)}"

    def login(self, role: str) -> dict[str, str]:
        """The first login of a role: Owner, Accountant, Customer."""
        return next(login for login in self.logins if login["role"].startswith(role))

    def customer_logins(self) -> list[dict[str, str]]:
        """Logins of customers' people."""
        return [login for login in self.logins if login["role"].startswith("Customer")]

    @contextmanager
    def api(self, role_or_email: str) -> Iterator[httpx.Client]:
        """A client of the public API, signed in."""
        email = role_or_email if "@" in role_or_email else self.login(role_or_email)["email"]
        with httpx.Client(base_url=self.url, timeout=30) as client:
            body = {"organization_slug": DEMO_ORGANIZATION, "email": email, "password": PASSWORD}
            answer = client.post("/v1/sessions", json=body).raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['access']['token']}"
            yield client

    def signer(self) -> TokenSigner:
        """Signs tokens that the services of this stack believe."""
        return TokenSigner(self.environment.secrets.token_signing_key_file.read_bytes())

    def token(self, kind: Audience, *, organization_id: str, expires_at_seconds: int, **claims: Any) -> str:
        """A token for anybody."""
        return self.signer().sign(
            Claims(
                kind=kind, organization_id=organization_id, expires_at_seconds=expires_at_seconds, **claims
            )
        )

    def channel(self, service: str, *, peer: str) -> Channel:
        """A channel to a service with the certificate of `peer`."""
        tls = self.environment.layout.tls
        settings = BaseServiceSettings.model_validate(
            {
                "tls_ca_file": tls / "ca.pem",
                "tls_cert_file": tls / f"{peer}.pem",
                "tls_key_file": tls / f"{peer}-key.pem",
                f"{service}_address": self.environment.ports.address(f"{service}-grpc"),
            }
        )
        return connect(settings, service)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the `tallyport` command against this stack."""
        variables = os.environ | {
            "TALLYPORT_HOME": str(self.environment.layout.home),
            "TALLYPORT_URL": self.url,
        }
        command = [sys.executable, "-m", "cli", *arguments]
        return subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, timeout=120
        )


def free_ports() -> Ports:
    """Two ranges that nobody listens on, below the ephemeral ports."""
    for _ in range(50):
        start = random.randrange(20_000, 32_000 - _SPAN)
        if not any(is_taken(port) for port in range(start, start + _SPAN)):
            return Ports(public=start, base=start + 10)
    raise RuntimeError("no free range of ports")


@contextmanager
def running(home: Path, *, demo: bool = True, without: tuple[str, ...] = ()) -> Iterator[RunningStack]:
    """Starts the stack in `home` and stops it at the end; what it printed is shown when it does not start."""
    ports = free_ports()
    variables = os.environ | {"TALLYPORT_HOME": str(home), "TALLYPORT_DEMO_PASSWORD": PASSWORD}
    start = [sys.executable, "-m", "cli", "up", "--detach"]
    start += ["--port", str(ports.public), "--base-port", str(ports.base)]
    start += ["--demo"] * demo
    for name in without:
        start += ["--without", name]
    stop = [sys.executable, "-m", "cli", "down"]
    try:
        done = subprocess.run(start, env=variables, capture_output=True, text=True, check=False, timeout=240)
        if done.returncode != 0:
            raise RuntimeError(f"the stack did not start:\n{done.stdout}\n{done.stderr}")
        layout = Layout(home)
        logins = json.loads(layout.demo_logins_file.read_text()) if demo else []
        yield RunningStack(Environment(layout, ports), logins)
    finally:
        subprocess.run(stop, env=variables, capture_output=True, check=False, timeout=60)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole stack with demo data."""
    with running(tmp_path_factory.mktemp("stack") / "home") as found:
        yield found
