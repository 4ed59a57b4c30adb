"""Captures in, captures out.

Bytes only: no database, no GraphQL, no event loop. The parent talks to a child process (`child.py`) in the words of
`tasks.py`; everything that touches a packet runs in that child. `capture/` finds the records, `addresses/` rewrites
them, `inspect/` counts them. Only modules named in the docstring of `kernels.py` import numba.
"""
