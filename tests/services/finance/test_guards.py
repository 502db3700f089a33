"""What finance's database itself refuses, whoever asks: the service, or the owner of the tables [promises 2, 5]."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from shared.db import SERVICES, WORKER, Database, database, role_of
from shared.ids import new_id
from shared.installation import prepare
from tests.conftest import START
from tests.services.finance.office import MAY_FIRST, Office
from tests.services.finance.test_settlement import compute, fined

HEADER = """
    INSERT INTO journals (id, site_id, kind, at, day, reference)
    VALUES ('{new}', '{site}', 'deposit', now(), '2026-04-01', 'attack');
"""
LINES = """
    INSERT INTO journal_lines (journal_id, line, account, site_id, person_id, amount_fen) VALUES
"""


def entry(*lines: tuple[str, str, int], site: str = "site") -> str:
    """SQL of a journal with lines (account, whose, fen)."""
    values = ", ".join(
        f"('{{new}}', {number}, '{account}', '{{{site}}}', {whose}, {fen})"
        for number, (account, whose, fen) in enumerate(lines, start=1)
    )
    return HEADER + LINES + values


@dataclass(frozen=True)
class Attack:
    """SQL that must not be committed, and the words of its refusal for the service's role and for the owner.

    `owner` is None where it is the owner's right. `guard` is SQL that takes away what refuses it: then it goes through.
    """

    sql: str
    service: str
    owner: str | None
    guard: str | None = None


def everyone(sql: str, refusal: str, guard: str) -> Attack:
    return Attack(sql, refusal, refusal, guard)


def append_only(sql: str, table: str) -> Attack:
    return Attack(sql, "permission denied for table", "append-only", f"ALTER TABLE {table} DISABLE TRIGGER append_only")


CLOSES = "ALTER TABLE journals DISABLE TRIGGER journal_closes"
NO_FLOOR = "ALTER TABLE balances DROP CONSTRAINT ck_balances_not_overdrawn"
CLOSED = "ALTER TABLE journal_lines DISABLE TRIGGER journal_is_closed"
BY_HAND = "DISABLE TRIGGER by_hand"

ATTACKS = {
    "an unbalanced journal": everyone(
        entry(("bank", "NULL", 100), ("company_share", "NULL", -99)), "sum to 1 fen", CLOSES
    ),
    "an empty journal": everyone(HEADER, "has 0 lines", CLOSES),
    "a journal of one line": everyone(entry(("bank", "NULL", 100)), "has 1 lines", CLOSES),
    "an unbalanced journal completed in another savepoint": everyone(
        "SAVEPOINT a;" + entry(("bank", "NULL", 100), ("fines", "NULL", -1)) + "; RELEASE a", "sum to 99 fen", CLOSES
    ),
    "constraints tried out in a savepoint that is taken back": everyone(
        entry(("bank", "NULL", 100), ("fines", "NULL", -100))
        + "; SAVEPOINT a; SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO a; SET CONSTRAINTS ALL DEFERRED;"
        + LINES
        + "('{new}', 3, 'bank', '{site}', NULL, 7)",
        "sum to 7 fen",
        CLOSES,
    ),
    "a journal with a line of another site": everyone(
        HEADER + LINES + "('{new}', 1, 'bank', '{site}', NULL, 5), ('{new}', 2, 'fines', '{new}', NULL, -5)",
        "1 of another site",
        CLOSES,
    ),
    "late lines that balance": everyone(
        LINES + "('{journal}', 98, 'bank', '{site}', NULL, 5), ('{journal}', 99, 'fines', '{site}', NULL, -5)",
        "is closed",
        CLOSED,
    ),
    "lines after the constraints were checked early": everyone(
        entry(("bank", "NULL", 100), ("fines", "NULL", -100))
        + "; SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;"
        + LINES
        + "('{new}', 3, 'bank', '{site}', NULL, 7), ('{new}', 4, 'fines', '{site}', NULL, -7)",
        "is closed",
        CLOSED,
    ),
    "a line changed": append_only("UPDATE journal_lines SET amount_fen = amount_fen * 2", "journal_lines"),
    "a line removed": append_only("DELETE FROM journal_lines WHERE line = 1", "journal_lines"),
    "a journal moved to another day": append_only("UPDATE journals SET day = day - 1", "journals"),
    "the ledger emptied": Attack(
        "TRUNCATE unsealed_journals, ledger_chain, journal_lines, journals",
        "permission denied for table",
        "append-only",
        "ALTER TABLE journals DISABLE TRIGGER append_only; ALTER TABLE journal_lines DISABLE TRIGGER append_only;"
        "ALTER TABLE ledger_chain DISABLE TRIGGER append_only;"
        "ALTER TABLE unsealed_journals DISABLE TRIGGER append_only",
    ),
    "more cash out of a hand than it holds": everyone(
        entry(("cash_at_finance", "NULL", 1), ("cash_in_hand", "'{clerk}'", -1)), "ck_balances_not_overdrawn", NO_FLOOR
    ),
    "more cash out of the till than it holds": everyone(
        entry(("bank", "NULL", 9999999), ("cash_at_finance", "NULL", -9999999)), "ck_balances_not_overdrawn", NO_FLOOR
    ),
    "more out of the reserve fund than it holds": everyone(
        entry(("reserve_fund", "NULL", 9999999), ("company_share", "NULL", -9999999)),
        "ck_balances_not_overdrawn",
        NO_FLOOR,
    ),
    "a person paid more than is due to him": everyone(
        entry(("payroll", "'{clerk}'", 1), ("bank", "NULL", -1)), "ck_balances_not_overdrawn", NO_FLOOR
    ),
    "the same thing posted twice": everyone(
        """INSERT INTO journals (id, site_id, kind, at, day, reference)
           SELECT '{new}', site_id, kind, at, day, reference FROM journals WHERE id = '{journal}';"""
        + LINES
        + "('{new}', 1, 'bank', '{site}', NULL, 5), ('{new}', 2, 'fines', '{site}', NULL, -5)",
        "uq_journals_kind",
        "ALTER TABLE journals DROP CONSTRAINT uq_journals_kind",
    ),
    "a balance written by hand": Attack(
        "UPDATE balances SET balance_fen = balance_fen + 1",
        "permission denied for table balances",
        "append-only",
        f"ALTER TABLE balances {BY_HAND}",
    ),
    "a link of the chain written by hand": Attack(
        "INSERT INTO ledger_chain (seq, journal_id, hash) VALUES (999, '{journal}', 'x')",
        "permission denied for table ledger_chain",
        "append-only",
        f"ALTER TABLE ledger_chain {BY_HAND}; ALTER TABLE ledger_chain DROP CONSTRAINT uq_ledger_chain_journal_id",
    ),
    "the tail of the chain cut": Attack(
        "DELETE FROM ledger_chain",
        "permission denied for table ledger_chain",
        "append-only",
        f"ALTER TABLE ledger_chain {BY_HAND}",
    ),
    "a journal sealed a second time": everyone(
        "INSERT INTO unsealed_journals (journal_id, due_at) VALUES ('{journal}', now())",
        "append-only",
        f"ALTER TABLE unsealed_journals {BY_HAND}",
    ),
    "a journal that waits to be sealed exchanged for another": everyone(
        "UPDATE unsealed_journals SET journal_id = '{journal}'",
        "append-only",
        f"ALTER TABLE unsealed_journals {BY_HAND}",
    ),
    "a wrong split that adds up": everyone(
        "UPDATE receipts SET company_fen = company_fen + 1, workers_fen = workers_fen - 1 WHERE state = 'used'",
        "ck_receipts_split",
        "ALTER TABLE receipts DROP CONSTRAINT ck_receipts_split",
    ),
    "a fine taken from the wage before the bonus": everyone(
        "UPDATE settlement_lines SET from_wage_fen = fine_fen, from_bonus_fen = 0, net_fen = share_fen + reward_fen"
        " WHERE fine_fen > 0",
        "ck_settlement_lines_bonus_first",
        "ALTER TABLE settlement_lines DROP CONSTRAINT ck_settlement_lines_bonus_first",
    ),
    "a person who would owe instead of being paid": everyone(
        "UPDATE settlement_lines SET fine_fen = share_fen + 1, from_bonus_fen = share_fen + 1, net_fen = -1"
        " WHERE fine_fen > 0",
        "ck_settlement_lines_(not_negative|bonus_first)",
        "ALTER TABLE settlement_lines DROP CONSTRAINT ck_settlement_lines_not_negative,"
        " DROP CONSTRAINT ck_settlement_lines_bonus_first",
    ),
    "a policy that shares out 99 of a hundred": everyone(
        """INSERT INTO policies (id, name, site_id, effective_from, settings, changed_by, changed_at, reason)
           VALUES ('{new}', 'SplitPolicy', NULL, now(), '{{"company": 50, "workers": 35, "reserve": 14}}',
                   '{clerk}', now(), 'x')""",
        "ck_policies_split_is_whole",
        "ALTER TABLE policies DROP CONSTRAINT ck_policies_split_is_whole",
    ),
    "two policies of one name from the same moment": everyone(
        """INSERT INTO policies (id, name, site_id, effective_from, settings, changed_by, changed_at, reason)
           SELECT gen_random_uuid(), 'CashPolicy', NULL, '2026-05-01', '{{}}', '{clerk}', now(), 'x'
           FROM generate_series(1, 2)""",
        "ix_policies_name",
        "DROP INDEX ix_policies_name",
    ),
    "receipt books whose numbers overlap": everyone(
        """INSERT INTO receipt_books (id, site_id, first, last, issued_by, issued_at)
           VALUES ('{new}', '{site}', 60, 70, '{clerk}', now())""",
        "ex_receipt_books_numbers",
        "ALTER TABLE receipt_books DROP CONSTRAINT ex_receipt_books_numbers",
    ),
    "a month approved by who drafted it": everyone(
        "UPDATE settlements SET approved_by = drafted_by",
        "ck_settlements_four_eyes",
        "ALTER TABLE settlements DROP CONSTRAINT ck_settlements_four_eyes",
    ),
    "a trigger disabled": Attack("ALTER TABLE journals DISABLE TRIGGER ALL", "must be owner", None),
    "a table dropped": Attack("DROP TABLE ledger_chain", "must be owner", None),
    "triggers put to sleep": Attack("SET session_replication_role = replica", "permission denied", None),
    "another service's schema read": Attack("SELECT * FROM hr.people", "permission denied for schema hr", None),
    "a table made": Attack("CREATE TABLE finance.mine (a int)", "permission denied for schema finance", None),
    "a table made for everybody": Attack("CREATE TABLE public.mine (a int)", "permission denied for schema", None),
    "a temporary table before the real one": Attack(
        "CREATE TEMPORARY TABLE journal_lines (a int)", "permission denied to create temporary tables", None
    ),
    "a function made": Attack(
        "CREATE FUNCTION finance.mine() RETURNS int LANGUAGE sql RETURN 1", "permission denied for schema", None
    ),
    "a program started": Attack("COPY sites TO PROGRAM 'cat'", "permission denied to COPY", None),
    "the clock set": Attack(
        "SELECT installation.clock_set('2027-01-01', false)", "permission denied for function clock_set", None
    ),
    "the migrations' record changed": Attack(
        "INSERT INTO alembic_version VALUES ('9999')", "permission denied for table alembic_version", None
    ),
}

CONTENTS = text("""
    SELECT md5(string_agg(all_rows.line, '' ORDER BY all_rows.line)) FROM (
        SELECT to_jsonb(t)::text FROM journals t UNION ALL SELECT to_jsonb(t)::text FROM journal_lines t
        UNION ALL SELECT to_jsonb(t)::text FROM balances t UNION ALL SELECT to_jsonb(t)::text FROM ledger_chain t
        UNION ALL SELECT to_jsonb(t)::text FROM receipts t UNION ALL SELECT to_jsonb(t)::text FROM settlement_lines t
        UNION ALL SELECT to_jsonb(t)::text FROM policies t UNION ALL SELECT to_jsonb(t)::text FROM receipt_books t
    ) AS all_rows (line)
""")


@dataclass(frozen=True)
class Target:
    """Committed books, and whom an attack names."""

    site: UUID
    clerk: UUID
    journal: UUID
    new: UUID

    def aim(self, sql: str) -> str:
        return sql.format(site=self.site, clerk=self.clerk, journal=self.journal, new=self.new)


@pytest.fixture
def target(installation: str) -> Target:
    """A month with a fee, a fine taken from a bonus, and all cash at finance."""
    prepare(installation, simulated_at=START.isoformat())  # rights of the database itself are not copied with it
    with database("finance", WORKER).session() as session:
        office = Office(session)
        office.begin()
        office.paid(10003)
        office.hand_over(office.clerk, office.cashier)
        fined(office, office.worker, 100)
        office.end_month(MAY_FIRST)
        compute(office)
    with database("finance", WORKER).session() as session:
        journal = session.execute(text("SELECT id FROM journals ORDER BY id LIMIT 1")).scalar_one()
    return Target(office.site_id, office.clerk.person_id, journal, new_id())


@pytest.fixture
def owner(committing: Engine) -> Iterator[Engine]:
    """Connections of the tables' owner, in finance's schema."""
    engine = create_engine(
        committing.url, poolclass=NullPool, connect_args={"options": "-c search_path=finance,installation"}
    )
    yield engine
    engine.dispose()


def contents(owner: Engine) -> str:
    with owner.connect() as connection:
        digest: str = connection.execute(CONTENTS).scalar_one()
    return digest


def attempt(engine: Engine, sql: str) -> str:
    """What the database answers to an attack that is committed if it can be: 'done', or the words of its refusal."""
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(sql)
    except DBAPIError as refused:
        return str(refused.orig)
    return "done"


@pytest.mark.parametrize("by", ["service", "owner"])
def test_every_attack_on_the_books_is_refused_for_its_reason(
    target: Target, owner: Engine, installation: str, by: str
) -> None:
    service = Database("finance", installation, pool_size=1, limits=WORKER)
    before = contents(owner)
    tried = {name: attack for name, attack in ATTACKS.items() if getattr(attack, by) is not None}
    answers = {
        name: attempt(service.engine if by == "service" else owner, target.aim(attack.sql))
        for name, attack in tried.items()
    }
    service.engine.dispose()
    wrong = {name: said for name, said in answers.items() if not re.search(getattr(tried[name], by), said)}
    assert wrong == {}
    assert contents(owner) == before
    assert len(tried) >= 24


def test_every_attack_goes_through_once_its_own_guard_is_away(target: Target, owner: Engine) -> None:
    answers: dict[str, str] = {}
    for name, attack in ATTACKS.items():
        if attack.guard:
            with owner.connect() as connection:  # closed without a commit
                try:
                    for sql in (attack.guard, target.aim(attack.sql), "SET CONSTRAINTS ALL IMMEDIATE"):
                        connection.exec_driver_sql(sql)
                    answers[name] = "done"
                except DBAPIError as refused:
                    answers[name] = str(refused.orig)
    assert {name: said for name, said in answers.items() if said != "done"} == {}
    assert len(answers) >= 24


OWNERS = text("""
    SELECT 'relation', c.relname, pg_get_userbyid(c.relowner) FROM pg_class c
    WHERE pg_get_userbyid(c.relowner) LIKE 'bianmin\\_%'
    UNION ALL SELECT 'function', p.proname, pg_get_userbyid(p.proowner) FROM pg_proc p
    WHERE pg_get_userbyid(p.proowner) LIKE 'bianmin\\_%'
    UNION ALL SELECT 'schema', n.nspname, pg_get_userbyid(n.nspowner) FROM pg_namespace n
    WHERE pg_get_userbyid(n.nspowner) LIKE 'bianmin\\_%'
""")
RIGHTS = text("""
    SELECT n.nspname FROM pg_namespace n WHERE has_schema_privilege(:role, n.oid, 'CREATE')
""")
FOREIGN = text("""
    SELECT n.nspname FROM pg_namespace n
    WHERE n.nspname = ANY(:services) AND n.nspname <> :service AND has_schema_privilege(:role, n.oid, 'USAGE')
""")


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_role_owns_nothing_makes_nothing_and_goes_nowhere_else(template: str, service: str) -> None:
    role = role_of(service)
    with create_engine(template, poolclass=NullPool).connect() as connection:
        assert connection.execute(OWNERS).all() == []
        assert connection.execute(RIGHTS, {"role": role}).all() == []
        assert connection.execute(FOREIGN, {"role": role, "service": service, "services": list(SERVICES)}).all() == []
        may = "SELECT has_database_privilege(:role, :database, :right)"
        for name, right in (("postgres", "CONNECT"), ("bianmin", "TEMPORARY"), ("bianmin", "CREATE")):
            assert connection.execute(text(may), {"role": role, "database": name, "right": right}).scalar_one() is False
        flags = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = :role"
        assert connection.execute(text(flags), {"role": role}).scalar_one() is False


@pytest.mark.parametrize("service", SERVICES)
def test_a_function_that_acts_as_its_owner_looks_nowhere_but_where_it_says(template: str, service: str) -> None:
    acting = text("""
        SELECT proname, proconfig FROM pg_proc
        WHERE prosecdef AND pronamespace = CAST(CAST(:service AS text) AS regnamespace)
    """)
    with create_engine(template, poolclass=NullPool).connect() as connection:
        found = connection.execute(acting, {"service": service}).all()
    everywhere = {"note_change", "seal_audit_log"}
    own = {"finance": {"close_journal", "seal_journals"}, "hr": set()}
    assert {name for name, _ in found} == everywhere | own.get(service, {"erase_append_only"})
    for name, config in found:
        assert config[0].startswith(f"search_path={service}, installation"), name
