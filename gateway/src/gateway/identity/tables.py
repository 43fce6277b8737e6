"""The tables of the identity schema, in one place since their keys name each other.

`tenant`, `signing_key`, `sign_in` and `failed_attempt` are the platform's rows: they are read before it is
known whose request this is, and hold neither people's names nor rights. Everything else belongs to one trust
(or to the platform, under its own id) and lies behind row-level security.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from kit.schema.access import Access
from kit.schema.tables import TableName, TenantRow, TenantTable, Versioned, instant_column, text_column

SCHEMA = "identity"


class Tenant(Versioned, table=True):
    """A trust that uses Trellis."""

    __tablename__: ClassVar[TableName] = "tenant"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("group_uid", name="tenant_group_uid_key"),
        UniqueConstraint("group_id", name="tenant_group_id_key"),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    group_uid: str = text_column()
    group_id: str | None = text_column(nullable=True)
    name: str = text_column()
    is_active: bool
    created_at: datetime = instant_column()
    created_by: str = text_column()
    updated_at: datetime = instant_column()


class SigningKey(SQLModel, table=True):
    """A key that signs tokens; the private half is encrypted."""

    __tablename__: ClassVar[TableName] = "signing_key"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("(revoked_at is null) = (revoked_by is null)", name="signing_key_revoked_by_somebody"),
        {"schema": SCHEMA},
    )

    kid: str = Field(primary_key=True, sa_type=Text)
    public_key: dict[str, str] = Field(sa_type=JSONB)
    private_key: bytes = Field(sa_type=LargeBinary)
    published_at: datetime = instant_column()
    signs_from: datetime | None = instant_column(nullable=True)
    revoked_at: datetime | None = instant_column(nullable=True)
    revoked_by: str | None = text_column(nullable=True)


class SignIn(SQLModel, table=True):
    """Which person of which trust an account of an identity provider, or an unbound address, belongs to."""

    __tablename__: ClassVar[TableName] = "sign_in"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["trust_id", "person_id"],
            [f"{SCHEMA}.person.trust_id", f"{SCHEMA}.person.id"],
            ondelete="CASCADE",
            name="sign_in_person_fkey",
        ),
        Index("sign_in_person", "trust_id", "person_id"),
        {"schema": SCHEMA},
    )

    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    trust_id: UUID = Field(primary_key=True)
    person_id: UUID


class FailedAttempt(SQLModel, table=True):
    """How often somebody failed to prove who they are, counted until it is quiet for a while."""

    __tablename__: ClassVar[TableName] = "failed_attempt"
    __table_args__: ClassVar[Any] = (
        Index("failed_attempt_age", "last_failed_at"),
        {"schema": SCHEMA},
    )

    kind: str = Field(primary_key=True, sa_type=Text)
    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    failures: int
    last_failed_at: datetime = instant_column()
    blocked_until: datetime = instant_column()


class Client(TenantTable, Versioned, table=True):
    """A program: a machine with a secret (confidential) or a portal without one (public)."""

    __tablename__: ClassVar[TableName] = "client"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("kind in ('confidential', 'public')", name="client_kind"),
        Index(
            "client_name_key",
            "trust_id",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
        {"schema": SCHEMA},
    )
    __access__ = Access(whole_trust_writes=True, grants=("select", "insert", "update"))

    name: str = text_column()
    kind: str = text_column()
    is_active: bool
    created_at: datetime = instant_column()
    created_by: str = text_column()
    updated_at: datetime = instant_column()
    deleted_at: datetime | None = instant_column(nullable=True)


class ClientSecret(TenantRow, table=True):
    """A secret's digest and hash; `hint` is the part of it that may be shown and says which one was sent.

    Secrets are checked by the digest. Those from before it was kept have none until their next use; the release before
    checks the hash.
    """

    __tablename__: ClassVar[TableName] = "client_secret"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["trust_id", "client_id"],
            [f"{SCHEMA}.client.trust_id", f"{SCHEMA}.client.id"],
            ondelete="CASCADE",
            name="client_secret_client_fkey",
        ),
        {"schema": SCHEMA},
    )
    __access__ = Access(whole_trust_writes=True)

    client_id: UUID = Field(primary_key=True)
    hint: str = Field(primary_key=True, sa_type=Text)
    hash: str = text_column()
    created_at: datetime = instant_column()
    expires_at: datetime | None = instant_column(nullable=True)
    last_used_on: date | None
    digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_by: str | None = Field(default=None, sa_type=Text)
    """Who got it; None for secrets from before this was kept."""


class Person(TenantTable, Versioned, table=True):
    """Somebody who signs in; known by an account of an identity provider, or by an address until then."""

    __tablename__: ClassVar[TableName] = "person"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("(issuer is null) = (subject is null)", name="person_account_is_whole"),
        CheckConstraint(
            "deleted_at is not null or subject is not null or email is not null", name="person_can_sign_in"
        ),
        CheckConstraint(
            "deleted_at is null or (display_name is null and email is null and subject is null)",
            name="person_deleted_is_erased",
        ),
        Index("person_account_key", "trust_id", "issuer", "subject", unique=True),
        Index("person_email_key", "trust_id", text("lower(email)"), unique=True),
        {"schema": SCHEMA},
    )
    __access__ = Access(whole_trust_writes=True, grants=("select", "insert", "update"))

    display_name: str | None = text_column(nullable=True)
    email: str | None = text_column(nullable=True)
    issuer: str | None = text_column(nullable=True)
    subject: str | None = text_column(nullable=True)
    is_active: bool
    created_at: datetime = instant_column()
    created_by: str = text_column()
    updated_at: datetime = instant_column()
    deleted_at: datetime | None = instant_column(nullable=True)


class RoleGrant(TenantTable, Versioned, table=True):
    """A role, given to a person or a client, for a part of a trust and a span of days."""

    __tablename__: ClassVar[TableName] = "role_grant"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["trust_id", "person_id"],
            [f"{SCHEMA}.person.trust_id", f"{SCHEMA}.person.id"],
            name="role_grant_person_fkey",
        ),
        ForeignKeyConstraint(
            ["trust_id", "client_id"],
            [f"{SCHEMA}.client.trust_id", f"{SCHEMA}.client.id"],
            name="role_grant_client_fkey",
        ),
        CheckConstraint("(person_id is null) <> (client_id is null)", name="role_grant_one_holder"),
        CheckConstraint("extent in ('trust', 'academies', 'project')", name="role_grant_extent"),
        CheckConstraint(
            "(extent = 'academies') = (academies is not null) and coalesce(cardinality(academies), 1) > 0",
            name="role_grant_academies",
        ),
        CheckConstraint("(extent = 'project') = (project_id is not null)", name="role_grant_project"),
        CheckConstraint("ends_on >= starts_on", name="role_grant_days"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="role_grant_ended_by_somebody"),
        Index("role_grant_person", "trust_id", "person_id"),
        Index("role_grant_client", "trust_id", "client_id"),
        {"schema": SCHEMA},
    )
    # Of a grant only its end may be updated; the migration grants these columns.
    __access__ = Access(whole_trust_writes=True, grants=("select", "insert"))

    role: str = text_column()
    person_id: UUID | None
    client_id: UUID | None
    extent: str = text_column()
    academies: list[int] | None = Field(sa_column=Column(ARRAY(Integer), nullable=True))
    project_id: UUID | None
    starts_on: date
    ends_on: date | None
    created_at: datetime = instant_column()
    created_by: str = text_column()
    ended_at: datetime | None = instant_column(nullable=True)
    ended_by: str | None = text_column(nullable=True)
