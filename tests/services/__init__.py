"""Tests of the services floor."""
