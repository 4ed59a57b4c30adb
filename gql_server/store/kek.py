"""The key-encryption key: a file of its own, made once."""

import os
import secrets
import stat
from pathlib import Path

from gql_server.domain.errors import SetupError

KEK_BYTES = 32


def read_or_create_kek(path: Path) -> bytes:
    """Return the 32 bytes that wrap all other keys; the first start makes them.

    Raises:
        SetupError: others may read the file, or it does not hold 32 bytes.
    """
    _create(path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SetupError(advice=f"Others may read the key file {path}: chmod 600 it and consider its keys known")
    kek = path.read_bytes()
    if len(kek) != KEK_BYTES:
        raise SetupError(advice=f"The key file {path} does not hold {KEK_BYTES} bytes; restore it from a backup")
    return kek


def _create(path: Path) -> None:
    if path.exists():
        return
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEK_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        # link, not rename: of two servers that start at once, one wins and both read the same key.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
