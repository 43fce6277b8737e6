"""What can go wrong with people."""

from kit.problems import Conflict, InvalidRequest, NotFound


class PersonNotFound(NotFound):
    """There is no such person that you may see."""


class PersonKnown(Conflict):
    """Another person of the trust has this address or account."""


class PersonInvalid(InvalidRequest):
    """The person could not sign in with these details."""
