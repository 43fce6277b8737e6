"""What an import of a trust's own figures changed: each figure with its value before and after.

It is read from the figures themselves, which are superseded and never overwritten. Imports of published files aren't
listed: everybody follows these by `updated_since` and the change feed.
"""
