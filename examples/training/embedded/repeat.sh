#!/usr/bin/env bash
# Makes the embedded model's adapter anew, or goes on where it was interrupted: hours on two cores.
#   [ADAPTER=FILE] bash examples/training/embedded/repeat.sh BASE FOLDER SOURCE [SOURCE …]
# BASE is what `quickfill train base --out BASE` made, a SOURCE what `quickfill data build` wrote, or a folder of sources; FOLDER is made.
# With ADAPTER training goes on from there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
base=$(cd "$1" && pwd) folder=$2
shift 2

mkdir -p "$folder"
ln -sfn "$base" "$folder/base"
cp "$here/settings.toml" "$folder/settings.toml"
if [ -n "${ADAPTER:-}" ]; then
    cp "$ADAPTER" "$folder/begun.safetensors"
    sed -i.bak 's/^init = "base"$/&\nadapter = "begun.safetensors"/' "$folder/settings.toml"
fi
# A corpus keeps whole packages out of training; of a plain folder other holes of the same files are held out.
held_out=$(ls "$1"/validation-*.parquet >/dev/null 2>&1 && echo "--split validation" || echo "--seed 1")
if [ ! -f "$folder/rows/rows.json" ]; then
    quickfill data pack "$@" --model "$base" --config "$here/pack.toml" --out "$folder/rows"
    # shellcheck disable=SC2086
    quickfill data pack "$@" --model "$base" --config "$here/pack.toml" --out "$folder/held_out" $held_out
fi
# The system's allocator gives the memory of each step back and asks for it again; this one (libtcmalloc-minimal4) keeps it.
for allocator in /usr/lib/*/libtcmalloc_minimal.so.4; do
    if [ -f "$allocator" ]; then export LD_PRELOAD=$allocator; fi
done
nice -n 19 quickfill train "$folder/settings.toml"
quickfill train export "$folder/run" --out "$folder/model" --dtype int8 --force
