#!/bin/sh
# Makes Temporal's two databases or brings their schemas up to date. Safe to run again: steps already done are skipped.
set -eu
schema() {
    temporal-sql-tool --plugin postgres12 --ep database -p 5432 -u temporal --db "$1" create
    temporal-sql-tool --plugin postgres12 --ep database -p 5432 -u temporal --db "$1" setup-schema -v 0.0
    temporal-sql-tool --plugin postgres12 --ep database -p 5432 -u temporal --db "$1" \
        update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}
schema temporal temporal
schema temporal_visibility visibility
