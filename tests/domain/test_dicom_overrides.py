"""Overrides: what they may name, and what they may say."""

import pytest

from gql_server.domain import dicom_overrides
from gql_server.domain.dicom import MAX_OVERRIDES, DicomOverride, OverrideAction
from gql_server.domain.dicom_errors import OverrideMalformed
from gql_server.domain.dicom_overrides import MAX_DEPTH, MAX_VALUE, OverrideText, as_text, parse_overrides

ID = "0123456789abcdef" * 2


def test_ids_and_paths_are_read_whatever_their_case_and_kept_in_order() -> None:
    read = parse_overrides([(ID.upper(), "KEEP", None), (" 0008103E ", "REPLACE", "Thorax")])
    assert read == (
        DicomOverride(element=ID, action=OverrideAction.KEEP),
        DicomOverride(element="0008103e", action=OverrideAction.REPLACE, value="Thorax"),
    )
    assert parse_overrides([as_text(override) for override in read]) == read


@pytest.mark.parametrize(
    "element",
    ["", "x" * 32, ID[:31], ID + "0", "0010001", "00100010.", ".00100010", "00100010 00100020", "0010\n010"],
)
def test_what_is_neither_an_id_nor_a_path_is_refused(element: str) -> None:
    with pytest.raises(OverrideMalformed) as caught:
        parse_overrides([("00100010", "KEEP", None), (element, "KEEP", None)])
    assert caught.value.index == 1
    assert not element or element not in str(caught.value)


def test_a_path_is_as_deep_as_the_walk_and_no_deeper() -> None:
    deep = ".".join(["00400275"] * MAX_DEPTH)
    assert parse_overrides([(deep, "KEEP", None)])[0].element == deep
    with pytest.raises(OverrideMalformed):
        parse_overrides([(f"{deep}.00400007", "KEEP", None)])


@pytest.mark.parametrize(
    ("action", "value", "words"),
    [
        ("REPLACE", None, "REPLACE takes a value"),
        ("KEEP", "x", "KEEP takes none"),
        ("keep", None, "neither KEEP nor REPLACE"),
        ("REPLACE", "a\nb", "none of control"),
        ("REPLACE", "a\u202eb", "none of control"),
        ("REPLACE", "x" * (MAX_VALUE + 1), f"at most {MAX_VALUE} characters"),
    ],
)
def test_what_an_override_says_must_fit_together(action: str, value: str | None, words: str) -> None:
    with pytest.raises(OverrideMalformed, match=words):
        parse_overrides([("00100010", action, value)])


def test_names_of_every_script_and_an_empty_value_are_taken() -> None:
    values = ["", "YAMADA^TARO=\u5c71\u7530^\u592a\u90ce\u3000", "x" * MAX_VALUE]
    triples: list[OverrideText] = [(f"0010{number:04x}", "REPLACE", value) for number, value in enumerate(values)]
    assert [override.value for override in parse_overrides(triples)] == values


def test_an_element_is_named_once() -> None:
    with pytest.raises(OverrideMalformed, match="override 0 names the same") as caught:
        parse_overrides([("0008103e", "KEEP", None), ("00100010", "KEEP", None), ("0008103E", "KEEP", None)])
    assert caught.value.index == 2


def test_there_is_an_end_to_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_OVERRIDES == 10_000
    monkeypatch.setattr(dicom_overrides, "MAX_OVERRIDES", 2)
    triples: list[OverrideText] = [(f"0010{number:04x}", "KEEP", None) for number in range(3)]
    assert len(parse_overrides(triples[:2])) == 2
    with pytest.raises(OverrideMalformed, match="at most 2"):
        parse_overrides(triples)
