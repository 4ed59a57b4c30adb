from gql_server.domain.dicom import PixelPolicy
from gql_server.engine.verify import dicom_layout as d
from tests.engine.verify.dicom_walked import element, walked

LONG = bytes(range(1, 251)) * 400
"""Longer than what is held at once."""


def test_values_met_before_are_shown_once() -> None:
    name = element(0x00100010, b"PN", b"DOE^JOHN")
    _, rows = walked(name * 5, name * 5)
    assert len(rows) == 1


def test_numbers_stay_or_are_blank() -> None:
    was = element(0x00280010, b"US", b"\x08\x01")
    assert walked(was, was)[0].state[d.ALTERED] == 0
    assert walked(was, was[:8] + b"\0\0")[0].state[d.ALTERED] == 0
    assert walked(was, was[:8] + b"\x09\x01")[0].state[d.ALTERED] == 1


def test_long_values_are_judged_in_pieces() -> None:
    was = element(0x00420011, b"OB", LONG)
    judge, _ = walked(was, was)
    assert judge.state[d.BULK_LEFT] == sum(byte & ~0x20 != 0 for byte in LONG) or judge.state[d.BULK_LEFT] == len(LONG)
    assert walked(was, was[:12] + bytes(len(LONG)))[0].state[d.BULK_LEFT] == 0
    assert walked(was, was[:12] + bytes(len(LONG) - 1) + b"x")[0].state[d.BULK_LEFT] == 1


def test_pixels_are_counted_by_modality() -> None:
    modality = element(0x00080060, b"CS", b"MR")
    was = modality + element(0x7FE00010, b"OW", LONG)
    judge, _ = walked(was, was, pixels=PixelPolicy.KEEP)
    assert judge.pixels[: d.PIXEL_COLUMNS].tolist() == [0x4D52, 1, len(LONG), len(LONG)]
    assert judge.state[d.PIXELS_LEFT] == judge.state[d.ALTERED] == 0
    cleared = was[:-10] + b" " * 5 + bytes(5)
    assert walked(was, cleared, pixels=PixelPolicy.KEEP)[0].state[d.ALTERED] == 0
    assert walked(was, was[:-1] + b"\x99", pixels=PixelPolicy.KEEP)[0].state[d.ALTERED] == 1


def test_private_text_is_shown_and_noise_is_not() -> None:
    text, noise = element(0x00991001, b"UN", b"John Doe"), element(0x00991001, b"UN", b"\x01\x02\x03\x04\x05\x06")
    assert len(walked(text, text[:12] + bytes(8))[1]) == 1
    assert walked(noise, noise[:12] + bytes(6))[1] == []
