"""What can go wrong with tenants."""

from kit.problems import Conflict, NotFound


class TenantNotFound(NotFound):
    """There is no such tenant."""


class TenantKnown(Conflict):
    """A tenant has this Group UID or TR reference already."""


class TenantHasAdministrator(Conflict):
    """The trust has administrators of its own, who alone name others."""
