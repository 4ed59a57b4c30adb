"""The house: sizes, names, captions, and what stands where."""

import ast
import re
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from gql_server.settings import PREFIX, Settings
from tests.readme import BEGIN, END, README, with_table

HOUSE = Path(__file__).resolve().parents[1]
PACKAGE = HOUSE / "gql_server"
FILES = sorted(PACKAGE.rglob("*.py"))

FILE_LINES = 400
GRAPH_LINES = 500
GRAPHS = {"api/types.py", "store/tables.py"}
"""Types that name each other: one file each, as long as they stay below the larger bound."""
FUNCTION_LINES = 40
SHORT_LINES = 25
SHORT_SHARE = 0.9
CAPTION_LENGTH = 60
CATCH_ALLS = {"utils", "util", "helpers", "helper", "common", "core", "managers", "manager", "misc", "base"}
COMMITS = {"store/database.py", "store/migrations.py"}
KERNELS = {"kernel", "entry"}
"""Decorators of functions that numba compiles; a split of one may cost its speed."""

WITHOUT_TESTS_OF_THEIR_OWN: dict[str, str] = {
    "domain/access.py": "tests/services/test_uploads.py",
    "domain/anonymization.py": "tests/engine/test_tasks.py",
    "domain/error_codes.py": "tests/domain/test_errors.py",
    "domain/ids.py": "tests/api/test_ids.py",
    "domain/paging.py": "tests/api/test_paging.py",
    "domain/traces.py": "tests/engine/test_tasks.py",
    "domain/uploads.py": "tests/services/test_uploads.py",
    "services/resources.py": "tests/services/test_uploads.py",
    "store/tables.py": "tests/test_migrations.py",
}
"""Files of the package whose behaviour is tested elsewhere, with the place; this list only ever shrinks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    name: str
    lines: int
    is_kernel: bool
    head: str


def place_of(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def functions_of(file: Path) -> list[Function]:
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            found.append(
                Function(
                    name=f"{place_of(file)}: {node.name}",
                    lines=node.end_lineno - node.lineno + 1,
                    is_kernel=any(isinstance(each, ast.Name) and each.id in KERNELS for each in node.decorator_list),
                    head=lines[node.lineno - 1],
                )
            )
    return found


ALL_FUNCTIONS = [function for file in FILES for function in functions_of(file)]


@pytest.mark.parametrize("file", FILES, ids=place_of)
def test_a_file_is_short(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= (GRAPH_LINES if place_of(file) in GRAPHS else FILE_LINES)


@pytest.mark.parametrize("file", FILES, ids=place_of)
def test_a_file_opens_with_a_caption(file: Path) -> None:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    caption, _, rest = text.partition("\n")
    assert caption
    assert len(caption) <= CAPTION_LENGTH
    assert not rest or rest.startswith("\n"), "the caption ends with its line"


def test_a_function_is_short_unless_it_is_a_kernel_with_a_reason() -> None:
    long = [function for function in ALL_FUNCTIONS if function.lines > FUNCTION_LINES]
    excused = [each for each in long if each.is_kernel and re.search(r"# noqa: [A-Z0-9, ]+  # \S", each.head)]
    assert [f"{each.name} has {each.lines} lines" for each in long if each not in excused] == []


def test_nine_functions_in_ten_are_very_short() -> None:
    short = sum(function.lines <= SHORT_LINES for function in ALL_FUNCTIONS)
    assert short >= SHORT_SHARE * len(ALL_FUNCTIONS)


def test_no_file_is_a_catch_all() -> None:
    names = {part for file in FILES for part in file.relative_to(PACKAGE).with_suffix("").parts}
    assert names & CATCH_ALLS == set()


def test_transactions_are_committed_in_one_place() -> None:
    places = {place_of(file) for file in FILES if "commit(" in file.read_text(encoding="utf-8")}
    assert places <= COMMITS


def has_tests_of_its_own(file: Path) -> bool:
    place = file.relative_to(PACKAGE)
    return (HOUSE / "tests" / place.with_name(f"test_{file.stem.strip('_')}.py")).is_file()


def test_each_file_has_its_test_file() -> None:
    missing = {place_of(file) for file in FILES if file.name != "__init__.py" and not has_tests_of_its_own(file)}
    assert missing - set(WITHOUT_TESTS_OF_THEIR_OWN) == set()


def test_an_exception_is_a_file_without_tests_and_names_a_test_that_is_there() -> None:
    obsolete = [
        place
        for place, tested_by in WITHOUT_TESTS_OF_THEIR_OWN.items()
        if not (PACKAGE / place).is_file() or has_tests_of_its_own(PACKAGE / place) or not (HOUSE / tested_by).is_file()
    ]
    assert obsolete == []


def test_the_readme_lists_the_settings_as_the_code_has_them() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_table(text), "run `make readme`"


def test_the_readme_names_every_setting_and_nothing_else() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.partition(BEGIN)[2].partition(END)[0]
    assert re.findall(rf"{PREFIX}[A-Z_]+", table) == [PREFIX + each.name.upper() for each in fields(Settings)]
    elsewhere = set(re.findall(rf"{PREFIX}[A-Z]\w+", text)) - set(re.findall(rf"{PREFIX}[A-Z_]+", table))
    assert elsewhere == {"GQL_SERVER_LONG_TESTS", "GQL_SERVER_CORPORA"}


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = re.findall(r"```sh\n(python3 -m venv .*pytest)\n```", README.read_text(encoding="utf-8"))
    script = (HOUSE / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert len(commands) == 1
    assert commands[0] in script


def test_constraints_name_exact_versions_and_no_place() -> None:
    lines = (HOUSE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)] == []


def test_every_decision_says_why_and_what_enforces_it() -> None:
    headings = ["Context", "Decision", "Consequences", "Alternatives", "References"]
    for file in sorted((HOUSE / "docs" / "decisions").glob("*.md")):
        found = re.findall(r"^## (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert found == headings, file.name


def test_every_decision_refers_to_what_is_there() -> None:
    for file in sorted((HOUSE / "docs" / "decisions").glob("*.md")):
        references = file.read_text(encoding="utf-8").partition("## References")[2]
        paths = re.findall(r"`([\w./-]+/[\w./-]+)`", references)
        assert paths, file.name
        assert [path for path in paths if not (HOUSE / path).exists()] == [], file.name
