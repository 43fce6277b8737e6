"""Where Alembic starts for the identity schema."""

from kit.schema.migrations import run_env

run_env()
