#!/usr/bin/env bash
# Dump the database of DATABASE_URL into backups/ (or BACKUP_DIR): bash ops/backup_db.sh
#
# For cron: 0 2 * * * /bin/bash /app/ops/backup_db.sh
# The dump has its name only when it is whole and pg_restore can read it. Dumps older than 7 days go when a new one is
# there, never otherwise. The moment is noted in the database, so that somebody is alerted when it is too long ago.
set -euo pipefail
# shellcheck source=ops/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
umask 077

database || exit 1
folder=${BACKUP_DIR:-backups}
mkdir -p "$folder"
exec 9>"$folder/.lock"
lock 9 --nowait || fail "Another backup is running."

name=pg_$(date -u +%Y%m%d_%H%M%SZ).dump
part=$folder/.$name.part
trap 'rm -f "$part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -f "$folder"/.pg_*.dump.part # of a run that was killed; the lock is ours

pg_dump --format=custom --no-password --file="$part" || fail "The dump failed; nothing was changed in $folder."
pg_restore --list "$part" >/dev/null || fail "The dump cannot be read back; nothing was changed in $folder."
sync "$part" 2>/dev/null || true # not every system syncs a single file
mv -n "$part" "$folder/$name"
[[ -s $folder/$name ]] || fail "There is a $name in $folder already."

find "$folder" -maxdepth 1 -type f -name 'pg_*.dump' -mtime +7 ! -name "$name" -exec rm -f {} +
size=$(wc -c <"$folder/$name")
psql --no-psqlrc --quiet --no-password --set=ON_ERROR_STOP=1 --set=details="{\"file\": \"$name\", \"bytes\": $((size))}" \
  >/dev/null <<'SQL' || say "The moment could not be noted in the database." >&2
INSERT INTO heartbeats(name, beat_at, details) VALUES ('backup', now(), :'details'::jsonb)
ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at, details = excluded.details;
SQL
say "$folder/$name"
