"""Rules and overrides, one a line of a file.

Where one is refused, its number is that of its line, from 1.
"""

from pathlib import Path
from typing import Final

from gql_server.deidentify.orders import strerror_of
from gql_server.domain.dicom import DicomOverride
from gql_server.domain.dicom_errors import OverrideMalformed
from gql_server.domain.dicom_overrides import OverrideText, parse_overrides
from gql_server.domain.error_tree import error_of
from gql_server.domain.errors import Fact, GqlServerError, InvalidInput, RuleMalformed, RulesError
from gql_server.domain.rules import parse_address_rules

_RULES_BYTES: Final = 1 << 20
_OVERRIDES_BYTES: Final = 1 << 24
_RULE_BY_LINE: Final = "A rule's number is that of its line."
_OVERRIDE_BY_LINE: Final = "An override's number is that of its line."
_PARTS: Final = 2


def read_rules(path: Path | None) -> tuple[tuple[str, str], ...]:
    """Return the rules of a file, one a line: a CIDR, and a CIDR or keep, map or zero; # begins a comment.

    Raises:
        InvalidInput: the file cannot be read.
        RulesError: as `parse_address_rules`; its numbers are those of lines, from 1.
    """
    lines: list[int] = []
    pairs: list[tuple[str, str]] = []
    for number, line in enumerate(_lines_of("--rules", path, _RULES_BYTES), start=1):
        match line.partition("#")[0].split():
            case []:
                continue
            case [source, target]:
                lines.append(number)
                pairs.append((source, target))
            case _:
                malformed = RuleMalformed(index=number, reason="not a source and what becomes of it")
                malformed.add_note(_RULE_BY_LINE)
                raise malformed
    try:
        return tuple(rule.as_text() for rule in parse_address_rules(pairs))
    except RulesError as error:
        raise _by_line(error, lines, _RULE_BY_LINE) from error


def read_overrides(path: Path | None) -> tuple[DicomOverride, ...]:
    """Return the overrides of a file, one a line: `ELEMENT keep`, or `ELEMENT replace VALUE`, to the end of the line.

    A line that begins with # is a comment; elsewhere it may be part of a value.

    Raises:
        InvalidInput: the file cannot be read.
        OverrideMalformed: as `parse_overrides`; its number is that of the line, from 1.
    """
    lines: list[int] = []
    triples: list[OverrideText] = []
    for number, line in enumerate(_lines_of("--overrides", path, _OVERRIDES_BYTES), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            lines.append(number)
            triples.append(_triple(line))
    try:
        return parse_overrides(triples)
    except OverrideMalformed as error:
        raise _by_line(error, lines, _OVERRIDE_BY_LINE) from error


def _triple(line: str) -> OverrideText:
    element, _, rest = line.strip().partition(" ")
    action, _, value = rest.strip().partition(" ")
    replaces = action.upper() == "REPLACE"
    return element, action.upper(), value.strip() if value or replaces else None


def _lines_of(option: str, path: Path | None, most: int) -> list[str]:
    if path is None:
        return []
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            text = file.read(most + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = strerror_of(error) if isinstance(error, OSError) else "it is no text in UTF-8"
        raise InvalidInput(field=option, reason=reason) from error
    if len(text) > most:
        raise InvalidInput(field=option, reason=f"it is longer than {most} characters")
    # Not splitlines: a value may hold what that takes for the end of a line.
    return [line.removesuffix("\r") for line in text.split("\n")]


def _by_line(error: GqlServerError, lines: list[int], note: str) -> GqlServerError:
    """Return the error with its numbers those of lines; one of too many is that of the last line."""
    facts: dict[str, Fact] = error.facts()
    facts |= {name: lines[min(int(facts[name]), len(lines) - 1)] for name in ("index", "other") if name in facts}
    told = error_of(error.code, facts)
    told.add_note(note)
    return told
