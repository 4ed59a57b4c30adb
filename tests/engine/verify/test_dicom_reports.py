from gql_server.domain.dicom import DicomAction, PixelPolicy
from tests.engine.verify.dicom_traffic import WAS, both, capture, changed, prove_dicom


def test_elements_are_told_by_tag_and_action() -> None:
    was, now = both()
    found = prove_dicom(capture(was), capture(now)).dicom
    assert found is not None
    told = {(one.tag, one.vr, one.action): (one.elements, one.bytes) for one in found.elements}
    assert told["00100010", "PN", DicomAction.REPLACED] == (1, 14)
    assert told["00080080", "LO", DicomAction.BLANKED] == (1, 20)
    assert told["00001000", "UI", DicomAction.REPLACED] == (2, 64)
    assert told["xxxx0000", "LO", DicomAction.BLANKED] == (1, 14)
    assert told["7FE00010", "OW", DicomAction.ZEROED] == (1, 128)
    assert found.bytes_dicom == sum(len(one.data) for one in was)
    assert not found.times_shifted


def test_kept_pixels_are_told_by_modality() -> None:
    was, _ = both()
    verification = prove_dicom(capture(was), capture(changed(pixels=WAS["pixels"])), pixels=PixelPolicy.KEEP)
    found = verification.dicom
    assert found is not None
    assert [(one.modality, one.bytes, one.bytes_kept) for one in found.pixels] == [("CT", 128, 128)]
    assert found.bytes_pixels_kept == verification.ledger.opaque == 128
