"""What must never be false about posts, and who sees a row."""

from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, text

from kit.schema.access import Access
from kit.schema.tables import Attributed, TableName, TenantTable, text_column

ONCE = "post_once"


class Post(Attributed, TenantTable, table=True):
    """One post of the trust or of an academy: a role there, under a title."""

    __tablename__: ClassVar[TableName] = "post"
    __table_args__ = (
        CheckConstraint("state in ('active', 'retired')", name="post_state"),
        CheckConstraint("length(btrim(title)) > 0", name="post_title"),
        Index(
            ONCE,
            "trust_id",
            "urn",
            "role",
            "title",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("state = 'active'"),
        ),
        Index("post_by_title", "trust_id", "title", "id"),
        {"schema": "academy"},
    )
    __access__ = Access(urn="urn", urn_optional=True, grants=("select", "insert", "update"))

    urn: int | None = None
    state: str = text_column()
    role: str = text_column()
    title: str = text_column()
