import numpy as np

from gql_server.engine.dicom.boundaries import ASSOCIATE_RQ, P_DATA, RELEASE_RQ
from gql_server.engine.dicom.pdus import BROKEN, RESERVED, TORN, Event, PduScanner
from tests.engine.dicom import wire
from tests.engine.dicom.byte_streams import HeldStream, held
from tests.engine.dicom.wire import CT_STORAGE, EXPLICIT, associate_rq, command, fragment, fragments_of, p_data, pdu

RQ = associate_rq({1: (CT_STORAGE, [EXPLICIT])})
COMMAND = fragment(1, 3, command(1))


def scan(data: bytes | HeldStream) -> tuple[list[Event], np.ndarray]:
    return PduScanner().scan(data if isinstance(data, HeldStream) else held(data), 0)


def kinds(events: list[Event]) -> list[int]:
    return [event.kind for event in events]


def test_fragments_of_one_message_part_are_one_run() -> None:
    parts = fragments_of(1, b"abcdefgh", 3)
    events, spans = scan(p_data(COMMAND) + p_data(*parts[:2]) + p_data(parts[2]))
    assert [(event.kind, event.context, event.control, event.length) for event in events] == [
        (P_DATA, 1, 3, len(COMMAND) - 6),
        (P_DATA, 1, 2, 8),
    ]
    assert spans[1:, 1].tolist() == [3, 3, 2]


def test_another_context_or_another_part_begins_a_run() -> None:
    events, _ = scan(p_data(fragment(1, 0, b"a"), fragment(3, 0, b"b"), fragment(1, 0, b"c"), fragment(1, 1, b"d")))
    assert [(event.context, event.control) for event in events] == [(1, 0), (3, 0), (1, 0), (1, 1)]


def test_pdus_between_are_events() -> None:
    events, _ = scan(RQ + p_data(COMMAND) + wire.RELEASE_RQ + RQ)
    assert kinds(events) == [ASSOCIATE_RQ, P_DATA, RELEASE_RQ, ASSOCIATE_RQ]
    assert [event.at for event in events[2:]] == [len(RQ + p_data(COMMAND)), len(RQ + p_data(COMMAND)) + 10]


def test_many_fragments_and_long_ones_are_followed() -> None:
    parts = fragments_of(1, bytes(300_000), 100)
    events, spans = scan(b"".join(p_data(part) for part in parts) + p_data(*fragments_of(1, bytes(200_000), 90_000)))
    assert [event.length for event in events] == [300_000, 200_000]
    assert len(spans) == 3003


def test_a_reserved_byte_is_told() -> None:
    events, _ = scan(pdu(1, RQ[6:], reserved=7) + pdu(4, COMMAND, reserved=1))
    assert [(event.kind, event.at) for event in events[:2]] == [(ASSOCIATE_RQ, 0), (RESERVED, 1)]
    assert [(event.kind, event.at) for event in events[2:]] == [(RESERVED, len(RQ) + 1), (P_DATA, len(RQ) + 6)]


def test_what_is_no_pdu_is_passed_over() -> None:
    events, _ = scan(RQ + b"no PDU" + p_data(COMMAND) + wire.RELEASE_RQ)
    assert kinds(events) == [ASSOCIATE_RQ, BROKEN, P_DATA, RELEASE_RQ]
    assert (events[1].at, events[1].length) == (len(RQ), 6)


def test_a_broken_fragment_is_passed_over_with_its_pdu() -> None:
    broken = p_data(fragment(1, 0, b"good"), fragment(1, 9, b"bad"))
    events, _ = scan(RQ + broken + p_data(COMMAND) + wire.RELEASE_RQ)
    assert kinds(events) == [ASSOCIATE_RQ, P_DATA, BROKEN, P_DATA, RELEASE_RQ]
    assert events[2].at + events[2].length == len(RQ + broken)


def test_a_rest_too_short_for_a_fragment_is_passed_over() -> None:
    events, _ = scan(RQ + pdu(4, COMMAND + b"xyz") + wire.RELEASE_RQ)
    assert kinds(events) == [ASSOCIATE_RQ, P_DATA, BROKEN, RELEASE_RQ]


def test_a_hole_in_a_value_does_not_break_the_chain() -> None:
    data = RQ + p_data(fragment(1, 2, bytes(100))) + wire.RELEASE_RQ
    events, _ = scan(held(data, [(len(RQ) + 20, len(RQ) + 50)]))
    assert kinds(events) == [ASSOCIATE_RQ, P_DATA, RELEASE_RQ]


def test_a_hole_in_a_header_is_passed_over_to_the_next_boundary() -> None:
    data = RQ + p_data(fragment(1, 0, bytes(100))) + p_data(COMMAND) + wire.RELEASE_RQ
    events, _ = scan(held(data, [(len(RQ) + 3, len(RQ) + 50)]))
    assert kinds(events) == [ASSOCIATE_RQ, TORN, P_DATA, RELEASE_RQ]
    assert (events[1].at, events[1].length) == (len(RQ), 112)


def test_half_a_header_at_the_end_is_told() -> None:
    events, _ = scan(RQ + b"\4\0")
    assert [(event.kind, event.at, event.length) for event in events[1:]] == [(TORN, len(RQ), 2)]


def test_a_fragment_may_go_on_behind_the_end() -> None:
    events, spans = scan(p_data(fragment(1, 2, bytes(500)))[:100])
    assert kinds(events) == [P_DATA]
    assert spans.tolist() == [[12, 500]]
