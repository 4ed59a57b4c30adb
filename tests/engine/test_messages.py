import json
from pathlib import Path

import pytest

from gql_server.domain.anonymization import (
    AddressMapping,
    AddressPair,
    AnonymizationParameters,
    AnonymizationReport,
    NamePolicy,
    NicPolicy,
    PayloadPolicy,
)
from gql_server.domain.dicom import DamagePolicy, DatePolicy, DicomOverride, DicomParameters, OverrideAction
from gql_server.domain.dicom_errors import DicomUndecodable
from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.domain.errors import CaptureCut
from gql_server.domain.inspection import FileDigest
from gql_server.domain.packets import ConversationKey
from gql_server.domain.traces import CaptureFormat, CaptureSummary
from gql_server.domain.verification import AddressExpectation, MacExpectation
from gql_server.engine.dicom.tasks import (
    Deidentified,
    DeidentifyTask,
    DicomListed,
    DicomPreviewed,
    ExtractDicomTask,
    PreviewDicomTask,
)
from gql_server.engine.messages import (
    Finished,
    Message,
    Ready,
    Refused,
    decode_message,
    decode_task,
    encode_message,
    encode_task,
)
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
    TransformMacsTask,
    Verified,
    VerifyTask,
)
from tests.engine.test_dicom_messages import PROPOSAL
from tests.engine.test_dicom_messages import REPORT as DICOM_REPORT
from tests.engine.test_packet_messages import COMPARISON, PACKET
from tests.factories import VERIFICATION

SUMMARY = CaptureSummary(
    format=CaptureFormat.PCAPNG,
    sha256="ab" * 32,
    size_bytes=1,
    link_types=(1, 113),
    interfaces=2,
    packets=3,
    captured_bytes=4,
    original_bytes=5,
    truncated_packets=1,
    first_time_ns=None,
    last_time_ns=1_700_000_000_123_456_789,
)
REPORT = AnonymizationReport(
    packets=1,
    addresses_ipv4=2,
    addresses_ipv6=3,
    addresses_mac=4,
    packets_opaque=5,
    bytes_zeroed=6,
    bytes_kept=7,
    packets_cut=8,
    blocks_dropped=9,
)
KEY = ConversationKey(protocol=17, source="10.0.0.1", source_port=1, destination="10.0.0.2", destination_port=None)
OVERRIDES = (
    DicomOverride(element="ab" * 16, action=OverrideAction.KEEP),
    DicomOverride(element="00400275.00400007", action=OverrideAction.REPLACE, value="Thorax"),
)
FILES = (FileDigest(name="talkers.rows", size_bytes=1, sha256="cd" * 32),)
TASKS: list[Task] = [
    InspectTask(
        source=Path("/a b/ü"), output_directory=Path("/c"), unpacked_limit_bytes=1, unpacked_ratio=2, memory_bytes=3
    ),
    AnonymizeTask(
        source=Path("/a"),
        output_directory=Path("/c"),
        mapping=AddressMapping.CRYPTO_PAN,
        rules=(("10.0.0.0/8", "11.0.0.0/8"),),
        key=bytes(range(32)),
        memory_bytes=3,
    ),
    TransformMacsTask(
        source=Path("/a"),
        output_directory=Path("/c"),
        nic=NicPolicy.MAP,
        rules=(("00:11:22:33:44:55", "aa:bb:cc"),),
        key=bytes(32),
        memory_bytes=3,
    ),
    PreviewTask(
        source=Path("/a"), mapping=AddressMapping.IPCRYPT_PFX, rules=(), key=bytes(32), first=100, memory_bytes=3
    ),
    VerifyTask(
        source=Path("/a"),
        output=Path("/b"),
        addresses=AddressExpectation.EXPLICIT,
        macs=MacExpectation.NAMED,
        payload=PayloadPolicy.ZERO,
        names=NamePolicy.MASK,
        rules=(("10.0.0.0/8", "11.0.0.0/8"),),
        mac_rules=(("00:11:22:33:44:55", "aa:bb:cc"),),
        memory_bytes=3,
    ),
    VerifyTask(
        source=Path("/a"),
        output=Path("/b"),
        addresses=AddressExpectation.KEPT,
        macs=MacExpectation.NAMED,
        dicom=DicomExpectation(dates=DatePolicy.SHIFT, overridden=("00100010",)),
        memory_bytes=3,
    ),
    DissectTask(source=Path("/a"), first=1, last=9, data_bytes=5, memory_bytes=3),
    DissectTask(source=Path("/a"), first=1, last=9, conversation=KEY, data_bytes=5, memory_bytes=3),
    CompareTask(source=Path("/a"), origin=Path("/b"), number=7, data_bytes=5, memory_bytes=3),
    DeidentifyTask(
        source=Path("/a"),
        output_directory=Path("/c"),
        dicom=DicomParameters(dates=DatePolicy.SHIFT, damage=DamagePolicy.ZERO, retain_uids=True),
        overrides=OVERRIDES,
        key=bytes(32),
        memory_bytes=3,
    ),
    DeidentifyTask(
        source=Path("/a"),
        output_directory=Path("/c"),
        dicom=DicomParameters(),
        addresses=AnonymizationParameters(mapping=AddressMapping.PERMUTATION, names=NamePolicy.MASK),
        rules=(("10.0.0.0/8", "11.0.0.0/8"),),
        key=bytes(32),
        memory_bytes=3,
    ),
    PreviewDicomTask(
        source=Path("/a"), dicom=DicomParameters(), overrides=OVERRIDES, key=bytes(32), first=7, skip=2, memory_bytes=3
    ),
    ExtractDicomTask(source=Path("/a"), output_directory=Path("/c"), memory_bytes=3),
]
MESSAGES: list[Message] = [
    Ready(),
    Progressed(packets=1, bytes_done=2, bytes_total=3),
    Finished(result=Inspected(summary=SUMMARY, inspection=FILES)),
    Finished(result=Anonymized(summary=SUMMARY, report=REPORT, inspection=FILES)),
    Finished(result=Previewed(pairs=(AddressPair(original="1.2.3.4", replacement="5.6.7.8", kind="IPV4"),))),
    Finished(result=Verified(verification=VERIFICATION)),
    Finished(result=Dissected(packets=(PACKET, PACKET))),
    Finished(result=Compared(comparison=None)),
    Finished(result=Compared(comparison=COMPARISON)),
    Finished(result=Deidentified(summary=SUMMARY, report=DICOM_REPORT, inspection=FILES)),
    Finished(result=Deidentified(summary=SUMMARY, report=DICOM_REPORT, addresses=REPORT, overridden=("00100010",))),
    Finished(result=DicomPreviewed(proposals=(PROPOSAL,), total=9)),
    Finished(result=DicomListed(files=FILES, associations=3, devices=2, encrypted=1)),
    Refused.of(CaptureCut(offset=24, packets=0)),
    Refused.of(DicomUndecodable(association=2, problem="NO_BOUNDARY", packet=7)),
]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_a_task_crosses_as_one_line(task: Task) -> None:
    line = encode_task(task)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_task(line) == task


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_crosses_as_one_line(message: Message) -> None:
    line = encode_message(message)
    assert line.count(b"\n") == 1
    assert decode_message(line) == message


def test_a_refusal_is_the_error_again() -> None:
    error = Refused.of(CaptureCut(offset=24, packets=7)).error
    assert isinstance(error, CaptureCut)
    assert error.facts() == {"offset": 24, "packets": 7}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{",
        b'{"kind":"AnonymizeTask","body":{}}',
        b'{"kind":"Nonsense","body":{}}',
        encode_task(TASKS[1]).replace(b'"CRYPTO_PAN"', b"3"),
        encode_task(TASKS[-4]).replace(b'"SHIFT"', b'"LATER"'),
        encode_task(TASKS[-1]).replace(b"}}", b',"dicom":3}}'),
        json.dumps({"kind": "InspectTask", "body": {"source": 3}}).encode(),
    ],
)
def test_what_is_no_task_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode_task(line)


def test_a_key_of_another_length_is_refused() -> None:
    line = encode_task(TASKS[1]).replace(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", b"AAEC")
    with pytest.raises(ValueError, match="not a key"):
        decode_task(line)
