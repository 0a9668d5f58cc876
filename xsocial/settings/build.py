"""Which code this is."""

import subprocess
from pathlib import Path

UNKNOWN = "dev"


def of(folder: Path) -> str:
    """The commit a checkout is at, "-dirty" after it where files differ; `UNKNOWN` without Git or outside of it."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
