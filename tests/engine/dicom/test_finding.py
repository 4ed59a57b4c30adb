import ssl

import pytest

from gql_server.engine.dicom.finding import TLS_PORTS, Encrypted, EncryptedSign, find_begins
from tests.engine.dicom import wire
from tests.engine.dicom.byte_streams import connection, held
from tests.engine.dicom.wire import CT_STORAGE, EXPLICIT, associate_ac, associate_rq, command, fragment, p_data

RQ = associate_rq({1: (CT_STORAGE, [EXPLICIT])})
AC = associate_ac({1: (0, EXPLICIT)})
DATA = p_data(fragment(1, 0, b"some of a data set"))
COMMAND = p_data(fragment(1, 3, command(1)))
HTTP = b"GET / HTTP/1.1\r\nHost: archive\r\n\r\n"


def client_hello(*protocols: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    out = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="archive").do_handshake()
    return out.read()


@pytest.mark.parametrize("port", [104, 80, 50000])
def test_an_association_is_found_on_any_port(port: int) -> None:
    assert find_begins(connection(RQ + DATA, AC, server_port=port)) == (0, 0)
    assert find_begins(connection(RQ, wire.REJECT)) == (0, 0)
    assert find_begins(connection(RQ, wire.ABORT)) == (0, 0)


def test_one_direction_is_enough() -> None:
    assert find_begins(connection(RQ, b"")) == (0, None)
    assert find_begins(connection(b"", AC + DATA)) == (None, 0)
    assert find_begins(connection(b"noise" * 30, AC)) == (None, 0)


def test_the_other_direction_is_searched_once_one_is_dicom() -> None:
    assert find_begins(connection(b"noise" + COMMAND + DATA, AC)) == (5, 0)


@pytest.mark.parametrize(
    "other", [HTTP, b"", b"\0" * 200, DATA + DATA, wire.RELEASE_RQ, b"\1\0\0\0\0\x44\0\1" + bytes(66)]
)
def test_a_stream_that_begins_otherwise_is_no_dicom(other: bytes) -> None:
    assert find_begins(connection(other, HTTP)) is None


@pytest.mark.parametrize("before", [b"", b"the rest of a value", bytes(70_000)])
def test_a_stream_joined_in_the_middle_is_searched(before: bytes) -> None:
    for first in (DATA + DATA, COMMAND + DATA, RQ):
        found = find_begins(connection(held(before + first, starts_at_syn=False), held(b"", starts_at_syn=False)))
        assert found == (len(before), None)


def test_a_hole_at_the_beginning_is_a_middle_too() -> None:
    assert find_begins(connection(held(bytes(20) + COMMAND + DATA, [(0, 10)]), b"")) == (20, None)


def test_a_release_alone_is_dicom_if_it_is_all_there_is() -> None:
    joined = held(wire.RELEASE_RQ, starts_at_syn=False)
    assert find_begins(connection(joined, held(wire.RELEASE_RP, starts_at_syn=False))) == (0, 0)
    assert find_begins(connection(held(HTTP * 9 + wire.RELEASE_RQ, starts_at_syn=False), b"")) is None


@pytest.mark.parametrize("port", sorted(TLS_PORTS))
def test_tls_on_a_port_of_dicom_is_reported(port: int) -> None:
    assert find_begins(connection(client_hello(), b"", server_port=port)) == Encrypted(sign=EncryptedSign.PORT)
    assert find_begins(connection(b"", b"\x16\3\3\0\4\2abc", client_port=port)) == Encrypted(sign=EncryptedSign.PORT)


def test_tls_that_offers_dicom_is_reported_on_any_port() -> None:
    assert find_begins(connection(client_hello("http/1.1", "dicom"), b"")) == Encrypted(sign=EncryptedSign.ALPN)


def test_other_tls_is_nothing_of_ours() -> None:
    assert find_begins(connection(client_hello(), b"")) is None
    assert find_begins(connection(client_hello("http/1.1", "h2"), b"")) is None
    assert find_begins(connection(HTTP, b"", server_port=104)) is None


def test_a_client_hello_cut_anywhere_is_read() -> None:
    hello = client_hello("dicom")
    for length in range(0, len(hello), 7):
        assert find_begins(connection(hello[:length], b"")) in {None, Encrypted(sign=EncryptedSign.ALPN)}


def test_tls_joined_in_the_middle_is_told_by_its_records() -> None:
    records = b"".join(b"\x17\3\3\0\x20" + bytes([number]) * 32 for number in range(5))
    for before in (b"", b"the rest of a record"):
        joined = held(before + records, starts_at_syn=False)
        assert find_begins(connection(joined, b"", server_port=2762)) == Encrypted(sign=EncryptedSign.PORT)
        assert find_begins(connection(joined, b"")) is None
    two = held(records[: 2 * 37], starts_at_syn=False)
    assert find_begins(connection(two, b"", server_port=2762)) is None
