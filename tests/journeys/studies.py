"""A small DICOM dialogue as a capture, and its data set read again."""

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.dicom.rereading import associations_in, decoded
from tests.dicom.wire import Conversation, Ends, Wire, capture_of
from tests.engine.dicom.wire import (
    CT_STORAGE,
    EXPLICIT,
    RELEASE_RP,
    RELEASE_RQ,
    associate_ac,
    associate_rq,
    message,
)

CLIENT, SERVER = "10.20.30.40", "10.20.30.50"
PATIENT = "Mustermann^Erika"
PATIENT_ID = "PID-4711-XQ"
DESCRIPTION = "Thorax nach Sturz"
SERIAL = "SN-99-ZETA"
STORE, STORED = 0x0001, 0x8001


def data_set() -> Dataset:
    """A picture of somebody who does not exist."""
    data = Dataset()
    data.SOPClassUID = CT_STORAGE
    data.SOPInstanceUID = "1.2.826.0.1.3680043.9999.1.77"
    data.StudyDate = "20240229"
    data.Modality = "CT"
    data.Manufacturer = "Example Imaging"
    data.StationName = "MODALITY"
    data.StudyDescription = DESCRIPTION
    data.DeviceSerialNumber = SERIAL
    data.PatientName = PATIENT
    data.PatientID = PATIENT_ID
    data.Rows = data.Columns = 4
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.SamplesPerPixel, data.PixelRepresentation = 7, 1, 0
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelData = bytes(range(16))
    return data


def encoded(data: Dataset) -> bytes:
    """Return a data set as explicit VR little endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, data)
    return bytes(buffer.getvalue())


def study(body: bytes | None = None) -> bytes:
    """A capture of one C-STORE: handshake, association, data set, answer, release."""
    talk = Conversation(connection=0, sequences=(1000, 9000))
    talk.send(associate_rq({1: (CT_STORAGE, [EXPLICIT])}), from_client=True)
    talk.send(associate_ac({1: (0, EXPLICIT)}), from_client=False)
    talk.send(message(STORE, encoded(data_set()) if body is None else body), from_client=True)
    talk.send(message(STORED), from_client=False)
    talk.send(RELEASE_RQ, from_client=True)
    talk.send(RELEASE_RP, from_client=False)
    talk.close()
    ends = (Ends(client=CLIENT, client_port=40104, server=SERVER, server_port=11112),)
    return capture_of(Wire(segments=tuple(talk.segments), ends=ends)).file()


def stored_in(capture: bytes) -> Dataset:
    """Return the data set of a capture's one C-STORE, as pydicom reads it."""
    (association,) = associations_in(capture)
    (sent,) = [each for each in association.messages if each.data]
    return decoded(sent.data, str(ExplicitVRLittleEndian))
