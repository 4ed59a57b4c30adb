"""Capture files: formats, compression, windows of records."""
