import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.engine.dicom.descriptors import Descriptors, words_of

DESCRIPTORS = Descriptors()


@pytest.mark.parametrize(
    ("value", "declared", "expected"),
    [
        (b"CT Chest with Contrast", b"", b"CT Chest with Contrast"),
        (b"Chest of Frau Hawthorne, 570-555-0142", b"", b"Chest of xxxx xxxxxxxxx, xxx-xxx-xxxx"),
        (b"chest\r\nHAWTHORNE", b"", b"chest\r\nxxxxxxxxx"),
        ("Schädel".encode("latin-1"), b"ISO_IR 100", b"xxxxxxx"),
        ("Schädel".encode(), b"ISO_IR 192", b"xxxxxxxx"),
        (b"\x1b$B;3ED\x1b(B head", b"\\ISO 2022 IR 87", b"xxxxxxxxxx head"),
        (b"T2w", b"", b"xxx"),
        (b"x\x07y", b"", b"xxx"),
    ],
)
def test_only_words_of_the_standard_stay(value: bytes, declared: bytes, expected: bytes) -> None:
    assert DESCRIPTORS.masked(value, declared) == expected


def test_a_word_of_the_standard_that_is_somebodys_name_goes() -> None:
    assert (
        DESCRIPTORS.masked(b"Head of Young patient", b"", words_of(b"YOUNG^MARIGOLD", b"")) == b"Head of xxxxx patient"
    )


def test_what_cannot_be_read_has_no_masked_text() -> None:
    assert DESCRIPTORS.masked(b"head \xff\xff", b"GB18030") is None
    assert words_of(b"\xff\xff", b"GB18030") == frozenset()


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_no_digit_and_no_high_byte_ever_stays(value: bytes) -> None:
    masked = DESCRIPTORS.masked(value, b"")
    assert masked is None or len(masked) == len(value)
    assert masked is None or not any(byte >= 0x80 or chr(byte).isdigit() for byte in masked)
