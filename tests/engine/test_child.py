import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gql_server.domain.anonymization import AddressMapping
from gql_server.domain.errors import CaptureCut, NotACapture, ResourceLimit, StorageFull
from gql_server.domain.packets import ConversationKey
from gql_server.domain.verification import AddressExpectation, MacExpectation, VerificationStatus
from gql_server.engine.child import ABANDONED, DONE, FAILED
from gql_server.engine.kernels import kernel_environment
from gql_server.engine.messages import Finished, Message, Ready, Refused, decode_message, encode_task
from gql_server.engine.tasks import (
    Anonymized,
    AnonymizeTask,
    Compared,
    CompareTask,
    Dissected,
    DissectTask,
    Inspected,
    InspectTask,
    Previewed,
    PreviewTask,
    Progressed,
    Task,
    Verified,
    VerifyTask,
)
from gql_server.engine.verify.verifying import verify
from tests.captures import IP_A, ethernet, ip_bytes, packets, pcap, udp4
from tests.engine.addresses.test_walk import PACKETS
from tests.engine.doubles import KEY, anonymize_file

Child = subprocess.Popen[bytes]
MEMORY = 256 << 20


@pytest.fixture
def start(kernels: Path) -> Iterator[Callable[..., Child]]:
    """Start children of the fast build; what still runs at the end is ended."""
    started: list[Child] = []

    def begin(before: str = "") -> Child:
        code = f"{before}\nfrom gql_server.engine.child import main; main()"
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **kernel_environment(kernels, checked=False)},
        )
        started.append(child)
        return child

    yield begin
    for child in started:
        if child.poll() is None:
            child.kill()
        for pipe in (child.stdin, child.stdout, child.stderr):
            assert pipe is not None
            pipe.close()
        child.wait()


def send(child: Child, line: bytes) -> None:
    assert child.stdin is not None
    child.stdin.write(line)
    child.stdin.flush()


def listen(child: Child) -> list[Message]:
    assert child.stdout is not None
    return [decode_message(line) for line in child.stdout]


def converse(child: Child, task: Task) -> list[Message]:
    """Send a task, hear everything, see the child end in peace."""
    send(child, encode_task(task))
    messages = listen(child)
    assert child.wait(60) == DONE
    assert messages[0] == Ready()
    return messages[1:]


def inspect_task(source: Path, output: Path) -> InspectTask:
    output.mkdir(exist_ok=True)
    return InspectTask(
        source=source, output_directory=output, unpacked_limit_bytes=1 << 30, unpacked_ratio=100, memory_bytes=MEMORY
    )


def anonymize_task(source: Path, output: Path) -> AnonymizeTask:
    output.mkdir(exist_ok=True)
    return AnonymizeTask(
        source=source,
        output_directory=output,
        mapping=AddressMapping.IPCRYPT_PFX,
        rules=(),
        key=KEY,
        memory_bytes=MEMORY,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(packets(*PACKETS)))
    return path


def test_an_inspection_ends_in_a_summary(start: Callable[..., Child], source: Path, tmp_path: Path) -> None:
    *progress, last = converse(start(), inspect_task(source, tmp_path / "out"))
    assert isinstance(last, Finished)
    assert isinstance(last.result, Inspected)
    assert last.result.summary.packets == len(PACKETS)
    size = source.stat().st_size
    assert progress == [Progressed(packets=len(PACKETS), bytes_done=size, bytes_total=size)]


def test_the_fast_and_the_checked_build_write_the_same(
    start: Callable[..., Child], source: Path, tmp_path: Path
) -> None:
    *_, last = converse(start(), anonymize_task(source, tmp_path / "fast"))
    checked = anonymize_file(source, tmp_path / "checked")
    assert isinstance(last, Finished)
    assert isinstance(last.result, Anonymized)
    assert last.result == checked
    fast = (tmp_path / "fast" / "capture.pcap").read_bytes()
    assert fast == (tmp_path / "checked" / "capture.pcap").read_bytes()
    assert ip_bytes(IP_A) not in fast


def test_a_preview_ends_in_pairs(start: Callable[..., Child], source: Path) -> None:
    task = PreviewTask(
        source=source, mapping=AddressMapping.CRYPTO_PAN, rules=(), key=KEY, first=5, memory_bytes=MEMORY
    )
    *_, last = converse(start(), task)
    assert isinstance(last, Finished)
    assert isinstance(last.result, Previewed)
    assert len(last.result.pairs) == 5


def test_a_verification_ends_in_a_report(start: Callable[..., Child], source: Path, tmp_path: Path) -> None:
    anonymize_file(source, tmp_path / "out")
    task = VerifyTask(
        source=source,
        output=tmp_path / "out" / "capture.pcap",
        addresses=AddressExpectation.MAPPED,
        macs=MacExpectation.MAPPED,
        memory_bytes=MEMORY,
    )
    *_, last = converse(start(), task)
    assert isinstance(last, Finished)
    assert last.result == verify(task, lambda _: None)
    assert isinstance(last.result, Verified)
    assert last.result.verification.status is VerificationStatus.PARTIAL


@pytest.mark.parametrize("conversation", [None, ConversationKey.parse("17 203.0.113.77 53 198.51.100.88 5353")])
def test_packets_are_taken_apart_behind_a_fence(
    start: Callable[..., Child], source: Path, conversation: ConversationKey | None
) -> None:
    task = DissectTask(
        source=source, first=0, last=100, conversation=conversation, data_bytes=1600, memory_bytes=MEMORY
    )
    last = converse(start(), task)[-1]
    assert isinstance(last, Finished)
    assert isinstance(last.result, Dissected)
    wanted = range(len(PACKETS)) if conversation is None else [1]
    assert [(packet.number, packet.data) for packet in last.result.packets] == [
        (n + 1, PACKETS[n].hex()) for n in wanted
    ]
    # A port has no name there: what a machine calls it is not asked.
    fields = [field for packet in last.result.packets for layer in packet.layers for field in layer.fields]
    assert {field.meaning for field in fields if field.name == "dport"} == {None}


def test_two_packets_are_put_beside_each_other(start: Callable[..., Child], source: Path, tmp_path: Path) -> None:
    anonymize_file(source, tmp_path / "out")
    task = CompareTask(
        source=tmp_path / "out" / "capture.pcap", origin=source, number=2, data_bytes=1600, memory_bytes=MEMORY
    )
    last = converse(start(), task)[-1]
    assert isinstance(last, Finished)
    assert isinstance(last.result, Compared)
    assert last.result.comparison is not None
    assert last.result.comparison.before.data == PACKETS[1].hex()
    assert "1.IP.src" in {change.path for change in last.result.comparison.fields}


WAITING = """
import os, sys
from gql_server.engine import child, loading
child._import_tasks(loading.DicomKernels(os.environ["NUMBA_CACHE_DIR"]))
print(*sorted({"numba", "pydicom", "scapy"} & set(sys.modules)))
"""


def test_a_child_that_waits_has_loaded_neither_scapy_nor_pydicom() -> None:
    done = subprocess.run([sys.executable, "-c", WAITING], capture_output=True, text=True, check=True)
    assert done.stdout == "numba\n"


PREPARED = """
import gc, os
from gql_server.engine import child
before = gc.get_stats()[2]["collections"]
child._prepare(os.environ["NUMBA_CACHE_DIR"])
print(gc.get_stats()[2]["collections"] - before, gc.isenabled(), gc.get_freeze_count() > 20_000)
"""


def test_nothing_is_collected_among_what_a_child_imports() -> None:
    done = subprocess.run([sys.executable, "-c", PREPARED], capture_output=True, text=True, check=True)
    assert done.stdout == "0 True True\n"


def test_a_capture_that_is_refused_is_named_by_code_and_facts(start: Callable[..., Child], tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(pcap(packets(udp4()))[:-1])
    *_, refused = converse(start(), inspect_task(path, tmp_path / "out"))
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, CaptureCut)
    assert refused.facts == {"offset": 24, "packets": 0}
    path.write_bytes(b"not a capture")
    *_, refused = converse(start(), inspect_task(path, tmp_path / "out"))
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, NotACapture)


def test_the_end_of_its_input_ends_a_waiting_child(start: Callable[..., Child]) -> None:
    child = start()
    assert child.stdin is not None
    assert child.stdout is not None
    assert decode_message(child.stdout.readline()) == Ready()
    child.stdin.close()
    assert child.wait(60) == ABANDONED


def test_the_end_of_its_input_ends_a_working_child(start: Callable[..., Child], tmp_path: Path) -> None:
    pipe = tmp_path / "endless"
    os.mkfifo(pipe)
    child = start()
    send(child, encode_task(inspect_task(pipe, tmp_path / "out")))
    writer = os.open(pipe, os.O_WRONLY)  # opens once the child reads
    os.write(writer, pcap([]))
    assert child.poll() is None
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(60) == ABANDONED
    os.close(writer)


@pytest.mark.parametrize("line", [b"nonsense\n", b'{"kind":"AnonymizeTask","body":{"secret":"10.1.2.3"}}\n'])
def test_an_unforeseen_error_tells_its_type_and_nothing_else(start: Callable[..., Child], line: bytes) -> None:
    child = start()
    send(child, line)
    assert listen(child) == [Ready()]
    assert child.wait(60) == FAILED
    assert child.stderr is not None
    said = child.stderr.read().decode()
    assert said.startswith("engine child: ")
    assert said.endswith("Error\n")
    assert "10.1.2.3" not in said


def test_too_little_memory_is_a_refusal(start: Callable[..., Child], source: Path, tmp_path: Path) -> None:
    data = source.read_bytes() + pcap(packets(ethernet(bytes(40 << 20))))[24:]
    source.write_bytes(data)
    starve = "import gql_server.engine.limits as l; l.BASE_ADDRESS_SPACE = 0"
    child = start(starve)
    task = replace(anonymize_task(source, tmp_path / "out"), memory_bytes=1 << 20)
    *_, refused = converse(child, task)
    assert isinstance(refused, Refused)
    assert refused.error.facts() == ResourceLimit(resource="memory").facts()


def test_a_full_disk_is_a_refusal(start: Callable[..., Child], source: Path, tmp_path: Path) -> None:
    # A limit on file sizes stands in for a disk: the write fails in the same place.
    small = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    small += "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    *_, refused = converse(start(small), anonymize_task(source, tmp_path / "out"))
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, StorageFull)


def test_an_output_that_is_there_is_a_crash_and_not_overwritten(
    start: Callable[..., Child], source: Path, tmp_path: Path
) -> None:
    task = anonymize_task(source, tmp_path / "out")
    (tmp_path / "out" / "capture.pcap").write_bytes(b"before")
    child = start()
    send(child, encode_task(task))
    assert listen(child) == [Ready()]
    assert child.wait(60) == FAILED
    assert (tmp_path / "out" / "capture.pcap").read_bytes() == b"before"
