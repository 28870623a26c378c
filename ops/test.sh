#!/usr/bin/env bash
# All tests, or those you name: bash ops/test.sh [pytest arguments]
#
# Runs on an embedded PostgreSQL and Redis of its own (.embedded-test). A DATABASE_URL or REDIS_URL of yours, in the
# environment or in .env, is never touched; TEST_DATABASE_URL and TEST_REDIS_URL point the tests at real servers.
set -euo pipefail
# shellcheck source=ops/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

bash ops/bootstrap.sh --dev
export PATH="$VENV/bin:$PATH"

# Set, though empty: an empty variable wins over .env, an unset one would not.
export DATABASE_URL=${TEST_DATABASE_URL:-} REDIS_URL=${TEST_REDIS_URL:-}
export FIELDSERVICE_EMBEDDED_FAST=1

# A second run beside the first would share its test databases, so it takes the next home.
if [[ -z ${FIELDSERVICE_EMBEDDED_HOME:-} ]]; then
  number=
  while true; do
    export FIELDSERVICE_EMBEDDED_HOME=$ROOT/.embedded-test$number
    mkdir -p "$FIELDSERVICE_EMBEDDED_HOME"
    exec 7>>"$FIELDSERVICE_EMBEDDED_HOME/tests.lock"
    lock 7 --nowait && break
    number=$((${number:-1} + 1))
  done
  [[ -z $number ]] || say "Another test run is using .embedded-test; this one uses .embedded-test$number."
fi

if [[ -z $(command -v chromium || command -v chromium-browser || command -v google-chrome) ]]; then
  say "Installing Debian's chromium for the tests in a browser …"
  apt_install chromium fonts-dejavu-core ||
    say "There is no chromium, so tests in a browser cannot run (Debian: apt-get install chromium)."
fi

started=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
  local code=$?
  trap - EXIT
  trap '' INT TERM HUP
  # shellcheck disable=SC2086 # a list of names
  [[ -z $started ]] || embedded stop $started >/dev/null || true
  exit "$code"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
started=$(embedded start | tr '\n' ' ')

# Compiled texts are not in git. A checkout whose manage.py has no such command yet is tested all the same.
texts=$(python manage.py texts --compile 2>&1) || case $texts in
  *"Unknown command"*) ;;
  *) fail "The texts could not be compiled: $texts" ;;
esac

(($#)) || set -- -n 2
python -m pytest "$@"
