"""The base of tables that the kit makes by SQL in the schema of each service that needs them."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class KitTable(SQLModel, registry=registry()):
    """A table without a schema: a session of a service finds its own. No service's migrations compare it."""
