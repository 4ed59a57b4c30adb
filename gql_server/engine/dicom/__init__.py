"""DICOM in TCP streams: found, read, de-identified in place."""
