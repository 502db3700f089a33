"""What a collected fee costs the database: counted, because a time is another on every machine."""

from sqlalchemy import event

from tests.services.finance.office import Office

STATEMENTS = 8
"""Beside who asks and his Idempotency-Key: charge locked, what holds for it, charge, number, receipt, shares, journal,
messages."""


def test_a_fee_is_collected_in_eight_statements_at_most(office: Office) -> None:
    job = office.accepted()
    office.session.flush()
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    engine = office.session.get_bind()
    event.listen(engine, "before_cursor_execute", hear)
    office.collect(job)
    office.session.flush()
    event.remove(engine, "before_cursor_execute", hear)
    assert 1 < len(said) <= STATEMENTS, said
