"""Tests by judges from outside."""
