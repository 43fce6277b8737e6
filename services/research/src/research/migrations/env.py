"""Alembic's entrance to research's migrations; everything is the kit's."""

from kit.schema.migrations import run_env

run_env()
