from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.engine.dicom.dates import DateShift, dummy, is_moment, is_offset
from tests.engine.dicom.data_sets import KEY, OTHER_KEY

SHIFT = DateShift(KEY)


def day(text: bytes) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("DA", b"20240611", b"19000101"),
        ("DA", b"20240611-20240612", b"19000101-19000101"),
        ("DA", b"-20240612 ", b"-19000101 "),
        ("DA", b"20240611- ", b"19000101- "),
        ("DA", b"20240611\\20230101", b"19000101\\19000101"),
        ("DA", b"2024.06.11", b"1900.01.01"),
        ("DA", b"20240611\0", b"19000101\0"),
        ("TM", b"101112.123456 ", b"000000.000000 "),
        ("TM", b"1011-1213 ", b"0000-0000 "),
        ("TM", b"10:11:12", b"00:00:00"),
        ("DT", b"20240611101112.5+0200 ", b"19000101000000.0+0000 "),
        ("DT", b"2024", b"1900"),
        ("DT", b"202406", b"190001"),
        ("DT", b"20240611-20250101 ", b"19000101-19000101 "),
        ("DT", b"20240611-2021 ", b"19000101-1900 "),
        ("DT", b"20240611-0500 ", b"19000101+0000 "),
    ],
)
def test_a_moment_becomes_the_one_for_everybody(vr: str, value: bytes, expected: bytes) -> None:
    assert dummy(vr, value) == expected


@pytest.mark.parametrize(
    ("vr", "value"),
    [("DA", b"DOE^JOHN"), ("DA", b"2024061"), ("DA", b"20240611x"), ("TM", b"noon"), ("DT", b"20240611 by Doe")],
)
def test_what_is_no_moment_has_no_stand_in(vr: str, value: bytes) -> None:
    assert dummy(vr, value) is None
    assert SHIFT.shifted(vr, value) is None
    assert not is_moment(vr, value)


@settings(deadline=None)
@given(st.dates(date(1920, 1, 1), date(2200, 1, 1)), st.sampled_from(["DA", "DT"]))
def test_dates_move_by_the_same_whole_weeks(when: date, vr: str) -> None:
    moved = SHIFT.shifted(vr, when.strftime("%Y%m%d").encode())
    assert moved is not None
    assert (day(moved) - when).days == SHIFT.days
    assert day(moved).weekday() == when.weekday()


def test_a_shift_is_of_one_to_eleven_years_back_and_keyed() -> None:
    shifts = {DateShift(bytes([number]) * 32).days for number in range(40)}
    assert len(shifts) > 20
    assert all(days % 7 == 0 and -11 * 366 <= days <= -365 for days in shifts)
    assert DateShift(OTHER_KEY).days != SHIFT.days


def test_ranges_times_and_offsets_go_along() -> None:
    both = SHIFT.shifted("DA", b"20240611-20240618")
    assert both is not None
    assert (day(both[9:]) - day(both)).days == 7
    assert SHIFT.shifted("TM", b"101112") == b"101112"
    moment = SHIFT.shifted("DT", b"20240611101112.5+0200 ")
    assert moment is not None
    assert moment[8:] == b"101112.5+0200 "
    assert SHIFT.shifted("DA", b"2024.06.11") is not None


@pytest.mark.parametrize("value", [b"19000612", b"00010101", b"20240231", b"20241301"])
def test_what_would_leave_the_calendar_is_not_shifted(value: bytes) -> None:
    assert SHIFT.shifted("DA", value) is None


@pytest.mark.parametrize(
    ("value", "expected"), [(b"+0100 ", True), (b"-1130", True), (b"Berlin", False), (b"+9900", False)]
)
def test_an_offset_is_hours_and_minutes(value: bytes, *, expected: bool) -> None:
    assert is_offset(value) is expected


@settings(deadline=None)
@given(st.binary(max_size=40), st.sampled_from(["DA", "TM", "DT"]))
def test_any_bytes_keep_their_length_or_have_no_stand_in(value: bytes, vr: str) -> None:
    for replaced in (dummy(vr, value), SHIFT.shifted(vr, value)):
        assert replaced is None or len(replaced) == len(value)
