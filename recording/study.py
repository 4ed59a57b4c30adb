"""A small DICOM file of a patient who does not exist.

`python -m recording.study PATH` writes it.
"""

import sys
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

SIDE = 128
TEXTS = {
    "PatientName": "EXAMPLE^PATIENT",
    "PatientID": "EXAMPLE-0001",
    "PatientBirthDate": "19700101",
    "PatientSex": "O",
    "ReferringPhysicianName": "EXAMPLE^PHYSICIAN",
    "InstitutionName": "EXAMPLE HOSPITAL",
    "StationName": "EXAMPLE-US-1",
    "AccessionNumber": "EXAMPLE-A1",
    "StudyDate": "20200102",
    "StudyTime": "030405",
    "StudyID": "1",
    "StudyDescription": "EXAMPLE STUDY",
    "SeriesNumber": "1",
    "InstanceNumber": "1",
    "Modality": "OT",
    "ConversionType": "SYN",
    "StudyInstanceUID": "2.25.20001",
    "SeriesInstanceUID": "2.25.20002",
    "SOPInstanceUID": "2.25.20003",
}


def rings() -> bytes:
    """Draw rings on a fading ground, 8 bits a point."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    distance = np.hypot(rows - SIDE / 2, columns - SIDE / 2)
    shades = 127 + 100 * np.cos(distance / 4) * np.exp(-distance / SIDE)
    return bytes(shades.astype(np.uint8))


def write_study(path: Path) -> None:
    """Write a secondary-capture image with the rings and the example texts."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID(TEXTS["SOPInstanceUID"])
    study = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    study.SOPClassUID = SecondaryCaptureImageStorage
    for keyword, text in TEXTS.items():
        setattr(study, keyword, text)
    study.Rows = study.Columns = SIDE
    study.SamplesPerPixel, study.PhotometricInterpretation = 1, "MONOCHROME2"
    study.BitsAllocated = study.BitsStored = 8
    study.HighBit, study.PixelRepresentation = 7, 0
    study.PixelData = rings()
    study.save_as(path, enforce_file_format=True)


if __name__ == "__main__":
    write_study(Path(sys.argv[1]))
