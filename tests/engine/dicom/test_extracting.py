from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gql_server.domain.dicom import AssociationOutcome, DicomDevice, DicomProblem
from gql_server.domain.errors import CaptureError
from tests.dicom.wire import SYN, Ends
from tests.engine.dicom import wire
from tests.engine.dicom.tasking import (
    CLIENT,
    CREATE,
    FIND,
    FIND_RSP,
    SERVER,
    STORE,
    STORE_RSP,
    Tasks,
    Turn,
    captured,
    spoken,
    stored,
)
from tests.engine.dicom.wire import CT_STORAGE, EXPLICIT, VERIFICATION, fragment, message, p_data, text_elements

OFFER = {1: (CT_STORAGE, [EXPLICIT])}
RQ, AC = wire.associate_rq(OFFER), wire.associate_ac({1: (0, EXPLICIT)})


def device_data(manufacturer: bytes = b"ACME", model: bytes = b"SCAN-O-MAT") -> bytes:
    return text_elements(
        [
            (0x00080005, "CS", b"ISO_IR 100"),
            (0x00080060, "CS", b"CT"),
            (0x00080070, "LO", manufacturer),
            (0x00081090, "LO", model),
        ]
    )


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    return Tasks(tmp_path)


def of(devices: Sequence[DicomDevice], address: str) -> DicomDevice:
    (found,) = (each for each in devices if each.address == address)
    return found


def test_an_association_is_told_of(tasks: Tasks) -> None:
    capture = captured(spoken(*stored(device_data(), device_data())))
    extracted = tasks.extract(capture)
    (one,) = extracted.associations
    assert (one.number, one.first_packet, one.outcome) == (1, 1, AssociationOutcome.ACCEPTED)
    assert (one.client, one.client_port, one.server, one.server_port) == (CLIENT, 40000, SERVER, 104)
    assert (one.calling_ae, one.called_ae) == ("MODALITY", "ARCHIVE")
    assert (one.client_implementation_version, one.server_implementation_version) == ("WIRE_TEST", "WIRE_TEST")
    assert one.client_implementation_uid == one.server_implementation_uid == "1.2.826.0.1.3680043"
    assert one.messages == {"C-STORE-RQ": 2, "C-STORE-RSP": 2}
    assert list(one.messages) == sorted(one.messages)
    assert [(each.id, each.accepted_syntax) for each in one.contexts] == [(1, EXPLICIT)]
    turns = stored(device_data(), device_data())
    assert one.bytes == sum(len(data) for _, data in turns)
    assert one.packets == len([each for each in spoken(*turns) if each.payload])
    assert (one.data_sets, one.bytes_unreadable, one.problems) == (2, 0, ())
    assert extracted.encrypted == 0


def test_nothing_is_written(tasks: Tasks) -> None:
    capture = captured(spoken(*stored(device_data())))
    tasks.extract(capture)
    assert tasks.left == set()
    assert tasks.source.read_bytes() == capture


def test_progress_ends_at_the_size_of_the_source(tasks: Tasks) -> None:
    capture = captured(spoken(*stored(device_data())))
    tasks.extract(capture)
    done = [each.bytes_done for each in tasks.told]
    assert done == sorted(done)
    assert done[-1] == tasks.told[-1].bytes_total == len(capture)


def test_what_is_no_capture_is_refused(tasks: Tasks) -> None:
    with pytest.raises(CaptureError):
        tasks.extract(b"no capture at all")


def test_the_client_is_who_asked_for_the_association(tasks: Tasks) -> None:
    """The one that opened the connection is not known: what was captured first is the server's."""
    segments = [each for each in spoken((True, RQ), (False, AC)) if not each.flags & SYN]
    turned = sorted(segments, key=lambda each: not each.payload.startswith(b"\x02"))
    (one,) = tasks.extract(captured(turned)).associations
    assert (one.client, one.client_port, one.server, one.server_port) == (CLIENT, 40000, SERVER, 104)
    assert one.calling_ae == "MODALITY"


def test_titles_and_values_belong_to_who_asked_and_to_who_sent(tasks: Tasks) -> None:
    """The same, with data both ways: each side's data sets name its own device."""
    turns = [
        (True, RQ),
        (False, AC),
        (True, message(STORE, device_data(b"CLIENTS MAKER "))),
        (False, message(CREATE, device_data(b"SERVERS MAKER "))),
    ]
    expected = {
        CLIENT: (("MODALITY",), ("CLIENTS MAKER",)),
        SERVER: (("ARCHIVE",), ("SERVERS MAKER",)),
    }
    segments = spoken(*turns)
    late = [each for each in segments if not each.flags & SYN]
    turned = sorted(late, key=lambda each: not each.payload.startswith(b"\x02"))
    for order in (segments, turned):
        devices = tasks.extract(captured(order)).devices
        assert {each.address: (each.ae_titles, each.manufacturer) for each in devices} == expected


def test_where_nobody_knows_who_asked_the_client_is_who_connected(tasks: Tasks) -> None:
    turns: list[Turn] = stored(device_data())[2:-2]
    segments = [each for each in spoken(*turns) if not each.flags & SYN]
    (one,) = tasks.extract(captured(segments)).associations
    assert (one.client, one.server, one.calling_ae) == (CLIENT, SERVER, "")
    assert one.outcome is AssociationOutcome.NOT_CAPTURED
    assert DicomProblem.NO_ASSOCIATION in one.problems


@pytest.mark.parametrize(
    ("field", "side", "named"),
    [
        (FIND_RSP, False, False),
        (FIND, True, False),
        (0x8010, False, False),
        (0x8021, False, False),
        (CREATE, True, True),
        (STORE, True, True),
    ],
)
def test_answers_to_queries_name_no_device(tasks: Tasks, field: int, *, side: bool, named: bool) -> None:
    extracted = tasks.extract(captured(spoken((True, RQ), (False, AC), (side, message(field, device_data())))))
    assert extracted.associations[0].data_sets == 1
    assert [each.manufacturer for each in extracted.devices] == [("ACME",) if named else (), ()]


def test_the_first_value_that_says_something_is_first(tasks: Tasks) -> None:
    data_sets = [device_data(each) for each in (b"  ", b"", b"SECOND", b"THIRD ", b"SECOND")]
    devices = tasks.extract(captured(spoken(*stored(*data_sets)))).devices
    assert of(devices, CLIENT).manufacturer == ("SECOND", "THIRD")


def test_devices_come_by_their_first_packets(tasks: Tasks) -> None:
    ends = [Ends(client=f"10.0.0.{9 - n}", client_port=40000 + n, server=SERVER, server_port=104) for n in range(3)]
    segments = [segment for n in range(3) for segment in spoken(*stored(device_data()), ends=ends[n], connection=n)]
    extracted = tasks.extract(captured(segments, *ends))
    assert [each.address for each in extracted.devices] == ["10.0.0.9", SERVER, "10.0.0.8", "10.0.0.7"]
    assert [each.number for each in extracted.associations] == [1, 2, 3]
    assert [each.client for each in extracted.associations] == ["10.0.0.9", "10.0.0.8", "10.0.0.7"]


def test_tls_is_told_of_and_other_protocols_are_not(tasks: Tasks) -> None:
    ends = [
        Ends(client=CLIENT, client_port=40000, server=SERVER, server_port=2762),
        Ends(client=CLIENT, client_port=40001, server=SERVER, server_port=80),
        Ends(client=CLIENT, client_port=40002, server=SERVER, server_port=104),
    ]
    hello = b"\x16\3\1\0\x26\1\0\0\x22\3\3" + bytes(32)
    segments = [
        *spoken((True, hello), (False, hello), ends=ends[0]),
        *spoken((True, b"GET / HTTP/1.1\r\n\r\n"), ends=ends[1], connection=1),
        *spoken(*stored(), ends=ends[2], connection=2),
    ]
    extracted = tasks.extract(captured(segments, *ends))
    assert extracted.encrypted == 1
    assert [(each.number, each.outcome) for each in extracted.associations] == [
        (1, AssociationOutcome.ENCRYPTED),
        (3, AssociationOutcome.ACCEPTED),
    ]
    one = extracted.associations[0]
    assert (one.client, one.server, one.server_port) == (CLIENT, SERVER, 2762)
    assert (one.bytes, one.bytes_unreadable) == (2 * len(hello), 2 * len(hello))
    assert one.problems == (DicomProblem.ENCRYPTED,)
    assert (one.packets, one.first_packet, one.messages, one.data_sets) == (2, 1, {}, 0)


def test_a_rejected_association_is_told_of(tasks: Tasks) -> None:
    (one,) = tasks.extract(captured(spoken((True, RQ), (False, wire.REJECT)))).associations
    assert (one.outcome, one.messages, one.data_sets) == (AssociationOutcome.REJECTED, {}, 0)


def test_what_cannot_be_read_is_counted(tasks: Tasks) -> None:
    turns = stored(device_data())
    (one,) = tasks.extract(captured(spoken(*turns[:2], (True, b"\x09" * 40), *turns[2:]))).associations
    assert (one.bytes_unreadable, one.problems) == (40, (DicomProblem.PDU_MALFORMED,))
    assert one.data_sets == 1


def test_what_was_not_captured_is_a_problem(tasks: Tasks) -> None:
    turns = [*stored(), (True, message(STORE, device_data()) * 2)]
    segments = spoken(*turns)
    last = max(number for number, each in enumerate(segments) if each.payload)
    hole = list(segments)
    hole[last] = segments[last].moved(segments[last].payload[7:], 7)
    (one,) = tasks.extract(captured(hole)).associations
    assert DicomProblem.STREAM_HOLE in one.problems
    copy = list(segments)
    copy.insert(last, replace(segments[last], payload=b"\x07" + segments[last].payload[1:]))
    (one,) = tasks.extract(captured(copy)).associations
    assert DicomProblem.CONFLICTING_OVERLAP in one.problems
    assert list(one.problems) == sorted(set(one.problems))


def test_a_snap_length_is_a_problem(tasks: Tasks) -> None:
    capture = bytearray(captured(spoken((True, RQ))[:4]))
    cut = capture[:-9]
    at = len(capture) - len(RQ) - 54 - 8
    cut[at : at + 4] = (int.from_bytes(cut[at : at + 4], "little") - 9).to_bytes(4, "little")
    (one,) = tasks.extract(bytes(cut)).associations
    assert DicomProblem.SEGMENT_CUT in one.problems


def test_a_message_without_data_names_nothing(tasks: Tasks) -> None:
    echo = p_data(fragment(1, 3, wire.command(0x30, uid=VERIFICATION)))
    extracted = tasks.extract(captured(spoken((True, RQ), (False, AC), (True, echo), (False, message(STORE_RSP)))))
    assert extracted.associations[0].messages == {"C-ECHO-RQ": 1, "C-STORE-RSP": 1}
    assert extracted.associations[0].data_sets == 0
