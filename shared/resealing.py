"""Sealing and hashing anew, after a rotation of the data keys, what older keys did: a set of rows at a time [D26].

Every column whose name ends in `_sealed` is found by its name, which also says the place its texts are sealed for. The
one hash by which a sealed text is found, that of owners' numbers, is made anew from what is sealed beside it.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, NullPool, create_engine, text

from shared.db import EVERY_SITE, SERVICES
from shared.phone import phone_digits
from shared.sealing import MARK, SUFFIX, data_keys, seal, searchable, unseal

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
    """How many texts of each column were sealed or hashed anew; done again it finds none. Interrupted it lost nothing.

    Raises SealBroken for what does not open: nothing is overwritten then.
    """
    owner = create_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"options": f"-c app.sites={EVERY_SITE}"}
    )
    with owner.connect() as connection:
        columns = connection.execute(_COLUMNS, {"services": list(SERVICES)}).all()
        connection.commit()
        done = {
            f"{column.service}.{column.table_name}.{column.column_name}": _reseal(connection, *column)
            for column in columns
        }
        return done | {"intake.requests.phone_hash": _hash_anew(connection)}


_SEALED_PHONES = text("""
    SELECT id, phone_sealed, phone_hash FROM intake.requests
    WHERE phone_sealed IS NOT NULL AND id > :after ORDER BY id LIMIT :batch FOR UPDATE
""")
_PUT_HASH = text("UPDATE intake.requests SET phone_hash = :hash WHERE id = :id")


def _hash_anew(connection: Connection) -> int:
    count, after = 0, UUID(int=0)
    while True:
        with connection.begin():
            rows = connection.execute(_SEALED_PHONES, {"after": after, "batch": BATCH}).all()
            if not rows:
                return count
            changed = list(_other_hashes(rows))
            if changed:
                connection.execute(_PUT_HASH, changed)
            count, after = count + len(changed), rows[-1].id


def _other_hashes(rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Of rows (id, what is sealed, hash) those that another key hashed, with what the newest makes of it."""
    for id_, sealed, held in rows:
        digits = phone_digits(unseal(sealed, place=f"intake.requests.phone:{id_}"))
        if digits and searchable(digits) != held:
            yield {"id": id_, "hash": searchable(digits)}


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
