"""What a disk holds after a power loss.

Worked out from the system calls of a run: the log of `strace -f -y -xx`. Strict POSIX: bytes are there when their
file was fsynced, a name when its directory was. Nothing else survives.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = "openat,pwrite64,ftruncate,fsync,rename,mkdir,unlink,rmdir,link,write"

_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)(?:<(.*)>)?$")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OPEN_FILE = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})*)>")


@dataclass(eq=False)
class _Node:
    is_directory: bool
    names: "dict[str, _Node]" = field(default_factory=dict)
    durable_names: "dict[str, _Node]" = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    durable_data: bytes = b""


class Disk:
    """A directory as the kernel sees it, and as the disk does."""

    def __init__(self, root: Path, *, ignored: str = "") -> None:
        """Begin with an empty directory; fsyncs of one kind may be ignored: "file" or "directory"."""
        self._prefix = f"{root}/"
        self._root = _Node(is_directory=True)
        self._ignored = ignored

    def survivors(self) -> dict[str, bytes]:
        """Return the files that a power loss now would leave, by their path below the root."""
        return dict(_walk(self._root, ""))

    def replay(self, log: str) -> Iterator[str]:
        """Do what the log says; yields after each call, the line that it put out or nothing."""
        for line in log.splitlines():
            match = _CALL.match(line)
            if match is None or match[3].startswith("-"):
                continue
            name, arguments = match[1], match[2]
            if name == "write" and arguments.startswith("1<"):
                yield _strings(arguments)[0].decode().strip()
            else:
                self._do(name, arguments)
                yield ""

    def _do(self, name: str, arguments: str) -> None:
        opened = _OPEN_FILE.match(arguments)
        if opened is not None and name != "openat":
            node = self._find(_unescape(opened[1]).decode())
            if node is not None:
                self._do_to_file(name, arguments, node)
            return
        paths = [text.decode() for text in _strings(arguments)]
        if all(path.startswith(self._prefix) for path in paths) and paths:
            self._do_to_names(name, arguments, *(path.removeprefix(self._prefix) for path in paths))

    def _do_to_file(self, name: str, arguments: str, node: _Node) -> None:
        match name:
            case "pwrite64":
                data, offset = _strings(arguments)[0], int(arguments.rpartition(",")[2])
                node.data[len(node.data) :] = bytes(max(0, offset - len(node.data)))
                node.data[offset : offset + len(data)] = data
            case "write":
                node.data += _strings(arguments)[0]
            case "ftruncate":
                del node.data[int(arguments.rpartition(",")[2]) :]
            case "fsync" if self._ignored != ("directory" if node.is_directory else "file"):
                node.durable_data = bytes(node.data)
                node.durable_names = dict(node.names)

    def _do_to_names(self, name: str, arguments: str, path: str, target: str = "") -> None:
        names, last = self._parent(path)
        match name:
            case "openat":
                if "O_CREAT" in arguments:
                    names.setdefault(last, _Node(is_directory=False))
            case "mkdir":
                names[last] = _Node(is_directory=True)
            case "unlink" | "rmdir":
                del names[last]
            case "rename":
                others, other = self._parent(target)
                others[other] = names.pop(last)
            case "link":
                others, other = self._parent(target)
                others[other] = names[last]

    def _parent(self, path: str) -> tuple[dict[str, _Node], str]:
        node = self._root
        *parents, last = path.split("/")
        for name in parents:
            node = node.names[name]
        return node.names, last

    def _find(self, path: str) -> _Node | None:
        if f"{path}/" == self._prefix:
            return self._root
        if not path.startswith(self._prefix):
            return None
        names, last = self._parent(path.removeprefix(self._prefix))
        return names[last]


def _walk(node: _Node, prefix: str) -> Iterator[tuple[str, bytes]]:
    for name, child in node.durable_names.items():
        if child.is_directory:
            yield f"{prefix}{name}/", b""
            yield from _walk(child, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", child.durable_data


def _strings(arguments: str) -> list[bytes]:
    return [_unescape(text) for text in _STRING.findall(arguments)]


def _unescape(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
