"""Tests of the command that needs no server."""
