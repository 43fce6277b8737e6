"""The outbox, the change feed and its epochs, followers of feeds and their read models."""
