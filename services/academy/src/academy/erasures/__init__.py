"""Erasures of a trust's own figures: a value that says too much about few pupils is taken out of the history too.

A trust's data manager erases a figure with a reason. The value goes from the figure in all its versions, from ratings
that rest on it, from their events and from the files that were sent; who did it, when and why stays. Where a copy can
be left for a while (backups, readers of the feed, kept answers) is written in docs/guides/importing.md.
"""
