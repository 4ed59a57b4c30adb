"""Tests of the measurements: what they measure with, and how they compare."""
