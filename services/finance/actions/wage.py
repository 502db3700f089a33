"""Wages as hr tells them, for the guard on deductions [D22]."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.messages import WageChanged

_PUT = text("""
    INSERT INTO wages (person_id, version, monthly_wage_fen) VALUES (:person_id, :version, :monthly_wage_fen)
    ON CONFLICT (person_id) DO UPDATE SET version = excluded.version, monthly_wage_fen = excluded.monthly_wage_fen
    WHERE wages.version < excluded.version
""")


def changed(session: Session, message: WageChanged) -> None:
    """Keep a person's wage, unless we hold a newer one."""
    session.execute(_PUT, message.model_dump(include={"person_id", "version", "monthly_wage_fen"}))
