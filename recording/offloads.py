"""Turns a network card's offloads on or off.

Run inside the namespace that owns the card: `python -m recording.offloads eth0 off`.
With transmit checksums offloaded, a capture taken on the sender holds frames whose checksum
nobody has filled in yet: the wrong checksums that engineers meet every day.
"""

import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
SET_TRANSMIT_CHECKSUMS = 0x17
SET_TCP_SEGMENTATION = 0x1F
SET_GENERIC_SEGMENTATION = 0x24
SET_GENERIC_RECEIVE = 0x2C
INTERFACE_NAME_BYTES = 16


def set_feature(interface: str, command: int, *, enabled: bool) -> None:
    """Send one `ethtool` command, the old one-value kind, to the interface."""
    value = array.array("B", struct.pack("=II", command, int(enabled)))
    address, _ = value.buffer_info()
    request = struct.pack(f"{INTERFACE_NAME_BYTES}sP", interface.encode(), address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCETHTOOL, request)


def main() -> None:
    """Leave large frames off always; put the transmit checksums where the caller wants them."""
    interface, state = sys.argv[1:]
    for command in (SET_TCP_SEGMENTATION, SET_GENERIC_SEGMENTATION, SET_GENERIC_RECEIVE):
        set_feature(interface, command, enabled=False)
    set_feature(interface, SET_TRANSMIT_CHECKSUMS, enabled=state == "on")


if __name__ == "__main__":
    main()
