"""Interfaces as the kernels of the inspection take them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gql_server.engine.capture.headers import Interface
from gql_server.engine.inspect.walk import FACE_COLUMNS

_WORD_BITS: Final = 64
_NANOSECONDS: Final = 10**9
_LARGEST: Final = (1 << 63) - 1


def face_of(interface: Interface) -> npt.NDArray[np.int64]:
    """Return an interface's numbers; a resolution or an offset beyond reason leaves no times."""
    ticks, offset = interface.ticks_per_second, interface.offset_seconds * _NANOSECONDS
    multiplier, divisor, shift = 0, 1, 0
    if ticks & (ticks - 1) == 0:
        multiplier, shift = _NANOSECONDS, ticks.bit_length() - 1
    elif _NANOSECONDS % ticks == 0:
        multiplier = _NANOSECONDS // ticks
    else:
        multiplier, divisor = 1, ticks // _NANOSECONDS
    if shift >= _WORD_BITS or divisor > _LARGEST or abs(offset) > _LARGEST:
        multiplier, divisor, shift, offset = 0, 1, 0, 0
    face = np.array([interface.link_type, multiplier, divisor, shift, offset, interface.snap_length], np.int64)
    assert len(face) == FACE_COLUMNS
    return face
