"""Measurements: the engine beside other programs."""
