"""What can go wrong with the changes of an import."""

from kit.problems import Conflict


class ImportChangesNotKept(Conflict):
    """What this import changed isn't listed: it holds published data, was only tried, or hasn't been applied."""
