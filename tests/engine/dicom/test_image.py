import random
import stat
from pathlib import Path

import pytest

from gql_server.domain.dicom import ForeignPolicy
from gql_server.domain.errors import CaptureCut, NotACapture
from gql_server.domain.traces import CaptureFormat
from gql_server.engine.dicom.image import CaptureImage
from gql_server.engine.inspect.summary import Summarizer
from tests.captures import Face, SectionOf, ethernet, option, packets, pcap, pcapng, udp4
from tests.engine.addresses.test_hazards import CARRIED, STUDIED
from tests.engine.dicom.talking import hello, left_to_card, only, opened, overwrite, packets_of, send, whole

DATA = bytes(range(200))
FRAMES = [*hello(), send(DATA), ethernet(udp4(b"foreign"))]


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_pcap_of_either_byte_order(tmp_path: Path, *, little: bool, nanoseconds: bool) -> None:
    source = pcap(packets(*FRAMES), little=little, nanoseconds=nanoseconds)
    with opened(tmp_path, source) as image:
        assert (image.format, image.packets) == (CaptureFormat.PCAP, 5)
        only(image).claim()
        overwrite(only(image).streams[0], 0, b"new")
        image.settle()
    contents = packets(*hello(), send(b"new" + DATA[3:]), ethernet(udp4(bytes(7))))
    assert (tmp_path / "working").read_bytes() == pcap(contents, little=little, nanoseconds=nanoseconds)


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("kind", [2, 3, 6])
def test_pcapng_is_stripped_and_written_in_place(tmp_path: Path, *, little: bool, kind: int) -> None:
    order = "<" if little else ">"
    how = {"little": little, "packet_kind": kind}
    section = SectionOf(
        contents=packets(*FRAMES),
        options=option(1, b"comment: Jane Doe", order),
        packet_options=option(1, b"Jane Doe", order) if kind != 3 else b"",
        **how,  # type: ignore[arg-type]  # two of its fields
    )
    with opened(tmp_path, pcapng(section)) as image:
        assert image.format == CaptureFormat.PCAPNG
        only(image).claim()
        overwrite(only(image).streams[0], 0, b"new")
        image.settle()
    contents = packets(*hello(), send(b"new" + DATA[3:]), ethernet(udp4(bytes(7))))
    assert (tmp_path / "working").read_bytes() == pcapng(SectionOf(contents=contents, **how))  # type: ignore[arg-type]


def test_each_interface_has_its_link_type(tmp_path: Path) -> None:
    contents = packets(send(DATA), send(DATA, at=200)[14:])
    both = [contents[0], type(contents[1])(data=contents[1].data, interface=1)]
    with opened(tmp_path, pcapng(SectionOf(faces=[Face(), Face(link_type=101)], contents=both))) as image:
        assert whole(only(image).streams[0]) == DATA * 2


def test_the_working_copy_is_new_and_private(tmp_path: Path) -> None:
    with opened(tmp_path, FRAMES):
        assert stat.S_IMODE((tmp_path / "working").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        CaptureImage(tmp_path / "source", tmp_path / "working", foreign=ForeignPolicy.ZERO, progress=lambda *_: None)


@pytest.mark.parametrize(("data", "error"), [(b"no capture", NotACapture), (pcap(packets(DATA))[:-1], CaptureCut)])
def test_what_is_no_capture_is_refused_and_its_file_closed(tmp_path: Path, data: bytes, error: type[Exception]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(error), opened(tmp_path, data):
        pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_progress_is_told_in_bytes_of_the_source(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    source = tmp_path / "source"
    source.write_bytes(pcap(packets(*FRAMES)))
    size = source.stat().st_size
    CaptureImage(
        source, tmp_path / "working", foreign=ForeignPolicy.KEEP, progress=lambda *done: told.append(done)
    ).close()
    assert told[-1] == (size, size)


def test_a_capture_without_packets_has_no_connections(tmp_path: Path) -> None:
    with opened(tmp_path, []) as image:
        assert (len(image.connections), image.packets) == (0, 0)
        assert image.settle().bytes_foreign == 0


def test_what_was_written_survives_giving_memory_back(tmp_path: Path) -> None:
    with opened(tmp_path, FRAMES) as image:
        overwrite(only(image).streams[0], 0, b"new")
        image.release()
        assert whole(only(image).streams[0]) == b"new" + DATA[3:]


def resident(path: Path) -> int:
    """Bytes of a mapped file that this process holds in memory."""
    lines = Path("/proc/self/smaps").read_text(encoding="ascii").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.endswith(str(path)))
    return int(next(line.split()[1] for line in lines[begin:] if line.startswith("Rss:"))) * 1024


def test_giving_memory_back_empties_the_mapping(tmp_path: Path) -> None:
    with opened(tmp_path, [send(DATA * 50, at=10_000 * i) for i in range(200)]) as image:
        assert resident(tmp_path / "working") == 0
        assert len(whole(only(image).streams[0])) == 2_000_000
        assert resident(tmp_path / "working") > 1_000_000
        image.release()
        assert resident(tmp_path / "working") == 0


def test_windows_tell_what_a_summary_needs(tmp_path: Path) -> None:
    with opened(tmp_path, FRAMES) as image:
        summary = Summarizer().summary(image.windows)
    assert (summary.packets, summary.link_types, summary.captured_bytes) == (5, (1,), sum(map(len, FRAMES)))


def test_a_closed_image_can_be_closed_again(tmp_path: Path) -> None:
    with opened(tmp_path, FRAMES) as image:
        image.close()


def test_headers_of_known_hazards_come_through_and_nothing_grows(tmp_path: Path) -> None:
    frames = [hazard.packet for hazard in (STUDIED | CARRIED).values()]
    with opened(tmp_path, frames) as image:
        image.settle()
    assert [len(packet) for packet in packets_of(tmp_path)] == [len(frame) for frame in frames]


@pytest.mark.parametrize("seed", range(20))
def test_damaged_packets_are_read_within_their_bounds(tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    originals = [*(hazard.packet for hazard in (STUDIED | CARRIED).values()), *FRAMES, left_to_card(send(DATA))]
    frames = []
    for _ in range(300):
        packet = bytearray(source.choice(originals))
        for _ in range(source.choice((0, 1, 2, 4))):
            packet[source.randrange(min(len(packet), 90))] = source.randrange(256)
        frames.append(bytes(packet[: source.randrange(len(packet) + 1)] if source.random() < 0.3 else packet))
    with opened(tmp_path, frames, link_type=source.choice((1, 1, 1, 101, 113, 276, 0))) as image:
        for connection in image.connections:
            for stream in connection.streams:
                assert sum(count for _, count in stream.covered(0, 1 << 40)) == stream.fill(0, stream.end, 0xA5)
            connection.claim()
        image.settle()
    assert [len(packet) for packet in packets_of(tmp_path)] == [len(frame) for frame in frames]
