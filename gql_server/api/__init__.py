"""The GraphQL face: translates, decides nothing."""
