import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.pdu import A_ASSOCIATE_RQ

from gql_server.domain.dicom import DicomProblem
from gql_server.engine.dicom.associations import (
    AnsweredContext,
    AssociationField,
    AssociationFieldKind,
    ProposedContext,
    read_association,
)
from tests.engine.dicom.wire import CT_STORAGE, EXPLICIT, IMPLICIT, associate_ac, associate_rq, counted, item, pdu

Kind = AssociationFieldKind
CONTEXTS = {1: (CT_STORAGE, [IMPLICIT, EXPLICIT])}
ROLE = item(0x54, counted(CT_STORAGE) + b"\0\1")


def values(data: bytes) -> list[tuple[str, bytes]]:
    """Kind and bytes of each field."""
    _, fields = read_association(data, len(data), 1, 100)
    assert all(field.side == 1 for field in fields)
    return [(field.kind.value, data[field.at - 100 : field.at - 100 + field.count]) for field in fields]


def of(kind: AssociationFieldKind, data: bytes) -> list[bytes]:
    return [value for name, value in values(data) if name == kind]


def problems(data: bytes) -> set[DicomProblem]:
    return read_association(data, len(data), 0, 0)[0].problems


def test_a_request_says_what_it_proposes() -> None:
    data = associate_rq(CONTEXTS)
    found, _ = read_association(data, len(data), 0, 0)
    assert (found.calling_ae, found.called_ae) == ("MODALITY", "ARCHIVE")
    assert (found.implementation_uid, found.implementation_version) == ("1.2.826.0.1.3680043", "WIRE_TEST")
    assert found.proposed == {1: ProposedContext(CT_STORAGE, (IMPLICIT, EXPLICIT))}
    assert not found.answered
    assert not found.problems


def test_an_answer_says_what_it_takes() -> None:
    data = associate_ac({1: (0, EXPLICIT), 3: (4, "")})
    found, _ = read_association(data, len(data), 0, 0)
    assert found.answered == {1: AnsweredContext(0, EXPLICIT), 3: AnsweredContext(4, None)}


def test_each_field_is_where_it_is() -> None:
    assert values(associate_rq(CONTEXTS)) == [
        ("CALLED_AE", b"ARCHIVE".ljust(16)),
        ("CALLING_AE", b"MODALITY".ljust(16)),
        ("UID", b"1.2.840.10008.3.1.1.1"),
        ("UID", CT_STORAGE.encode()),
        ("UID", IMPLICIT.encode()),
        ("UID", EXPLICIT.encode()),
        ("IMPLEMENTATION_UID", b"1.2.826.0.1.3680043"),
        ("VERSION_NAME", b"WIRE_TEST"),
    ]


@pytest.mark.parametrize(
    ("more", "kind", "expected"),
    [
        pytest.param(ROLE, Kind.UID, CT_STORAGE.encode(), id="roles"),
        pytest.param(item(0x56, counted(CT_STORAGE) + b"\0\1\2"), Kind.EXTENDED, b"\0\1\2", id="extended"),
        pytest.param(item(0x56, counted(CT_STORAGE) + b"DOE"), Kind.UNKNOWN, b"DOE", id="extended text"),
        pytest.param(item(0x54, counted(CT_STORAGE) + b"\0\7"), Kind.UNKNOWN, b"\0\7", id="no role"),
        pytest.param(item(0x58, b"\2\1" + counted("anna") + counted("word")), Kind.USER_NAME, b"anna", id="name"),
        pytest.param(item(0x58, b"\2\1" + counted("anna") + counted("word")), Kind.PASSCODE, b"word", id="passcode"),
        pytest.param(item(0x58, b"\5\0" + counted("token") + counted("")), Kind.PASSCODE, b"token", id="token"),
        pytest.param(item(0x59, counted("granted")), Kind.USER_RESPONSE, b"granted", id="response"),
        pytest.param(item(0x77, b"DOE"), Kind.UNKNOWN, b"DOE", id="unknown item"),
        pytest.param(item(0x53, b"\0\1\0\1\0"), Kind.UNKNOWN, b"\0\1\0\1\0", id="operations of five bytes"),
        pytest.param(item(0x55, b"a name that is too long"), Kind.UNKNOWN, b"a name that is too long", id="version"),
        pytest.param(item(0x52, b"DOE^JOHN"), Kind.UNKNOWN, b"DOE^JOHN", id="no UID"),
        pytest.param(item(0x54, b"\0\x50DOE"), Kind.UNREADABLE, b"\0\x50DOE", id="roles that overrun"),
        pytest.param(item(0x58, b"\2\1\0\x50anna"), Kind.UNREADABLE, b"\0\x50anna", id="name that overruns"),
        pytest.param(
            item(0x58, b"\x09\0" + counted("x") * 2), Kind.UNREADABLE, b"\x09\0" + counted("x") * 2, id="type"
        ),
        pytest.param(item(0x59, counted("yes") + b"DOE"), Kind.UNREADABLE, b"DOE", id="rest of a response"),
        pytest.param(b"\x51\0\0\x60DOE", Kind.UNREADABLE, b"\x51\0\0\x60DOE", id="item that overruns"),
        pytest.param(item(0x51, b"\0\0\0\1", reserved=9), Kind.RESERVED, b"\x09", id="reserved byte"),
    ],
)
def test_items_of_the_user_information(more: bytes, kind: AssociationFieldKind, expected: bytes) -> None:
    data = associate_rq(CONTEXTS, more)
    assert expected in of(kind, data)
    assert (DicomProblem.PDU_MALFORMED in problems(data)) == (kind == Kind.UNREADABLE)


def test_asynchronous_operations_are_numbers() -> None:
    assert len(values(associate_rq(CONTEXTS, item(0x53, b"\0\1\0\1")))) == len(values(associate_rq(CONTEXTS)))


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (struct.pack(">H", 0), []),
        (counted(counted("1.2.3") + counted("1.2.4")), [("UID", b"1.2.3"), ("UID", b"1.2.4")]),
        (counted(b"\0\x09DOE"), [("UNREADABLE", b"\0\x09DOE")]),
        (counted(counted("1.2.3")) + b"DOE", [("UID", b"1.2.3"), ("UNKNOWN", b"DOE")]),
        (b"\0\x09DOE", [("UNREADABLE", b"\0\x09DOE")]),
    ],
)
def test_common_extended_negotiation_names_classes(rest: bytes, expected: list[tuple[str, bytes]]) -> None:
    data = associate_rq(CONTEXTS, item(0x57, counted("1.2.1") + counted("1.2.2") + rest))
    assert values(data)[-2 - len(expected) :] == [("UID", b"1.2.1"), ("UID", b"1.2.2"), *expected]


def changed(at: int, new: bytes) -> bytes:
    data = associate_rq(CONTEXTS)
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize(
    ("at", "new", "field"),
    [
        (6, b"\0\3", ("UNKNOWN", b"\0\3")),
        (8, b"\0\1", ("RESERVED", b"\0\1")),
        (50, b"secret", ("RESERVED", bytes(8) + b"secret" + bytes(18))),
        (75, b"\x09", ("RESERVED", b"\x09")),
        (78, b"DOE", ("UNKNOWN", b"DOE.840.10008.3.1.1.1")),
        (104, b"\x09", ("RESERVED", b"\x09")),
        (105, b"\x09", ("RESERVED", b"\x09")),
        (107, b"\x33", ("UNKNOWN", CT_STORAGE.encode())),
        (108, b"\x09", ("RESERVED", b"\x09")),
        (109, b"\x7f", ("UNREADABLE", b"\x30\0\x7f\x19")),
    ],
)
def test_what_should_not_be_there_is_a_field(at: int, new: bytes, field: tuple[str, bytes]) -> None:
    found = values(changed(at, new))
    assert any(kind == field[0] and value.startswith(field[1]) for kind, value in found)


def test_an_unknown_item_and_a_context_without_number_are_fields() -> None:
    base = associate_rq({})
    assert of(Kind.UNKNOWN, pdu(1, base[6:] + item(0x99, b"DOE"))) == [b"DOE"]
    assert of(Kind.UNREADABLE, pdu(1, base[6:] + item(0x20, b"\1\0"))) == [b"\1\0"]
    assert of(Kind.UNREADABLE, pdu(1, base[6:] + b"\x20\0\0")) == [b"\x20\0\0"]
    assert of(Kind.RESERVED, pdu(2, base[6:] + item(0x21, b"\1\0\x41\0"))) == [b"\x41"]


@pytest.mark.parametrize("length", [5, 40, 74, 76, 80, 103, 110, 150, 200, 220])
def test_of_a_torn_request_what_is_there_is_read(length: int) -> None:
    whole = associate_rq(CONTEXTS, ROLE)
    found, fields = read_association(whole[:length], len(whole), 0, 0)
    assert found.problems == {DicomProblem.STREAM_HOLE}
    assert fields[-1].kind == Kind.UNREADABLE
    assert fields[-1].at + fields[-1].count == len(whole) or any(field.kind == Kind.UNREADABLE for field in fields)
    assert_covered(whole, length, fields)


def assert_covered(data: bytes, length: int, fields: tuple[AssociationField, ...]) -> None:
    """What is no field is a header or a number: nothing of it is a word."""
    rest = bytearray(data[:length])
    for field in fields:
        rest[field.at : min(field.at + field.count, length)] = bytes(max(min(field.count, length - field.at), 0))
    assert not any(rest[at : at + 3].isalpha() for at in range(6, len(rest) - 2))


@given(st.data())
def test_any_bytes_become_fields_in_order(draw: st.DataObject) -> None:
    data = bytearray(associate_rq(CONTEXTS, ROLE, item(0x58, b"\2\1" + counted("anna") + counted("word"))))
    for at in draw.draw(st.lists(st.integers(6, len(data) - 1), max_size=6)):
        data[at] = draw.draw(st.integers(0, 255))
    length = draw.draw(st.integers(0, len(data)))
    _, fields = read_association(bytes(data[:length]), len(data), 0, 0)
    reached = 6
    for field in fields:
        assert field.count > 0
        assert reached <= field.at
        reached = field.at + field.count
    assert reached <= len(data)


@pytest.mark.parametrize("build", [associate_rq])
def test_what_pynetdicom_decodes_is_the_same(build: Callable[..., bytes]) -> None:
    data = build(CONTEXTS, ROLE, item(0x58, b"\2\1" + counted("anna") + counted("word")))
    told = A_ASSOCIATE_RQ()
    told.decode(data)
    found, _ = read_association(data, len(data), 0, 0)
    assert told.calling_ae_title == found.calling_ae
    assert [context.abstract_syntax for context in told.presentation_context] == [CT_STORAGE]
    assert told.user_information is not None
    assert told.user_information.implementation_class_uid == found.implementation_uid
