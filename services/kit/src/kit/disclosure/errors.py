"""What can be wrong with a table of counts, or stop it from being published."""


class SumDoesNotHold(ValueError):
    """A total isn't the sum of its parts."""


class CountInvalid(ValueError):
    """A count is negative, or stands for two different numbers in linked tables, or has no place in the table."""


class TableNotPublishable(Exception):
    """However much is hidden, a small count could be worked out, or nothing but zeros would be left: the table can't be
    published at all. The message doesn't say which count is small."""


class SolverFailed(RuntimeError):
    """A linear programme had no end that its kind should have; nothing may be published on its word."""
