"""Records the capture that ships with the product."""
