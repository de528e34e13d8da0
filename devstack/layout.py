"""Where the dev stack keeps its state: `.tallyport/` in the repository, or what TALLYPORT_HOME names."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_MARKER = "STATE-OF-TALLYPORT"
_LOG_BYTES_KEPT = 16 << 20


class LayoutError(Exception):
    """The state folder cannot be used; the text says why."""


class AlreadyRunningError(Exception):
    """Another supervisor holds this state folder."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one state folder."""

    home: Path

    @classmethod
    def chosen(cls) -> "Layout":
        """The folder of TALLYPORT_HOME, else `.tallyport` in the repository."""
        named = os.environ.get("TALLYPORT_HOME")
        return cls(Path(named).expanduser().resolve() if named else REPOSITORY / ".tallyport")

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def tls(self) -> Path:
        return self.home / "tls"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def state_file(self) -> Path:
        """What runs now, as JSON; written by the supervisor."""
        return self.home / "run" / "state.json"

    @property
    def demo_logins_file(self) -> Path:
        """Logins that the demo made, as JSON: [{"role", "email", "password", "url"}, ...]."""
        return self.home / "run" / "demo-logins.json"

    @property
    def _lock_file(self) -> Path:
        return self.home / "lock"

    def log_of(self, name: str) -> Path:
        """The log file of one process."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders. Raises LayoutError where something else lives or nothing can be written."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            marker = self.home / _MARKER
            if not marker.exists() and any(self.home.iterdir()):
                raise LayoutError(
                    f"{self.home} holds something else: let TALLYPORT_HOME name an empty folder"
                )
            marker.write_text("State of a Tallyport dev stack. `tallyport up --fresh` empties it.\n")
            for folder in (self.data, self.logs, self.tls, self.secrets, self.state_file.parent):
                folder.mkdir(mode=0o755, exist_ok=True)
        except OSError as error:
            raise LayoutError(f"the state folder {self.home} cannot be written: {error}") from None

    def empty(self) -> None:
        """Forget all data, keys and logins; logs stay. Touches only what `prepare` made."""
        for folder in (self.data, self.tls, self.secrets, self.state_file.parent):
            shutil.rmtree(folder, ignore_errors=True)
        self.prepare()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one supervisor; the kernel frees it however that ends."""
        with self._lock_file.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise AlreadyRunningError(f"a stack is already running from {self.home}") from None
            yield

    @property
    def in_use(self) -> bool:
        """Whether a supervisor holds the folder now."""
        if not self._lock_file.exists():
            return False
        try:
            with self.locked():
                return False
        except AlreadyRunningError:
            return True

    def trim_logs(self) -> None:
        """Put away logs that have grown long; only while nothing writes them."""
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > _LOG_BYTES_KEPT:
                log.replace(log.with_suffix(".log.1"))
