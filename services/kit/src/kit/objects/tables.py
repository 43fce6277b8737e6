"""What must never be false about files: each has an owner in its trust, a size, an accepted type and a hash.

The table is the same in every service that takes files; a session of the service finds its own.
"""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, Text, Uuid
from sqlmodel import Field

from kit.schema.kit_tables import KitTable


class StoredFile(KitTable, table=True):
    """One file: what it is called, what it belongs to (`moderations/{id}`), and where its content lies.

    `urn` is the academy of what it belongs to, by which a grant for some academies shows or hides it; null when that
    concerns the whole trust.
    """

    __tablename__: ClassVar[str | Callable[..., str]] = "stored_file"

    trust_id: UUID = Field(primary_key=True, sa_type=Uuid)
    id: UUID = Field(primary_key=True, sa_type=Uuid)
    owner: str = Field(sa_type=Text)
    urn: int | None = Field(default=None, sa_type=Integer)
    sha256: str = Field(sa_type=Text)
    size_bytes: int = Field(sa_type=BigInteger)
    media_type: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    created_by: str = Field(sa_type=Text)
