"""Coded entries: codes of published schemes.

PS3.3 §8.8, PS3.16 §8. A scheme that everybody knows cannot say whose it is; a local one can, with its codes and
meanings. A meaning stays as it is where it is the published one of its code, and word by word where the code is
unknown here.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

_SCHEMES: Final = frozenset(
    b"ACR AS4 ASTM-sigpurpose BARI BI C4 CD2 CVX DCM FMA HPC I10 I10C I10P I11 I9 I9C IBSI ICDO3 ISO3166_1 ISO639_1 "
    b"ISO639_2 ITIS_TSN LN MA MAYOASRG MDC MSH NCIt NDC NEU NYUMCCG PUBCHEM_CID RADELEMENT RADLEX RFC3066 RFC5646 "
    b"RXNORM SCT SNM3 SRT UBERON UCUM UMLS UNS UPC 99SDM".split()
)
"""Designators of PS3.16 table 8-1 that are in use, and 99SDM of older SNOMED codes."""
_CODE: Final = re.compile(rb"[A-Za-z0-9._\-/^\[\]{}%*+()':]{1,64}")


@dataclass(frozen=True, slots=True)
class CodedEntry:
    """A code and its scheme, as far as an item has them; without padding."""

    scheme: bytes
    code: bytes


NO_ENTRY: Final = CodedEntry(b"", b"")


class CodedEntries:
    """The published codes, loaded when first needed."""

    @staticmethod
    def is_standard(scheme: bytes) -> bool:
        """Tell whether a scheme designator is one of the published ones."""
        return scheme.strip(b" \0") in _SCHEMES

    def keeps_code(self, entry: CodedEntry, value: bytes) -> bool:
        """Tell whether a value looks like a code, or a version, of a standard scheme."""
        stripped = value.strip(b" \0")
        return self.is_standard(entry.scheme) and (_CODE.fullmatch(stripped) is not None or not stripped)

    def publishes(self, entry: CodedEntry, meaning: bytes) -> bool:
        """Tell whether a meaning is one that its scheme gives a code."""
        return (entry.scheme, entry.code, meaning.strip(b" \0").lower()) in self._published

    @cached_property
    def _published(self) -> frozenset[tuple[bytes, bytes, bytes]]:
        # Thousands of codes: most captures need none of them.
        from gql_server.engine.dicom.vocabulary import published_codes  # noqa: PLC0415  # see above

        return frozenset(
            (scheme.encode(), code.encode(), meaning.encode().lower()) for scheme, code, meaning in published_codes()
        )
