#!/usr/bin/env bash
# There, started by start.sh: trains, then cuts the adapter in bfloat16 into what travels back. Whatever ended training, the
# last checkpoint comes home. The log ends with "ready", or with "failed" where there is nothing to bring.
#   bash train.sh SECONDS
set -uo pipefail
echo $$ >process
mkdir -p result
"$PYTHON" -W ignore -m coder.train cargo/settings.toml --out run --max-seconds "$1" || echo "training ended with an error"
newest=$(ls -d run/checkpoint-* | sort -V | tail -n 1)
for file in run/settings.json run/figures.json "$newest/trainer_state.json"; do
    if [ -f "$file" ]; then cp "$file" result/; fi
done
"$PYTHON" -c '
from pathlib import Path
from coder.train.adapter_file import in_smaller_size
from coder.train.run_folder import ADAPTER_FILE, last_checkpoint
in_smaller_size(last_checkpoint(Path("run")) / ADAPTER_FILE, Path("result") / ADAPTER_FILE)
' && "$PYTHON" -m coder.train.archive_parts cut result home --mib "${PART_MIB:-13}" && echo ready || echo failed
