"""Three machines on one computer: network namespaces.

modality --- gateway --- archive; their links are veth pairs, so what crosses them is what the kernel's
own network stack and the programs really say.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

MODALITY, GATEWAY, ARCHIVE = "gql-modality", "gql-gateway", "gql-archive"
HARDWARE = {
    (MODALITY, "eth0"): "00:0e:8c:5a:10:2b",
    (GATEWAY, "eth0"): "00:1b:54:c2:20:01",
    (GATEWAY, "eth1"): "00:1b:54:c2:20:02",
    (ARCHIVE, "eth0"): "00:50:56:a1:20:14",
}
ADDRESSES = {
    (MODALITY, "eth0"): ("10.20.1.10/24", "2001:db8:20::10/64"),
    (GATEWAY, "eth0"): ("10.20.1.1/24", "2001:db8:20::1/64"),
    (GATEWAY, "eth1"): ("10.20.2.1/24", "2001:db8:20:2::1/64"),
    (ARCHIVE, "eth0"): ("10.20.2.20/24", "2001:db8:20:2::20/64"),
}
# No default route: nothing can ask for an address outside these networks.
ROUTES = {
    MODALITY: (("10.20.0.0/16", "10.20.1.1"), ("2001:db8:20:2::/64", "2001:db8:20::1")),
    ARCHIVE: (("10.20.0.0/16", "10.20.2.1"), ("2001:db8:20::/64", "2001:db8:20:2::1")),
}
ROOT = Path(__file__).parent.parent
SETTLE_SECONDS = 2.5


def run(*words: str) -> None:
    """Run a program to its end; the first failure ends the recording."""
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # fixed words of this package only


def inside(machine: str, *words: str) -> tuple[str, ...]:
    """Return the words that run a program on a machine."""
    return ("ip", "netns", "exec", machine, *words)


def module(name: str, *words: str) -> tuple[str, ...]:
    """Return the words that run a module of this package."""
    return (sys.executable, "-m", f"recording.{name}", *words)


@contextlib.contextmanager
def running(machine: str, words: Sequence[str], *, folder: Path = ROOT) -> Iterator[None]:
    """Keep a program running on a machine while the block runs."""
    with subprocess.Popen(  # noqa: S603  # fixed words of this package only
        inside(machine, *words), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        time.sleep(1)
        if process.poll() is not None:
            sys.exit(f"{words[0]} ended at once with {process.returncode}")
        try:
            yield
        finally:
            process.terminate()


def connect(left: tuple[str, str], right: tuple[str, str]) -> None:
    """Join two machines by a cable whose ends are their cards."""
    (left_machine, left_card), (right_machine, right_card) = left, right
    pair = ("type", "veth", "peer", "name", right_card, "netns", right_machine)
    run("ip", "-n", left_machine, "link", "add", left_card, *pair)


def bring_up(machine: str, card: str) -> None:
    """Give a card its hardware address and turn it on, with no offload left."""
    run("ip", "-n", machine, "link", "set", card, "address", HARDWARE[machine, card])
    run(*inside(machine, *module("offloads", card, "off")))
    run("ip", "-n", machine, "link", "set", card, "up")


def give_addresses(machine: str, card: str, addresses: Sequence[str]) -> None:
    """Give a card its addresses."""
    for address in addresses:
        run("ip", "-n", machine, "address", "add", address, "dev", card)


def give_routes(machine: str) -> None:
    """Tell a machine the way to the others."""
    for network, gateway in ROUTES[machine]:
        run("ip", "-n", machine, "route", "add", network, "via", gateway)


@contextlib.contextmanager
def machines() -> Iterator[None]:
    """Make the three machines and their cables; take them away at the end."""
    made: list[str] = []
    try:
        for machine in (MODALITY, GATEWAY, ARCHIVE):
            run("ip", "netns", "add", machine)
            made.append(machine)
            run("ip", "-n", machine, "link", "set", "lo", "up")
        connect((MODALITY, "eth0"), (GATEWAY, "eth0"))
        connect((GATEWAY, "eth1"), (ARCHIVE, "eth0"))
        for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            run(*inside(GATEWAY, "sh", "-c", f"echo 1 > /proc/sys/net/{switch}"))
        for machine, card in HARDWARE:
            bring_up(machine, card)
        yield
    finally:
        for machine in made:
            run("ip", "netns", "delete", machine)


def number_everything() -> None:
    """Give every machine its addresses and routes, and let IPv6 find out that they are free."""
    for (machine, card), addresses in ADDRESSES.items():
        give_addresses(machine, card, addresses)
    time.sleep(SETTLE_SECONDS)
    for machine in ROUTES:
        give_routes(machine)
