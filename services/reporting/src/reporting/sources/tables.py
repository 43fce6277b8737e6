"""The tables of the read models."""

from sqlalchemy import Boolean, Column, Date, Integer, Text

from kit.events.read_models import ReadTable

SCHEMA = "reporting"

KNOWN_TRUST = ReadTable(
    "known_trust",
    Column("group_uid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    schema=SCHEMA,
)

KNOWN_ACADEMY = ReadTable(
    "known_academy",
    Column("urn", Integer, primary_key=True, autoincrement=False),
    Column("is_member", Boolean, nullable=False),
    Column("joined_on", Date, nullable=False),
    Column("left_on", Date),
    Column("name", Text),
    Column("phase", Text),
    Column("local_authority", Text),
    schema=SCHEMA,
)
