#!/usr/bin/env bash
# A backup every night at 02:00 UTC, for machines without cron (ops/compose.yml): bash ops/nightly.sh
# A backup that fails is tried again the next night; ALERTS hears of it when there was none for 26 hours.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM INT

while :; do
  now=$(date -u +%s)
  sleep $((86400 - (now - 7200) % 86400)) &
  sleeper=$!
  wait "$sleeper"
  bash ops/backup_db.sh || true
done
