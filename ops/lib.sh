# shellcheck shell=bash
# Helpers for the scripts beside this file. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv
PYTHON=$VENV/bin/python

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# tools NAME [ARGUMENTS]: one of the small jobs that shell does badly.
tools() { "$PYTHON" "$ROOT/ops/tools.py" "$@"; }

# embedded start|stop|status|env …
embedded() { (cd "$ROOT" && "$PYTHON" -m fieldservice.embedded "$@"); }

# Variables of .env that are not set yet, as Django will see them: the file is parsed by the same library, never run.
load_env() {
  local pair
  while IFS= read -r -d '' pair; do
    export "${pair?}"
  done < <(tools env "$ROOT/.env")
}

# database: PGHOST, PGUSER … of DATABASE_URL, from the environment or .env; without one, of the embedded server.
database() {
  local pair pairs
  [[ -z ${DATABASE_URL:-} && -x $PYTHON ]] && load_env
  if [[ -n ${DATABASE_URL:-} ]]; then
    pairs=$(mktemp)
    "$(find_python)" "$ROOT/ops/tools.py" pgenv >"$pairs" || { rm -f "$pairs"; return 1; }
    while IFS= read -r -d '' pair; do export "${pair?}"; done <"$pairs"
    rm -f "$pairs"
  elif [[ -x $PYTHON && -d ${FIELDSERVICE_EMBEDDED_HOME:-$ROOT/.embedded}/postgres ]]; then
    say "DATABASE_URL is not set: the embedded server is meant."
    eval "$(embedded env)"
  else
    say "DATABASE_URL is not set; expected postgres://user:password@host/name." >&2
    return 1
  fi
  command -v pg_dump pg_restore psql >/dev/null && return 0
  say "pg_dump, pg_restore and psql are needed (Debian: apt-get install postgresql-client)." >&2
  return 1
}

# lock FD [--nowait]: flock on an open file. Through Python, because macOS has no flock command.
lock() {
  local python
  python=$(find_python)
  "$python" -c 'import fcntl, sys; fcntl.flock(int(sys.argv[1]), fcntl.LOCK_EX | (len(sys.argv) > 2) * fcntl.LOCK_NB)' \
    "$@" 2>/dev/null
}

# The first Python new enough. 3.12 and 3.11 come first: the Redis wheel exists for them. Each is run, not only found:
# the shims of pyenv exist for versions that are not active.
find_python() {
  local name
  for name in python3.12 python3.11 python3.13 python3.14 python3 python; do
    "$name" -c 'import sys; assert sys.version_info >= (3, 11); print(sys.executable)' 2>/dev/null && return 0
  done
  return 1
}

# apt_install PACKAGE…: as root on Debian, quietly; false where that is not possible.
apt_install() {
  [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null || return 1
  local log
  log=$(mktemp)
  if DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 update >"$log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >>"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -n 3 "$log" >&2
  rm -f "$log"
  return 1
}

# --- installers. They use `python` (from find_python) and `log` (a file for what they print) of the calling script. ------
quiet_pip=(--quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore --no-input)

# Sets `pip`: the command of a pip that installs into .venv.
find_pip() {
  if "$PYTHON" -m pip --version >/dev/null 2>&1 || "$PYTHON" -m ensurepip >/dev/null 2>&1; then
    pip=("$PYTHON" -m pip)
  elif "$python" -m pip --version >/dev/null 2>&1; then # Debian splits ensurepip off
    pip=("$python" -m pip --python "$PYTHON")
  else
    return 1
  fi
}

# Sets `uv`: the machine's, else one of our own, kept outside of site-packages (it is no package of the product).
get_uv() {
  uv=$(command -v uv || true)
  [[ -n $uv ]] && return 0
  uv=$VENV/uv/bin/uv
  "$uv" --version >/dev/null 2>&1 && return 0
  rm -rf "$VENV/uv"
  local with=("$python" -m pip)
  "${with[@]}" --version >/dev/null 2>&1 || { find_pip && with=("${pip[@]}"); } || return 1
  "${with[@]}" install "${quiet_pip[@]}" --require-hashes --target "$VENV/uv" -r "$ROOT/ops/uv.txt" >"$log" 2>&1
}
