import base64
import gzip
import os
import random
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gql_server.domain.dicom import DatePolicy, ForeignPolicy, PixelPolicy
from gql_server.domain.dicom_verification import SecretForm, SecretPlace
from gql_server.domain.verification import (
    AddressExpectation,
    MacExpectation,
    Verification,
    VerificationReason,
    VerificationStatus,
)
from tests.captures import Packet, ethernet, packets, pcap, udp4
from tests.engine.verify.dicom_traffic import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    NOW,
    WAS,
    Segment,
    both,
    capture,
    changed,
    conversation,
    data_set,
    deflated,
    encoded,
    prove_dicom,
    segments,
)
from tests.engine.verify.test_verifying import rewritten

Reason = VerificationReason
RUNS = 1000 if "GQL_SERVER_LONG_TESTS" in os.environ else 20
KEPT = {Reason.ADDRESSES_KEPT_BY_RULE}
"""What an output says that has its addresses left as they were."""


def reasons_of(verification: Verification) -> set[VerificationReason]:
    return set(verification.reasons) - KEPT


def prove_segments(was: list[Segment], now: list[Segment], **fields: Any) -> Verification:
    return prove_dicom(capture(was), capture(now), **fields)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, JPEG])
@pytest.mark.parametrize("most", [7, 500])
def test_a_sound_output_is_verified(syntax: str, most: int) -> None:
    was = segments(conversation(WAS, syntax=syntax), most=most)
    verification = prove_segments(was, segments(conversation(NOW, syntax=syntax), most=most))
    assert reasons_of(verification) == set()
    assert verification.status is VerificationStatus.PARTIAL
    assert verification.ledger.unknown == 0
    found = verification.dicom
    assert found is not None
    assert (found.connections, found.streams, found.messages, found.data_sets) == (1, 2, 2, 1)
    assert (found.uids, found.names, found.identifiers) == (3, 2, 5)
    assert found.bytes_left == found.bytes_undecodable == 0
    assert found.scan.secrets > 20
    assert [(one.modality, one.data_sets, one.bytes_kept) for one in found.pixels] == [("CT", 1, 0)]


def test_a_copy_is_no_output() -> None:
    was, _ = both()
    verification = prove_segments(was, was)
    assert {Reason.VALUE_KEPT, Reason.PIXELS_LEFT} <= reasons_of(verification)
    assert verification.status is VerificationStatus.FAILED


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": WAS["name"]}, Reason.VALUE_KEPT),
        ({"other_name": WAS["other_name"]}, Reason.VALUE_KEPT),
        ({"other_name": "QUIXVARPO^ZELB"}, Reason.VALUE_KEPT),
        ({"physician": WAS["physician"]}, Reason.VALUE_KEPT),
        ({"instance": WAS["instance"]}, Reason.VALUE_KEPT),
        ({"instance": "1.2.840.10008.5.1.4.1.1.99.1234"}, Reason.VALUE_ALTERED),
        ({"patient": WAS["patient"]}, Reason.VALUE_KEPT),
        ({"calling": WAS["calling"]}, Reason.VALUE_KEPT),
        ({"passcode": WAS["passcode"]}, Reason.VALUE_KEPT),
        ({"private": WAS["private"]}, Reason.VALUE_KEPT),
        ({"institution": "xx HUBERMANN^OTTO xx"}, Reason.SECRET_LEAKED),
        ({"comment": "xxxx by xxxxxxx xxxx jan"}, None),
        ({"comment": "seen by xxxxxxx xxxx jan"}, Reason.VALUE_KEPT),
        ({"sex": "F"}, Reason.VALUE_KEPT),
        ({"date": WAS["date"]}, Reason.VALUE_KEPT),
        ({"date": "20230131"}, Reason.DATES_INCONSISTENT),
        ({"time": WAS["time"]}, Reason.VALUE_KEPT),
        ({"pixels": WAS["pixels"]}, Reason.PIXELS_LEFT),
        ({"rows": 9}, Reason.VALUE_ALTERED),
        ({"name": NOW["physician"][:14], "physician": NOW["physician"][:14] + " "}, Reason.MAP_NOT_INJECTIVE),
    ],
)
def test_a_wrong_value_fails(values: dict[str, Any], reason: VerificationReason | None) -> None:
    was, _ = both()
    verification = prove_segments(was, changed(**values))
    if reason is None:
        assert reasons_of(verification) == set()
    else:
        assert reason in reasons_of(verification)
        assert verification.status is VerificationStatus.FAILED


def test_one_original_has_one_pseudonym() -> None:
    was = segments(conversation(WAS) + conversation(WAS), most=400)
    now = segments(conversation(NOW) + conversation(NOW | {"name": "OTHERXY^WOLXUM"}), most=400)
    assert Reason.MAP_INCONSISTENT in reasons_of(prove_segments(was, now))


def test_a_changed_length_fails() -> None:
    was, now = both()
    found = capture(now).replace(b"\x10\x00\x10\x00PN\x0e\x00", b"\x10\x00\x10\x00PN\x0c\x00")
    assert found != capture(now)
    assert Reason.STRUCTURE_CHANGED in reasons_of(prove_dicom(capture(was), found))


def test_a_changed_pdu_header_fails() -> None:
    was, now = both()
    i = next(i for i, one in enumerate(now) if one.data.startswith(b"\4\0"))
    wrong = [*now[:i], replace(now[i], data=now[i].data[:10] + b"\3" + now[i].data[11:]), *now[i + 1 :]]
    assert Reason.STRUCTURE_CHANGED in reasons_of(prove_segments(was, wrong))


def test_retransmitted_copies_follow_the_first() -> None:
    was, now = both()
    i = next(i for i, one in enumerate(was) if b"DOEBERG" in one.data)
    again = [*was, was[i]]
    assert reasons_of(prove_segments(again, [*now, now[i]])) == set()
    assert reasons_of(prove_segments(again, [*now, replace(now[i], data=bytes(len(now[i].data)))])) == set()
    verification = prove_segments(again, [*now, was[i]])
    assert Reason.COPY_DIFFERS in reasons_of(verification)
    assert verification.dicom is not None
    assert verification.dicom.copies == 1


def test_order_does_not_matter() -> None:
    was, now = both()
    turned = [0, 1, *reversed(range(2, len(was)))]
    verification = prove_segments([was[i] for i in turned], [now[i] for i in turned])
    assert reasons_of(verification) == set()


def test_what_was_not_captured_leaves_zeros() -> None:
    was, now = (
        both(most=100) if False else (segments(conversation(WAS), most=100), segments(conversation(NOW), most=100))
    )
    lost = next(i for i, one in enumerate(was) if b"DOEBERG" in one.data)
    were = [one for i, one in enumerate(was) if i != lost]
    left = [one for i, one in enumerate(now) if i != lost]
    verification = prove_segments(were, left)
    assert Reason.UNDECODABLE_LEFT in reasons_of(verification)
    # Behind the hole nothing can be read up to the next PDU.
    places = [one.at for one in were if one.side == 0]
    after = next(i for i, one in enumerate(were) if one.side == 0 and one.at > was[lost].at)
    del places
    zeroed = [
        replace(one, data=bytes(len(one.data))) if i >= after and one.side == 0 and len(one.data) > 10 else one
        for i, one in enumerate(left)
    ]
    sound = prove_segments(were, zeroed)
    assert Reason.UNDECODABLE_LEFT not in reasons_of(sound) or sound.dicom is None


def test_an_undecodable_tail_must_be_zero() -> None:
    was, now = both()
    tail = Segment(side=0, at=now[-2].at + 10, data=b"\x99garbage behind the association")
    verification = prove_segments([*was, tail], [*now, tail])
    assert Reason.UNDECODABLE_LEFT in reasons_of(verification)
    zero = replace(tail, data=bytes(len(tail.data)))
    verification = prove_segments([*was, tail], [*now, zero])
    assert reasons_of(verification) == set()
    assert verification.dicom is not None
    assert verification.dicom.bytes_undecodable == len(tail.data)


def test_a_deflated_data_set_is_read() -> None:
    was = segments(conversation(WAS, syntax=DEFLATED))
    size = sum(len(one.data) for one in was)
    body = len(deflated(encoded(data_set(WAS), DEFLATED)))
    sound = prove_segments(was, segments(conversation(NOW | {"pixels": bytes(128)}, syntax=DEFLATED, size=body)))
    assert sum(len(one.data) for one in segments(conversation(NOW, syntax=DEFLATED, size=body))) == size
    assert reasons_of(sound) == set()
    assert sound.dicom is not None
    assert sound.dicom.data_sets == 1
    wrong = NOW | {"institution": "xxx HUBERMANN^OTTO x"}
    verification = prove_segments(was, segments(conversation(wrong, syntax=DEFLATED, size=body)))
    assert Reason.SECRET_LEAKED in reasons_of(verification)
    kept = prove_segments(was, segments(conversation(NOW | {"name": WAS["name"]}, syntax=DEFLATED, size=body)))
    assert Reason.VALUE_KEPT in reasons_of(kept)


def test_pixels_may_be_kept() -> None:
    was, _ = both()
    verification = prove_segments(was, changed(pixels=WAS["pixels"]), pixels=PixelPolicy.KEEP)
    assert reasons_of(verification) == {Reason.PIXELS_KEPT}
    assert verification.status is VerificationStatus.PARTIAL
    assert verification.ledger.opaque == 128
    other = bytes(WAS["pixels"][:64]) + b"\x99" * 64
    assert Reason.VALUE_ALTERED in reasons_of(prove_segments(was, changed(pixels=other), pixels=PixelPolicy.KEEP))


def test_what_is_retained_may_stay() -> None:
    was, _ = both()
    uids = {key: WAS[key] for key in ("instance", "study", "series")}
    assert Reason.VALUE_KEPT in reasons_of(prove_segments(was, changed(**uids)))
    assert reasons_of(prove_segments(was, changed(**uids), retain_uids=True)) == set()
    assert reasons_of(prove_segments(was, changed(sex="F"), retain_patient_characteristics=True)) == set()
    assert reasons_of(prove_segments(was, changed(station=WAS["station"]), retain_device=True)) == set()
    assert Reason.VALUE_KEPT in reasons_of(prove_segments(was, changed(station=WAS["station"])))
    dates = {key: WAS[key] for key in ("date", "time", "birth")}
    assert reasons_of(prove_segments(was, changed(**dates), dates=DatePolicy.KEEP)) == set()


def test_an_override_is_let_through() -> None:
    was, _ = both()
    path = "00400275.00400007"
    assert Reason.VALUE_KEPT in reasons_of(prove_segments(was, changed(step=WAS["step"])))
    kept = changed(step=WAS["step"].replace("doeberg", "nobody "))
    assert Reason.VALUE_KEPT in reasons_of(prove_segments(was, kept))
    assert reasons_of(prove_segments(was, kept, overridden=(path,))) == set()
    assert Reason.VALUE_KEPT in reasons_of(prove_segments(was, kept, overridden=("00400007",)))


def test_descriptors_keep_words_of_the_standard() -> None:
    was, _ = both()
    verification = prove_segments(was, changed(step="head scan xxxxxxx "), clean_descriptors=True)
    assert reasons_of(verification) == set()
    wrong = prove_segments(was, changed(step="head scan doeberg "), clean_descriptors=True)
    assert Reason.VALUE_KEPT in reasons_of(wrong)


def shifted(found: list[Segment], days: int, *others: int) -> bytes:
    start = 1_700_000_000_000_000_000
    times = [start + i * 10**9 + days * 86_400 * 10**9 for i in range(len(found))]
    for i in others:
        times[i] += 10**9
    return pcap([Packet(data=one.frame, time_ns=time) for one, time in zip(found, times, strict=True)])


def test_times_move_with_dates() -> None:
    was, _ = both()
    now = changed(date="20230201", birth="19690103", time=WAS["time"])
    right = prove_dicom(capture(was), shifted(now, -364), dates=DatePolicy.SHIFT)
    assert reasons_of(right) == set()
    assert right.dicom is not None
    assert right.dicom.times_shifted
    assert Reason.PACKETS_DIFFER in reasons_of(prove_dicom(capture(was), shifted(now, -364, 4), dates=DatePolicy.SHIFT))
    assert Reason.PACKETS_DIFFER in reasons_of(prove_dicom(capture(was), shifted(now, 0), dates=DatePolicy.SHIFT))
    assert Reason.DATES_INCONSISTENT in reasons_of(
        prove_dicom(capture(was), shifted(now, -371), dates=DatePolicy.SHIFT)
    )
    other = changed(date="20230202", birth="19690103")
    assert Reason.DATES_INCONSISTENT in reasons_of(
        prove_dicom(capture(was), shifted(other, -364), dates=DatePolicy.SHIFT)
    )
    assert Reason.PACKETS_DIFFER in reasons_of(prove_dicom(capture(was), shifted(now, -364)))


def test_checksum_states_stay() -> None:
    was, now = both()
    wrong = [replace(one, adds=5) for one in now]
    assert Reason.CHECKSUM_STATE_CHANGED in reasons_of(prove_segments(was, wrong))
    assert reasons_of(prove_segments([replace(one, adds=5) for one in was], wrong)) == set()


def with_checksums(found: list[Segment], value: bytes) -> bytes:
    return pcap(packets(*(one.frame[:50] + value + one.frame[52:] for one in found)))


def test_a_checksum_that_was_empty_tells_nothing_of_what_was_replaced() -> None:
    was, now = both()
    empty = with_checksums(was, bytes(2))
    assert reasons_of(prove_dicom(empty, with_checksums(now, bytes(2)))) == set()
    assert Reason.CHECKSUM_STATE_CHANGED in reasons_of(prove_dicom(empty, with_checksums(now, b"\x12\x34")))
    assert Reason.CHECKSUM_STATE_CHANGED in reasons_of(prove_dicom(capture(was), with_checksums(now, bytes(2))))


def foreign(payload: bytes) -> bytes:
    return ethernet(udp4(payload))


def test_foreign_payload_is_zero_or_kept_by_choice() -> None:
    was, now = both()
    frame, blank = foreign(b"nothing of interest"), foreign(bytes(19))
    assert reasons_of(prove_dicom(capture(was, frame), capture(now, blank))) == set()
    assert Reason.PAYLOAD_LEFT in reasons_of(prove_dicom(capture(was, frame), capture(now, frame)))
    kept = prove_dicom(capture(was, frame), capture(now, frame), foreign=ForeignPolicy.KEEP)
    assert reasons_of(kept) == {Reason.PAYLOAD_KEPT}
    assert kept.ledger.opaque == 19


PACKED = {
    "bytes": (b"PID|1||Doeberg^Janine|", SecretForm.BYTES),
    "utf-16-le": ("name: Doeberg, Janine".encode("utf-16-le"), SecretForm.BYTES),
    "utf-16-be": ("name: Doeberg, Janine".encode("utf-16-be"), SecretForm.BYTES),
    "percent": (b"GET /patients?name=D%4Feber%67 HTTP/1.1", SecretForm.PERCENT),
    "base64": (b"data=" + base64.b64encode(b"..patient doeberg, 54 years"), SecretForm.BASE64),
    "gzip": (b"junk" + gzip.compress(b"the patient doeberg is here" * 3), SecretForm.COMPRESSED),
    "zlib": (b"junk" + zlib.compress(b"the patient doeberg is here" * 3), SecretForm.COMPRESSED),
    "deflate": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"the patient doeberg" * 3)[2:-4],
        SecretForm.COMPRESSED,
    ),
    "nested": (gzip.compress(base64.b64encode(b"the patient doeberg, again and again")), SecretForm.COMPRESSED),
    "uid": (b"uid=" + WAS["study"].encode(), SecretForm.BYTES),
    "user": (b"login nurse.miller", SecretForm.BYTES),
}


@pytest.mark.parametrize("name", PACKED)
def test_a_secret_in_kept_payload_is_found(name: str) -> None:
    payload, form = PACKED[name]
    was, now = both()
    frame = foreign(payload)
    verification = prove_dicom(capture(was, frame), capture(now, frame), foreign=ForeignPolicy.KEEP)
    assert Reason.SECRET_LEAKED in reasons_of(verification)
    assert verification.status is VerificationStatus.FAILED
    assert verification.dicom is not None
    found = [one for one in verification.dicom.scan.findings if one.place is SecretPlace.UNEXPLAINED]
    assert form in {one.form for one in found}
    assert {one.first_packet for one in found} == {len(was) + 1}


def test_a_secret_split_over_segments_is_found() -> None:
    was, now = both()
    ports = (50000, 2575)
    text = [(0, b"MSH|^~\\&|PID|1||Doeb"), (0, b"erg^Janine|19700102|F")]
    hl7 = segments(text, ports=ports)
    frames = [one.frame for one in hl7]
    verification = prove_dicom(capture(was, *frames), capture(now, *frames), foreign=ForeignPolicy.KEEP)
    assert Reason.SECRET_LEAKED in reasons_of(verification)
    assert verification.dicom is not None
    assert verification.dicom.connections == 1


def test_dicom_that_nobody_noticed_is_no_foreign_payload() -> None:
    was, now = both()
    missed = segments(conversation(WAS)[2:3], ports=(50000, 104))
    frames = [one.frame for one in missed[1:]]
    verification = prove_dicom(capture(was, *frames), capture(now, *frames), foreign=ForeignPolicy.KEEP)
    assert Reason.VALUE_KEPT in reasons_of(verification)


def test_ports_used_again_are_another_connection() -> None:
    was, now = both()
    later = [replace(one, at=one.at + 70_000) for one in was], [replace(one, at=one.at + 70_000) for one in now]
    verification = prove_segments([*was, *later[0]], [*now, *later[1]])
    assert reasons_of(verification) == set()
    assert verification.dicom is not None
    assert verification.dicom.connections == 2


def test_a_stream_that_begins_in_the_middle_is_read_where_the_output_shows_it() -> None:
    was, now = both()
    start = next(i for i, one in enumerate(was) if one.data[:2] == b"\4\0")
    cut = replace(was[start], at=was[start].at - 6, data=b"\x17\x18\x19\x20\x21\x22" + was[start].data)
    zero = replace(cut, data=bytes(6) + now[start].data)
    verification = prove_segments([cut, *was[start + 1 :]], [zero, *now[start + 1 :]])
    assert reasons_of(verification) == set()
    assert verification.dicom is not None
    assert verification.dicom.bytes_undecodable == 6
    wrong = replace(cut, data=b"\x17\x18\x19\x20\x21\x22" + now[start].data)
    assert Reason.UNDECODABLE_LEFT in reasons_of(prove_segments([cut, *was[start + 1 :]], [wrong, *now[start + 1 :]]))


def test_addresses_and_dicom_are_proven_together(tmp_path: Path) -> None:
    was, now = both()
    mapped = {"addresses": AddressExpectation.MAPPED, "macs": MacExpectation.MAPPED}
    verification = prove_dicom(capture(was), rewritten(capture(now), tmp_path), **mapped)
    assert verification.reasons == ()
    assert verification.status is VerificationStatus.VERIFIED
    kept = capture(changed(name=WAS["name"]))
    assert Reason.VALUE_KEPT in prove_dicom(capture(was), rewritten(kept, tmp_path), **mapped).reasons
    left = prove_dicom(capture(was), capture(now), **mapped)
    assert Reason.ADDRESS_LEAKED in left.reasons


def test_whatever_is_broken_there_is_an_answer() -> None:
    chance = random.Random(4)
    for syntax in (EXPLICIT, IMPLICIT, DEFLATED):
        was = [one.frame for one in segments(conversation(WAS, syntax=syntax), most=300)]
        for _ in range(RUNS):
            broken = [bytearray(frame) for frame in was]
            for _ in range(chance.choice((1, 3, 30))):
                frame = chance.choice(broken)
                frame[chance.randrange(14, len(frame))] = chance.choice((0, 1, 4, 0xFE, 0xFF, chance.randrange(256)))
            data = pcap(packets(*map(bytes, broken)))
            assert prove_dicom(data, data).status is VerificationStatus.FAILED
