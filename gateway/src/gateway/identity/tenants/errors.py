"""What can go wrong with tenants."""

from kit.problems import Conflict, NotFound


class TenantNotFound(NotFound):
    """There is no tenant with this identifier."""


class TenantKnown(Conflict):
    """A tenant has this Group UID or TR reference already."""


class TenantHasAdministrator(Conflict):
    """The trust already has an administrator."""
