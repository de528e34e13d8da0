"""The environment of each process of the dev stack: the same settings a cluster would give it."""

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.certificates import ensure_certificates, ensure_token_keys
from devstack.layout import Layout
from devstack.ports import SERVICES, Ports
from devstack.private_files import read_or_make
from devstack.simulator.wallets import DOMAIN_ASSOCIATION

_MAIL_FROM = "Tallyport <billing@tallyport.localhost>"
_NOT_INHERITED = ("TALLYPORT_", "SIMULATOR_", "MAILBOX_", "TRACES_", "OTEL_", "DATABASE_URL", "NATS_URL")
DEMO_ORGANIZATION = "harbor-supply"

Variables = dict[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What the stack draws once for each state folder."""

    folder: Path

    def prepare(self) -> None:
        """Make the key files that services read."""
        ensure_token_keys(self.token_signing_key_file, self.token_jwks_file)
        for file in (self.cookie_key_file, self.pay_link_key_file):
            read_or_make(file, lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    @property
    def token_signing_key_file(self) -> Path:
        return self.folder / "token-signing-key.pem"

    @property
    def token_jwks_file(self) -> Path:
        return self.folder / "token-jwks.json"

    @property
    def cookie_key_file(self) -> Path:
        return self.folder / "cookie-key"

    @property
    def pay_link_key_file(self) -> Path:
        return self.folder / "pay-link-key"

    @property
    def simulator_secret(self) -> str:
        return read_or_make(self.folder / "simulator-secret", lambda: f"sk_sim_{secrets.token_hex(16)}")

    @property
    def simulator_webhook_secret(self) -> str:
        return read_or_make(
            self.folder / "simulator-webhook-secret",
            lambda: f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
        )

    @property
    def stripe_secret(self) -> str:
        """For the simulator's Stripe-shaped side: no key of Stripe's."""
        return read_or_make(self.folder / "stripe-secret", lambda: f"sk_test_{secrets.token_hex(16)}")

    @property
    def stripe_webhook_secret(self) -> str:
        return read_or_make(self.folder / "stripe-webhook-secret", lambda: f"whsec_{secrets.token_hex(16)}")


@dataclass(frozen=True, slots=True, repr=False)
class Databases:
    """The URLs of one service's database by role."""

    app_url: str
    owner_url: str


@dataclass(frozen=True, slots=True, repr=False)
class Environment:
    """Builds the variables of every process from the folder and the ports."""

    layout: Layout
    ports: Ports
    demo: bool = False

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.layout.secrets)

    @property
    def default_organization(self) -> str:
        """Whose sign-in page the bare address shows: the caller's choice, else the demo's once loaded."""
        demo = self.demo or self.layout.demo_logins_file.exists()
        return os.environ.get("TALLYPORT_DEFAULT_ORGANIZATION", DEMO_ORGANIZATION if demo else "")

    @property
    def public_url(self) -> str:
        """Where people go. `localhost`, because passkeys refuse bare addresses."""
        return f"http://localhost:{self.ports['gateway']}"

    @property
    def simulator_url(self) -> str:
        """The provider's own site: another host name than ours, so that no cookie of ours reaches it."""
        return f"http://{self.ports.address('simulator')}"

    def prepare(self) -> None:
        """Make certificates and keys."""
        ensure_certificates(self.layout.tls)
        self.secrets.prepare()
        self._apple_pay_domain_file.parent.mkdir(parents=True, exist_ok=True)
        self._apple_pay_domain_file.write_text(DOMAIN_ASSOCIATION, encoding="utf-8")

    @property
    def _apple_pay_domain_file(self) -> Path:
        """What the simulator gives merchants to serve."""
        return self.layout.data / "apple-pay-domain-association"

    def of_tool(self, name: str) -> Variables:
        """The variables of `simulator`, `mailbox` or `traces`."""
        data = self.layout.data
        ports = self.ports
        own: Mapping[str, Variables] = {
            "simulator": {
                "SIMULATOR_LISTEN": ports.address("simulator"),
                "SIMULATOR_PUBLIC_URL": self.simulator_url,
                "SIMULATOR_SECRET": self.secrets.simulator_secret,
                "SIMULATOR_WEBHOOK_SECRET": self.secrets.simulator_webhook_secret,
                "SIMULATOR_WEBHOOK_URL": f"http://{ports.address('gateway')}/webhooks/simulator",
                "SIMULATOR_DATA_FILE": str(data / "simulator.sqlite"),
                "SIMULATOR_STRIPE_SECRET": self.secrets.stripe_secret,
                "SIMULATOR_STRIPE_WEBHOOK_SECRET": self.secrets.stripe_webhook_secret,
                "SIMULATOR_STRIPE_WEBHOOK_URL": f"http://{ports.address('gateway')}/webhooks/stripe",
            },
            "mailbox": {
                "MAILBOX_SMTP_LISTEN": ports.address("mailbox-smtp"),
                "MAILBOX_HTTP_LISTEN": ports.address("mailbox"),
                "MAILBOX_DATA_FILE": str(data / "mailbox.sqlite"),
            },
            "traces": {"TRACES_LISTEN": ports.address("traces")},
        }
        return _inherited() | own[name]

    def of_service(self, service: str, part: str, nats_url: str, databases: Databases | None) -> Variables:
        """The variables of one service process; `part` is serve, work or migrate."""
        variables = _inherited() | self._shared(service) | self._own(service)
        metrics = f"{service}-{part}-metrics" if databases else f"{service}-metrics"
        if part != "migrate":
            variables["TALLYPORT_METRICS_LISTEN"] = self.ports.address(metrics)
            variables["NATS_URL"] = nats_url
        if databases is not None:
            variables["DATABASE_URL"] = databases.app_url
            # Eight processes share one small server; each idle connection of it costs two megabytes.
            variables["TALLYPORT_DATABASE_POOL_SIZE"] = "4"
            if part == "migrate":
                variables["MIGRATION_DATABASE_URL"] = databases.owner_url
            if part == "serve":
                variables["TALLYPORT_GRPC_LISTEN"] = self.ports.address(f"{service}-grpc")
        return variables

    def of_command_line(self) -> Variables:
        """What the `tallyport` command needs to call services as the identity `cli`."""
        return self._shared("cli")

    def _shared(self, identity: str) -> Variables:
        tls = self.layout.tls
        addresses = {
            f"TALLYPORT_{service.upper()}_ADDRESS": self.ports.address(f"{service}-grpc")
            for service in SERVICES
        }
        return addresses | {
            "TALLYPORT_ENVIRONMENT": "development",
            "TALLYPORT_TEST_CLOCKS": "true",
            "TALLYPORT_TLS_CA_FILE": str(tls / "ca.pem"),
            "TALLYPORT_TLS_CERT_FILE": str(tls / f"{identity}.pem"),
            "TALLYPORT_TLS_KEY_FILE": str(tls / f"{identity}-key.pem"),
            "TALLYPORT_TOKEN_JWKS_FILE": str(self.secrets.token_jwks_file),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.ports.address('traces')}",
        }

    def _own(self, service: str) -> Variables:
        drawn = self.secrets
        own: Mapping[str, Variables] = {
            "identity": {"TALLYPORT_TOKEN_SIGNING_KEY_FILE": str(drawn.token_signing_key_file)},
            "invoicing": {"TALLYPORT_PAY_LINK_KEY_FILE": str(drawn.pay_link_key_file)},
            "payments": {
                "TALLYPORT_SIMULATOR_URL": self.simulator_url,
                "TALLYPORT_SIMULATOR_SECRET": drawn.simulator_secret,
                "TALLYPORT_SIMULATOR_WEBHOOK_SECRET": drawn.simulator_webhook_secret,
                "TALLYPORT_STRIPE_SECRET_KEY": drawn.stripe_secret,
                "TALLYPORT_STRIPE_WEBHOOK_SECRET": drawn.stripe_webhook_secret,
                "TALLYPORT_STRIPE_API_URL": f"{self.simulator_url}/stripe",
                "TALLYPORT_PUBLIC_URL": self.public_url,
            },
            "notifications": {
                "TALLYPORT_SMTP_URL": f"smtp://{self.ports.address('mailbox-smtp')}",
                "TALLYPORT_MAIL_FROM": _MAIL_FROM,
                "TALLYPORT_PUBLIC_URL": self.public_url,
            },
            "gateway": {
                "TALLYPORT_HTTP_LISTEN": self.ports.address("gateway"),
                "TALLYPORT_PUBLIC_URL": self.public_url,
                "TALLYPORT_COOKIE_KEY_FILE": str(drawn.cookie_key_file),
                "TALLYPORT_CHECKOUT_ORIGIN": self.simulator_url,
                "TALLYPORT_DEFAULT_ORGANIZATION": self.default_organization,
                "TALLYPORT_APPLE_PAY_DOMAIN_FILE": str(self._apple_pay_domain_file),
            },
        }
        return own.get(service, {})


def _inherited() -> Variables:
    """The caller's environment without what would change a service behind the stack's back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    return kept | {"PYTHONUNBUFFERED": "1"}
