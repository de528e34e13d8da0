"""Imports run one way: gen <- chassis <- services <- devstack, cli; inside a service edge -> operations -> domain."""

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lint(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sysconfig.get_path("scripts")) / "lint-imports"),
        "--config",
        str(config),
        "--no-cache",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_arrows_of_the_house_hold() -> None:
    done = lint(ROOT / ".importlinter", ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_breach_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "__init__.py").write_text("import two\n")
    (tmp_path / "two" / "__init__.py").write_text("")
    config = tmp_path / ".importlinter"
    config.write_text(
        "[importlinter]\nroot_packages =\n    one\n    two\n"
        "[importlinter:contract:apart]\nname = apart\ntype = independence\nmodules =\n    one\n    two\n"
    )
    assert lint(config, tmp_path).returncode != 0


def test_domain_rules_import_nothing_that_does_input_or_output() -> None:
    """In a process of its own, so that what other tests imported does not count."""
    forbidden = "{'sqlalchemy', 'grpc', 'nats', 'tallyport', 'psycopg', 'httpx'}"
    script = (
        "import importlib, pkgutil, sys\n"
        "import services\n"
        "for service in ('identity', 'invoicing', 'payments', 'notifications'):\n"
        "    package = importlib.import_module(f'services.{service}.domain')\n"
        "    for module in pkgutil.iter_modules(package.__path__):\n"
        "        importlib.import_module(f'{package.__name__}.{module.name}')\n"
        f"loaded = {{name.split('.')[0] for name in sys.modules}} & {forbidden}\n"
        "sys.exit(f'domain loads {sorted(loaded)}' if loaded else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
