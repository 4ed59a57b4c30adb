"""Value representations, as they stand in explicit headers.

PS3.5 §6.2 and §7.1.2.
"""

from typing import Final

from gql_server.engine.compilation import kernel
from gql_server.engine.dicom.elements import vr_number

LO: Final = 0x4C4F
OB: Final = 0x4F42
OW: Final = 0x4F57
SQ: Final = 0x5351
UL: Final = 0x554C
UN: Final = 0x554E

_SHORT: Final = "CS DS LO US UI IS SH DA TM PN UL AE AS AT DT FD FL LT SL SS ST"
"""The frequent ones first."""
_LONG: Final = "SQ OB OW UN UT OD OF OL OV SV UC UR UV"
SHORT: Final = tuple(vr_number(letters) for letters in _SHORT.split())
"""Those whose length has two bytes."""
LONG: Final = tuple(vr_number(letters) for letters in _LONG.split())
"""Those whose length has four bytes, behind two reserved ones."""


@kernel
def is_short(vr: int) -> bool:
    """Say whether a VR's length has two bytes."""
    return vr in SHORT


@kernel
def is_long(vr: int) -> bool:
    """Say whether a VR's length has four bytes."""
    return vr in LONG
