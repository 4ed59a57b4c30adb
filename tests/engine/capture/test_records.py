from gql_server.engine.capture import records


def columns(prefix: str) -> list[int]:
    names = [name for name in vars(records) if name.startswith(prefix) and not name.endswith("_COLUMNS")]
    return sorted(getattr(records, name) for name in names)


def test_the_columns_of_each_table_are_counted_and_distinct() -> None:
    for prefix in ("RECORD", "INTERFACE", "TOTAL"):
        assert columns(f"{prefix}_") == list(range(getattr(records, f"{prefix}_COLUMNS")))


def test_the_reasons_to_stop_are_distinct() -> None:
    names = ["FRAMED", "LIST_FULL", "TOO_LARGE", "HEADER_BLOCK", *(n for n in vars(records) if n.startswith("BAD_"))]
    assert len({getattr(records, name) for name in names}) == len(names)
