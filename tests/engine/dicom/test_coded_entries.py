import pytest

from gql_server.engine.dicom.coded_entries import CodedEntries, CodedEntry

ENTRIES = CodedEntries()
HEAD = CodedEntry(b"SCT", b"69536005")


@pytest.mark.parametrize(
    ("scheme", "expected"), [(b"DCM ", True), (b"SCT\0", True), (b"99STMARY", False), (b"L", False), (b"", False)]
)
def test_a_scheme_is_one_that_everybody_knows(scheme: bytes, *, expected: bool) -> None:
    assert ENTRIES.is_standard(scheme) is expected


@pytest.mark.parametrize(
    ("scheme", "value", "expected"),
    [
        (b"SCT", b"69536005", True),
        (b"SRT", b"T-D1100 ", True),
        (b"UCUM", b"[hnsf'U]", True),
        (b"SCT", b"DOE JOHN", False),
        (b"99STMARY", b"CT01", False),
    ],
)
def test_a_code_stays_where_its_scheme_is_known(scheme: bytes, value: bytes, *, expected: bool) -> None:
    assert ENTRIES.keeps_code(CodedEntry(scheme, value), value) is expected


def test_a_meaning_is_published_for_its_own_code_alone() -> None:
    assert ENTRIES.publishes(HEAD, b"Head ")
    assert ENTRIES.publishes(HEAD, b"HEAD")
    assert not ENTRIES.publishes(HEAD, b"Head of Mr Doe")
    assert not ENTRIES.publishes(CodedEntry(b"SCT", b"1"), b"Head")
    assert not ENTRIES.publishes(CodedEntry(b"99STMARY", b"69536005"), b"Head")
