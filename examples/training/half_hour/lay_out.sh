#!/usr/bin/env bash
# Here, in the repository: lays out what the borrowed machine needs as .half_hour/parts/1, 2, ..., each less than what
# travels in a call, and moves the repository's own weights aside, since they would travel along with every call.
#   bash examples/training/half_hour/lay_out.sh SETTINGS ROWS HELD_OUT [WEIGHTS [ADAPTER]]
#   bash examples/training/half_hour/lay_out.sh back      returns the weights
set -euo pipefail
python=${PYTHON:-python3}
part_mib=${PART_MIB:-13} parts_together=${PARTS_TOGETHER:-4}
aside=$(git rev-parse --absolute-git-dir)/weights-aside

if [ "${1:-}" = back ]; then
    (cd "$aside" && find . -type f -print0) | while IFS= read -r -d '' file; do mv "$aside/$file" "$file"; done
    exit
fi
settings=$1 rows=$2 held_out=$3 weights=${4:-coder/weights} adapter=${5:-}

grep -qx /.half_hour/ "$(git rev-parse --git-path info/exclude)" 2>/dev/null ||
    { mkdir -p "$(git rev-parse --git-path info)" && echo /.half_hour/ >>"$(git rev-parse --git-path info/exclude)"; }
rm -rf .half_hour
mkdir -p .half_hour/cargo/start
cp -R "$rows" .half_hour/cargo/rows
cp -R "$held_out" .half_hour/cargo/held_out
find "$weights" -maxdepth 1 -type f \( -name '*.json' -o -name '*.safetensors' -o -name '*.gguf*' \) \
    -exec cp {} .half_hour/cargo/start/ \;
cp "$settings" .half_hour/cargo/settings.toml
if [ -n "$adapter" ]; then
    cp "$adapter" .half_hour/cargo/adapter.safetensors
    awk '{print} /^\[model\]/ {print "adapter = \"adapter.safetensors\""}' "$settings" >.half_hour/cargo/settings.toml
    grep -q '^adapter = ' .half_hour/cargo/settings.toml || { echo "$settings has no line [model]"; exit 1; }
fi
# Pure Python packages that are used where the machine has none of its own.
if [ -n "${PACKAGES=accelerate}" ]; then
    "$python" -m pip install --quiet --no-deps --target .half_hour/cargo/packages $PACKAGES
fi

"$python" -m coder.train.archive_parts cut .half_hour/cargo .half_hour/all --mib "$part_mib" | sort | while read -r part; do
    number=$((10#${part##*-} / parts_together + 1))
    mkdir -p .half_hour/parts/$number
    mv "$part" .half_hour/parts/$number/
done
mv .half_hour/all/parts.json .half_hour/parts/1/
rm -rf .half_hour/all .half_hour/cargo

git ls-files -z -- '*.safetensors' '*.gguf*' 'coder/weights/*' | while IFS= read -r -d '' file; do
    if [ -e "$file" ]; then mkdir -p "$aside/$(dirname "$file")" && mv "$file" "$aside/$file"; fi
done
# What git does not ignore travels with every part.
travels=$(git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    if [ -f "$file" ]; then wc -c <"$file"; fi
done | awk '{sum += $1} END {print int(sum / 1048576) + 1}')
most=$(du -sm .half_hour/parts/* | sort -n | tail -n 1 | cut -f 1)
echo "$(ls .half_hour/parts | wc -l) calls of at most $((travels + most)) MiB, $travels of them the checkout"
if [ $((travels + most)) -gt 64 ]; then
    echo "that is more than 64 MiB: set PART_MIB to less, or move large files out of the checkout"
    exit 1
fi
