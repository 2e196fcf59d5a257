#!/usr/bin/env bash
# There, when all parts are: joins them and starts training, which goes on after the call. Called again, when a mistake in
# cargo/settings.toml was mended, it ends what is running and starts anew with these settings.
#   bash examples/training/half_hour/start.sh SECONDS
set -euo pipefail
keep=${KEEP:-${TMPDIR:-/tmp}/quickfill-keep}
python=${PYTHON:-python3}
cp "$(dirname "$0")/train.sh" "$keep/"
cd "$keep"
export PYTHONPATH=$keep/program PYTHONUNBUFFERED=1
if [ -f process ]; then
    kill -KILL -- "-$(cat process)" 2>/dev/null || true
    rm -rf run result home
fi
[ -f cargo/settings.toml ] || "$python" -m coder.train.archive_parts join parts cargo
"$python" -c "import accelerate" 2>/dev/null || export PYTHONPATH=$PYTHONPATH:$keep/cargo/packages
PYTHON=$python setsid nohup bash train.sh "$1" >train.log 2>&1 &
echo started
