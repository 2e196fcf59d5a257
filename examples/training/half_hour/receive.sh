#!/usr/bin/env bash
# There, once for each carried part: keeps it, and the program, outside of what the next call replaces.
#   bash examples/training/half_hour/receive.sh
set -euo pipefail
keep=${KEEP:-${TMPDIR:-/tmp}/quickfill-keep}
mkdir -p "$keep/parts" "$keep/program"
cp .half_hour/parts/*/* "$keep/parts/"
cp -R coder "$keep/program/"
ls "$keep/parts" | wc -l
