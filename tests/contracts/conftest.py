"""The installation that journeys share."""

from tests.support.installations import stack

__all__ = ["stack"]
