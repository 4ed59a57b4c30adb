import struct
from pathlib import Path
from typing import Any

import pytest

from gql_server.engine.verify import files
from gql_server.engine.verify.files import CaptureReader, MalformedCapture
from gql_server.engine.verify.framing import COUNT, HEADERS, METADATA
from gql_server.engine.verify.layout import PACKET_BEGIN, PACKET_COLUMNS, PACKET_END
from tests.captures import Face, Packet, SectionOf, block, ethernet, option, packets, pcap, pcapng, udp4
from tests.engine.verify.proving import Reason, Status, assert_sound, prove, reasons_of, replaced

FRAME = ethernet(udp4())
OUTPUT = replaced(FRAME)
WHO = option(1, b"who" * 100)


def read_all(path: Path) -> tuple[CaptureReader, list[bytes]]:
    reader, found = CaptureReader(path), []
    while reader.fill():
        for index in range(int(reader.framing[COUNT])):
            row = reader.packets[index * PACKET_COLUMNS :]
            found.append(reader.buffer[row[PACKET_BEGIN] : row[PACKET_END]].tobytes())
        reader.next = int(reader.framing[COUNT])
    reader.close()
    return reader, found


def section(data: bytes, **fields: object) -> SectionOf:
    return SectionOf(contents=packets(data), **fields)  # type: ignore[arg-type]  # the fields of a section


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_every_pcap_is_read(tmp_path: Path, *, little: bool, nanoseconds: bool) -> None:
    data = pcap(packets(FRAME, b"", FRAME), little=little, nanoseconds=nanoseconds, link_type=0x10000001)
    (tmp_path / "in").write_bytes(data)
    reader, found = read_all(tmp_path / "in")
    assert found == [FRAME, b"", FRAME]
    assert reader.framing[HEADERS] == 24 + 3 * 16
    assert len(reader.buffer) == files.WINDOW_BYTES
    assert_sound(prove(data, data.replace(FRAME, OUTPUT)))


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_every_packet_block_is_read(tmp_path: Path, kind: int) -> None:
    def capture(data: bytes) -> bytes:
        big = section(data, little=False, faces=[Face(link_type=1), Face(link_type=101)], packet_kind=kind)
        return pcapng(section(data, packet_kind=kind), big)

    (tmp_path / "in").write_bytes(capture(FRAME))
    reader, found = read_all(tmp_path / "in")
    assert found == [FRAME, FRAME]
    assert len(reader.descriptions) == 5
    assert reader.framing[METADATA] == 0
    assert_sound(prove(capture(FRAME), capture(OUTPUT)))


def test_a_simple_packet_ends_at_the_snap_length(tmp_path: Path) -> None:
    cut = Packet(data=FRAME[:20], original_length=60)
    (tmp_path / "in").write_bytes(pcapng(SectionOf(faces=[Face(snap=20)], contents=[cut], packet_kind=3)))
    assert read_all(tmp_path / "in")[1] == [FRAME[:20]]
    odd = Packet(data=FRAME[:18], original_length=60)
    (tmp_path / "in").write_bytes(pcapng(SectionOf(faces=[Face(snap=18)], contents=[odd], packet_kind=3)))
    assert read_all(tmp_path / "in")[1] == [FRAME[:18]]
    (tmp_path / "in").write_bytes(pcapng(SectionOf(contents=[cut], packet_kind=3)))
    assert read_all(tmp_path / "in")[1] == [FRAME[:20]]
    (tmp_path / "in").write_bytes(pcapng(SectionOf(faces=[Face(snap=99)], contents=packets(FRAME[:21]), packet_kind=3)))
    assert read_all(tmp_path / "in")[1] == [FRAME[:21]]


def test_records_longer_than_a_window_and_many_short_ones_are_read(tmp_path: Path) -> None:
    contents = [b"a" * (3 << 20), *[b"b"] * 40_000, b"c" * (2 << 20)]
    parts = [pcap(packets(one))[24:] for one in (contents[0], contents[1], contents[-1])]
    (tmp_path / "in").write_bytes(pcap([]) + parts[0] + parts[1] * 40_000 + parts[2])
    assert read_all(tmp_path / "in")[1] == contents


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_blocks_of_many_windows_and_lists_are_read(kind: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [b"", b"a", b"bc" * 40, b"", b"def" * 99, b"gh", b"", b"i"] * 3
    (tmp_path / "in").write_bytes(pcapng(SectionOf(contents=packets(*contents), packet_kind=kind, options=WHO)))
    monkeypatch.setattr(files, "WINDOW_BYTES", 250)
    assert read_all(tmp_path / "in")[1] == contents
    monkeypatch.setattr(files, "WINDOW_BYTES", 1 << 18)
    monkeypatch.setattr(files, "PACKETS_AT_ONCE", 3)
    assert read_all(tmp_path / "in")[1] == contents


def test_a_window_grows_to_what_the_longest_record_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WINDOW_BYTES", 100)
    monkeypatch.setattr(files, "LARGEST", 150)
    (tmp_path / "in").write_bytes(pcap(packets(b"a" * 120, b"b" * 220)))
    reader, found = read_all(tmp_path / "in")
    assert (len(reader.buffer), found) == (250, [b"a" * 120, b"b" * 220])
    (tmp_path / "in").write_bytes(pcap(packets(b"a" * 120)))
    assert len(read_all(tmp_path / "in")[0].buffer) == 200


def test_a_section_may_be_as_long_as_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").write_bytes(pcapng(SectionOf(contents=packets(FRAME), options=WHO)))
    length = 28 + len(WHO)
    monkeypatch.setattr(files, "LARGEST", length)
    assert read_all(tmp_path / "in")[1] == [FRAME]
    monkeypatch.setattr(files, "LARGEST", length - 4)
    with pytest.raises(MalformedCapture):
        read_all(tmp_path / "in")


def test_there_are_not_more_interfaces_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").write_bytes(pcapng(SectionOf(faces=[Face(), Face()]), SectionOf(contents=packets(FRAME))))
    monkeypatch.setattr(files, "_FACE_LIMIT", 3)
    assert read_all(tmp_path / "in")[1] == [FRAME]
    monkeypatch.setattr(files, "_FACE_LIMIT", 2)
    with pytest.raises(MalformedCapture):
        read_all(tmp_path / "in")


def test_a_length_of_a_section_that_stays_is_caught() -> None:
    output = pcapng(section(OUTPUT))
    told = output[:16] + struct.pack("<q", len(output) - 28) + output[24:]
    verification = prove(pcapng(section(FRAME)), told)
    assert Reason.METADATA_KEPT in verification.reasons
    assert verification.ledger.unknown == 8


EXTRA = {
    "name resolution": block(4, struct.pack("<HH", 1, 8) + b"\x01\x02\x03\x04abc\0" + bytes(4)),
    "statistics": block(5, bytes(12)),
    "secrets": block(10, struct.pack("<II", 0x544C534B, 4) + b"key!"),
    "journal": block(9, b"MESSAGE="),
    "custom": block(0xBAD, bytes(8)),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "comment of a section": {"options": option(1, b"who")},
    "comment of a packet": {"packet_options": option(1, b"who")},
    "hash of a packet": {"packet_options": option(3, b"\x02\1\2\3\4")},
    "end of options": {"packet_options": option(0, b"")},
    "name of an interface": {"faces": [Face(options=option(2, b"eth0"))]},
    "address of an interface": {"faces": [Face(options=option(6, bytes(6)))]},
    "behind the end of options": {"faces": [Face(options=option(0, b"") + b"name")]},
    "beside the end of options": {"faces": [Face(options=option(0, b"name"))]},
}


@pytest.mark.parametrize("name", EXTRA)
def test_a_block_that_stays_is_caught(name: str) -> None:
    verification = prove(pcapng(section(FRAME, extra=EXTRA[name])), pcapng(section(OUTPUT, extra=EXTRA[name])))
    assert verification.status is Status.FAILED
    assert Reason.METADATA_KEPT in verification.reasons
    assert verification.ledger.unknown == len(EXTRA[name])
    assert_sound(prove(pcapng(section(FRAME, extra=EXTRA[name])), pcapng(section(OUTPUT))))


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_stays_is_caught(name: str) -> None:
    verification = prove(pcapng(section(FRAME, **OPTIONS[name])), pcapng(section(OUTPUT, **OPTIONS[name])))
    assert verification.status is Status.FAILED
    assert Reason.METADATA_KEPT in verification.reasons
    assert_sound(prove(pcapng(section(FRAME, **OPTIONS[name])), pcapng(section(OUTPUT))))


def test_options_that_say_what_times_mean_stay() -> None:
    times = option(9, b"\x09") + option(14, struct.pack("<q", 3))
    more = times + option(13, b"\x04") + option(10, bytes(4)) + option(0, b"")
    face, plain = Face(options=more), Face(options=times + option(0, b""))
    assert_sound(prove(pcapng(section(FRAME, faces=[face])), pcapng(section(OUTPUT, faces=[face]))))
    assert_sound(prove(pcapng(section(FRAME, faces=[face])), pcapng(section(OUTPUT, faces=[plain]))))
    without = prove(pcapng(section(FRAME, faces=[face])), pcapng(section(OUTPUT)))
    assert reasons_of(without) == {Reason.PAYLOAD_KEPT, Reason.BYTES_CHANGED}


@pytest.mark.parametrize("code", [9, 14])
def test_each_option_that_says_what_times_mean_stays(code: int) -> None:
    face = Face(options=option(code, b"\x09" if code == 9 else struct.pack("<q", 3)))
    before = pcapng(section(FRAME, faces=[face]))
    assert_sound(prove(before, pcapng(section(OUTPUT, faces=[face]))))
    assert Reason.BYTES_CHANGED in prove(before, pcapng(section(OUTPUT))).reasons


def test_bytes_beside_the_end_of_options_are_counted() -> None:
    face = Face(options=option(0, b"name"))
    assert prove(pcapng(section(FRAME)), pcapng(section(OUTPUT, faces=[face]))).ledger.unknown == 8


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_what_blocks_say_of_packets_is_compared(kind: int) -> None:
    def capture(data: bytes, **fields: Any) -> bytes:
        return pcapng(SectionOf(contents=[Packet(data=data, **fields)], packet_kind=kind))

    for later, times in ((1_700_000_000_123_456_789 + 1000, 1), (1_700_000_000_123_456_789 + (1000 << 32), 1)):
        verification = prove(capture(FRAME), capture(OUTPUT, time_ns=later))
        assert verification.interference.times_changed == (times if kind != 3 else 0)
    if kind != 3:
        assert prove(capture(FRAME), capture(OUTPUT, original_length=99)).interference.lengths_changed == 1


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("drops", [0, 5, 256])
def test_an_obsolete_block_tells_its_interface_and_its_drops(*, little: bool, drops: int) -> None:
    order = "<" if little else ">"

    def capture(data: bytes, drops: int) -> bytes:
        faces = pcapng(SectionOf(faces=[Face(link_type=147), Face()], little=little))
        head = struct.pack(order + "HHIIII", 1, drops, 0, 0, len(data), len(data))
        return faces + block(2, head + data, order)

    assert_sound(prove(capture(FRAME, drops), capture(OUTPUT, drops)))
    assert Reason.PACKETS_DIFFER in prove(capture(FRAME, drops), capture(OUTPUT, 1)).reasons


def test_bytes_that_pad_a_time_option_are_zero() -> None:
    face, clean = Face(options=b"\x09\0\x01\0\x06abc"), Face(options=b"\x09\0\x01\0\x06\0\0\0")
    before = pcapng(section(FRAME, faces=[face]))
    assert Reason.METADATA_KEPT in prove(before, pcapng(section(OUTPUT, faces=[face]))).reasons
    assert_sound(prove(before, pcapng(section(OUTPUT, faces=[clean]))))


def test_another_file_header_is_caught() -> None:
    before = pcap(packets(FRAME))
    for after in (pcap(packets(OUTPUT), snap=96), pcap(packets(OUTPUT), nanoseconds=True)):
        assert Reason.BYTES_CHANGED in prove(before, after).reasons
    other = prove(pcapng(section(FRAME)), pcapng(section(OUTPUT, faces=[Face(snap=96)])))
    assert Reason.BYTES_CHANGED in other.reasons


def test_another_interface_is_caught() -> None:
    def capture(data: bytes, interface: int) -> bytes:
        return pcapng(SectionOf(faces=[Face(), Face()], contents=[Packet(data=data, interface=interface)]))

    assert Reason.PACKETS_DIFFER in prove(capture(FRAME, 0), capture(OUTPUT, 1)).reasons


def test_another_kind_of_block_is_caught() -> None:
    other = prove(pcapng(section(FRAME)), pcapng(section(OUTPUT, packet_kind=2)))
    assert reasons_of(other) == {Reason.PAYLOAD_KEPT, Reason.PACKETS_DIFFER}


def test_padding_that_is_not_zero_is_caught() -> None:
    data = pcapng(section(OUTPUT[:-1] + b"x"))
    at = data.rindex(OUTPUT[:-1]) + len(OUTPUT)
    assert len(OUTPUT) % 4
    damaged = data[:at] + b"!" + data[at + 1 :]
    assert Reason.METADATA_KEPT in prove(pcapng(section(FRAME)), damaged).reasons


NG = pcapng(section(FRAME))
FRAME_AT = NG.index(FRAME) - 28
MALFORMED = {
    "nothing": b"",
    "text": b"this is not a capture, whoever reads it",
    "a header cut": pcap([])[:20],
    "a record cut": pcap(packets(OUTPUT))[:-1],
    "a record header cut": pcap(packets(OUTPUT)) + b"\0",
    "a record too long": pcap(packets(OUTPUT)) + struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30),
    "no byte order": NG[:8] + b"\0\0\0\0" + NG[12:],
    "a section cut": NG[:20],
    "a short section": NG[:4] + struct.pack("<I", 16) + NG[8:12] + struct.pack("<I", 16),
    "no interface": NG[:28] + NG[FRAME_AT:],
    "another magic": b"\x11\x22\x33\x44" + pcap(packets(OUTPUT), little=False)[4:],
    "no byte order of a big section": pcapng(section(FRAME, little=False))[:8]
    + bytes(4)
    + pcapng(section(FRAME, little=False))[12:],
    "a section of 24 bytes": NG[:4] + struct.pack("<I", 24) + NG[8:20] + struct.pack("<I", 24) + NG[28:],
    "a block of odd length": NG[:FRAME_AT] + struct.pack("<IIHI", 99, 14, 0, 14) + NG[FRAME_AT:],
    "a short block of a packet": NG[:FRAME_AT] + struct.pack("<IIII", 6, 16, 0, 16),
    "a section of odd length": NG[:4] + struct.pack("<I", 30) + NG[8:24] + bytes(2) + struct.pack("<I", 30) + NG[28:],
    "a section whose lengths differ": NG[:24] + struct.pack("<I", 32) + NG[28:],
    "a block shorter than its lengths": NG[:FRAME_AT] + struct.pack("<II", 99, 8) + NG[FRAME_AT:],
    "a short block": NG[:FRAME_AT] + struct.pack("<III", 6, 12, 12),
    "a short simple block": NG[:FRAME_AT] + struct.pack("<III", 3, 12, 12),
    "lengths that differ": NG[:-4] + struct.pack("<I", 4),
    "an odd length": NG[:FRAME_AT] + struct.pack("<II", 99, 13) + bytes(16),
    "a block without end": NG[:FRAME_AT] + struct.pack("<II", 99, 1 << 27) + bytes(16),
    "a short interface": NG[:28] + struct.pack("<IIII", 1, 16, 1, 16),
    "an option beyond its interface": NG[:28] + block(1, struct.pack("<HHIHH", 1, 0, 0, 9, 40)),
    "more captured than there is": NG[: FRAME_AT + 20] + struct.pack("<I", 4000) + NG[FRAME_AT + 24 :],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_an_answer(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").write_bytes(MALFORMED[name])
    with pytest.raises(MalformedCapture):
        read_all(tmp_path / "in")
    # The window ends where the file does: a byte read beyond it is out of bounds.
    monkeypatch.setattr(files, "WINDOW_BYTES", max(1, len(MALFORMED[name])))
    with pytest.raises(MalformedCapture):
        read_all(tmp_path / "in")
    monkeypatch.undo()
    verification = prove(pcap(packets(FRAME)), MALFORMED[name])
    assert verification.status is Status.FAILED
    assert Reason.OUTPUT_MALFORMED in verification.reasons
    verification = prove(MALFORMED[name], pcap(packets(OUTPUT)))
    assert verification.status is Status.FAILED
    assert Reason.ORIGINAL_MALFORMED in verification.reasons
