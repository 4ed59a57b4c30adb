"""Cycle-walking: a permutation held within a set.

Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002.
"""

from collections.abc import Callable

import numpy as np

from gql_server.engine.addresses.ranges import Flags, Numbers, all_hold


def cycle_walk(start: Numbers, step: Callable[[Numbers], Numbers], allowed: Callable[[Numbers], Flags]) -> Numbers:
    """Step until the image is allowed; it ends, since the start was allowed and the step is a permutation."""
    image = step(start)
    inside = allowed(image)
    # Most images are allowed at once.
    if all_hold(inside):
        return image
    outside = np.flatnonzero(~inside)
    while len(outside):
        image[outside] = step(image[outside])
        outside = outside[~allowed(image[outside])]
    return image
