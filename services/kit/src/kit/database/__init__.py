"""Connections, sessions and the context that row-level security reads."""
