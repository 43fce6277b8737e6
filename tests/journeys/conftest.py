"""The installation that journeys share."""

from tests.support.installations import stack, stack_alone

__all__ = ["stack", "stack_alone"]
