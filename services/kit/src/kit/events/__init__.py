"""The outbox, the change feed, and its epochs."""
