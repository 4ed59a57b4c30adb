import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.domain.dicom import DicomProblem
from gql_server.engine.compilation import CHECKED
from gql_server.engine.dicom.elements import CREATOR, DEPTH, KIND, LENGTH, PARENT, SEQUENCE, TAG, VR
from gql_server.engine.dicom.frames import MAX_DEPTH
from gql_server.engine.kernels import kernel_environment
from tests.engine.dicom.pydicom_reading import FILES, agree, body_of, rows_of
from tests.engine.dicom.walks import assert_laws, read, told
from tests.engine.dicom.wire import BIG, EXPLICIT, IMPLICIT, explicit, implicit, items

MALFORMED = {
    "MR_truncated.dcm": "its pixel data is cut",
    "SC_rgb_jpeg.dcm": "it is in implicit VR, whatever its syntax says",
    "nested_priv_SQ.dcm": "its elements are in group 0001",
    "rtplan_truncated.dcm": "it is cut in a sequence",
}
READ_FURTHER = {
    "priv_SQ.dcm": "its sequence has no VR, so pydicom leaves it",
    "rtdose_rle.dcm": "a known sequence has VR UN, so pydicom leaves it",
    "rtdose_rle_1frame.dcm": "the same",
}
SYNTAXES = [IMPLICIT, EXPLICIT, BIG]
NAME = explicit(0x00100010, "PN", b"DOE^JOHN")
ID = explicit(0x00100020, "LO", b"123456")
SEX = explicit(0x00100040, "CS", b"M ")


@pytest.mark.parametrize("name", [name for name in FILES if body_of(name) is not None])
def test_the_rows_of_a_file_are_what_pydicom_reads(name: str) -> None:
    body = body_of(name)
    assert body is not None
    data = read(body.data, body.syntax)
    assert_laws(data)
    assert data.problems == ({DicomProblem.DATA_SET_MALFORMED} if name in MALFORMED else set())
    if name in MALFORMED or name in READ_FURTHER:
        return
    found = [
        (row[DEPTH], row[TAG], row[VR], -1 if row[KIND] == SEQUENCE else row[LENGTH]) for row in data.elements.tolist()
    ]
    expected = rows_of(body)
    assert len(found) == len(expected)
    assert [pair for pair in zip(found, expected, strict=True) if not agree(*pair)] == []


def test_every_kind_of_syntax_is_among_the_files() -> None:
    syntaxes = {body.syntax for name in FILES if (body := body_of(name)) is not None}
    assert {
        IMPLICIT,
        EXPLICIT,
        BIG,
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.4.50",
        "1.2.840.10008.1.2.5",
    } <= syntaxes


def test_a_file_with_exceptions_still_has_them() -> None:
    for name in READ_FURTHER:
        body = body_of(name)
        assert body is not None
        assert len(read(body.data, body.syntax).elements) > len(rows_of(body))


def test_a_broken_header_spoils_everything_behind_it() -> None:
    data = read(NAME + b"\x10\0\x20\0\x7f\x7f\0\0" + SEX, EXPLICIT)
    assert told(data) == [("VALUE", "00100010", "PN", 8), ("UNREADABLE", "00000000", "", 18)]
    assert data.problems == {DicomProblem.DATA_SET_MALFORMED}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(ID + NAME, id="tags descend"),
        pytest.param(ID + ID, id="a tag comes twice"),
        pytest.param(explicit(0x00100010, "XX", b"12"), id="no VR"),
        pytest.param(b"\x10\0\x10\0UT\1\0\2\0\0\0ab", id="reserved bytes"),
        pytest.param(b"\x10\0\x10\0PN\xff\xff" + bytes(90), id="longer than the data set"),
        pytest.param(b"\x10\0\x10\0UT\0\0\xff\xff\xff\xff", id="undefined length of a text"),
        pytest.param(explicit(0x00100010, "UT", b"")[:-1], id="half a header"),
        pytest.param(b"\x10\0\x10\0UT\0\0", id="a header without its length"),
        pytest.param(explicit(0x00000100, "US", b"\1\0"), id="group 0000"),
        pytest.param(explicit(0x00010010, "LO", b"a "), id="group 0001"),
        pytest.param(explicit(0xFFFF0010, "LO", b"a "), id="group FFFF"),
        pytest.param(b"\xfe\xff\x0d\xe0" + bytes(4), id="an item delimiter"),
        pytest.param(explicit(0x00400275, "SQ", ID), id="no item"),
        pytest.param(explicit(0x00400275, "SQ", items(ID)[:-1]), id="an item longer than its sequence"),
        pytest.param(explicit(0x7FE00010, "OB", items(b"")[:7], undefined=True), id="half an offset table"),
        pytest.param(explicit(0x7FE00010, "OB", items(b"", undefined=True), undefined=True), id="an endless fragment"),
    ],
)
def test_what_breaks_a_rule_is_unreadable(broken: bytes) -> None:
    data = read(broken, EXPLICIT)
    assert_laws(data)
    assert DicomProblem.DATA_SET_MALFORMED in data.problems
    assert told(data)[-1][0] == "UNREADABLE"


def test_a_sequence_without_its_delimiter_is_told() -> None:
    data = read(explicit(0x00400275, "SQ", items(ID, undefined=True), undefined=True), EXPLICIT)
    assert told(data) == [("SEQUENCE", "00400275", "SQ", 30), ("VALUE", ".00100020", "LO", 6)]
    assert data.problems == {DicomProblem.DATA_SET_MALFORMED}


def test_damage_inside_a_known_length_stays_there() -> None:
    damaged = explicit(0x00400275, "SQ", items(ID + b"\x10\0\x40\0ZZ\0\0", ID))
    assert told(read(damaged + explicit(0x00401001, "SH", b"R1"), EXPLICIT)) == [
        ("SEQUENCE", "00400275", "SQ", 52),
        ("VALUE", ".00100020", "LO", 6),
        ("UNREADABLE", ".00000000", "", 8),
        ("VALUE", ".00100020", "LO", 6),
        ("VALUE", "00401001", "SH", 2),
    ]


def test_sequences_end_by_length_or_by_delimiter() -> None:
    inner = explicit(0x00081140, "SQ", items(ID, SEX, undefined=True, ended=True), undefined=True)
    for outer in (items(inner), items(inner, undefined=True, ended=True)):
        undefined = outer != items(inner)
        data = read(
            explicit(0x00400275, "SQ", outer, undefined=undefined) + explicit(0x00401001, "SH", b"R1"), EXPLICIT
        )
        assert_laws(data)
        assert [row[:3] for row in told(data)] == [
            ("SEQUENCE", "00400275", "SQ"),
            ("SEQUENCE", ".00081140", "SQ"),
            ("VALUE", "..00100020", "LO"),
            ("VALUE", "..00100040", "CS"),
            ("VALUE", "00401001", "SH"),
        ]
        assert data.elements[0, LENGTH] == len(outer) - (8 if undefined else 0)
        assert data.elements[:, PARENT].tolist() == [-1, 0, 1, 1, -1]


def test_fragments_have_rows_behind_the_offset_table() -> None:
    pixels = explicit(0x7FE00010, "OB", items(b"\0" * 8, b"ab", b"cdef", ended=True), undefined=True)
    data = read(NAME + pixels + explicit(0xFFFCFFFC, "OB", b"\0\0"), EXPLICIT)
    assert told(data)[1:] == [
        ("TABLE", "7FE00010", "OB", 8),
        ("FRAGMENT", "7FE00010", "OB", 2),
        ("FRAGMENT", "7FE00010", "OB", 4),
        ("VALUE", "FFFCFFFC", "OB", 2),
    ]


def test_unknown_of_undefined_length_holds_implicit_items() -> None:
    content = items(implicit(0x00100020, b"123456"), undefined=True, ended=True)
    data = read(explicit(0x00091010, "UN", content, undefined=True) + NAME, EXPLICIT)
    assert [row[:3] for row in told(data)] == [
        ("SEQUENCE", "00091010", "SQ"),
        ("VALUE", ".00100020", "LO"),
        ("VALUE", "00100010", "PN"),
    ]


def test_a_known_tag_of_unknown_vr_has_that_of_the_dictionary() -> None:
    assert told(read(explicit(0x00100010, "UN", b"DOE^JOHN"), EXPLICIT)) == [("VALUE", "00100010", "PN", 8)]


def test_what_only_looks_like_a_sequence_is_a_value() -> None:
    value = items(b"\x10\0\x20\0")
    data = read(implicit(0x00091010, value) + implicit(0x00100020, b"123456"), IMPLICIT)
    assert told(data) == [("VALUE", "00091010", "UN", len(value)), ("VALUE", "00100020", "LO", 6)]
    assert not data.problems


def test_a_private_element_knows_its_creator() -> None:
    def block(private: bytes) -> bytes:
        return implicit(0x00290010, private) + implicit(0x00290011, b"OTHER ") + implicit(0x00291008, b"IMAGE ")

    data = read(block(b"SIEMENS CSA HEADER") + implicit(0x00291208, b"12"), IMPLICIT)
    assert data.elements[:, CREATOR].tolist() == [-1, -1, 0, -1]
    assert told(data)[2] == ("VALUE", "00291008", "CS", 6)
    nested = explicit(0x00290010, "LO", b"SIEMENS CSA HEADER") + explicit(
        0x00291031, "SQ", items(explicit(0x00291008, "CS", b"A "))
    )
    assert read(nested, EXPLICIT).elements[:, CREATOR].tolist() == [-1, 0, -1]


@pytest.mark.parametrize("big", [False, True])
def test_numbers_are_read_in_their_order(big: bool) -> None:  # noqa: FBT001
    data = explicit(0x00280010, "US", b"\1\2", big=big) + explicit(0x7FE00010, "OW", b"abcd", big=big)
    assert told(read(data, BIG if big else EXPLICIT)) == [
        ("VALUE", "00280010", "US", 2),
        ("VALUE", "7FE00010", "OW", 4),
    ]


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_sequences_go_only_so_deep(depth: int) -> None:
    content = ID
    for _ in range(depth):
        content = explicit(0x00400275, "SQ", items(content))
    data = read(content, EXPLICIT)
    assert_laws(data)
    assert bool(data.problems) == (depth > MAX_DEPTH)
    assert told(data)[-1][0] == ("UNREADABLE" if depth > MAX_DEPTH else "VALUE")


def random_elements() -> st.SearchStrategy[bytes]:
    tags = st.sampled_from(
        [0x00080005, 0x00100010, 0x00290010, 0x00291008, 0x00400275, 0x7FE00010, 0xFFFEE000, 0xFFFEE0DD]
    )
    vrs = st.sampled_from(["PN", "SQ", "UN", "OB", "LO", "US"])
    values = st.binary(max_size=12)
    leaf = st.builds(explicit, tags, vrs, values, undefined=st.booleans()) | st.builds(
        implicit, tags, values, undefined=st.booleans()
    )
    nested = st.recursive(
        st.lists(leaf | values, max_size=4).map(b"".join),
        lambda inner: st.builds(
            lambda content, vr, undefined: explicit(
                0x00400275, vr, items(content, undefined=undefined, ended=undefined), undefined=undefined
            ),
            inner,
            vrs,
            st.booleans(),
        ),
        max_leaves=6,
    )
    return st.lists(nested, max_size=4).map(b"".join)


@given(st.binary(max_size=200) | random_elements(), st.sampled_from(SYNTAXES), st.booleans())
def test_any_bytes_become_rows(data: bytes, syntax: str, whole: bool) -> None:  # noqa: FBT001
    assert CHECKED, "an index out of bounds must be an error"
    assert_laws(read(data, syntax, whole=whole))


DIGEST = """
import hashlib, random, sys
from tests.engine.dicom.test_walking import digest
print(digest())
"""


def digest() -> str:
    """What the walk makes of all files, each also with bytes changed."""
    import random  # noqa: PLC0415  # for the other process too

    source, sums = random.Random(7), hashlib.sha256()
    for name in FILES:
        body = body_of(name)
        if body is None or len(body.data) > 100_000:
            continue
        for syntax in (body.syntax, IMPLICIT, EXPLICIT, BIG):
            changed = bytearray(body.data)
            for _ in range(source.randrange(4)):
                changed[source.randrange(len(changed))] = source.randrange(256)
            if syntax != "1.2.840.10008.1.2.1.99":
                sums.update(read(bytes(changed), syntax).elements.tobytes())
    return sums.hexdigest()


def test_the_fast_build_finds_the_same(kernels: Path) -> None:
    environment = {**os.environ, **kernel_environment(kernels, checked=False)}
    done = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == digest()
