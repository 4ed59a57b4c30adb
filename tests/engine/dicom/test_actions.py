import pytest
from pydicom._dicom_dict import DicomDictionary

from gql_server.domain.dicom import DatePolicy, DicomParameters, PixelPolicy
from gql_server.engine.dicom.actions import NUMBER_BYTES, SPACED, Treatment, attribute, decide
from gql_server.engine.dicom.confidentiality import TableAction, basic_profile

DEFAULT = DicomParameters()
EVERYTHING = DicomParameters(
    pixels=PixelPolicy.KEEP,
    dates=DatePolicy.KEEP,
    retain_uids=True,
    retain_device=True,
    retain_patient_characteristics=True,
    clean_descriptors=True,
)
KEEPING = {Treatment.KEEP, Treatment.NUMBERS, Treatment.KEEP_OFFSET}
REPLACING = {Treatment.UID, Treatment.NAME, Treatment.IDENTIFIER, Treatment.DEVICE}


def vr_of(tag: int) -> str:
    known = attribute(tag)
    return min(known.vrs) if known is not None else "UN"


def treatment(tag: int, vr: str | None = None, parameters: DicomParameters = DEFAULT) -> Treatment:
    return decide(tag, vr if vr is not None else vr_of(tag), parameters).treatment


def fits_the_table(tag: int, code: TableAction) -> bool:
    """Say whether what becomes of a row is at least as strict as its code."""
    vr, found = vr_of(tag), treatment(tag)
    match code:
        case _ if tag >> 16 == 0 or code is TableAction.X:
            return found is Treatment.FILL
        case TableAction.U:
            return found is Treatment.UID
        case TableAction.D if vr in SPACED:
            return found in {Treatment.DUMMY, Treatment.DUMMY_MOMENT, *REPLACING}
        case _:
            return found in {Treatment.FILL, Treatment.SEQUENCE, Treatment.DUMMY, Treatment.DUMMY_MOMENT, *REPLACING}


def test_every_row_of_the_table_has_an_action_that_fits_it() -> None:
    assert {tag for tag, code in basic_profile().items() if not fits_the_table(tag, code)} == set()


def test_what_the_table_does_not_list_stays_only_where_its_vr_has_no_room_for_prose() -> None:
    kept: set[tuple[str, Treatment]] = set()
    prose: set[tuple[str, Treatment]] = set()
    for tag in set(DicomDictionary) - set(basic_profile()):
        found = treatment(tag)
        (kept if found in KEEPING else prose).add((vr_of(tag), found))
    assert {vr for vr, _ in kept} <= {*NUMBER_BYTES, "DS", "IS", "CS"}
    codes = {Treatment.CODE_VALUE, Treatment.CODE_SCHEME, Treatment.CODE_MEANING, Treatment.CHARACTER_SET}
    known = {("SQ", Treatment.SEQUENCE), ("UI", Treatment.UID), ("PN", Treatment.NAME), ("AE", Treatment.DEVICE)}
    assert {(vr, found) for vr, found in prose if found not in {Treatment.FILL, *codes}} <= known


@pytest.mark.parametrize("parameters", [DEFAULT, EVERYTHING], ids=["default", "everything"])
@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00091001, "LO"),
        (0x00091001, "US"),
        (0x00091001, "SQ"),
        (0x12340001, "LO"),
        (0x12340001, "US"),
        (0x00100010, "LO"),
        (0x00100020, "UN"),
        (0x00001000, "UI"),
        (0x50003000, "OW"),
        (0x60003000, "OW"),
        (0x60024000, "LT"),
        (0xFFFCFFFC, "OB"),
        (0xFFFAFFFA, "SQ"),
        (0x54001010, "OW"),
        (0x00420011, "OB"),
        (0x00100010, ""),
    ],
)
def test_no_option_keeps_what_is_private_unknown_or_in_bulk(tag: int, vr: str, parameters: DicomParameters) -> None:
    assert treatment(tag, vr, parameters) is Treatment.FILL


@pytest.mark.parametrize(
    ("tag", "option", "kept"),
    [
        (0x00080018, {"retain_uids": True}, Treatment.KEEP),
        (0x00041510, {"retain_uids": True}, Treatment.KEEP),
        (0x00081120, {"retain_uids": True}, Treatment.SEQUENCE),
        (0x00081010, {"retain_device": True}, Treatment.KEEP),
        (0x00080070, {"retain_device": True}, Treatment.KEEP),
        (0x00185011, {"retain_device": True}, Treatment.SEQUENCE),
        (0x00080055, {"retain_device": True}, Treatment.DEVICE),
        (0x00081000, {"retain_device": True}, Treatment.DEVICE),
        (0x00181200, {"retain_device": True}, Treatment.KEEP),
        (0x00100040, {"retain_patient_characteristics": True}, Treatment.KEEP),
        (0x001021C0, {"retain_patient_characteristics": True}, Treatment.NUMBERS),
        (0x00102110, {"retain_patient_characteristics": True}, Treatment.DESCRIPTOR),
        (0x00080020, {"dates": DatePolicy.KEEP}, Treatment.KEEP),
        (0x00080020, {"dates": DatePolicy.SHIFT}, Treatment.SHIFT),
        (0x00080201, {"dates": DatePolicy.SHIFT}, Treatment.KEEP_OFFSET),
        (0x00081030, {"clean_descriptors": True}, Treatment.DESCRIPTOR),
        (0x00400275, {"clean_descriptors": True}, Treatment.SEQUENCE),
        (0x7FE00010, {"pixels": PixelPolicy.KEEP}, Treatment.PIXELS),
        (0x00281201, {"pixels": PixelPolicy.KEEP}, Treatment.NUMBERS),
    ],
)
def test_an_option_changes_its_rows_and_nothing_else_does(tag: int, option: dict[str, object], kept: Treatment) -> None:
    vr = "OW" if tag in {0x7FE00010, 0x00281201} else None
    assert treatment(tag, vr, DicomParameters(**option)) is kept  # type: ignore[arg-type]
    assert treatment(tag, vr) is not kept


def test_the_birth_date_is_in_no_option_for_dates() -> None:
    for dates in DatePolicy:
        assert treatment(0x00100030, None, DicomParameters(dates=dates)) is Treatment.DUMMY_MOMENT


def test_device_names_are_of_one_kind() -> None:
    assert treatment(0x00081010) is Treatment.DEVICE
    assert treatment(0x21000140) is Treatment.DEVICE
    assert decide(0x00000600, "AE", DEFAULT, command=True).treatment is Treatment.DEVICE


@pytest.mark.parametrize(
    ("tag", "vr", "expected"),
    [
        (0x00000000, "UL", Treatment.NUMBERS),
        (0x00000002, "UI", Treatment.UID),
        (0x00000100, "US", Treatment.NUMBERS),
        (0x00001005, "AT", Treatment.NUMBERS),
        (0x00001030, "AE", Treatment.DEVICE),
        (0x00000902, "LO", Treatment.FILL),
        (0x00000FFF, "US", Treatment.FILL),
        (0x00100010, "PN", Treatment.FILL),
    ],
)
def test_a_command_set_keeps_numbers_and_maps_titles_and_uids(tag: int, vr: str, expected: Treatment) -> None:
    assert decide(tag, vr, EVERYTHING, command=True).treatment is expected
