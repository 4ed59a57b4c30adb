"""One capture in, another out, without a server."""
