"""Cursors: opaque, ordered as numbers, refused when forged."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.domain.errors import InvalidCursor
from gql_server.domain.events import Cursor

NUMBERS = st.integers(0, 2**63 - 1)


@given(NUMBERS, NUMBERS)
def test_a_cursor_survives_the_wire(xid: int, number: int) -> None:
    assert Cursor.decode(Cursor(xid, number).encode()) == Cursor(xid, number)


def test_cursors_compare_as_numbers() -> None:
    assert Cursor(9, 5) < Cursor(10, 1) < Cursor(10, 2)


@given(st.text(max_size=40))
def test_any_other_text_is_refused_with_its_code(text: str) -> None:
    try:
        cursor = Cursor.decode(text)
    except InvalidCursor:
        return
    assert cursor.encode() == text


@pytest.mark.parametrize("body", ["e2:1:1", "e1:-1:1", "e1:1", f"e1:{2**63}:0", "e1:01:1", "e1: 1:1"])
def test_forged_cursors_are_refused(body: str) -> None:
    with pytest.raises(InvalidCursor):
        Cursor.decode(base64.urlsafe_b64encode(body.encode()).decode().rstrip("="))
