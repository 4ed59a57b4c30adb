"""Reads the files of a survey a page at a time.

Nothing here needs a kernel. Files never change, so a row's number is its place for good.
"""

import json
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, BinaryIO, Final, TypeVar

import numpy as np
import numpy.typing as npt

from gql_server.domain.inspection import (
    Conversation,
    InspectionOrder,
    IpMacPair,
    ProtocolCount,
    RowRequest,
    Rows,
    Subnet,
    Talker,
)
from gql_server.domain.packets import ConversationKey
from gql_server.engine.inspect.layout import NO_TIME
from gql_server.engine.inspect.names import counter_name, protocol_name
from gql_server.engine.inspect.rows import (
    CONVERSATION,
    CONVERSATIONS_FILE,
    PAIR,
    PAIRS_FILE,
    PROTOCOL,
    PROTOCOLS_FILE,
    SURVEY_FILE,
    TALKER,
    TALKERS_FILE,
)
from gql_server.engine.vendors import vendor_of

OpenFile = Callable[[str], BinaryIO]
"""Opens a file of the trace by its name."""

T = TypeVar("T")
Table = npt.NDArray[np.void]

_VERSION_4: Final = 4
_ALL_ONES: Final = 0xFF
_CLASS_D: Final = 0xE
_WORD_BITS: Final = 64
_ADDRESS_BYTES: Final = 16


def read_conversations(open_file: OpenFile, request: RowRequest) -> Rows[Conversation]:
    """Read conversations."""
    return _read(open_file, CONVERSATIONS_FILE, CONVERSATION, request, _conversation)


def count_packets(open_file: OpenFile, key: ConversationKey) -> int:
    """Return how many packets a conversation has, either way; 0 when it is not listed."""
    with open_file(CONVERSATIONS_FILE) as file:
        table = np.frombuffer(file.read(), CONVERSATION)
    found = 0
    # Seen from either end, and once when both are the same.
    for one in {key, key.turned()}:
        source, destination = ip_address(one.source), ip_address(one.destination)
        rows = table[(table["version"] == source.version) & (table["protocol"] == one.protocol)]
        rows = rows[rows["has_ports"] == (one.source_port is not None)]
        ports = one.source_port or 0, one.destination_port or 0
        rows = rows[(rows["initiator_port"] == ports[0]) & (rows["responder_port"] == ports[1])]
        for name, address in (("initiator", source), ("responder", destination)):
            packed = np.frombuffer(address.packed.ljust(_ADDRESS_BYTES, b"\0"), np.uint8)
            rows = rows[(rows[name] == packed).all(axis=1)]
        found += int((rows["packets_sent"] + rows["packets_received"]).sum())
    return found


def read_talkers(open_file: OpenFile, request: RowRequest) -> Rows[Talker]:
    """Read talkers."""
    return _read(open_file, TALKERS_FILE, TALKER, request, _talker)


def read_pairs(open_file: OpenFile, request: RowRequest) -> Rows[IpMacPair]:
    """Read IP addresses at MAC addresses, those with most packets first."""
    return _read(open_file, PAIRS_FILE, PAIR, request, _pair)


def read_protocols(open_file: OpenFile, request: RowRequest) -> Rows[ProtocolCount]:
    """Read the counts of protocols."""
    return _read(open_file, PROTOCOLS_FILE, PROTOCOL, request, _protocol)


def read_subnets(open_file: OpenFile, request: RowRequest, *, prefix_length4: int, prefix_length6: int) -> Rows[Subnet]:
    """Sum the talkers up by prefix, multicast, broadcast and unspecified addresses left out."""
    with open_file(TALKERS_FILE) as file:
        talkers = np.frombuffer(file.read(), TALKER)
    ipv4 = talkers["version"] == _VERSION_4
    parts = [_sum_up(talkers[ipv4], 4, prefix_length4), _sum_up(talkers[~ipv4], 6, prefix_length6)]
    table = np.concatenate(parts)
    table = table[_order(table, InspectionOrder.BYTES)]
    order = _order(table, request.order)
    start, stop = request.span(len(table))
    items = tuple(_subnet(row, (prefix_length4, prefix_length6)) for row in table[order[start:stop]])
    return Rows(items=items, start=start, total=len(table), is_complete=_is_complete(open_file, TALKERS_FILE))


def _read(
    open_file: OpenFile, name: str, dtype: np.dtype[Any], request: RowRequest, read_row: Callable[[Any], T]
) -> Rows[T]:
    with open_file(name) as file:
        total = file.seek(0, 2) // dtype.itemsize
        start, stop = request.span(total)
        if request.order is InspectionOrder.PACKETS and dtype is not PAIR:
            file.seek(0)
            table = np.frombuffer(file.read(), dtype)
            rows = table[_order(table, request.order)[start:stop]]
        else:
            file.seek(start * dtype.itemsize)
            rows = np.frombuffer(file.read((stop - start) * dtype.itemsize), dtype)
    items = tuple(read_row(row) for row in rows)
    return Rows(items=items, start=start, total=total, is_complete=_is_complete(open_file, name))


def _is_complete(open_file: OpenFile, name: str) -> bool:
    with open_file(SURVEY_FILE) as file:
        return bool(json.load(file)["isComplete"][name])


def _order(table: Table, order: InspectionOrder) -> npt.NDArray[np.int64]:
    """Return the rows' numbers, the largest first; equal ones stay as they are."""
    noun = order.value.lower()
    names = [noun] if noun in (table.dtype.names or ()) else [f"{noun}_sent", f"{noun}_received"]
    total = sum(table[name] for name in names)
    return np.argsort(~np.asarray(total, np.uint64), kind="stable")


def _sum_up(talkers: Table, version: int, length: int) -> Table:
    """Return one row a prefix, in the shape of talkers with the number of addresses beside it."""
    talkers = talkers[_is_unicast(talkers, version)]
    words = np.ascontiguousarray(talkers["address"]).view(">u8").astype(np.uint64)
    masks = [_mask(length), _mask(length - _WORD_BITS)]
    keys, place = np.unique(words & np.array(masks, np.uint64), axis=0, return_inverse=True)
    out = np.zeros(len(keys), [*((name, TALKER[name]) for name in TALKER.names or () if name), ("addresses", "<u8")])
    out["version"] = version
    out["address"] = keys.astype(">u8", order="C").view(np.uint8).reshape(-1, 16)
    place = place.reshape(-1)
    np.add.at(out["addresses"], place, 1)
    for name in ("packets_sent", "bytes_sent", "packets_received", "bytes_received"):
        np.add.at(out[name], place, talkers[name])
    return out


def _mask(length: int) -> int:
    """Return a word with so many of its upper bits set."""
    length = min(max(length, 0), _WORD_BITS)
    return ((1 << length) - 1) << (_WORD_BITS - length)


def _is_unicast(talkers: Table, version: int) -> npt.NDArray[np.bool_]:
    address = talkers["address"]
    group = address[:, 0] == _ALL_ONES  # ff00::/8
    if version == _VERSION_4:
        group = (address[:, 0] >> 4 == _CLASS_D) | (address[:, :4] == _ALL_ONES).all(axis=1)
    return np.asarray(address.any(axis=1) & ~group, np.bool_)


def _address(version: int, packed: npt.NDArray[np.uint8]) -> IPv4Address | IPv6Address:
    raw = packed.tobytes()
    return IPv4Address(raw[:4]) if version == _VERSION_4 else IPv6Address(raw)


def _time(time_ns: int) -> int | None:
    return None if time_ns == NO_TIME else time_ns


def _conversation(row: Any) -> Conversation:
    version, protocol = int(row["version"]), int(row["protocol"])
    has_ports = bool(row["has_ports"])
    return Conversation(
        protocol=protocol,
        protocol_name=protocol_name(protocol),
        initiator=_address(version, row["initiator"]),
        initiator_port=int(row["initiator_port"]) if has_ports else None,
        responder=_address(version, row["responder"]),
        responder_port=int(row["responder_port"]) if has_ports else None,
        packets_sent=int(row["packets_sent"]),
        bytes_sent=int(row["bytes_sent"]),
        packets_received=int(row["packets_received"]),
        bytes_received=int(row["bytes_received"]),
        first_time_ns=_time(int(row["first_time_ns"])),
        last_time_ns=_time(int(row["last_time_ns"])),
    )


def _talker(row: Any) -> Talker:
    return Talker(
        address=_address(int(row["version"]), row["address"]),
        packets_sent=int(row["packets_sent"]),
        bytes_sent=int(row["bytes_sent"]),
        packets_received=int(row["packets_received"]),
        bytes_received=int(row["bytes_received"]),
    )


def _pair(row: Any) -> IpMacPair:
    version, mac = int(row["version"]), row["mac"].tobytes().hex(":")
    return IpMacPair(
        address=_address(version, row["address"]) if version else None,
        mac=mac,
        vendor=vendor_of(mac),
        is_router=bool(row["is_router"]),
        addresses=int(row["addresses"]),
        packets_sent=int(row["packets_sent"]),
        packets_received=int(row["packets_received"]),
        claims=int(row["claims"]),
    )


def _protocol(row: Any) -> ProtocolCount:
    name, basis = counter_name(int(row["counter"]))
    return ProtocolCount(name=name, basis=basis, packets=int(row["packets"]), bytes=int(row["bytes"]))


def _subnet(row: Any, lengths: tuple[int, int]) -> Subnet:
    address = _address(int(row["version"]), row["address"])
    prefix: IPv4Network | IPv6Network
    if isinstance(address, IPv4Address):
        prefix = IPv4Network((address, lengths[0]))
    else:
        prefix = IPv6Network((address, lengths[1]))
    return Subnet(
        prefix=prefix,
        addresses=int(row["addresses"]),
        packets_sent=int(row["packets_sent"]),
        bytes_sent=int(row["bytes_sent"]),
        packets_received=int(row["packets_received"]),
        bytes_received=int(row["bytes_received"]),
    )
