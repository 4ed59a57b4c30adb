"""Kernel: decides row by row what needs no thought.

Every row is looked up among the decisions made so far, by tag and VR. Numbers are checked, what is to be blanked is
blanked, also everything inside a sequence that is; what is left is listed for Python.
"""
# ruff: noqa: FBT001, PLR0917  # kernels take their arguments by position

from typing import Final

from gql_server.engine.compilation import Bytes, State, entry, kernel
from gql_server.engine.dicom.elements import (
    AT,
    ELEMENT_COLUMNS,
    KIND,
    LENGTH,
    OFFSET_TABLE,
    OUTSIDE,
    PARENT,
    SEQUENCE,
    TAG,
    UNREADABLE,
    VR,
)
from gql_server.engine.memory import load8, pointer, store8

# Columns of a decision.
TREATMENT: Final = 0
FILL: Final = 1
FILLED: Final = 2
UNIT: Final = 3
MOST: Final = 4
PIXELS: Final = 5
"""1 for pixel data."""
DECISION_COLUMNS: Final = 6

# What a row met, as columns of the counts: elements, then bytes.
EMPTY: Final = 0
KEPT: Final = 1
BLANKED: Final = 2
ZEROED: Final = 3
OUTCOMES: Final = 4

# Places of the facts that a sweep tells.
UNKNOWN: Final = 0
"""Rows without a decision; nothing was done if there are any."""
PENDING: Final = 1
INVALID: Final = 2
INVALID_BYTES: Final = 3
DAMAGED: Final = 4
DAMAGED_BYTES: Final = 5
PIXEL_BYTES: Final = 6
CHARACTER_SETS: Final = 7
"""Rows of SpecificCharacterSet."""
FACTS: Final = 9

CHARACTER_SET_ROW: Final = 8
"""The one outside sequences."""

# Columns of what needs thought.
ROW: Final = 0
SLOT: Final = 1
PENDING_AT: Final = 2
PENDING_LENGTH: Final = 3
SCOPE: Final = 4
PENDING_COLUMNS: Final = 5
HELD: Final = 0
NOT_HELD: Final = 1
NOT_HELD_AND_BLANKED: Final = 2

KEY_COLUMNS: Final = 2
NO_KEY: Final = -1
_SPREAD: Final = 0x1E3779B97F4A7C15
_CHARACTER_SET: Final = 0x00080005
_FREE: Final = 0
_BLANKED: Final = 1
_FEW: Final = 4
"""Numbers of an attribute of any VM that are kept unseen; more of them must not spell anything."""
_RUN: Final = 6
"""Printable characters in a row that count as text."""
_T_NUMBERS: Final = 1
_T_SEQUENCE: Final = 2


@kernel
def _key(tag: int, vr: int) -> int:
    """Name what shares a decision: private elements of a group, its creators, the attributes of a public tag."""
    group, element = tag >> 16, tag & 0xFFFF
    if group & 1 and element != 0:
        tag = (group << 16) | (0x10 if 0x10 <= element < 0x100 else 0x1000)  # noqa: PLR2004  # blocks of creators
    return (tag << 16) | vr


@kernel
def _place(keys: State, mask: int, key: int) -> int:
    """Return where a key is, or the free place where it would be."""
    place = ((key * _SPREAD) >> 20) & mask
    while keys[KEY_COLUMNS * place] != NO_KEY and keys[KEY_COLUMNS * place] != key:
        place = (place + 1) & mask
    return place


@entry
def learn(keys: State, tag: int, vr: int, decision: int) -> None:
    """Remember the decision on a tag and VR; there must be room."""
    table = pointer(keys)
    key = _key(tag, vr)
    place = _place(table, keys.shape[0] // KEY_COLUMNS - 1, key)
    table[KEY_COLUMNS * place] = key
    table[KEY_COLUMNS * place + 1] = decision


@kernel
def _look_up(rows: State, count: int, keys: State, mask: int, slots: State) -> int:
    """Write each row's decision, or -1; return how many have none."""
    unknown = 0
    for i in range(count):
        row = i * ELEMENT_COLUMNS
        key = _key(rows[row + TAG], rows[row + VR])
        place = KEY_COLUMNS * _place(keys, mask, key)
        if keys[place] == key:
            slots[i] = keys[place + 1]
        else:
            slots[i] = -1
            unknown += 1
    return unknown


@kernel
def _fill(b: Bytes, at: int, length: int, byte: int) -> None:
    for i in range(at, at + length):
        store8(b, i, byte)


@kernel
def _spells(b: Bytes, at: int, length: int) -> bool:
    """Tell whether printable characters of ASCII stand in a row."""
    run = 0
    for i in range(at, at + length):
        byte = load8(b, i)
        run = run + 1 if 0x20 <= byte < 0x7F else 0  # noqa: PLR2004  # space to tilde
        if run >= _RUN:
            return True
    return False


@kernel
def _are_numbers(b: Bytes, at: int, length: int, unit: int, most: int) -> bool:
    if length % unit != 0:
        return False
    if most > 0:
        return length <= most * unit
    return length <= _FEW * unit or not _spells(b, at, length)


@kernel
def _count(counts: State, slot: int, outcome: int, length: int) -> None:
    place = (slot * OUTCOMES + outcome) * 2
    counts[place] += 1
    counts[place + 1] += length


@kernel
def _treat(
    b: Bytes, rows: State, i: int, decisions: State, slots: State, blanked: bool, counts: State, facts: State
) -> bool:
    """Treat a row that has a value; return whether it needs thought."""
    row, slot = i * ELEMENT_COLUMNS, slots[i]
    decision = slot * DECISION_COLUMNS
    at, length = rows[row + AT], rows[row + LENGTH]
    treatment = decisions[decision + TREATMENT]
    if decisions[decision + PIXELS] != 0:
        facts[PIXEL_BYTES] += length
    # An empty offset table still says that fragments follow.
    if length == 0 and rows[row + KIND] != OFFSET_TABLE:
        _count(counts, slot, EMPTY, 0)
        return False
    if rows[row + KIND] == OUTSIDE or (not blanked and treatment > _T_SEQUENCE):
        return True
    if not blanked and treatment == _T_NUMBERS:
        if _are_numbers(b, at, length, decisions[decision + UNIT], decisions[decision + MOST]):
            _count(counts, slot, KEPT, length)
            return False
        facts[INVALID] += 1
        facts[INVALID_BYTES] += length
    _fill(b, at, length, decisions[decision + FILL])
    _count(counts, slot, decisions[decision + FILLED], length)
    return False


@kernel
def _note_character_set(facts: State, i: int, parent: int) -> None:
    facts[CHARACTER_SETS] += 1
    if parent < 0:
        facts[CHARACTER_SET_ROW] = i


@kernel
def _want(pending: State, found: int, rows: State, i: int, slot: int, blanked: bool) -> None:
    """List a row for Python."""
    row, place = i * ELEMENT_COLUMNS, PENDING_COLUMNS * found
    pending[place + ROW], pending[place + SLOT] = i, slot
    pending[place + PENDING_AT], pending[place + PENDING_LENGTH] = rows[row + AT], rows[row + LENGTH]
    pending[place + SCOPE] = HELD
    if rows[row + KIND] == OUTSIDE:
        pending[place + SCOPE] = NOT_HELD_AND_BLANKED if blanked else NOT_HELD


@kernel
def _sweep_row(
    b: Bytes, rows: State, i: int, table: State, slots: State, scopes: State, counts: State, facts: State, skip: bool
) -> bool:
    """Treat a row; return whether it needs thought."""
    row = i * ELEMENT_COLUMNS
    kind, parent = rows[row + KIND], rows[row + PARENT]
    blanked = parent >= 0 and scopes[parent] == _BLANKED
    scopes[i] = _FREE
    if rows[row + TAG] == _CHARACTER_SET:
        _note_character_set(facts, i, parent)
    if skip:
        return False
    if kind == SEQUENCE:
        if not blanked and table[slots[i] * DECISION_COLUMNS + TREATMENT] == _T_SEQUENCE:
            _count(counts, slots[i], KEPT, 0)
        else:
            scopes[i] = _BLANKED
            _count(counts, slots[i], BLANKED, 0)
        return False
    if kind == UNREADABLE:
        facts[DAMAGED] += 1
        facts[DAMAGED_BYTES] += rows[row + LENGTH]
        _fill(b, rows[row + AT], rows[row + LENGTH], 0)
        return False
    return _treat(b, rows, i, table, slots, blanked, counts, facts)


@entry
def sweep(
    values: Bytes,
    elements: State,
    count: int,
    keys: State,
    decisions: State,
    slots: State,
    scopes: State,
    skipped: State,
    counts: State,
    pending: State,
    facts: State,
) -> None:
    """Treat the rows of a data set; list in `pending` those that need thought.

    `slots` and `scopes` have room for as many numbers as there are rows, `pending` for as many rows. `scopes` says of
    each sequence whether everything in it is blanked; `skipped` is 1 for rows that somebody else decides on, or empty.
    """
    b, rows, places, sequences = pointer(values), pointer(elements), pointer(slots), pointer(scopes)
    table, tally, wanted, results = pointer(decisions), pointer(counts), pointer(pending), pointer(facts)
    for i in range(FACTS):
        results[i] = 0
    results[UNKNOWN] = _look_up(rows, count, pointer(keys), keys.shape[0] // KEY_COLUMNS - 1, places)
    if results[UNKNOWN] > 0:
        return
    found = 0
    for i in range(count):
        skip = skipped.shape[0] > 0 and skipped[i] != 0
        if _sweep_row(b, rows, i, table, places, sequences, tally, results, skip):
            parent = rows[i * ELEMENT_COLUMNS + PARENT]
            _want(wanted, found, rows, i, places[i], parent >= 0 and sequences[parent] == _BLANKED)
            found += 1
    results[PENDING] = found
