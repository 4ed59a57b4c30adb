"""DICOM dialogues, encoded once: what is repeated to fill a capture.

    store    a CT image of 512 by 512 pixels, within an association that goes on
    query    an association with a study query and seven answers (C-FIND)
    step     an association that tells of a performed procedure step (N-CREATE, N-SET)

Values that shall differ from one repetition to the next stand as marks of the same length.
"""

import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

_ANSWERS: Final = 7
LETTERS: Final = (b"QXNAMEAQXQ", b"QXNAMEBQXQ")
"""Marks that become random letters."""
DIGITS: Final = (b"7701000107", *(b"99000%d000099" % number for number in range(1 + _ANSWERS)))
"""Marks that become random digits: an identifier, and the last components of UIDs."""

_IMPLICIT: Final = "1.2.840.10008.1.2"
_EXPLICIT: Final = "1.2.840.10008.1.2.1"
_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
_CT: Final = "1.2.840.10008.5.1.4.1.1.2"
_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
_STEP: Final = "1.2.840.10008.3.1.2.3.3"
_ROOT: Final = "1.2.826.0.1.3680043.9999."
_NO_DATA_SET: Final = 0x0101
_DATA_SET: Final = 1
_ANSWER: Final = 0x8000
_PENDING: Final = 0xFF00
_PDV_BYTES: Final = 16372
_SIDE: Final = 512
_PIXEL: Final = b"\x5a\x05"
_COMMENT: Final = (
    "Walks with a stick; allergic to contrast medium of an older kind; speaks little of the language of the house, "
    "a relative comes along to translate. Please call the ward before the patient is sent back, and not after lunch. "
    "Seen last year elsewhere; images were requested by letter and have not come yet."
)
_NAMES: Final = ("WANDERER^ELSE", "MUSTERMANN^MAX", "ROE^RICHARD", "PUBLIC^JOHN^Q")

Turn = tuple[bool, bytes]
"""Whether from the client, and one PDU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """What is said before, again and again, and after."""

    opening: tuple[Turn, ...] = ()
    repeated: tuple[tuple[Turn, ...], ...]
    """One connection each, unless there is an opening: then all of it goes on in one."""
    closing: tuple[Turn, ...] = ()
    noise: bytes = b""
    """Two bytes which, where they are repeated, become noise: pixels."""


def store() -> Dialogue:
    """Return an association that stores images."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = dcmread(str(get_testdata_file("CT_small.dcm")))
        _identify(image, LETTERS[0].decode() + "^" + LETTERS[1].decode(), DIGITS[0].decode())
        image.Rows = image.Columns = _SIDE
        image.StudyInstanceUID = UID(_ROOT + DIGITS[1].decode())
        image.SOPInstanceUID = UID(f"{image.StudyInstanceUID}.{DIGITS[2].decode()}")
        image.PixelData = _PIXEL * (_SIDE * _SIDE)
        data = _explicit(image)
    request = _command(0x0001, _CT, 7, with_data=True, instance=str(image.SOPInstanceUID))
    answer = _command(0x0001 | _ANSWER, _CT, 7, instance=str(image.SOPInstanceUID), status=0)
    turns = (*_message(request, data, from_client=True), *_message(answer, b"", from_client=False))
    opening, closing = _association(_CT, _EXPLICIT)
    return Dialogue(opening=opening, repeated=(turns,), closing=closing, noise=_PIXEL)


def polling() -> Dialogue:
    """Return a query and a procedure step, each an association of its own."""
    return Dialogue(repeated=(_query(), _step()))


def _query() -> tuple[Turn, ...]:
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    asked.PatientName, asked.StudyDate = LETTERS[0].decode() + "*", "20230101-20231231"
    asked.PatientID = asked.AccessionNumber = asked.StudyInstanceUID = ""
    turns = list(_message(_command(0x0020, _FIND, 1, with_data=True), _explicit(asked), from_client=True))
    for number in range(_ANSWERS):
        answer = Dataset()
        name = f"{LETTERS[0].decode()}^{LETTERS[1].decode()}" if number == 0 else _NAMES[number % len(_NAMES)]
        _identify(answer, name, DIGITS[0].decode() if number == 0 else f"770000{number}007")
        answer.StudyInstanceUID = UID(_ROOT + DIGITS[1 + number].decode())
        answer.QueryRetrieveLevel, answer.RetrieveAETitle = "STUDY", "ARCHIVE"
        answer.ModalitiesInStudy, answer.NumberOfStudyRelatedInstances = ["CT", "MR"], 12
        answer.StudyDescription, answer.PatientSex = "CT THORAX ABDOMEN WITH CONTRAST MEDIUM, FOLLOW-UP", "O"
        answer.PatientComments, answer.InstitutionAddress = (
            2 * _COMMENT,
            "1 Nowhere Road, 00000 Nowhere, Nowhere County",
        )
        step = Dataset()
        step.Modality, step.ScheduledStationAETitle = "CT", "SCANNER1"
        step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = "20230611", "120000"
        step.ScheduledPerformingPhysicianName, step.ScheduledProcedureStepID = "HARTMANN^ADA", f"SPS{number:05}"
        answer.ScheduledProcedureStepSequence = Sequence([step])
        command = _command(0x0020 | _ANSWER, _FIND, 1, with_data=True, status=_PENDING)
        turns += _message(command, _explicit(answer), from_client=False)
    turns += _message(_command(0x0020 | _ANSWER, _FIND, 1, status=0), b"", from_client=False)
    opening, closing = _association(_FIND, _EXPLICIT)
    return (*opening, *turns, *closing)


def _step() -> tuple[Turn, ...]:
    created, scheduled, changed = Dataset(), Dataset(), Dataset()
    _identify(created, f"{LETTERS[0].decode()}^{LETTERS[1].decode()}", DIGITS[0].decode())
    del created.ReferringPhysicianName, created.InstitutionName
    created.PerformedProcedureStepID, created.PerformedStationAETitle = "PPS55119", "SCANNER1"
    created.PerformedProcedureStepStartDate, created.PerformedProcedureStepStartTime = "20230611", "101112"
    created.PerformedProcedureStepStatus, created.Modality = "IN PROGRESS", "CT"
    created.PerformedProcedureStepDescription, created.PatientSex = "CT THORAX ABDOMEN", "O"
    scheduled.StudyInstanceUID, scheduled.AccessionNumber = UID(_ROOT + DIGITS[1].decode()), "ACC" + DIGITS[0].decode()
    scheduled.RequestedProcedureID, scheduled.ScheduledProcedureStepID = "RP31337", "SPS00000"
    created.ScheduledStepAttributesSequence = Sequence([scheduled])
    changed.PerformedProcedureStepStatus, changed.PerformedProcedureStepEndDate = "COMPLETED", "20230611"
    changed.OperatorsName, changed.PerformedSeriesSequence = "FISCHER^KIM", Sequence([])
    instance = _ROOT + DIGITS[2].decode()
    turns: list[Turn] = []
    for kind, number, data in ((0x0140, 1, created), (0x0120, 2, changed)):
        asked = _command(kind, _STEP, number, with_data=True, instance=instance)
        turns += _message(asked, _explicit(data), from_client=True)
        done = _command(kind | _ANSWER, _STEP, number, instance=instance, status=0)
        turns += _message(done, b"", from_client=False)
    opening, closing = _association(_STEP, _EXPLICIT)
    return (*opening, *turns, *closing)


def _identify(data: Dataset, name: str, identifier: str) -> None:
    data.PatientName, data.PatientID, data.PatientBirthDate = name, identifier, "19480317"
    data.AccessionNumber, data.StudyID = "ACC" + identifier, "S1"
    data.StudyDate, data.StudyTime = "20230611", "101112.131415"
    data.ReferringPhysicianName, data.InstitutionName = "WEBER^BERTHOLD", "St Nowhere Hospital"


def _explicit(data: Dataset) -> bytes:
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    write_dataset(file, data)
    return file.getvalue()


def _command(
    kind: int, abstract: str, number: int, *, with_data: bool = False, instance: str = "", status: int | None = None
) -> bytes:
    """Return a command set (PS3.7 §9.3, §10.3)."""
    is_answer, is_normalized = bool(kind & _ANSWER), bool(kind & 0x0100)
    is_set = kind & ~_ANSWER == 0x0120  # noqa: PLR2004  # N-SET names what it asks for
    elements = [(0x0002 if is_answer or not is_set else 0x0003, _padded(abstract))]
    elements += [(0x0100, struct.pack("<H", kind)), (0x0120 if is_answer else 0x0110, struct.pack("<H", number))]
    if not is_answer and not is_normalized:
        elements.append((0x0700, struct.pack("<H", 0)))
    elements.append((0x0800, struct.pack("<H", _DATA_SET if with_data else _NO_DATA_SET)))
    if status is not None:
        elements.append((0x0900, struct.pack("<H", status)))
    if instance:
        elements.append((0x1000 if is_answer or not is_set else 0x1001, _padded(instance)))
    body = b"".join(struct.pack("<HHI", 0, tag, len(value)) + value for tag, value in elements)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _padded(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


def _message(command: bytes, data: bytes, *, from_client: bool) -> Iterator[Turn]:
    """Yield the P-DATA-TF PDUs of a message (PS3.8 §9.3.5)."""
    yield from_client, _data_pdu(command, 3)
    file = BytesIO(data)
    while piece := file.read(_PDV_BYTES):
        yield from_client, _data_pdu(piece, 2 if file.tell() == len(data) else 0)


def _data_pdu(body: bytes, flags: int) -> bytes:
    item = struct.pack(">IBB", len(body) + 2, 1, flags) + body
    return struct.pack(">BxI", 4, len(item)) + item


def _association(abstract: str, syntax: str) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """Return how an association of one context begins and ends (PS3.8 §9.3.2, §9.3.3, §9.3.6)."""
    user = _item(0x51, struct.pack(">I", 16382)) + _item(0x52, b"1.2.826.0.1.3680043.9.3811.3.0.4")
    user += _item(0x55, b"NOBODYSPACS_10")
    syntaxes = _item(0x30, abstract.encode()) + _item(0x40, syntax.encode()) + _item(0x40, _IMPLICIT.encode())
    proposed = _item(0x20, b"\x01\0\0\0" + syntaxes)
    accepted = _item(0x21, b"\x01\0\0\0" + _item(0x40, syntax.encode()))
    titles = b"\0\x01\0\0" + b"ARCHIVE".ljust(16) + b"SCANNER1".ljust(16) + bytes(32) + _item(0x10, _CONTEXT.encode())
    request, answer = (titles + contexts + _item(0x50, user) for contexts in (proposed, accepted))
    opening = (
        (True, struct.pack(">BxI", 1, len(request)) + request),
        (False, struct.pack(">BxI", 2, len(answer)) + answer),
    )
    return opening, tuple((side, struct.pack(">BxII", kind, 4, 0)) for side, kind in ((True, 5), (False, 6)))


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body
