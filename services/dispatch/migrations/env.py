"""Alembic's entry point for dispatch."""

from services.dispatch.models import Base
from shared.migrations import run_migrations

run_migrations(Base.metadata)
