"""Which loopback port belongs to whom, and whose a taken port is."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.processes import command_line

HOST = "127.0.0.1"
SERVICES = ("identity", "invoicing", "payments", "notifications")
DEFAULT_PUBLIC_PORT = 8080
DEFAULT_BASE_PORT = 18400
_PUBLIC = ("gateway", "simulator", "mailbox", "traces")
_LISTENING = "0A"


class PortsTakenError(Exception):
    """Ports that the stack needs and somebody else has; the text names port, purpose and owner."""


@dataclass(frozen=True, slots=True)
class Ports:
    """People's pages from `public` on, everything between processes from `base` on."""

    public: int = DEFAULT_PUBLIC_PORT
    base: int = DEFAULT_BASE_PORT

    def table(self) -> dict[str, int]:
        """Port by purpose: `gateway`, `postgres`, `payments-grpc`, `payments-work-metrics`, ..."""
        inner = ["postgres", "nats", "mailbox-smtp"]
        inner += [f"{service}-grpc" for service in SERVICES]
        inner += [f"{service}-{part}-metrics" for service in SERVICES for part in ("serve", "work")]
        inner.append("gateway-metrics")
        return {name: self.public + n for n, name in enumerate(_PUBLIC)} | {
            name: self.base + n for n, name in enumerate(inner)
        }

    def __getitem__(self, purpose: str) -> int:
        return self.table()[purpose]

    def address(self, purpose: str) -> str:
        """host:port"""
        return f"{HOST}:{self[purpose]}"


def check_free(table: Mapping[str, int]) -> None:
    """Raises PortsTakenError when something listens on one of the ports, or two purposes share one."""
    problems = []
    if len(set(table.values())) < len(table):
        problems.append("the ranges of --port and --base-port overlap")
    for purpose, port in table.items():
        if not 0 < port < 65536:
            problems.append(f"port {port} ({purpose}) does not exist")
        elif is_taken(port):
            owner = owner_of(port)
            problems.append(f"port {port} ({purpose}) is taken" + (f" by {owner}" if owner else ""))
    if problems:
        raise PortsTakenError("\n".join(problems))


def is_taken(port: int) -> bool:
    """Whether a listener would be refused on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections do not count
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def owner_of(port: int) -> str:
    """`pid 4711 (nginx -g ...)` of a port's listener; empty where the system does not tell."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*") if sockets else ():
        try:
            found = str(descriptor.readlink()) in sockets
        except OSError:
            continue
        if found:
            pid = int(descriptor.parts[2])
            return f"pid {pid} ({command_line(pid)[:70]})"
    return ""


def _listening_inodes(port: int) -> list[str]:
    inodes: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        inodes += [
            fields[9]
            for fields in map(str.split, lines)
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port
        ]
    return inodes
