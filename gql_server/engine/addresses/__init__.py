"""Addresses: found in packets, mapped by key, written back."""
