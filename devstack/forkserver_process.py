"""`python -m devstack.forkserver_process`: has the heavy modules loaded and forks services from itself.

Nine service processes would each spend two seconds of a core and 80 MB on the same imports; forked ones
share them. It has one thread and runs nothing of what it loaded, so a fork is as clean as a new interpreter.
"""

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
from typing import Any

from devstack.processes import dying_with_parent

MESSAGE_BYTES = 1 << 17
_PACKAGES = ("chassis", "tallyport")
# What the packages import late, at their first use, and every service uses.
_MODULES = (
    "alembic.command",
    "alembic.runtime.migration",
    "google.protobuf.json_format",
    "httpx",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.instrumentation.sqlalchemy",
    "sqlalchemy.dialects.postgresql.psycopg",
    "uvloop",
)
_PR_SET_NAME = 15


def main() -> None:
    """Serve requests from the socket whose descriptor is the argument; in a fork, become the asked-for module."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    _preload()
    channel.send(json.dumps({"ready": True}).encode())
    request = _serve(channel)
    if request is not None:
        _become(request)


def _preload() -> None:
    gc.disable()
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    for name in _MODULES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a fork must not touch, and so copy, what is shared
    gc.enable()


def _serve(channel: socket.socket) -> dict[str, Any] | None:
    """Returns None when the supervisor hung up, and the request in each fork."""
    wake_reader, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        readable, _, _ = select.select([channel.fileno(), wake_reader], [], [])
        if wake_reader in readable:
            os.read(wake_reader, 4096)
            _report_ends(channel)
        if channel.fileno() in readable:
            message, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 1)
            if not message:
                return None
            prepare = dying_with_parent(signal.SIGKILL)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _take_output(descriptors[0], [channel.detach(), wake_reader, wake_writer])
                prepare()
                request: dict[str, Any] = json.loads(message)
                return request
            os.close(descriptors[0])
            channel.send(json.dumps({"started": pid}).encode())


def _report_ends(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        channel.send(json.dumps({"ended": pid, "status": os.waitstatus_to_exitcode(status)}).encode())


def _take_output(log: int, unwanted: list[int]) -> None:
    os.dup2(log, 1)
    os.dup2(log, 2)
    for descriptor in (log, *unwanted):
        os.close(descriptor)
    os.setsid()


def _become(request: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["working_directory"])
    sys.argv[:] = [request["module"], *request["arguments"]]
    title = "-".join([request["module"].rpartition(".")[2], *request["arguments"]])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, title.encode()[:15], 0, 0, 0)
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
