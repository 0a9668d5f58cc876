"""The secret key of a development machine: made once, kept readable by its owner only."""

import os
import secrets
from pathlib import Path


def development_key(data_dir: Path) -> str:
    """Return the key kept in the data folder, creating it on first use.

    The file is created exclusively, so of several processes starting at once one writes.
    """
    key_file = data_dir / "secret_key"
    data_dir.mkdir(parents=True, exist_ok=True)
    partial = key_file.with_suffix(f".{os.getpid()}")
    if not key_file.is_file():
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(partial, key_file)
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            partial.unlink()
    return key_file.read_text().strip()
