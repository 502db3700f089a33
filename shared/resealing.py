"""Sealing anew, after a rotation of the data keys, what an older key has sealed: a set of rows at a time [D26].

Every column whose name ends in `_sealed` is found by its name, which also says the place its texts are sealed for.
"""

from sqlalchemy import Connection, NullPool, create_engine, text

from shared.db import EVERY_SITE, SERVICES
from shared.sealing import MARK, SUFFIX, data_keys, seal, unseal

BATCH = 1000

_COLUMNS = text("""
    SELECT n.nspname AS service, c.relname AS table_name, a.attname AS column_name, k.attname AS key_name
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY(:services)
    JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]
    WHERE a.attname LIKE '%\\_sealed' AND NOT a.attisdropped AND i.indnkeyatts = 1
    ORDER BY 1, 2, 3
""")


def reseal(url: str) -> dict[str, int]:
    """How many texts of each column were sealed anew; done again it finds none. Interrupted it has lost nothing.

    Raises SealBroken for what does not open: nothing is overwritten then.
    """
    owner = create_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"options": f"-c app.sites={EVERY_SITE}"}
    )
    with owner.connect() as connection:
        columns = connection.execute(_COLUMNS, {"services": list(SERVICES)}).all()
        connection.commit()
        return {
            f"{column.service}.{column.table_name}.{column.column_name}": _reseal(connection, *column)
            for column in columns
        }


def _reseal(connection: Connection, service: str, table: str, column: str, key: str) -> int:
    newest, _ = data_keys().newest(service)
    place = f"{service}.{table}.{column.removesuffix(SUFFIX)}"
    old = text(
        f"SELECT {key} AS key, {column} AS sealed FROM {service}.{table}"  # noqa: S608  # names of our own schema
        f" WHERE NOT starts_with({column}, :mark) ORDER BY {key} LIMIT :batch FOR UPDATE"
    )
    new = text(f"UPDATE {service}.{table} SET {column} = :sealed WHERE {key} = :key")  # noqa: S608  # as above
    count = 0
    while True:
        with connection.begin():
            rows = connection.execute(old, {"mark": f"{MARK}:{newest}:", "batch": BATCH}).all()
            if not rows:
                return count
            connection.execute(new, [{"key": key, "sealed": _anew(sealed, f"{place}:{key}")} for key, sealed in rows])
            count += len(rows)


def _anew(sealed: str, place: str) -> str:
    return seal(unseal(sealed, place=place), place=place)
