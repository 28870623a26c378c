#!/usr/bin/env bash
# Renew the lock files from requirements.in and requirements-dev.in: bash ops/lock.sh [--upgrade | --upgrade-package NAME]
# Without arguments, versions stay as they are and only what the .in files changed moves.
set -euo pipefail
# shellcheck source=ops/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

python=$(find_python) || fail "Python 3.11 or newer is needed."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
get_uv || fail "uv could not be installed: $(tail -n 1 "$log")"

# 3.11.0: the oldest Python that may install these, so that what only it needs (async-timeout) is locked too.
compile() {
  local output=$1
  shift
  "$uv" pip compile --quiet --universal --generate-hashes --python-version 3.11.0 --no-emit-index-url \
    --no-emit-find-links --custom-compile-command 'bash ops/lock.sh' --output-file "$output" "$@"
}

compile requirements.txt requirements.in "$@"
compile requirements-dev.txt requirements-dev.in "$@"
compile ops/uv.txt ops/uv.in "$@"

if grep -nE 'https?://|^ *--(index|extra-index|find-links)' requirements.txt requirements-dev.txt ops/uv.txt; then
  fail "The lines above name a registry: remove it from the uv settings of this machine and run this again."
fi
grep -q '^async-timeout==' requirements.txt || fail "requirements.txt lacks async-timeout, which Python 3.11.0-3.11.2 need."
