#!/usr/bin/env bash
# Bring a dump back into the database of DATABASE_URL: bash ops/restore_db.sh DUMP [--yes]
#
# All or nothing: one transaction empties the database and fills it; if anything fails, it is as it was. Stop the
# processes first, or they wait. --yes does not ask before a database that is not empty is replaced.
set -euo pipefail
# shellcheck source=ops/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

dump=${1:-}
[[ -n $dump && (${2:-} == '' || ${2:-} == --yes) ]] || fail "usage: bash ops/restore_db.sh DUMP [--yes]"
[[ -s $dump ]] || fail "There is no dump $dump."
dump=$(cd "$(dirname "$dump")" && pwd -P)/$(basename "$dump")
cd "$ROOT"
database || exit 1
pg_restore --list "$dump" >/dev/null || fail "$dump is no dump that pg_restore can read; nothing was changed."

query() { psql --no-psqlrc --no-password --tuples-only --no-align --set=ON_ERROR_STOP=1 --command="$1"; }
tables=$(query "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") || fail "The database cannot be reached."
if ((tables)) && [[ ${2:-} != --yes ]]; then
  printf 'The database "%s" has %s tables. All of it will be replaced. Type its name to go on: ' "$PGDATABASE" "$tables"
  read -r answer || true
  [[ ${answer:-} == "$PGDATABASE" ]] || fail "Nothing was changed."
fi

script=$(mktemp)
trap 'rm -f "$script"' EXIT
{
  echo 'SET client_min_messages = warning;'
  echo 'DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;'
  pg_restore --no-owner --no-privileges --file=- "$dump"
} >"$script"
psql --no-psqlrc --quiet --no-password --set=ON_ERROR_STOP=1 --single-transaction --file="$script" >/dev/null ||
  fail "The dump could not be brought back; the database is as it was."
query 'ANALYZE' >/dev/null
say "Restored $(basename "$dump") into $PGDATABASE: $(query "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") tables."
