import pytest

from gql_server.domain.inspection import RowRequest


@pytest.mark.parametrize(
    ("request_", "total", "span"),
    [
        (RowRequest(size=3), 10, (0, 3)),
        (RowRequest(size=3), 2, (0, 2)),
        (RowRequest(size=3, after=0), 10, (1, 4)),
        (RowRequest(size=3, after=8), 10, (9, 10)),
        (RowRequest(size=3, after=9), 10, (10, 10)),
        (RowRequest(size=3, after=99), 10, (10, 10)),
        (RowRequest(size=3, before=2), 10, (0, 2)),
        (RowRequest(size=3, after=2, before=5), 10, (3, 5)),
        (RowRequest(size=3, after=5, before=2), 10, (6, 6)),
        (RowRequest(size=3, backward=True), 10, (7, 10)),
        (RowRequest(size=3, before=2, backward=True), 10, (0, 2)),
        (RowRequest(size=3, before=8, backward=True), 10, (5, 8)),
        (RowRequest(size=3, after=6, before=8, backward=True), 10, (7, 8)),
        (RowRequest(size=3, backward=True), 0, (0, 0)),
    ],
)
def test_a_request_is_a_span_of_rows(request_: RowRequest, total: int, span: tuple[int, int]) -> None:
    assert request_.span(total) == span
