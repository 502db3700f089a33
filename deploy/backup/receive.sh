#!/bin/sh
# Write the log of PostgreSQL into a folder as it is made, and tell the server as soon as it is on the disk; from now
# on the server acknowledges no commit before (docs/recovery.md). In a slot it keeps what we have not got yet.
# PGHOST, PGUSER and the file PGPASSWORD_FILE say where; PGAPPNAME is the name the server waits for.
set -eu
PGPASSWORD=$(cat "${PGPASSWORD_FILE:?the file of the password}")
export PGPASSWORD
name=${PGAPPNAME:?the name the server waits for}
pg_receivewal --create-slot --if-not-exists --slot="$name" --no-password
psql --no-psqlrc --quiet --no-password --dbname=postgres --set=ON_ERROR_STOP=1 --output=/dev/null \
    --command="ALTER SYSTEM SET synchronous_standby_names = '$name'" --command="SELECT pg_reload_conf()"
exec pg_receivewal --directory="${1:?a folder}" --slot="$name" --synchronous --no-password
