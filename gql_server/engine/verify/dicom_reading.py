"""Kernels that read one direction of an association.

PS3.8 §9.3: PDUs, the PDVs in them, and the data sets that these make up. Where no boundary is known, the output says
where it claims one: the first byte that is not zero there must begin a PDU in the original.
"""
# ruff: noqa: PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, Words, entry, kernel
from gql_server.engine.memory import load8, load16_little, load32, load32_little, pointer, store8
from gql_server.engine.verify import dicom_layout as d
from gql_server.engine.verify.dicom_judging import is_alike, is_null
from gql_server.engine.verify.dicom_walking import damage, outgrow, vr_of, walk

_PDU_HEADER: Final = 6
_PDV_HEADER: Final = 6
_P_DATA: Final = 4
_LAST_TYPE: Final = 7
_LONGEST_CONTROL: Final = 1 << 20
_LONGEST_DATA: Final = 1 << 30
_IS_COMMAND: Final = 1
_IS_LAST: Final = 2


@kernel
def is_boundary(a: Bytes, at: int, have: int) -> bool:
    """Say whether a PDU may begin here: six bytes at least are at hand."""
    kind, length = load8(a, at), load32(a, at + 2)
    if not 1 <= kind <= _LAST_TYPE or load8(a, at + 1) != 0:
        return False
    if kind != _P_DATA:
        fixed = kind in (3, 5, 6, 7)
        return length == 4 if fixed else 68 <= length <= _LONGEST_CONTROL  # noqa: PLR2004  # PS3.8 §9.3.2 to 9.3.8
    if not _PDV_HEADER <= length <= _LONGEST_DATA:
        return False
    if have - at < _PDU_HEADER + _PDV_HEADER:
        return True
    inner, context, flags = load32(a, at + 6), load8(a, at + 10), load8(a, at + 11)
    return 2 <= inner <= length - 4 and context & 1 == 1 and flags <= 3  # noqa: PLR2004  # PS3.8 §9.3.5


@kernel
def _frame(a: Bytes, o: Bytes, s: State, length: int) -> None:
    """Judge a header: as it was, or zero."""
    at = s[d.AT]
    if not is_alike(a, o, at, at + length):
        if is_null(o, at, at + length):
            s[d.UNDECODABLE] += length
        else:
            s[d.STRUCTURE] += 1
    s[d.AT] += length


@kernel
def _pass_zeros(o: Bytes, s: State, stop: int) -> None:
    """Pass what is zero in the output."""
    at = s[d.AT]
    while s[d.AT] < stop and load8(o, s[d.AT]) == 0:
        s[d.AT] += 1
    s[d.UNDECODABLE] += s[d.AT] - at


@kernel
def _at_pdu(a: Bytes, o: Bytes, s: State, cut: bool) -> int:  # noqa: FBT001  # kernels take their arguments by position
    """Read a PDU header; with `cut` a PDU of which the rest is missing is judged as far as it is there."""
    at, have = s[d.AT], s[d.HAVE]
    if have - at < _PDU_HEADER:
        return d.LACKING
    if not is_boundary(a, at, have):
        s[d.MODE] = d.LOST
        return d.MORE
    kind, length = load8(a, at), load32(a, at + 2)
    if kind == _P_DATA:
        _frame(a, o, s, _PDU_HEADER)
        s[d.PDUS] += 1
        s[d.PDU_LEFT], s[d.MODE] = length, d.IN_DATA
        return d.MORE
    if have - at >= _PDU_HEADER + length or (cut and s[d.MISSING] > 0):
        return d.CONTROL
    if s[d.MISSING] == 0:
        return d.LACKING
    s[d.MODE] = d.LOST
    return d.MORE


@kernel
def _lost(a: Bytes, o: Bytes, s: State) -> int:
    """Look for a boundary that the output claims and the original has."""
    _pass_zeros(o, s, s[d.HAVE])
    if s[d.AT] == s[d.HAVE]:
        return d.LACKING
    if s[d.HAVE] - s[d.AT] < _PDU_HEADER and s[d.MISSING] == 0:
        return d.LACKING
    if s[d.HAVE] - s[d.AT] >= _PDU_HEADER and is_boundary(a, s[d.AT], s[d.HAVE]):
        s[d.MODE] = d.AT_PDU
        answer = _at_pdu(a, o, s, False)  # noqa: FBT003  # the same
        if s[d.MODE] != d.LOST:
            return answer
    # No boundary, or one of a PDU of which the rest is missing.
    s[d.LEFT] += 1
    s[d.AT] += 1
    return d.MORE


@kernel
def _begin_set(s: State) -> None:
    s[d.ACTIVE], s[d.COMMAND] = 1, s[d.FLAGS] & _IS_COMMAND
    s[d.SYNTAX] = d.IMPLICIT if s[d.COMMAND] else s[d.CONTEXTS + s[d.CONTEXT]]
    reset_set(s)


@kernel
def reset_set(s: State) -> None:
    """Begin a data set."""
    s[d.SET_BASE] = s[d.SET_HAVE] = s[d.SET_AT] = s[d.VALUE_LEFT] = s[d.UNREAD] = s[d.DEPTH] = 0
    s[d.MODALITY] = s[d.CHARSET] = s[d.HAS_PIXELS] = s[d.BROKEN] = 0


@kernel
def _in_data(a: Bytes, o: Bytes, s: State) -> int:
    """Read a PDV header, or what is left of a PDU that cannot be read."""
    if s[d.PDU_LEFT] == 0:
        s[d.MODE] = d.AT_PDU
        return d.MORE
    at, have = s[d.AT], s[d.HAVE]
    if have - at < min(_PDV_HEADER, s[d.PDU_LEFT]):
        return d.LACKING
    length = load32(a, at) if s[d.PDU_LEFT] >= _PDV_HEADER else 0
    if not 2 <= length <= s[d.PDU_LEFT] - 4 or load8(a, at + 4) & 1 == 0:  # noqa: PLR2004  # PS3.8 §9.3.5.1
        count = min(have - at, s[d.PDU_LEFT])
        for i in range(at, at + count):
            s[d.LEFT] += load8(o, i) != 0
        s[d.UNDECODABLE] += count
        s[d.AT] += count
        s[d.PDU_LEFT] -= count
        return d.MORE
    context, flags = load8(a, at + 4), load8(a, at + 5)
    if s[d.ACTIVE] and (flags & _IS_COMMAND) != s[d.COMMAND]:
        s[d.ACTIVE] = 0
    s[d.CONTEXT], s[d.FLAGS] = context, flags
    _frame(a, o, s, _PDV_HEADER)
    s[d.PDV_LEFT], s[d.MODE] = length - 2, d.IN_PDV
    s[d.PDU_LEFT] -= 4 + length
    if not s[d.ACTIVE]:
        _begin_set(s)
    return d.MORE


@kernel
def _guess(b: Bytes, s: State, tags: State) -> int:
    """Guess a transfer syntax that nobody negotiated from how a data set begins; 0 for none."""
    if s[d.SET_HAVE] < 8:  # noqa: PLR2004  # a header
        return 0
    if vr_of(tags, b, 4) >= 0:
        group = load16_little(b, 0)
        return d.BIG_ENDIAN if group >= 0x0100 and load8(b, 0) == 0 and group != 0x7F00 else d.EXPLICIT  # noqa: PLR2004  # of the first group
    return d.IMPLICIT if load8(b, 1) == 0 and load32_little(b, 4) < _LONGEST_DATA else 0


@kernel
def _shift_buffer(da: Bytes, do: Bytes, m: State, s: State) -> None:
    """Drop what was walked from the buffer."""
    done = s[d.SET_AT] - s[d.SET_BASE]
    if done <= 0:
        return
    for i in range(done, s[d.SET_HAVE]):
        store8(da, i - done, load8(da, i))
        store8(do, i - done, load8(do, i))
        if s[d.TARGETS] > 0:
            m[i - done] = m[i]
    s[d.SET_BASE] = s[d.SET_AT]
    s[d.SET_HAVE] -= done


@kernel
def _append(a: Bytes, o: Bytes, da: Bytes, do: Bytes, m: State, s: State, room: int) -> None:
    """Put bytes of a PDV into the buffer of its data set."""
    at, to = s[d.AT], s[d.SET_HAVE]
    count = min(s[d.HAVE] - at, s[d.PDV_LEFT], room - to)
    for i in range(count):
        store8(da, to + i, load8(a, at + i))
        store8(do, to + i, load8(o, at + i))
    if s[d.TARGETS] > 0:
        for i in range(count):
            m[to + i] = s[d.BASE] + at + i
    s[d.AT] += count
    s[d.SET_HAVE] += count
    s[d.PDV_LEFT] -= count


@kernel
def _end_set(s: State) -> None:
    s[d.ACTIVE] = 0
    if s[d.COMMAND]:
        s[d.MESSAGES] += 1
    else:
        s[d.DATA_SETS] += 1


@kernel
def _lose(s: State, count: int) -> None:
    """Go on behind bytes that were not captured."""
    if s[d.MODE] == d.IN_PDV and count <= s[d.PDV_LEFT]:
        s[d.PDV_LEFT] -= count
        s[d.BROKEN] = 1
        if count > s[d.VALUE_LEFT]:
            damage(s)
        s[d.VALUE_LEFT] = max(s[d.VALUE_LEFT] - count, 0)
        s[d.SET_AT] += count
        s[d.SET_BASE], s[d.SET_HAVE] = s[d.SET_AT], 0
        outgrow(s)
        return
    left = s[d.PDU_LEFT] + (s[d.PDV_LEFT] if s[d.MODE] == d.IN_PDV else 0)
    if s[d.MODE] in (d.IN_PDV, d.IN_DATA) and count <= left:
        # The rest of the PDU has no header that says what it is.
        s[d.PDU_LEFT], s[d.PDV_LEFT], s[d.MODE] = left - count, 0, d.IN_DATA
    else:
        s[d.PDU_LEFT], s[d.PDV_LEFT], s[d.MODE] = 0, 0, d.LOST
    s[d.ACTIVE] = 0


@entry
def read_stream(  # noqa: C901, PLR0912, PLR0915  # one loop over what a stream is made of
    original: Bytes, output: Bytes, set_original: Bytes, set_output: Bytes, places: State, state: State, tags: State,
    counts: State, pixels: State, seen: Words, rows: State, was: Bytes, now: Bytes, targets: State, marks: State,
    overrides: Words, alone: bool,  # noqa: FBT001
) -> int:  # fmt: skip
    """Read a stream from AT on, or with `alone` walk the data set in the buffer; return what to do next."""
    a, o, da, do, m = pointer(original), pointer(output), pointer(set_original), pointer(set_output), pointer(places)
    s, t, c, p = pointer(state), pointer(tags), pointer(counts), pointer(pixels)
    e, r, w, n = pointer(seen), pointer(rows), pointer(was), pointer(now)
    g, k, v = pointer(targets), pointer(marks), pointer(overrides)
    if alone:
        return walk(da, do, m, s, t, c, p, e, r, w, n, g, k, v, True)  # noqa: FBT003  # a kernel takes positions
    while True:
        answer = d.MORE
        if s[d.MODE] == d.AT_PDU:
            answer = _at_pdu(a, o, s, True)  # noqa: FBT003  # the same
        elif s[d.MODE] == d.LOST:
            answer = _lost(a, o, s)
        elif s[d.MODE] == d.IN_DATA:
            answer = _in_data(a, o, s)
        else:
            _append(a, o, da, do, m, s, set_original.shape[0])
            is_last = s[d.PDV_LEFT] == 0 and s[d.FLAGS] & _IS_LAST != 0
            is_hole = s[d.AT] == s[d.HAVE] and s[d.MISSING] > 0 and s[d.PDV_LEFT] > 0
            if s[d.SYNTAX] == 0:
                s[d.SYNTAX] = _guess(da, s, t)
                if s[d.SYNTAX] == 0 and (is_last or is_hole or s[d.SET_HAVE] >= 8):  # noqa: PLR2004  # a header
                    # What begins as no element does may be deflated; what does not inflate either has to be zero.
                    s[d.SYNTAX] = d.DEFLATED
            if s[d.SYNTAX] == d.DEFLATED:
                if is_last or is_hole or s[d.SET_HAVE] == set_original.shape[0]:
                    return d.WHOLE
            elif s[d.SYNTAX] != 0:
                final = is_last or is_hole
                if walk(da, do, m, s, t, c, p, e, r, w, n, g, k, v, final) == d.FLUSH:
                    return d.FLUSH
                _shift_buffer(da, do, m, s)
            if s[d.PDV_LEFT] == 0:
                s[d.MODE] = d.IN_DATA
                if is_last:
                    _end_set(s)
            elif s[d.AT] == s[d.HAVE]:
                answer = d.LACKING
        if answer == d.CONTROL:
            return d.CONTROL
        if answer == d.LACKING:
            if s[d.MISSING] == 0:
                return d.MORE
            if s[d.AT] < s[d.HAVE]:
                # Too little is left for a header.
                s[d.MODE] = d.LOST if s[d.MODE] == d.AT_PDU else s[d.MODE]
                for i in range(s[d.AT], s[d.HAVE]):
                    s[d.LEFT] += load8(o, i) != 0
                s[d.UNDECODABLE] += s[d.HAVE] - s[d.AT]
                s[d.PDU_LEFT] -= min(s[d.PDU_LEFT], s[d.HAVE] - s[d.AT])
                s[d.AT] = s[d.HAVE]
            _lose(s, s[d.MISSING])
            s[d.BASE] += s[d.MISSING]
            s[d.MISSING] = 0
            return d.MORE
