"""The report of the proof of DICOM, from what it counted."""

from collections.abc import Iterator
from typing import Final

from gql_server.domain.dicom import DicomAction
from gql_server.domain.dicom_verification import DicomVerification, VerifiedElements, VerifiedPixels
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_dictionary import EXTRA_ROWS, VRS
from gql_server.engine.verify.dicom_proving import DicomEvidence

_ACTIONS: Final = {
    d.EMPTY: DicomAction.EMPTY,
    d.KEPT: DicomAction.KEPT,
    d.ZEROED: DicomAction.ZEROED,
    d.BLANKED: DicomAction.BLANKED,
    d.REPLACED: DicomAction.REPLACED,
}
_MODALITIES: Final = frozenset(
    [
        "ANN",
        "AR",
        "ASMT",
        "AU",
        "BDUS",
        "BI",
        "BMD",
        "CFM",
        "CR",
        "CT",
        "CTPROTOCOL",
        "DG",
        "DMS",
        "DOC",
        "DX",
        "ECG",
        "EEG",
        "EMG",
        "EOG",
        "EPS",
        "ES",
        "FID",
        "GM",
        "HC",
        "HD",
        "IO",
        "IOL",
        "IVOCT",
        "IVUS",
        "KER",
        "KO",
        "LEN",
        "LS",
        "M3D",
        "MG",
        "MR",
        "NM",
        "OAM",
        "OCT",
        "OP",
        "OPM",
        "OPT",
        "OPTBSV",
        "OPTENF",
        "OPV",
        "OSS",
        "OT",
        "PA",
        "PLAN",
        "POS",
        "PR",
        "PT",
        "PX",
        "REG",
        "RESP",
        "RF",
        "RG",
        "RTDOSE",
        "RTIMAGE",
        "RTINTENT",
        "RTPLAN",
        "RTRAD",
        "RTRECORD",
        "RTSEGANN",
        "RTSTRUCT",
        "RWV",
        "SEG",
        "SM",
        "SMR",
        "SR",
        "SRF",
        "STAIN",
        "TEXTUREMAP",
        "TG",
        "US",
        "VA",
        "XA",
        "XC",
        "XAPROTOCOL",
    ]
)
"""Defined terms of Modality (PS3.3 C.7.3.1.1.1)."""


def kept_bytes(evidence: DicomEvidence) -> tuple[int, int]:
    """Return how many bytes of the file stayed in values and in pixels; deflated ones stand nowhere in it."""
    s = evidence.judge.state
    return int(s[d.KEPT_BYTES]) - evidence.judge.deflated_kept, int(s[d.PIXELS_KEPT])


def report_dicom(evidence: DicomEvidence) -> DicomVerification:
    """Say what was found."""
    s, sizes = evidence.judge.state, evidence.values.pseudonyms.sizes
    return DicomVerification(
        connections=evidence.connections,
        streams=evidence.streams,
        messages=int(s[d.MESSAGES]),
        data_sets=int(s[d.DATA_SETS]),
        elements=tuple(_elements(evidence)),
        pixels=tuple(_pixels(evidence)),
        bytes_dicom=int(evidence.judged.length.sum()),
        bytes_kept=int(s[d.KEPT_BYTES]),
        bytes_pixels_kept=int(s[d.PIXELS_KEPT]),
        bytes_undecodable=int(s[d.UNDECODABLE]),
        bytes_left=int(s[d.LEFT]),
        copies=evidence.copies,
        uids=sizes.get("uid", 0),
        names=sizes.get("name", 0),
        identifiers=sum(sizes.get(kind, 0) for kind in ("id", "ae", "station")),
        times_shifted=bool(evidence.shift.days),
        scan=evidence.scan,
    )


def _elements(evidence: DicomEvidence) -> Iterator[VerifiedElements]:
    tags, vrs = evidence.dictionary.tags.tolist(), evidence.dictionary.vrs.tolist()
    counts = evidence.judge.counts.reshape(len(tags) + EXTRA_ROWS, d.OUTCOMES, 2).tolist()
    for row, outcomes in enumerate(counts):
        for outcome, (elements, size) in enumerate(outcomes):
            if elements:
                tag, vr = _named(row, tags, vrs)
                yield VerifiedElements(tag=tag, vr=vr, action=_ACTIONS[outcome], elements=elements, bytes=size)


def _named(row: int, tags: list[int], vrs: list[int]) -> tuple[str, str]:
    if row < len(tags):
        return f"{tags[row]:08X}", VRS[vrs[row]]
    extra = row - len(tags)
    return ("xxxx0000" if extra >= EXTRA_ROWS // 2 else "0000xxxx"), VRS[extra % (EXTRA_ROWS // 2)]


def _pixels(evidence: DicomEvidence) -> Iterator[VerifiedPixels]:
    for modality, data_sets, size, stayed in evidence.judge.pixels.reshape(-1, d.PIXEL_COLUMNS).tolist():
        if data_sets:
            text = modality.to_bytes(8, "big").strip(b" \0").decode("ascii", "replace")
            named = text if text in _MODALITIES or not text else "OTHER"
            yield VerifiedPixels(modality=named, data_sets=data_sets, bytes=size, bytes_kept=stayed)
