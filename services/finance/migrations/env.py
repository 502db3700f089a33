"""Alembic's entry point for finance."""

from services.finance.models import Base
from shared.migrations import run_migrations

run_migrations(Base.metadata)
