import os
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[3]
BEHIND = """
import os, socket, subprocess, sys
from gql_server.engine.inspect.fence import Fence
fence = Fence()
fence.raise_up()
import gql_server.engine.inspect.scapy_layers
fence.close()
"""
REACHED = """
try:
    {attempt}
except OSError as error:
    print(type(error).__name__)
else:
    print("reached")
"""


def behind(code: str, home: Path, *, before: str = BEHIND) -> str:
    """Run code behind the fence, in a home of its own."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(HOUSE)}
    done = subprocess.run(
        [sys.executable, "-c", before + code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        ("socket.socket(socket.AF_INET, socket.SOCK_STREAM)", "PermissionError"),
        ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "PermissionError"),
        ("socket.getaddrinfo('127.0.0.1', 80)", "PermissionError"),
        ("socket.gethostbyname('localhost')", "PermissionError"),
        ("subprocess.run(['true'])", "PermissionError"),
        ("os.system('true')", "PermissionError"),
        ("open('/etc/services')", "FileNotFoundError"),
        ("open('here', 'w')", "FileNotFoundError"),
        ("os.open('here', os.O_CREAT | os.O_RDWR)", "FileNotFoundError"),
        ("open(sys.executable, 'rb').close()", "reached"),
    ],
)
def test_nothing_is_reached_but_files_to_read(tmp_path: Path, attempt: str, said: str) -> None:
    assert behind(REACHED.format(attempt=attempt), tmp_path) == said


def test_importing_scapy_leaves_no_trace_and_takes_no_names_from_this_machine(tmp_path: Path) -> None:
    code = """
from scapy.data import IP_PROTOS, TCP_SERVICES
from scapy.config import conf
from scapy.layers.inet import IP, TCP
print(len(list(IP_PROTOS)), len(list(TCP_SERVICES)), conf.route.routes == [], "scapy.all" in sys.modules)
print(IP(bytes(IP(src="192.0.2.1", dst="192.0.2.2") / TCP(dport=80))).summary())
"""
    assert behind(code, tmp_path).splitlines() == [
        "0 0 True False",
        "IP / TCP 192.0.2.1:20 > 192.0.2.2:80 S",
    ]
    assert list(tmp_path.iterdir()) == []


def test_without_the_fence_scapy_keeps_a_cache_in_the_home(tmp_path: Path) -> None:
    assert behind("print('imported')", tmp_path, before="import scapy.layers.inet\n") == "imported"
    assert list(tmp_path.rglob("*.pickle"))


def test_while_scapy_is_imported_names_are_not_looked_up(tmp_path: Path) -> None:
    early = BEHIND.replace("import gql_server.engine.inspect.scapy_layers\nfence.close()\n", "")
    for attempt in ("socket.getaddrinfo('localhost', 80)", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"):
        assert behind(REACHED.format(attempt=attempt), tmp_path, before=early) == "PermissionError"
    assert behind(REACHED.format(attempt="socket.getaddrinfo('192.0.2.1', 80)"), tmp_path, before=early) == "reached"
