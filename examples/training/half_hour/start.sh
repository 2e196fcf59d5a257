#!/usr/bin/env bash
# There, when all parts are: joins them and starts training, which goes on after the call.
#   bash examples/training/half_hour/start.sh SECONDS
set -euo pipefail
keep=${KEEP:-${TMPDIR:-/tmp}/quickfill-keep}
python=${PYTHON:-python3}
cd "$keep"
export PYTHONPATH=$keep/program PYTHONUNBUFFERED=1
"$python" -m coder.train.archive_parts join parts cargo
"$python" -c "import accelerate" 2>/dev/null || export PYTHONPATH=$PYTHONPATH:$keep/cargo/packages
# Training, then the adapter in bfloat16, cut into what travels back; each step leaves its mark in the log.
setsid nohup bash -c "
    '$python' -W ignore -m coder.train cargo/settings.toml --out run --max-seconds '$1' &&
    '$python' -c '
from pathlib import Path
from coder.train.adapter_file import in_smaller_size
from coder.train.run_folder import ADAPTER_FILE, last_checkpoint
in_smaller_size(last_checkpoint(Path(\"run\")) / ADAPTER_FILE, Path(\"result\") / ADAPTER_FILE)
' && cp run/settings.json run/figures.json \$(ls -d run/checkpoint-* | sort -V | tail -n 1)/trainer_state.json result/ &&
    '$python' -m coder.train.archive_parts cut result home --mib '${PART_MIB:-14}' && echo ready
" >train.log 2>&1 &
echo started
