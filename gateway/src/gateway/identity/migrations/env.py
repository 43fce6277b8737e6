"""Where Alembic starts for the identity schema."""

from kit.migrations import run_env

run_env()
