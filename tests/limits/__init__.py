"""Limits that the requirements name; each prints its figure."""
