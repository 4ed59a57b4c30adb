"""The proof: a second reader of original and output."""
