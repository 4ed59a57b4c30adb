import pytest

from gql_server.engine.verify.dicom_dates import days_between, has_date, is_dummy


@pytest.mark.parametrize(
    "value", [b"", b"19000101", b"19000101000000.000000", b"000000", b"1900", b"190001", b"-", b"*"]
)
def test_a_dummy_says_nothing(value: bytes) -> None:
    assert is_dummy(value)


@pytest.mark.parametrize(
    "value", [b"20240131", b"101112", b"19000102", b"19000101101112", b"1970", b"19000101-20240131"]
)
def test_a_date_or_time_is_no_dummy(value: bytes) -> None:
    assert not is_dummy(value)


def test_dates_move_by_days() -> None:
    assert days_between(b"20240131", b"20240124") == {-7}
    assert days_between(b"20240131-20240202", b"20240124-20240126") == {-7}
    assert days_between(b"20240131-20240202", b"20240124-20240125") == {-7, -8}
    assert days_between(b"20240131", b"19000101") == set()
    assert days_between(b"20240131", b"20249999") is None
    assert days_between(b"20240131", b"        ") is None


def test_a_month_is_no_date() -> None:
    assert has_date(b"20240131101112")
    assert not has_date(b"202401")
