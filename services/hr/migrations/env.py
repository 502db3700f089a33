"""Alembic's entry point for hr."""

from services.hr.models import Base
from shared.migrations import run_migrations

run_migrations(Base.metadata)
