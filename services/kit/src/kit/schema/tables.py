"""What table classes are made of: mixins with the columns that many tables share, and columns of the usual types.

    class Visit(Attributed, TenantTable, table=True):
        __tablename__ = "visit"
        __table_args__ = (CheckConstraint("state in ('planned', 'held')", name="visit_state"), {"schema": "academy"})
        __access__ = Access(urn="urn")

        urn: int
        state: str = text_column()

Reference tables, which belong to no trust, are plain `SQLModel` classes without `__access__`.
"""

from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ARRAY, Column, DateTime, Dialect, Integer, Text, TypeDecorator, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import declared_attr
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from kit.etags import check_if_match, etag
from kit.schema.access import Access

TableName = str | declared_attr[Any]


def text_column(*, nullable: bool = False, **options: Any) -> Any:
    """Text of any length; how long it may be is the request model's business."""
    return Field(sa_type=Text, nullable=nullable, **_default(nullable, options))


def instant_column(*, nullable: bool = False, **options: Any) -> Any:
    """An instant with its zone."""
    return Field(sa_type=DateTime(timezone=True), nullable=nullable, **_default(nullable, options))


def json_column(*, nullable: bool = False, **options: Any) -> Any:
    """A document that is stored and read as a whole."""
    return Field(sa_type=JSONB, nullable=nullable, **_default(nullable, options))


class Document(TypeDecorator[BaseModel]):
    """JSON that travels as a Pydantic model: read once, when the row is loaded.

    Members that the model doesn't know are left out, so that a release reads what the next one has written.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = JSONB
    cache_ok: bool | None = True

    def __init__(self, model: type[BaseModel]) -> None:
        super().__init__()
        self.model = model

    def process_bind_param(self, value: BaseModel | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's
        """The model as JSON."""
        return None if value is None else value.model_dump(mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> BaseModel | None:  # noqa: ARG002 - SQLAlchemy's
        """JSON as the model."""
        return None if value is None else self.model.model_validate(value, extra="ignore")


def document_column(model: type[BaseModel], *, nullable: bool = False) -> Any:
    """A document that is stored as a whole and read as a model. A change replaces it; its members aren't watched."""
    return Field(sa_type=cast("Any", Document(model)), nullable=nullable, **_default(nullable, {}))


def urns_column(*, nullable: bool = False) -> Any:
    """The URNs of several academies."""
    return Field(sa_column=Column(ARRAY(Integer), nullable=nullable))


def _default(nullable: bool, options: dict[str, Any]) -> dict[str, Any]:
    return {"default": None, **options} if nullable else options


class TenantRow(SQLModel):
    """A row of one trust, with no id of its own: the table class names what else is in its key.

    The trust leads every key; row-level security shows the rows by `__access__`.
    """

    __access__: ClassVar[Access]

    trust_id: UUID = Field(primary_key=True)


class TenantTable(TenantRow):
    """A row of one trust, known by its id."""

    id: UUID = Field(primary_key=True)


class Versioned(SQLModel):
    """A row that changes: its version, which an `ETag` names. A client that read an older one is refused by `check`."""

    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})

    @property
    def tag(self) -> str:
        """The entity tag of this version."""
        return etag(self.version)

    def check(self, if_match: str) -> None:
        """Raises PreconditionFailed unless `If-Match` names this version."""
        check_if_match(if_match, self.tag)


class Attributed(Versioned):
    """A row that says who made it and who changed it last, when, and in which role (`service` for the service)."""

    created_at: datetime = instant_column()
    created_by: str = text_column()
    updated_at: datetime = instant_column()
    updated_by: str = text_column()
    updated_as: str = text_column()

    def changed(self, *, by: str, as_role: str, at: datetime) -> None:
        """Note a change."""
        self.version += 1
        self.updated_at, self.updated_by, self.updated_as = at, by, as_role
