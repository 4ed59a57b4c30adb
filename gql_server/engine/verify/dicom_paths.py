"""Paths of elements as the walk knows them.

A path is a digest, made tag by tag from the outermost sequence on, so that the kernels compare one word.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

_WORD: Final = (1 << 64) - 1


def path_digests(paths: tuple[str, ...]) -> npt.NDArray[np.uint64]:
    """Return the digest of each path: tags as eight hexadecimal digits, joined by dots.

    Raises:
        ValueError: one is no path.
    """
    found = np.zeros(max(len(paths), 1), np.uint64)
    for i, path in enumerate(paths):
        digest = 0
        for tag in path.split("."):
            digest = _mixed(digest, int(tag, 16))
        found[i] = digest
    return found


def _mixed(x: int, y: int) -> int:
    """Mix two words, as `dicom_judging.mix` does."""
    z = ((x ^ (y * 0x9E3779B97F4A7C15 & _WORD)) + 0x9E3779B97F4A7C15) & _WORD
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _WORD
    return z ^ (z >> 31)
