"""A PACS and its clients: pynetdicom on both ends.

Each scene opens one association, or one of each transfer syntax. What is said depends on the material alone.
"""

import ssl
from collections.abc import Iterator
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, _config, build_role, evt
from pynetdicom.pdu_primitives import UserIdentityNegotiation

from tests.dicom.datasets import DEFLATED, Material, fill
from tests.dicom.planting import Kind

HOST: Final = "127.0.0.1"
PENDING: Final = 0xFF00
FAILED: Final = 0x0110
UNCOMPRESSED: Final = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", DEFLATED)
_VERIFICATION: Final = UID("1.2.840.10008.1.1")
_STUDY_FIND: Final = UID("1.2.840.10008.5.1.4.1.2.2.1")
_WORKLIST_FIND: Final = UID("1.2.840.10008.5.1.4.31")
_PATIENT_MOVE: Final = UID("1.2.840.10008.5.1.4.1.2.1.2")
_PATIENT_GET: Final = UID("1.2.840.10008.5.1.4.1.2.1.3")
_PERFORMED_STEP: Final = UID("1.2.840.10008.3.1.2.3.3")
_COMMITMENT: Final = UID("1.2.840.10008.1.20.1")
_COMMITMENT_INSTANCE: Final = UID("1.2.840.10008.1.20.1.1")
SERVICES: Final = (
    _VERIFICATION,
    _STUDY_FIND,
    _WORKLIST_FIND,
    _PATIENT_MOVE,
    _PATIENT_GET,
    _PERFORMED_STEP,
    _COMMITMENT,
)
_CT: Final = UID("1.2.840.10008.5.1.4.1.1.2")
_PDU_BYTES: Final = 16382
_NAME_AND_PASSCODE: Final = 2
_ASSERTION: Final = 4
"""User identities (PS3.7 D.3.3.7)."""

_config.UNRESTRICTED_STORAGE_SERVICE = True
_config.STORE_SEND_CHUNKED_DATASET = False


class Archive:
    """A service class provider that answers from the material."""

    def __init__(self, made: Material, objects: list[Any]) -> None:
        self._made, self._objects = made, objects
        planter = made.planter
        self._comment = f"{planter.word('ErrorComment')} not found"
        self._response = planter.word("server response to the user identity", Kind.CREDENTIAL).encode()

    def start(self, tls: ssl.SSLContext | None = None) -> Any:
        """Listen on a free port; the returned server has `shutdown` and an address."""
        entity = AE(ae_title=self._made.titles["scp"])
        entity.require_called_aet = True
        entity.maximum_pdu_size = _PDU_BYTES
        for context in AllStoragePresentationContexts:
            storage = UID(str(context.abstract_syntax))
            entity.add_supported_context(storage, ALL_TRANSFER_SYNTAXES, scu_role=True, scp_role=True)
        for service in SERVICES:
            entity.add_supported_context(service, list(UNCOMPRESSED))
        return entity.start_server((HOST, 0), block=False, evt_handlers=self._handlers(), ssl_context=tls)

    def _handlers(self) -> list[Any]:
        return [
            (evt.EVT_C_ECHO, lambda _: 0),
            (evt.EVT_C_STORE, lambda _: 0),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_MOVE, lambda _: iter([(None, None)])),
            (evt.EVT_C_GET, self._get),
            (evt.EVT_N_CREATE, lambda event: (0, event.attribute_list)),
            (evt.EVT_N_SET, self._set),
            (evt.EVT_N_ACTION, lambda _: (0, None)),
            (evt.EVT_USER_ID, lambda _: (True, self._response)),
        ]

    def _find(self, _: Any) -> Iterator[tuple[int, Dataset | None]]:
        for patient in self._made.patients:
            answer = Dataset()
            fill(answer, patient)
            answer.QueryRetrieveLevel = "STUDY"
            answer.StudyInstanceUID = UID(patient.study_uid)
            answer.RetrieveAETitle = self._made.titles["scp"]
            answer.ModalitiesInStudy = ["CT", "MR"]
            answer.StudyDescription = self._made.texts["StudyDescription"]
            answer.ReferringPhysicianName = self._made.texts["ReferringPhysicianName"]
            answer.ScheduledProcedureStepSequence = Sequence([_step(self._made, patient.study_date)])
            yield PENDING, answer
        yield 0, None

    def _get(self, _: Any) -> Iterator[Any]:
        yield 1
        yield PENDING, self._objects[1]

    def _set(self, _: Any) -> tuple[Dataset, None]:
        status = Dataset()
        status.Status = FAILED
        status.ErrorComment = self._comment
        return status, None


def _step(made: Material, date: str) -> Dataset:
    step = Dataset()
    step.Modality = "CT"
    step.ScheduledStationAETitle = made.titles["scu"]
    step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = date, "120000"
    step.ScheduledPerformingPhysicianName = made.texts["PerformingPhysicianName"]
    return step


class Clients:
    """Service class users, each in a role with a title of its own."""

    def __init__(self, made: Material, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._made, self._port = made, port
        self._tls = (tls, "archive") if tls else None

    def _open(self, role: str, contexts: list[tuple[Any, Any]], **more: Any) -> Any:
        entity = AE(ae_title=self._made.titles[role])
        for abstract, syntaxes in contexts:
            entity.add_requested_context(abstract, syntaxes)
        called = self._made.titles["scp"]
        opened = entity.associate(HOST, self._port, ae_title=called, tls_args=self._tls, **more)
        assert opened.is_established, "the archive accepts everybody who knows its title"
        return opened

    def echo(self) -> None:
        """Verify, once with a name and a passcode, once with an assertion that the archive answers."""
        planter = self._made.planter
        name, passcode = (planter.word(place, Kind.CREDENTIAL) for place in ("user name", "passcode"))
        self._verify(_NAME_AND_PASSCODE, name, passcode.lower())
        self._verify(_ASSERTION, f"<saml:Assertion>{planter.word('assertion', Kind.CREDENTIAL)}</saml:Assertion>", "")

    def _verify(self, kind: int, first: str, second: str) -> None:
        identity = UserIdentityNegotiation()
        identity.user_identity_type, identity.positive_response_requested = kind, True
        identity.primary_field, identity.secondary_field = first.encode(), second.encode()
        opened = self._open("scu", [(_VERIFICATION, list(UNCOMPRESSED[:1]))], ext_neg=[identity])
        assert opened.send_c_echo().Status == 0
        opened.release()

    def be_rejected(self) -> None:
        """Ask for somebody who is not there."""
        entity = AE(ae_title=self._made.titles["scu"])
        entity.add_requested_context(_VERIFICATION)
        title = self._made.planter.word("AE title nobody has", Kind.AE_TITLE, 12)
        opened = entity.associate(HOST, self._port, ae_title=title, tls_args=self._tls)
        assert opened.is_rejected

    def store(self, objects: list[Any]) -> None:
        """Store all objects in one association, as if a move had asked for it."""
        contexts = dict.fromkeys((one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in objects)
        opened = self._open("store", list(contexts))
        for one in objects:
            status = opened.send_c_store(one, originator_aet=self._made.titles["destination"], originator_id=77)
            assert status.Status == 0
        opened.release()

    def find(self, syntax: str) -> None:
        """Ask for studies and for the worklist, with wildcards and ranges."""
        contexts = (_STUDY_FIND, _WORKLIST_FIND)
        opened = self._open("find", [(context, syntax) for context in contexts])
        for query, context in ((self._study_query(), contexts[0]), (self._worklist_query(), contexts[1])):
            answers = [status.Status for status, _ in opened.send_c_find(query, context)]
            assert answers == [PENDING] * len(self._made.patients) + [0]
        opened.release()

    def _study_query(self) -> Dataset:
        planter, query = self._made.planter, Dataset()
        patient = self._made.patients[0]
        query.QueryRetrieveLevel = "STUDY"
        query.PatientName = planter.word("PatientName asked for", Kind.NAME) + "*"
        query.PatientID = patient.identifier
        first, last = (planter.date("StudyDate range", 2001, 2024) for _ in range(2))
        query.StudyDate = f"{min(first, last)}-{max(first, last)}"
        query.StudyInstanceUID = [UID(one.study_uid) for one in self._made.patients[:2]]
        query.AccessionNumber = query.PatientBirthDate = query.StudyTime = ""
        return query

    def _worklist_query(self) -> Dataset:
        planter, query, step = self._made.planter, Dataset(), Dataset()
        query.PatientName = (
            f"{planter.word('PatientName asked for', Kind.NAME)}?{planter.word('PatientName asked for')}*"
        )
        query.PatientID = query.AccessionNumber = ""
        step.ScheduledStationAETitle, step.Modality = self._made.titles["scu"], ""
        step.ScheduledProcedureStepStartDate = "-" + planter.date("ScheduledProcedureStepStartDate", 2001, 2024)
        query.ScheduledProcedureStepSequence = Sequence([step])
        return query

    def retrieve(self) -> None:
        """Move to another entity, and get here: the archive stores into this association."""
        contexts: list[tuple[Any, Any]] = [
            (_PATIENT_MOVE, UNCOMPRESSED[0]),
            (_PATIENT_GET, UNCOMPRESSED[0]),
            (_CT, UNCOMPRESSED[1]),
        ]
        handlers = [(evt.EVT_C_STORE, lambda _: 0)]
        role = [build_role(_CT, scp_role=True)]
        opened = self._open("find", contexts, ext_neg=role, evt_handlers=handlers)
        query = Dataset()
        query.QueryRetrieveLevel = "PATIENT"
        query.PatientID = self._made.patients[0].identifier
        moved = [
            status.Status for status, _ in opened.send_c_move(query, self._made.titles["destination"], contexts[0][0])
        ]
        got = [status.Status for status, _ in opened.send_c_get(query, _PATIENT_GET)]
        assert (moved, got) == ([0xA801], [PENDING, 0])
        opened.release()

    def perform(self) -> None:
        """Tell of a procedure step, and commit what was stored."""
        opened = self._open("mpps", [(one, UNCOMPRESSED[1]) for one in (_PERFORMED_STEP, _COMMITMENT)])
        planter = self._made.planter
        step, commitment = planter.uid("performed procedure step"), planter.uid("TransactionUID")
        created, _ = opened.send_n_create(self._performed(), _PERFORMED_STEP, UID(step))
        change = Dataset()
        change.PerformedProcedureStepStatus = "COMPLETED"
        change.PerformedProcedureStepEndDate = self._made.patients[0].study_date
        change.OperatorsName = self._made.texts["OperatorsName"]
        changed, _ = opened.send_n_set(change, _PERFORMED_STEP, UID(step))
        request, reference = Dataset(), Dataset()
        request.TransactionUID = UID(commitment)
        reference.ReferencedSOPClassUID = _CT
        reference.ReferencedSOPInstanceUID = UID(planter.uid("ReferencedSOPInstanceUID"))
        request.ReferencedSOPSequence = Sequence([reference])
        acted, _ = opened.send_n_action(request, 1, _COMMITMENT, _COMMITMENT_INSTANCE)
        assert [one.Status for one in (created, changed, acted)] == [0, FAILED, 0]
        opened.abort()

    def _performed(self) -> Dataset:
        patient, performed, scheduled = self._made.patients[0], Dataset(), Dataset()
        performed.PatientName, performed.PatientID = patient.name, patient.identifier
        performed.PatientBirthDate, performed.PatientSex = patient.birth_date, "M"
        performed.PerformedProcedureStepID = self._made.planter.number("PerformedProcedureStepID", "PP")
        performed.PerformedStationAETitle = self._made.titles["scu"]
        performed.PerformedProcedureStepStartDate = patient.study_date
        performed.PerformedProcedureStepStartTime = "101112"
        performed.PerformedProcedureStepStatus, performed.Modality = "IN PROGRESS", "CT"
        performed.PerformedProcedureStepDescription = self._made.texts["StudyDescription"]
        scheduled.StudyInstanceUID, scheduled.AccessionNumber = UID(patient.study_uid), patient.accession
        scheduled.ReferencedStudySequence = Sequence([])
        performed.ScheduledStepAttributesSequence = Sequence([scheduled])
        return performed
