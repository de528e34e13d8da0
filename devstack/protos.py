"""Regenerates gen/ from proto/, byte for byte and without network."""

import argparse
import filecmp
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import google.api
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GEN = ROOT / "gen"
BASELINE = PROTO / "baseline.binpb"
# annotations.proto and http.proto come as sources inside googleapis-common-protos.
GOOGLE_APIS = Path(next(iter(google.api.__path__))).parent.parent
WELL_KNOWN = Path(sysconfig.get_path("purelib")) / "grpc_tools" / "_proto"


def _validate_descriptors(folder: Path) -> Path:
    """Writes a descriptor set with what ours import; the wheel has buf/validate only in compiled form."""
    from protovalidate._gen.buf.validate.validate_pb import FieldPath

    well_known = folder / "well_known.binpb"
    names = ["descriptor", "duration", "field_mask", "timestamp", "any", "empty", "struct", "wrappers"]
    _run_protoc(
        [f"-I{WELL_KNOWN}", f"--descriptor_set_out={well_known}"]
        + [f"google/protobuf/{name}.proto" for name in names]
    )
    _run_protoc(
        [f"-I{WELL_KNOWN}", f"-I{GOOGLE_APIS}", f"--descriptor_set_out={folder / 'api.binpb'}"]
        + ["google/api/annotations.proto", "google/api/http.proto"]
    )
    bundle = descriptor_pb2.FileDescriptorSet.FromString(well_known.read_bytes())
    bundle.MergeFromString((folder / "api.binpb").read_bytes())
    bundle.file.append(descriptor_pb2.FileDescriptorProto.FromString(FieldPath.desc().file.proto.to_binary()))
    path = folder / "dependencies.binpb"
    path.write_bytes(bundle.SerializeToString(deterministic=True))
    return path


def _run_protoc(arguments: Sequence[str]) -> None:
    scripts = sysconfig.get_path("scripts")
    plugins = [
        f"--plugin=protoc-gen-{name}={Path(scripts) / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")
    ]
    code = protoc.main(["protoc", *plugins, *arguments])
    if code != 0:
        raise SystemExit(f"protoc failed ({code})")


def sources() -> list[str]:
    """Names of our own contract files, relative to proto/, sorted."""
    return sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))


def generate(out: Path) -> None:
    """Generates messages, stubs and types of all contracts into ``out``, which is created afresh."""
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        dependencies = _validate_descriptors(Path(folder))
        outputs = [f"--{kind}_out={out}" for kind in ("python", "mypy")]
        arguments = [f"--descriptor_set_in={dependencies}", f"-I{PROTO}"]
        _run_protoc([*arguments, *outputs, "buf/validate/validate.proto", *sources()])
        with_service = [
            s for s in sources() if re.search(r"^service ", (PROTO / s).read_text(), re.MULTILINE)
        ]
        _run_protoc([*arguments, f"--grpc_python_out={out}", f"--mypy_grpc_out={out}", *with_service])
    # The API reference needs the comments, which generated code does not carry.
    image(out / "tallyport" / "contracts.binpb")


def refresh() -> None:
    """Brings gen/ up to date file by file, so that what runs meanwhile finds every module, and a failure keeps all."""
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".gen-") as folder:
        fresh = Path(folder) / "gen"
        generate(fresh)
        made = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
        for name in sorted(made):
            target = GEN / name
            if not target.exists() or not filecmp.cmp(fresh / name, target, shallow=False):
                target.parent.mkdir(parents=True, exist_ok=True)
                (fresh / name).replace(target)
        for path in GEN.rglob("*"):
            stale = path.is_file() and "__pycache__" not in path.parts and path.relative_to(GEN) not in made
            if stale and path.name != "py.typed":
                path.unlink()


def image(path: Path) -> None:
    """Writes the self-contained descriptor set that buf lint and buf breaking read."""
    with tempfile.TemporaryDirectory() as folder:
        dependencies = _validate_descriptors(Path(folder))
        _run_protoc(
            [
                f"--descriptor_set_in={dependencies}",
                f"-I{PROTO}",
                "--include_imports",
                "--include_source_info",
            ]
            + [f"--descriptor_set_out={path}", *sources()]
        )


def lint() -> int:
    """Runs buf lint and, against the baseline of the last release, buf breaking. Returns an exit code."""
    buf = str(Path(sysconfig.get_path("scripts")) / "buf")
    with tempfile.TemporaryDirectory() as folder:
        current = Path(folder) / "image.binpb"
        image(current)
        code = subprocess.call(
            [buf, "lint", str(current), "--config", str(PROTO / "buf.yaml"), "--path", "tallyport"]
        )
        if BASELINE.exists():
            against = ["--against", str(BASELINE), "--config", str(PROTO / "buf.yaml"), "--path", "tallyport"]
            code |= subprocess.call([buf, "breaking", str(current), *against])
    return code


def is_fresh() -> bool:
    """True when gen/ is exactly what proto/ generates."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "gen"
        generate(fresh)
        expected = sorted(
            str(p.relative_to(fresh)) for p in fresh.rglob("*.py*") if "__pycache__" not in p.parts
        )
        present = sorted(str(p.relative_to(GEN)) for p in GEN.rglob("*.py*") if "__pycache__" not in p.parts)
        if expected != present:
            return False
        return not any(not filecmp.cmp(fresh / name, GEN / name, shallow=False) for name in expected)


def main() -> None:
    """Command line: regenerates, or checks freshness, lints, or accepts today's contracts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when gen/ is not fresh")
    parser.add_argument("--lint", action="store_true", help="buf lint and buf breaking")
    parser.add_argument(
        "--release", action="store_true", help="make today's contracts the baseline of buf breaking"
    )
    options = parser.parse_args()
    if options.check:
        sys.exit(0 if is_fresh() else "gen/ is not what proto/ generates: run `make proto` and commit gen/")
    if options.lint:
        sys.exit(lint())
    if options.release:
        image(BASELINE)
        return
    refresh()


if __name__ == "__main__":
    main()
