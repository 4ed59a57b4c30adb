"""Cycle-walking: a permutation held within a set.

Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]


def cycle_walk(
    start: Words, step: Callable[[Words], Words], allowed: Callable[[Words], npt.NDArray[np.bool_]]
) -> Words:
    """Step until the image is allowed; it ends, since the start was allowed and the step is a permutation."""
    image = step(start)
    inside = allowed(image)
    # Most images are allowed at once.
    if inside.all():
        return image
    outside = np.flatnonzero(~inside)
    while len(outside):
        image[outside] = step(image[outside])
        outside = outside[~allowed(image[outside])]
    return image
