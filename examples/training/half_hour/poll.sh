#!/usr/bin/env bash
# There: waits SECONDS, or until it is over, and shows how far it is.
#   bash examples/training/half_hour/poll.sh SECONDS
set -euo pipefail
keep=${KEEP:-${TMPDIR:-/tmp}/quickfill-keep}
for _ in $(seq "$1"); do
    if grep -qxE 'ready|failed' "$keep/train.log"; then break; fi
    sleep 1
done
if grep -qx failed "$keep/train.log"; then tail -n 30 "$keep/train.log"; else tail -n 3 "$keep/train.log"; fi
if command -v nvidia-smi >/dev/null; then nvidia-smi | grep MiB; fi
