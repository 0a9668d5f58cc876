"""Makes `feed/rpc/generated/` from `protos/`.

    python -m feed.rpc.generate            writes the files
    python -m feed.rpc.generate --check    exit code 1 when they are not what the protos say

Needs `grpcio-tools`, which only development installs; the outcome is committed.
"""

import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "protos"
PACKAGE = "feed/rpc/generated"


def generate(target: Path) -> list[Path]:
    """Write the modules below `target` and give their paths relative to it. Raises RuntimeError."""
    from grpc_tools import protoc

    sources = sorted(PROTOS.glob("*.proto"))
    arguments = [
        "protoc",
        # The protos are presented under the package's path, so that generated imports are absolute.
        f"-I{PACKAGE}={PROTOS}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={target}",
        f"--pyi_out={target}",
        f"--grpc_python_out={target}",
        *(f"{PACKAGE}/{source.name}" for source in sources),
    ]
    if protoc.main(arguments) != 0:
        raise RuntimeError("the protos do not compile")
    return sorted(path.relative_to(target) for path in (target / PACKAGE).glob("*_pb2*"))


def stale_modules() -> list[str]:
    """Committed modules that differ from what the protos give now, and those too many or missing."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = {path: (Path(folder) / path).read_bytes() for path in generate(Path(folder))}
    kept = {path.relative_to(ROOT): path.read_bytes() for path in (ROOT / PACKAGE).glob("*_pb2*")}
    return sorted(str(path) for path in fresh.keys() | kept.keys() if fresh.get(path) != kept.get(path))


def main(arguments: Sequence[str]) -> int:
    if "--check" not in arguments:
        generate(ROOT)
        return 0
    stale = stale_modules()
    for path in stale:
        print(f"{path} is not what the protos say: run python -m feed.rpc.generate", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
