"""Alembic's entrance to reporting's migrations; everything is the kit's."""

from kit.schema.migrations import run_env

run_env()
