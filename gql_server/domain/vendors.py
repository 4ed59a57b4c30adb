"""Vendors of network devices, by their assigned prefixes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OuiVendor:
    """A block of MAC addresses and who owns it (IEEE Registration Authority)."""

    oui: str
    """The digits that its addresses begin with: 00:11:22, or for smaller blocks 00:55:da:1 and 00:1b:c5:00:1."""
    name: str

    @property
    def is_whole(self) -> bool:
        """Say whether the last three octets are the owner's to assign (MA-L)."""
        return len(self.oui) == len("00:11:22")
