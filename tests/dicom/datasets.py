"""Data sets with planted values, in twelve transfer syntaxes and five character sets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from tests.dicom.planting import Kind, Oracle, Patient, Planter

FILES: Final = {
    "1.2.840.10008.1.2": "MR_small_implicit.dcm",
    "1.2.840.10008.1.2.1": "CT_small.dcm",
    "1.2.840.10008.1.2.2": "MR_small_bigendian.dcm",
    "1.2.840.10008.1.2.1.99": "image_dfl.dcm",
    "1.2.840.10008.1.2.4.50": "SC_rgb_small_odd_jpeg.dcm",
    "1.2.840.10008.1.2.4.51": "JPGExtended.dcm",
    "1.2.840.10008.1.2.4.70": "SC_rgb_jpeg_gdcm.dcm",
    "1.2.840.10008.1.2.4.80": "MR_small_jpeg_ls_lossless.dcm",
    "1.2.840.10008.1.2.4.81": "JPEGLSNearLossless_08.dcm",
    "1.2.840.10008.1.2.4.90": "MR_small_jp2klossless.dcm",
    "1.2.840.10008.1.2.4.91": "JPEG2000.dcm",
    "1.2.840.10008.1.2.5": "SC_rgb_rle.dcm",
}
"""Transfer syntaxes, with the files of pydicom that are in them."""
REPORTS: Final = ("reportsi.dcm", "test-SR.dcm", "rtplan.dcm")
"""Structured reports, and a plan in sequences of sequences."""
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
CREATOR: Final = "MADEUP PRIVATE 01"

_WORDS: Final = (
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "PatientComments",
    "PatientAddress",
    "EthnicGroup",
    "Occupation",
    "ImageComments",
    "AdditionalPatientHistory",
    "DerivationDescription",
    "RequestedProcedureDescription",
)
_NUMBERS: Final = (
    "PatientTelephoneNumbers",
    "MedicalRecordLocator",
    "OtherPatientIDs",
    "AdmissionID",
    "DeviceSerialNumber",
    "StudyID",
)
_NAMES: Final = (
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "PatientBirthName",
    "PatientMotherBirthName",
    "RequestingPhysician",
    "NameOfPhysiciansReadingStudy",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What one recording is made of: patients, titles, data sets."""

    planter: Planter
    patients: list[Patient] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    """Values of the elements that each data set gets, by keyword."""
    titles: dict[str, str] = field(default_factory=dict)
    """AE titles by what they are for: scu, scp, store, find, mpps, destination."""

    @property
    def oracle(self) -> Oracle:
        """All that was planted."""
        return self.planter.oracle


def material(seed: int) -> Material:
    """Make patients and texts from a seed."""
    planter = Planter(seed)
    texts = {keyword: f"{planter.word(keyword)} and {planter.word(keyword).title()}" for keyword in _WORDS}
    texts |= {keyword: planter.number(keyword, "N") for keyword in _NUMBERS}
    for keyword in _NAMES:
        texts[keyword] = f"{planter.word(keyword, Kind.NAME)}^{planter.word(keyword, Kind.NAME)}"
    texts["StationName"] = planter.word("StationName", Kind.IDENTIFIER)
    roles = ("scu", "scp", "store", "find", "mpps", "destination")
    titles = {role: planter.word(f"AE title {role}", Kind.AE_TITLE, 10) for role in roles}
    return Material(planter=planter, patients=planter.patients(), texts=texts, titles=titles)


def stored(made: Material) -> Iterator[Dataset]:
    """Yield what C-STORE sends: every transfer syntax, every character set, and reports."""
    for number, name in enumerate((*FILES.values(), *REPORTS)):
        data = dcmread(get_testdata_file(name), force=True)  # type: ignore[arg-type]  # a path, since it is not read
        yield planted(data, made, number)


def planted(data: FileDataset, made: Material, number: int) -> FileDataset:
    """Plant values into a data set, in every kind of place."""
    patient = made.patients[number % len(made.patients)]
    _identify(data, patient, made.planter)
    for keyword, text in made.texts.items():
        setattr(data, keyword, text)
    _nest(data, made.planter)
    _make_private(data, made.planter)
    series = made.planter.uid("SeriesInstanceUID", f"1.2.826.0.1.3680043.9999.{number}")
    data.SeriesInstanceUID, data.SOPInstanceUID = UID(series), UID(made.planter.uid("SOPInstanceUID", series))
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    return data


def _identify(data: Dataset, patient: Patient, planter: Planter) -> None:
    fill(data, patient)
    data.StudyInstanceUID = UID(patient.study_uid)
    data.ContentDate = data.SeriesDate = data.AcquisitionDate = patient.study_date
    data.AcquisitionDateTime = f"{patient.study_date}101213.000000+0200"
    data.PatientAge = "076Y"
    data.OtherPatientNames = [planter.word("OtherPatientNames", Kind.NAME) + "^ONE" for _ in range(2)]


def fill(data: Dataset, patient: Patient) -> None:
    """Write the elements that name a patient and a study."""
    if patient.character_set is None:
        data.pop("SpecificCharacterSet", None)
    else:
        data.SpecificCharacterSet = patient.character_set
    data.PatientName, data.PatientID = patient.name, patient.identifier
    data.AccessionNumber, data.PatientBirthDate = patient.accession, patient.birth_date
    data.StudyDate, data.StudyTime = patient.study_date, "101112.131415"


def _nest(data: Dataset, planter: Planter) -> None:
    other = Dataset()
    other.PatientID = planter.number("PatientID in a sequence", "NEST")
    other.IssuerOfPatientID = planter.word("IssuerOfPatientID in a sequence")
    data.OtherPatientIDsSequence = Sequence([other])
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = planter.word("CodeValue", Kind.IDENTIFIER), "99MADEUP"
    code.CodeMeaning = planter.word("CodeMeaning in a sequence of a sequence")
    request = Dataset()
    request.RequestedProcedureID = planter.number("RequestedProcedureID in a sequence", "RP")
    request.ScheduledProcedureStepID = planter.number("ScheduledProcedureStepID in a sequence", "SP")
    request.RequestedProcedureDescription = planter.word("RequestedProcedureDescription in a sequence")
    request.RequestedProcedureCodeSequence = Sequence([code])
    data.RequestAttributesSequence = Sequence([request])


def _make_private(data: Dataset, planter: Planter) -> None:
    block = data.private_block(0x0099, CREATOR, create=True)
    block.add_new(0x01, "LO", planter.word("private LO"))
    block.add_new(0x02, "OB", b"\x00\x01" + planter.word("private OB", Kind.BINARY).encode() + b"\x00\xff\x00")
    item = Dataset()
    item.add_new(0x00990010, "LO", CREATOR)
    item.add_new(0x00991005, "PN", f"{planter.word('private PN in a private sequence', Kind.NAME)}^X")
    block.add_new(0x03, "SQ", Sequence([item]))
    block.add_new(0x04, "UN", planter.word("private UN", Kind.BINARY).encode() + b"\x00")
