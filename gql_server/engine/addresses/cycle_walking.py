"""Cycle-walking: a permutation held within a set.

Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002.
"""

from collections.abc import Callable

import numpy as np

from gql_server.engine.addresses.ranges import Flags, Numbers


def cycle_walk(start: Numbers, step: Callable[[Numbers], Numbers], allowed: Callable[[Numbers], Flags]) -> Numbers:
    """Step until the image is allowed; it ends, since the start was allowed and the step is a permutation."""
    return walk_on(step(start), step, allowed)


def walk_on(image: Numbers, step: Callable[[Numbers], Numbers], allowed: Callable[[Numbers], Flags]) -> Numbers:
    """Go on where the first step was done; it ends up in the array that is given."""
    outside = np.flatnonzero(~allowed(image))
    while len(outside):
        image[outside] = step(image[outside])
        outside = outside[~allowed(image[outside])]
    return image
