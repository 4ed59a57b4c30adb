import pytest

from gql_server.engine.dicom.boundaries import find_boundary, is_boundary, is_sound, pdu_length
from tests.engine.dicom.byte_streams import held
from tests.engine.dicom.wire import (
    ABORT,
    CT_STORAGE,
    EXPLICIT,
    IMPLICIT,
    REJECT,
    RELEASE_RP,
    RELEASE_RQ,
    associate_ac,
    associate_rq,
    command,
    fragment,
    item,
    p_data,
    pdu,
)

RQ = associate_rq({1: (CT_STORAGE, [IMPLICIT, EXPLICIT])})
AC = associate_ac({1: (0, EXPLICIT)})
DATA = p_data(fragment(1, 0, b"some of a data set"))
COMMAND = p_data(fragment(1, 3, command(1)))
NOISE = b"no PDU begins in here: \4\0\7\0\1\0"


@pytest.mark.parametrize("one", [RQ, AC, REJECT, DATA, COMMAND, RELEASE_RQ, RELEASE_RP, ABORT])
def test_each_pdu_is_one(one: bytes) -> None:
    assert pdu_length(held(one), 0) == len(one)
    assert is_boundary(held(one + RELEASE_RQ), 0)
    assert is_boundary(held(one), 0)
    assert find_boundary(held(NOISE + one + DATA), 0) == len(NOISE)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(b"\4\0\0", id="half a header"),
        pytest.param(pdu(8, b"1234"), id="no type"),
        pytest.param(pdu(4, fragment(1, 0, b"a"), reserved=1), id="reserved byte"),
        pytest.param(pdu(4, fragment(2, 0, b"a")), id="even context"),
        pytest.param(pdu(4, fragment(1, 4, b"a")), id="unknown control bit"),
        pytest.param(pdu(4, fragment(1, 0, b"a") + b"x"), id="fragments do not fill it"),
        pytest.param(pdu(4, fragment(1, 0, b"a")[:-1]), id="fragment too long"),
        pytest.param(b"\4\0\x20\0\0\0" + fragment(1, 0, b"a"), id="too long"),
        pytest.param(pdu(5, b"12345"), id="release too long"),
        pytest.param(pdu(5, b"\0\0\0\1"), id="release with content"),
        pytest.param(pdu(7, b"\0\0\3\0"), id="abort by nobody"),
        pytest.param(pdu(3, b"\0\0\1\1"), id="rejection without a result"),
        pytest.param(pdu(1, RQ[6:8] + b"\1\0" + RQ[10:]), id="reserved bytes of a request"),
        pytest.param(pdu(1, b"\0\2" + RQ[8:]), id="version"),
        pytest.param(pdu(1, RQ[6:10] + b"\x80" + RQ[11:]), id="title"),
        pytest.param(pdu(1, RQ[6:74] + item(0x20, b"1234")), id="no application context"),
        pytest.param(pdu(1, RQ[6:] + b"x"), id="items do not fill it"),
        pytest.param(pdu(1, RQ[6:74]), id="no items"),
    ],
)
def test_anything_else_is_none(other: bytes) -> None:
    assert pdu_length(held(other), 0) is None
    assert not is_boundary(held(other + DATA), 0)


def test_what_follows_must_make_sense() -> None:
    assert not is_boundary(held(DATA + NOISE), 0)
    assert is_boundary(held(DATA + DATA[:3]), 0)
    assert not is_boundary(held(DATA + b"\4\1"), 0)


def test_before_a_hole_only_what_is_unmistakable_counts() -> None:
    for one, counts in ((DATA, False), (COMMAND, True), (RQ, True), (RELEASE_RQ, False)):
        stream = held(one + bytes(10) + NOISE, [(len(one), len(one) + 10)])
        assert is_boundary(stream, 0) == counts


def test_a_boundary_is_found_across_windows_and_behind_holes() -> None:
    for before in (4090, 4096, 5000, 70_000):
        assert find_boundary(held(b"\1" * before + DATA + DATA), 0) == before
    stream = held(b"\1" * 9000 + DATA + b"\1" * 50 + COMMAND + DATA, [(9005, 9010)])
    assert find_boundary(stream, 0) == 9000 + len(DATA) + 50


def test_without_a_boundary_none_is_found() -> None:
    assert find_boundary(held(NOISE * 3000), 0) is None
    assert find_boundary(held(b""), 0) is None
    assert pdu_length(held(b""), 0) is None
    assert find_boundary(held(DATA), len(DATA) + 5) is None


def test_short_pdus_are_sound_or_not() -> None:
    assert all(is_sound(one) for one in (REJECT, RELEASE_RQ, RELEASE_RP, ABORT))
    assert not any(is_sound(one[:6] + b"ABCD") for one in (REJECT, RELEASE_RQ, RELEASE_RP, ABORT))
