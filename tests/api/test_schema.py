"""The schema, assembled: built afresh as often as wanted."""

from gql_server.api.schema import build_schema, export_schema


def test_two_schemas_are_alike_and_apart() -> None:
    one, two = build_schema(), build_schema()
    assert one is not two
    assert one.as_str() == two.as_str()


def test_the_export_ends_like_a_text_file() -> None:
    assert export_schema().endswith("}\n")


def test_what_may_be_left_out_shows_no_null() -> None:
    assert "= null" not in export_schema()
