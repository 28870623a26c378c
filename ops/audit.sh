#!/usr/bin/env bash
# Known holes in the locked packages, and secrets in the history: bash ops/audit.sh [--history-only]
#
# For once a week, and before a release. Exit codes: 0 nothing found, 1 something found, 3 it could not be looked at
# (pip-audit needs the package index and its list of holes). What to do then: docs/security.md, "Updating packages".
set -euo pipefail
# shellcheck source=ops/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

case ${1:-} in
  '') packages=yes ;;
  --history-only) packages= ;;
  *) fail "usage: bash ops/audit.sh [--history-only]" ;;
esac
found=0

# The same patterns as fieldservice/tests/test_security.py looks for in the files of today.
history() {
  local pattern commits
  git rev-parse --git-dir >/dev/null 2>&1 || { say "There is no git history here."; return 0; }
  for pattern in '[0-9]{8,10}:AA[A-Za-z0-9_-]{33}' '-----BEGIN [A-Z ]*PRIVATE KEY' 'AKIA[0-9A-Z]{16}' \
    'gh[pousr]_[A-Za-z0-9]{36}' 'xox[abp]-[0-9A-Za-z-]{20,}' 'sk_live_[0-9A-Za-z]{20,}'; do
    commits=$(git log --all --format=%h --extended-regexp -G"$pattern" -- . ':!ops/audit.sh' \
      ':!*/tests/*' | tr '\n' ' ')
    [[ -z $commits ]] && continue
    say "Commits with something like ${pattern%%[*} in them: $commits"
    found=1
  done
}

holes() {
  local log python code=0
  log=$(mktemp)
  python=$(find_python) || fail "Python 3.11 or newer is needed."
  # shellcheck disable=SC2064 # now, not then
  trap "rm -f '$log'" EXIT
  local tool=(pip-audit)
  if ! command -v pip-audit >/dev/null; then
    get_uv || { say "pip-audit is not here, and uv could not be fetched for it."; exit 3; }
    tool=("$uv" tool run pip-audit)
  fi
  "${tool[@]}" --requirement requirements.txt --require-hashes --disable-pip --progress-spinner off >"$log" 2>&1 || code=$?
  if ((code == 0)); then
    say "No known hole in requirements.txt."
  elif grep -q '^Found [0-9]* known vulnerabilit' "$log"; then
    cat "$log"
    found=1
  else
    tail -n 3 "$log" >&2
    say "The packages could not be looked at (see above). Is the package index reachable?" >&2
    exit 3
  fi
}

history
[[ -z $packages ]] || holes
((found == 0)) && say "Nothing found."
exit "$found"
