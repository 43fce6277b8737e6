"""What can go wrong with keys."""

from kit.problems import ServiceUnavailable


class NoSigningKey(ServiceUnavailable):
    """There is no key to sign with yet."""


class UnknownKey(Exception):
    """No key has this id."""
