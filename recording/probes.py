"""Datagrams that make other machines answer with ICMP.

`python -m recording.probes ADDRESS closed-port | short-lived | echo`, run where they shall come from.
"""

import contextlib
import socket
import struct
import sys

CLOSED_PORT = 9_999
ECHO_REQUEST = 128
ANSWER_SECONDS = 2.0


def family_of(address: str) -> socket.AddressFamily:
    """Return the family an address is written in."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send_to_closed_port(address: str, *, hops: int | None = None) -> None:
    """Send a datagram nobody listens for, and wait for the error it earns."""
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sender:
        if hops is not None:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
        sender.settimeout(ANSWER_SECONDS)
        sender.connect((address, CLOSED_PORT))
        sender.send(b"EXAMPLE status report of an example modality")
        with contextlib.suppress(OSError):  # the error is what we came for
            sender.recv(1)


def send_echo(address: str) -> None:
    """Ask for two ICMPv6 echoes; the kernel fills in their checksums."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sender:
        sender.settimeout(ANSWER_SECONDS)
        sender.connect((address, 0))
        for sequence in (1, 2):
            sender.send(struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, 0x2020, sequence) + b"EXAMPLE echo")
            sender.recv(1_500)


def main() -> None:
    """Send the kind of probe asked for."""
    address, kind = sys.argv[1:]
    match kind:
        case "closed-port":
            send_to_closed_port(address)
        case "short-lived":
            send_to_closed_port(address, hops=1)
        case "echo":
            send_echo(address)
        case _:
            sys.exit(f"no such probe: {kind}")


if __name__ == "__main__":
    main()
