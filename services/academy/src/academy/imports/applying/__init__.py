"""Applying a file in the background: from a queued import to changed tables, all of the file or nothing.

In: an import that is queued, and its file in the database. Out: its end (succeeded, failed), its counts, events on
the feed, and jobs that rate the affected trusts again. Steps, in the order in which `run` takes them:

1. `temporary_folders` gives a folder on disk; the file is unpacked into it.
2. `stage` reads the file with `formats` and writes one CSV for each target table.
3. `load` copies each CSV into a temporary table and merges it: figures and entries with `merge` (what makes two rows
   the same is in `targets`), memberships with `members`.
4. `notices` records events for the trusts that are affected.

`at_once` takes the same steps for figures that come with a request, in its transaction; `turns` keeps the two apart.
"""
