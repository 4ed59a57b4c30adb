"""Pseudonyms of identifiers and of devices' names.

An identifier keeps its layout: where it has digits, letters and punctuation. AE titles and station names share one
domain, in which spaces around them and the case of letters do not count, so that the names of one device stay equal.
"""

from gql_server.engine.dicom.alphabets import Alphabets
from gql_server.engine.dicom.character_sets import characters
from gql_server.engine.dicom.texts import TextPermuting, has_controls, joined, split


class Identifiers:
    """The pseudonyms of one domain of identifiers."""

    def __init__(self, key: bytes, domain: str, alphabets: Alphabets) -> None:
        self._texts = TextPermuting(key, domain, alphabets)

    def pseudonym(self, value: bytes, declared: bytes) -> bytes | None:
        """Return the pseudonym of a value, each of several on its own; None for what is no text."""
        stripped = value.rstrip(b"\0")
        text = characters(stripped, declared)
        if text is None or has_controls(text):
            return None
        parts, between = split(text, "\\")
        values = [self._texts.pseudonym(part) for part in parts]
        known = [each for each in values if each is not None]
        return joined(known, between) + value[len(stripped) :] if len(known) == len(values) else None
