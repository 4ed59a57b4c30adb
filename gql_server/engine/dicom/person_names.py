"""Pseudonyms of person names (PS3.5 §6.2.1.1).

Each component of each component group (alphabetic, ideographic, phonetic) has a pseudonym of its own, whatever place
it has in the name: a family keeps one name, and a query for it finds it. Wildcards stay, but a prefix of a name has
another pseudonym than the name.
"""

from typing import Final

from gql_server.engine.dicom.alphabets import Alphabets
from gql_server.engine.dicom.character_sets import characters
from gql_server.engine.dicom.texts import TextPermuting, has_controls, joined, split

_DELIMITERS: Final = "\\=^"


class PersonNames:
    """The pseudonyms of person names under one key."""

    def __init__(self, key: bytes, alphabets: Alphabets) -> None:
        self._names = TextPermuting(key, "names", alphabets)

    def pseudonym(self, value: bytes, declared: bytes) -> bytes | None:
        """Return the pseudonym of a PN value; None for one that is no name in its character set."""
        stripped = value.rstrip(b"\0")
        text = characters(stripped, declared)
        if text is None or has_controls(text):
            return None
        parts, between = split(text, _DELIMITERS)
        names = [self._names.pseudonym(part) for part in parts]
        known = [name for name in names if name is not None]
        return joined(known, between) + value[len(stripped) :] if len(known) == len(names) else None
