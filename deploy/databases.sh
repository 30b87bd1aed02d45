#!/bin/sh
# Runs once, when the database's volume is new: Temporal gets a role of its own that cannot read Backcast's data.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set password="$TEMPORAL_PASSWORD" <<'SQL'
CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'password';
REVOKE CONNECT ON DATABASE backcast FROM PUBLIC;
SQL
