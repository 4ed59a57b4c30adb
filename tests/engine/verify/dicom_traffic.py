"""DICOM captures for the second reader, made without the rewriter.

The same conversation is told twice: as it was, and with other values of the same lengths, which is what a sound output
looks like. Data sets are encoded by pydicom and pynetdicom; TCP is laid out here.
"""

import struct
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence as DicomSequence
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    UserIdentityNegotiation,
)
from pynetdicom.presentation import PresentationContext

from gql_server.domain.dicom_verification import DicomExpectation
from gql_server.domain.verification import AddressExpectation, MacExpectation, Verification
from gql_server.engine.tasks import VerifyTask
from gql_server.engine.verify.verifying import verify
from gql_server.services.verification import payload_of
from tests.captures import (
    IP_A,
    IP_B,
    TCP,
    ethernet,
    ipv4,
    packets,
    pcap,
    pseudo_header,
    with_checksum,
)

CT = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG = "1.2.840.10008.1.2.4.50"

WAS: dict[str, Any] = {
    "calling": "WARD7_SCANNER",
    "called": "MAIN_ARCHIVE",
    "user": b"nurse.miller",
    "passcode": b"geheim123",
    "instance": "1.2.826.0.1.3680043.9.1111.2001",
    "study": "1.2.826.0.1.3680043.9.1111.2",
    "series": "1.2.826.0.1.3680043.9.1111.33",
    "date": "20240131",
    "time": "101112",
    "accession": "ACC7654321",
    "name": "DOEBERG^JANINE",
    "other_name": "HUBERMANN^OTTO",
    "physician": "BRENNER^ANTONIA",
    "patient": "PID0012345",
    "birth": "19700102",
    "sex": "F",
    "institution": "SAINT MARY HOSPITAL ",
    "station": "CTROOM_4",
    "comment": "seen by brenner with jan",
    "step": "head scan doeberg ",
    "private": "JANINE DOEBERG",
    "pixels": bytes(range(1, 129)),
    "rows": 8,
}
NOW: dict[str, Any] = WAS | {
    "calling": "QXKV3_LWPDRTA",
    "called": "ZQMB_XKWLVPF",
    "user": b"            ",
    "passcode": b"         ",
    "instance": "1.2.531.7.4.8172635.1.8642.9137",
    "study": "1.2.531.7.4.8172635.1.8642.7",
    "series": "1.2.531.7.4.8172635.1.8642.58",
    "date": "19000101",
    "time": "000000",
    "accession": "QWX1928374",
    "name": "ZEPHYRQ^WOLXUM",
    "other_name": " " * 14,
    "physician": "WYMPLAX^QORVEDU",
    "patient": "XQR9918273",
    "birth": "19000101",
    "sex": "O",
    "institution": " " * 20,
    "station": "QWZXVB_7",
    "comment": " " * 24,
    "step": " " * 18,
    "private": " " * 14,
    "pixels": bytes(128),
}


def data_set(values: dict[str, Any]) -> Dataset:
    """Return one image of a patient."""
    found = Dataset()
    found.SpecificCharacterSet = "ISO_IR 100"
    found.SOPClassUID = CT
    found.SOPInstanceUID = values["instance"]
    found.StudyDate = values["date"]
    found.StudyTime = values["time"]
    found.AccessionNumber = values["accession"]
    found.Modality = "CT"
    found.InstitutionName = values["institution"]
    found.ReferringPhysicianName = values["physician"]
    found.StationName = values["station"]
    found.PatientName = values["name"]
    found.PatientID = values["patient"]
    found.PatientBirthDate = values["birth"]
    found.PatientSex = values["sex"]
    found.PatientComments = values["comment"]
    found.StudyInstanceUID = values["study"]
    found.SeriesInstanceUID = values["series"]
    found.Rows = values["rows"]
    found.Columns = 8
    found.BitsAllocated = 16
    step = Dataset()
    step.ScheduledProcedureStepDescription = values["step"]
    step.ScheduledPerformingPhysicianName = values["other_name"]
    found.RequestAttributesSequence = DicomSequence([step])
    found.add_new(0x00990010, "LO", "Philips Imaging DD 001")
    found.add_new(0x00991001, "LO", values["private"])
    found.add_new(0x7FE00010, "OW", values["pixels"])
    return found


def encoded(found: Dataset, syntax: str) -> bytes:
    """Encode a data set."""
    if syntax == JPEG:
        found.add_new(0x7FE00010, "OB", encapsulate([bytes(found.PixelData)]))
        found["PixelData"].is_undefined_length = True
    stream = DicomBytesIO()
    stream.is_little_endian = syntax != BIG_ENDIAN
    stream.is_implicit_VR = syntax == IMPLICIT
    write_dataset(stream, found)
    return stream.getvalue()


def deflated(data: bytes, size: int | None = None) -> bytes:
    """Deflate a data set, to so many bytes if they are given: empty stored blocks fill up (RFC 1951 §3.2.4)."""
    if size is None:
        whole = zlib.compressobj(6, zlib.DEFLATED, -15)
        return whole.compress(data) + whole.flush()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
    blocks, rest = divmod(size - len(body) - 5, 5)
    assert blocks >= 0
    return body + b"\0\0\0\xff\xff" * blocks + b"\1\0\0\xff\xff" + bytes(rest)


def command(values: dict[str, Any]) -> bytes:
    """Return the command set of a C-STORE-RQ."""
    found = Dataset()
    found.AffectedSOPClassUID = CT
    found.CommandField = 1
    found.MessageID = 7
    found.Priority = 0
    found.CommandDataSetType = 1
    found.AffectedSOPInstanceUID = values["instance"]
    body = encoded(found, IMPLICIT)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def answer(values: dict[str, Any]) -> bytes:
    """Return the command set of a C-STORE-RSP."""
    found = Dataset()
    found.AffectedSOPClassUID = CT
    found.CommandField = 0x8001
    found.MessageIDBeingRespondedTo = 7
    found.CommandDataSetType = 0x0101
    found.Status = 0
    found.AffectedSOPInstanceUID = values["instance"]
    body = encoded(found, IMPLICIT)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def p_data(fragment: bytes, flags: int, context: int = 1) -> bytes:
    """Return a P-DATA-TF with one PDV."""
    pdv = struct.pack(">IBB", len(fragment) + 2, context, flags) + fragment
    return struct.pack(">BxI", 4, len(pdv)) + pdv


def _associate(values: dict[str, Any], syntax: str, *, accepts: bool) -> bytes:
    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title = values["calling"]
    primitive.called_ae_title = values["called"]
    context = PresentationContext()
    context.context_id = 1
    context.abstract_syntax = CT
    context.transfer_syntax = [syntax]
    largest, implementation, version = (
        MaximumLengthNotification(),
        ImplementationClassUIDNotification(),
        ImplementationVersionNameNotification(),
    )
    largest.maximum_length_received = 16384
    implementation.implementation_class_uid = "1.2.826.0.1.3680043.9.3811.3.0.4"
    version.implementation_version_name = "PYNETDICOM_304"
    primitive.user_information = [largest, implementation, version]
    if accepts:
        context.result = 0
        primitive.result = 0
        primitive.presentation_context_definition_results_list = [context]
        accepted = A_ASSOCIATE_AC()
        accepted.from_primitive(primitive)
        return bytes(accepted.encode())
    identity = UserIdentityNegotiation()
    identity.user_identity_type = 2
    identity.positive_response_requested = False
    identity.primary_field, identity.secondary_field = values["user"], values["passcode"]
    primitive.user_information = [*primitive.user_information, identity]
    primitive.presentation_context_definition_list = [context]
    request = A_ASSOCIATE_RQ()
    request.from_primitive(primitive)
    return bytes(request.encode())


def conversation(values: dict[str, Any], *, syntax: str = EXPLICIT, size: int | None = None) -> list[tuple[int, bytes]]:
    """Return what both sides send, one after the other: side and bytes."""
    body = encoded(data_set(values), syntax)
    if syntax == DEFLATED:
        body = deflated(body, size)
    middle = len(body) // 2
    request = p_data(command(values), 3) + p_data(body[:middle], 0) + p_data(body[middle:], 2)
    return [
        (0, _associate(values, syntax, accepts=False)),
        (1, _associate(values, syntax, accepts=True)),
        (0, request),
        (1, p_data(answer(values), 3)),
        (0, b"\5\0\0\0\0\4\0\0\0\0"),
        (1, b"\6\0\0\0\0\4\0\0\0\0"),
    ]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A TCP segment: who sends it, where it begins in its stream, and what it says."""

    side: int
    at: int
    data: bytes
    flags: int = 0x18
    ports: tuple[int, int] = (40000, 11112)
    adds: int = 0
    """Makes the checksum wrong."""

    @property
    def frame(self) -> bytes:
        source, destination = (IP_A, IP_B) if self.side == 0 else (IP_B, IP_A)
        one, other = self.ports if self.side == 0 else self.ports[::-1]
        first = (0xFFFFFF00 if self.side == 0 else 5000) + self.at & 0xFFFFFFFF
        header = struct.pack(">HHIIBBHHH", one, other, first, 1, 5 << 4, self.flags, 8192, 0, 0)
        whole = header + self.data
        whole = with_checksum(whole, 16, pseudo_header(source, destination, TCP, len(whole)))
        right = int.from_bytes(whole[16:18], "big")
        whole = whole[:16] + ((right + self.adds) % 0xFFFF).to_bytes(2, "big") + whole[18:]
        return ethernet(ipv4(whole, TCP, source=source, destination=destination))


def segments(
    says: Sequence[tuple[int, bytes]], *, most: int = 500, ports: tuple[int, int] = (40000, 11112)
) -> list[Segment]:
    """Lay a conversation out in segments, with both SYNs."""
    found = [Segment(side=side, at=0, data=b"", flags=flags, ports=ports) for side, flags in ((0, 2), (1, 18))]
    places = [1, 1]
    for side, data in says:
        for first in range(0, len(data), most):
            piece = data[first : first + most]
            found.append(Segment(side=side, at=places[side], data=piece, ports=ports))
            places[side] += len(piece)
    return found


def capture(found: Sequence[Segment], *others: bytes) -> bytes:
    """Return a capture of segments, and of other frames behind them."""
    return pcap(packets(*(segment.frame for segment in found), *others))


def both(**options: Any) -> tuple[list[Segment], list[Segment]]:
    """Return the conversation as it was and as it should become."""
    was = segments(conversation(WAS, **options))
    return was, segments(conversation(NOW, **options))


def changed(**values: Any) -> list[Segment]:
    """Return an output with some values other than they should be."""
    return segments(conversation(NOW | values))


def prove_dicom(original: bytes, output: bytes, **fields: Any) -> Verification:
    """Verify two files; addresses are expected as they were."""
    expected = {
        "addresses": AddressExpectation.KEPT,
        "macs": MacExpectation.NAMED,
        "payload": fields.pop("payload", None),
    }
    dicom = DicomExpectation(**{key: value for key, value in fields.items() if key in DicomExpectation.__slots__})
    expected |= {key: value for key, value in fields.items() if key not in DicomExpectation.__slots__}
    if expected["payload"] is None:
        expected["payload"] = payload_of(dicom.foreign)
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name, "in"), Path(name, "out")
        source.write_bytes(original)
        target.write_bytes(output)
        task = VerifyTask(source=source, output=target, memory_bytes=1 << 28, dicom=dicom, **expected)
        verification = verify(task, lambda _: None).verification
    ledger = verification.ledger
    parts = [ledger.structural, ledger.rewritten, ledger.zeroed, ledger.opaque, ledger.kept_by_rule, ledger.unknown]
    assert min(parts) >= 0
    assert sum(parts) == len(output)
    return verification
