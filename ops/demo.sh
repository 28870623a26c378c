#!/usr/bin/env bash
# The whole product on this machine: bash ops/demo.sh [--smoke]
#
# Makes .venv, starts PostgreSQL and Redis (embedded, while DATABASE_URL / REDIS_URL are unset), fills in demo data, and
# runs the web admin, Celery and both bots against a local Telegram sandbox; with real bot tokens, against Telegram.
# Ctrl-C stops all of it. --smoke takes one order from creation to CLOSED through the real bots, stops, and exits with
# its result; beside a running demo it uses that one. Settings: .env; WEB_PORT (8000) and SANDBOX_PORT (8081).
set -euo pipefail
# shellcheck source=ops/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

case ${1:-} in
  '') smoke= ;;
  --smoke) smoke=yes ;;
  *) fail "usage: bash ops/demo.sh [--smoke]" ;;
esac

bash ops/bootstrap.sh
export PATH="$VENV/bin:$PATH"
export PYTHONUNBUFFERED=1 # the log must show what a process said before it died
load_env

export DEMO_HOME=${FIELDSERVICE_EMBEDDED_HOME:-.embedded}
state=$DEMO_HOME/demo.pid # five lines: pid, web address, sandbox address, services this demo started, "ready"
log=$DEMO_HOME/demo.log
mark=FIELDSERVICE_DEMO=$ROOT/$DEMO_HOME # in the environment of all that a demo of this folder runs
mkdir -p "$DEMO_HOME"

# --- Telegram: the sandbox unless there are real tokens -----------------------------------------------------------------
use_sandbox() { # URL
  export SANDBOX_URL=$1 TELEGRAM_API_URL=$1
  export MASTER_BOT_TOKEN=100001:demo_master ADMIN_BOT_TOKEN=100002:demo_admin
  export LOGS_CHANNEL_ID=-1001000000001 ALERTS_CHANNEL_ID=-1001000000002 REPORTS_CHANNEL_ID=
}

wants_sandbox() {
  [[ -n $smoke ]] && return 0 # a smoke run never talks to real people
  [[ -z ${MASTER_BOT_TOKEN:-} && -z ${ADMIN_BOT_TOKEN:-} ]] && return 0
  [[ -n ${MASTER_BOT_TOKEN:-} && -n ${ADMIN_BOT_TOKEN:-} ]] && return 1
  fail "Only one of MASTER_BOT_TOKEN and ADMIN_BOT_TOKEN is set: set both for real Telegram, or neither for the sandbox."
}

# --- a demo that runs already, or one that was killed ---------------------------------------------------------------------
read_state() { { read -r demo_pid && read -r web_url && read -r sandbox_url && read -r started && read -r _; } <"$state"; }

join_running_demo() {
  local tries=0
  until read_state 2>/dev/null; do
    ((++tries <= 120)) || fail "Another demo of this folder is starting and does not become ready; see $log."
    sleep 1
  done
  if [[ -n $smoke ]]; then
    [[ -n $sandbox_url ]] || fail "The running demo uses real Telegram; stop it, then run the smoke test."
    use_sandbox "$sandbox_url"
    exec python manage.py smoke --sandbox "$sandbox_url"
  fi
  say "The demo is already running (process $demo_pid):"
  say "  Web admin         $web_url/admin/"
  say "  Telegram sandbox  ${sandbox_url:-none, the bots use real Telegram}"
  exit 0
}

clear_killed_demo() {
  [[ -e $state ]] || return 0
  say "An earlier demo was killed; ending what it left behind."
  tools marked "$mark"
  { read -r _ && read -r _ && read -r _ && read -r started; } <"$state" || started=
  # shellcheck disable=SC2086 # a list of names
  [[ -z $started ]] || embedded stop $started >/dev/null
  rm -f "$state"
}

# --- the end ------------------------------------------------------------------------------------------------------------
honcho=
follower=
started=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
  local code=$?
  trap - EXIT
  trap '' INT TERM HUP # a second Ctrl-C must not leave servers behind
  [[ -z $follower ]] || kill "$follower" 2>/dev/null || true
  if [[ -n $honcho ]]; then
    say "Stopping …"
    kill -TERM "$honcho" 2>/dev/null || true
    wait_for_end "$honcho" 15
    tools marked "$mark"
  fi
  # PostgreSQL and Redis are in sessions of their own, where no Ctrl-C reaches them.
  # shellcheck disable=SC2086 # a list of names
  [[ -z $started ]] || embedded stop $started >/dev/null || true
  rm -f "$state"
  exit "$code"
}

wait_for_end() { # PID SECONDS
  local tries=$(($2 * 10))
  while kill -0 "$1" 2>/dev/null && ((tries-- > 0)); do sleep 0.1; done
}

# Say which process ended first (honcho then ends the others) and what it said last.
fail_with_ended_process() {
  wait_for_end "$honcho" 15
  local name code
  read -r name code < <(sed -n 's/.*system *| \([a-z_]*\)\.1 stopped (rc=\(.*\)).*/\1 \2/p' "$log" | head -n 1) ||
    fail "The processes of the demo ended; the log is $log."
  sed -n "s/^[^|]* $name\.1 *| //p" "$log" | tail -n 20 >&2
  fail "The process $name ended (code $code; its last lines are above), so the demo stops. The log is $log."
}

# --- steps --------------------------------------------------------------------------------------------------------------
step() { # TITLE COMMAND…
  say "  $1"
  shift
  "$@" >>"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "This step failed: $* (see above; the log is $log)."
  }
}

free_port() { # VARIABLE DEFAULT WHAT: sets VARIABLE to a free port from its value on
  local wanted=${!1:-$2} found
  [[ $wanted =~ ^[1-9][0-9]{0,4}$ ]] || fail "$1: a port from 1 to 65535 is expected."
  found=$(tools port "$wanted")
  [[ $found == "$wanted" ]] || say "Port $wanted is taken; $3 uses $found."
  export "$1=$found"
}

banner() {
  say ""
  say "Field Service is running."
  say ""
  say "  Web admin         $web_url/admin/"
  if [[ -n $SANDBOX_URL ]]; then
    say "  Telegram sandbox  $SANDBOX_URL/ (both bots, where you are the master and the admin)"
  else
    say "  Telegram          real: your bots answer at $TELEGRAM_API_URL"
  fi
  say ""
  sed 's/^/  /' "$DEMO_HOME/logins.txt"
  cat <<'TRY'

What to try
  1. Sandbox, phone «Мастер Первый»: press «Старт», then «Начать смену».
  2. Web admin: sign in and add an order (Москва, ЦАО, as soon as possible). The offer is on the phone in two seconds.
     In the evening take a slot of tomorrow, then press «Искать сейчас» on the order's page.
  3. On the phone: «Принять», «Выехал», «На месте», «Закрыть», a sum, a photo of the act, «Я оплатил».
  4. Phone «Администратор»: open the commission and approve it; the order is CLOSED.
  5. Let an offer run out twice, or add an order without a district: the phone «Логист» is alerted.
  6. The order's page in the web admin: history, offers, and the decision log (who was asked, who was left out and why).
  7. Phone «Администратор»: «Анкеты», «Пригласить мастера», a city; add a phone with that code and apply as a master.
  8. In another terminal: `bash ops/demo.sh --smoke` takes a whole order through both bots by itself.

TRY
  say "Stop: Ctrl-C. Log: $log"
  say ""
}

# --- here it goes ---------------------------------------------------------------------------------------------------------
exec 9>>"$DEMO_HOME/demo.lock" # held while this script lives, however it dies
lock 9 --nowait || join_running_demo
clear_killed_demo
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
: >"$log"

free_port WEB_PORT 8000 "the web admin"
web_url=http://127.0.0.1:$WEB_PORT
export WEB_URL=${WEB_URL:-$web_url}
processes=(web worker beat master_bot admin_bot)
if wants_sandbox; then
  [[ ${SANDBOX_PORT:-8081} != "$WEB_PORT" ]] || SANDBOX_PORT=$((WEB_PORT + 1))
  free_port SANDBOX_PORT 8081 "the sandbox"
  use_sandbox "http://127.0.0.1:$SANDBOX_PORT"
  processes+=(sandbox)
else
  export SANDBOX_URL='' SANDBOX_PORT='' TELEGRAM_API_URL=${TELEGRAM_API_URL:-https://api.telegram.org}
fi

say "Preparing …"
started=$(embedded start | tr '\n' ' ')
printf '%s\n' $$ "$web_url" "$SANDBOX_URL" "$started" >"$state"
export ALLOWED_HOSTS=127.0.0.1,localhost${ALLOWED_HOSTS:+,$ALLOWED_HOSTS}
if [[ -z ${SECRET_KEY:-} ]]; then
  SECRET_KEY=$(python -c 'from fieldservice import embedded; print(embedded.secret_key())')
  export SECRET_KEY
fi
step "database" python manage.py migrate --noinput --verbosity 0
step "cities and districts" python manage.py seed_geo
step "demo data" python manage.py seed_demo
step "texts" python manage.py texts --compile

say "Starting …"
env "$mark" "$VENV/bin/honcho" start --no-colour -f ops/Procfile.demo -e /dev/null "${processes[@]}" >>"$log" 2>&1 9>&- &
honcho=$!
(umask 077 && python manage.py seed_demo --logins >"$DEMO_HOME/logins.txt") 2>>"$log" || fail "The demo logins could not be read; see $log."
ready_when=(--web "$web_url")
[[ -z $SANDBOX_URL ]] || ready_when+=(--sandbox "$SANDBOX_URL" --bots 2)
tools wait --pid "$honcho" --seconds 120 "${ready_when[@]}" || {
  (($? == 2)) && fail_with_ended_process
  tail -n 20 "$log" >&2
  fail "The demo did not come up (its last lines are above); the log is $log."
}
echo ready >>"$state"

if [[ -n $smoke ]]; then
  code=0
  python manage.py smoke --sandbox "$SANDBOX_URL" || code=$?
  kill -0 "$honcho" 2>/dev/null || fail_with_ended_process
  ((code == 0)) || tail -n 40 "$log" >&2
  exit "$code"
fi

banner
tail -n 0 -f "$log" 9>&- &
follower=$!
wait "$honcho" || true
fail_with_ended_process
