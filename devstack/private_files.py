"""Small files that only their owner may read: passwords, keys, configurations that hold them."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_private(path: Path, content: str | bytes) -> None:
    """Replace `path` in one step by a file of mode 600; readers never see half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    Path(temporary).replace(path)


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The text in `path`; on first use `make` writes it."""
    if not path.exists():
        write_private(path, make())
    return path.read_text()
