import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.engine.dicom.values import is_allowed


@pytest.mark.parametrize(
    ("vr", "value", "most"),
    [
        ("CS", b"ORIGINAL\\PRIMARY\\AXIAL ", 0),
        ("CS", b"YBR_FULL_422", 1),
        ("CS", b"C*", 1),
        ("DS", b" 1.5\\-2e-3 ", 2),
        ("DS", b"0.488281\\0.488281", 2),
        ("IS", b"-12 ", 1),
        ("AS", b"042Y", 1),
        ("UI", b"1.2.3\0", 1),
        ("DA", b"20240611-", 1),
        ("TM", b"101112.5 ", 1),
        ("LO", "Müller".encode(), 1),
        ("LT", b"two\r\nlines \\ one value", 1),
        ("AE", b"CT 1", 1),
        ("UR", b"http://example.org/a ", 1),
    ],
)
def test_what_a_vr_allows(vr: str, value: bytes, most: int) -> None:
    assert is_allowed(vr, value, most)


@pytest.mark.parametrize(
    ("vr", "value", "most"),
    [
        ("CS", b"Doe^John", 1),
        ("CS", b"A" * 17, 1),
        ("CS", b"A\\B", 1),
        ("DS", b"1.5 mm", 1),
        ("DS", b"1" * 17, 1),
        ("DS", b"1\\2\\3", 2),
        ("IS", b"1.5", 1),
        ("IS", b"1234567890123", 1),
        ("AS", b"42", 1),
        ("UI", b"1.2.3a", 1),
        ("UI", b"1" * 65, 1),
        ("DA", b"20240611\\20240612", 1),
        ("DA", b"DOE^JOHN", 1),
        ("LO", b"x" * 300, 1),
        ("LO", b"a\x01b", 1),
        ("SH", b"a\0b", 1),
        ("AE", b"M\xfcnchen", 1),
        ("LT", b"\x08\x00\x05\x00", 1),
        ("UR", b"two words", 1),
    ],
)
def test_what_a_vr_does_not_allow(vr: str, value: bytes, most: int) -> None:
    assert not is_allowed(vr, value, most)


@given(st.binary(max_size=40), st.sampled_from(["CS", "DS", "IS", "UI", "AS"]))
def test_a_value_with_another_element_in_it_is_never_allowed(rest: bytes, vr: str) -> None:
    assert not is_allowed(vr, b"1\x10\x00\x10\x00PN\x04\x00" + rest + b"x", 0)
