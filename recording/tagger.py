"""A VLAN on a link, for kernels built without 802.1Q.

`python -m recording.tagger eth0 vlan20 20` makes the network card `vlan20`, puts the tag on what
the kernel sends through it and takes it off what arrives on `eth0` with that tag.
"""

import contextlib
import fcntl
import os
import select
import socket
import struct
import sys

ETH_P_ALL = 0x0003
TAG_PROTOCOL = 0x8100
SOL_PACKET = 263
PACKET_AUXDATA = 8
AUXDATA = struct.Struct("=IIIHHHH")
TAG_IS_VALID = 0x10
VLAN_MASK = 0x0FFF
TUNSETIFF = 0x400454CA
IFF_TAP_WITHOUT_HEADER = 0x1002
ADDRESSES_BYTES = 12
FRAME_LIMIT = 65_536


def open_card(name: str) -> int:
    """Make the network card `name`; it goes when its file is closed."""
    card = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(card, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP_WITHOUT_HEADER))
    return card


def open_link(name: str) -> socket.socket:
    """Open the link for whole frames; the kernel says the tag beside each, having taken it off."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    link.bind((name, 0))
    return link


def arrived_with_tag(link: socket.socket, vlan: int) -> bytes | None:
    """Read one frame; return it untagged when it came in from outside with this tag."""
    frame, ancillary, _, address = link.recvmsg(FRAME_LIMIT, socket.CMSG_SPACE(AUXDATA.size))
    if address[2] == socket.PACKET_OUTGOING:
        return None
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, *_, tag, _ = AUXDATA.unpack(data[: AUXDATA.size])
            return frame if status & TAG_IS_VALID and tag & VLAN_MASK == vlan else None
    return None


def main() -> None:
    """Carry frames both ways until ended."""
    link_name, card_name, vlan_text = sys.argv[1:]
    vlan = int(vlan_text)
    link, card = open_link(link_name), open_card(card_name)
    tag = struct.pack("!HH", TAG_PROTOCOL, vlan)
    while True:
        ready, _, _ = select.select([link.fileno(), card], [], [])
        if card in ready:
            frame = os.read(card, FRAME_LIMIT)
            link.send(frame[:ADDRESSES_BYTES] + tag + frame[ADDRESSES_BYTES:])
        if link.fileno() in ready and (arrived := arrived_with_tag(link, vlan)):
            with contextlib.suppress(OSError):  # the card is down for a moment after it is made
                os.write(card, arrived)


if __name__ == "__main__":
    main()
