import numpy as np
import pytest

from gql_server.engine.dicom.elements import KIND, LENGTH, OUTSIDE
from gql_server.engine.dicom.pixels import clean_pixels
from tests.engine.dicom.data_sets import Held, read
from tests.engine.dicom.test_code_streams import CANARY, JPEG


def item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + len(data).to_bytes(4, "little") + data


def encapsulated(*fragments: bytes, table: bytes = b"") -> Held:
    head = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
    return read(head + item(table) + b"".join(map(item, fragments)) + b"\xfe\xff\xdd\xe0\0\0\0\0")


def rows(held: Held) -> list[int]:
    return list(range(len(held.elements)))


@pytest.mark.parametrize(
    "fragments", [[JPEG], [JPEG, JPEG], [JPEG[:40], JPEG[40:]], [JPEG[:50], JPEG[50:60], JPEG[60:], JPEG]]
)
@pytest.mark.parametrize("outside", [False, True])
def test_comments_are_cleared_across_fragments(fragments: list[bytes], *, outside: bool) -> None:
    held = encapsulated(*fragments)
    if outside:
        for row in rows(held)[1:]:
            held.put_outside(row)
    cleared = clean_pixels(held, rows(held))
    whole = held.values.tobytes() + b"".join(map(bytes, held.outside.values()))
    assert cleared == b"".join(fragments).count(CANARY)
    joined = b"".join(bytes(part) for part in held.outside.values())
    assert CANARY not in (joined if outside else whole)
    assert (held.elements[:, KIND] == OUTSIDE).sum() == (len(fragments) if outside else 0)


def test_native_pixels_have_no_comments() -> None:
    held = read(b"\xe0\x7f\x10\x00OW\0\0" + len(JPEG).to_bytes(4, "little") + JPEG)
    assert clean_pixels(held, [0]) == 0
    assert CANARY in held.values.tobytes()


@pytest.mark.parametrize(
    ("offsets", "stays"),
    [([0, len(JPEG) + 8], True), ([0, 5], False), ([0x484157], False)],
)
def test_an_offset_table_holds_offsets_or_nothing(offsets: list[int], *, stays: bool) -> None:
    table = np.array(offsets, "<u4").tobytes()
    held = encapsulated(JPEG, JPEG, table=table)
    clean_pixels(held, rows(held))
    length = int(held.elements[0, LENGTH])
    at = int(held.elements[0, 2])
    assert held.values[at : at + length].tobytes() == (table if stays else bytes(len(table)))
