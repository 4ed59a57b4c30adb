import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.domain.dicom import AssociationOutcome, DicomProblem
from gql_server.engine.dicom.associations import AssociationFieldKind
from gql_server.engine.dicom.commands import NO_COMMAND, UNKNOWN_COMMAND
from gql_server.engine.dicom.finding import Encrypted, EncryptedSign
from gql_server.engine.dicom.messages import AssociationReader, Message
from gql_server.engine.dicom.transfer_syntaxes import SyntaxSource
from tests.engine.dicom import wire
from tests.engine.dicom.byte_streams import HeldConnection, HeldStream, connection, held
from tests.engine.dicom.scrubbing import scrub
from tests.engine.dicom.walks import told
from tests.engine.dicom.wire import (
    BIG,
    CT_STORAGE,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    VERIFICATION,
    associate_ac,
    associate_rq,
    command,
    counted,
    explicit,
    fragment,
    fragments_of,
    implicit,
    item,
    items,
    message,
    p_data,
)

STORE, STORE_RSP, ECHO, ECHO_RSP, FIND, FIND_RSP, CANCEL, CREATE = 0x1, 0x8001, 0x30, 0x8030, 0x20, 0x8020, 0xFFF, 0x140
CONTEXTS = {1: (CT_STORAGE, [IMPLICIT, EXPLICIT]), 3: (VERIFICATION, [IMPLICIT])}
RQ = associate_rq(CONTEXTS)
AC = associate_ac({1: (0, EXPLICIT), 3: (0, IMPLICIT)})
PATIENT = [
    (0x00080005, "CS", b"ISO_IR 100"),
    (0x00080050, "SH", b"CANARY-00001"),
    (0x00080060, "CS", b"CT"),
    (0x00080080, "LO", b"CANARY-00002"),
    (0x00100010, "PN", b"CANARY-00003"),
    (0x00100020, "LO", b"CANARY-00004"),
    (0x00100030, "DA", b"19500101"),
    (0x00100040, "CS", b"M "),
    (0x00104000, "LT", b"CANARY-00005"),
]
DATA = wire.text_elements(PATIENT)
SEQUENCED = DATA + explicit(0x00400275, "SQ", items(DATA, DATA, undefined=True, ended=True), undefined=True)
IMPLICIT_DATA = b"".join(implicit(tag, value) for tag, _, value in PATIENT)


def find(conversation: HeldConnection) -> AssociationReader:
    reader = AssociationReader.find(conversation)
    assert isinstance(reader, AssociationReader)
    return reader


def read(request: bytes | HeldStream, answer: bytes | HeldStream = b"") -> tuple[AssociationReader, list[Message]]:
    reader = find(connection(request, answer))
    return reader, list(reader.messages())


def names(messages: list[Message]) -> list[tuple[int, str, bool]]:
    return [(each.side, each.name, each.complete) for each in messages]


def test_an_association_is_read_both_ways() -> None:
    reader, messages = read(
        RQ + message(ECHO, context=3) + message(STORE, DATA) + wire.RELEASE_RQ,
        AC + message(ECHO_RSP, context=3) + message(STORE_RSP) + wire.RELEASE_RP,
    )
    assert names(messages) == [
        (0, "C-ECHO-RQ", True),
        (0, "C-STORE-RQ", True),
        (1, "C-ECHO-RSP", True),
        (1, "C-STORE-RSP", True),
    ]
    store = messages[1]
    assert (store.context, store.abstract_syntax, store.transfer_syntax) == (1, CT_STORAGE, EXPLICIT)
    assert store.source == SyntaxSource.NEGOTIATED
    assert store.data is not None
    assert len(told(store.data)) == len(PATIENT)
    assert reader.outcome == AssociationOutcome.ACCEPTED
    assert (reader.facts.calling_ae, reader.facts.called_ae) == ("MODALITY", "ARCHIVE")
    assert reader.facts.server_implementation_version == "WIRE_TEST"
    assert [(each.id, each.accepted_syntax, each.result) for each in reader.contexts] == [
        (1, EXPLICIT, 0),
        (3, IMPLICIT, 0),
    ]
    assert not reader.problems
    assert not reader.unreadable
    assert reader.requestor == 0


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (AC, AssociationOutcome.ACCEPTED),
        (wire.REJECT, AssociationOutcome.REJECTED),
        (wire.ABORT, AssociationOutcome.ABORTED),
        (AC + wire.ABORT, AssociationOutcome.ABORTED),
        (b"", AssociationOutcome.UNANSWERED),
    ],
)
def test_an_association_ends_somehow(answer: bytes, outcome: AssociationOutcome) -> None:
    assert read(RQ, answer)[0].outcome == outcome


def test_the_client_of_the_connection_need_not_be_the_one_who_asks() -> None:
    reader, messages = read(AC + message(STORE_RSP), RQ + message(STORE, DATA))
    assert reader.requestor == 1
    assert messages[1].source == SyntaxSource.NEGOTIATED
    assert read(AC)[0].requestor == 1
    assert read(held(message(STORE, DATA), starts_at_syn=False))[0].requestor is None


def test_tls_is_handed_through() -> None:
    found = AssociationReader.find(connection(b"\x16\3\1\0\4\1abc", b"", server_port=2762))
    assert found == Encrypted(sign=EncryptedSign.PORT)
    assert AssociationReader.find(connection(b"GET / HTTP/1.1", b"")) is None


def test_fragments_may_be_cut_anywhere_and_share_pdus() -> None:
    parts = fragments_of(1, command(STORE, data=True), 7, command=True) + fragments_of(1, SEQUENCED, 5)
    one_pdu = p_data(*parts)
    many = b"".join(p_data(*parts[at : at + 3]) for at in range(0, len(parts), 3))
    for body in (one_pdu, many):
        reader, messages = read(RQ + body + message(ECHO, context=3), AC)
        assert names(messages) == [(0, "C-STORE-RQ", True), (0, "C-ECHO-RQ", True)]
        assert messages[0].data is not None
        assert messages[0].data.values.tobytes() == SEQUENCED
        assert not reader.problems


def test_several_contexts_in_one_pdu_are_kept_apart() -> None:
    first = fragments_of(1, command(STORE, data=True), 50, command=True) + fragments_of(1, DATA, 60)
    second = fragments_of(3, command(ECHO), 50, command=True)
    mixed = [part for pair in zip(first, second + [None] * len(first), strict=False) for part in pair if part]
    reader, messages = read(RQ + p_data(*mixed), AC)
    assert sorted(names(messages)) == [(0, "C-ECHO-RQ", True), (0, "C-STORE-RQ", True)]
    assert not reader.problems


def test_commands_without_data_sets_follow_each_other() -> None:
    body = message(CANCEL) + message(ECHO, context=3) + message(CREATE, DATA) + message(0x150) + message(0x110)
    assert [name for _, name, _ in names(read(RQ + body, AC)[1])] == [
        "C-CANCEL-RQ",
        "C-ECHO-RQ",
        "N-CREATE-RQ",
        "N-DELETE-RQ",
        "N-GET-RQ",
    ]


def test_an_announced_data_set_that_does_not_come_is_missed() -> None:
    reader, messages = read(
        RQ + p_data(*fragments_of(1, command(STORE, data=True), 99, command=True)) + message(ECHO), AC
    )
    assert names(messages) == [(0, "C-STORE-RQ", False), (0, "C-ECHO-RQ", True)]
    assert reader.problems == {DicomProblem.MESSAGE_INCOMPLETE}


def test_a_data_set_that_nobody_announced_is_read_if_all_of_it_makes_sense() -> None:
    _, messages = read(RQ + message(ECHO) + p_data(fragment(1, 2, DATA)), AC)
    assert names(messages)[1] == (0, NO_COMMAND, True)
    assert messages[1].data is not None
    reader, messages = read(RQ + message(ECHO) + p_data(fragment(1, 2, DATA[3:])), AC)
    assert messages[1].data is None
    assert [(span.count, span.problem) for span in reader.unreadable] == [
        (len(DATA) - 3, DicomProblem.MESSAGE_INCOMPLETE)
    ]


def test_a_broken_command_set_is_told() -> None:
    broken = p_data(fragment(1, 3, b"\0\0\x10\1PATIENT DATA")) + p_data(fragment(1, 2, DATA))
    reader, messages = read(RQ + broken, AC)
    assert [(each.name, each.data is not None) for each in messages] == [(UNKNOWN_COMMAND, True)]
    assert DicomProblem.COMMAND_MALFORMED in reader.problems


def test_associations_follow_each_other_on_one_connection() -> None:
    second_rq = associate_rq({1: (CT_STORAGE, [IMPLICIT])}, calling="SECOND")
    second_ac = associate_ac({1: (0, IMPLICIT)}, calling="SECOND")
    request = RQ + message(STORE, DATA) + wire.RELEASE_RQ + second_rq + message(STORE, IMPLICIT_DATA) + wire.RELEASE_RQ
    answer = AC + message(STORE_RSP) + wire.RELEASE_RP + second_ac + message(STORE_RSP) + wire.RELEASE_RP
    reader, messages = read(request, answer)
    assert [each.transfer_syntax for each in messages if each.side == 0] == [EXPLICIT, IMPLICIT]
    assert [told(each.data)[4][1] for each in messages if each.data] == ["00100010", "00100010"]
    assert len(reader.contexts) == 3
    assert not reader.problems
    later = RQ + message(STORE, DATA) + wire.RELEASE_RQ + second_rq + message(STORE, IMPLICIT_DATA)
    joined, again = read(held(later), held(answer[len(AC) + 3 :], starts_at_syn=False))
    assert [each.transfer_syntax for each in again if each.side == 0] == [EXPLICIT, IMPLICIT]
    assert joined.outcome == AssociationOutcome.ACCEPTED


@pytest.mark.parametrize(("syntax", "data"), [(IMPLICIT, IMPLICIT_DATA), (EXPLICIT, SEQUENCED)])
def test_without_an_association_the_syntax_is_inferred(syntax: str, data: bytes) -> None:
    reader, messages = read(held(b"a rest" + message(STORE, data) + wire.RELEASE_RQ, starts_at_syn=False))
    assert [(each.transfer_syntax, each.source) for each in messages] == [(syntax, SyntaxSource.INFERRED)]
    assert reader.problems == {DicomProblem.NO_ASSOCIATION, DicomProblem.NO_BOUNDARY, DicomProblem.SYNTAX_INFERRED}
    assert [(span.at, span.count) for span in reader.unreadable] == [(0, 6)]
    assert reader.outcome == AssociationOutcome.NOT_CAPTURED


def test_big_endian_and_deflated_data_sets_are_inferred_too() -> None:
    big = b"".join(explicit(tag, vr, value, big=True) for tag, vr, value in PATIENT)
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(DATA) + packer.flush()
    for data, syntax in ((big, BIG), (packed, DEFLATED)):
        _, messages = read(held(message(STORE, data) + wire.RELEASE_RQ, starts_at_syn=False))
        assert [each.transfer_syntax for each in messages] == [syntax]
        assert messages[0].data is not None
        assert len(told(messages[0].data)) == len(PATIENT)


def test_what_cannot_be_inferred_is_unreadable() -> None:
    for data in (
        b"CANARY-00009" * 5,
        b"".join(implicit(0x00110000 + at, b"ab") for at in (1, 2)) + implicit(0x00480090, b"x" * 8),
    ):
        reader, messages = read(held(message(STORE, data) + wire.RELEASE_RQ, starts_at_syn=False))
        assert messages[0].data is None
        assert messages[0].source == SyntaxSource.UNKNOWN
        assert [(span.count, span.problem) for span in reader.unreadable] == [(len(data), DicomProblem.SYNTAX_UNKNOWN)]


@pytest.mark.parametrize(("elements", "known"), [(7, False), (8, True)])
def test_before_a_hole_enough_must_make_sense(elements: int, known: bool) -> None:  # noqa: FBT001
    cut = wire.text_elements(PATIENT[:elements])
    body = message(STORE, cut + explicit(0x7FE00010, "OW", bytes(500)))
    _, messages = read(held(body[: body.index(cut) + len(cut) + 6], starts_at_syn=False))
    assert (messages[0].data is not None) == known


def test_the_only_proposed_syntax_is_taken_without_an_answer() -> None:
    reader, messages = read(associate_rq({1: (CT_STORAGE, [EXPLICIT])}) + message(STORE, DATA))
    assert messages[0].source == SyntaxSource.PROPOSED
    assert not reader.problems
    reader, messages = read(RQ + message(STORE, DATA))
    assert (messages[0].source, messages[0].transfer_syntax) == (SyntaxSource.INFERRED, EXPLICIT)


def test_a_deflated_data_set_that_is_none_is_unreadable() -> None:
    rq, ac = associate_rq({1: (CT_STORAGE, [DEFLATED])}), associate_ac({1: (0, DEFLATED)})
    reader, messages = read(rq + message(STORE, b"no deflate stream at all"), ac)
    assert messages[0].data is None
    assert [span.problem for span in reader.unreadable] == [DicomProblem.DEFLATE_UNREADABLE]
    cut = rq + message(STORE, b"no deflate stream at all")[:-4]
    assert [span.problem for span in read(cut, ac)[0].unreadable] == [DicomProblem.MESSAGE_INCOMPLETE]


def test_a_capture_that_ends_in_a_message_leaves_what_is_there() -> None:
    body = RQ + message(STORE, DATA)
    for end in range(len(RQ) + 12, len(body) - 1):
        reader, messages = read(body[:end], AC)
        assert [each.complete for each in messages] in ([False], [])
        assert DicomProblem.MESSAGE_INCOMPLETE in reader.problems or DicomProblem.STREAM_HOLE in reader.problems


def test_a_hole_in_a_header_loses_one_message_only() -> None:
    first, second = message(STORE, DATA), message(STORE, DATA)
    hole = len(RQ) + 3
    reader, messages = read(held(RQ + first + second + wire.RELEASE_RQ, [(hole, hole + 2)]), AC)
    assert names(messages)[-1] == (0, "C-STORE-RQ", True)
    assert DicomProblem.STREAM_HOLE in reader.problems


def test_fields_are_told_wherever_they_are() -> None:
    odd = wire.RELEASE_RQ[:6] + b"DOE!"
    reader, _ = read(RQ + odd + wire.pdu(1, RQ[6:], reserved=5), AC)
    kinds = [(field.kind, field.at) for field in reader.fields if field.side == 0]
    assert (AssociationFieldKind.UNKNOWN, len(RQ) + 6) in kinds
    assert (AssociationFieldKind.RESERVED, len(RQ) + 11) in kinds


CANARY_RQ = associate_rq(
    CONTEXTS,
    item(0x58, b"\2\1" + counted("CANARY-00010") + counted("CANARY-00011")),
    item(0x54, counted(CT_STORAGE) + b"\0\1"),
    item(0x99, b"CANARY-00012"),
    calling="CANARY-00013",
    called="CANARY-00014",
)
PACKED = zlib.compressobj(wbits=-15)
DEFLATED_DATA = PACKED.compress(DATA) + PACKED.flush()
REQUEST = (
    CANARY_RQ
    + message(STORE, SEQUENCED, size=90)
    + message(STORE, DATA + explicit(0x7FE00010, "OB", items(b"", b"CANARY-00006" * 9, ended=True), undefined=True))
    + message(FIND, DATA)
    + wire.RELEASE_RQ
    + associate_rq({1: (CT_STORAGE, [DEFLATED])}, calling="CANARY-00015")
    + message(STORE, DEFLATED_DATA)
    + message(STORE, DATA + explicit(0x00091010, "OB", b"CANARY-00007" * 6000))
)
ANSWER = AC + b"".join(message(FIND_RSP, DATA, size=120) for _ in range(3)) + message(FIND_RSP)
ANSWER += message(STORE_RSP) + wire.RELEASE_RP + associate_ac({1: (0, DEFLATED)}, calling="CANARY-00016")


def left(conversation: HeldConnection) -> list[int]:
    return [bytes(stream.data).count(b"CANARY") for stream in conversation.streams]


def test_nothing_but_structure_is_left_when_all_that_was_found_is_blank() -> None:
    conversation = connection(REQUEST, ANSWER)
    assert sum(left(conversation)) > 50
    _, messages = scrub(conversation)
    assert left(conversation) == [0, 0]
    assert len(messages) == 10
    assert all(each.complete for each in messages)


def degraded(source: st.DataObject, data: bytes) -> HeldStream:
    """A stream with bytes changed, left out, or with its beginning or end missing."""
    changed = bytearray(data)
    for _ in range(source.draw(st.integers(0, 4))):
        changed[source.draw(st.integers(0, 3000) | st.integers(0, len(data) - 1)) % len(data)] = source.draw(
            st.integers(0, 255)
        )
    begin = source.draw(st.just(0) | st.integers(0, min(2000, len(data))))
    end = source.draw(st.just(len(data)) | st.integers(begin, len(data)))
    holes, place = [], 0
    for at, count in sorted(
        source.draw(st.lists(st.tuples(st.integers(0, end - begin), st.integers(1, 300)), max_size=3))
    ):
        if at > place:
            holes.append((at, at + count))
            place = at + count
    return held(bytes(changed[begin:end]), holes, starts_at_syn=begin == 0 and source.draw(st.booleans()))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_of_degraded_streams_nothing_but_structure_is_left(source: st.DataObject) -> None:
    conversation = connection(degraded(source, REQUEST), degraded(source, ANSWER))
    if not isinstance(AssociationReader.find(conversation), AssociationReader):
        return
    for stream in conversation.streams:
        for begin, end in stream.holes:
            stream.data[begin:end] = bytes(len(stream.data[begin:end]))
    scrub(conversation)
    assert left(conversation) == [0, 0]


@given(st.binary(max_size=300), st.binary(max_size=300), st.booleans())
def test_any_bytes_are_dicom_or_not(first: bytes, second: bytes, whole: bool) -> None:  # noqa: FBT001
    found = AssociationReader.find(connection(held(first, starts_at_syn=whole), held(second, starts_at_syn=whole)))
    if isinstance(found, AssociationReader):
        list(found.messages())
