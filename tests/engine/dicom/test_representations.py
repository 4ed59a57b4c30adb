from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

from gql_server.engine.compilation import entry
from gql_server.engine.dicom.elements import vr_number
from gql_server.engine.dicom.representations import LO, LONG, OB, OW, SHORT, SQ, UL, UN, is_long, is_short


@entry
def form(vr: int) -> int:
    """Return 2 or 4 for the bytes of a VR's length, 0 for no VR."""
    if is_short(vr):
        return 2
    return 4 if is_long(vr) else 0


def test_each_vr_has_the_length_that_pydicom_gives_it() -> None:
    short = {vr_number(letters) for letters in EXPLICIT_VR_LENGTH_16}
    long = {vr_number(letters) for letters in EXPLICIT_VR_LENGTH_32}
    assert (set(SHORT), set(LONG)) == (short, long)
    for vr in range(1 << 16):
        assert form(vr) == (2 if vr in short else 4 if vr in long else 0)


def test_the_numbers_are_the_letters() -> None:
    assert [vr_number(letters) for letters in ("LO", "OB", "OW", "SQ", "UL", "UN")] == [LO, OB, OW, SQ, UL, UN]
