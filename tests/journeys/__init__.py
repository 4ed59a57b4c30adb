"""Whole stories, through the real doors."""
