"""What keeps scapy from the network and the machine's files.

Imported, scapy asks the kernel for interfaces and routes, reads what it finds under /etc, and keeps caches in the
user's home. Its names of ports and protocols would then differ from machine to machine. Behind the fence none of
that happens; audit hooks cannot be taken away again, so only a child that ends soon goes behind it.
"""

import errno
import logging
import os
import sys
import warnings
from ipaddress import ip_address
from typing import Any, Final

_HOMES: Final = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
_NOWHERE: Final = "/dev/null/scapy"
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_AF_NETLINK: Final = 16
_FORBIDDEN: Final = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "pty.",
    "ctypes.dlopen",
)
_FOREIGN: Final = ("/etc/", "/usr/share/wireshark/", "/usr/local/share/wireshark/")


class Fence:
    """Lets the import of scapy read which interfaces there are, and nothing else."""

    def __init__(self) -> None:
        self._importing = True

    def raise_up(self) -> None:
        """Stand from now on."""
        for name in _HOMES:
            os.environ[name] = _NOWHERE
        # What scapy and Python say of a packet may quote it.
        logging.disable(logging.CRITICAL)
        warnings.simplefilter("ignore")
        sys.addaudithook(self._look)

    def close(self) -> None:
        """Let nothing through any more: scapy is imported."""
        self._importing = False

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            _look_at_file(*arguments)
        elif event.startswith(_FORBIDDEN) and not (self._importing and _is_harmless(event, arguments)):
            raise PermissionError(errno.EPERM, event)


def _look_at_file(path: Any, mode: Any, flags: Any) -> None:
    del mode
    foreign = isinstance(path, str) and path.startswith(_FOREIGN)
    if foreign or (isinstance(flags, int) and flags & _WRITES):
        # As if there were none: scapy has its own tables to fall back on.
        raise FileNotFoundError(errno.ENOENT, "outside the fence")


def _is_harmless(event: str, arguments: tuple[Any, ...]) -> bool:
    """Say whether an event of the import reaches no further than this machine's kernel."""
    match event, arguments:
        case "socket.__new__", (_, family, *_):
            return bool(family == _AF_NETLINK)
        case "socket.bind", (_, tuple((int(), int()))):
            return True
        case "socket.getaddrinfo", (str(host), *_):
            return _is_number(host)
        case "ctypes.dlopen", _:
            return True
        case _:
            return False


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
