"""What can go wrong with clients."""

from kit.problems import Conflict, NotFound


class ClientNotFound(NotFound):
    """There is no such client that you may see."""


class ClientNameTaken(Conflict):
    """Another client of the trust has this name."""


class ClientHasNoSecret(Conflict):
    """A public client has no secret."""
