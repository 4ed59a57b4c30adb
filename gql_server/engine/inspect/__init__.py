"""Inspection: one pass that counts and digests a capture."""
