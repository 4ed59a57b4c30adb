"""Lines: rules and overrides, each named by its line."""

from pathlib import Path

import pytest

from gql_server.deidentify.lines import read_overrides, read_rules
from gql_server.domain.dicom import DicomOverride, OverrideAction
from gql_server.domain.dicom_errors import OverrideMalformed
from gql_server.domain.errors import InvalidInput, RuleMalformed, RulesOverlap


def test_rules_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "rules"
    path.write_text("# all\n10.0.0.0/8 172.20.0.0/8 # wrong\n".replace("172.20", "11.0") + "\n 2001:db8::/32\tKeep\r\n")
    assert set(read_rules(path)) == {("10.0.0.0/8", "11.0.0.0/8"), ("2001:db8::/32", "KEEP")}
    assert read_rules(None) == ()


def test_a_wrong_rule_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rules"
    path.write_text("# one\n\n10.0.0.0/8 keep\n\n10.0.0.0/8 zero\n")
    with pytest.raises(RulesOverlap) as overlap:
        read_rules(path)
    assert (overlap.value.index, overlap.value.other) == (5, 3)
    path.write_text("# one\n10.0.0.0/8 keep please\n")
    with pytest.raises(RuleMalformed) as malformed:
        read_rules(path)
    assert malformed.value.index == 2
    assert malformed.value.__notes__ == overlap.value.__notes__ == ["A rule's number is that of its line."]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"#" * (1 << 20) + b"#"])
def test_what_is_no_list_of_rules_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "rules"
    path.write_bytes(body)
    with pytest.raises(InvalidInput, match="--rules"):
        read_rules(path)


@pytest.mark.parametrize("read", [read_rules, read_overrides])
def test_a_file_that_is_not_there_is_named_without_its_path(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(InvalidInput, match="No such file") as told:
        read(tmp_path / "nothing")
    assert str(tmp_path) not in str(told.value)


def test_overrides_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "overrides"
    path.write_text(
        "# decided on Monday\n\n00081030 keep\r\n  # and\n00400275.00400007\tREPLACE Thorax  # 2\n".replace("\t", " ")
        + "0" * 32
        + " replace\n"
        "00100010   Replace   山田^太郎\n",
        encoding="utf-8",
    )
    assert read_overrides(path) == (
        DicomOverride(element="00081030", action=OverrideAction.KEEP),
        DicomOverride(element="00400275.00400007", action=OverrideAction.REPLACE, value="Thorax  # 2"),
        DicomOverride(element="0" * 32, action=OverrideAction.REPLACE, value=""),
        DicomOverride(element="00100010", action=OverrideAction.REPLACE, value="山田^太郎"),
    )
    assert read_overrides(None) == ()


@pytest.mark.parametrize(
    "line", ["00100010", "00100010 keep it", "00100010 drop", "0010 keep", "keep 00100010", "00081030 keep"]
)
def test_a_wrong_override_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "overrides"
    path.write_text(f"# one\n00081030 keep\n\n{line}\n")
    with pytest.raises(OverrideMalformed) as malformed:
        read_overrides(path)
    assert malformed.value.index == 4
    assert malformed.value.__notes__ == ["An override's number is that of its line."]


def test_too_many_overrides_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "overrides"
    path.write_text("".join(f"{number:08x} keep\n" for number in range(10_001)))
    with pytest.raises(OverrideMalformed, match="at most 10000") as malformed:
        read_overrides(path)
    assert malformed.value.index == 10_001
