"""What can go wrong with keys."""

from kit.problems import ServiceUnavailable


class NoSigningKey(ServiceUnavailable):
    """There is no signing key yet; try again later."""


class UnknownKey(Exception):
    """No key has this id."""
