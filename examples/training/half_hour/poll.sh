#!/usr/bin/env bash
# There: waits SECONDS, or until there is a result, and shows how far it is.
#   bash examples/training/half_hour/poll.sh SECONDS
set -euo pipefail
keep=${KEEP:-${TMPDIR:-/tmp}/quickfill-keep}
for _ in $(seq "$1"); do
    if grep -qx ready "$keep/train.log"; then break; fi
    sleep 1
done
tail -n 3 "$keep/train.log"
if command -v nvidia-smi >/dev/null; then nvidia-smi | grep MiB; fi
