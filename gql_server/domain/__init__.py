"""The words: ids, states, values and errors."""
