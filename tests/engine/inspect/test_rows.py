import numpy as np

from gql_server.engine.inspect import layout, rows


def test_rows_have_the_sizes_that_files_on_disk_have() -> None:
    sizes = [each.itemsize for each in (rows.CONVERSATION, rows.TALKER, rows.PAIR, rows.PROTOCOL, rows.MARK)]
    assert sizes == [88, 56, 56, 24, 24]


def test_an_address_takes_sixteen_bytes_from_the_front() -> None:
    talkers = np.zeros((2, layout.TALKER_WORDS), np.uint64)
    talkers[0, layout.TALKER_LOW] = 0xC0000201
    talkers[1, :3] = 0x20010DB8_00000000, 0x77, layout.META_IPV6 | layout.META_HAS_MAC
    versions, packed = rows.address_bytes(talkers)
    assert versions.tolist() == [4, 6]
    assert packed[0].tobytes() == bytes([192, 0, 2, 1]) + bytes(12)
    assert packed[1].tobytes() == bytes.fromhex("20010db8000000000000000000000077")
