#!/bin/sh
# Run a command; when it must not be started again (78: a second copy of a bot runs; 2: a token or address is wrong),
# stay there doing nothing instead of ending. Docker knows no RestartPreventExitStatus: it would start it again for ever.
# Usage: ops/hold.sh COMMAND [ARGUMENTS]. Signals go to the command; its exit code is that of this script.
set -u

"$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT
# a signal ends `wait` before the command has ended
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || break
done

case $code in
  78 | 2) ;;
  *) exit "$code" ;;
esac
echo "Ended with $code, which no restart mends: see ops/RUNBOOK.md. Waiting to be stopped." >&2
trap 'kill "$sleeper" 2>/dev/null; exit "$code"' TERM INT
while :; do
  sleep 3600 &
  sleeper=$!
  wait "$sleeper"
done
