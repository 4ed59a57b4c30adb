"""Limits run against the same servers as journeys."""

from tests.journeys.conftest import new_installation

__all__ = ["new_installation"]
